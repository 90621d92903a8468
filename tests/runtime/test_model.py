"""The runtime over the toy bundle's real graphs, compared with the same mathematics in float64 (toy_bundle.py)."""

import itertools
import shutil
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from toy_bundle import (
    CELL,
    COUNT,
    FIRST_TOKEN,
    HIDDEN,
    MAX_POSITIONS,
    VOCABULARY,
    WEIGHTS,
    Reference,
    draw,
    rewritten,
)

import edgevlo
from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import AbilityError, BundleError, PictureError, RequestError
from edgevlo.runtime.generate.answers import AnswerWarning, Detection
from edgevlo.runtime.generate.options import MAX_SEED
from edgevlo.runtime.generate.raster import uniforms
from edgevlo.runtime.graphs.backbone import Backbone
from edgevlo.runtime.graphs.embeddings import Embeddings
from edgevlo.runtime.graphs.sessions import open_graph, open_rewritten
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import PictureWarning

REFERENCE = Reference()
TOLERANCE = 5e-5  # float32 against float64; another token anywhere in the prompt changes more than 1e-2
EOL, EOI = VOCABULARY["<eol>"], VOCABULARY["<eoi>"]


def ids(words: str) -> list[int]:
    return [VOCABULARY[word] for word in words.split()]


def opener(rows: int, columns: int) -> list[int]:
    return ids(" ".join(["<image>", *str(rows), "*", *str(columns), "<grid>"]))


def shown(codes: Codes) -> list[int]:
    """Return the tokens of a picture in a prompt."""
    lines = [[*(FIRST_TOKEN + code for code in line), EOL] for line in codes.tolist()]
    return [*opener(*codes.shape), *itertools.chain.from_iterable(lines), EOI]


def reference_codes(
    branches: Sequence[tuple[float, Sequence[int]]],
    rows: int,
    columns: int,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
) -> list[list[int]]:
    """Paint with whole sequences in float64: weighted logits of the branches, one uniform a cell."""
    painted: list[int] = []
    codes: list[int] = []
    for uniform in uniforms(seed, rows * columns):
        logits = sum(weight * REFERENCE.image_logits([*prompt, *painted]) for weight, prompt in branches)
        assert isinstance(logits, np.ndarray)
        codes.append(draw(logits, temperature, top_k, top_p, uniform))
        painted += [FIRST_TOKEN + codes[-1]] + ([EOL] if len(codes) % columns == 0 else [])
    return np.array(codes).reshape(rows, columns).tolist()


def codes_of(model: Model, prompt: str, **options: Any) -> Codes:
    return list(model.paint_rows(prompt, **options))[-1].codes


def flat_picture(codes: npt.ArrayLike) -> Image.Image:
    """Return the picture that a grid of codes decodes to, made without the model."""
    colours = np.rint((WEIGHTS.colours[np.asarray(codes)] * 0.5 + 0.5) * 255).astype(np.uint8)
    return Image.fromarray(colours.repeat(CELL, axis=0).repeat(CELL, axis=1))


# Painting.


@pytest.mark.parametrize(
    "options",
    [
        {"seed": 1},
        {"seed": 2, "size": (20, 8)},
        {"seed": 3, "size": (8, 20), "temperature": 0.3},
        {"seed": 4, "top_k": 3},
        {"seed": 5, "top_k": 1},
        {"seed": 6, "top_k": 10_000},
        {"seed": 13, "top_p": 0.5},
        {"seed": 14, "top_p": 0.9, "top_k": 9, "temperature": 2},
        {"seed": 7, "temperature": 0},
        {"seed": 8, "guidance_scale": 1},
        {"seed": 9, "guidance_scale": 0},
        {"seed": 10, "guidance_scale": 7.5, "temperature": 4},
        {"seed": 11, "negative_prompt": "a big green house on the left"},
        {"seed": 12, "negative_prompt": ""},
    ],
    ids=str,
)
def test_a_picture_is_that_of_the_reference_code_for_code(model: Model, options: dict[str, Any]) -> None:
    width, height = options.get("size", (20, 16))
    rows, columns = height // CELL, width // CELL
    scale = options.get("guidance_scale", 2.0)
    negative = options.get("negative_prompt", "ugly")
    branches = [
        (scale, [*ids("<bos> a red car"), *opener(rows, columns)]),
        (1 - scale, [*ids("<bos>"), *ids(negative), *opener(rows, columns)]),
    ]

    codes = codes_of(model, "a red car", **options)

    expected = reference_codes(
        branches,
        rows,
        columns,
        temperature=options.get("temperature", 1.0),
        top_k=options.get("top_k", 0),
        top_p=options.get("top_p", 1.0),
        seed=options["seed"],
    )
    assert codes.tolist() == expected
    assert len(np.unique(codes)) > 2  # a constant picture would prove nothing


