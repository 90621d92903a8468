import warnings
from collections.abc import Sequence

import pytest

from edgevlo.runtime.generate.detections import Detection, read_detections
from edgevlo.runtime.generate.text import AnswerWarning, answer

ONE = (1.0, 1.0)


def test_an_answer_ends_before_its_stop_token() -> None:
    tokens = iter([5, 6, 2, 7])
    steps: list[Sequence[int]] = []

    assert list(answer(lambda: next(tokens), steps.append, {2, 3}, max_tokens=10)) == [5, 6]
    assert steps == [(5,), (6,)]


def test_an_answer_without_a_stop_token_ends_at_its_limit() -> None:
    assert list(answer(lambda: 5, lambda _: None, {2}, max_tokens=3)) == [5, 5, 5]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("car 1 2 3 4", [("car", (1, 2, 3, 4))]),
        ("car 1 2 3 4; big tree 5 6 7 8", [("car", (1, 2, 3, 4)), ("big tree", (5, 6, 7, 8))]),
        ("红车1 2 3 4；树 5 6 7 8；", [("红车", (1, 2, 3, 4)), ("树", (5, 6, 7, 8))]),
        ("car 1 2 3 4; car 1 2 3 4", [("car", (1, 2, 3, 4))] * 2),
        ("T-shirt 0 0 16 16", [("T-shirt", (0, 0, 16, 16))]),
        ("", []),
        (" ; ;", []),
        ("none", []),
        ("None", []),
        ("None.", []),
        ("无", []),
        ("没有。", []),
        ("没有", []),
    ],
)
def test_detections_are_names_and_boxes(text: str, found: list[tuple[str, tuple[int, int, int, int]]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_detections(text, ONE) == [Detection(*one) for one in found]


def test_boxes_are_scaled_to_the_picture_that_was_asked_about() -> None:
    (found,) = read_detections("car 1 2 3 4", (8.0, 2.5))

    assert found == Detection("car", (8, 5, 24, 10))
    assert all(type(number) is int for number in found.box)


def test_boxes_end_with_the_picture() -> None:
    with pytest.warns(AnswerWarning, match="ignored 'tree 20 1 30 9'"):
        found = read_detections("car 1 2 99999 40; tree 20 1 30 9", (2.0, 2.0), (20, 10))
    assert found == [Detection("car", (2, 4, 40, 20))]


@pytest.mark.parametrize(
    "part",
    ["car", "car 1 2 3", "car 1 2 3 4 5", "1 2 3 4", "car 1.5 2 3 4", "car -1 2 3 4", "car 3 2 1 4", "car 1 4 3 4",
     "car 1 2 3 " + "9" * 5000],
)  # fmt: skip
def test_a_part_that_is_no_box_is_left_out_with_a_warning(part: str) -> None:
    with pytest.warns(AnswerWarning, match=r"^ignored '.*' in the model's answer: it names no box$"):
        found = read_detections(f"tree 1 1 2 2; {part}", ONE)

    assert found == [Detection("tree", (1, 1, 2, 2))]
