"""The mark of AI-made pictures stays in what is saved, by whichever door: read back with Pillow alone."""

import copy
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import edgevlo
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.write_marks import marked

KIND = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def painted(model: Model) -> Image.Image:
    return model.paint("a red car", size=(20, 16), seed=7)


def xmp_of(file: Path | io.BytesIO) -> bytes:
    with Image.open(file) as image:
        image.load()
        xmp: bytes = image.info["xmp"]
        return xmp


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "a.jpg", "a.jpeg", "a.webp", "a.avif"])
def test_a_plain_save_keeps_the_mark(model: Model, tmp_path: Path, name: str) -> None:
    painted(model).save(tmp_path / name)

    assert KIND in xmp_of(tmp_path / name)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "webp", "avif"])
def test_a_save_into_a_file_object_keeps_the_mark(model: Model, kind: str) -> None:
    buffer = io.BytesIO()

    painted(model).save(buffer, format=kind)

    assert KIND in xmp_of(io.BytesIO(buffer.getvalue()))


def test_a_plain_save_as_png_keeps_prompt_and_seed_and_every_pixel(model: Model, tmp_path: Path) -> None:
    picture = painted(model)

    picture.save(str(tmp_path / "a.png"))

    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert image.info["parameters"] == picture.info["parameters"]
        assert "Seed: 7" in image.info["parameters"]
        assert image.tobytes() == picture.tobytes()


def test_what_the_caller_gives_wins(model: Model, tmp_path: Path) -> None:
    painted(model).save(tmp_path / "a.jpg", xmp=b"<x/>")

    assert xmp_of(tmp_path / "a.jpg") == b"<x/>"


@pytest.mark.parametrize("name", ["a.bmp", "a.gif", "a.ppm"])
def test_formats_without_a_place_for_the_mark_are_saved_all_the_same(model: Model, tmp_path: Path, name: str) -> None:
    painted(model).save(tmp_path / name)

    with Image.open(tmp_path / name) as image:
        assert image.size == (20, 16)


def test_previews_and_decoded_codes_are_marked_too(model: Model, tmp_path: Path) -> None:
    first = next(iter(model.paint_rows("a red car", size=(20, 16), seed=7)))
    for number, picture in enumerate((first.preview, model.decode(first.codes))):
        picture.save(tmp_path / f"{number}.webp")

        assert KIND in xmp_of(tmp_path / f"{number}.webp")


def test_png_bytes_and_file_objects_hold_what_a_file_holds(model: Model, tmp_path: Path) -> None:
    picture, buffer = painted(model), io.BytesIO()

    edgevlo.save_png(picture, tmp_path / "a.png")
    edgevlo.save_png(picture, buffer)

    assert edgevlo.png_bytes(picture) == buffer.getvalue() == (tmp_path / "a.png").read_bytes()
    assert KIND in buffer.getvalue()


def test_a_resized_picture_is_marked_by_save_png(model: Model) -> None:
    assert KIND in edgevlo.png_bytes(painted(model).resize((10, 8)))


def test_a_marked_picture_equals_the_plain_one_with_the_same_pixels_and_info() -> None:
    plain: Any = Image.new("RGB", (2, 2), "red")
    ours = marked(plain.copy(), {"parameters": "a"})

    assert ours != plain
    plain.info["parameters"] = "a"
    assert ours == plain
    assert plain == ours
    assert ours != "a"


def test_every_kind_of_copy_keeps_the_marks(model: Model, tmp_path: Path) -> None:
    picture = painted(model)

    for number, copied in enumerate((picture.copy(), copy.copy(picture), copy.deepcopy(picture))):
        copied.save(tmp_path / f"{number}.png")
        with Image.open(tmp_path / f"{number}.png") as image:
            image.load()
            assert image.info["parameters"] == picture.info["parameters"]
