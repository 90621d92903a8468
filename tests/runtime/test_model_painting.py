"""Painting with the toy's real graphs, compared with the same mathematics in float64 (toy_reference.py)."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_reference import CELL, COUNT, codes_of, flat_picture, ids, opener, reference_codes, shown

from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.graphs.backbone_kv_cache import Backbone
from edgevlo.runtime.model import Model


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
    del strokes

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

    monkeypatch.setattr("edgevlo.runtime.engine.Backbone", Recorded)
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

    assert "parameters" not in strokes[0].preview.info
    assert "trainedAlgorithmicMedia" in strokes[0].preview.info["XML:com.adobe.xmp"], "made by AI all the same"
    assert strokes[-1].preview.info["parameters"] == (
        "a red car\nNegative prompt: ugly big\nSteps: 10, Sampler: raster, CFG scale: 2.0, Temperature: 1.0, Top-k: 0, "
        f"Seed: 9, Size: 20x8, Model hash: {open_bundle(toy).digest[:10]}, Model: toy"
    )


def test_every_code_can_be_drawn(model: Model) -> None:
    drawn = {code for seed in range(12) for code in codes_of(model, "a car", seed=seed, temperature=20).flat}

    assert drawn == set(range(COUNT))
