"""What a file says of itself: our marks in every format, those of others, and nothing where there is nothing."""

import json
from pathlib import Path

import pytest
from command_line import Run, fails
from PIL import Image, features
from PIL.PngImagePlugin import PngInfo

from edgevlo.runtime.errors import PictureError
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.read_marks import read_marks

_AVIF = pytest.mark.skipif("avif" not in features.get_supported(), reason="this Pillow writes no AVIF")


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", pytest.param("avif", marks=_AVIF)])
def test_our_own_marks_are_found_in_every_format(model: Model, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    model.paint("a red car", seed=7).save(path)

    marks = read_marks(path)

    assert marks.by_ai
    assert marks.source_type == "trainedAlgorithmicMedia"
    assert marks.label is not None
    assert (marks.label["Label"], marks.label["ContentProducer"]) == ("1", "EdgeVLo")
    assert (marks.parameters is not None) == (ending == "png")
    assert not marks.c2pa


def test_a_plain_picture_says_nothing(tmp_path: Path) -> None:
    Image.new("RGB", (4, 5)).save(tmp_path / "a.png")

    marks = read_marks(tmp_path / "a.png")

    assert (marks.by_ai, marks.source_type, marks.label, marks.parameters, marks.size) == (
        False,
        None,
        None,
        None,
        (4, 5),
    )


def test_marks_of_other_programs_are_read(tmp_path: Path) -> None:
    # ExifTool writes properties as attributes; a photograph is an IPTC source type too
    edited = '<x Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{}"/>'
    for kind, by_ai in (("compositeWithTrainedAlgorithmicMedia", True), ("digitalCapture", False)):
        chunks = PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", edited.format(kind))
        Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=chunks)
        assert (read_marks(tmp_path / "a.png").source_type, read_marks(tmp_path / "a.png").by_ai) == (kind, by_ai)
    label = '<x TC260:AIGC=\'{"Label": "2", "ContentPropagator": "somebody"}\'/>'
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", xmp=label.encode())
    assert read_marks(tmp_path / "a.jpg").label == {"Label": "2", "ContentPropagator": "somebody"}


@pytest.mark.parametrize("size", [100, 3 << 20])
def test_other_text_of_a_file_decides_nothing(tmp_path: Path, size: int) -> None:
    """Node-graph tools write megabytes, at which Pillow refuses the whole file."""
    chunks = PngInfo()
    chunks.add_text("workflow", "w" * size, zip=True)
    chunks.add_itxt("prompt", "w" * size, zip=True)
    chunks.add_text("parameters", "a red car\nSeed: 7")
    Image.new("RGB", (4, 5)).save(tmp_path / "a.png", pnginfo=chunks)

    assert read_marks(tmp_path / "a.png").parameters == "a red car\nSeed: 7"
    assert read_marks(tmp_path / "a.png").size == (4, 5)


@pytest.mark.parametrize("content", [b"", b"text", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)

    with pytest.raises(PictureError, match=r"a\.png is not a PNG, JPEG, WebP or AVIF file"):
        read_marks(tmp_path / "a.png")


def test_inspect_prints_every_mark(edgevlo_run: Run) -> None:
    assert edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "7", "-o", "a.png").code == 0
    ran = edgevlo_run("inspect", "a.png")
    assert ran.out.startswith(
        "a.png  PNG  20x16  says that an AI made it\ndigital source type  trainedAlgorithmicMedia\n"
    )
    assert "ContentProducer EdgeVLo" in ran.out
    assert "parameters           a red car\n                     Negative prompt: ugly\n" in ran.out
    assert json.loads(edgevlo_run("inspect", "a.png", "--json").out)["by_ai"] is True
    fails(edgevlo_run("inspect", "nothing.png"), "nothing.png cannot be read")


def test_no_prompt_leaves_the_words_out_of_the_file(edgevlo_run: Run) -> None:
    assert edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "7", "--no-prompt", "-o", "a.png").code == 0

    assert b"red car" not in Path("a.png").read_bytes()
    parameters = read_marks(Path("a.png")).parameters
    assert parameters is not None
    assert "Seed: 7" in parameters
