from pathlib import Path

import numpy as np
import pytest
from toy_bundle import IMAGES, TEXT, token
from toy_reference import FIRST_TOKEN, VOCABULARY, ids

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.generate.prompts import Features, PromptWriter, check_text, stacked
from edgevlo.runtime.manifest.prompts import ImageBlock, Piece
from edgevlo.runtime.pictures.sizes import Shape
from edgevlo.runtime.tokenizer.text_tokenizer import TextTokenizer

OPEN = (token("<image>"), Piece(field="rows"), Piece(text="*"), Piece(field="columns"), token("<grid>"))


@pytest.fixture
def tokenizer(toy: Path) -> TextTokenizer:
    return TextTokenizer(toy / "tokenizer.json")


def writer(tokenizer: TextTokenizer, *, suffix_last_row: bool = True) -> PromptWriter:
    block = ImageBlock(open=OPEN, row_suffix=("<eol>",), suffix_last_row=suffix_last_row, close=("<eoi>",))
    return PromptWriter(tokenizer, block, FIRST_TOKEN)


def test_a_prompt_is_its_pieces_in_order(tokenizer: TextTokenizer) -> None:
    pieces = (token("<bos>"), Piece(text="a "), TEXT, token("<eos>"))

    assert writer(tokenizer).prompt(pieces, "red car", []) == ids("<bos> a red car <eos>")


def test_neighbouring_text_is_encoded_in_one_go(tokenizer: TextTokenizer) -> None:
    assert writer(tokenizer).prompt((Piece(text="tr"), TEXT), "ee", []) == ids("tree")


def test_the_opener_names_rows_and_columns_in_the_manifests_order(tokenizer: TextTokenizer) -> None:
    assert writer(tokenizer).opener(Shape(rows=4, columns=12)) == ids("<image> 4 * 1 2 <grid>")


@pytest.mark.parametrize(("suffix_last_row", "last"), [(True, "<eol> <eoi>"), (False, "<eoi>")])
def test_a_source_picture_stands_as_it_would_have_been_painted(
    tokenizer: TextTokenizer, suffix_last_row: bool, last: str
) -> None:
    codes = np.array([[3, 1], [0, 26]], dtype=np.int32)

    found = writer(tokenizer, suffix_last_row=suffix_last_row).prompt((IMAGES, TEXT), "red", [codes])

    first_row = [FIRST_TOKEN + 3, FIRST_TOKEN + 1, *ids("<eol>")]
    second_row = [FIRST_TOKEN, FIRST_TOKEN + 26, *ids(last)]
    assert found == [*ids("<image> 2 * 2 <grid>"), *first_row, *second_row, *ids("red")]


def test_several_pictures_stand_in_the_given_order(tokenizer: TextTokenizer) -> None:
    one, two = np.array([[1]], dtype=np.int32), np.array([[2, 2]], dtype=np.int32)

    found = writer(tokenizer).prompt((IMAGES,), "", [one, two])

    closed = ids("<eol> <eoi>")
    assert found == [
        *ids("<image> 1 * 1 <grid>"), FIRST_TOKEN + 1, *closed,
        *ids("<image> 1 * 2 <grid>"), FIRST_TOKEN + 2, FIRST_TOKEN + 2, *closed,
    ]  # fmt: skip


def seeing(tokenizer: TextTokenizer) -> PromptWriter:
    """Return the writer of a model that reads pictures as features."""
    block = ImageBlock(open=(token("<image>"),), close=("<eoi>",), features="vision_encoder", separator=" on ")
    return PromptWriter(tokenizer, block, FIRST_TOKEN, pad="<eos>")


def test_features_stand_between_opener_and_closer_and_are_counted_from_minus_1(tokenizer: TextTokenizer) -> None:
    two, three = Features(np.zeros((2, 16), np.float32)), Features(np.ones((3, 16), np.float32))

    found = seeing(tokenizer).prompt((token("<bos>"), IMAGES, TEXT), "red", [two, three])

    assert found == [
        *ids("<bos>"),
        *ids("<image>"), -1, -2, *ids("<eoi>"),
        *ids("on"),
        *ids("<image>"), -3, -4, -5, *ids("<eoi>"),
        *ids("red"),
    ]  # fmt: skip
    rows = stacked([two, three])
    assert rows is not None
    assert rows[:, 0].tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize("pad_codes", [False, True])
def test_codes_beside_features_follow_as_a_picture_of_their_own(tokenizer: TextTokenizer, pad_codes: bool) -> None:
    both = Features(np.zeros((2, 16), np.float32), np.array([[3], [1]], dtype=np.int32))

    found = seeing(tokenizer).prompt((IMAGES, TEXT), "red", [both, both], pad_codes=pad_codes)

    codes = ids("<eos> <eos>") if pad_codes else [FIRST_TOKEN + 3, FIRST_TOKEN + 1]
    shown = [*ids("<image>"), *codes, *ids("<eoi>")]
    assert found == [
        *ids("<image>"), -1, -2, *ids("<eoi>"), *shown,
        *ids("on"),
        *ids("<image>"), -3, -4, *ids("<eoi>"), *shown,
        *ids("red"),
    ]  # fmt: skip


def test_padded_codes_keep_their_rows(tokenizer: TextTokenizer) -> None:
    block = ImageBlock(open=(token("<image>"),), row_suffix=("<eol>",), close=("<eoi>",))
    codes = np.array([[3, 1], [0, 26]], dtype=np.int32)

    found = PromptWriter(tokenizer, block, FIRST_TOKEN, pad="<unk>").prompt((IMAGES,), "", [codes], pad_codes=True)

    assert found == ids("<image> <unk> <unk> <eol> <unk> <unk> <eol> <eoi>")


def test_without_features_nothing_is_stacked() -> None:
    assert stacked([np.array([[1]], dtype=np.int32)]) is None


@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_pad_middle_leaves_the_first_and_the_last_token(tokenizer: TextTokenizer, length: int) -> None:
    prompt = list(range(10, 10 + length))

    found = seeing(tokenizer).pad_middle(prompt)

    (pad,) = ids("<eos>")
    assert len(found) == length
    assert (found[0], found[-1]) == (prompt[0], prompt[-1])
    assert set(found[1:-1]) <= {pad}


@pytest.mark.parametrize("special", ["<eos>", "<image>", "<eol>", "<bos>"])
def test_a_special_token_that_a_user_types_is_text(tokenizer: TextTokenizer, special: str) -> None:
    found = writer(tokenizer).prompt((token("<bos>"), TEXT), f"a {special} car", [])

    assert found.count(VOCABULARY[special]) == (special == "<bos>")
    assert found[:2] == ids("<bos> a")


def test_an_empty_text_adds_no_token(tokenizer: TextTokenizer) -> None:
    assert writer(tokenizer).prompt((token("<bos>"), TEXT), "", []) == ids("<bos>")


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u3000"])
def test_an_empty_prompt_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="the prompt is empty; say what you want"):
        check_text(text, "prompt")


def test_a_prompt_is_stripped() -> None:
    assert check_text("  a red car\n", "prompt") == "a red car"


def test_a_prompt_that_is_too_long_is_refused_with_both_numbers() -> None:
    with pytest.raises(RequestError, match="the prompt has 100000 characters; at most 50000 are read"):
        check_text("x" * 100_000, "prompt")


def test_a_prompt_that_is_not_unicode_is_refused_with_the_place() -> None:
    with pytest.raises(RequestError, match="the prompt is not valid Unicode at character 4"):
        check_text("red \udcff car", "prompt")
