"""Lossless WebP: the memory for its tables of codes is known before libwebp takes it."""

import contextlib
import io
import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from peak_memory import measured
from PIL import Image
from vp8l_streams import Writer, as_file, header, put_groups

from edgevlo.runtime.errors import PictureError
from edgevlo.runtime.pictures.formats import vp8l
from edgevlo.runtime.pictures.load import load_bytes

MEASURED = """
import sys
from peak_memory import peak_kib
from PIL import Image
before = peak_kib()
Image.open(sys.argv[1]).load()
print(peak_kib() - before)
"""


def many_groups(groups: int, *, side: int = 1024, uneven: bool = False, cache: int = 0) -> bytes:
    writer = header(side, side)
    writer.put(0, 1)  # no transforms
    put_groups(writer, (side // 4) ** 2, groups, uneven=uneven, cache=cache)
    return as_file(writer.content())


def in_frame(stream: bytes, side: int) -> bytes:
    """Return the file of an animation of one frame."""
    chunks = as_file(stream)[12:]
    inside = bytes(6) + 2 * (side - 1).to_bytes(3, "little") + bytes(4) + chunks
    canvas = b"VP8X" + struct.pack("<II", 10, 2) + 2 * (side - 1).to_bytes(3, "little")
    body = b"WEBP" + canvas + b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += b"ANMF" + struct.pack("<I", len(inside)) + inside
    return b"RIFF" + struct.pack("<I", len(body)) + body


def in_alpha(stream: bytes, side: int) -> bytes:
    """Return a file whose transparency is a lossless stream."""
    lossy = encoded(Image.new("RGB", (side, side)), quality=1)[12:]
    alpha = b"\x01" + stream
    alpha = b"ALPH" + struct.pack("<I", len(alpha)) + alpha + b"\0" * (len(alpha) % 2)
    canvas = b"VP8X" + struct.pack("<II", 10, 16) + 2 * (side - 1).to_bytes(3, "little")
    body = b"WEBP" + canvas + alpha + lossy
    return b"RIFF" + struct.pack("<I", len(body)) + body


def encoded(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def test_libwebp_takes_the_memory_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.webp"
    path.write_bytes(many_groups(2**16))

    taken = measured(MEASURED, path)

    assert path.stat().st_size < 10**6
    assert taken > 300_000  # KiB
    with pytest.raises(PictureError, match=r"x is 1024x1024 pixels, which take \d+ MB to decode; 192 MB is the most"):
        load_bytes(path.read_bytes(), "x")


@pytest.mark.parametrize(("uneven", "cache"), [(False, 0), (True, 0), (True, 11)])
def test_the_memory_of_tables_is_below_what_was_reckoned(tmp_path: Path, *, uneven: bool, cache: int) -> None:
    content = many_groups(8000, side=512, uneven=uneven, cache=cache)
    path = tmp_path / "some.webp"
    path.write_bytes(content)
    reckoned = vp8l.table_bytes(content[25:], (512, 512))

    taken = measured(MEASURED, path)

    assert load_bytes(content, "x").size == (512, 512)
    assert 0.3 * reckoned < 1024 * taken < reckoned + 20 * 512 * 512


@pytest.mark.parametrize("place", [in_frame, in_alpha])
def test_streams_are_found_in_frames_and_in_transparency(place: Callable[[bytes, int], bytes]) -> None:
    writer = header(1024, 1024) if place is in_frame else Writer()
    writer.put(0, 1)
    put_groups(writer, 2**16, 2**16)

    with pytest.raises(PictureError, match="192 MB is the most"):
        load_bytes(place(writer.content(), 1024), "x")


def gradients(width: int, height: int) -> np.ndarray:
    down, across = np.mgrid[:height, :width]
    waves = np.stack([down * 3 + across, across * 2, (down * across) >> 3], axis=-1)
    return np.asarray((waves + np.random.default_rng(1).integers(0, 9, waves.shape)) % 256, np.uint8)


IMAGES = {
    "photograph": Image.fromarray(gradients(450, 300)),
    "transparent": Image.merge("RGBA", [*Image.fromarray(gradients(333, 201)).split(), Image.new("L", (333, 201), 9)]),
    "two-colours": Image.fromarray(gradients(301, 200)).convert("1").convert("RGB"),
    "few-colours": Image.fromarray(gradients(301, 200)).quantize(13).convert("RGB"),
    "colours": Image.fromarray(gradients(301, 200)).quantize(200).convert("RGB"),
}


@pytest.mark.parametrize("method", [0, 3, 6])
@pytest.mark.parametrize("name", IMAGES)
def test_transforms_end_where_libwebp_ends_them(name: str, method: int) -> None:
    """libwebp reads the transforms of its own stream, and behind them what is written where ours end."""
    image = IMAGES[name]
    stream = encoded(image, lossless=True, method=method)
    stream = stream[stream.index(b"VP8L") + 8 :]
    bits = vp8l.Bits(stream[5:])
    vp8l.skip_transforms(bits, *image.size)
    width = bits.width or image.width
    own = np.unpackbits(np.frombuffer(stream[1:], np.uint8), bitorder="little")[: 32 + bits.at]
    writer = Writer(own.tolist())
    put_groups(writer, -(-width // 4) * -(-image.height // 4), 3)

    with Image.open(io.BytesIO(as_file(writer.content()))) as found:
        found.load()
        assert found.size == image.size
    assert vp8l.table_bytes(writer.content()[4:], image.size) > 0


def test_pictures_of_libwebp_are_read_as_before() -> None:
    image = Image.fromarray(gradients(2600, 2000))
    content = encoded(image, lossless=True, method=4)
    began = time.process_time()
    reckoned = vp8l.table_bytes(content[25:], image.size)

    assert time.process_time() - began < 0.5
    assert reckoned < 30_000_000
    assert load_bytes(content, "x").image.tobytes() == image.tobytes()


@pytest.mark.parametrize("cut", [1, 40, 5_000])
def test_streams_that_end_or_hold_no_codes_are_refused(cut: int) -> None:
    whole = encoded(IMAGES["photograph"].resize((1500, 1200)), lossless=True, method=0)
    for content in (whole[: 25 + cut], whole[:25] + b"\xff" * cut):
        with pytest.raises(PictureError):
            load_bytes(content, "x")


@pytest.mark.parametrize("kind", [b"ANMF", b"VP8L", b"JUNK"])
@pytest.mark.parametrize("inside", [True, False])
def test_many_chunks_take_no_longer_than_one(kind: bytes, *, inside: bool) -> None:
    """A chunk of each kind is looked through, wherever it lies; a decoder takes no further one either."""
    stream = many_groups(5000)[20:]
    chunk = kind + struct.pack("<I", len(stream)) + stream + b"\0" * (len(stream) % 2)
    whole = in_frame(many_groups(2, side=64)[21:], 64) if inside else many_groups(2, side=64)
    body = whole[12:] + chunk * 100 + b"JUNK\0\0\0\0" * 150_000
    if inside:
        at = body.index(b"ANMF") + 4
        body = body[:at] + struct.pack("<I", len(body) - at - 4) + body[at + 4 :]
    began = time.process_time()

    with contextlib.suppress(PictureError):
        load_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body, "x")

    assert time.process_time() - began < 1


def test_no_stream_takes_more_than_a_moment_to_look_through() -> None:
    """An image of 4096x4096 pixels before the transform's end, each of which has to be read."""
    writer = header(16_000, 16_000)
    writer.put(0b000001 | 0 << 1, 1 + 2 + 3)  # a predictor over tiles of 4x4 pixels
    writer.put(0, 1)
    writer.bytes_of_8(280)
    for _ in range(4):
        writer.one()
    stream = writer.content() + np.random.default_rng(0).bytes(5_000_000)
    began = time.process_time()

    assert vp8l.table_bytes(stream[4:], (16_000, 16_000)) > 10**9
    assert time.process_time() - began < 2
