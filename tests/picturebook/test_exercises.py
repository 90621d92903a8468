"""Exercises: how they are packed, what is asked of each, and where the weight of a sequence lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

from edgevlo.picturebook.exercises import auxiliary, emphasis, questions, tasks, text_tokenizer
from edgevlo.picturebook.exercises.pack import Pack, packed
from edgevlo.picturebook.exercises.sequence import Encoder
from edgevlo.picturebook.language.naming import caption as caption_of
from edgevlo.picturebook.training.curriculum import STAGES
from edgevlo.picturebook.training.feed import Feed, strangers, stream
from edgevlo.picturebook.world import scene, scene_to_codes

CHECKPOINT = Path(__file__).parents[2] / "picturebook" / "checkpoint"


def paints(pack: Pack[Any]) -> int:
    """How many exercises of a pack have no picture but the one that is painted."""
    openers = np.split(pack.ids == text_tokenizer.IMAGE_START, pack.starts[1:-1])
    return sum(int(opener.sum()) == 1 for opener in openers) - int((pack.ids == text_tokenizer.ANSWER).sum())


def test_feeders_draw_packs_of_the_stage_that_is_on() -> None:
    feed, stage = Feed(Encoder(text_tokenizer.train(samples=500)), 1, 1000), torch.tensor([0]).share_memory_()  # type: ignore[no-untyped-call]
    for feeders in (0, 1):
        steps = stream(feed, stage, feeders)
        pack = next(steps)
        assert len(pack.ids) == len(pack.places) == 1000
        assert not (pack.ids == text_tokenizer.ANSWER).any()
        assert paints(pack) >= len(pack.starts) - 2  # all but the padding
    stage += 1
    later = [next(steps) for _ in range(30)]
    assert any((pack.ids == text_tokenizer.ANSWER).any() for pack in later)
    assert sum(map(paints, later)) < 0.5 * sum(len(pack.starts) for pack in later)


def test_packs_lose_nothing_and_are_nearly_full() -> None:
    feed = Feed(Encoder(text_tokenizer.load(CHECKPOINT)), 1, 2400)
    packs = [feed(STAGES[1].mix) for _ in range(20)]
    assert sum(int((pack.ids != text_tokenizer.PAD).sum()) for pack in packs) > 0.9 * 20 * 2400
    again = Feed(Encoder(text_tokenizer.load(CHECKPOINT)), 1, 2400)
    drawn = np.concatenate([again.drawn(STAGES[1].mix).ids for _ in range(100)])
    assert (np.concatenate([pack.ids[pack.ids != text_tokenizer.PAD] for pack in packs])[: len(drawn)] == drawn).all()


def test_a_pack_asks_what_its_exercises_ask() -> None:
    encoder = Encoder(text_tokenizer.load(CHECKPOINT))
    drawn = [encoder(tasks.sample(Random(seed), STAGES[1].mix)) for seed in range(6)]
    pack = packed(drawn, 2000)
    assert pack.longest == 2000 - sum(len(one.ids) for one in drawn)  # the padding
    start = 0
    for one in drawn:
        for asked, first in ((pack.codes, text_tokenizer.TEXT_TOKENS), (pack.words, 0)):
            here = (asked.at >= start) & (asked.at < start + len(one.ids))
            tokens = asked.at[here] - start + 1
            assert (asked.answer[here] + first == one.ids[tokens]).all()
            assert (asked.weight[here] == one.weights[tokens]).all()
        for place, aside in enumerate(pack.aside):
            here = (aside.at >= start) & (aside.at < start + len(one.ids))
            assert (aside.answer[here] == one.auxiliary[aside.at[here] - start, place]).all()
            assert here.sum() == (one.auxiliary[:, place] != auxiliary.NONE).sum()
        assert (pack.places[start : start + len(one.ids)] == np.arange(len(one.ids))).all()
        start += len(one.ids)
    assert len(pack.codes.at) + len(pack.words.at) == sum(int((one.weights > 0).sum()) for one in drawn)


def test_weights_are_heaviest_where_something_is_decided_whatever_the_outcome() -> None:
    before = scene.Scene((scene.Thing("car", "red", 0, 0), scene.Thing("dog", "blue", 2, 1, "green")), sign="ab")
    after = scene.with_thing(before, before.things[0], replace(before.things[0], colour="yellow"))
    decisions = {(row, column) for row in (2, 3, 5, 6) for column in (0, 3, 6)} | {(0, 0), (1, 0), (1, 1)}
    for weights in (
        emphasis.painted(before),
        emphasis.painted(scene.Scene()),
        emphasis.edited(after, scene_to_codes.paint(before), scene_to_codes.paint(after)),
    ):
        assert {(row, column) for row, column in np.argwhere(weights == emphasis.DECIDING)} == decisions
    assert emphasis.painted(before)[1, 2:4].tolist() == [emphasis.LETTER] * 2  # b, and the end of the sign
    assert weights[3:5, :2].reshape(-1).tolist() == [emphasis.DECIDING] + [emphasis.CHANGED] * 3


def test_of_two_pictures_the_changed_one_is_compared() -> None:
    encoder = Encoder(text_tokenizer.train(samples=500))
    giver, taker = scene.Scene((scene.Thing("car", "red", 0, 0),)), scene.Scene((scene.Thing("dog", "blue", 2, 1),))
    target = scene.with_thing(taker, None, giver.things[0])
    for pair in ((giver, taker), (taker, giver)):
        grids = (scene_to_codes.paint(pair[0]), scene_to_codes.paint(pair[1]))
        made = encoder(tasks.Sample("fetch", "en", "", grids, scene_to_codes.paint(target), None, (*pair, target)))
        assert (made.weights == emphasis.CHANGED).sum() == 3


def test_cells_are_asked_where_they_lie_and_what_becomes_of_them() -> None:
    before = scene.Scene((scene.Thing("car", "red", 0, 0), scene.Thing("dog", "blue", 2, 1)))
    after = scene.with_thing(before, before.things[0], None)
    source, target = scene_to_codes.paint(before), scene_to_codes.paint(after)
    encoder = Encoder(text_tokenizer.load(CHECKPOINT))
    made = encoder(tasks.Sample("edit", "en", "x", (source,), target, scenes=(before, after)))
    asked = made.auxiliary[made.ids >= text_tokenizer.TEXT_TOKENS].reshape(2, 8, 8, -1)
    places = dict(zip(auxiliary.KINDS, np.moveaxis(asked, -1, 0), strict=True))
    for picture in range(2):
        assert places["row"][picture, 6].tolist() == [6] * 8
        assert places["column"][picture, 6].tolist() == list(range(8))
        assert places["slot"][picture, 6].tolist() == [0, 0, 3, 1, 1, 3, 2, 2]
        assert places["depth"][picture, :, 0].tolist() == [8, 8, 0, 0, 0, 1, 1, 1]
    assert (places["changed"][0] == (source != target)).all()
    assert {tuple(cell) for cell in np.argwhere(places["result"][0] >= 0)} == {
        (row, column) for top, left in ((3, 0), (6, 6)) for row in (top, top + 1) for column in (left, left + 1)
    }
    assert places["result"][0, 3, 0] == target[3, 0]
    assert (places["changed"][1] == auxiliary.NONE).all()  # nothing becomes of a target
    assert (made.auxiliary[made.ids < text_tokenizer.TEXT_TOKENS] == auxiliary.NONE).all()


def told_of(sample: tasks.Sample, kind: str = "told column") -> dict[str, list[tuple[int, int]]]:
    """What each object's part of the answer is asked for: its words -> (column slot, depth) of every token."""
    encoder = Encoder(text_tokenizer.load(CHECKPOINT))
    made = encoder(sample)
    found: dict[str, list[tuple[int, int]]] = {}
    for before, token in zip(made.auxiliary[:-1], made.ids[1:], strict=True):
        slot = (int(before[auxiliary.PLACE[kind]]), int(before[auxiliary.PLACE[kind] + 1]))
        word = encoder.tokenizer.decode([int(token)], skip_special_tokens=False).strip()
        found.setdefault(word, []).append(slot)
    return found


