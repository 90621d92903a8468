"""SmoothQuant: activations are divided by the size of their channels, and the weights behind them multiplied.

    x / s ─► MatMul(s W)   is   x ─► MatMul(W)   with   s_j = peak(x_j) ** alpha / peak(W_j) ** (1 - alpha)

(Xiao et al., "SmoothQuant", 2022.) The division costs nothing: it is folded into the operator before,

- a norm's scale (and shift), where only linear layers read the norm;
- the other linear layer of a gated MLP, `down(act(gate(x)) * up(x))`: columns of `up`;
- the value projection, whose columns pass through attention unmixed: columns of `v`, rows of `o`. A key-value head that
  several heads share has one divisor, and the cache holds divided values.

Exact but for rounding. `divisors` names the tensors that became smaller, so that calibration ranges can follow.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from edgevlo.runtime.arrays import Floats

from ._graph import LinearLayer, lazy_tensor, linear_layers, read_constant, registered

NORMS: Final = ("RMSNormalization", "LayerNormalization")
_BOUNDS: Final = (1e-4, 1e4)  # of a divisor: beyond, weights would lose more than activations gain


Constant: TypeAlias = tuple[ir.Node, int]  # the constant that a node has as an input


@dataclass(frozen=True, slots=True)
class Fold:
    """A place where the input of some linear layers can be smoothed, and the constants that do it."""

    layers: tuple[LinearLayer, ...]  # all read the same tensor
    divided: tuple[Constant, ...]  # divided along their last axis, the source's channels
    smaller: tuple[ir.Value, ...]  # tensors that become smaller in the same channels, besides the layers' input
    repeats: tuple[int, int] = (1, 1)  # (heads a key-value head serves, size of a head)


class SmoothingPass(ir.passes.InPlacePass):
    """Smooth the input of every linear layer that can be; `peaks` are calibrated, (channels,) by tensor name."""

    def __init__(self, alpha: float, peaks: Mapping[str, Floats]) -> None:
        super().__init__()
        self.alpha, self.peaks = alpha, peaks
        self.divisors: dict[str, Floats] = {}  # tensor name -> (channels,)

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Rewrite constants; no operator is added or removed."""
        rewritten = False
        for fold in folds(model.graph):
            rewritten |= self._smooth(model.graph, fold)
        return ir.passes.PassResult(model, modified=rewritten)

    def _smooth(self, graph: ir.Graph, fold: Fold) -> bool:
        x = str(fold.layers[0].x.name)
        peaks = self.peaks.get(x)
        if peaks is None or len(peaks) != _inputs(fold.layers[0]):
            return False
        weights = np.max([_row_peaks(layer) for layer in fold.layers], axis=0)
        divisor = _divisor(per_source(peaks, fold.repeats), per_source(weights, fold.repeats), self.alpha)
        apply_fold(graph, fold, divisor)
        self.divisors |= {x: spread(divisor, fold.repeats)} | {str(value.name): divisor for value in fold.smaller}
        return True


def apply_fold(graph: ir.Graph, fold: Fold, divisor: Floats) -> None:
    """Divide the input of a fold's layers by a number for each channel of its source, and multiply their weights."""
    for node, index in fold.divided:
        _scale(graph, node, index, functools.partial(_divided, by=divisor))
    for layer in fold.layers:
        by = spread(divisor, fold.repeats)
        _scale(graph, layer.node, 1, functools.partial(_multiplied, by=by, axis=1 - layer.axis))


def folds(graph: ir.Graph) -> Iterator[Fold]:
    """Yield the places that can be smoothed: behind norms, the linear side of a gated MLP, and values."""
    by_input: dict[ir.Value, list[LinearLayer]] = {}
    for layer in linear_layers(graph):
        if layer.node.op_type in ("MatMul", "Gemm"):
            by_input.setdefault(layer.x, []).append(layer)
    for x, layers in by_input.items():
        if x.is_graph_output() or len({id(layer.node) for layer in layers}) != len(x.uses()):
            continue  # another operator reads it too
        fold = _behind_norm(x, layers) or _behind_gate(x, layers) or _behind_values(x, layers)
        if fold is not None:
            yield fold


def _behind_norm(x: ir.Value, layers: Sequence[LinearLayer]) -> Fold | None:
    norm = x.producer()
    if norm is None or norm.op_type not in NORMS:
        return None
    given = [index for index, value in enumerate(norm.inputs) if index and value is not None]
    if not given or not all(_is_vector(norm.inputs[index]) for index in given):
        return None
    return Fold(tuple(layers), tuple((norm, index) for index in given), ())


def _behind_gate(x: ir.Value, layers: Sequence[LinearLayer]) -> Fold | None:
    mul = x.producer()
    if mul is None or mul.op_type != "Mul":
        return None
    for side in mul.inputs:
        linear = _linear(side)
        if linear is not None:
            return Fold(tuple(layers), linear, ())
    return None


