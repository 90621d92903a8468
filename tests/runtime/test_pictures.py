import contextlib
import io
import random
import struct
import warnings
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from edgevlo.runtime.errors import PictureError
from edgevlo.runtime.manifest.pictures import FitPadSquare, Postprocess, Preprocess
from edgevlo.runtime.pictures.codes_to_pixels import from_pixels
from edgevlo.runtime.pictures.load import PictureWarning, load_picture, resized, warn_of_changes
from edgevlo.runtime.pictures.pixel_values import to_pixel_values
from edgevlo.runtime.pictures.resize import fit_pad_square, resize


def quietly(source: str | Path | Image.Image) -> Image.Image:
    """Load a picture of which there must be nothing to say."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load_picture(source)
    assert loaded.changes == ()
    return loaded.image


def png_of_size(path: Path, width: int, height: int) -> Path:
    """Write a PNG that claims to be of this size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b""))
    return path


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def noise(width: int = 24, height: int = 16) -> Image.Image:
    levels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(levels)


def test_a_picture_is_loaded_exactly_and_quietly(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", noise())

    for source in (path, str(path), noise()):
        loaded = quietly(source)
        assert loaded.mode == "RGB"
        assert loaded.tobytes() == noise().tobytes()


def test_a_picture_given_as_an_image_is_not_changed() -> None:
    image = noise()
    image.info["note"] = "mine"

    load_picture(image).image.putpixel((0, 0), (1, 2, 3))

    assert image.tobytes() == noise().tobytes()


# What cannot be used.


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.png", b"", "is not a picture that can be read"),
        ("text.png", b"just some words\n" * 50, "is not a picture that can be read"),
        ("page.jpg", b"<html><body>404</body></html>", "is not a picture that can be read"),
        ("half.png", b"\x89PNG\r\n\x1a\n\0\0", "is not a picture that can be read"),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "is not a picture"),
    ],
)
def test_a_file_that_is_no_picture_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(PictureError, match=rf"^{path} {reason}.* Choose another"):
        load_picture(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=rf"{tmp_path}/none\.png cannot be read: No such file"):
        load_picture(tmp_path / "none.png")
    with pytest.raises(PictureError, match=rf"{tmp_path} cannot be read: Is a directory"):
        load_picture(tmp_path)
    with pytest.raises(PictureError, match="cannot be read: File name too long"):
        load_picture(tmp_path / ("x" * 300))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif"])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, noise(200, 200))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(PictureError, match=rf"^{path} (cannot be read: it is damaged|is not a picture)"):
        load_picture(path)


@pytest.mark.parametrize("cut", range(1, 17))
def test_a_png_that_is_cut_off_after_its_pixels_is_whole(tmp_path: Path, cut: int) -> None:
    path = saved(tmp_path / "a.png", noise())
    path.write_bytes(path.read_bytes()[:-cut])  # from the checksum of the pixels on

    assert quietly(path).tobytes() == noise().tobytes()


def test_a_cut_off_file_given_as_an_image_is_refused_too(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", noise(200, 200))
    path.write_bytes(path.read_bytes()[:60_000])

    with Image.open(path) as image, pytest.raises(PictureError, match=r"^the picture cannot be read: it is damaged"):
        load_picture(image)


@pytest.mark.parametrize(("width", "height"), [(100_000, 10), (10, 100_000), (100_000, 100_000)])
def test_a_side_that_is_too_long_is_refused_by_its_header(tmp_path: Path, width: int, height: int) -> None:
    path = png_of_size(tmp_path / "big.png", width, height)

    with pytest.raises(PictureError, match=rf"^{path} is {width}x{height} pixels; sides from 1 to 32768 are"):
        quietly(path)


@pytest.mark.parametrize("side", [7_000, 10_000, 20_000])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    path = png_of_size(tmp_path / "bomb.png", side, side)

    with pytest.raises(PictureError, match=rf"^{path} is {side}x{side} pixels, which take .* Scale it first"):
        quietly(path)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_a_picture_without_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(PictureError, match=rf"the picture is {size[0]}x{size[1]} pixels"):
        load_picture(Image.new("RGB", size))


def test_a_png_of_no_width_is_refused(tmp_path: Path) -> None:
    path = png_of_size(tmp_path / "thin.png", 0, 10)

    with pytest.raises(PictureError, match=rf"^{path} is "):
        load_picture(path)


@pytest.mark.parametrize("mode", ["F", "LAB", "La"])
def test_pixels_that_have_no_rgb_are_refused(mode: str) -> None:
    with pytest.raises(PictureError, match="save it as PNG or JPEG first"):
        load_picture(Image.new(mode, (4, 4)))


def test_damaged_files_give_a_picture_or_a_picture_error_and_nothing_else(tmp_path: Path) -> None:
    rng = random.Random(4)
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {}
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        buffer = io.BytesIO()
        noise().save(buffer, format=kind, **({"exif": exif} if kind in ("PNG", "JPEG", "WEBP") else {}))
        files[kind] = buffer.getvalue()
    for kind, content in files.items():
        for _ in range(60):
            damaged = bytearray(content)
            for _ in range(rng.randint(1, 8)):
                damaged[rng.randrange(min(len(damaged), 400))] = rng.randrange(256)
            path = tmp_path / kind
            path.write_bytes(damaged)
            with contextlib.suppress(PictureError):  # and no warning of Pillow's: every warning is an error here
                assert load_picture(path).image.mode == "RGB"


# What is changed on the way in.


def test_an_animation_gives_its_first_frame_and_a_note(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])

    loaded = load_picture(path)

    assert (loaded.name, loaded.changes) == (str(path), ("is animated, so its first frame is used",))
    assert loaded.image.getpixel((0, 0)) == (255, 0, 0)