def test_an_answer_is_asked_of_which_object_it_tells() -> None:
    car, dog = scene.Thing("car", "red", 0, 0), scene.Thing("dog", "blue", 2, 1, "green")
    seen = scene.Scene((car, dog))
    grid, nothing = scene_to_codes.paint(seen), (auxiliary.NONE, auxiliary.NONE)
    for language, first, second in (("en", "car", "dog"), ("zh", "汽车", "狗")):
        answer = questions.detection(seen, language)
        told = told_of(tasks.Sample("detect", language, "x", (grid,), answer=answer, scenes=(seen,)))
        assert (told[first], told[second], told[";"]) == ([(0, 0)], [(2, 1)], [nothing])
        caption = tasks.Sample(
            "ask:describe", language, "x", (grid,), answer=caption_of(seen, language), scenes=(seen,)
        )
        told = told_of(caption)
        assert (told[first], told[second]) == ([(0, 0)], [(2, 1)])
        assert told["<eos>"] == [nothing]
    for question in ("where is the dog?", "what colour is the hat of the dog?"):
        told = told_of(tasks.Sample("ask:where", "en", question, (grid,), answer="green", scenes=(seen,)))
        assert {slot for slots in told.values() for slot in slots} == {(2, 1), nothing}
        assert told["<eos>"] == [nothing]
    other = scene.with_thing(seen, dog, None)
    pair = (grid, scene_to_codes.paint(other))
    told = told_of(
        tasks.Sample("compare", "en", "x", pair, answer="the blue dog is gone", scenes=(seen, other)),
        "differing column",
    )
    assert told["gone"] == [(2, 1)]


