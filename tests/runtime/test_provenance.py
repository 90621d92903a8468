import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from edgevlo.runtime.errors import OutputError, RequestError
from edgevlo.runtime.pictures.write_marks import provenance, save_png

XMP = "XML:com.adobe.xmp"
DIGEST = "0123456789abcdef" * 4
SETTINGS = {"Steps": 20, "Sampler": "raster", "CFG scale": 2.0, "Seed": 7, "Size": "20x16", "Model": "toy"}


def reopened(path: Path, prompt: str, negative: str = "") -> dict[str, str]:
    """Write a picture with its provenance and return the text that Pillow finds in the file."""
    picture = Image.new("RGB", (20, 16), "red")
    picture.info.update(provenance(prompt, negative, SETTINGS, "EdgeVLo", DIGEST))
    save_png(picture, path)
    with Image.open(path) as image:
        image.load()
        assert image.tobytes() == picture.tobytes()
        return {str(key): str(value) for key, value in image.info.items()}


def label(chunks: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return the digital source type and the AIGC label out of the XMP."""
    text = chunks[XMP]
    assert text.startswith('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>')
    root = ElementTree.fromstring(text)
    source = root.find(".//{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")
    mark = root.find(".//{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC")
    assert source is not None
    assert mark is not None
    assert source.text is not None
    return source.text, json.loads(str(mark.text))


def test_a_png_says_prompt_and_settings_as_image_tools_expect(tmp_path: Path) -> None:
    chunks = reopened(tmp_path / "a.png", "a red car", "ugly")

    assert chunks["parameters"] == (
        "a red car\nNegative prompt: ugly\nSteps: 20, Sampler: raster, CFG scale: 2.0, Seed: 7, Size: 20x16, Model: toy"
    )


def test_without_a_negative_prompt_there_is_no_line_for_it(tmp_path: Path) -> None:
    assert reopened(tmp_path / "a.png", "a red car")["parameters"].startswith("a red car\nSteps: 20, ")


def test_a_png_is_marked_as_made_by_a_model(tmp_path: Path) -> None:
    source, mark = label(reopened(tmp_path / "a.png", "a red car"))

    assert source == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    assert mark == {"Label": "1", "ContentProducer": "EdgeVLo", "ProduceID": "0123456789abcdef-7"}


@pytest.mark.parametrize(
    ("prompt", "written"),
    [
        ("海边的红色汽车 🚗", "海边的红色汽车 🚗"),
        ("two\nlines\r\nand a\ttab", "two lines and a tab"),
        ("first\nNegative prompt: x\nSteps: 1", "first Negative prompt: x Steps: 1"),
        ("<b>\"quotes\" & 'more'</b> ]]> \\ \x1b[31m", "<b>\"quotes\" & 'more'</b> ]]> \\ \x1b[31m"),
        ("nul \0 inside", "nul \0 inside"),
        ("x" * 50_000, "x" * 50_000),
    ],
    ids=["chinese", "lines", "settings", "markup", "nul", "long"],
)
def test_any_prompt_is_read_back_on_one_line_and_leaves_the_mark_whole(
    tmp_path: Path, prompt: str, written: str
) -> None:
    chunks = reopened(tmp_path / "a.png", prompt)

    assert chunks["parameters"].split("\n") == [written, "Steps: 20, Sampler: raster, CFG scale: 2.0, Seed: 7, "
                                                "Size: 20x16, Model: toy"]  # fmt: skip
    assert label(chunks)[1]["Label"] == "1"


def test_a_producers_name_cannot_break_the_xml(tmp_path: Path) -> None:
    picture = Image.new("RGB", (1, 1))
    picture.info.update(provenance("a", "", {"Seed": 1}, 'A & "B" </TC260:AIGC> 图', DIGEST))
    save_png(picture, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        _, mark = label({XMP: str(image.info[XMP])})

    assert mark["ContentProducer"] == 'A & "B" </TC260:AIGC> 图'


def test_a_picture_without_provenance_is_written_without_any(tmp_path: Path) -> None:
    save_png(Image.new("RGB", (4, 4)), tmp_path / "a.png")

    with Image.open(tmp_path / "a.png") as image:
        assert image.info == {}


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.bak", ".png"])
def test_only_png_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match=r"does not end in \.png; pictures are written as PNG"):
        save_png(Image.new("RGB", (4, 4)), tmp_path / name)

    assert [path.name for path in tmp_path.iterdir()] == []


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    save_png(Image.new("RGB", (4, 4)), tmp_path / "A.PNG")

    assert [path.name for path in tmp_path.iterdir()] == ["A.PNG"]


def test_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        save_png(Image.new("RGB", (4, 4)), tmp_path / "none" / "a.png")


def test_a_disk_that_fills_up_leaves_no_half_png(tmp_path: Path) -> None:
    program = f"""
import os, resource
from pathlib import Path
from PIL import Image
from edgevlo.runtime.errors import OutputError
from edgevlo.runtime.pictures.write_marks import save_png
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    save_png(Image.frombytes("RGB", (300, 300), os.urandom(270_000)), Path({str(tmp_path / "a.png")!r}))
except OutputError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.endswith("a.png cannot be written (File too large). What was there before is untouched.\n")
    assert [path.name for path in tmp_path.iterdir()] == []
