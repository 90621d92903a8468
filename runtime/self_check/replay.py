"""A record replayed on this device: how far what it computes is from what was recorded, figure by figure."""

import numpy as np

from ..arrays import Array, Doubles
from ..engine import Engine
from ..errors import BundleError
from ..manifest.schema import Manifest
from . import observe
from .observe import Asked, Seen
from .record import Decoded, FigureName, SelfCheck, Sequence
from .sketch import sketch


def replay(engine: Engine, manifest: Manifest, record: SelfCheck) -> dict[FigureName, float]:
    """Run a record's inputs and return the figures; what is not a number is NaN, and what cannot be compared infinite.

    The engine keeps none of the buffers that this took. Raises `BundleError` for a graph that does not run.
    """
    found: dict[FigureName, float] = {}
    try:
        for one in record.sequences:
            seen = _walked(engine, manifest, one)
            for name, value in _of_sequence(one, seen, record).items():
                is_share = name in ("codes_equal", "tokens_equal")
                found[name] = value if name not in found else _worse(found[name], value, least=is_share)
    finally:
        engine.forget_painters()
    if record.decoded is not None:
        found["pixels"] = _pixels(engine, manifest, record.decoded)
    if record.read_codes is not None:
        found["read_codes_equal"] = _equal(np.array(record.read_codes), observe.read_codes(engine, manifest))
    if record.features is not None:
        found["features_error"] = _features(engine, manifest, np.array(record.features))
    return found


def _walked(engine: Engine, manifest: Manifest, one: Sequence) -> Seen:
    asked = Asked(head=one.head, prompts=one.prompts, weights=one.weights, more=sum(map(len, one.fed)) + 1)
    return observe.walk(engine, manifest, asked, lambda draw, _: one.fed[draw] if draw < len(one.fed) else None)


def _of_sequence(one: Sequence, seen: Seen, record: SelfCheck) -> dict[FigureName, float]:
    logits, equal = _names(one)
    errors, differences = [], []
    for draw, hidden, computed in zip(one.draws, seen.hidden, seen.logits, strict=True):
        errors.append(relative_error(np.array(draw.hidden), np.concatenate(list(map(sketch, hidden)))))
        ids, values = np.array([choice for choice, _ in draw.top]), np.array([value for _, value in draw.top])
        differences.append(_largest(np.array(draw.logits), sketch(computed)))
        differences.append(_largest(values, computed[ids]))
    # Two choices may swap places where both their logits move by what the limit allows.
    slack = 2 * record.limits.get(logits, 0.0)
    same = []
    for draw, choice in zip(one.draws, seen.chosen, strict=True):
        near = {other for other, value in draw.top if draw.top[0][1] - value <= slack}
        same.append(choice in near)
    return {"hidden_error": float(np.max(errors)), logits: float(np.max(differences)), equal: float(np.mean(same))}


def _names(one: Sequence) -> tuple[FigureName, FigureName]:
    return ("image_logits", "codes_equal") if one.head == "image_head" else ("text_logits", "tokens_equal")


def relative_error(recorded: Doubles, computed: Doubles) -> float:
    """Return the length of the difference of two vectors, over that of the recorded one."""
    return float(np.linalg.norm(computed - recorded) / max(float(np.linalg.norm(recorded)), 1e-12))


def _largest(recorded: Array, computed: Array) -> float:
    return float(np.max(np.abs(computed - recorded)))


def _worse(one: float, other: float, *, least: bool) -> float:
    return float(np.min([one, other]) if least else np.max([one, other]))  # NaN stays NaN


def _pixels(engine: Engine, manifest: Manifest, one: Decoded) -> float:
    computed = observe.decoded(engine, manifest, np.array(one.codes), one.stride)
    recorded = np.frombuffer(one.pixels, dtype=np.uint8).astype(np.float64)
    if computed.size != recorded.size:
        return float("inf")
    return float(np.mean(np.abs(computed.ravel() - recorded)))


def _equal(recorded: Array, computed: Array) -> float:
    return float(np.mean(recorded == computed)) if recorded.shape == computed.shape else 0.0


def _features(engine: Engine, manifest: Manifest, recorded: Doubles) -> float:
    computed = observe.features(engine, manifest)
    if computed is None:
        raise BundleError(f"{manifest.name} has features recorded and no square to read. Export the bundle again.")
    found = sketch(computed)
    return relative_error(recorded, found) if found.shape == recorded.shape else float("inf")
