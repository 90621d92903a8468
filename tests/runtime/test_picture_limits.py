"""Pictures of the public: what they may cost, and that metadata never decides about pixels."""

import contextlib
import io
import re
import resource
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peak_memory import measured
from PIL import Image, PngImagePlugin

from edgevlo.runtime.errors import PictureError
from edgevlo.runtime.manifest.pictures import Cover, FitPadSquare, Preprocess
from edgevlo.runtime.pictures.load import Loaded, load_bytes, load_picture
from edgevlo.runtime.pictures.resize import cover, fit_pad_square

RULE = Preprocess(min_pixels=1, max_pixels=2**20, resample="lanczos")
EIGHTH = np.add.outer(np.arange(24), np.arange(32)).astype(np.uint8) * 4


def picture() -> Image.Image:
    return Image.fromarray(np.stack([EIGHTH, EIGHTH[::-1], 255 - EIGHTH], axis=-1))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks: bytes) -> bytes:
    """Return a PNG with chunks behind its header."""
    content = encoded(picture(), "PNG")
    return content[:33] + b"".join(chunks) + content[33:]


def jpeg_with(*segments: bytes) -> bytes:
    content = encoded(picture(), "JPEG", quality=95)
    return content[:2] + b"".join(segments) + content[2:]


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def webp_with(kind: bytes, data: bytes) -> bytes:
    content = encoded(picture(), "WEBP", lossless=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    body = content[12:] + kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def cpu_seconds(content: bytes) -> float:
    """Return the CPU time of a load that may be refused."""
    began = time.process_time()
    with contextlib.suppress(PictureError):
        load_bytes(content, "x")
    return time.process_time() - began


BOMB = zlib.compress(b"w" * (3 << 20))


@pytest.mark.parametrize(
    "content",
    [
        png_with(chunk(b"zTXt", b"workflow\0\0" + BOMB)),
        png_with(chunk(b"iTXt", b"prompt\0\1\0\0\0" + BOMB)),
        png_with(*[chunk(b"tEXt", b"a\0" + b"b" * (1 << 20))] * 70),
        png_with(chunk(b"iCCP", b"icc\0\0" + BOMB)),
        png_with(chunk(b"iCCP", b"icc\0\0not zlib")),
        png_with(chunk(b"eXIf", b"Exif of nobody")),
        png_with(chunk(b"tEXt", b"a\0b")[:-4] + b"\0\0\0\0"),  # a wrong checksum
        png_with(chunk(b"pHYs", b"")),
        png_with(chunk(b"cHRM", b"123")),
    ],
    ids=["zTXt", "iTXt", "tEXt", "iCCP", "iCCP-damaged", "eXIf", "checksum", "pHYs", "cHRM"],
)
def test_chunks_beside_the_pixels_of_a_png_decide_nothing(content: bytes) -> None:
    assert load_bytes(content, "x").image.tobytes() == picture().tobytes()


@pytest.mark.parametrize(
    "extra",
    [
        segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0"),  # orientation 99
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x><unclosed"),
        segment(0xE2, b"ICC_PROFILE\0\1\2half a profile"),
        segment(0xE2, b"MPF\0MM\0*\xff\xff\xff\xff"),
        segment(0xED, b"Photoshop 3.0\0" + b"8BIM\xff\xff\xff\xff"),
        segment(0xFE, b"\x00" * 60_000) * 20,
    ],
    ids=["exif", "orientation", "xmp", "icc", "mpf", "photoshop", "comments"],
)
def test_segments_beside_the_pixels_of_a_jpeg_decide_nothing(extra: bytes) -> None:
    assert load_bytes(jpeg_with(extra), "x").image.tobytes() == load_bytes(jpeg_with(), "x").image.tobytes()


@pytest.mark.parametrize("kind", [b"EXIF", b"XMP ", b"ICCP", b"JUNK"])
def test_chunks_beside_the_pixels_of_a_webp_decide_nothing(kind: bytes) -> None:
    assert load_bytes(webp_with(kind, b"\xff" * 99), "x").image.tobytes() == picture().tobytes()


def exif(orientation: int) -> bytes:
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0)


