"""Pictures outside the domain that a manifest states are read, and one line says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from toy_bundle import rewritten
from toy_reference import CELL, flat_picture

from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import PictureWarning


def narrow(tree: dict[str, Any]) -> None:
    """Declare that the toy's tokenizer holds pictures of its flat colours alone."""
    tree["domain"] = {"name": "the toy's flat world", "cells": "colours", "tolerance": 10, "see": "docs/toy.md"}


@pytest.fixture(scope="module")
def narrow_model(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.open(rewritten(toy, tmp_path_factory.mktemp("narrow") / "toy", narrow))


def photograph(width: int, height: int) -> Image.Image:
    """Return noise on a gradient, which no cell of the toy's comes near."""
    rows, columns = np.mgrid[:height, :width]
    gradient = np.stack([255 * columns / width, 255 * rows / height, 128 + 0 * rows], axis=-1)
    noisy = gradient + np.random.default_rng(3).normal(0, 60, gradient.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def test_pictures_of_the_domain_are_read_in_silence(narrow_model: Model) -> None:
    picture = flat_picture([[0, 5, 9], [26, 13, 2]])

    assert narrow_model.tokenize(picture).tolist() == [[0, 5, 9], [26, 13, 2]]
    nearly = Image.fromarray(np.clip(np.asarray(picture).astype(int) + 9, 0, 255).astype(np.uint8))
    assert narrow_model.tokenize(nearly).tolist() == [[0, 5, 9], [26, 13, 2]]


def test_a_photograph_is_said_to_be_outside_the_domain_in_one_line(narrow_model: Model, tmp_path: Path) -> None:
    photograph(500, 333).save(tmp_path / "photo.jpg")

    with pytest.warns(PictureWarning) as caught:
        narrow_model.tokenize(tmp_path / "photo.jpg")

    assert [str(warning.message) for warning in caught] == [
        f"{tmp_path}/photo.jpg was resized from 500x333 to 48x32, a size that this model reads; "
        "is not from the toy's flat world: all of it was read as the nearest colours (see docs/toy.md)"
    ]


def test_the_share_outside_the_domain_is_counted_cell_by_cell(narrow_model: Model) -> None:
    picture = flat_picture([[0, 5, 9, 0, 1], [26, 13, 2, 3, 4]])
    picture.paste(photograph(CELL, CELL), (CELL, 0))

    with pytest.warns(PictureWarning, match="^the picture is only partly from the toy's flat world: 10 % of it was"):
        narrow_model.tokenize(picture)


@pytest.mark.parametrize("ability", ["edit", "ask", "detect", "segment"])
def test_every_ability_that_reads_pictures_says_so_once_a_picture(
    narrow_model: Model, ability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "_answer", lambda *_: "none")
    words = {"edit": ["on it"], "ask": ["where is it"]}.get(ability, [])

    with pytest.warns(PictureWarning, match="is not from the toy's flat world") as caught:
        getattr(narrow_model, ability)(photograph(40, 20), *words)

    assert len(caught) == 1


def test_a_bundle_without_a_domain_takes_any_picture(model: Model) -> None:
    model.tokenize(photograph(40, 20))


def test_a_picture_of_another_size_is_resized_to_one_that_the_model_reads(model: Model) -> None:
    with pytest.warns(PictureWarning, match="^the picture was resized from 400x400 to 40x40, a size"):
        codes = model.tokenize(Image.new("RGB", (400, 400), "red"))

    assert codes.tolist() == [[18] * 10] * 10  # (1, -1, -1)
