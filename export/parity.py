"""Every exported graph against the original implementation, on ONNX Runtime's CPU kernels.

Tolerances are for float32 against float32. An error is the largest difference over the root mean square of the
reference, unless its metric says otherwise.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest import GraphRole, Parity

from .checkpoint import Floats
from .dummy_inputs import backbone_inputs
from .plan import Plan, Reference

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

CODE_TABLE_TOLERANCE: Final = 1e-5  # a small MLP over many rows at once against 64: 3e-7 measured

GRIDS: Final = ((3, 4), (5, 2), (2, 7))  # rows, columns

Array = npt.NDArray[Any]


def compare(folder: Path, plan: Plan, reference: Reference, role: GraphRole) -> Parity:
    """Return how far a graph of the folder is from the reference; raise `CheckpointError` above the tolerance."""
    options = ort.SessionOptions()
    options.log_severity_level = 3  # TensorScatter warns whenever past and present are different memory
    session = ort.InferenceSession(folder / f"{role}.onnx", options, providers=["CPUExecutionProvider"])
    error = _COMPARISONS[role](session, plan, reference)
    metric, tolerance = TOLERANCES[role]
    if not error <= tolerance:
        raise CheckpointError(
            f"{plan.checkpoint.folder}: the exported {role} differs from the reference by {error:.3g} ({metric}), more "
            f"than {tolerance:g}; no bundle was written. Please report this checkpoint."
        )
    return Parity(metric=metric, error=error, tolerance=tolerance)


def compare_table(table: Floats, plan: Plan, reference: Reference) -> None:
    """Raise `CheckpointError` unless the embedding table holds the reference's rows."""
    tokens = np.unique(np.linspace(0, len(table) - 1, 64).astype(np.int64))
    if not np.array_equal(table[tokens], reference.embeddings(tokens)):
        raise CheckpointError(f"{plan.checkpoint.folder}: tensor {plan.embedding} is not the model's embedding table.")


def compare_code_table(table: Floats, plan: Plan, reference: Reference) -> None:
    """Raise `CheckpointError` unless the codes' table holds the reference's rows, up to rounding."""
    codes = np.unique(np.linspace(0, len(table) - 1, 64).astype(np.int64))
    if not _relative(table[codes], reference.code_embeddings(codes)) <= CODE_TABLE_TOLERANCE:
        raise CheckpointError(f"{plan.checkpoint.folder}: the table of code embeddings differs from the model's own.")


def _backbone(session: ort.InferenceSession, plan: Plan, reference: Reference) -> float:
    """Read two rows of different length, then one token each, then two: every row must equal its own full pass."""
    feeds = backbone_inputs(plan)
    width = feeds["inputs_embeds"].shape[1]
    names = [output.name for output in session.get_outputs()]
    lengths = np.zeros(2, dtype=np.int64)
    rows: list[list[Floats]] = [[], []]
    pieces: list[list[Floats]] = [[], []]
    for counts in ([width, width - 3], [1, 1], [2, 1], [2, 2]):
        embeds = np.ascontiguousarray(np.roll(feeds["inputs_embeds"], int(lengths[0]), axis=1)[:, : max(counts)])
        feeds |= {"past_lengths": lengths, "token_counts": np.array(counts, dtype=np.int64)}
        outputs = dict(zip(names, session.run(None, feeds | {"inputs_embeds": embeds}), strict=True))
        for row, count in enumerate(counts):
            rows[row].append(embeds[row, :count])
            pieces[row].append(outputs["hidden"][row, :count])
            if not np.array_equal(outputs["last_hidden"][row], outputs["hidden"][row, count - 1]):
                return float("inf")
        feeds |= {name.replace("present", "past"): outputs[name] for name in names if name.startswith("present")}
        lengths = lengths + feeds["token_counts"]
    errors = [
        _relative(np.concatenate(piece), reference.hidden(np.concatenate(row)[None])[0])
        for piece, row in zip(pieces, rows, strict=True)
    ]
    return _worst(errors)


def _image_head(session: ort.InferenceSession, plan: Plan, reference: Reference) -> float:
    """Mix three branches; greedy must take the reference's best code unless two are closer than the tolerance."""
    hidden = _hidden(plan, 4, 3)
    weights = np.array([3.0, -1.5, -0.5], dtype=np.float32)
    expected = np.einsum("r,nrk->nk", weights, reference.image_logits(hidden.reshape(12, -1)).reshape(4, 3, -1))
    feeds = {
        "hidden": hidden,
        "weights": weights,
        "temperature": np.array(0, dtype=np.float32),
        "top_k": np.zeros(1, dtype=np.int64),
        "uniform": np.full(4, 0.5, dtype=np.float32),
    }
    code, logits = session.run(["code", "logits"], feeds)
    error = _relative(logits, expected)
    short = expected.max(axis=1) - np.take_along_axis(expected, code[:, None], axis=1)[:, 0]
    return _worst([error, float(short.max() / _rms(expected))])


def _text_head(session: ort.InferenceSession, plan: Plan, reference: Reference) -> float:
    hidden = _hidden(plan, 4)
    return _relative(session.run(["logits"], {"hidden": hidden})[0], reference.text_logits(hidden))


def _image_decoder(session: ort.InferenceSession, plan: Plan, reference: Reference) -> float:
    errors = []
    for codes in (_random().integers(plan.codes.count, size=(1, *grid)) for grid in GRIDS):
        expected = reference.pixels(codes)
        found = session.run(["pixels"], {"codes": codes})[0]
        errors.append(float(np.abs(found - expected).max() / max(1.0, _rms(expected))))
    return _worst(errors)


def _image_tokenizer(session: ort.InferenceSession, plan: Plan, reference: Reference) -> float:
    """Compare on pictures of the decoder (what an edit reads back) and on noise."""
    differing = cells = 0
    for pixels in _pictures(plan, reference):
        expected = reference.codes(pixels)
        differing += int((session.run(["codes"], {"pixel_values": pixels})[0] != expected).sum())
        cells += expected.size
    return differing / cells


def _vision_encoder(session: ort.InferenceSession, plan: Plan, reference: Reference) -> float:
    """Compare on noise, two pictures at once: neither may see the other."""
    side = session.get_inputs()[0].shape[-1]
    pixels = _random().uniform(-1, 1, (2, 3, side, side)).astype(np.float32)
    return _relative(session.run(["features"], {"pixel_values": pixels})[0], reference.features(pixels))


def _pictures(plan: Plan, reference: Reference) -> Iterator[Floats]:
    random, cell = _random(), plan.codes.cell
    for rows, columns in GRIDS:
        yield random.uniform(-1, 1, (1, 3, rows * cell, columns * cell)).astype(np.float32)
        painted = reference.pixels(random.integers(plan.codes.count, size=(1, rows, columns)))
        yield np.clip(painted, -1, 1)


_COMPARISONS: Final[dict[GraphRole, Callable[[ort.InferenceSession, Plan, Reference], float]]] = {
    "backbone": _backbone,
    "image_head": _image_head,
    "text_head": _text_head,
    "image_decoder": _image_decoder,
    "image_tokenizer": _image_tokenizer,
    "vision_encoder": _vision_encoder,
}


def _hidden(plan: Plan, *shape: int) -> Floats:
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
