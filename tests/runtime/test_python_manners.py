"""What a Python programmer sees of edgevlo: names, signatures, representations, and slips answered in words."""

import inspect
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest
from PIL import Image

import edgevlo
from edgevlo.runtime.errors import PictureError, RequestError
from edgevlo.runtime.model import Model

SIZED = ("paint", "paint_rows", "edit", "edit_rows")
PAINTING = (*SIZED, "perceive_rows", "interleave", "interleave_rows")
OPTIONS = {
    "seed": "int | None",
    "guidance_scale": "float | None",
    "image_guidance_scale": "float | None",
    "temperature": "float | None",
    "top_k": "int | None",
    "top_p": "float | None",
    "negative_prompt": "str | None",
    "codes_per_pass": "int | None",
}


def test_dir_shows_the_public_names() -> None:
    assert dir(edgevlo) == sorted(edgevlo.__all__)


@pytest.mark.parametrize("name", PAINTING)
def test_options_are_keywords_with_types(name: str) -> None:
    parameters = inspect.signature(getattr(Model, name)).parameters

    assert not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    assert ("size" in parameters) == (name in SIZED)
    for option, kind in OPTIONS.items():
        assert parameters[option].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[option].default is None
        assert str(parameters[option].annotation) == kind


def test_paint_documents_every_option() -> None:
    documented = inspect.getdoc(Model.paint) or ""

    for option in ("size", *OPTIONS):
        assert re.search(rf"^ *{option} {{2,}}\S", documented, re.MULTILINE), option


def test_a_misspelt_option_is_a_type_error_at_the_call(model: Model) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'speed'"):
        model.paint_rows("a car", speed=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        edgevlo.load(size=128)  # type: ignore[call-arg]


SLIPS: list[tuple[dict[str, Any], str]] = [
    ({"size": 128}, r"size 128 is not a pair of whole numbers: give \(width, height\) in pixels, or '128x128'\."),
    ({"size": (20.0, 16.0)}, r"size \(20\.0, 16\.0\) is not a pair of whole numbers"),
    ({"size": (True, 16)}, r"size \(True, 16\) is not a pair of whole numbers"),
    ({"size": (10**5000, 16)}, r"size a number of more digits than can be shown.* the nearest is 48x16"),
    ({"seed": 10**5000}, "seed a number of more digits than can be shown is out of range"),
    ({"temperature": 10**400}, r"temperature 10{16,}\.\.\.0+ is out of range"),
    ({"seed": "7"}, "seed is '7'; give a whole number"),
    ({"seed": 7.0}, "seed is 7.0; give a whole number"),
    ({"top_k": True}, "top_k is True; give a whole number"),
    ({"temperature": "hot"}, "temperature is 'hot'; give a number"),
    ({"negative_prompt": 3}, "negative_prompt is 3; give text"),
]


@pytest.mark.parametrize(("options", "message"), SLIPS, ids=[message[:40] for _, message in SLIPS])
def test_a_value_of_the_wrong_type_is_named(model: Model, options: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        model.paint("a red car", **options)


def test_numbers_of_numpy_are_numbers(model: Model) -> None:
    assert model.size((np.int64(20), np.uint8(16))) == (20, 16)  # type: ignore[arg-type]
    assert model.paint("a red car", size=(20, 16), seed=np.int64(7), temperature=np.float32(0.5)).size == (20, 16)  # type: ignore[arg-type]


def test_words_and_pictures_of_the_wrong_type_are_named(model: Model) -> None:
    wrong: Any = 3
    with pytest.raises(RequestError, match="the prompt is of type int; give text"):
        model.paint(wrong)
    with pytest.raises(PictureError, match=r"a picture cannot be of type int; give a file's path, a PIL image or"):
        model.edit(wrong, "make it blue")
    with pytest.raises(RequestError, match=r"codes are a grid of whole numbers, \[rows, columns\]; this is int\."):
        model.decode(wrong)


NOT_TEXT: list[Any] = [None, 3, b"x", [1], object()]


@pytest.mark.parametrize("wrong", NOT_TEXT, ids=lambda wrong: type(wrong).__name__)
def test_an_argument_of_the_wrong_type_is_a_type_error_that_names_it(model: Model, tmp_path: Path, wrong: Any) -> None:
    picture = Image.new("RGB", (20, 16))
    count: Any = "3" if wrong == 3 else wrong
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("picture", lambda: edgevlo.save_png(wrong, tmp_path / "a.png")),
        ("target", lambda: edgevlo.save_png(picture, wrong)),
        ("picture", lambda: edgevlo.png_bytes(wrong)),
        ("text", lambda: model.count_tokens(wrong)),
        ("name", lambda: model.perceive_rows(wrong, picture)),
        ("folder", lambda: Model.open(wrong)),
        ("threads", lambda: edgevlo.load(model.bundle.folder, threads=count)),
        ("prompt", lambda: model.paint(wrong)),
    ]
    if wrong is not None:
        calls.append(("model", lambda: edgevlo.load(wrong)))
    if not isinstance(wrong, bytes | list):
        calls.append(("objects", lambda: model.detect(picture, wrong)))
    for parameter, call in calls:
        with pytest.raises(TypeError, match=rf"^(the )?{parameter} is ") as raised:
            call()
        assert isinstance(raised.value, edgevlo.EdgevloError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["paint", "edit", "ask", "detect"])
def test_only_what_is_perceived_is_painted_of_a_picture(model: Model, name: Any) -> None:
    with pytest.raises(RequestError, match=f"{name} is not painted from a picture alone, as segment, edges,"):
        model.perceive_rows(name, Image.new("RGB", (20, 16)))


def test_an_empty_name_is_not_the_default_model() -> None:
    with pytest.raises(edgevlo.EdgevloError, match="the name of the model is empty; leave it out"):
        edgevlo.load("")


def closed(file: Any) -> Any:
    file.close()
    return file


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (lambda _: bytearray(b"x"), r"of type bytearray; give .* a binary file \(io.BytesIO of bytes\)"),
        (lambda _: io.StringIO("x"), "the picture is not open for reading bytes. Open it with open"),
        (lambda path: path.open(encoding="utf-8"), "car.png is not open for reading bytes"),
        (lambda path: (path.parent / "new").open("wb"), "new is not open for reading bytes"),
        (lambda _: closed(io.BytesIO(b"x")), "the picture is not open for reading bytes"),
        (lambda path: closed(Image.open(path)), r"the picture is not .* \(Operation on closed image\)"),
        (lambda _: "https://example.com/a.png", "https://example.com/a.png is an address, .* Download it first"),
        (
            lambda _: "data:image/png;base64," + "iVBOR" * 10_000,
            r"^data:image.{470,500}\.\.\. cannot be read: File name",
        ),
        (lambda _: "", "^. cannot be read: Is a directory"),
    ],
    ids=["bytes", "text", "text-file", "writing", "closed", "closed-image", "address", "data", "empty"],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_is_given_for_a_picture_is_said(
    model: Model, tmp_path: Path, source: Callable[[Path], Any], message: str
) -> None:
    Image.new("RGB", (20, 16)).save(tmp_path / "car.png")

    with pytest.raises(PictureError, match=message):
        model.tokenize(source(tmp_path / "car.png"))


