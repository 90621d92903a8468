"""Words that the embedded model has never read: it does what it can."""

import pytest
from command_line import Run
from PIL import Image

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
