"""The judge: what it reads in pictures and answers, against truths made by hand."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from edgevlo.picturebook.exercises.tasks import Sample
from edgevlo.picturebook.judging import judge
from edgevlo.picturebook.judging.judge import Box
from edgevlo.picturebook.world import atlas, scene_to_codes
from edgevlo.picturebook.world.palette import SEGMENT_COLOURS
from edgevlo.picturebook.world.scene import Scene, Thing

CAR, CAT = Thing("car", "red", 0, 1), Thing("cat", "blue", 1, 0, "green")
SCENE = Scene((CAT, CAR), "beach", "night", "rain")


def shown(scene: Scene) -> judge.RgbArray:
    return atlas.pixels(scene_to_codes.paint(scene))


def sample(task: str, **more: object) -> Sample:
    return replace(Sample(task, "en", "do it", scenes=(SCENE,)), **more)  # type: ignore[arg-type]


def test_a_cell_is_the_nearest_tile() -> None:
    codes = scene_to_codes.paint(SCENE)
    exact = atlas.pixels(codes)
    noise = np.random.default_rng(0).integers(-3, 4, exact.shape)

    np.testing.assert_array_equal(judge.cells(exact), codes)
    np.testing.assert_array_equal(judge.cells(np.clip(exact + noise, 0, 255).astype(np.uint8)), codes)


def test_one_wrong_object_is_seen() -> None:
    wrong = replace(SCENE, things=(CAT, replace(CAR, colour="blue")))
    painted = sample("paint", target=scene_to_codes.paint(SCENE))

    assert judge.score(painted, shown(SCENE))["all"] == [1]
    assert judge.score(painted, shown(wrong))["all"] == [0]
    assert judge.score(painted, shown(wrong))["colour"] == [0]
    assert judge.score(painted, shown(wrong))["kind"] == [1]


def test_what_an_edit_left_alone_is_counted_in_cells() -> None:
    after = replace(SCENE, things=(CAT, replace(CAR, colour="green")))
    edited = sample(
        "edit:recolour",
        sources=(scene_to_codes.paint(SCENE),),
        target=scene_to_codes.paint(after),
        scenes=(SCENE, after),
    )
    also_gone = replace(after, things=after.things[1:])  # the cat and its hat: 6 of the 60 cells to keep

    assert judge.score(edited, shown(after))["kept"] == [1]
    assert judge.score(edited, shown(SCENE))["kept"] == [1]
    assert judge.score(edited, shown(SCENE))["all"] == [0]
    assert judge.score(edited, shown(also_gone))["kept"] == [pytest.approx(54 / 60)]


def test_an_edit_that_changes_every_cell_keeps_nothing_to_be_counted() -> None:
    after = replace(SCENE, style="line", place="snow", time="day", weather="clear")
    edited = sample(
        "compound", sources=(scene_to_codes.paint(SCENE),), target=scene_to_codes.paint(after), scenes=(SCENE, after)
    )

    assert "kept" not in judge.score(edited, shown(after))


def test_segments_against_hand_computed_overlap() -> None:
    colours = {name: np.array(colour, np.uint8) for name, colour in SEGMENT_COLOURS.items()}
    wanted, got = (np.tile(colours["ground"], (16, 16, 1)) for _ in range(2))
    wanted[:, :8] = colours["car"]
    got[:, 4:8] = colours["car"]
    got[0, 0] = colours["sky"]  # a label that is not wanted scores 0

    assert judge.segment_score(wanted, wanted) == 1
    assert judge.segment_score(wanted, got) == pytest.approx((64 / 128 + 128 / 191 + 0) / 3)


def test_a_photo_of_many_colours_has_a_nearest_label_everywhere() -> None:
    """As the definition has it, and without a table of all pixels times all labels."""
    photo = np.random.default_rng(0).integers(0, 256, (256, 512, 3), dtype=np.uint8)
    palette = np.array([*SEGMENT_COLOURS.values()], int)
    some = photo[::32, ::32].astype(int)
    wanted = ((some[:, :, None] - palette) ** 2).sum(axis=-1).min(axis=-1)

    tracemalloc.start()
    found = judge.nearest_segment(photo)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(((some - palette[found[::32, ::32]]) ** 2).sum(axis=-1), wanted)
    assert peak < 100e6  # all at once would be 640 MB


def test_edges_against_hand_computed_f1() -> None:
    wanted, got = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16, 3), np.uint8)
    wanted[0, :8] = got[0, 4:16] = 255

    assert judge.edge_f1(wanted, wanted) == 1
    assert judge.edge_f1(wanted, got) == pytest.approx(2 * 4 / (8 + 12))
    assert judge.edge_f1(wanted, np.zeros_like(got)) == 0


def test_overlap_of_boxes() -> None:
    assert judge.overlap(Box("car", (0, 0, 2, 2)), Box("car", (1, 0, 3, 2))) == pytest.approx(2 / 6)
    assert judge.overlap(Box("car", (0, 0, 2, 2)), Box("car", (0, 0, 2, 3))) == pytest.approx(4 / 6)
    assert judge.overlap(Box("car", (0, 0, 2, 2)), Box("car", (2, 0, 4, 2))) == 0
    assert judge.overlap(Box("car", (0, 0, 2, 2)), Box("cat", (0, 0, 2, 2))) == 0


def test_boxes_are_matched_one_to_one() -> None:
    wanted = [Box("car", (0, 0, 2, 2)), Box("car", (4, 0, 6, 2)), Box("dog", (0, 6, 2, 8))]
    got = [Box("car", (0, 0, 2, 3)), Box("car", (4, 1, 6, 2)), Box("car", (0, 0, 2, 2)), Box("cat", (0, 6, 2, 8))]

    scores = judge.box_scores(wanted, got)

    assert scores["iou"] == [1, 0.5, 0]
    assert scores["found"] == [1, 0, 0]
    assert scores["extra"] == [3]
    assert scores["all"] == [0]


def test_nothing_wanted_and_nothing_said_is_right() -> None:
    detect = sample("detect", answer="none")
    assert judge.score(detect, "None ") == {"exact": [1], "all": [1], "iou": [], "found": [], "extra": [0]}
    assert judge.score(detect, "car 0 0 2 2")["extra"] == [1]
    assert judge.score(detect, "car 0 0 2 2")["all"] == [0]


@pytest.mark.parametrize("answer", ["cat 3 2 5 5; car 0 6 2 8", "猫 3 2 5 5；汽车 0 6 2 8"])
def test_told_boxes_are_those_of_the_scene(answer: str) -> None:
    assert judge.told_boxes(answer) == judge.true_boxes(SCENE)
    assert judge.told_boxes(answer + "; car 4 4; car 5 5 4 4") == judge.true_boxes(SCENE)


def test_frames_that_touch_are_read_apart() -> None:
    stack = Scene((Thing("dog", "red", 0, 0), Thing("cat", "red", 0, 1, "blue")), rows=8, columns=4)
    side = Scene((Thing("dog", "red", 0, 0), Thing("dog", "red", 1, 0)), rows=5, columns=4)
    for scene in (stack, side, SCENE):
        assert judge.drawn_boxes(atlas.pixels(scene_to_codes.boxes(scene))) == judge.true_boxes(scene)


def test_an_open_frame_is_none() -> None:
    boxes = sample("boxes", target=scene_to_codes.boxes(SCENE))
    open_ = scene_to_codes.boxes(SCENE)
    open_[4, 4] = atlas.CODE[("box-blank",)]  # a corner of the cat's
    other = scene_to_codes.boxes(SCENE)
    other[7, 0] = atlas.CODE["box", "dog", "bl"]  # of another kind
    cut = scene_to_codes.boxes(SCENE)
    cut[7] = atlas.CODE[("box-blank",)]

    assert judge.score(boxes, atlas.pixels(scene_to_codes.boxes(SCENE)))["iou"] == [1, 1]
    assert judge.score(boxes, atlas.pixels(open_))["iou"] == [0, 1]
    assert judge.score(boxes, atlas.pixels(other))["iou"] == [1, 0]
    assert judge.score(boxes, atlas.pixels(cut))["iou"] == [1, 0]
    assert judge.drawn_boxes(shown(SCENE)) == []


def test_answers_may_differ_in_case_and_space_only() -> None:
    asked = sample("ask:colour", answer="red")
    assert judge.score(asked, " Red\n") == {"all": [1]}
    assert judge.score(asked, "reddish") == {"all": [0]}
    assert judge.score(asked, "") == {"all": [0]}
