"""The world: scenes, layouts, maps, edits and words are what they say they are."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from itertools import combinations, product
from pathlib import Path
from random import Random

import numpy as np
import pytest

from edgevlo.picturebook.exercises import auxiliary, edits, questions, tasks
from edgevlo.picturebook.judging import judge
from edgevlo.picturebook.language import words
from edgevlo.picturebook.language.voice import Voice
from edgevlo.picturebook.model import card
from edgevlo.picturebook.world import atlas, palette, scene, scene_to_codes
from edgevlo.picturebook.world.scene import Scene, Thing

MIX = tasks.Mix(dict.fromkeys(tasks.TASKS, 1.0), (0.05, 0.5, 0.3, 0.15), (0.05, 0.4, 0.3, 0.15, 0.05, 0.05), 0.5)
ROOT = Path(__file__).resolve().parents[2]


def test_every_tile_has_one_name_and_fits_the_codebook() -> None:
    assert len(set(atlas.TILES)) == len(atlas.TILES) == 14_058
    assert len(atlas.TILES) <= atlas.CODES == 14_080
    named = json.loads((atlas.FOLDER / "atlas.json").read_text())
    assert named == {"cell": atlas.CELL, "tiles": ["/".join(name) for name in atlas.TILES]}


def test_codes_of_the_first_tiles_stay_as_they_were() -> None:
    """A trained checkpoint depends on them; the digest is of the list before clip art came."""
    first = "\n".join("/".join(name) for name in atlas.TILES[:2917])
    assert sha256(first.encode()).hexdigest() == "5890053032514fe358344e410ba528a14ff98f225786ecd01715a36dbe4436aa"


def test_tiles_differ_in_pixels() -> None:
    patches = atlas.tiles().reshape(len(atlas.TILES), -1)
    assert len(np.unique(patches, axis=0)) == len(patches)


def test_slots_lie_inside_the_grid_and_apart() -> None:
    for grid in {*scene.ANY_GRIDS, *scene.GRIDS, *scene.HELD_OUT_GRIDS}:
        empty = Scene(rows=grid[0], columns=grid[1])
        used = np.zeros(grid, int)
        for depth, column in scene.slots(*grid):
            row, first = scene.cell_of(empty, Thing("cat", "red", column, depth))
            used[row - 1 : row + 2, first : first + 2] += 1
        assert used[:2].sum() == 0
        assert used.max() == 1
        assert used.sum() == 6 * len(scene.slots(*grid))


def test_a_grid_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="5 rows"):
        scene.slots(4, 8)
    with pytest.raises(ValueError, match="4 columns"):
        scene.column_slots(3)


def test_any_size_may_be_trained_on_but_those_held_out() -> None:
    rng = Random(9)
    drawn = Counter(scene.sample_any_grid(rng) for _ in range(20_000))
    assert set(drawn) == set(scene.ANY_GRIDS)  # nothing is too rare to be seen
    areas = sorted(rows * columns for rows, columns in drawn.elements())
    assert areas[len(areas) // 2] < np.median([rows * columns for rows, columns in scene.ANY_GRIDS])
    for rows, columns in [*scene.ANY_GRIDS, *scene.GRIDS, *scene.DENSE_GRIDS, *scene.HELD_OUT_GRIDS]:
        assert 5 <= rows <= 24
        assert 4 <= columns <= 24
        assert rows * columns <= 160
        assert 1 / 5 <= rows / columns <= 5
        assert max(rows, columns) <= auxiliary.MOST_CELLS
        assert card.CELLS[0] <= rows * columns <= card.CELLS[1]
        assert 2 <= scene.longest_sign(columns) <= columns - 2
    assert not {*scene.ANY_GRIDS, *scene.GRIDS, *scene.DENSE_GRIDS, *tasks.SMALL} & set(scene.HELD_OUT_GRIDS)
    assert {(8, 8), (10, 10), (12, 12)} <= set(scene.GRIDS)


def test_sizes_are_drawn_in_their_shares() -> None:
    rng = Random(10)
    drawn = Counter(scene.sample_grid(rng, 0.4, 0.2) for _ in range(20_000))
    ordinary = {*scene.GRIDS, *scene.DENSE_GRIDS}
    unusual = sum(number for grid, number in drawn.items() if grid not in ordinary) / 20_000
    weights = {grid: 1 / (grid[0] * grid[1]) for grid in scene.ANY_GRIDS}
    expected = 0.2 * sum(weights[grid] for grid in weights if grid not in ordinary) / sum(weights.values())
    assert abs(unusual - expected) < 0.02
    assert 0.4 < drawn[scene.DEFAULT_GRID] / 20_000 < 0.44
    assert not set(drawn) & set(scene.HELD_OUT_GRIDS)
    assert {scene.sample_grid(rng, 1.0, 0.0) for _ in range(100)} == {scene.DEFAULT_GRID}
    assert {scene.sample_grid(rng, 0.0, 1.0) for _ in range(100)} == set(scene.DENSE_GRIDS)


def test_the_default_grid_has_six_places() -> None:
    assert scene.slots(8, 8) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert scene.column_slots(8) == {"left": 0, "middle": 3, "right": 6}


def test_the_same_seed_gives_the_same_samples() -> None:
    first, second = Random(5), Random(5)
    for _ in range(100):
        one, other = tasks.sample(first, MIX), tasks.sample(second, MIX)
        assert (one.instruction, one.answer, one.scenes) == (other.instruction, other.answer, other.scenes)


def test_the_judge_reads_what_was_drawn() -> None:
    rng = Random(1)
    for grid in (*scene.GRIDS, *scene.ANY_GRIDS, *scene.HELD_OUT_GRIDS):
        drawn = scene.sample_scene(rng, rng.randint(0, 12), grid, free_style=0.6, sign=0.2)
        picture = atlas.pixels(scene_to_codes.paint(drawn))
        assert picture.shape == (16 * grid[0], 16 * grid[1], 3)
        reading = judge.read(picture)
        assert reading.strays == 0
        assert reading.scene == drawn
        assert judge.judge_scene(drawn, reading)["all"]
        framed = judge.drawn_boxes(atlas.pixels(scene_to_codes.boxes(drawn)))
        assert sorted(framed, key=repr) == sorted(judge.true_boxes(drawn), key=repr)


def looks(kind: str) -> tuple[str, ...]:
    return (scene.OWN,) if kind in scene.CLIPART else scene.COLOURS


def test_every_kind_and_colour_is_read_on_every_ground() -> None:
    shown = [(style, "city") for style in scene.STYLES[1:]] + [("flat", place) for place in scene.PLACES[:4]]
    assert {scene_to_codes.ground_of(*one) for one in shown} == set(atlas.GROUNDS)
    every = [(kind, look) for kind in scene.KINDS for look in looks(kind)]
    for style, place in shown:
        for start in range(0, len(every), 15):
            things = tuple(
                Thing(kind, look, at % 3, at // 3, "red" if kind in scene.HATTED else None)
                for at, (kind, look) in enumerate(every[start : start + 15])
            )
            drawn = Scene(things, place, style=style, rows=17)
            assert judge.read(atlas.pixels(scene_to_codes.paint(drawn))) == judge.Reading(drawn, 0)


def test_every_style_place_time_and_weather_is_read() -> None:
    for style, place, time, weather in product(scene.STYLES, scene.PLACES, scene.TIMES, scene.WEATHERS):
        drawn = Scene((Thing("cat", "red", 1, 0, "blue"), Thing("owl", "own", 2, 0)), place, time, weather, style)
        assert judge.read(atlas.pixels(scene_to_codes.paint(drawn))) == judge.Reading(drawn, 0)


def test_places_and_styles_differ_well() -> None:
    """No two horizons of a style and a time, and no two styles of one, are alike, mean difference in levels."""
    horizons = np.array(
        [[[[atlas.CODE["horizon", style, place, time, step] for step in atlas.STEPS] for place in scene.PLACES]
          for time in scene.TIMES] for style in scene.STYLES]
    )  # fmt: skip
    pictures = atlas.tiles()[horizons].astype(float)  # (styles, times, places, steps, 16, 16, 3)
    for one, other in combinations(range(len(scene.PLACES)), 2):
        assert np.abs(pictures[:, :, one] - pictures[:, :, other]).mean(axis=(2, 3, 4, 5)).min() > 8
    for one, other in combinations(range(len(scene.STYLES)), 2):
        assert np.abs(pictures[one] - pictures[other]).mean(axis=(2, 3, 4, 5)).min() > 8


def test_objects_differ_well_in_every_style() -> None:
    """No two kinds of a colour and no two colours of a kind are alike, mean difference in levels."""
    colours = scene.COLOURS
    for ground in atlas.GROUNDS:
        codes = [
            [[atlas.CODE["object", ground, kind, look, part] for part in atlas.PARTS] for look in looks(kind)]
            for kind in scene.KINDS
        ]
        pictures = [atlas.tiles()[one].astype(np.int16).reshape(len(one), -1) for one in codes]
        for (one, first), (other, second) in combinations(zip(scene.KINDS, pictures, strict=True), 2):
            both = scene.CLIPART if one in scene.CLIPART or other in scene.CLIPART else ()
            assert np.abs(first - second).mean(axis=-1).min() > (8 if both else 12), (ground, one, other)
        for picture in pictures[: len(scene.COLOURABLE)]:
            for a, b in combinations(range(len(colours)), 2):
                assert np.abs(picture[a] - picture[b]).mean() > 2


def test_labels_of_segments_are_far_apart() -> None:
    assert set(scene.KINDS) < set(palette.SEGMENT_COLOURS)
    colours = np.array(list(palette.SEGMENT_COLOURS.values()))
    distances = np.linalg.norm(colours[:, None] - colours, axis=-1)
    np.fill_diagonal(distances, np.inf)
    known = np.array([name not in scene.CLIPART for name in palette.SEGMENT_COLOURS])
    assert distances.min() > 47
    assert distances[np.ix_(known, known)].min() > 70


def test_every_pixel_of_a_segment_map_is_nearest_to_its_own_label() -> None:
    """The ground's or the kind's, after the tokenizer too, whose pictures the atlas holds."""
    labels = list(palette.SEGMENT_COLOURS)
    for kind in scene.KINDS:
        for part in atlas.PARTS:
            found = judge.nearest_segment(atlas.tiles()[atlas.CODE["seg-object", kind, part]])
            assert {labels[number] for number in np.unique(found)} <= {kind, "ground"}
            assert (found == labels.index(kind)).any()
    for code, name in enumerate(atlas.TILES):
        if name[0].startswith("seg-") and name[0] != "seg-object":
            found = judge.nearest_segment(atlas.tiles()[code])
            assert {labels[number] for number in np.unique(found)} <= {name[0].removeprefix("seg-"), "ground"}


def test_maps_of_clip_art_show_where_it_is() -> None:
    """Segments, edges and boxes lie where the painted thing differs from the bare ground."""
    for kind in scene.CLIPART:
        drawn = Scene((Thing(kind, "own", 0, 0),), rows=5, columns=4)
        bare = atlas.pixels(scene_to_codes.paint(replace(drawn, things=())))
        inked = np.abs(atlas.pixels(scene_to_codes.paint(drawn)).astype(int) - bare).max(axis=-1) > 40
        segments = judge.nearest_segment(atlas.pixels(scene_to_codes.segmentation(drawn)))
        covered = segments == list(palette.SEGMENT_COLOURS).index(kind)
        assert (inked & covered).sum() / (inked | covered)[48:].sum() > 0.6, kind
        lines = atlas.pixels(scene_to_codes.edges(drawn)).mean(axis=-1)[48:] > 127
        assert 0.05 < lines[:, :32].mean() < 0.6, kind
        assert not lines[:, 32:].any()
        assert judge.drawn_boxes(atlas.pixels(scene_to_codes.boxes(drawn))) == judge.true_boxes(drawn)


def test_the_notice_names_whose_drawings_the_clip_art_is() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    held = json.loads((atlas.FOLDER / "clipart.json").read_text(encoding="utf-8"))
    assert list(held["bodies"]) == list(scene.DRAWINGS.values())
    assert "https://github.com/microsoft/fluentui-emoji" in notice
    assert "https://github.com/microsoft/fluentui-emoji" in held["source"]
    section = notice[notice.index("== Fluent Emoji Flat ==") :]
    assert "picturebook/world/clipart.json" in section
    assert "MIT License\n\nCopyright (c) Microsoft Corporation.\n\nPermission is hereby granted" in section


def test_the_judge_sees_each_kind_of_mistake() -> None:
    right = Scene((Thing("dog", "blue", 0, 1, "red"),), "beach", "sunset", "rain", "flat", "cafe")
    thing = right.things[0]
    wrong = {
        "colour": replace(right, things=(replace(thing, colour="red"),)),
        "kind": replace(right, things=(replace(thing, kind="cat"),)),
        "hat": replace(right, things=(replace(thing, hat=None),)),
        "spot": replace(right, things=(replace(thing, column=2),)),
        "number": replace(right, things=()),
        "place": replace(right, place="snow"),
        "time": replace(right, time="day"),
        "weather": replace(right, weather="clear"),
        "style": replace(right, style="retro"),
        "sign": replace(right, sign="cafes"),
    }
    for attribute, other in wrong.items():
        verdict = judge.judge_scene(right, judge.read(atlas.pixels(scene_to_codes.paint(other))))
        assert not verdict[attribute]
        assert not verdict["all"]


def test_a_torn_object_is_no_object() -> None:
    codes = scene_to_codes.paint(Scene((Thing("car", "red", 1, 1),)))
    codes[6, 3] = atlas.CODE["object", "meadow", "car", "blue", "tl"]
    reading = judge.read_cells(codes)
    assert reading.scene.things == ()
    assert reading.strays == 4


def test_what_belongs_to_no_scene_is_a_stray_in_sky_and_horizon_too() -> None:
    shown = Scene((Thing("car", "red", 1, 1),), weather="rain", sign="cafe")
    sky, horizon = scene_to_codes.paint(shown), scene_to_codes.paint(shown)
    sky[0, 1:] = atlas.CODE["object", "meadow", "car", "red", "tl"]
    horizon[1, 0] = atlas.CODE["letter", "x"]
    for codes in (sky, horizon):
        assert judge.read_cells(codes).strays > 0
        assert not judge.judge_scene(shown, judge.read_cells(codes))["all"]


def test_maps_do_not_depend_on_colour_style_or_time() -> None:
    rng = Random(2)
    for _ in range(50):
        one = scene.sample_scene(rng, 3)
        other = replace(one, things=tuple(replace(thing, colour="green") for thing in one.things), style="retro")
        for draw in (scene_to_codes.segmentation, scene_to_codes.edges, scene_to_codes.boxes):
            np.testing.assert_array_equal(draw(one), draw(other))


def test_boxes_hold_the_hat() -> None:
    hatted = Scene((Thing("cat", "red", 1, 0, "blue"),))
    bare = Scene((Thing("cat", "red", 1, 0),))
    assert scene_to_codes.box_of(hatted, hatted.things[0]) == (3, 2, 5, 5)
    assert scene_to_codes.box_of(bare, bare.things[0]) == (3, 3, 5, 5)
    assert questions.detection(hatted, "en") == "cat 3 2 5 5"
    assert questions.detection(hatted, "en", frozenset({"dog"})) == "none"


@pytest.mark.parametrize("kind", list(edits.EDITS))
@pytest.mark.parametrize("tongue", words.LANGUAGES)
def test_every_edit_changes_the_scene(kind: str, tongue: str) -> None:
    rng, made = Random(3), 0
    for _ in range(60):
        before = scene.sample_scene(rng, 2, sign=0.3)
        edited = edits.single(Voice(rng, tongue), before, kind)
        if edited:
            made += 1
            assert edited[0] != before
            assert edited[1]
    assert made >= 10


def test_training_never_sees_a_held_out_combination() -> None:
    rng = Random(4)
    for _ in range(1500):
        assert not any(scene.is_held_out(drawn) for drawn in tasks.sample(rng, MIX).scenes)


def test_judging_sees_nothing_else_and_other_sentences() -> None:
    training, held_out = Random(5), Random(6)
    mix = tasks.Mix({"paint": 1.0}, (0.0, 1.0))
    trained = {tasks.sample(training, mix).instruction for _ in range(4000)}
    for tongue in words.LANGUAGES:
        for _ in range(100):
            sample = tasks.judged_paint(held_out, tongue)
            assert scene.is_held_out(sample.scenes[0])
            assert sample.instruction not in trained


def test_one_in_eight_combinations_is_held_out() -> None:
    every = [
        Scene((Thing(kind, colour, 0, 0),), place, time)
        for kind in scene.KINDS
        for colour in looks(kind)
        for place in scene.PLACES
        for time in scene.TIMES
    ]
    held_out = [one for one in every if scene.is_held_out(one)]
    assert len(held_out) * 8 == pytest.approx(len(every), rel=0.02)
    trained = [one for one in every if not scene.is_held_out(one)]
    assert {(one.things[0].kind, one.place) for one in trained} == set(product(scene.KINDS, scene.PLACES))
    any_colour = [[one for one in some if one.things[0].kind in scene.COLOURABLE] for some in (trained, held_out)]
    for some in any_colour:  # every word and every pair of them is trained on, and judged
        seen = {(one.things[0].kind, one.things[0].colour) for one in some}
        assert seen == set(product(scene.COLOURABLE, scene.COLOURS))
        assert {(one.things[0].kind, one.place) for one in some} == set(product(scene.COLOURABLE, scene.PLACES))
        assert {(one.things[0].colour, one.time) for one in some} == set(product(scene.COLOURS, scene.TIMES))
        assert {(one.place, one.time) for one in some} == set(product(scene.PLACES, scene.TIMES))
