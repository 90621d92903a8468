"""A checkpoint's tokenizer, from all the files that transformers reads it from. Knows no family."""

import warnings
from collections.abc import Iterator
from typing import Any, Final

from tokenizers import AddedToken, Tokenizer

from edgevlo.runtime.errors import CheckpointError

from .folder import LISTED, Checkpoint, CheckpointWarning
from .weight_files import check_is_here

TOKENIZER_CONFIG: Final = "tokenizer_config.json"
TOKENS_MAP: Final = "special_tokens_map.json"


def read_tokenizer(checkpoint: Checkpoint) -> Tokenizer:
    """Return the checkpoint's tokenizer, with the tokens that only the files beside it name."""
    tokenizer = _tokenizer_alone(checkpoint)
    for token in _missing(checkpoint, tokenizer):
        (tokenizer.add_special_tokens if token.special else tokenizer.add_tokens)([token])
    return tokenizer


def say_what_is_beside(checkpoint: Checkpoint) -> bool:
    """Return whether other files name tokens that tokenizer.json lacks.

    One `CheckpointWarning` lists them, another the roles on which two files disagree.
    """
    names = [token.content for token in _missing(checkpoint, _tokenizer_alone(checkpoint))]
    beside = f"tokens that tokenizer.json lacks were added, as transformers does: {', '.join(names[:LISTED])}"
    for said in (f"{beside}{' ...' if len(names) > LISTED else ''}" if names else None, _disagreement(checkpoint)):
        if said:
            warnings.warn(f"{checkpoint.folder}: {said}", CheckpointWarning, stacklevel=3)
    return bool(names)


def _tokenizer_alone(checkpoint: Checkpoint) -> Tokenizer:
    path = checkpoint.folder / "tokenizer.json"
    check_is_here(path)
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; save it with AutoTokenizer.from_pretrained(...).save_pretrained().")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the tokenizers library raises bare Exception
        raise CheckpointError(f"{path} is not a tokenizer ({error}); download it again.") from error


def _missing(checkpoint: Checkpoint, tokenizer: Tokenizer) -> list[AddedToken]:
    """Return the tokens that transformers adds, in its order: by their ids, then special ones without a role."""
    stated: dict[str, AddedToken] = {}
    decoder = read_optional(checkpoint, TOKENIZER_CONFIG).get("added_tokens_decoder") or {}
    for _, token in sorted(decoder.items(), key=lambda item: int(item[0])):
        flags = {flag: bool(token.get(flag, False)) for flag in ("lstrip", "rstrip", "single_word", "special")}
        normalized = bool(token.get("normalized", not flags["special"]))
        stated[token["content"]] = AddedToken(token["content"], normalized=normalized, **flags)
    if not decoder:
        for name, _ in sorted(read_optional(checkpoint, "added_tokens.json").items(), key=lambda item: int(item[1])):
            stated[name] = AddedToken(name, special=False)
    known = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    found = [token for name, token in stated.items() if name not in known]
    special = {name: None for name in _special(special_names(checkpoint)) if name not in stated}
    return found + [AddedToken(name, special=True) for name in special if tokenizer.token_to_id(name) is None]


def _special(named: dict[str, Any]) -> Iterator[str]:
    """Yield the names of special tokens without a role."""
    for listed in (named.get("additional_special_tokens"), named.get("extra_special_tokens")):
        yield from filter(None, map(plain_name, listed if isinstance(listed, list) else []))


def special_names(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what is said of special tokens by their roles, as `eos_token`, in transformers' order.

    tokenizer_config.json counts before special_tokens_map.json where it lists added tokens, and after it where it does
    not.
    """
    config, mapped = read_optional(checkpoint, TOKENIZER_CONFIG), read_optional(checkpoint, TOKENS_MAP)
    named = mapped | config if config.get("added_tokens_decoder") else config | mapped
    for extra in (named.get("model_specific_special_tokens"), named.get("extra_special_tokens")):
        named |= extra if isinstance(extra, dict) else {}
    return named


def _disagreement(checkpoint: Checkpoint) -> str | None:
    config, mapped = read_optional(checkpoint, TOKENIZER_CONFIG), read_optional(checkpoint, TOKENS_MAP)
    differing = sorted(
        role
        for role in config.keys() & mapped.keys()
        if role.endswith("_token") and plain_name(config[role]) != plain_name(mapped[role])
    )
    taken = TOKENIZER_CONFIG if config.get("added_tokens_decoder") else TOKENS_MAP
    said = f"{TOKENIZER_CONFIG} and {TOKENS_MAP} differ in {', '.join(differing)}; {taken} was followed"
    return f"{said}, as transformers does" if differing else None


def plain_name(given: Any) -> str | None:
    """Return the name of a token that is given as a text or as an object with its flags."""
    name = given.get("content") if isinstance(given, dict) else given
    return name if isinstance(name, str) and name else None


def read_optional(checkpoint: Checkpoint, name: str) -> dict[str, Any]:
    """Return a JSON object of the folder, empty where there is no such file."""
    return checkpoint.json(name) if (checkpoint.folder / name).exists() else {}
