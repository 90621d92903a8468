"""Pictures read, decoded and answered about by the toy's real graphs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from toy_bundle import rewritten
from toy_reference import FIRST_TOKEN, REFERENCE, VOCABULARY, flat_picture, ids, shown

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.generate.detections import Detection
from edgevlo.runtime.generate.text import Answered, Answering, AnswerWarning
from edgevlo.runtime.generate.text_sampling import TextOptions
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import PictureWarning


def test_codes_become_flat_cells_and_come_back(model: Model) -> None:
    codes = np.arange(24).reshape(4, 6)

    picture = model.decode(codes)

    assert picture.tobytes() == flat_picture(codes).tobytes()
    assert model.tokenize(picture).tolist() == codes.tolist()
    assert model.tokenize(picture).dtype == np.int32


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_codes_of_any_integer_type_are_decoded(model: Model, dtype: str) -> None:
    assert model.decode(np.array([[26, 0]], dtype=dtype)).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (np.zeros(4, dtype=int), r"codes are a grid of whole numbers, \[rows, columns\]; this is int64\[4\]"),
        (np.zeros((0, 4), dtype=int), r"this is int64\[0, 4\]"),
        (np.zeros((2, 2)), r"this is float64\[2, 2\]"),
        (np.full((2, 2), 27), "codes run from 0 to 26; these run from 27 to 27"),
        (np.array([[0, -1]]), "codes run from 0 to 26; these run from -1 to 0"),
        (np.array([[2**64 - 1]], dtype=np.uint64), "these run from 18446744073709551615"),
        (np.zeros((21, 20), dtype=int), "a grid of 21x20 codes is larger than this model paints"),
    ],
)
def test_what_is_no_code_grid_is_refused(model: Model, codes: Any, reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        model.decode(codes)


def test_an_answer_is_the_likeliest_token_each_time(model: Model) -> None:
    codes = np.array([[5, 6], [7, 8]])
    tokens = [*ids("<bos>"), *shown(codes), *ids("where is it")]
    expected: list[int] = []
    while len(expected) < 12:
        best = int(REFERENCE.text_logits([*tokens, *expected]).argmax())
        if best == VOCABULARY["<eos>"]:
            break
        expected.append(best)

    text = model.ask(flat_picture(codes), "where is it")

    names = {index: name for name, index in VOCABULARY.items()}
    words = [names[token] for token in expected if token < FIRST_TOKEN and not names[token].startswith("<")]
    assert text == " ".join(words)
    assert len(words) > 1


def test_an_answer_is_cut_after_as_many_tokens_as_it_may_have(model: Model) -> None:
    picture = Image.new("RGB", (16, 16))
    whole = model.answer(picture, "where is it")
    cut = model.answer(picture, "where is it", TextOptions(max_tokens=2))

    assert (cut.tokens, cut.is_whole) == (2, False)
    assert whole.text.startswith(cut.text)
    assert len(cut.text) < len(whole.text)
    assert model.ask(picture, "where is it", max_tokens=2) == cut.text
    assert model.answer(picture, "where is it", TextOptions(max_tokens=5000)) == whole


def test_a_drawn_answer_is_that_of_its_seed(model: Model) -> None:
    picture = Image.new("RGB", (16, 16))

    def drawn(**options: float) -> str:
        return model.ask(picture, "where is it", **options)  # type: ignore[arg-type]

    assert len({drawn(temperature=2.0, seed=seed) for seed in range(5)}) > 1
    assert drawn(temperature=2.0, seed=3) == drawn(temperature=2.0, seed=3)
    assert drawn(temperature=0.0, seed=3) == drawn() == drawn(temperature=1e-300, seed=3)
    assert drawn(temperature=2.0, top_p=1e-9, seed=3) == drawn()


@pytest.mark.parametrize(("options", "message"), [
    ({"max_tokens": 0}, "0 tokens are too few"), ({"temperature": 2.1}, "temperature 2.1 is out of range"),
    ({"temperature": float("nan")}, "temperature nan"), ({"top_p": 0.0}, "top-p 0.0"), ({"seed": -1}, "seed -1"),
    ({"max_tokens": "4"}, "max_tokens"),
])  # fmt: skip
def test_answers_that_cannot_be_are_refused(model: Model, options: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        model.ask(Image.new("RGB", (16, 16)), "where is it", **options)


@pytest.mark.parametrize(
    ("objects", "request_text"),
    [((), "find everything"), (["car"], "find car"), (["car", "tree"], "find car, tree"), ("car", "find car")],
)
def test_detection_asks_in_the_manifests_words_and_scales_boxes_to_the_picture(
    model: Model, monkeypatch: pytest.MonkeyPatch, objects: Sequence[str], request_text: str
) -> None:
    asked = []

    def answer(name: str, text: str, sources: Sequence[Codes]) -> str:
        asked.append((name, text, sources[0].shape))
        return "car 0 1 2 3; rubbish"

    monkeypatch.setattr(model, "_answer", answer)

    with (
        pytest.warns(PictureWarning, match="resized from 200x100 to"),
        pytest.warns(AnswerWarning, match="'rubbish' .* names no box"),
    ):
        found = model.detect(Image.new("RGB", (200, 100)), objects)

    rows, columns = asked[0][2]
    assert asked == [("detect", request_text, (rows, columns))]
    across, down = 200 / columns, 100 / rows
    assert found == [Detection("car", (0, round(down), round(2 * across), round(3 * down)))]


def test_detection_returns_nothing_that_was_not_asked_for(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_answer", lambda *_: "car 0 0 1 1; cat 1 1 2 2")
    picture = Image.new("RGB", (16, 16))

    with pytest.warns(AnswerWarning, match="also named cat, which was not asked for"):
        assert [one.label for one in model.detect(picture, ["red car"])] == ["car"]
    with pytest.warns(AnswerWarning, match="also named car, cat, which was not asked for"):
        assert model.detect(picture, ["xyz"]) == []


def test_boxes_in_pixels_are_those_of_the_picture_that_the_model_read(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = rewritten(toy, tmp_path / "pixels", lambda tree: tree["abilities"]["detect"].update(unit="pixel"))
    model = Model.open(folder)
    monkeypatch.setattr(model, "_answer", lambda *_: "car 4 10 40 20")

    with pytest.warns(PictureWarning, match="resized from 400x400 to 40x40"):
        found = model.detect(Image.new("RGB", (400, 400)))

    assert found == [Detection("car", (40, 100, 400, 200))]


def test_a_decoded_picture_carries_the_ai_mark(model: Model) -> None:
    picture = model.decode(np.zeros((4, 4), dtype=np.int32))

    assert "trainedAlgorithmicMedia" in picture.info["XML:com.adobe.xmp"]


def test_an_empty_answer_is_said_to_be_one(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answering, "answer", lambda *_: Answered("", 0, is_whole=True))

    with pytest.warns(AnswerWarning, match="the model gave no answer"):
        assert model.ask(Image.new("RGB", (16, 16)), "what is it?") == ""
