"""Chameleon's vocabulary: which token is which code, and the names of the tokens that have a meaning."""

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from tokenizers import Tokenizer

from edgevlo.runtime.errors import CheckpointError

from ...checkpoint.folder import Checkpoint
from ...checkpoint.tokenizer import plain_name, read_optional, special_names
from ..vqgan import Order

OPEN, CLOSE, END_OF_TURN = "<racm3:break>", "<eoss>", "<reserved08706>"

# IMGIMGBAZ is code 10: letters for digits between a prefix and a Z.
_CODE: Final = re.compile(r"^IMGIMG([A-J]+)Z$")
_DIGITS: Final = str.maketrans("ABCDEFGHIJ", "0123456789")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The tokens of a sequence, by name."""

    begin: str
    stop: tuple[str, ...]  # of an answer
    open: str = OPEN
    close: str = CLOSE
    end_of_turn: str = END_OF_TURN


def code_tokens(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer) -> tuple[int, Order]:
    """Return the first token that is a code, and the code of every token from there on; all tokens must be there."""
    path, count = checkpoint.folder / "config.json", config.vq_config.num_embeddings
    codes: dict[int, int] = {}  # token -> code
    for name, token in config.vocabulary_map.items():
        if match := _CODE.match(name):
            codes[int(token)] = int(match[1].translate(_DIGITS))
            if tokenizer.token_to_id(name) not in (None, token):
                raise _disagree(checkpoint, name, tokenizer.token_to_id(name), token)
    tokens = sorted(codes)
    if sorted(codes.values()) != list(range(count)) or tokens[-1] - tokens[0] != count - 1:
        raise CheckpointError(
            f"{path}: vocabulary_map names {len(codes)} codes (IMGIMG...Z); the {count} of vq_config must be there, "
            "each once, and their tokens must be consecutive. Take both from one checkpoint."
        )
    if tokens[-1] >= config.vocab_size:
        raise CheckpointError(f"{path}: the codes end after vocab_size {config.vocab_size}.")
    return tokens[0], np.array([codes[token] for token in tokens], dtype=np.int64)


def read_names(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer) -> Names:
    """Return the names of the tokens; raise `CheckpointError` where tokenizer and vocabulary map differ."""
    for name in (OPEN, CLOSE, END_OF_TURN):
        token, mapped = tokenizer.token_to_id(name), config.vocabulary_map.get(name)
        if token is None or mapped not in (None, token):
            raise _disagree(checkpoint, name, token, mapped)
    ends = read_optional(checkpoint, "generation_config.json").get("eos_token_id", config.eos_token_id)
    stop = [tokenizer.id_to_token(token) for token in (ends if isinstance(ends, list) else [ends]) if token is not None]
    return Names(
        begin=_begin(checkpoint, config, tokenizer),
        stop=tuple(dict.fromkeys([END_OF_TURN, *(name for name in stop if name)])),
    )


def _begin(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer) -> str:
    """Return the first token of a sequence: the tokenizer's own, for released configs name another one's number."""
    name = plain_name(special_names(checkpoint).get("bos_token")) or "<s>"
    if tokenizer.token_to_id(name) is not None:
        return name
    found: str | None = tokenizer.id_to_token(config.bos_token_id) if config.bos_token_id is not None else None
    if found is None:
        raise CheckpointError(
            f"{checkpoint.folder / 'tokenizer.json'} has no token {name}, the first of a sequence; take config and "
            "tokenizer from one checkpoint."
        )
    return found


def _disagree(checkpoint: Checkpoint, name: str, token: int | None, mapped: int | None) -> CheckpointError:
    return CheckpointError(
        f"{checkpoint.folder}: tokenizer.json has {name} as {token}, config.json's vocabulary_map as {mapped}; "
        "they must agree. Take both from one checkpoint."
    )