def xmp(orientation: int) -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="{orientation}"/></x:xmpmeta>'.encode()


def raw_profile(orientation: int) -> bytes:
    """Return EXIF in ImageMagick's text."""
    digits, count = exif(orientation).hex(), len(exif(orientation))
    return f"\nexif\n{count:8}\n{digits[:36]}\n{digits[36:]}\n".encode()


IN_JPEG, IN_PNG = b"http://ns.adobe.com/xap/1.0/\0", b"XML:com.adobe.xmp\0\0\0\0\0"
NAMED = b"Raw profile type exif\0"


@pytest.mark.parametrize(
    "content",
    [
        jpeg_with(segment(0xE1, exif(6)), segment(0xE1, exif(1))),
        jpeg_with(segment(0xE1, exif(6)), segment(0xE1, b"Exif\0\0nothing")),
        jpeg_with(segment(0xE1, b"Exif\0\0nothing"), segment(0xE1, exif(6))),
        jpeg_with(segment(0xE1, IN_JPEG + xmp(3)), segment(0xE1, exif(6))),
        jpeg_with(segment(0xE1, IN_JPEG + xmp(6))),
        png_with(chunk(b"eXIf", exif(6)[6:]), chunk(b"iTXt", IN_PNG + xmp(6))),
        png_with(chunk(b"iTXt", IN_PNG + xmp(6))),
        png_with(chunk(b"tEXt", NAMED + raw_profile(6))),
        png_with(chunk(b"zTXt", NAMED + b"\0" + zlib.compress(raw_profile(6)))),
        png_with(chunk(b"zTXt", NAMED + b"\0not zlib"), chunk(b"tEXt", NAMED + b"\n\n\nzz"), chunk(b"eXIf", exif(6))),
        encoded(picture(), "WEBP", lossless=True, xmp=xmp(6)),
    ],
    ids=["first", "broken-second", "broken-first", "exif-and-xmp", "xmp", "png-twice", "png-xmp", "tEXt", "zTXt",
         "broken-texts", "webp-xmp"],
)  # fmt: skip
def test_a_turned_picture_is_turned_once_wherever_that_is_written(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        stored = image.convert("RGB")

    loaded = load_bytes(content, "x").image

    assert loaded.tobytes() == stored.transpose(Image.Transpose.ROTATE_270).tobytes()
    with Image.open(io.BytesIO(content)) as image:
        if b"nothing" not in content and b"not zlib" not in content:  # of which Pillow gives up the rest
            assert load_picture(image).image.tobytes() == loaded.tobytes()


def png_of(depth: int, colours: int, row: bytes, width: int, transparent: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colours, 0, 0, 0))
    rest = transparent + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + rest


@pytest.mark.parametrize(
    ("depth", "colours", "row", "hidden", "levels"),
    [
        (1, 0, b"\x40", b"\0\0", [255, 255]),
        (2, 0, b"\x60", b"\0\1", [255, 170]),
        (4, 0, b"\x5a", b"\0\5", [255, 170]),
        (8, 0, b"\x05\x0a", b"\0\5", [255, 10]),
        (16, 0, b"\x05\x06\x05\x07", b"\5\6", [255, 5]),
        (8, 2, b"\5\5\5\6\6\6", b"\0\5\0\5\0\5", [255, 6]),
        (16, 2, b"\5\1\5\1\5\1\6\0\6\0\6\0", b"\5\1\5\1\5\1", [255, 6]),
    ],
)
def test_the_one_colour_of_a_png_that_is_transparent_is_white(
    depth: int, colours: int, row: bytes, hidden: bytes, levels: list[int]
) -> None:
    loaded = load_bytes(png_of(depth, colours, row, 2, chunk(b"tRNS", hidden)), "x")

    assert [loaded.image.getpixel((x, 0)) for x in (0, 1)] == [(level,) * 3 for level in levels]
    assert loaded.changes[-1] == "is transparent in places, which are laid on white"


