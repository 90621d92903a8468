"""The picture tokenizer is lossless, the text tokenizer takes any text, sequences have the agreed form."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgevlo.picturebook.exercises import (  # noqa: E402
    emphasis,
    sequence,
    tasks,
    text_tokenizer,
)
from edgevlo.picturebook.model import vq  # noqa: E402
from edgevlo.picturebook.world import atlas, scene, scene_to_codes  # noqa: E402
from edgevlo.picturebook.world.basis import Basis, unshuffled  # noqa: E402
from edgevlo.picturebook.world.scene import Scene, Thing  # noqa: E402


@pytest.fixture(scope="module")
def picture_tokenizer() -> Any:
    return vq.build(Basis.load())


@pytest.fixture(scope="module")
def encoder() -> sequence.Encoder:
    return sequence.Encoder(text_tokenizer.train(samples=4000))


def test_the_atlas_is_what_the_basis_gives() -> None:
    basis = Basis.load()
    np.testing.assert_array_equal(basis.tiles(), atlas.tiles())
    assert basis.margin() > 0.04


def test_every_tile_survives_the_round_trip(picture_tokenizer: Any) -> None:
    every = np.zeros((160, 88), np.int32)
    every.reshape(-1)[: len(atlas.TILES)] = range(len(atlas.TILES))
    for codes in every.reshape(8, 20, 88):
        pixels = atlas.pixels(codes)
        np.testing.assert_array_equal(vq.encode(picture_tokenizer, pixels), codes)
        np.testing.assert_array_equal(vq.decode(picture_tokenizer, codes), pixels)


def test_the_search_tells_every_tile_from_every_other() -> None:
    """A tile's signals lie far nearer to its own code than to any other's."""
    basis = Basis.load()
    searched = vq.search_signals(len(basis.vectors))
    signals = ((unshuffled(basis.tiles()) - basis.mean) @ basis.vectors.T)[:, :searched]
    codes = basis.coefficients[:, :searched]
    own = np.sqrt(((codes - signals) ** 2).sum(axis=1))
    squares = (codes**2).sum(axis=1)
    for start in range(0, len(codes), 1024):
        some = signals[start : start + 1024]
        distances = squares - 2 * some @ codes.T + (some**2).sum(axis=1)[:, None]
        distances[range(len(some)), range(start, start + len(some))] = np.inf
        assert (own[start : start + len(some)] ** 2 / distances.min(axis=1)).max() < 0.25**2


def test_scenes_of_any_size_survive_the_round_trip(picture_tokenizer: Any) -> None:
    rng = Random(1)
    for grid in ((8, 8), (5, 24), (6, 5), (12, 12), (24, 6), (5, 4)):
        drawn = scene.sample_scene(rng, 3, grid, free_style=0.6, sign=0.5)
        for draw in (scene_to_codes.paint, scene_to_codes.segmentation, scene_to_codes.edges, scene_to_codes.boxes):
            codes = draw(drawn)
            pixels = atlas.pixels(codes)
            np.testing.assert_array_equal(vq.encode(picture_tokenizer, pixels), codes)
            np.testing.assert_array_equal(vq.decode(picture_tokenizer, codes), pixels)


def test_a_photo_becomes_a_mosaic_of_known_tiles(picture_tokenizer: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    codes = vq.encode(picture_tokenizer, noise)
    assert codes.shape == (4, 6)
    assert codes.max() < len(atlas.TILES)


def test_known_words_are_single_tokens(encoder: sequence.Encoder) -> None:
    split = encoder.tokenizer.encode("a red car on the beach at sunset", add_special_tokens=False).tokens
    assert len(split) == 8
    assert len(encoder.text("海边的红色汽车")) == 4


@pytest.mark.parametrize(
    "text",
    ["cat", "Cat!", "(cat)", "🐟cat", "画一只cat", "a dog,cat", "dog/cat", "red-cat", "a big\n\tcat", "#cat", "  cat"],
)
def test_a_word_is_the_same_token_wherever_it_begins(encoder: sequence.Encoder, text: str) -> None:
    """One that begins a request is not to be learned anew."""
    (word,) = encoder.text("a cat")[1:]
    assert word in encoder.text(text)


def test_letters_and_chinese_get_no_space(encoder: sequence.Encoder) -> None:
    for text in ('"leo2go"', "写着", "8*8", "红色的车"):
        assert not any("Ġ" in token for token in encoder.tokenizer.encode(text, add_special_tokens=False).tokens)
    assert encoder.text("don’t") == encoder.text("don't")
    assert encoder.text("café") == encoder.text(" café")


def test_any_text_comes_back(encoder: sequence.Encoder) -> None:
    for line in ("zebra ☃ 恐龙 naïve", 'a sign that says "hello9"', "牌子上写着"):
        assert encoder.tokenizer.decode(encoder.text(line)).strip() == line


def test_a_quoted_word_is_spelled(encoder: sequence.Encoder) -> None:
    assert encoder.tokenizer.encode("“Cafe”", add_special_tokens=False).tokens == ['"', "c", "a", "f", "e", '"']


@pytest.mark.parametrize(
    ("told", "quoted"),
    [
        ("a shop with a sign that says LEO on it", 'a shop with a sign that says "LEO" on it'),
        ("the sign should read HI5!", 'the sign should read "HI5"!'),
        ("牌子上写ＯＫ，旁边一只狗", '牌子上写"OK"，旁边一只狗'),
        ("夜里，招牌上是 TAXI 四个字母", '夜里，招牌上是 "TAXI" 四个字母'),
    ],
)
def test_what_a_sign_says_in_capitals_is_read_as_a_quoted_word(
    encoder: sequence.Encoder, told: str, quoted: str
) -> None:
    assert encoder.text(told) == encoder.text(quoted)


@pytest.mark.parametrize(
    "text", ["HUSKY BLIZZARD NIGHT", 'a sign that says "GO HOME" at night', "my mom says I may", "a BLUE dog", "says A"]
)
def test_other_capitals_are_no_sign(encoder: sequence.Encoder, text: str) -> None:
    assert encoder.text(text) == encoder.text(text.lower())


def test_visual_tokens_follow_the_text_in_code_order(encoder: sequence.Encoder) -> None:
    vocabulary = text_tokenizer.vocabulary_map(encoder.tokenizer)
    assert vocabulary["<|visual token 000000|>"] == text_tokenizer.TEXT_TOKENS
    last = atlas.CODES - 1
    assert vocabulary[f"<|visual token {last:06d}|>"] == text_tokenizer.TEXT_TOKENS + last
    assert [vocabulary[name] for name in text_tokenizer.SPECIALS] == list(range(len(text_tokenizer.SPECIALS)))


def test_a_painting_exercise_has_the_agreed_form(encoder: sequence.Encoder) -> None:
    shown = Scene((Thing("car", "red", 0, 0),), rows=5, columns=4)
    made = encoder(tasks.Sample("paint", "en", "a red car", (), scene_to_codes.paint(shown), None, (shown,)))
    ids = made.ids.tolist()
    opener = [text_tokenizer.IMAGE_START, *encoder.text("5*4"), text_tokenizer.IMAGE_TOKEN]
    prompt = [text_tokenizer.BOS, *encoder.text("a red car"), *opener]
    assert ids[: len(prompt)] == prompt
    body = np.asarray(ids[len(prompt) : len(prompt) + 25]).reshape(5, 5)
    np.testing.assert_array_equal(body[:, :4] - text_tokenizer.TEXT_TOKENS, scene_to_codes.paint(shown))
    assert set(body[:, 4]) == {text_tokenizer.ROW_END}
    assert ids[-3:] == [text_tokenizer.PICTURE_END, text_tokenizer.IMAGE_END, text_tokenizer.EOS]
    weights = made.weights[len(prompt) : len(prompt) + 25].reshape(5, 5)
    assert set(weights[:, 4]) == {0.0}
    assert weights[3, 0] == emphasis.DECIDING  # the rest of a thing follows from its first cell
    assert (weights[3:5, 1] == emphasis.FOLLOWING).all()


def test_an_answer_follows_its_mark(encoder: sequence.Encoder) -> None:
    shown = Scene((Thing("car", "red", 0, 0),), rows=5, columns=4)
    made = encoder(
        tasks.Sample("ask", "en", "what colour is the car?", (scene_to_codes.paint(shown),), None, "red", (shown,))
    )
    answer = [*encoder.text("red"), text_tokenizer.EOS]
    assert made.ids.tolist()[-len(answer) - 1 :] == [text_tokenizer.ANSWER, *answer]
    assert (made.weights > 0).sum() == len(answer)