def test_an_edit_reads_its_pictures_and_keeps_the_first_ones_size(model: Model) -> None:
    one, two = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
    prompt = [*ids("<bos>"), *shown(one), *shown(two)]

    strokes = list(model.edit_rows([flat_picture(one), flat_picture(two)], "on it", seed=5))

    branches = [
        (2.0, [*prompt, *ids("on it"), *opener(2, 3)]),
        (-1.0, [*prompt, *ids("ugly"), *opener(2, 3)]),
    ]
    assert strokes[-1].codes.tolist() == reference_codes(branches, 2, 3, seed=5)


def test_an_edit_paints_another_size_when_asked(model: Model) -> None:
    assert model.edit(flat_picture([[1, 2]]), "on it", size=(12, 8), seed=1).size == (12, 8)


def test_what_is_perceived_takes_the_abilitys_words_sampling_and_guidance(model: Model) -> None:
    codes = np.arange(6).reshape(2, 3)

    (*_, last) = model.perceive_rows("segment", flat_picture(codes), seed=3)

    prompt = [*ids("<bos>"), *shown(codes), *ids("where is it"), *opener(2, 3)]
    assert last.codes.tolist() == reference_codes([(1.0, prompt)], 2, 3, temperature=0)
    assert model.segment(flat_picture(codes)).tobytes() == last.preview.tobytes()


def test_the_same_seed_paints_the_same_picture(model: Model, toy: Path) -> None:
    first = model.paint("a red car", seed=4)

    assert model.paint("a red car", seed=4).tobytes() == first.tobytes()
    assert Model.open(toy).paint("a red car", seed=4).tobytes() == first.tobytes()
    assert model.paint("a red car", seed=5).tobytes() != first.tobytes()


def test_without_a_seed_every_picture_is_another_and_says_which(model: Model) -> None:
    pictures = [model.paint("a red car") for _ in range(2)]

    seeds = [str(picture.info["parameters"]).split("Seed: ")[1].split(",")[0] for picture in pictures]
    assert seeds[0] != seeds[1]
    assert model.paint("a red car", seed=int(seeds[0])).tobytes() == pictures[0].tobytes()


def test_greedy_ignores_the_seed(model: Model) -> None:
    assert np.array_equal(
        codes_of(model, "a car", seed=1, temperature=0), codes_of(model, "a car", seed=2, temperature=0)
    )


def test_two_paintings_at_once_do_not_disturb_each_other(model: Model) -> None:
    alone = [codes_of(model, "a red car", seed=1), codes_of(model, "a big green house", seed=2)]

    both = [model.paint_rows("a red car", seed=1), model.paint_rows("a big green house", seed=2)]
    strokes = [(next(both[0]), next(both[1])) for _ in range(4)]

    assert np.array_equal(strokes[-1][0].codes, alone[0])
    assert np.array_equal(strokes[-1][1].codes, alone[1])


def test_a_painting_that_is_given_up_disturbs_no_later_one(model: Model) -> None:
    expected = codes_of(model, "a red car", seed=1)

    strokes = model.paint_rows("a big green house on the left", seed=2)
    next(strokes)
    strokes.close()  # type: ignore[attr-defined]

    assert np.array_equal(codes_of(model, "a red car", seed=1), expected)