@pytest.mark.parametrize(
    "damaged",
    [chunk(b"tRNS", b"\0\5")[:-1] + b"?", chunk(b"tRNS", b"\5"), chunk(b"tRNS", b""), chunk(b"tRNS", b"\0" * 9)],
    ids=["checksum", "short", "empty", "long"],
)
def test_damaged_transparency_is_left_out_with_a_note(damaged: bytes) -> None:
    loaded = load_bytes(png_of(8, 0, b"\5\x0a", 2, damaged), "x")

    assert [loaded.image.getpixel((x, 0)) for x in (0, 1)] == [(5,) * 3, (10,) * 3]
    assert loaded.changes == ("has a damaged note of what is transparent, which is left out",)


def test_a_damaged_palette_that_nothing_needs_decides_nothing() -> None:
    content = png_with(chunk(b"PLTE", b"\1\2\3")[:-1] + b"?", chunk(b"sPLT", b"x"))
    assert load_bytes(content, "x").image.tobytes() == picture().tobytes()


def test_colours_of_a_jpeg_stay_what_adobes_segment_says() -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))

    assert load_bytes(encoded(image, "JPEG", quality=100), "x").image.getpixel((3, 3)) == (255, 0, 0)


def test_a_photograph_with_a_preview_is_not_animated(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    picture().save(path, format="MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))], quality=95)

    loaded = load_picture(path)

    assert loaded.changes == ("holds several pictures, of which the first is used",)
    assert loaded.image.tobytes() == load_bytes(encoded(picture(), "JPEG", quality=95), "x").image.tobytes()


# TIFF.


def read_tiff(tmp_path: Path, array: np.ndarray) -> Loaded:
    path = tmp_path / "a.tif"
    Image.fromarray(array).save(path)
    return load_picture(path)


@pytest.mark.parametrize(("factor", "says"), [(1, "take 8"), (257, "take 16"), (2**23, "the upper 8 are used")])
def test_integers_of_32_bits_become_grey_levels(tmp_path: Path, factor: int, says: str) -> None:
    levels = np.tile(np.arange(256, dtype=np.int64), (4, 1))

    loaded = read_tiff(tmp_path, (levels * factor).astype(np.int32))

    assert np.array_equal(np.asarray(loaded.image)[..., 1], levels)
    assert "has 32 bits a channel" in loaded.changes[0]
    assert says in loaded.changes[0]


def test_unsigned_integers_of_32_bits_reach_white(tmp_path: Path) -> None:
    content = bytearray(
        encoded(Image.fromarray((np.tile(np.arange(256), (2, 1)) << 24).astype(np.uint32).view(np.int32)), "TIFF")
    )
    at = content.index(struct.pack("<HHI", 339, 3, 1))
    content[at + 8] = 1  # SampleFormat: unsigned

    assert np.array_equal(np.asarray(load_bytes(bytes(content), "x").image)[0, :, 0], np.arange(256))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_tiffs_are_read_as_pillow_reads_them(compression: str) -> None:
    content = encoded(picture(), "TIFF", compression=compression, tiffinfo={270: "words " * 9999, 700: b"<x" * 9999})
    with Image.open(io.BytesIO(content)) as image:
        expected = image.convert("RGB").tobytes()

    assert load_bytes(content, "x").image.tobytes() == expected


def tiff_with(image: Image.Image, tag: int, value: int) -> bytes:
    """Return a TIFF with another number in a tag that it has."""
    content = bytearray(encoded(image, "TIFF", tiffinfo={254: 0}))
    start = int.from_bytes(content[4:8], "little")
    for at in range(start + 2, start + 2 + 12 * int.from_bytes(content[start : start + 2], "little"), 12):
        if int.from_bytes(content[at : at + 2], "little") == tag:
            content[at + 8 : at + 10] = value.to_bytes(2, "little")
    return bytes(content)


@pytest.mark.parametrize("factor", [1, 257], ids=["8 bits", "16 bits"])
def test_in_some_tiffs_zero_is_white(factor: int) -> None:
    levels = (EIGHTH.astype(np.uint16) * factor).astype(np.uint8 if factor == 1 else np.uint16)
    content = tiff_with(Image.fromarray(levels), 262, 0)

    assert (np.asarray(load_bytes(content, "x").image)[..., 0] == 255 - EIGHTH).all()


def test_a_preview_in_the_place_of_a_camera_picture_is_said() -> None:
    loaded = load_bytes(tiff_with(picture(), 254, 1), "x")
    assert loaded.changes == ("begins with a preview, as cameras' raw files do, which is used in place of the picture",)


def test_webp_inside_a_tiff_is_refused() -> None:
    content = bytearray(encoded(picture(), "TIFF", compression="tiff_lzw"))
    at = content.index(struct.pack("<HHII", 259, 3, 1, 5))
    content[at + 8 : at + 12] = struct.pack("<I", 50_001)

    with pytest.raises(PictureError, match="its pixels are WebP files; save it with LZW or Deflate"):
        load_bytes(bytes(content), "x")


def many_pages(pages: int) -> bytes:
    """Return a TIFF whose directories all describe the same picture."""
    content = encoded(picture(), "TIFF")
    start = struct.unpack_from("<I", content, 4)[0]
    size = 2 + 12 * struct.unpack_from("<H", content, start)[0]
    directory, base = content[start : start + size], len(content) + len(content) % 2
    chained = b"".join(
        directory + struct.pack("<I", base + (size + 4) * (i + 1) if i + 1 < pages else 0) for i in range(pages)
    )
    return content[:4] + struct.pack("<I", base) + content[8:].ljust(base - 8, b"\0") + chained


def test_pages_of_a_tiff_are_not_counted() -> None:
    content = many_pages(50_000)

    assert cpu_seconds(content) < 2
    assert load_bytes(content, "x").changes == ("holds several pictures, of which the first is used",)


def test_tags_that_all_claim_the_whole_file_are_not_read() -> None:
    tags = b"".join(struct.pack("<HHII", 40_000 + i, 7, 1 << 20, 8) for i in range(4_000))
    content = encoded(picture(), "TIFF")
    start = struct.unpack_from("<I", content, 4)[0]
    count = struct.unpack_from("<H", content, start)[0]
    own = content[start + 2 : start + 2 + 12 * count]
    padded = content.ljust(1 << 20, b"\0")
    directory = struct.pack("<H", count + 4_000) + own + tags + b"\0\0\0\0"

    many = padded[:4] + struct.pack("<I", len(padded)) + padded[8:] + directory

    assert cpu_seconds(many) < 2
    assert load_bytes(many, "x").image.tobytes() == picture().tobytes()


# What a file may cost.


def many_scans(scans: int) -> bytes:
    """Return a progressive JPEG whose last scan comes again and again."""
    content = encoded(Image.new("RGB", (2000, 2000)), "JPEG", progressive=True)
    last = max(match.start() for match in re.finditer(b"\xff\xda", content))
    tables = content.rindex(b"\xff\xc4", 0, last)
    return content[:-2] + content[tables:-2] * scans + b"\xff\xd9"


def comments(blocks: int) -> bytes:
    content = encoded(picture(), "GIF")
    at = 13 + 3 * 2 ** ((content[10] & 7) + 1)
    return content[:at] + b"\x21\xfe" + (b"\xff" + b"c" * 255) * blocks + b"\0" + content[at:]


@pytest.mark.parametrize(
    "content",
    [
        many_scans(20_000),
        many_scans(900),
        png_with(*[chunk(b"tEXt", b"a\0b")] * 300_000),
        png_with(*[chunk(b"IDAT", b"")] * 300_000),
        comments(30_000),
        webp_with(b"XMP ", b"AIGC>{" * 300_000),
        png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"AIGC = '{" * 300_000)),
        b"P3 1000 1000 255 " + b"9 " * (1000 * 1000 * 3),
        b"P6 1500 1500 254 " + b"9" * (1500 * 1500 * 3),
        b"P6 " + b"#" * 5_000_000 + b"\n1 1 255 123",
    ],
    ids=[
        "scans",
        "fewer-scans",
        "texts",
        "empty-idats",
        "comments",
        "labels",
        "labels-of-png",
        "words",
        "levels",
        "header",
    ],
)
def test_a_file_that_would_take_long_is_refused_or_read_in_time(content: bytes) -> None:
    assert len(content) < 10**7
    assert cpu_seconds(content) < 2


