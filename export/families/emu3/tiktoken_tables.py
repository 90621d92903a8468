"""Emu3's text tokenizer out of the two tables that BAAI ships for a program of its own. The program is not run.

`emu3.tiktoken` is a byte pair encoding, on each line a token in base64 and its rank; `emu3_vision_tokens.txt` names the
tokens of pictures, one a line. Between them come names that stand in the program only. Ids count through all three, as
in github.com/baaivision/Emu3, emu3/mllm/tokenization_emu3.py. Knows no weights.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer, normalizers
from transformers.convert_slow_tokenizer import TikTokenConverter

from edgevlo.runtime.errors import CheckpointError

from ...checkpoint.folder import Checkpoint
from ...checkpoint.tokenizer import special_names
from .defaults import CLOSE, END_OF_FRAME, END_OF_ROW, IMAGE, OPEN

RANKS_FILE: Final = "emu3.tiktoken"
PICTURES_FILE: Final = "emu3_vision_tokens.txt"
FILES: Final = {RANKS_FILE: "the table of its text tokens", PICTURES_FILE: "the names of its picture tokens"}

# Where text is cut before its bytes are paired: Qwen's rule, every digit alone.
_CUTS: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_NAMED: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *(f"<|extra_{number}|>" for number in range(205)))

# A token's role -> its name, and its id where config.json is silent; both are defaults of BAAI's classes.
_ROLES: Final = {
    "pad_token": ("<|endoftext|>", 151_643),
    "eol_token": (END_OF_ROW, 151_846),
    "eof_token": (END_OF_FRAME, 151_847),
    "bos_token": ("<|extra_203|>", 151_849),
    "eos_token": ("<|extra_204|>", 151_850),
    "img_token": (IMAGE, 151_851),
    "boi_token": (OPEN, 151_852),
    "eoi_token": (CLOSE, 151_853),
}
_RENAMED: Final = ("pad_token", "bos_token", "eos_token")  # by files beside; the others stand in every manifest


class _Converter(TikTokenConverter):
    """transformers' converter, given the ranks: it would read the file with the package tiktoken."""

    def __init__(self, ranks: dict[bytes, int], names: Sequence[str]) -> None:
        super().__init__(pattern=_CUTS, extra_special_tokens=names)  # type: ignore[no-untyped-call]
        self._ranks = ranks

    def load_tiktoken_bpe(self, tiktoken_url: str) -> dict[bytes, int]:  # type: ignore[override]
        return self._ranks


def read_tables(checkpoint: Checkpoint, codes: int) -> Tokenizer:
    """Return the tokenizer of a checkpoint whose pictures have so many codes.

    Raises `CheckpointError` where one of the two files is missing or damaged, with the line, and where its ids are not
    those of config.json.
    """
    for name, what in FILES.items():
        if not (checkpoint.folder / name).is_file():
            raise CheckpointError(
                f"{checkpoint.folder / name} is missing, {what}: put it there from the model's own repository (or "
                "tokenizer.json of BAAI/Emu3-Chat-hf, which has the same vocabulary) and export again."
            )
    ranks = read_ranks(checkpoint.folder / RANKS_FILE)
    names = [*_NAMED, *_read_names(checkpoint.folder / PICTURES_FILE)]
    if taken := [name for name in names if name.encode() in ranks]:
        raise CheckpointError(
            f"{checkpoint.folder / RANKS_FILE} has {taken[0]} among its text tokens, which is a special one; "
            "download it again."
        )
    ids = {name: len(ranks) + place for place, name in enumerate(names)}
    _check_roles(checkpoint, ids, len(ranks))
    _check_codes(checkpoint, ids, codes)
    tokenizer = _Converter(ranks, names).converted()
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer


def read_ranks(path: Path) -> dict[bytes, int]:
    """Return token -> rank; ranks count from 0, and every byte is a token, so that any text can be written."""
    ranks: dict[bytes, int] = {}
    lines: dict[int, int] = {}  # rank -> number of its line
    for number, line in _lines(path):
        try:
            text, digits = line.split()
            token, rank = base64.b64decode(text, validate=True), int(digits.decode("ascii"))
        except ValueError as error:
            raise _damaged(path, number, "no token in base64 and its rank") from error
        if token in ranks:
            raise _damaged(path, number, f"the token of line {lines[ranks[token]]} again")
        if rank in lines:
            raise _damaged(path, number, f"rank {rank} again, which line {lines[rank]} has")
        ranks[token], lines[rank] = rank, number
    if gaps := [rank for rank in range(len(ranks)) if rank not in lines]:
        raise CheckpointError(f"{path} has {len(ranks)} tokens, but none of rank {gaps[0]}; download it again.")
    if lost := [byte for byte in range(256) if bytes([byte]) not in ranks]:
        raise CheckpointError(f"{path} has no token for the byte {lost[0]:#04x}; download it again.")
    return ranks


def _read_names(path: Path) -> list[str]:
    """Return the names of the tokens of pictures."""
    lines = dict.fromkeys(_NAMED, 0)
    for number, line in _lines(path):
        try:
            name = line.decode().strip()
        except UnicodeDecodeError as error:
            raise _damaged(path, number, "no UTF-8") from error
        if not re.fullmatch(r"<\|.+\|>", name):
            raise _damaged(path, number, f"{name[:80]!r}, no <|name|> of a token")
        if name in lines:
            raise _damaged(path, number, f"{name} again" + (f", as line {lines[name]}" if lines[name] else ""))
        lines[name] = number
    return list(lines)[len(_NAMED) :]


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not empty with their numbers, from 1."""
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            yield number, line


def _damaged(path: Path, number: int, what: str) -> CheckpointError:
    return CheckpointError(f"{path}, line {number}: {what}; download it again.")


def _check_roles(checkpoint: Checkpoint, ids: dict[str, int], ranks: int) -> None:
    """Raise `CheckpointError` unless every special token has the id that config.json means."""
    named = special_names(checkpoint)
    for role, (name, released) in _ROLES.items():
        if role in _RENAMED and (given := named.get(role)):
            name = str(given.get("content") if isinstance(given, dict) else given)
        key = f"{role}_id"
        given = checkpoint.config.get(key)
        stated: Any = released if given is None else given
        if ids.get(name) not in (stated if isinstance(stated, list) else [stated]):
            file = RANKS_FILE if name in _NAMED else PICTURES_FILE
            raise CheckpointError(
                f"{checkpoint.folder / file} gives {name} the id {ids.get(name)} ({ranks} text tokens come first), but "
                f"config.json's {key} is {stated}; take both from one checkpoint."
            )


def _check_codes(checkpoint: Checkpoint, ids: dict[str, int], codes: int) -> None:
    """Raise `CheckpointError` unless the codes are there, one after the other."""
    path = checkpoint.folder / PICTURES_FILE
    first = ids.get("<|visual token 000000|>")
    for code in range(codes):
        name = f"<|visual token {code:06d}|>"
        if first is None or ids.get(name) != first + code:
            raise CheckpointError(
                f"{path} gives {name} the id {ids.get(name)}, but code 0 has {first}; the {codes} codes of the image "
                "tokenizer must follow each other. Take both from one release."
            )