def test_asking_and_painting_alternate_freely(model: Model) -> None:
    picture = flat_picture([[1, 2], [3, 4]])
    answer, codes = model.ask(picture, "where is it"), codes_of(model, "a red car", seed=1)

    strokes = model.paint_rows("a red car", seed=1)
    next(strokes)
    assert model.ask(picture, "where is it") == answer
    assert np.array_equal(list(strokes)[-1].codes, codes)


def test_buffers_are_made_once_for_each_number_of_branches(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []

    class Recorded(Backbone):
        def __init__(self, *arguments: Any, rows: int, capacity: int) -> None:
            made.append((rows, capacity))
            super().__init__(*arguments, rows=rows, capacity=capacity)

    monkeypatch.setattr("edgevlo.runtime.graphs.engine.Backbone", Recorded)
    model = Model.open(toy)

    for prompt in ("a red car", "a big green house"):
        model.paint(prompt)
        model.paint(prompt, guidance_scale=1)  # one branch alone: half the work
    model.paint("car " * 300, size=(20, 16))  # does not fit into 256

    assert made == [(2, 256), (1, 256), (2, 400)]


def test_memory_does_not_grow_with_the_number_of_pictures(model: Model) -> None:
    model.paint("a red car", seed=0)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for seed in range(20):
        model.paint("a red car" + " big" * seed, seed=seed)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert after - before < 300_000


def test_strokes_grow_row_by_row_and_the_last_preview_is_the_picture(model: Model) -> None:
    strokes = list(model.paint_rows("a red car", seed=1))

    assert [stroke.rows_done for stroke in strokes] == [1, 2, 3, 4]
    assert all(stroke.rows == 4 for stroke in strokes)
    assert [stroke.preview.size for stroke in strokes] == [(20, 16)] * 4
    assert strokes[-1].preview.tobytes() == model.paint("a red car", seed=1).tobytes()
    upper = strokes[1].preview
    assert upper.crop((0, 0, 20, 8)).tobytes() == strokes[-1].preview.crop((0, 0, 20, 8)).tobytes()
    assert upper.getpixel((0, 8)) == upper.getpixel((19, 15)) == (236, 236, 236)


def test_only_the_finished_picture_carries_provenance(model: Model, toy: Path) -> None:
    strokes = list(model.paint_rows("a red\ncar", seed=9, negative_prompt="ugly big", size="20x8"))

    assert strokes[0].preview.info == {}
    assert strokes[-1].preview.info["parameters"] == (
        "a red car\nNegative prompt: ugly big\nSteps: 10, Sampler: raster, CFG scale: 2.0, Temperature: 1.0, Top-k: 0, "
        f"Seed: 9, Size: 20x8, Model hash: {open_bundle(toy).digest[:10]}, Model: toy"
    )


# Reading, decoding, answering.


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
        pytest.warns(AnswerWarning, match="'rubbish' names no box"),
    ):
        found = model.detect(Image.new("RGB", (200, 100)), objects)

    rows, columns = asked[0][2]
    assert asked == [("detect", request_text, (rows, columns))]
    across, down = 200 / columns, 100 / rows
    assert found == [Detection("car", (0, round(down), round(2 * across), round(3 * down)))]


