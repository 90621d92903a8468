"""Weight-only quantisation: MatMul with a constant matrix becomes MatMulNBits.

    x ─► MatMul(W [K,N]) ─► y    becomes    x ─► MatMulNBits(B [N,K/block,bytes] uint8, scales [N,K/block]) ─► y

with zero points, packed like B, where the method has them. `accuracy_level` 4 multiplies in int8: without it the
operator is slower than float on CPUs (2048 x 2048, two rows: 10 ms, with it 0.35, float 1.7). Weights are quantised
when the graph is written, and only the last one is kept.
"""

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.errors import BundleError

from ..recipes import SYMMETRIC, Blocks
from ._constants import read_constant
from .blocks import Packed, correction, packed

DOMAIN: Final = "com.microsoft"
INT8_ARITHMETIC: Final = 4  # accuracy_level

# The second moments (K, K) of what each product reads, by the product's name; for `awq` the mean squares (K,) will do.
Moments: TypeAlias = Mapping[str, Floats]


def products(graph: ir.Graph) -> list[ir.Node]:
    """Return the MatMuls of a graph whose right side is a constant matrix; products of two activations are not."""
    return [node for node in graph if node.op_type == "MatMul" and matrix_of(node) is not None]


class MatMulNBitsPass(ir.passes.InPlacePass):
    """Quantise the constant matrices of a graph's products: of all, or of those that `only` names."""

    def __init__(self, weights: Blocks, *, only: Collection[str] | None = None, moments: Moments | None = None) -> None:
        super().__init__()
        self.weights, self.only, self.moments = weights, only, moments or {}
        # A matrix' blocks are written, then its scales: kept until the next one is asked for.
        self._pack: Callable[..., Packed] = functools.lru_cache(maxsize=1)(self._packed)
        self._last: tuple[Floats, Floats] | None = None  # moments and their correction: several products share them

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above."""
        graph = model.graph
        found = [node for node in products(graph) if self.only is None or node.name in self.only]
        for node in found:
            self._replace(graph, node)
        if found:
            graph.opset_imports[DOMAIN] = 1
            RemoveUnusedNodesPass()(model)
        return ir.passes.PassResult(model, modified=bool(found))

    def _packed(self, product: str | None, matrix: ir.TensorProtocol) -> Packed:
        return packed(str(matrix.name), read_constant(matrix), self.weights, self._correction(product or ""))

    def _correction(self, product: str) -> Floats | None:
        moments = self.moments.get(product)
        if self.weights.method != "gptq" or moments is None:
            return None
        if self._last is None or self._last[0] is not moments:
            try:
                self._last = moments, correction(moments)
            except ValueError as error:
                raise BundleError(f"{product} cannot be corrected by GPTQ: {error}; choose another method.") from error
        return self._last[1]

    def _replace(self, graph: ir.Graph, node: ir.Node) -> None:
        matrix = matrix_of(node)
        if matrix is None or matrix.name is None or node.inputs[0] is None:
            raise AssertionError("only MatMuls with a constant matrix are replaced")
        bits, block = self.weights.bits, self.weights.block_size
        rows, columns = matrix.shape.numpy()  # K, N
        blocks = -(-rows // block)
        pack = functools.partial(self._pack, node.name, matrix)
        name = f"{matrix.name}.int{bits}.{block}.{self.weights.method}"  # another product may read it otherwise
        inputs = [
            node.inputs[0],
            _lazy(graph, name, (columns, blocks, block * bits // 8), lambda: pack().blocks),
            _lazy(graph, f"{name}.scales", (columns, blocks), lambda: pack().scales, ir.DataType.FLOAT),
        ]
        if self.weights.method not in SYMMETRIC:
            shape = (columns, -(-blocks * bits // 8))
            inputs.append(_lazy(graph, f"{name}.zero_points", shape, lambda: pack().zero_points))
        new = ir.node(
            "MatMulNBits",
            inputs,
            attributes={
                "K": rows,
                "N": columns,
                "bits": bits,
                "block_size": block,
                "accuracy_level": INT8_ARITHMETIC,
            },
            domain=DOMAIN,
            name=node.name,
        )
        ir.convenience.replace_nodes_and_values(graph, node, [node], [new], node.outputs, new.outputs)


def matrix_of(node: ir.Node) -> ir.TensorProtocol | None:
    """Return the constant matrix that a MatMul multiplies by."""
    value = node.inputs[1]
    tensor = value.const_value if value is not None else None
    return tensor if tensor is not None and len(tensor.shape) == 2 else None


def _lazy(
    graph: ir.Graph,
    name: str,
    shape: tuple[int, ...],
    read: Callable[[], Array | None],
    dtype: ir.DataType = ir.DataType.UINT8,
) -> ir.Value:
    if name in graph.initializers:  # two products read the same matrix
        return graph.initializers[name]
    tensor = ir.LazyTensor(
        lambda: ir.Tensor(np.asarray(read()), name=name), dtype=dtype, shape=ir.Shape(shape), name=name
    )
    value = ir.Value(name=name, type=ir.TensorType(dtype), shape=ir.Shape(shape), const_value=tensor)
    graph.register_initializer(value)
    return value
