"""Sizes, numbers, words and pictures that a model does not take."""

from pathlib import Path
from typing import Any

import pytest
from toy_bundle import rewritten
from toy_reference import MAX_POSITIONS, flat_picture, opener

import edgevlo
from edgevlo.runtime.errors import AbilityError, PictureError, RequestError
from edgevlo.runtime.generate.options import MAX_SEED
from edgevlo.runtime.model import Model


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"size": (21, 16)}, "size 21x16 is not one that this model paints; the nearest is 20x16"),
        ({"size": "0x0"}, "size 0x0 is not one that this model paints; the nearest is 4x4"),
        ({"size": "1000x1000"}, "the nearest is 40x40"),
        ({"size": "big"}, "neither WIDTHxHEIGHT"),
        ({"seed": -1}, f"seed -1 is out of range; seeds run from 0 to {MAX_SEED}"),
        ({"seed": 2**32}, "seed 4294967296 is out of range"),
        ({"guidance_scale": -1.0}, "guidance scale -1.0 is out of range; it runs from 0 to 100"),
        ({"guidance_scale": float("nan")}, "guidance scale nan is out of range"),
        ({"temperature": float("inf")}, "temperature inf is out of range"),
        ({"temperature": -0.1}, "temperature -0.1 is out of range"),
        ({"top_k": -1}, "top-k -1 is out of range"),
        ({"top_k": 2**40}, "top-k 1099511627776 is out of range"),
        ({"top_p": 0}, "top-p 0 is out of range; it is above 0 and at most 1"),
        ({"top_p": 1.01}, "top-p 1.01 is out of range"),
        ({"top_p": float("nan")}, "top-p nan is out of range"),
        ({"negative_prompt": "x" * 100_000}, "the negative prompt has 100000 characters; at most 50000"),
        ({"negative_prompt": "\udcff"}, "the negative prompt is not valid Unicode at character 0"),
    ],
)
def test_a_number_out_of_range_is_refused_at_once(model: Model, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        model.paint_rows("a red car", **options)  # before the first row is asked for


def without_top_p(tree: dict[str, Any]) -> None:
    head = tree["graphs"]["image_head"]
    head["inputs"] = [one for one in head["inputs"] if one["name"] != "top_p"]


def test_a_bundle_whose_head_takes_no_top_p_refuses_one(toy: Path, tmp_path: Path) -> None:
    model = Model.open(rewritten(toy, tmp_path / "older", without_top_p))
    with pytest.raises(RequestError, match="of target 'cpu' does not support top-p; leave it out, or export"):
        model.paint_rows("a red car", top_p=0.5)
    model.paint_rows("a red car", top_p=1.0)


def test_top_p_is_recorded_where_it_counts(model: Model) -> None:
    assert "Top-p: 0.5" in model.paint("a red car", top_p=0.5).info["parameters"]
    assert "Top-p" not in model.paint("a red car").info["parameters"]


def only_prompt(tree: dict[str, Any]) -> None:
    tree["guidance"]["branches"] = [{"kind": "prompt", "constant": 0.0, "scale": 1.0}]
    tree["guidance"]["default_scale"] = 2.0


def test_without_a_negative_branch_a_negative_prompt_is_refused_and_never_recorded(toy: Path, tmp_path: Path) -> None:
    model = Model.open(rewritten(toy, tmp_path / "bundle", only_prompt))

    with pytest.raises(RequestError, match="this model takes no negative prompt"):
        model.paint("a car", negative_prompt="a dog")
    assert "Negative prompt" not in model.paint("a car").info["parameters"]


def test_a_guidance_scale_that_leaves_no_branch_is_refused(toy: Path, tmp_path: Path) -> None:
    model = Model.open(rewritten(toy, tmp_path / "bundle", only_prompt))

    with pytest.raises(RequestError, match=r"guidance scale 0\.0 gives every branch zero weight; use a scale above 0"):
        model.paint("a car", guidance_scale=0.0)


def test_a_model_is_loaded_from_a_path_or_its_name(toy: Path) -> None:
    assert edgevlo.load(toy).manifest == edgevlo.load(str(toy)).manifest


@pytest.mark.parametrize("prompt", ["", " \n", "x" * 100_000, "\ud800"])
def test_a_prompt_that_cannot_be_used_is_refused_at_once(model: Model, prompt: str) -> None:
    with pytest.raises(RequestError, match=r"^the prompt "):
        model.paint_rows(prompt)


def test_a_prompt_beyond_the_models_memory_says_how_long_it_is(model: Model) -> None:
    with pytest.raises(
        RequestError,
        match=rf"has 406 tokens and at most {MAX_POSITIONS - 22} fit: this model holds {MAX_POSITIONS} .* needs 22\.",
    ):
        list(model.paint_rows("car " * 400, size=(20, 16)))


def test_a_prompt_that_just_fits_is_painted(model: Model) -> None:
    longest = MAX_POSITIONS - 24 - len(opener(4, 5)) - 1

    assert model.paint("car " * longest, size=(20, 16), guidance_scale=1, seed=1).size == (20, 16)


def test_the_number_of_pictures_is_checked(model: Model) -> None:
    picture = flat_picture([[1]])

    with pytest.raises(RequestError, match=r"edit takes 1 to 2 picture\(s\), 3 given"):
        model.edit([picture] * 3, "on it")
    with pytest.raises(RequestError, match=r"edit takes 1 to 2 picture\(s\), 0 given"):
        model.edit([], "on it")
    with pytest.raises(RequestError, match=r"ask takes 1 to 2 picture\(s\), 0 given"):
        model.ask([], "where is it")


def test_an_ability_that_the_model_lacks_is_named(model: Model) -> None:
    with pytest.raises(
        AbilityError,
        match=r"^toy \(family toy\) does not support 'edges'\. Supported: ask, detect, edit, paint, segment\.$",
    ):
        model.edges(flat_picture([[1]]))


def test_a_bad_picture_is_named(model: Model, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=f"{tmp_path}/none.png cannot be read"):
        model.ask(tmp_path / "none.png", "where is it")