def test_boxes_in_pixels_are_those_of_the_picture_that_the_model_read(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = rewritten(toy, tmp_path / "pixels", lambda tree: tree["abilities"]["detect"].update(unit="pixel"))
    model = Model.open(folder)
    monkeypatch.setattr(model, "_answer", lambda *_: "car 4 10 40 20")

    with pytest.warns(PictureWarning, match="resized from 400x400 to 40x40"):
        found = model.detect(Image.new("RGB", (400, 400)))

    assert found == [Detection("car", (40, 100, 400, 200))]


def narrow(tree: dict[str, Any]) -> None:
    """Declare that the toy's tokenizer holds pictures of its flat colours alone."""
    tree["domain"] = {"name": "the toy's flat world", "cells": "colours", "tolerance": 10, "see": "docs/toy.md"}


@pytest.fixture(scope="module")
def narrow_model(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.open(rewritten(toy, tmp_path_factory.mktemp("narrow") / "toy", narrow))


def photograph(width: int, height: int) -> Image.Image:
    """Return noise on a gradient, which no cell of the toy's comes near."""
    rows, columns = np.mgrid[:height, :width]
    gradient = np.stack([255 * columns / width, 255 * rows / height, 128 + 0 * rows], axis=-1)
    noisy = gradient + np.random.default_rng(3).normal(0, 60, gradient.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def test_pictures_of_the_domain_are_read_in_silence(narrow_model: Model) -> None:
    picture = flat_picture([[0, 5, 9], [26, 13, 2]])

    assert narrow_model.tokenize(picture).tolist() == [[0, 5, 9], [26, 13, 2]]
    nearly = Image.fromarray(np.clip(np.asarray(picture).astype(int) + 9, 0, 255).astype(np.uint8))
    assert narrow_model.tokenize(nearly).tolist() == [[0, 5, 9], [26, 13, 2]]


def test_a_photograph_is_said_to_be_outside_the_domain_in_one_line(narrow_model: Model, tmp_path: Path) -> None:
    photograph(500, 333).save(tmp_path / "photo.jpg")

    with pytest.warns(PictureWarning) as caught:
        narrow_model.tokenize(tmp_path / "photo.jpg")

    assert [str(warning.message) for warning in caught] == [
        f"{tmp_path}/photo.jpg was resized from 500x333 to 48x32, a size that this model reads; "
        "is not from the toy's flat world: all of it was read as the nearest colours (see docs/toy.md)"
    ]


def test_the_share_outside_the_domain_is_counted_cell_by_cell(narrow_model: Model) -> None:
    picture = flat_picture([[0, 5, 9, 0, 1], [26, 13, 2, 3, 4]])
    picture.paste(photograph(CELL, CELL), (CELL, 0))

    with pytest.warns(PictureWarning, match="^the picture is only partly from the toy's flat world: 10 % of it was"):
        narrow_model.tokenize(picture)


@pytest.mark.parametrize("ability", ["edit", "ask", "detect", "segment"])
def test_every_ability_that_reads_pictures_says_so_once_a_picture(
    narrow_model: Model, ability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "_answer", lambda *_: "none")
    words = {"edit": ["on it"], "ask": ["where is it"]}.get(ability, [])

    with pytest.warns(PictureWarning, match="is not from the toy's flat world") as caught:
        getattr(narrow_model, ability)(photograph(40, 20), *words)

    assert len(caught) == 1


def test_a_bundle_without_a_domain_takes_any_picture(model: Model) -> None:
    model.tokenize(photograph(40, 20))


def test_a_picture_of_another_size_is_resized_to_one_that_the_model_reads(model: Model) -> None:
    with pytest.warns(PictureWarning, match="^the picture was resized from 400x400 to 40x40, a size"):
        codes = model.tokenize(Image.new("RGB", (400, 400), "red"))

    assert codes.tolist() == [[18] * 10] * 10  # (1, -1, -1)


# Sizes and requests that the model does not take.


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"size": (21, 16)}, "size 21x16 is not one that this model paints; the nearest is 20x16"),
        ({"size": "0x0"}, "size 0x0 is not one that this model paints; the nearest is 4x4"),
        ({"size": "1000x1000"}, "the nearest is 40x40"),
        ({"size": "big"}, "neither WIDTHxHEIGHT"),
        ({"seed": -1}, f"seed -1 is out of range; seeds run from 0 to {MAX_SEED}"),
        ({"seed": 2**32}, "seed 4294967296 is out of range"),
        ({"guidance_scale": -1.0}, "guidance scale -1.0 is out of range; it runs from 0 to 100"),
        ({"guidance_scale": float("nan")}, "guidance scale nan is out of range"),
        ({"temperature": float("inf")}, "temperature inf is out of range"),
        ({"temperature": -0.1}, "temperature -0.1 is out of range"),
        ({"top_k": -1}, "top-k -1 is out of range"),
        ({"top_k": 2**40}, "top-k 1099511627776 is out of range"),
        ({"top_p": 0}, "top-p 0 is out of range; it is above 0 and at most 1"),
        ({"top_p": 1.01}, "top-p 1.01 is out of range"),
        ({"top_p": float("nan")}, "top-p nan is out of range"),
        ({"negative_prompt": "x" * 100_000}, "the negative prompt has 100000 characters; at most 50000"),
        ({"negative_prompt": "\udcff"}, "the negative prompt is not valid Unicode at character 0"),
    ],
)
def test_a_number_out_of_range_is_refused_at_once(model: Model, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        model.paint_rows("a red car", **options)  # before the first row is asked for


def without_top_p(tree: dict[str, Any]) -> None:
    head = tree["graphs"]["image_head"]
    head["inputs"] = [one for one in head["inputs"] if one["name"] != "top_p"]


def test_a_bundle_whose_head_takes_no_top_p_refuses_one(toy: Path, tmp_path: Path) -> None:
    model = Model.open(rewritten(toy, tmp_path / "older", without_top_p))
    with pytest.raises(RequestError, match="this bundle draws without top-p; leave it out, or export"):
        model.paint_rows("a red car", top_p=0.5)
    model.paint_rows("a red car", top_p=1.0)


def test_top_p_is_recorded_where_it_counts(model: Model) -> None:
    assert "Top-p: 0.5" in model.paint("a red car", top_p=0.5).info["parameters"]
    assert "Top-p" not in model.paint("a red car").info["parameters"]


def only_prompt(tree: dict[str, Any]) -> None:
    tree["guidance"]["branches"] = [{"kind": "prompt", "constant": 0.0, "scale": 1.0}]
    tree["guidance"]["default_scale"] = 2.0


def test_without_a_negative_branch_a_negative_prompt_is_refused_and_never_recorded(toy: Path, tmp_path: Path) -> None:
    model = Model.open(rewritten(toy, tmp_path / "bundle", only_prompt))

    with pytest.raises(RequestError, match="this model takes no negative prompt"):
        model.paint("a car", negative_prompt="a dog")
    assert "Negative prompt" not in model.paint("a car").info["parameters"]


def test_a_guidance_scale_that_leaves_no_branch_is_refused(toy: Path, tmp_path: Path) -> None:
    model = Model.open(rewritten(toy, tmp_path / "bundle", only_prompt))

    with pytest.raises(RequestError, match=r"guidance scale 0\.0 leaves nothing to paint from"):
        model.paint("a car", guidance_scale=0.0)


def test_a_decoded_picture_carries_the_ai_mark(model: Model) -> None:
    picture = model.decode(np.zeros((4, 4), dtype=np.int32))

    assert "trainedAlgorithmicMedia" in picture.info["XML:com.adobe.xmp"]


def test_an_empty_answer_is_said_to_be_one(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "_answer", lambda *_: "")

    with pytest.warns(AnswerWarning, match="the model gave no answer"):
        assert model.ask(Image.new("RGB", (16, 16)), "what is it?") == ""


def test_a_model_is_loaded_from_a_path_or_its_name(toy: Path) -> None:
    assert edgevlo.load(toy).manifest == edgevlo.load(str(toy)).manifest


@pytest.mark.parametrize("prompt", ["", " \n", "x" * 100_000, "\ud800"])
def test_a_prompt_that_cannot_be_used_is_refused_at_once(model: Model, prompt: str) -> None:
    with pytest.raises(RequestError, match=r"^the prompt "):
        model.paint_rows(prompt)


def test_a_prompt_beyond_the_models_memory_says_how_long_it_is(model: Model) -> None:
    with pytest.raises(
        RequestError,
        match=rf"has 406 tokens and at most {MAX_POSITIONS - 22} fit: this model holds {MAX_POSITIONS} .* needs 22\.",
    ):
        list(model.paint_rows("car " * 400, size=(20, 16)))


def test_a_prompt_that_just_fits_is_painted(model: Model) -> None:
    longest = MAX_POSITIONS - 24 - len(opener(4, 5)) - 1

    assert model.paint("car " * longest, size=(20, 16), guidance_scale=1, seed=1).size == (20, 16)


def test_an_unknown_option_is_a_programming_error(model: Model) -> None:
    with pytest.raises(TypeError, match="unknown option 'speed'; painting takes seed"):
        model.paint_rows("a car", speed=3)  # type: ignore[call-arg]


def test_the_number_of_pictures_is_checked(model: Model) -> None:
    picture = flat_picture([[1]])

    with pytest.raises(RequestError, match=r"edit takes 1 to 2 picture\(s\), 3 given"):
        model.edit([picture] * 3, "on it")
    with pytest.raises(RequestError, match=r"edit takes 1 to 2 picture\(s\), 0 given"):
        model.edit([], "on it")
    with pytest.raises(RequestError, match=r"ask takes 1 to 2 picture\(s\), 0 given"):
        model.ask([], "where is it")


def test_an_ability_that_the_model_lacks_is_named(model: Model) -> None:
    with pytest.raises(
        AbilityError, match=r"^toy \(family toy\) cannot edges; it can ask, detect, edit, paint, segment"
    ):
        model.edges(flat_picture([[1]]))


def test_a_bad_picture_is_named(model: Model, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=f"{tmp_path}/none.png cannot be read"):
        model.ask(tmp_path / "none.png", "where is it")


# Bundles whose parts do not fit each other although every hash is right.


def only(*abilities: str) -> Any:
    return lambda tree: tree.update(abilities={name: tree["abilities"][name] for name in abilities})


def without(*roles: str) -> Any:
    return lambda tree: [tree["graphs"].pop(role) for role in roles]


def test_a_model_that_only_answers_needs_no_image_head(toy: Path, tmp_path: Path, model: Model) -> None:
    folder = rewritten(toy, tmp_path / "reader", only("ask"), without("image_head", "image_decoder"))
    picture = flat_picture([[1, 2]])

    assert Model.open(folder).ask(picture, "where is it") == model.ask(picture, "where is it")


def test_what_needs_a_graph_that_the_bundle_lacks_says_so(toy: Path, tmp_path: Path) -> None:
    folder = rewritten(toy, tmp_path / "painter", only("paint"), without("image_tokenizer", "text_head"))

    with pytest.raises(AbilityError, match="toy has no image_tokenizer"):
        Model.open(folder).tokenize(flat_picture([[1]]))


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda t: t["backbone"].update(layers=3), "backbone"),
        (lambda t: t["backbone"].update(layers=1), "backbone"),
        (lambda t: t["backbone"].update(head_dim=4), "backbone"),
        (lambda t: t["backbone"].update(kv_heads=2**31 - 1), "backbone"),
        (lambda t: t["backbone"].update(cache_dtype="float16"), "backbone"),
        (lambda t: t["graphs"]["backbone"].update(t["graphs"]["text_head"]), "backbone"),
        (lambda t: t["graphs"]["image_head"].update(t["graphs"]["text_head"]), "image_head"),
        (lambda t: t["graphs"]["image_decoder"].update(t["graphs"]["image_tokenizer"]), "image_decoder"),
        (lambda t: t["graphs"]["backbone"]["inputs"][1].update(name="lengths"), "past_lengths"),
        (lambda t: t["graphs"]["backbone"]["inputs"][1].update(dtype="int32"), "past_lengths"),
        (lambda t: t["graphs"]["backbone"]["inputs"][0]["shape"].pop(), "inputs_embeds"),
        (lambda t: t["codes"].update(count=26), "image_head"),
    ],
)
def test_a_graph_whose_interface_is_not_the_manifests_is_refused(
    toy: Path, tmp_path: Path, edit: Any, reason: str
) -> None:
    folder = rewritten(toy, tmp_path / "bad", edit)

    with pytest.raises(BundleError, match=reason) as caught:
        Model.open(folder).paint("a red car", seed=1)

    assert str(folder) in str(caught.value)