def test_a_gif_of_one_frame_gives_no_note(tmp_path: Path) -> None:
    assert quietly(saved(tmp_path / "a.gif", Image.new("RGB", (8, 8), "red"))).getpixel((0, 0)) == (255, 0, 0)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), (0, 255, 255, 0)), quality=100)

    red = quietly(path).getpixel((3, 3))

    assert isinstance(red, tuple)
    assert np.abs(np.subtract(red, (254, 0, 0))).max() <= 3


def test_grey_becomes_rgb(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)

    loaded = quietly(saved(tmp_path / "a.png", Image.fromarray(levels)))

    assert np.array_equal(np.asarray(loaded), np.repeat(levels[..., np.newaxis], 3, axis=2))


def test_one_bit_becomes_black_and_white(tmp_path: Path) -> None:
    image = Image.new("1", (2, 1))
    image.putpixel((1, 0), 1)

    loaded = quietly(saved(tmp_path / "a.png", image))

    assert [loaded.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), (255, 255, 255)]


def test_sixteen_bit_grey_keeps_its_upper_eight_bits(tmp_path: Path) -> None:
    values = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    path = saved(tmp_path / "a.png", Image.fromarray(values))

    loaded = load_picture(path)

    assert loaded.changes == ("has 16 bits a channel, of which the upper 8 are used",)
    assert np.array_equal(np.asarray(loaded.image)[..., 1], values >> 8)


def test_an_eight_bit_picture_stored_in_sixteen_comes_back_exactly(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    for name, wide in (("shifted", levels << 8), ("repeated", levels * 257)):
        path = saved(tmp_path / f"{name}.png", Image.fromarray(wide))
        assert np.array_equal(np.asarray(load_picture(path).image)[..., 0], levels), name


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_transparency_is_laid_on_white_with_a_note(tmp_path: Path, mode: str) -> None:
    image = Image.new("LA" if mode == "LA" else "RGBA", (2, 1), (0, 255) if mode == "LA" else (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0) if mode == "LA" else (0, 0, 0, 0))
    if mode in ("P", "PA"):
        image = image.convert("P") if mode == "P" else image.convert("P").convert("PA")
    source = image if mode == "PA" else saved(tmp_path / "a.png", image)
    if mode == "PA":  # a palette with an alpha channel of its own
        image.putalpha(Image.frombytes("L", (2, 1), bytes([255, 0])))

    loaded = load_picture(source)

    assert loaded.changes == ("is transparent in places, which are laid on white",)
    assert [loaded.image.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), (255, 255, 255)]


def test_half_transparent_black_on_white_is_grey() -> None:
    loaded = load_picture(Image.new("RGBA", (1, 1), (0, 0, 0, 128)))

    assert loaded.image.getpixel((0, 0)) == (127, 127, 127)


