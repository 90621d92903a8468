"""Pictures unlike the model's own are used, and one line says what was changed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Run, files
from photographs import RESIZED, photograph
from PIL import Image
from toy_bundle import rewritten


def test_a_note_says_what_was_changed(edgevlo_run: Run) -> None:
    Image.new("RGBA", (200, 200), (0, 0, 0, 0)).save("a.png")

    ran = edgevlo_run("ask", "a.png", "where is it", "-m", "toy")

    assert ran.code == 0
    assert ran.err == (
        "note: a.png is transparent in places, which are laid on white; "
        "was resized from 200x200 to 40x40, a size that this model reads\n"
    )


def faded(mode: str) -> Image.Image:
    """Return the photograph with an alpha channel that runs from left to right."""
    picture = photograph().convert(mode)
    picture.putalpha(Image.fromarray(np.tile(np.arange(500) // 2, (333, 1)).astype(np.uint8)))
    return picture


def indexed() -> Image.Image:
    return photograph().quantize(64, method=Image.Quantize.FASTOCTREE)


def grey16() -> Image.Image:
    return Image.fromarray(np.asarray(photograph().convert("L")).astype(np.uint16) * 257)


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


OUTSIDE = "is not from the toy's flat world: all of it was read as the nearest colours"
WHITE = "is transparent in places, which are laid on white"


@pytest.mark.parametrize(
    ("name", "make", "options", "changes"),
    [
        ("photo.jpg", photograph, {}, [RESIZED, OUTSIDE]),
        ("photo.webp", photograph, {}, [RESIZED, OUTSIDE]),
        ("exact.png", lambda: photograph(40, 20), {}, [OUTSIDE]),
        ("turned.jpg", photograph, {"exif": turned()},
         ["was resized from 333x500 to 32x48, a size that this model reads", OUTSIDE]),
        ("grey.png", lambda: photograph().convert("L"), {}, [RESIZED, OUTSIDE]),
        ("grey16.png", grey16, {}, ["has 16 bits a channel, of which the upper 8 are used", RESIZED, OUTSIDE]),
        ("grey16.tif", grey16, {}, ["has 16 bits a channel, of which the upper 8 are used", RESIZED, OUTSIDE]),
        ("cmyk.jpg", lambda: photograph().convert("CMYK"), {}, [RESIZED, OUTSIDE]),
        ("rgba.png", lambda: faded("RGB"), {}, [WHITE, RESIZED, OUTSIDE]),
        ("la.png", lambda: faded("L"), {}, [WHITE, RESIZED, OUTSIDE]),
        ("palette.png", indexed, {"transparency": 3}, [WHITE, RESIZED, OUTSIDE]),
        ("film.gif", indexed, {"save_all": True, "append_images": [Image.new("P", (500, 333))]},
         ["is animated, so its first frame is used", RESIZED, OUTSIDE]),
        ("tiny.png", lambda: Image.new("RGB", (1, 1), (60, 190, 70)), {},
         ["was resized from 1x1 to 4x4, a size that this model reads", OUTSIDE]),
        ("thin.png", lambda: Image.new("RGB", (1, 3000), (60, 190, 70)), {},
         ["was resized from 1x3000 to 16x48, a size that this model reads, its edges cut off", OUTSIDE]),
        ("huge.png", lambda: Image.new("RGB", (2500, 2500), (60, 190, 70)), {},
         ["was resized from 2500x2500 to 40x40, a size that this model reads", OUTSIDE]),
        ("own.png", lambda: Image.new("RGB", (40, 20), (0, 128, 255)), {}, []),
    ],
)  # fmt: skip
def test_any_picture_is_edited_with_one_line_about_it(
    edgevlo_run: Run, toy: Path, name: str, make: Callable[[], Image.Image], options: dict[str, Any], changes: list[str]
) -> None:
    world = {"name": "the toy's flat world", "cells": "colours", "tolerance": 20}
    rewritten(toy, Path("narrow"), lambda tree: tree.update(domain=world))
    make().save(name, **{"compress_level": 1, **options})

    ran = edgevlo_run("edit", name, "on it", "-m", "./narrow", "-n", "2", "--size", "8x8")

    assert ran.code == 0
    lines = ran.err.splitlines()
    assert len(lines) == bool(changes)
    for line in lines:
        said = re.sub(r"is (only partly|not) (from .*: )(all|\d+ %) of", r"is not \2all of", line)
        assert said == f"note: {name} {'; '.join(changes)}"
    assert {"out-1.png", "out-2.png"} <= set(files())


@pytest.mark.usefixtures("embedded_is_open")
def test_the_embedded_models_own_pictures_are_silent_and_a_photograph_is_not(edgevlo_run: Run) -> None:
    for seed, prompt in enumerate(("a red car on the beach at sunset", "一只蓝色的狗", "a green tree in the snow")):
        edgevlo_run("paint", prompt, "--seed", str(seed), "-o", "own.png")
        with Image.open("own.png") as image:
            image.save("own.jpg", quality=80)
            image.resize((256, 256), Image.Resampling.LANCZOS).resize((128, 128)).save("soft.png")
        for name in ("own.png", "own.jpg", "soft.png"):
            assert edgevlo_run("ask", name, "is there a car?").err == ""
    photograph().save("photo.jpg")

    ran = edgevlo_run("ask", "photo.jpg", "is there a car?")

    assert ran.code == 0
    assert re.fullmatch(
        r"note: photo\.jpg was resized from 500x333 to 256x160, a size that this model reads; is not from "
        r"picturebook's drawn world: \d\d % of it was read as the nearest tiles \(see docs/picturebook\.md\)\n",
        ran.err,
    )