def test_a_graph_that_is_another_than_its_manifest_says_is_refused(toy: Path, tmp_path: Path) -> None:
    folder = rewritten(toy, tmp_path / "bad", files={"image_head.onnx": (toy / "text_head.onnx").read_bytes()})

    with pytest.raises(BundleError, match=rf"^{folder}/image_head\.onnx: inputs are not what .*: temperature, top_k"):
        Model.open(folder).paint("a red car", seed=1)


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x0b" + bytes(200)])
def test_a_file_that_is_no_graph_is_one_quiet_error(
    toy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes
) -> None:
    folder = rewritten(toy, tmp_path / "bad", files={"image_head.onnx": content})

    with pytest.raises(BundleError, match=rf"^{folder}/image_head.onnx cannot be opened: .* Export the bundle again.$"):
        Model.open(folder).paint("a red car", seed=1)
    assert capfd.readouterr() == ("", "")


def test_a_graph_draws_no_weights_from_outside_its_bundle(toy: Path, tmp_path: Path) -> None:
    graph = (toy / "backbone.onnx").read_bytes()
    assert b"backbone.onnx.data" in graph
    outside = rewritten(
        toy, tmp_path / "bad", files={"backbone.onnx": graph.replace(b"backbone.onnx.data", b"../evil/onnx.data0")}
    )
    (tmp_path / "evil").mkdir()
    shutil.copy(toy / "backbone.onnx.data", tmp_path / "evil" / "onnx.data0")

    with pytest.raises(BundleError, match=r"backbone\.onnx cannot be opened: .*evil"):
        Model.open(outside).paint("a red car", seed=1)


