"""Guesses of the codes to come: each predictor where it is right, and the best one chosen by what was right."""

import itertools

import numpy as np

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.generate.draft_predictors import Drafts


def share_right(picture: Codes, source: Codes | None = None) -> float:
    """Return the share of a picture's codes that were guessed one by one."""
    drafts, codes, right = Drafts(picture.shape[1], source), list[int](), 0
    for code in picture.ravel().tolist():
        right += next(drafts.guesses(codes))[0] == code
        codes.append(code)
        drafts.learn(codes)
    return right / picture.size


NOISE = np.random.default_rng(0).integers(0, 1000, (10, 10), dtype=np.int32)


def test_an_edit_that_leaves_cells_alone_is_guessed() -> None:
    edited = NOISE.copy()
    edited[4:6, 4:6] = 5

    assert share_right(edited, NOISE) > 0.9
    assert share_right(edited) < 0.2


def test_codes_that_become_others_are_guessed_once_they_were_seen() -> None:
    source = NOISE % 4

    assert share_right(source + 100, source) > 0.8


def test_flat_areas_and_columns_go_on() -> None:
    assert share_right(np.full((10, 10), 3, dtype=np.int32)) > 0.9
    assert share_right(np.tile(NOISE[0], (10, 1))) > 0.8


def test_patterns_repeat_themselves() -> None:
    assert share_right((np.indices((10, 10)).sum(0) % 3).astype(np.int32)) > 0.7


def test_chances_are_the_shares_that_were_right() -> None:
    source = NOISE % 30

    def chance(picture: Codes) -> float:
        drafts, codes = Drafts(10, source), list[int]()
        for code in picture.ravel().tolist()[:-1]:
            codes.append(code)
            drafts.learn(codes)
        return next(drafts.guesses(codes))[1]

    assert chance(source) > 0.99
    assert chance(NOISE[::-1, ::-1] % 30) < 0.2


def test_what_was_drawn_after_a_wrong_code_is_a_guess() -> None:
    drafts = Drafts(10)
    drafts.redrawn(1, [42, 43])

    assert [code for code, _ in itertools.islice(drafts.guesses([7]), 2)] == [42, 43]


def test_cells_between_those_that_were_left_alone_are_left_alone() -> None:
    drafts, edited = Drafts(10, NOISE), NOISE.copy()
    edited[:, :5] = np.arange(50).reshape(10, 5) + 5000  # half of the picture becomes something else
    codes = edited.ravel().tolist()
    right = 0
    for known in range(1, 100):
        right += known % 10 > 5 and next(drafts.guesses(codes[:known]))[0] == codes[known]
        drafts.learn(codes[:known])

    assert right >= 36  # of 40 whose left and upper neighbours were
