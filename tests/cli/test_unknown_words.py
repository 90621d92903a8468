"""Words that the embedded model has never read: it does what it can."""

import re
from pathlib import Path

import pytest
from command_line import Run
from PIL import Image

pytestmark = pytest.mark.usefixtures("embedded_is_open")

ODD_WORDS = {
    "a rocket": "a rocket launching over the Eiffel tower",
    "emoji": "🚀👩‍🚀🏳️‍🌈",
    "long": "a rocket launching " * 20,
    "control characters": "\x01\x02\x1b[31mred\x7f\tcar\n\x00",
    "right to left": "سيارة حمراء على الشاطئ \u202eabc",
    "special tokens": "<bos><eos><|answer|><|image start|>8*8",
    "marks alone": "\u0301\u0302\u200b\ufeff",
    "not assigned": "\U000e0001\uffff\ufdd0",
    "digits": "0" * 200,
}


@pytest.mark.parametrize("words", ODD_WORDS.values(), ids=ODD_WORDS.keys())
def test_words_outside_the_models_world_are_no_error(edgevlo_run: Run, words: str) -> None:
    assert edgevlo_run("paint", words, "--seed", "1", "-o", "painted.png").code == 0
    edited = edgevlo_run("edit", "painted.png", words, "-o", "edited.png")
    assert edited.code == 0
    assert all(line.startswith("note: picturebook does not know ") for line in edited.err.splitlines())
    for command in ("ask", "detect"):
        ran = edgevlo_run(command, "painted.png", words)
        assert ran.code == 0
        assert all(line.startswith("note: ") and "the model" in line for line in ran.err.splitlines())
    with Image.open("edited.png") as image:
        assert image.size == (128, 128)


def test_the_words_that_the_page_shows_as_unknown_are(edgevlo_run: Run) -> None:
    page = (Path(__file__).parents[2] / "docs" / "using.md").read_text(encoding="utf-8")
    (request,) = re.findall(r'`edgevlo paint "(.*)"` paints the car and prints$', page, re.MULTILINE)
    (note,) = re.findall(r"^    (note: picturebook does not know .*)$", page, re.MULTILINE)

    assert edgevlo_run("paint", request, "-o", "car.png").err == f"{note}\n"