def test_a_rewritten_graph_is_opened_with_the_options_that_it_needs(toy: Path) -> None:
    path = toy / "text_head.onnx"
    content = path.read_bytes()
    (hidden,) = open_rewritten(content, path, 1).get_inputs()
    assert hidden.name == "hidden"
    with pytest.raises(BundleError, match=r"text_head\.onnx cannot be opened on a CPU: .*fallback"):
        open_rewritten(content, path, 1, ("session.disable_cpu_ep_fallback", "1"))


def test_a_table_of_another_size_is_refused(toy: Path, tmp_path: Path) -> None:
    folder = rewritten(toy, tmp_path / "bad", files={"token_embedding.bin": bytes(12)})

    with pytest.raises(BundleError, match=r"token_embedding\.bin does not hold \d+ x 16 float32 numbers"):
        Model.open(folder).paint("a red car", seed=1)


def test_a_target_that_is_not_here_is_refused_by_name(toy: Path, tmp_path: Path) -> None:
    folder = rewritten(toy, tmp_path / "cuda", lambda tree: tree.update(target="cuda"))

    with pytest.raises(BundleError, match=r"is made for target 'cuda', which this installation .* cannot run"):
        Model.open(folder).paint("a red car", seed=1)


def test_a_bundle_may_lie_under_any_name(toy: Path, tmp_path: Path, model: Model) -> None:
    folder = Path(shutil.copytree(toy, tmp_path / "模型 ü"))

    assert Model.open(folder).paint("a red car", seed=1).tobytes() == model.paint("a red car", seed=1).tobytes()


