"""The text tokenizer: what its file asks for, special tokens, and one line about a file that is broken."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from toy_reference import ids

from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.tokenizer.text_tokenizer import TextTokenizer


@pytest.fixture
def tokenizer(toy: Path) -> TextTokenizer:
    return TextTokenizer(toy / "tokenizer.json")


def test_a_file_that_truncates_or_pads_does_so_in_no_prompt(toy: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(toy / "tokenizer.json"))
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(tmp_path / "tokenizer.json"))

    assert TextTokenizer(tmp_path / "tokenizer.json").encode("red") == ids("red")
    assert TextTokenizer(tmp_path / "tokenizer.json").encode("a red car on it") == ids("a red car on it")


def test_special_tokens_are_left_out_of_answers(tokenizer: TextTokenizer) -> None:
    assert tokenizer.decode(ids("<bos> a red car <eos>")) == "a red car"


def test_a_token_that_the_tokenizer_lacks_names_file_and_token(tokenizer: TextTokenizer, toy: Path) -> None:
    with pytest.raises(BundleError, match=rf"{toy}/tokenizer.json lacks the token '<nope>' that the manifest names"):
        tokenizer.special("<nope>")


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"version": "1.0", "model": {"type": "Nope"}}'])
def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)

    with pytest.raises(BundleError, match=rf"^{path} is not a tokenizer \(.+\)\. Export"):
        TextTokenizer(path)