def test_a_picture_may_be_a_pipe_or_a_download(model: Model) -> None:
    """What can be read once, in pieces, and has a number for a name."""
    content = edgevlo.png_bytes(Image.new("RGB", (20, 16), "red"))
    reading, writing = os.pipe()
    os.write(writing, content[:100])

    def write_the_rest() -> None:
        os.write(writing, content[100:])
        os.close(writing)

    Timer(0.05, write_the_rest).start()

    with open(reading, "rb", buffering=0) as pipe:  # noqa: PTH123  (a descriptor)
        assert np.array_equal(model.tokenize(pipe), model.tokenize(Image.new("RGB", (20, 16), "red")))


@pytest.mark.parametrize(("mode", "size"), [("CMYK", (4, 4)), ("F", (4, 4)), ("RGB", (0, 4))])
def test_a_picture_that_no_png_holds_is_said(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    for call in (edgevlo.png_bytes, lambda picture: edgevlo.save_png(picture, tmp_path / "a.png")):
        with pytest.raises(TypeError, match=rf"picture is .* in {mode}, which no PNG is; give picture.convert"):
            call(Image.new(mode, size))
    with pytest.raises(TypeError, match=r"target is <_io.StringIO.*give a path or a binary file"):
        edgevlo.save_png(Image.new("RGB", (4, 4)), io.StringIO())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_model_says_what_it_is(model: Model) -> None:
    assert repr(model) == "<Model toy: family toy, target cpu, abilities ask, detect, edit, paint, segment>"


def test_a_stroke_says_how_far_it_is_and_shows_itself(model: Model) -> None:
    stroke = next(iter(model.paint_rows("a red car", size=(20, 16), seed=7)))

    assert repr(stroke) == "<Stroke: 1 of 4 rows, 5 columns>"
    shown = Image.open(io.BytesIO(stroke._repr_png_()))
    shown.load()
    assert shown.tobytes() == stroke.preview.tobytes()


def test_a_picture_may_be_an_open_file_read_more_than_once(model: Model) -> None:
    picture = model.paint("a red car", size=(20, 16), seed=7)
    file = io.BytesIO(edgevlo.png_bytes(picture))

    once, again = (model.tokenize(file) for _ in range(2))

    assert np.array_equal(once, model.tokenize(picture))
    assert np.array_equal(once, again)