# The backbone by itself.


@pytest.fixture(scope="module")
def make_backbone(toy: Path) -> Any:
    bundle = open_bundle(toy)
    session = open_graph(bundle, "backbone")

    def make(rows: int, capacity: int = 64) -> Backbone:
        return Backbone(session, bundle.manifest.backbone, Embeddings(WEIGHTS.table), rows=rows, capacity=capacity)

    return make


def test_rows_of_different_length_are_read_as_if_each_stood_alone(make_backbone: Any) -> None:
    backbone = make_backbone(3)
    prompts = [[1, 2, 3, 4, 5], [6], [7, 8, 9]]

    backbone.prefill(prompts)
    for row, prompt in enumerate(prompts):
        assert np.abs(backbone.last_hidden[row] - REFERENCE.hidden(prompt)[-1]).max() < TOLERANCE

    backbone.step((11, 12))
    for row, prompt in enumerate(prompts):
        assert np.abs(backbone.last_hidden[row] - REFERENCE.hidden([*prompt, 11, 12])[-1]).max() < TOLERANCE
    assert backbone.lengths.tolist() == [7, 3, 5]


def test_every_token_of_a_call_has_its_hidden_state(make_backbone: Any) -> None:
    backbone = make_backbone(2)
    backbone.prefill([[1, 2, 3], [4]])

    hidden = backbone.append([[5, 6], [7, 8, 9]])

    assert hidden.shape == (2, 3, HIDDEN)
    assert np.abs(hidden[0, :2] - REFERENCE.hidden([1, 2, 3, 5, 6])[3:]).max() < TOLERANCE
    assert np.abs(hidden[1] - REFERENCE.hidden([4, 7, 8, 9])[1:]).max() < TOLERANCE


