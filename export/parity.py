"""Every exported graph against the original implementation, on ONNX Runtime's CPU kernels.

Tolerances are for float32 against float32. An error is the largest difference over the root mean square of the
reference, unless its metric says otherwise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from edgevlo.runtime.arrays import Array, Codes, Floats
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.graphs import GraphRole, Parity

from .export_plan import ExportPlan, Reference
from .optimum_registry import backbone_inputs
from .single_layers import open_session, pieces

RELATIVE: Final = "largest difference / rms of the reference"
PIXELS: Final = "largest difference / rms of the reference, or 1"
CODES: Final = "share of differing codes"

# Tiny random checkpoints measure 2e-6 for backbone and heads and 1e-5 for pixels; deep ones, and decoders made of
# large terms that cancel round more. 1e-3 of a picture's range of 2 is an eighth of a grey level. Codes must be equal.
TOLERANCES: Final[dict[GraphRole, tuple[str, float]]] = {
    "backbone": (RELATIVE, 1e-3),
    "image_head": (RELATIVE, 1e-4),
    "text_head": (RELATIVE, 1e-4),
    "image_decoder": (PIXELS, 1e-3),
    "image_tokenizer": (CODES, 0.0),
    "vision_encoder": (RELATIVE, 1e-3),
}

ROWS: Final = 2  # of the backbone's comparison
CODE_TABLE_TOLERANCE: Final = 1e-5  # a small MLP over many rows at once against 64: 3e-7 measured
GRIDS: Final = ((3, 4), (5, 2), (2, 7))  # rows, columns


def compare(folder: Path, plan: ExportPlan, reference: Reference, role: GraphRole) -> Parity:
    """Return how far a graph of the folder is from the reference; raise `CheckpointError` above the tolerance."""
    errors = _COMPARISONS[role](folder / f"{role}.onnx", plan, reference)
    error = _worst(errors)
    metric, tolerance = TOLERANCES[role]
    if not error <= tolerance:
        first = next(layer for layer, one in enumerate(errors) if not one <= tolerance)
        where = f" from layer {first} on" if role == "backbone" else ""
        raise CheckpointError(
            f"{plan.checkpoint.folder}: the exported {role} differs from the reference by {error:.3g} ({metric})"
            f"{where}, more than {tolerance:g}; no bundle was written. Please report this checkpoint."
        )
    return Parity(metric=metric, error=error, tolerance=tolerance)


def compare_table(table: Floats, plan: ExportPlan, reference: Reference) -> None:
    """Raise `CheckpointError` unless the embedding table holds the reference's rows."""
    tokens = np.unique(np.linspace(0, len(table) - 1, 64).astype(np.int64))
    if not np.array_equal(table[tokens], reference.embeddings(tokens)):
        raise CheckpointError(f"{plan.checkpoint.folder}: tensor {plan.embedding} is not the model's embedding table.")


def compare_code_table(table: Floats, plan: ExportPlan, reference: Reference) -> None:
    """Raise `CheckpointError` unless the codes' table holds the reference's rows, up to rounding."""
    codes = np.unique(np.linspace(0, len(table) - 1, 64).astype(np.int64))
    if not _relative(table[codes], reference.code_embeddings(codes)) <= CODE_TABLE_TOLERANCE:
        raise CheckpointError(f"{plan.checkpoint.folder}: the table of code embeddings differs from the model's own.")


