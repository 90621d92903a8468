"""Several codes a pass: whatever is guessed and however much is read, the codes are those of the raster loop."""

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from toy_reference import flat_picture

from edgevlo.runtime.generate import raster_loop, speculative_loop
from edgevlo.runtime.generate.draft_predictors import Drafts
from edgevlo.runtime.generate.speculative_loop import first_guesses
from edgevlo.runtime.model import Model


class Sequential:
    """A model whose next code hangs on every token it read and on the uniform; it repeats itself often."""

    def __init__(self, codes: int = 5) -> None:
        self.tokens: list[int] = []
        self.passes = 0
        self._codes = codes
        self._ends: list[int] = []

    def draw(self, uniform: float) -> int:
        return self._after(len(self.tokens), uniform)

    def step(self, tokens: Sequence[int]) -> None:
        self.passes += 1
        self.tokens += tokens

    def read(self, groups: Sequence[Sequence[int]], uniforms: Sequence[float]) -> list[int]:
        assert len(groups) == len(uniforms)
        self._ends = []
        self.passes += 1
        for group in groups:
            self.tokens += group
            self._ends.append(len(self.tokens))
        return [self._after(end, uniform) for end, uniform in zip(self._ends, uniforms, strict=True)]

    def keep(self, groups: int) -> None:
        del self.tokens[self._ends[groups - 1] :]

    def _after(self, length: int, uniform: float) -> int:
        read = self.tokens[:length]
        digest = hashlib.sha256(repr((read[-3:], len(read) % 7, round(uniform, 1))).encode()).digest()
        return min(digest[0] % (2 * self._codes), self._codes - 1)  # the last code is drawn every other time


def plan(rows: int, columns: int, suffix: tuple[int, ...], seed: int) -> raster_loop.RasterPlan:
    uniforms = raster_loop.uniforms(seed, rows * columns)
    return raster_loop.RasterPlan(rows=rows, columns=columns, uniforms=uniforms, first_token=100, row_suffix=suffix)


def source(shape: tuple[int, int], seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    return np.random.default_rng(seed).integers(0, 5, shape, dtype=np.int32)


@pytest.mark.parametrize("width", [1, 2, 3, 8, 100])
@pytest.mark.parametrize("suffix", [(), (7,), (7, 8, 9)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 1), (6, 4)])
def test_the_codes_and_what_was_read_are_those_of_the_raster_loop(
    shape: tuple[int, int], suffix: tuple[int, ...], width: int
) -> None:
    for seed, shown in itertools.product(range(10), [None, source(shape, 0)]):
        one, many, this = Sequential(), Sequential(), plan(*shape, suffix, seed)
        expected = list(raster_loop.paint(one.draw, one.step, this))

        drafts = Drafts(this.columns, shown)
        codes = list(speculative_loop.paint(many.draw, many, this, drafts, first_guesses(width - 1)))

        assert codes == expected
        assert many.tokens == one.tokens


def test_a_width_that_changes_at_every_pass_changes_nothing() -> None:
    one, many, this = Sequential(), Sequential(), plan(8, 8, (7,), 3)
    widths = itertools.cycle([1, 5, 2, 64, 1, 3])

    codes = list(
        speculative_loop.paint(
            many.draw,
            many,
            this,
            Drafts(8),
            lambda guesses, most: first_guesses(next(widths) - 1)(guesses, most),
        )
    )

    assert codes == list(raster_loop.paint(one.draw, one.step, this))
    assert many.passes < one.passes


def test_right_guesses_save_passes_and_wrong_ones_cost_none() -> None:
    class Copying(Sequential):
        def _after(self, length: int, uniform: float) -> int:
            return copied[length] if length < len(copied) else 0

    copied = source((6, 6), 1).ravel().tolist()
    right, wrong = Copying(), Copying()
    this = plan(6, 6, (), 0)

    kept = speculative_loop.paint(right.draw, right, this, Drafts(6, np.array(copied).reshape(6, 6)), first_guesses(5))
    assert list(kept) == copied
    lost = speculative_loop.paint(wrong.draw, wrong, this, Drafts(6, np.full((6, 6), 99)), first_guesses(5))
    assert list(lost) == copied

    assert right.passes <= 12
    assert wrong.passes <= 35  # as many as one code at a time takes


def test_a_code_is_yielded_before_the_next_pass() -> None:
    model = Sequential()

    codes = speculative_loop.paint(model.draw, model, plan(2, 2, (), 0), Drafts(2), first_guesses(0))

    assert len(list(itertools.islice(codes, 2))) == 2
    assert model.passes == 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0},
        {"temperature": 0.05, "guidance_scale": 7},
        {"top_k": 3, "top_p": 0.7, "negative_prompt": "big"},
        {"guidance_scale": 1, "size": (8, 20)},
    ],
    ids=str,
)
def test_pictures_of_real_graphs_are_the_same_for_every_width(model: Model, options: dict[str, object]) -> None:
    def codes(codes_per_pass: int, seed: int) -> list[int]:
        *_, last = model.paint_rows("a red car", seed=seed, codes_per_pass=codes_per_pass, **options)  # type: ignore[arg-type]
        return last.codes.ravel().tolist()

    for seed in range(2):
        expected = codes(1, seed)
        assert all(codes(width, seed) == expected for width in (2, 3, 7, 64, 0))


def test_edits_and_maps_of_real_graphs_are_the_same_for_every_width(model: Model) -> None:
    picture = flat_picture(np.arange(12).reshape(3, 4))

    for width in (2, 5, 0):
        assert edited(model, picture, width) == edited(model, picture, 1)


def edited(model: Model, picture: object, width: int) -> list[list[int]]:
    rows = [
        model.edit_rows(picture, "on it", seed=5, codes_per_pass=width),  # type: ignore[arg-type]
        model.perceive_rows("segment", picture, codes_per_pass=width),  # type: ignore[arg-type]
    ]
    return [list(strokes)[-1].codes.ravel().tolist() for strokes in rows]


def test_the_picture_says_how_many_passes_it_took(model: Model) -> None:
    plain, drafted = (model.paint("a red car", seed=1, temperature=0, codes_per_pass=width) for width in (1, 4))

    assert plain.info["passes"] == 20  # asked for after another picture was painted
    assert 5 <= drafted.info["passes"] < 20
    assert plain.info["parameters"] == drafted.info["parameters"]


def test_a_home_that_cannot_be_written_is_no_matter(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "file"))
    picture = flat_picture(np.arange(90).reshape(9, 10) % 27)

    *_, last = Model(model.bundle).edit_rows(picture, "on it", seed=5)

    assert last.rows_done == 9