def test_tokens_taken_back_leave_no_trace(make_backbone: Any) -> None:
    backbone = make_backbone(2)
    backbone.prefill([[1, 2, 3], [4]])
    kept = backbone.lengths.copy()
    first = backbone.append([[5, 6, 7], [5, 6, 7]]).copy()

    backbone.take_back(kept)
    backbone.append([[20, 21], [22]])
    backbone.take_back(kept + np.array([1, 0]))
    backbone.take_back(kept)
    again = backbone.append([[5, 6, 7], [5, 6, 7]])

    assert np.array_equal(again, first)
    assert backbone.lengths.tolist() == [6, 4]


def test_a_row_may_be_taken_back_further_than_another(make_backbone: Any) -> None:
    backbone = make_backbone(2)
    backbone.prefill([[1, 2, 3], [4, 5, 6]])

    backbone.take_back(np.array([1, 3]))
    backbone.step((9,))

    assert np.abs(backbone.last_hidden[0] - REFERENCE.hidden([1, 9])[-1]).max() < TOLERANCE
    assert np.abs(backbone.last_hidden[1] - REFERENCE.hidden([4, 5, 6, 9])[-1]).max() < TOLERANCE


@pytest.mark.parametrize("lengths", [[4, 1], [-1, 1]])
def test_only_tokens_that_are_there_can_be_taken_back(make_backbone: Any, lengths: list[int]) -> None:
    backbone = make_backbone(2)
    backbone.prefill([[1, 2, 3], [4]])

    with pytest.raises(ValueError, match="cannot take back"):
        backbone.take_back(np.array(lengths))


def test_a_new_prompt_forgets_the_old_one(make_backbone: Any) -> None:
    backbone = make_backbone(1)
    backbone.prefill([list(range(30))])

    backbone.prefill([[1, 2]])

    assert np.abs(backbone.last_hidden[0] - REFERENCE.hidden([1, 2])[-1]).max() < TOLERANCE


def test_the_cache_can_be_filled_to_the_last_place_and_no_further(make_backbone: Any) -> None:
    backbone = make_backbone(1, capacity=8)
    backbone.prefill([[1, 2, 3, 4, 5, 6]])
    backbone.step((7, 8))

    assert np.abs(backbone.last_hidden[0] - REFERENCE.hidden([1, 2, 3, 4, 5, 6, 7, 8])[-1]).max() < TOLERANCE
    with pytest.raises(RequestError, match="9 tokens do not fit into the KV cache of 8"):
        backbone.step((9,))


def test_keys_and_values_are_written_in_place(make_backbone: Any) -> None:
    backbone = make_backbone(1)
    keys = backbone._cache["keys.1"]
    backbone.prefill([[1, 2, 3]])
    before = keys.copy()

    backbone.step((4,))

    assert np.array_equal(keys[:, :, :3], before[:, :, :3])
    assert np.any(keys[:, :, 3] != 0)
    assert not np.any(keys[:, :, 4:])


def test_every_code_can_be_drawn(model: Model) -> None:
    drawn = {code for seed in range(12) for code in codes_of(model, "a car", seed=seed, temperature=20).flat}

    assert drawn == set(range(COUNT))
