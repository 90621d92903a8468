"""Weights of 4 and 8 bits: MatMul with a constant matrix becomes MatMulNBits.

    x ─► MatMul(W [K,N]) ─► y    becomes    x ─► MatMulNBits(B [N,K/block,bytes] uint8, scales [N,K/block]) ─► y

with zero points, packed like B, where the method has them. `accuracy_level` 4 multiplies in int8: without it the
operator is slower than float on CPUs (2048 x 2048, two rows: 10 ms, with it 0.35, float 1.7). Weights are quantised
when the graph is written, and only the last matrix is kept.
"""

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.errors import BundleError

from ..passes._graph import lazy_constant, matmuls, matrix_of, read_constant
from ..precision_recipes import SYMMETRIC, Blocks
from .gptq import inverse_hessian_factor
from .methods import packed
from .packing import Packed

DOMAIN: Final = "com.microsoft"
INT8_ARITHMETIC: Final = 4  # accuracy_level

# The second moments (K, K) of each linear layer's input, by the layer's name; for AWQ their diagonals (K,) will do.
Moments: TypeAlias = Mapping[str, Floats]


class MatMulNBitsPass(ir.passes.InPlacePass):
    """Quantise the constant matrices of a graph's MatMuls: of all, or of those that `only` names."""

    def __init__(self, weights: Blocks, *, only: Collection[str] | None = None, moments: Moments | None = None) -> None:
        super().__init__()
        self.weights, self.only, self.moments = weights, only, moments or {}
        # A matrix's blocks are written, then its scales: kept until the next matrix is asked for.
        self._pack: Callable[..., Packed] = functools.lru_cache(maxsize=1)(self._packed)
        self._last: tuple[Floats, Floats] | None = None  # moments and their factor: layers with one input share them

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above."""
        graph = model.graph
        found = [node for node in matmuls(graph) if self.only is None or node.name in self.only]
        for node in found:
            self._replace(graph, node)
        if found:
            graph.opset_imports[DOMAIN] = 1
            RemoveUnusedNodesPass()(model)
        return ir.passes.PassResult(model, modified=bool(found))

    def _packed(self, layer: str | None, matrix: ir.TensorProtocol) -> Packed:
        return packed(str(matrix.name), read_constant(matrix), self.weights, self._factor(layer or ""))

    def _factor(self, layer: str) -> Floats | None:
        moments = self.moments.get(layer)
        if self.weights.method != "gptq" or moments is None:
            return None
        if self._last is None or self._last[0] is not moments:
            try:
                self._last = moments, inverse_hessian_factor(moments)
            except ValueError as error:
                raise BundleError(
                    f"GPTQ cannot use the second moments of the input of {layer}: {error}; choose another `method`."
                ) from error
        return self._last[1]

    def _replace(self, graph: ir.Graph, node: ir.Node) -> None:
        matrix = matrix_of(node)
        if matrix is None or matrix.name is None or node.inputs[0] is None:
            raise AssertionError("only MatMuls with a constant matrix are replaced")
        rows, columns = matrix.shape.numpy()  # K, N
        new = ir.node(
            "MatMulNBits",
            [node.inputs[0], *self._constants(graph, node, matrix)],
            attributes={
                "K": rows,
                "N": columns,
                "bits": self.weights.bits,
                "block_size": self.weights.block_size,
                "accuracy_level": INT8_ARITHMETIC,
            },
            domain=DOMAIN,
            name=node.name,
        )
        ir.convenience.replace_nodes_and_values(graph, node, [node], [new], node.outputs, new.outputs)

    def _constants(self, graph: ir.Graph, node: ir.Node, matrix: ir.TensorProtocol) -> list[ir.Value]:
        """Return the blocks, the scales and, for an asymmetric method, the zero points of a matrix."""
        bits, block, uint8 = self.weights.bits, self.weights.block_size, ir.DataType.UINT8
        rows, columns = matrix.shape.numpy()
        blocks = -(-rows // block)
        pack = functools.partial(self._pack, node.name, matrix)
        name = f"{matrix.name}.int{bits}.{block}.{self.weights.method}"  # another layer may quantise it otherwise
        made = [
            lazy_constant(graph, name, uint8, (columns, blocks, block * bits // 8), lambda: pack().blocks),
            lazy_constant(graph, f"{name}.scales", ir.DataType.FLOAT, (columns, blocks), lambda: pack().scales),
        ]
        if self.weights.method not in SYMMETRIC:
            shape = (columns, -(-blocks * bits // 8))
            made.append(
                lazy_constant(graph, f"{name}.zero_points", uint8, shape, lambda: np.asarray(pack().zero_points))
            )
        return made