MEASURED = """
import sys
from edgevlo.runtime.pictures.load import load_picture
from peak_memory import peak_kib
load_picture(sys.argv[1])  # everything is imported
before = peak_kib()
try:
    load_picture(sys.argv[2])
except ValueError as error:
    print("refused", error, file=sys.stderr)
print(peak_kib() - before)
"""


@pytest.mark.parametrize(
    ("kind", "size", "mode", "options"),
    [
        ("WEBP", (8000, 8000), "RGB", {"lossless": True, "method": 0}),
        ("WEBP", (4000, 3000), "RGBA", {"lossless": True, "method": 0}),
        ("PNG", (6900, 6900), "RGB", {}),
        ("PNG", (4900, 4800), "RGBA", {}),
        ("PNG", (6900, 6900), "I;16", {}),
        ("JPEG", (9000, 9000), "RGB", {"progressive": True}),
        ("JPEG", (7000, 7000), "CMYK", {}),
        ("TIFF", (6900, 6900), "RGB", {"compression": "tiff_deflate"}),
        ("GIF", (8000, 8000), "P", {}),
    ],
)
def test_no_picture_takes_more_memory_than_is_stated(
    tmp_path: Path, kind: str, size: tuple[int, int], mode: str, options: dict[str, object]
) -> None:
    small, large = tmp_path / f"small.{kind}", tmp_path / f"large.{kind}"
    Image.new(mode, (8, 8)).save(small, format=kind, **options)
    Image.new(mode, size).save(large, format=kind, **options)

    assert measured(MEASURED, small, large) < 250_000  # KiB: 192 MB, and a quarter more while it is halved