def test_an_alpha_channel_that_hides_nothing_gives_no_note() -> None:
    assert quietly(Image.new("RGBA", (1, 1), (1, 2, 3, 255))).getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_stands_upright(tmp_path: Path, orientation: int) -> None:
    upright = Image.new("RGB", (32, 16), "white")
    upright.paste("red", (0, 0, 16, 8))  # the upper left quarter
    undo = {  # how the camera stored it
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation

    loaded = quietly(saved(tmp_path / "a.jpg", stored, exif=exif, quality=100))

    assert loaded.size == (32, 16)
    assert np.abs(np.asarray(loaded).astype(int) - np.asarray(upright)).mean() < 8


# Sizes and numbers.


def preprocess(resample: str = "bicubic") -> Preprocess:
    return Preprocess(
        min_pixels=1,
        max_pixels=100,
        mean=(0.5, 0.25, 0.0),
        std=(0.5, 1.0, 2.0),
        resample=resample,  # type: ignore[arg-type]
    )


def test_all_that_was_changed_is_one_warning() -> None:
    changes = ("is animated, so its first frame is used", resized((24, 16), (8, 8)))

    with pytest.warns(PictureWarning) as caught:
        warn_of_changes("a.gif", changes)
    warn_of_changes("b.gif", ())

    assert [str(warning.message) for warning in caught] == [
        "a.gif is animated, so its first frame is used; was resized from 24x16 to 8x8, a size that this model reads"
    ]


def test_a_picture_of_the_right_size_is_not_scaled() -> None:
    image = noise()

    assert resize(image, image.size, preprocess()) is image


@pytest.mark.parametrize(("name", "filter_"), [("bicubic", 3), ("lanczos", 1), ("bilinear", 2), ("nearest", 0)])
def test_scaling_uses_the_manifests_filter(name: str, filter_: int) -> None:
    found = resize(noise(), (9, 7), preprocess(name))

    assert found.tobytes() == noise().resize((9, 7), Image.Resampling(filter_)).tobytes()


def test_pixel_values_are_normalised_channel_by_channel() -> None:
    image = Image.new("RGB", (2, 1), (255, 51, 0))
    image.putpixel((1, 0), (0, 0, 255))

    values = to_pixel_values(image, preprocess())

    assert values.shape == (1, 3, 1, 2)
    assert values.dtype == np.float32
    assert values.flags.c_contiguous
    assert values[0, :, 0].tolist() == [[1, -1], [pytest.approx(-0.05), -0.25], [0, 0.5]]


@pytest.mark.parametrize(
    ("rounding", "levels"), [("truncate", [0, 0, 127, 255, 255]), ("round", [0, 0, 128, 255, 255])]
)
def test_pixels_are_scaled_clipped_and_rounded_as_the_manifest_says(rounding: str, levels: list[int]) -> None:
    values = np.array([-9.0, -1.0, 0.0, 1.0, 9.0], dtype=np.float32)
    pixels = np.broadcast_to(values, (1, 3, 1, 5))

    image = from_pixels(pixels, Postprocess(rounding=rounding))  # type: ignore[arg-type]

    assert image.mode == "RGB"
    assert image.size == (5, 1)
    assert [image.getpixel((x, 0)) for x in range(5)] == [(level,) * 3 for level in levels]


@pytest.mark.parametrize(
    ("size", "rounding", "box"),
    [
        ((200, 100), "round", (0, 8, 32, 24)),
        ((100, 200), "round", (8, 0, 24, 32)),
        ((32, 32), "round", (0, 0, 32, 32)),
        ((64, 31), "round", (0, 8, 32, 24)),  # 15.5 rounds to the even 16
        ((64, 31), "truncate", (0, 8, 32, 23)),  # 15 and 17 are left: one pixel more below
        ((500, 3), "round", (0, 14, 32, 18)),  # the least side
    ],
)
def test_a_picture_stands_whole_in_the_middle_of_its_square(
    size: tuple[int, int], rounding: Literal["round", "truncate"], box: tuple[int, int, int, int]
) -> None:
    rule = FitPadSquare(side=32, min_side=4, color=(127, 126, 125), rounding=rounding)

    square = np.asarray(fit_pad_square(Image.new("RGB", size, "white"), rule, preprocess()))

    left, top, right, bottom = box
    assert square.shape == (32, 32, 3)
    assert (square[top:bottom, left:right] == 255).all()
    outside = np.ones((32, 32), dtype=bool)
    outside[top:bottom, left:right] = False
    assert (square[outside] == (127, 126, 125)).all()


def test_what_libtiff_finds_wrong_is_not_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "picture.tiff"
    Image.new("RGB", (64, 64), "red").save(path, compression="tiff_lzw")
    with Image.open(path) as image:
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]  # type: ignore[attr-defined]
    content = bytearray(path.read_bytes())
    content[start : start + length] = b"\xff" * length
    path.write_bytes(content)
    with pytest.raises(PictureError):
        load_picture(path)
    assert capfd.readouterr() == ("", "")
