"""Commands that read a picture: edit, ask, detect and segment, called as `run([...])`."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Run, fails, files
from photographs import RESIZED, photograph
from PIL import Image
from toy_bundle import rewritten

from edgevlo.runtime.generate.text import Answered
from edgevlo.runtime.model import Model


def test_edit_reads_pictures_and_paints_one(edgevlo_run: Run, model: Model) -> None:
    edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "1", "-o", "a.png", "--size", "12x12")
    edgevlo_run("paint", "a tree", "-m", "toy", "--seed", "2", "-o", "b.png", "--size", "8x8")

    ran = edgevlo_run("edit", "a.png", "b.png", "on it", "-m", "toy", "--seed", "4", "-o", "e.png")

    assert (ran.code, ran.err) == (0, "")
    with Image.open("e.png") as image:
        assert image.tobytes() == model.edit([Path("a.png"), Path("b.png")], "on it", seed=4).tobytes()


def test_segment_paints_what_the_model_sees(edgevlo_run: Run, model: Model) -> None:
    edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "1", "-o", "a.png")

    assert edgevlo_run("segment", "a.png", "-m", "toy", "-o", "s.png").code == 0
    with Image.open("s.png") as image:
        assert image.tobytes() == model.segment("a.png").tobytes()


def test_a_note_says_what_was_changed(edgevlo_run: Run) -> None:
    Image.new("RGBA", (200, 200), (0, 0, 0, 0)).save("a.png")

    ran = edgevlo_run("ask", "a.png", "where is it", "-m", "toy")

    assert ran.code == 0
    assert ran.err == (
        "note: a.png is transparent in places, which are laid on white; "
        "was resized from 200x200 to 40x40, a size that this model reads\n"
    )


def red(name: str) -> bytes:
    """Write a picture; return its file."""
    Image.new("RGB", (20, 20), "red").save(name)
    return Path(name).read_bytes()


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("out.png", ("edit", "out.png", "on it")),
        ("out.png", ("segment", "out.png")),
        ("out.png", ("edit", "./link.png", "on it")),
        ("out-2.png", ("edit", "out-2.png", "on it", "-n", "3")),
        ("a-1.png", ("edit", "a-1.png", "on it", "-n", "2", "-o", "a.png")),
        ("car.png", ("edit", "car.png", "on it", "--codes", "car.png")),
        ("car.png", ("edit", "car.png", "on it", "-o", "new.png", "--codes", "../work/car.png")),
        ("out-7.png", ("interleave", "out-7.png", "a car")),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_source_that_nobody_named_as_a_result_is_not_replaced(
    edgevlo_run: Run, source: str, command: tuple[str, ...]
) -> None:
    before = red(source)
    Path("link.png").symlink_to(source)

    ran = edgevlo_run(*command, "-m", "toy")

    assert ran.code == 2, ran
    assert ran.err.splitlines()[-1] == (
        f"Error: {Path(command[-1] if 'codes' in command[-2] else source)} is read, and would be replaced; "
        "give another name, or rename it first."
    )
    assert Path(source).read_bytes() == before
    assert files() == sorted([source, "link.png"])


@pytest.mark.parametrize("command", [("edit", "car.png", "on it"), ("segment", "car.png")])
def test_a_source_that_is_named_as_the_result_is_replaced(edgevlo_run: Run, command: tuple[str, ...]) -> None:
    red("car.png")
    edgevlo_run(*command, "-m", "toy", "--seed", "3", "-o", "new.png")

    assert edgevlo_run(*command, "-m", "toy", "--seed", "3", "-o", "car.png").code == 0
    assert files() == ["car.png", "new.png"]
    with Image.open("car.png") as replaced, Image.open("new.png") as new:
        assert replaced.tobytes() == new.tobytes()


def test_what_detect_finds_is_not_found_in_its_own_boxes(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "boxes", lambda *_: Image.new("RGB", (20, 20)))
    read = list[bytes]()

    def detect(_: Model, source: Path, __: object) -> list[object]:
        read.append(source.read_bytes())
        return []

    monkeypatch.setattr(Model, "detect", detect)
    before = red("car.png")

    assert edgevlo_run("detect", "car.png", "car", "-m", "toy", "-o", "car.png").code == 0
    assert read == [before]


@pytest.mark.parametrize("as_json", [False, True])
def test_ask_prints_the_answer(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    monkeypatch.setattr(Model, "answer", lambda *_: Answered("两辆车", 3, is_whole=True))
    Image.new("RGB", (20, 20)).save("a.png")

    ran = edgevlo_run("ask", "a.png", "where is it", "-m", "toy", *(["--json"] if as_json else []))

    assert ran == (0, '{"answer": "两辆车"}\n' if as_json else "两辆车\n", "")


def test_options_of_an_answer_reach_the_model(edgevlo_run: Run, model: Model) -> None:
    red("a.png")
    drawn = {"max_tokens": 5, "temperature": 1.5, "top_p": 0.9, "seed": 7}

    options = ("--max-tokens", "5", "--temperature", "1.5", "--top-p", "0.9", "--seed", "7")
    ran = edgevlo_run("ask", "a.png", "where", "-m", "toy", *options)
    assert ran.out.strip() == model.ask(Image.open("a.png"), "where", **drawn)  # type: ignore[arg-type]
    fails(edgevlo_run("ask", "a.png", "where", "-m", "toy", "--max-tokens", "0"), "0 tokens are too few for an answer")


@pytest.mark.parametrize("as_json", [False, True])
def test_detect_prints_names_and_boxes(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    monkeypatch.setattr(Model, "_answer", lambda *_: "红车 0 1 2 3; tree 1 1 5 5")
    Image.new("RGB", (20, 20)).save("a.png")

    ran = edgevlo_run("detect", "a.png", "-m", "toy", *(["--json"] if as_json else []))

    assert (ran.code, ran.err) == (0, "")
    if as_json:
        assert json.loads(ran.out) == [
            {"label": "红车", "box": [0, 4, 8, 12]},
            {"label": "tree", "box": [4, 4, 20, 20]},
        ]
    else:
        assert ran.out == "红车\t0 4 8 12\ntree\t4 4 20 20\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["ask", "how many cars?"], "ask needs a picture before its question. Usage: edgevlo ask PICTURE QUESTION"),
        (["edit", "夜晚"], "edit needs a picture before its instruction. Usage: edgevlo edit PICTURE INSTRUCTION"),
        (["edit", "x" * 3000], "edit needs a picture before its instruction. Usage: edgevlo edit PICTURE INSTRUCTION"),
        (["ask", "a.png"], "ask takes its question after the picture a.png. Usage: edgevlo ask PICTURE QUESTION"),
        (["ask", "a.png", "a.png"], "ask takes its question after the picture a.png. "
                                    "Usage: edgevlo ask PICTURE QUESTION"),
        (["ask", "?", "a.png"], "ask takes its question after the picture a.png. Usage: edgevlo ask PICTURE QUESTION"),
        (["edit", "a.png"], "edit takes its instruction after the picture a.png. "
                            "Usage: edgevlo edit PICTURE INSTRUCTION"),
    ],
)  # fmt: skip
def test_a_missing_picture_or_question_is_one_line(edgevlo_run: Run, arguments: list[str], line: str) -> None:
    Image.new("RGB", (20, 20)).save("a.png")

    assert edgevlo_run(*arguments, "-m", "toy") == (2, "", f"edgevlo: {line}\n")
    assert files() == ["a.png"]


def test_boxes_and_their_picture_take_one_line(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch, toy: Path) -> None:
    boxes = {"prompt": [{"field": "images"}, {"field": "text"}], "output": "image", "images": [1, 1]}
    rewritten(toy, Path("both"), lambda tree: tree["abilities"].update(boxes=boxes))
    monkeypatch.setattr(Model, "_answer", lambda *_: "none")
    photograph().save("photo.jpg")

    ran = edgevlo_run("detect", "photo.jpg", "-o", "boxes.png", "-m", "./both")

    assert (ran.code, ran.err) == (0, f"note: photo.jpg {RESIZED}\n")


def test_a_model_that_only_paints_boxes_is_told_what_to_look_for(edgevlo_run: Run, toy: Path) -> None:
    def only_boxes(tree: dict[str, Any]) -> None:
        del tree["abilities"]["detect"]
        tree["abilities"]["boxes"] = {
            "prompt": [{"field": "images"}, {"field": "text"}],
            "output": "image",
            "images": [1, 1],
            "request": {"text": "{objects}"},
        }

    rewritten(toy, Path("only"), only_boxes)
    photograph().save("photo.jpg")

    ran = edgevlo_run("detect", "photo.jpg", "car", "-o", "boxes.png", "-m", "./only")
    assert (ran.code, ran.out) == (0, "boxes.png\n")
    assert Path("boxes.png").is_file()
    unnamed = edgevlo_run("detect", "photo.jpg", "-o", "more.png", "-m", "./only")
    fails(unnamed, "boxes of this model needs names of objects; name at least one")


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is not a picture that can be read"),
        (b"words", "is not a picture that can be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is not a picture that can be read"),
    ],
)
@pytest.mark.parametrize("command", ["edit", "ask", "detect", "segment"])
def test_a_bad_picture_is_one_line(edgevlo_run: Run, command: str, content: bytes | None, pattern: str) -> None:
    if content is not None:
        Path("a.png").write_bytes(content)

    words = ["on it"] if command in ("edit", "ask") else []

    fails(edgevlo_run(command, "a.png", *words, "-m", "toy"), rf"a\.png {pattern}")
    assert files() == ([] if content is None else ["a.png"])


def test_an_image_guidance_scale_reaches_the_model(edgevlo_run: Run) -> None:
    Image.new("RGB", (20, 20)).save("a.png")

    ran = edgevlo_run("edit", "a.png", "a red car", "-m", "toy", "--image-guidance-scale", "2")

    fails(ran, "an image guidance scale does nothing here: this model has no such guidance; leave it out")


def test_an_ability_that_the_model_lacks_is_one_line(edgevlo_run: Run) -> None:
    Image.new("RGB", (20, 20)).save("a.png")

    fails(edgevlo_run("edges", "a.png", "-m", "toy"), r"toy \(family toy\) does not support 'edges'\. Supported: ask")
    fails(edgevlo_run("detect", "a.png", "-m", "toy", "-o", "b.png"), "does not support 'boxes'")