def test_a_photograph_of_50_megapixels_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "phone.jpg"
    Image.new("RGB", (8160, 6120), "red").save(path, exif=exif)

    loaded = load_picture(path)

    assert loaded.size == (6120, 8160)
    assert loaded.image.size == (3060, 4080)
    assert loaded.changes == ()


@pytest.mark.parametrize("size", [(1, 30_000), (30_000, 2), (3, 5_000)])
@pytest.mark.parametrize("rounding", ["round", "truncate"])
def test_a_strip_is_cropped_before_it_is_scaled(size: tuple[int, int], rounding: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    found = cover(Image.new("RGB", size, "red"), (512, 512), Cover(rounding=rounding), RULE)  # type: ignore[arg-type]

    assert found.size == (512, 512)
    assert found.getcolors() == [(512 * 512, (255, 0, 0))]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000


@pytest.mark.parametrize("filter_", ["lanczos", "bicubic", "bilinear"])
def test_cropping_first_gives_the_pixels_of_cropping_last(filter_: str) -> None:
    rule = Preprocess(min_pixels=1, max_pixels=2**20, resample=filter_)  # type: ignore[arg-type]
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 256, (9_000, 60, 3), dtype=np.uint8))
    tall = noise.resize((512, 76_800), Image.Resampling[filter_.upper()]).crop((0, 38_144, 512, 38_656))

    found = cover(noise, (512, 512), Cover(), rule)

    assert np.abs(np.asarray(found).astype(int) - np.asarray(tall).astype(int)).max() <= 1


@pytest.mark.parametrize("size", [(1, 30_000), (30_000, 2), (12_000, 1_900)])
def test_a_square_around_a_strip_stays_small(size: tuple[int, int]) -> None:
    rule = FitPadSquare(side=64, color=(9, 9, 9), pad_first=True)

    assert fit_pad_square(Image.new("RGB", size, "red"), rule, RULE).size == (64, 64)


def test_given_pictures_with_damaged_metadata_are_used() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("note", "mine")
    image = Image.open(io.BytesIO(encoded(picture(), "PNG", pnginfo=text, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")))

    assert load_picture(image).image.tobytes() == picture().tobytes()
