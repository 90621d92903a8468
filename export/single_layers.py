"""A written backbone, cut into graphs of one layer over the same file of weights.

    inputs_embeds, past_lengths, past_*.i, layer_output.(i-1) ─► layer i ─► layer_output.i, present_*.i

ONNX Runtime maps the weights of a graph, but a run touches all of them. A piece touches those of its layer. Positions,
mask and rotary tables belong to every piece; the final norm and `last_hidden` belong to the last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir
import onnxruntime as ort

from .graphs.backbone import layer_output


@dataclass(frozen=True, slots=True)
class Piece:
    """One layer: what it reads besides the backbone's own inputs, and what it hands on."""

    session: ort.InferenceSession
    source: str  # input that holds the hidden state before the layer
    result: str  # output that holds the hidden state behind it; behind the final norm in the last piece


def open_session(model: Path | bytes, folder: Path | None = None) -> ort.InferenceSession:
    """Open a graph on the CPU with its weights mapped: prepacking would copy them all into memory."""
    options = ort.SessionOptions()
    options.log_severity_level = 3  # TensorScatter warns whenever past and present are different memory
    options.add_session_config_entry("session.disable_prepacking", "1")
    if folder is not None:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def pieces(path: Path, layers: int) -> Iterator[Piece]:
    """Open the layers of a backbone one after the other; together they hold every operator and weight of it."""
    model = ir.load(path)
    graph = model.graph
    everything = {output.name for node in graph for output in node.outputs} | set(graph.initializers)
    seen: set[str | None] = set()
    for layer in range(layers):
        source = layer_output(layer - 1) if layer else "inputs_embeds"
        last = layer == layers - 1
        caches = [f"{side}.{layer}" for side in ("keys", "values")]
        outputs = ["hidden", "last_hidden"] if last else [layer_output(layer)]
        piece = ir.convenience.extract(
            graph,
            [*(value for value in graph.inputs if value.name is not None), *([source] if layer else [])],
            [*outputs, *(f"present_{cache}" for cache in caches)],
        )
        seen |= {output.name for node in piece for output in node.outputs} | set(piece.initializers)
        _trim(piece)
        small = ir.Model(piece, ir_version=model.ir_version)
        yield Piece(open_session(ir.to_proto(small).SerializeToString(), path.parent), source, outputs[0])
    if everything - seen:
        raise AssertionError(f"no layer of {path} holds {', '.join(sorted(map(str, everything - seen)))}")


def _trim(piece: ir.Graph) -> None:
    """Remove the inputs that nothing in the piece reads: the caches of the other layers."""
    for value in [value for value in piece.inputs if not value.uses()]:
        piece.inputs.remove(value)
    for value in piece.inputs:
        if value.type is None:  # a hidden state in the middle of the backbone
            value.type = ir.TensorType(ir.DataType.FLOAT)