def _backbone(path: Path, plan: ExportPlan, reference: Reference) -> list[float]:
    """Read two rows of different length, then one token each, then two: every row must equal its own full pass.

    Layer by layer: each layer of the graph reads what the layer before it wrote, all calls of it in turn, and the
    hidden states behind every layer are compared. Returns one error for each layer.
    """
    feeds = backbone_inputs(plan)
    calls = list(_calls(feeds["inputs_embeds"]))
    expected = reference.hidden_states(_full_rows(calls))
    for layer, states in enumerate(expected):
        if not np.isfinite(states).all():
            raise CheckpointError(
                f"{plan.checkpoint.folder}: the weights give numbers that are not finite from layer {layer} on; "
                "download the checkpoint again."
            )
    hidden = [call.embeds for call in calls]
    errors: list[float] = []
    for layer, piece in enumerate(pieces(path, plan.decoder.layers)):
        caches = {side: feeds[f"past_{side}.{layer}"] for side in ("keys", "values")}
        inputs = {value.name for value in piece.session.get_inputs()}
        names = [value.name for value in piece.session.get_outputs()]
        for index, call in enumerate(calls):
            given = feeds | {"inputs_embeds": call.embeds, "past_lengths": call.lengths, "token_counts": call.counts}
            given |= {f"past_{side}.{layer}": cache for side, cache in caches.items()} | {piece.source: hidden[index]}
            fed = {name: array for name, array in given.items() if name in inputs}
            outputs = dict(zip(names, piece.session.run(None, fed), strict=True))
            caches = {side: outputs[f"present_{side}.{layer}"] for side in caches}
            hidden[index] = outputs[piece.result]
            last = hidden[index][np.arange(ROWS), call.counts - 1]
            if not np.array_equal(outputs.get("last_hidden", last), last):
                return [*errors, float("inf")]
        rows = [
            np.concatenate([h[row, : c.counts[row]] for h, c in zip(hidden, calls, strict=True)]) for row in range(ROWS)
        ]
        errors.append(_worst([_relative(found, expected[layer][row, : len(found)]) for row, found in enumerate(rows)]))
        del piece  # unmaps its weights before those of the next layer are mapped
    return errors


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of the backbone on two rows, the second with less to read."""

    embeds: Floats  # [B,S,D], right-padded
    lengths: Codes  # [B] tokens in the cache before
    counts: Codes  # [B] valid tokens


def _calls(embeds: Floats) -> Iterator[_Call]:
    width = embeds.shape[1]
    lengths = np.zeros(ROWS, dtype=np.int64)
    for counts in np.array([[width, width - 3], [1, 1], [2, 1], [2, 2]]):
        rolled = np.roll(embeds, int(lengths[0]), axis=1)[:, : counts.max()]
        yield _Call(np.ascontiguousarray(rolled), lengths, counts)
        lengths = lengths + counts


def _full_rows(calls: list[_Call]) -> Floats:
    """Return what the rows read in all calls, `[B,T,D]`; the shorter row is padded, behind which nothing is read."""
    rows = [np.concatenate([call.embeds[row, : call.counts[row]] for call in calls]) for row in range(ROWS)]
    full = np.zeros((ROWS, max(map(len, rows)), rows[0].shape[1]), dtype=np.float32)
    for row, read in enumerate(rows):
        full[row, : len(read)] = read
    return full


def _image_head(path: Path, plan: ExportPlan, reference: Reference) -> list[float]:
    """Mix three branches; greedy must take the reference's best code unless two are closer than the tolerance."""
    hidden = _hidden(plan, 4, 3)
    weights = np.array([3.0, -1.5, -0.5], dtype=np.float32)
    expected = np.einsum("r,nrk->nk", weights, reference.image_logits(hidden.reshape(12, -1)).reshape(4, 3, -1))
    feeds = {
        "hidden": hidden,
        "weights": weights,
        "temperature": np.array(0, dtype=np.float32),
        "top_k": np.zeros(1, dtype=np.int64),
        "top_p": np.ones(1, dtype=np.float32),
        "uniform": np.full(4, 0.5, dtype=np.float32),
    }
    code, logits = open_session(path).run(["code", "logits"], feeds)
    error = _relative(logits, expected)
    short = expected.max(axis=1) - np.take_along_axis(expected, code[:, None], axis=1)[:, 0]
    return [error, float(short.max() / _rms(expected))]


def _text_head(path: Path, plan: ExportPlan, reference: Reference) -> list[float]:
    hidden = _hidden(plan, 4)
    return [_relative(open_session(path).run(["logits"], {"hidden": hidden})[0], reference.text_logits(hidden))]


def _image_decoder(path: Path, plan: ExportPlan, reference: Reference) -> list[float]:
    session, errors = open_session(path), []
    for codes in (_random().integers(plan.codes.count, size=(1, *grid)) for grid in GRIDS):
        expected = reference.pixels(codes)
        found = session.run(["pixels"], {"codes": codes})[0]
        errors.append(float(np.abs(found - expected).max() / max(1.0, _rms(expected))))
    return errors


def _image_tokenizer(path: Path, plan: ExportPlan, reference: Reference) -> list[float]:
    """Compare on pictures of the decoder (what an edit reads back) and on noise."""
    session, differing, cells = open_session(path), 0, 0
    for pixels in _pictures(plan, reference, painted=path.with_name("image_decoder.onnx").exists()):
        expected = reference.codes(pixels)
        differing += int((session.run(["codes"], {"pixel_values": pixels})[0] != expected).sum())
        cells += expected.size
    return [differing / cells]


def _vision_encoder(path: Path, _plan: ExportPlan, reference: Reference) -> list[float]:
    """Compare on noise, two pictures at once: neither may see the other."""
    session = open_session(path)
    side = session.get_inputs()[0].shape[-1]
    pixels = _random().uniform(-1, 1, (2, 3, side, side)).astype(np.float32)
    return [_relative(session.run(["features"], {"pixel_values": pixels})[0], reference.features(pixels))]


def _pictures(plan: ExportPlan, reference: Reference, *, painted: bool) -> Iterator[Floats]:
    random, cell = _random(), plan.codes.cell
    for rows, columns in GRIDS:
        yield random.uniform(-1, 1, (1, 3, rows * cell, columns * cell)).astype(np.float32)
        if painted:
            codes = random.integers(plan.codes.count, size=(1, rows, columns))
            yield np.clip(reference.pixels(codes), -1, 1)


_COMPARISONS: Final[dict[GraphRole, Callable[[Path, ExportPlan, Reference], list[float]]]] = {
    "backbone": _backbone,
    "image_head": _image_head,
    "text_head": _text_head,
    "image_decoder": _image_decoder,
    "image_tokenizer": _image_tokenizer,
    "vision_encoder": _vision_encoder,
}


def _hidden(plan: ExportPlan, *shape: int) -> Floats:
    return _random().standard_normal((*shape, plan.decoder.hidden_size)).astype(np.float32)


def _random() -> np.random.Generator:
    return np.random.default_rng(0)


def _relative(found: Array, expected: Array) -> float:
    return float(np.abs(found - expected).max() / _rms(expected))


def _worst(errors: list[float]) -> float:
    """Return the largest; NaN if one is, which `max` would pass over."""
    return float(np.max(errors))


def _rms(expected: Array) -> float:
    return float(np.sqrt(np.mean(np.square(expected, dtype=np.float64)))) or 1.0
