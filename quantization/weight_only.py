"""Weight-only quantisation: MatMul with a constant matrix becomes MatMulNBits.

    x ─► MatMul(W [K,N]) ─► y    becomes    x ─► MatMulNBits(B [N,K/block,bytes] uint8, scales [N,K/block]) ─► y

Symmetric blocks along K, packed by ONNX Runtime's own quantiser. `accuracy_level` 4 multiplies in int8: without it the
operator is slower than float on CPUs (2048 x 2048, two rows: 10 ms, with it 0.35, float 1.7). Weights are quantised
when the graph is written, and only the last one is kept.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

DOMAIN: Final = "com.microsoft"
INT8_ARITHMETIC: Final = 4  # accuracy_level

Packed = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]  # blocks (N, K/block, bytes), scales (N, K/block)


class MatMulNBitsPass(ir.passes.InPlacePass):
    """Quantise the constant right side of every MatMul; products of two activations stay as they are."""

    def __init__(self, *, bits: int, block_size: int) -> None:
        super().__init__()
        self.bits, self.block_size = bits, block_size
        # A matrix' blocks are written, then its scales: kept until the next one is asked for.
        self._pack: Callable[..., Packed] = functools.lru_cache(maxsize=1)(quantize_matrix)

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above to every MatMul of the graph."""
        graph = model.graph
        found = [node for node in graph if node.op_type == "MatMul" and _matrix(node) is not None]
        for node in found:
            self._replace(graph, node)
        if found:
            graph.opset_imports[DOMAIN] = 1
            RemoveUnusedNodesPass()(model)
        return ir.passes.PassResult(model, modified=bool(found))

    def _replace(self, graph: ir.Graph, node: ir.Node) -> None:
        matrix = _matrix(node)
        if matrix is None or matrix.name is None or node.inputs[0] is None:
            raise AssertionError("only MatMuls with a constant matrix are replaced")
        rows, columns = matrix.shape.numpy()  # K, N
        blocks = -(-rows // self.block_size)
        pack = functools.partial(self._pack, matrix, self.bits, self.block_size)
        packed = ir.LazyTensor(
            lambda: ir.Tensor(pack()[0]),
            dtype=ir.DataType.UINT8,
            shape=ir.Shape((columns, blocks, self.block_size * self.bits // 8)),
            name=f"{matrix.name}.int{self.bits}",
        )
        scales = ir.LazyTensor(
            lambda: ir.Tensor(pack()[1]),
            dtype=ir.DataType.FLOAT,
            shape=ir.Shape((columns, blocks)),
            name=f"{matrix.name}.scales",
        )
        new = ir.node(
            "MatMulNBits",
            [node.inputs[0], _initializer(graph, packed), _initializer(graph, scales)],
            attributes={
                "K": rows,
                "N": columns,
                "bits": self.bits,
                "block_size": self.block_size,
                "accuracy_level": INT8_ARITHMETIC,
            },
            domain=DOMAIN,
            name=node.name,
        )
        ir.convenience.replace_nodes_and_values(graph, node, [node], [new], node.outputs, new.outputs)


def quantize_matrix(matrix: ir.TensorProtocol, bits: int, block_size: int) -> Packed:
    """Return a matrix `(K, N)` in blocks with their scales, as MatMulNBits reads them."""
    handlers, level = logging.root.handlers[:], logging.root.level
    from onnxruntime.quantization import matmul_nbits_quantizer as quantizer

    logging.root.handlers[:] = handlers  # the import configures the root logger
    logging.root.setLevel(level)
    config: Any = quantizer.DefaultWeightOnlyQuantConfig(block_size=block_size, is_symmetric=True, bits=bits)
    blocks, scales, _ = quantizer.DefaultWeightOnlyQuantizer(config).qbits_block_quant(matrix.numpy())
    return blocks, scales


def _matrix(node: ir.Node) -> ir.TensorProtocol | None:
    """Return the constant matrix that a MatMul multiplies by."""
    value = node.inputs[1]
    tensor = value.const_value if value is not None else None
    return tensor if tensor is not None and len(tensor.shape) == 2 else None


def _initializer(graph: ir.Graph, tensor: ir.TensorProtocol) -> ir.Value:
    value = ir.Value(
        name=tensor.name, type=ir.TensorType(tensor.dtype), shape=ir.Shape(tensor.shape.numpy()), const_value=tensor
    )
    graph.register_initializer(value)
    return value
