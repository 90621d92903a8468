"""Whole words: which are one token, and where their vectors start."""

from __future__ import annotations

import json
from functools import lru_cache

import pytest
import torch
from tokenizers import Tokenizer

from edgevlo.picturebook.exercises import text_tokenizer
from edgevlo.picturebook.language.lexicon import lexicon
from edgevlo.picturebook.language.noise import simplified
from edgevlo.picturebook.model.new_model import with_words
from edgevlo.picturebook.vocabulary import meaning, names
from edgevlo.picturebook.world.atlas import CODES
from edgevlo.picturebook.world.scene import KINDS

WIDTH = 64


@lru_cache
def wide() -> Tokenizer:
    return text_tokenizer.train(samples=500)


@lru_cache
def narrow() -> Tokenizer:
    return text_tokenizer.spelling(wide())


def tokens(text: str) -> list[str]:
    return list(wide().encode(text, add_special_tokens=False).tokens)


def test_every_name_of_one_word_is_one_token_alone_and_in_a_sentence() -> None:
    for kind in KINDS:
        for name in lexicon("en").said["kind", "one", kind]:
            if name.isascii() and name.isalpha():
                assert len(tokens(name)) == 1, name
                assert len(tokens(f"a {name}")) == 2, name
        for name in lexicon("zh").said["kind", "one", kind]:
            if "".join(simplified().get(letter, letter) for letter in name) in names.chinese():
                assert len(tokens(f"，{name}")) == 2, name
    assert len(tokens("🐶🐱🌳")) == 3


def test_a_whole_word_is_none_inside_another() -> None:
    assert "cat" not in tokens("catastrophe")
    assert tokens("猫头鹰")[0] == tokens("画猫头鹰")[1]


@pytest.mark.parametrize(
    "text", ["a dachshund and 2 cars, hot dog!", "画一只柴犬，在海边", 'sign "hi 5" 🚗', "xyzzy qwop"]
)
def test_text_comes_back_whether_spelt_or_not(text: str) -> None:
    for tokenizer in (wide(), narrow()):
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids).strip() == text
    assert len(tokens(text)) <= len(narrow().encode(text, add_special_tokens=False).ids)


def test_traditional_characters_and_shades_of_emoji_are_read_as_the_usual_ones() -> None:
    assert tokens("一只貓") == tokens("一只猫")
    assert tokens("👩🏽") == tokens("👩")


def test_a_name_starts_near_the_usual_name_of_what_it_says() -> None:
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(wide().get_vocab_size(), WIDTH, generator=generator)
    words = [" dachshund", " tabby", "柴犬", " piano", " sunglasses"]
    rows = meaning.starting_rows(words, narrow(), table, 0)
    usual = {
        name: table[narrow().encode(name, add_special_tokens=False).ids].mean(0) for name in (" dog", " cat", "狗")
    }
    near = {
        word: max(usual, key=lambda name: float(torch.cosine_similarity(row, usual[name], dim=0)))
        for word, row in zip(words, rows, strict=True)
    }
    assert (near[" dachshund"], near[" tabby"], near["柴犬"]) == (" dog", " cat", "狗")
    both = torch.cosine_similarity(rows[3], rows[4], dim=0)
    assert 0.3 < both < 0.9  # alike, and still to be told apart


def test_a_model_that_is_widened_keeps_what_it_has() -> None:
    known = text_tokenizer.PIECES
    pieces = Tokenizer.from_str(_without_words(wide()))
    table = torch.randn(known + CODES, WIDTH)
    wider = with_words({"embed_tokens.weight": table}, pieces, wide(), 0)["embed_tokens.weight"]
    assert wider.shape == (text_tokenizer.VOCABULARY, WIDTH)
    assert torch.equal(wider[:known], table[:known])
    assert torch.equal(wider[text_tokenizer.TEXT_TOKENS :], table[known:])


def _without_words(tokenizer: Tokenizer) -> str:
    made = json.loads(tokenizer.to_str())
    made["model"]["vocab"] = {word: at for word, at in made["model"]["vocab"].items() if at < text_tokenizer.PIECES}
    return json.dumps(made)
