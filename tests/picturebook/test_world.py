"""The world: scenes, layouts, maps, edits and words are what they say they are."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from edgevlo.picturebook import (
    atlas,
    card,
    edits,
    held_out,
    judge,
    language,
    layout,
    phrases,
    prompts,
    questions,
    scene,
    tasks,
    words,
)
from edgevlo.picturebook.request import expanded
from edgevlo.picturebook.scene import Scene, Thing
from edgevlo.picturebook.voice import Voice

MIX = tasks.Mix(dict.fromkeys(tasks.TASKS, 1.0), (0.05, 0.5, 0.3, 0.15), (0.05, 0.4, 0.3, 0.15, 0.05, 0.05), 0.5)


def test_every_tile_has_one_name_and_fits_the_codebook() -> None:
    assert len(set(atlas.TILES)) == len(atlas.TILES) == 1685
    assert len(atlas.TILES) <= atlas.CODES == 2048


def test_tiles_differ_in_pixels() -> None:
    patches = atlas.tiles().reshape(len(atlas.TILES), -1)
    assert len(np.unique(patches, axis=0)) == len(patches)


@pytest.mark.parametrize("grid", [*scene.GRIDS, (5, 4)])
def test_slots_lie_inside_the_grid_and_apart(grid: tuple[int, int]) -> None:
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
    for _ in range(60):
        drawn = scene.sample_scene(rng, rng.randint(0, 4), rng.choice(scene.GRIDS), free_style=0.6, sign=0.2)
        reading = judge.read(atlas.pixels(layout.paint(drawn)))
        assert reading.strays == 0
        assert reading.scene == drawn
        assert judge.judge_scene(drawn, reading)["all"]


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
        verdict = judge.judge_scene(right, judge.read(atlas.pixels(layout.paint(other))))
        assert not verdict[attribute]
        assert not verdict["all"]


def test_a_torn_object_is_no_object() -> None:
    codes = layout.paint(Scene((Thing("car", "red", 1, 1),)))
    codes[6, 3] = atlas.CODE["object", "meadow", "car", "blue", "tl"]
    reading = judge.read_cells(codes)
    assert reading.scene.things == ()
    assert reading.strays == 4


def test_what_belongs_to_no_scene_is_a_stray_in_sky_and_horizon_too() -> None:
    shown = Scene((Thing("car", "red", 1, 1),), weather="rain", sign="cafe")
    sky, horizon = layout.paint(shown), layout.paint(shown)
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
        for draw in (layout.segmentation, layout.edges, layout.boxes):
            np.testing.assert_array_equal(draw(one), draw(other))


def test_boxes_hold_the_hat() -> None:
    hatted = Scene((Thing("cat", "red", 1, 0, "blue"),))
    bare = Scene((Thing("cat", "red", 1, 0),))
    assert layout.box_of(hatted, hatted.things[0]) == (3, 2, 5, 5)
    assert layout.box_of(bare, bare.things[0]) == (3, 3, 5, 5)
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


def _normalised(form: str) -> str:
    """A form with its gaps filled alike, without capitals, punctuation and double spaces."""
    filled = re.sub(r"{\w+}", " x ", form.lower()).replace("color", "colour")
    return " ".join(re.sub(r"[^\w\s]", " ", filled).split())


@pytest.mark.parametrize("tongue", words.LANGUAGES)
def test_sentence_forms_for_judging_are_no_training_forms(tongue: str) -> None:
    assert len(phrases.REQUESTS) == 32
    for name, request in phrases.REQUESTS.items():
        trained = request.forms(tongue)
        assert len(set(trained)) == len(trained) >= 45, name
        assert len(set(request.held_out[tongue])) == len(request.held_out[tongue]) == 5, name
        assert not set(map(_normalised, trained)) & set(map(_normalised, request.held_out[tongue])), name
        assert request.held_out is getattr(held_out, name)


def test_a_voice_asks_in_the_forms_of_its_side() -> None:
    trained, judged = Voice(Random(0), "en"), Voice(Random(0), "en", held_out=True)
    assert {trained.pick(phrases.RECOLOUR) for _ in range(6000)} == set(phrases.RECOLOUR.forms("en"))
    assert {judged.pick(phrases.RECOLOUR) for _ in range(300)} == set(held_out.RECOLOUR["en"])


def test_a_form_stands_for_its_alternatives() -> None:
    assert expanded("[make|paint] {name} [|all ]{word}") == (
        "make {name} {word}",
        "make {name} all {word}",
        "paint {name} {word}",
        "paint {name} all {word}",
    )


def test_training_asks_word_for_word_what_tools_send() -> None:
    abilities = card.task_card()["abilities"]
    sent = {name: abilities[name]["request"]["text"] for name in ("detect", "edges", "boxes")}
    sent["segmentation"] = abilities["segment"]["request"]["text"]
    assert {name: text.replace("{names}", "{objects}") for name, text in phrases.USUAL.items()} == sent
    rng = Random(0)
    for name, text in phrases.USUAL.items():
        mix = tasks.Mix({name: 1.0}, seen=(0.0, 1.0))
        asked = [tasks.TASKS[name](Voice(rng, "en"), mix).instruction for _ in range(300)]
        assert sum(one.startswith(text.partition("{")[0]) for one in asked) > 20, name


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("tongue", words.LANGUAGES)
def test_a_prompt_says_what_the_scene_shows(tongue: str, held: bool) -> None:
    rng = Random(9)
    spoken = {
        "en": ("sun", "dusk", "evening", "twilight"),
        "zh": ("日落", "黄昏", "傍晚", "夕阳", "落日", "太阳", "落下"),
    }
    for _ in range(300):
        drawn = replace(scene.sample_scene(rng, 2, sign=0.5, distinct_kinds=1.0), time="sunset")
        text = prompts.prompt(drawn, tongue, rng, language.Said(), held_out=held).lower()
        assert not set("[]{}") & set(text)
        assert any(word in text for word in spoken[tongue]), text
        assert drawn.sign is None or f'"{drawn.sign}"' in text
        for thing in drawn.things:
            assert any(name in text for name in words.KIND[tongue][thing.kind]), text
            colours = [name.removesuffix("色") for name in words.COLOUR[tongue][thing.colour]]
            assert any(name in text for name in colours), text
            assert any(name in text for name in words.COLUMN[tongue][scene.column_name(drawn, thing)]), text


def test_names_in_a_detection_may_be_of_the_other_language() -> None:
    shown = Scene((Thing("car", "red", 0, 1),))
    for tongue, other in (("en", "汽车"), ("zh", "car")):
        asked = [questions.detect(Voice(Random(seed), tongue), shown) for seed in range(400)]
        foreign = [answer for text, answer in asked if other in text.split() or (tongue == "en" and other in text)]
        assert foreign
        assert set(foreign) == {questions.detection(shown, tongue)}


@pytest.mark.parametrize("tongue", words.LANGUAGES)
def test_what_is_left_unsaid_has_one_meaning(tongue: str) -> None:
    rng = Random(8)
    said = language.Said(depth=False)
    for _ in range(200):
        drawn = scene.sample_scene(rng, 2, distinct_kinds=1.0)
        for thing in drawn.things:
            back = scene.depth_name(drawn, thing) == "back"
            spoken = language.position(drawn, thing, tongue, said, rng)
            assert back == any(word in spoken for word in words.DEPTH[tongue]["back"])
        slot = edits.default_slot(drawn)
        assert slot is not None
        assert slot[0] == 1 or all(depth == 0 for depth, _ in scene.free_slots(drawn))


def test_one_in_eight_combinations_is_held_out() -> None:
    combinations = [
        Scene((Thing(kind, colour, 0, 0),), place, time)
        for kind in scene.KINDS
        for colour in scene.COLOURS
        for place in scene.PLACES
        for time in scene.TIMES
    ]
    assert sum(map(scene.is_held_out, combinations)) * 8 == len(combinations)


def test_both_languages_name_everything() -> None:
    for table in (
        words.KIND,
        words.COLOUR,
        words.PLACE,
        words.PLACE_NOUN,
        words.TIME,
        words.WEATHER,
        words.STYLE,
        words.COLUMN,
    ):
        assert set(table) == set(words.LANGUAGES)
        assert set(table["en"]) == set(table["zh"])


def test_the_caption_says_everything() -> None:
    shown = Scene((Thing("dog", "blue", 0, 1, "red"),), "beach", "sunset", "rain", "line", "cafe")
    assert language.caption(shown, "en") == (
        "a blue dog with a red hat on the left at the front, on the beach, at sunset, in the rain, line art, "
        'sign "cafe"'
    )
    assert language.caption(shown, "zh") == '左边前面有一只戴红色帽子的蓝色狗，海边，日落，下雨，线稿，牌子"cafe"'
