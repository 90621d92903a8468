"""An edit of a photograph is a composite, and what its sources say of themselves stands in it as of ingredients."""

import io
import json
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from command_line import Run
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import load_picture
from edgevlo.runtime.pictures.read_marks import read_marks

XMP = "XML:com.adobe.xmp"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SOURCE_TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
LABEL = "{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"
CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
PAINTED, COMPOSITE = f"{CODES}trainedAlgorithmicMedia", f"{CODES}compositeWithTrainedAlgorithmicMedia"


def photograph(**saved: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 16), "red").save(buffer, **{"format": "PNG", **saved})
    return buffer


def described(picture: Image.Image) -> ElementTree.Element:
    description = ElementTree.fromstring(picture.info[XMP]).find(f".//{RDF}Description")
    assert description is not None
    return description


def kind_of(picture: Image.Image) -> str | None:
    return described(picture).findtext(SOURCE_TYPE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_edited_photograph_is_a_composite(model: Model, kind: str) -> None:
    strokes = list(model.edit_rows(photograph(format=kind), "make it blue"))

    assert kind_of(strokes[0].preview) == kind_of(strokes[-1].preview) == COMPOSITE


def test_an_edited_painting_is_not_a_composite_in_a_file_or_in_memory(model: Model, tmp_path: Path) -> None:
    painting = model.paint("a red car", seed=7)
    for name in ("a.png", "a.jpg", "a.webp"):
        painting.save(tmp_path / name)

        assert kind_of(model.edit(tmp_path / name, "make it blue")) == PAINTED
    assert kind_of(model.edit(painting, "make it blue")) == PAINTED


def test_one_photograph_among_paintings_makes_a_composite(model: Model) -> None:
    painting = model.paint("a red car", seed=7)

    assert kind_of(model.edit([painting, photograph()], "combine them")) == COMPOSITE


def test_a_map_of_a_photograph_is_painted_by_the_model_alone(model: Model) -> None:
    assert kind_of(model.segment(photograph())) == PAINTED


def test_the_marks_of_sources_are_kept_as_those_of_ingredients(model: Model) -> None:
    theirs = json.dumps({"Label": "1", "ContentProducer": 'somebody & "co"', "ProduceID": "9"})
    escaped = theirs.replace("&", "&amp;").replace('"', "&quot;")
    camera = f'<x Iptc4xmpExt:DigitalSourceType="{CODES}digitalCapture"/>'.encode()
    sources = [
        photograph(format="JPEG", xmp=camera),
        photograph(),  # says nothing, so there is nothing to keep
        photograph(format="WEBP", xmp=f'<x TC260:AIGC="{escaped}"/>'.encode()),
    ]

    edited = [described(model.edit(source, "make it blue")) for source in sources]

    found = [one.findall(f".//{RDF}li") for one in edited]
    assert [len(items) for items in found] == [1, 0, 1]
    assert found[0][0].findtext(SOURCE_TYPE) == f"{CODES}digitalCapture"
    assert json.loads(str(found[2][0].findtext(LABEL))) == json.loads(theirs)
    assert [one.findtext(SOURCE_TYPE) for one in edited] == [COMPOSITE, COMPOSITE, PAINTED], "a label tells an AI too"


def test_a_label_of_any_length_leaves_room_for_the_picture_s_own_mark(model: Model, tmp_path: Path) -> None:
    label = json.dumps({"Label": "1", "ContentProducer": "x" * 60_000})
    source = photograph(format="WEBP", xmp=f"<x><TC260:AIGC>{label}</TC260:AIGC></x>".encode())

    model.edit(source, "make it blue").save(tmp_path / "a.jpg")

    assert read_marks(tmp_path / "a.jpg").source_type == "trainedAlgorithmicMedia"


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a PNG with one chunk more, before its end."""
    png = photograph().getvalue()
    chunk = len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
    return png[:-12] + chunk + png[-12:]


def test_a_manifest_tells_the_source_type_where_xmp_does_not() -> None:
    store = f"...jumbc2pa...{CODES}digitalCapture...{PAINTED}...".encode()

    assert load_picture(io.BytesIO(with_chunk(b"caBX", store))).origin.source_type == "trainedAlgorithmicMedia"
    assert load_picture(io.BytesIO(with_chunk(b"caBY", store))).origin.source_type is None


def test_compressed_xmp_behind_the_pixels_is_read_and_damaged_is_not() -> None:
    head, xmp = b"XML:com.adobe.xmp\0\1\0\0\0", zlib.compress(f"<x>{COMPOSITE}</x>".encode())

    read = [load_picture(io.BytesIO(with_chunk(b"iTXt", head + text))).origin for text in (xmp, xmp[3:])]

    assert [one.source_type for one in read] == ["compositeWithTrainedAlgorithmicMedia", None]


def test_the_word_c2pa_in_a_prompt_is_not_a_manifest(tmp_path: Path) -> None:
    chunks = PngInfo()
    chunks.add_itxt("parameters", "a c2pa poster with jumb")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=chunks)

    assert not read_marks(tmp_path / "a.png").c2pa


def test_the_command_line_marks_a_composite(edgevlo_run: Run) -> None:
    Path("photo.png").write_bytes(photograph().getvalue())
    assert edgevlo_run("edit", "photo.png", "make it blue", "-m", "toy", "-o", "a.png").code == 0

    assert read_marks(Path("a.png")).source_type == "compositeWithTrainedAlgorithmicMedia"