def test_of_two_pictures_the_giver_shows_what_is_taken_and_the_taker_what_it_becomes() -> None:
    dog = scene.Thing("dog", "blue", 2, 1, "green")
    giver, taker = scene.Scene((dog,), place="beach"), scene.Scene((scene.Thing("car", "red", 0, 0),))
    new = scene.with_thing(taker, None, dog)
    encoder = Encoder(text_tokenizer.load(CHECKPOINT))
    for pair in ((giver, taker), (taker, giver)):
        grids = (scene_to_codes.paint(pair[0]), scene_to_codes.paint(pair[1]))
        made = encoder(tasks.Sample("fetch", "en", "x", grids, scene_to_codes.paint(new), scenes=(*pair, new)))
        asked = made.auxiliary[made.ids >= text_tokenizer.TEXT_TOKENS].reshape(3, 8, 8, -1)
        at, to = pair.index(giver), pair.index(taker)
        assert {(r, c) for r, c in np.argwhere(asked[at, ..., auxiliary.PLACE["changed"]] == 1)} == {
            (row, column) for row in (5, 6, 7) for column in (6, 7)
        }
        assert (asked[at, ..., auxiliary.PLACE["result"]] == auxiliary.NONE).all()
        origin = asked[2, :, :, auxiliary.PLACE["origin column"]]
        assert {(r, c) for r, c in np.argwhere(origin >= 0)} == {
            (row, column)
            for row in (5, 6, 7)
            for column in (5, 6)  # each before the one that it tells of
        }
        assert asked[to, 6, 6, auxiliary.PLACE["result"]] == scene_to_codes.paint(new)[6, 6]


def test_a_moved_object_is_asked_where_it_comes_from() -> None:
    car, dog = scene.Thing("car", "red", 0, 0), scene.Thing("dog", "blue", 2, 1, "green")
    before = scene.Scene((car, dog))
    after = scene.with_thing(before, dog, replace(dog, column=0))
    encoder = Encoder(text_tokenizer.load(CHECKPOINT))
    made = encoder(
        tasks.Sample(
            "edit:move", "en", "x", (scene_to_codes.paint(before),), scene_to_codes.paint(after), scenes=(before, after)
        )
    )
    asked = made.auxiliary[:, auxiliary.PLACE["origin column"] : auxiliary.PLACE["origin depth"] + 1]
    told = made.ids[1:][asked[:-1, 0] >= 0]  # the tokens that follow those which are asked
    assert sorted(told) == sorted(scene_to_codes.paint(after)[5:, :2].reshape(-1) + text_tokenizer.TEXT_TOKENS)
    assert {tuple(row) for row in asked[asked[:, 0] >= 0]} == {(2, 1)}
    added = scene.with_thing(before, None, replace(car, column=1))  # alike, but the first has not moved
    made = encoder(
        tasks.Sample(
            "edit:add", "en", "x", (scene_to_codes.paint(before),), scene_to_codes.paint(added), scenes=(before, added)
        )
    )
    assert (made.auxiliary[:, auxiliary.PLACE["origin column"]] == auxiliary.NONE).all()


def test_strange_tokens_are_strange_and_stay_out_of_quotes() -> None:
    encoder = Encoder(text_tokenizer.load(CHECKPOINT))
    known = {
        token for words in ("night", "no", "two", "first", "把", "红", "第", "7", "q") for token in encoder.text(words)
    }
    assert len(strangers(encoder)) > 200
    assert not known.intersection(strangers(encoder))
    picture = scene_to_codes.paint(scene.Scene())
    sample = tasks.Sample("ask", "en", 'add the word "2tl759" now', (picture,), answer="yes", scenes=(scene.Scene(),))
    feed, inside = Feed(encoder, 1, 300), encoder.text('"2tl759"')
    for _ in range(200):
        strewn = feed.strewn(encoder(sample))
        ids = strewn.ids.tolist()
        asked, cells = strewn.auxiliary[:, auxiliary.PLACE["column"]], strewn.ids >= text_tokenizer.TEXT_TOKENS
        assert (asked[cells] >= 0).all()
        letters = (asked >= 0) & ~cells
        assert asked[letters].tolist() == list(range(6))
        assert encoder.tokenizer.decode(strewn.ids[letters].tolist()) == "2tl759"
        assert any(ids[start : start + len(inside)] == inside for start in range(len(ids)))