def _behind_values(x: ir.Value, layers: Sequence[LinearLayer]) -> Fold | None:
    """Match `v ─► Reshape ─► Transpose ─► TensorScatter ─► Attention ─► Transpose ─► Reshape ─► x`."""
    attention = _up(x, ("Reshape", "Transpose", "Attention"))
    scatter = _up(attention.inputs[2], ("TensorScatter",)) if attention is not None else None
    if scatter is None:
        return None
    update = scatter.inputs[1]
    reshape = _up(update, ("Transpose", "Reshape"))
    linear = _linear(reshape.inputs[0]) if reshape is not None else None
    shape = ir.convenience.get_const_tensor(reshape.inputs[1]) if reshape is not None and reshape.inputs[1] else None
    if linear is None or shape is None or update is None or len(shape.numpy()) != 4:
        return None
    count, size = map(int, shape.numpy()[2:])
    return Fold(tuple(layers), linear, (update,), (_inputs(layers[0]) // (count * size), size))


def _up(value: ir.Value | None, kinds: Sequence[str]) -> ir.Node | None:
    """Follow first inputs through operators of these kinds, each with no other reader; return the last.

    The output of a TensorScatter is an output of the graph, too.
    """
    node = None
    for kind in kinds:
        node = value.producer() if value is not None else None
        if value is None or node is None or node.op_type != kind:
            return None
        if len(value.uses()) > 1 and kind != "TensorScatter":
            return None
        value = node.inputs[0]
    return node


def _linear(value: ir.Value | None) -> tuple[Constant, ...] | None:
    """Return weight, and bias if there is one, of the MatMul that computes a value, if it has no other reader."""
    found: list[Constant] = []
    node = value.producer() if value is not None and len(value.uses()) == 1 else None
    if node is not None and node.op_type == "Add":
        place = next((index for index, one in enumerate(node.inputs) if _is_vector(one)), None)
        other = node.inputs[1 - place] if place is not None else None
        if place is None or other is None or len(other.uses()) != 1:
            return None
        found.append((node, place))
        node = other.producer()
    if node is None or node.op_type != "MatMul" or node.inputs[1] is None:
        return None
    weight = ir.convenience.get_const_tensor(node.inputs[1])
    return None if weight is None or len(weight.shape) != 2 else ((node, 1), *found)


def _is_vector(value: ir.Value | None) -> bool:
    tensor = ir.convenience.get_const_tensor(value) if value is not None else None
    return tensor is not None and len(tensor.shape) == 1


def _inputs(layer: LinearLayer) -> int:
    return int(layer.weight.shape.numpy()[1 - layer.axis])


def _row_peaks(layer: LinearLayer) -> Floats:
    """Return the largest weight of every input channel."""
    peaks: Floats = np.abs(read_constant(current_weight(layer))).max(axis=layer.axis).astype(np.float32)
    return peaks


def current_weight(layer: LinearLayer) -> ir.TensorProtocol:
    """Return the weights as they are now: another fold may have divided their columns."""
    right = layer.node.inputs[1]
    tensor = ir.convenience.get_const_tensor(right) if right is not None else None
    return layer.weight if tensor is None else tensor


def _divisor(peaks: Floats, weights: Floats, alpha: float) -> Floats:
    """Return the divisors; 1 for a channel that is always zero or has no weights."""
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = peaks**alpha / weights ** (1 - alpha)
    usable = (peaks > 0) & (weights > 0)
    return np.where(usable, np.clip(raw, *_BOUNDS), 1.0).astype(np.float32)


def per_source(peaks: Floats, repeats: tuple[int, int]) -> Floats:
    """Return the peaks of the source's channels: the largest of those computed from the same one."""
    times, size = repeats
    if times == 1:
        return peaks
    largest: Floats = peaks.reshape(-1, times, size).max(axis=1).reshape(-1)
    return largest


def spread(divisor: Floats, repeats: tuple[int, int]) -> Floats:
    """Return the divisors of the layers' input, by those of the source's channels."""
    times, size = repeats
    return divisor if times == 1 else np.repeat(divisor.reshape(-1, 1, size), times, axis=1).reshape(-1)


def _divided(array: npt.NDArray[Any], *, by: Floats) -> npt.NDArray[Any]:
    return (array / by).astype(array.dtype)


def _multiplied(array: npt.NDArray[Any], *, by: Floats, axis: int) -> npt.NDArray[Any]:
    shape = [1, 1]
    shape[axis] = len(by)
    return (array * by.reshape(shape)).astype(array.dtype)


def _scale(graph: ir.Graph, node: ir.Node, index: int, change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> None:
    """Change a constant that a node reads, computed when the graph is written; other readers keep theirs."""
    value = node.inputs[index]
    tensor = ir.convenience.get_const_tensor(value) if value is not None else None
    if value is None or tensor is None:
        raise AssertionError(f"input {index} of {node.name} is not a constant")
    name = str(value.name) if len(value.uses()) == 1 else f"{value.name}.{node.name}"
    shape = tensor.shape.numpy()
    changed = lazy_tensor(name, tensor.dtype, shape, lambda: np.ascontiguousarray(change(read_constant(tensor))))
    if name == value.name:
        value.const_value = changed
    else:
        node.replace_input_with(index, registered(graph, changed))
