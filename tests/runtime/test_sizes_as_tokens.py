"""Sizes written as tokens or pixels, grids in steps, branches with prompts of their own, pictures that are cropped."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image
from toy_bundle import rewritten

from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.generate.options import _negative
from edgevlo.runtime.manifest.guidance import Branch, Guidance
from edgevlo.runtime.manifest.pictures import Cover, Grid, Preprocess
from edgevlo.runtime.manifest.prompts import Piece, Tag
from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.pictures.resize import cover, cut_off
from edgevlo.runtime.pictures.sizes import GridRule, Shape

STEPS = GridRule(grid=Grid(rows=(2, 16), columns=(2, 16), cells=(4, 64), default=(8, 8), max_ratio=4, step=2), cell=16)


def test_a_number_is_a_tag() -> None:
    tag = Tag(prefix="<reserved", suffix=">", digits=5, offset=8800, unit=2)
    assert [tag.name(number) for number in (2, 48)] == ["<reserved08801>", "<reserved08824>"]


def test_only_rows_and_columns_have_a_tag() -> None:
    with pytest.raises(ValueError, match="only the fields rows and columns"):
        Piece(field="width", tag=Tag(prefix="<"))


@pytest.mark.parametrize(
    ("rows", "columns", "allowed"), [(8, 8, True), (4, 16, True), (2, 10, False), (7, 8, False), (8, 7, False)]
)
def test_a_grid_in_steps_allows_multiples_only(rows: int, columns: int, allowed: bool) -> None:
    assert STEPS.allows(Shape(rows, columns)) == allowed


@pytest.mark.parametrize(
    ("size", "nearest"), [((128, 128), (8, 8)), ((150, 90), (6, 10)), ((1, 1), (2, 2)), ((10, 4000), (16, 4))]
)
def test_the_nearest_grid_is_in_steps(size: tuple[int, int], nearest: tuple[int, int]) -> None:
    assert STEPS.nearest(*size) == Shape(*nearest)


@pytest.mark.parametrize(
    ("size", "fullest"), [((10, 10), (8, 8)), ((4000, 1000), (4, 16)), ((300, 200), (6, 10)), ((10, 4000), (16, 4))]
)
def test_the_fullest_grid_has_the_nearest_ratio(size: tuple[int, int], fullest: tuple[int, int]) -> None:
    assert STEPS.fullest(*size) == Shape(*fullest)


def test_a_picture_that_covers_a_size_keeps_its_ratio_and_its_middle() -> None:
    columns = np.repeat(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], 40, axis=0)
    picture = Image.fromarray(np.repeat(columns, 3, axis=2))  # 120 x 40, a ramp to the right
    rule = Preprocess(min_pixels=1, max_pixels=1, cover=Cover())

    found = np.asarray(cover(picture, (40, 40), Cover(), rule))

    assert found.shape == (40, 40, 3)
    assert (found[0, 0, 0], found[0, -1, 0]) == (80, 158)


def test_a_picture_far_larger_than_the_size_is_halved_by_averaging() -> None:
    checks = np.indices((64, 64)).sum(0) % 2 * 255
    picture = Image.fromarray(checks.astype(np.uint8)).convert("RGB")
    rule = Preprocess(min_pixels=1, max_pixels=1, resample="nearest", cover=Cover(halve=2))

    assert set(np.asarray(cover(picture, (16, 16), Cover(halve=2), rule)).ravel()) == {128}
    assert set(np.asarray(cover(picture, (16, 16), Cover(), rule)).ravel()) <= {0, 255}


def test_what_is_cut_off_is_known() -> None:
    assert cut_off((120, 40), (40, 40))
    assert not cut_off((80, 80), (40, 40))


@pytest.mark.parametrize("scale", [3.0, 0.0])
def test_a_template_reads_the_negative_prompt_where_it_has_a_text(scale: float) -> None:
    guidance = Guidance(
        branches=(
            Branch(kind="prompt", constant=0.0, scale=1.0),
            Branch(kind="template", constant=1.0, scale=-1.0, prompt=(Piece(text="An image of "), Piece(field="text"))),
        ),
        negative_text="blur",
    )
    assert _negative(None, scale, None, guidance) == "blur"
    assert _negative("noise", scale, None, guidance) == "noise"


def template(**changes: Any) -> dict[str, Any]:
    return {"kind": "template", "constant": 1.0, "scale": -1.0, "prompt": [{"token": "<bos>"}], **changes}


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        (template(kind="negative"), "gives a prompt to a branch of kind negative"),
        (template(prompt=[{"field": "rows"}]), "names a size, which only prompts"),
        (template(prompt=[{"field": "width"}]), "names a size, which only prompts"),
    ],
)
def test_branches_that_make_no_sense_are_refused(
    toy: Path, tmp_path: Path, branch: dict[str, Any], message: str
) -> None:
    def change(tree: dict[str, Any]) -> None:
        tree["guidance"]["branches"] = [tree["guidance"]["branches"][0], branch]

    with pytest.raises(BundleError, match=message):
        rewritten(toy, tmp_path / "odd", change)


def test_a_default_grid_between_steps_is_refused(toy: Path, tmp_path: Path) -> None:
    def change(tree: dict[str, Any]) -> None:
        rows, columns = tree["grid"]["default"]
        tree["grid"]["step"] = 1 + max(rows, columns)

    with pytest.raises(BundleError, match=r"grid\.default"):
        rewritten(toy, tmp_path / "odd", change)


def test_what_is_new_is_left_out_of_manifests_that_do_not_need_it(toy: Path) -> None:
    written = json.loads(msgspec.json.encode(read_manifest(toy)))
    assert "step" not in written["grid"]
    assert "text_only" not in written["answer"]
    assert "cover" not in written["preprocess"]
