"""The graph `text_head`: logits of the next text token. The runtime chooses among them."""

from typing import Final

import onnx_ir as ir

from ..checkpoint.folder import Checkpoint
from .graph_builder import Network

OPSET: Final = 20

FLOAT: Final = ir.DataType.FLOAT


def build_text_head(checkpoint: Checkpoint, tensor: str) -> ir.Model:
    """Return `hidden [B,D] -> logits [B,V]` with the whole output matrix `tensor` `(V, D)`."""
    net = Network("text_head", OPSET)
    tokens, size = checkpoint.shapes[tensor]
    hidden = net.input("hidden", FLOAT, ("B", size))
    weight = net.weight(tensor, (size, tokens), lambda: checkpoint.transposed(tensor))
    net.output(net.op("MatMul", hidden, weight, name="text_head"), "logits", FLOAT, ("B", tokens))
    return net.model()
