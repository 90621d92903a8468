"""What a self-check record holds, and reading one: `self_check.json` in a bundle, strict like the manifest.

Inputs stand beside the outputs that they gave, each output in a few numbers (sketch.py). Sequences are teacher-forced:
the tokens fed are the record's, whatever a device draws, so that one draw that differs does not make all others differ.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ..bundle import Bundle
from ..errors import BundleError
from ..manifest.graphs import GraphRole
from ..manifest.schema import Manifest
from ..manifest.values import Count, Index, Record
from .sketch import TOP, size

FORMAT: Final = "edgevlo-self-check/1"
FILE: Final = "self_check.json"
_MAX_BYTES: Final = 1024 * 1024

FigureName: TypeAlias = Literal[
    "hidden_error",
    "image_logits",
    "codes_equal",
    "text_logits",
    "tokens_equal",
    "pixels",
    "read_codes_equal",
    "features_error",
]
Number: TypeAlias = Annotated[float, Meta(ge=-1e30, le=1e30)]
Numbers: TypeAlias = Annotated[tuple[Number, ...], Meta(max_length=4096)]
Tokens: TypeAlias = Annotated[tuple[Index, ...], Meta(min_length=1, max_length=4096)]


class Draw(Record, frozen=True, kw_only=True):
    """One draw: what was likeliest, and the sketches of what it was drawn from.

    `hidden` is the sketch of every row's last hidden state, one after the other; `logits` that of the logits, whose
    largest are `top`, (id, value), the first being the one drawn.
    """

    hidden: Numbers
    logits: Numbers
    top: Annotated[tuple[tuple[Index, Number], ...], Meta(min_length=1, max_length=TOP)]


class Sequence(Record, frozen=True, kw_only=True):
    """Prompts, one a guidance branch, and what is drawn after them while `fed` is read, step by step."""

    head: Literal["image_head", "text_head"]
    prompts: Annotated[tuple[Tokens, ...], Meta(min_length=1, max_length=16)]
    weights: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=16)]  # of the branches; (1,) for text
    fed: Annotated[tuple[Tokens, ...], Meta(max_length=64)]
    draws: Annotated[tuple[Draw, ...], Meta(min_length=1, max_length=65)]  # one more than `fed`


class Decoded(Record, frozen=True, kw_only=True):
    """A code grid, and every `stride`-th pixel of its picture in both directions: RGB levels from 0 to 255."""

    codes: Annotated[tuple[Tokens, ...], Meta(min_length=1, max_length=64)]
    stride: Count
    pixels: bytes


class SelfCheck(Record, frozen=True, kw_only=True):
    """The whole record. What a bundle's model lacks is left out."""

    format: Literal["edgevlo-self-check/1"]
    sequences: Annotated[tuple[Sequence, ...], Meta(max_length=8)]
    limits: dict[FigureName, Annotated[float, Meta(ge=0, le=1e6)]]
    decoded: Decoded | None = None
    read_codes: Annotated[tuple[Index, ...], Meta(max_length=65_536)] | None = None  # of the test card (observe.py)
    features: Numbers | None = None  # the sketch of the test card's


def read_record(bundle: Bundle) -> SelfCheck | None:
    """Return a bundle's record; None where it has none. Raise `BundleError` for one that is damaged."""
    entry = bundle.manifest.self_check
    if entry is None or not entry.file:
        return None
    path = bundle.path(entry.file)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _damaged(path, f"it has more than {_MAX_BYTES} bytes")
        record = msgspec.json.decode(path.read_bytes(), type=SelfCheck)
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}). Export or download the bundle again.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if reason := _fault(record, bundle.manifest):
        raise _damaged(path, reason)
    return record


def encode_record(record: SelfCheck) -> bytes:
    """Return a record as it is written."""
    return msgspec.json.encode(record) + b"\n"


def _damaged(path: Path, reason: str) -> BundleError:
    return BundleError(f"{path}: the self-check record is damaged: {reason}. Export or download the bundle again.")


def _fault(record: SelfCheck, manifest: Manifest) -> str | None:
    """Return what of a record does not fit the bundle's manifest; None if everything does."""
    needed: dict[GraphRole, Any] = {
        "image_decoder": record.decoded,
        "image_tokenizer": record.read_codes,
        "vision_encoder": record.features,
    }
    lacking = [role for role, part in needed.items() if part is not None and role not in manifest.graphs]
    lacking += [one.head for one in record.sequences if one.head not in manifest.graphs]
    if lacking:
        return f"it has outputs of {lacking[0]}, which the bundle lacks"
    reasons = (_sequence_fault(one, manifest) for one in record.sequences)
    found = next((reason for reason in reasons if reason), None)
    if found is None and record.decoded is not None:
        found = _decoded_fault(record.decoded, manifest)
    if found is None and (missing := sorted(figures_of(record) - record.limits.keys())):
        found = f"it has no limit for {missing[0]}"
    return found


def _sequence_fault(one: Sequence, manifest: Manifest) -> str | None:
    tokens, codes = manifest.token_embedding.shape[0], manifest.codes
    known = max(tokens, codes.first_token + codes.count)
    drawn_from = codes.count if one.head == "image_head" else tokens
    rows = len(one.prompts)
    if len(one.weights) != rows or len(one.draws) != len(one.fed) + 1 or (one.head == "text_head" and rows != 1):
        return "a sequence has other numbers of prompts, weights, steps or draws than belong together"
    if any(token >= known for ids in (*one.prompts, *one.fed) for token in ids):
        return f"a sequence has a token that is not one of {known}"
    hidden, logits = rows * size(manifest.backbone.hidden_size), size(drawn_from)
    for draw in one.draws:
        if len(draw.hidden) != hidden or len(draw.logits) != logits:
            return "a draw has sketches of another size than the model's"
        if any(choice >= drawn_from for choice, _ in draw.top):
            return f"a draw has a choice that is not one of {drawn_from}"
    return None


def _decoded_fault(one: Decoded, manifest: Manifest) -> str | None:
    rows, columns, cell = len(one.codes), len(one.codes[0]), manifest.codes.cell
    if any(len(row) != columns or max(row) >= manifest.codes.count for row in one.codes):
        return f"its code grid is not one of {manifest.codes.count} codes in rows of equal length"
    height, width = (-(-side * cell // one.stride) for side in (rows, columns))
    if len(one.pixels) != height * width * 3:
        return f"its picture does not have {height}x{width} pixels"
    return None


def figures_of(record: SelfCheck) -> set[FigureName]:
    """Return which figures a replay of a record gives."""
    found: set[FigureName] = {"hidden_error"} if record.sequences else set()
    for one in record.sequences:
        names: tuple[FigureName, FigureName] = (
            ("image_logits", "codes_equal") if one.head == "image_head" else ("text_logits", "tokens_equal")
        )
        found |= set(names)
    parts: dict[FigureName, Any] = {
        "pixels": record.decoded, "read_codes_equal": record.read_codes, "features_error": record.features,
    }  # fmt: skip
    return found | {name for name, part in parts.items() if part is not None}
