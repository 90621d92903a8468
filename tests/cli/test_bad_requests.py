"""Requests that cannot be met: one line, exit code 1, nothing written and nothing lost."""

import numpy as np
import pytest
from command_line import Run, fails, files
from PIL import Image

import edgevlo


@pytest.mark.usefixtures("embedded_is_open")
@pytest.mark.parametrize("command", ["paint", "edit", "ask", "detect"])
@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("", "is empty; say what you want in a few words"),
        (" \t\n\u3000", "is empty; say what you want in a few words"),
        ("a rocket launching " * 200, r"has \d+ tokens and at most \d+ fit: this model holds \d+ .* Shorten"),
    ],
    ids=["empty", "spaces", "4,000 characters"],
)
def test_no_words_and_too_many_are_one_line(edgevlo_run: Run, command: str, words: str, pattern: str) -> None:
    Image.new("RGB", (128, 128)).save("car.png")

    fails(edgevlo_run(command, *([] if command == "paint" else ["car.png"]), words), pattern)
    assert files() == ["car.png"]


# Bad input: one line, exit 1, nothing lost.


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ([""], "the prompt is empty"),
        (["   "], "the prompt is empty"),
        (["x" * 100_000], "the prompt has 100000 characters; at most 50000"),
        (["car " * 1000], r"has 1006 tokens and at most 378 fit: .* holds 400 and the result needs 22\. Shorten the"),
        (["\udcff"], "the prompt is not valid Unicode at character 0"),
        (["a", "--negative-prompt", "\udcff"], "the negative prompt is not valid Unicode"),
        (["a", "--size", "21x16"], "the nearest is 20x16"),
        (["a", "--size", "0x0"], "size 0x0 is not one .* nearest is 4x4"),
        (["a", "--size", "big"], "size 'big' is neither WIDTHxHEIGHT"),
        (["a", "--seed", "-1"], "seed -1 is out of range; seeds run from 0 to 4294967295"),
        (["a", "--seed", "4294967296"], "seed 4294967296 is out of range"),
        (["a", "--seed", "4294967295", "-n", "2"], "seed 4294967296 is out of range"),
        (["a", "--temperature", "nan"], "temperature nan is out of range"),
        (["a", "--guidance-scale", "1e9"], "guidance scale 1000000000.0 is out of range"),
        (["a", "--top-k", "-1"], "top-k -1 is out of range"),
        (["a", "--top-p", "0"], "top-p 0.0 is out of range"),
        (["a", "-o", "none/out.png"], "the folder .*/none does not exist. Make it first"),
        (["a", "-o", "."], "is a folder; name a file in it"),
        (["a", "-o", "out.jpg"], r"out\.jpg does not end in \.png"),
        (["a", "-o", "x" * 300 + ".png"], "File name too long"),
        (["a", "--codes", "none/c.npy"], "the folder .*/none does not exist"),
        (["a", "--codes", "/dev/null"], "/dev/null is not a regular file"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_request_that_cannot_be_met_is_one_line_and_writes_nothing(
    edgevlo_run: Run, arguments: list[str], pattern: str
) -> None:
    fails(edgevlo_run("paint", *arguments, "-m", "toy"), pattern)
    assert files() == []


def test_the_output_is_checked_before_the_model_is_opened(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edgevlo, "load", lambda _: pytest.fail("the model was opened"))
    Image.new("RGB", (20, 20)).save("a.png")
    np.save("c.npy", np.zeros((2, 2), dtype=int))

    for arguments in (["paint", "a"], ["edit", "a.png", "b"], ["segment", "a.png"], ["edges", "a.png"],
                      ["detect", "a.png"], ["decode", "c.npy"]):  # fmt: skip
        fails(edgevlo_run(*arguments, "-o", "none/out.png"), "does not exist. Make it first")
        fails(edgevlo_run(*arguments, "-o", "out.jpg"), "does not end in .png")
