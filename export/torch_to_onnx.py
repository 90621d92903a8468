"""A torch module becomes an ONNX graph: torch.onnx, then the clean-up passes. Knows no family."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import onnx_ir as ir
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass, RemoveUnusedNodesPass

from .export_plan import TorchGraph
from .passes import KnownShapesPass, ZeroBranchesPass, ZeroTapsPass

# The newest opset without GroupNormalization, for which ONNX Runtime has no kernel.
OPSET: Final = 20


def export_module(graph: TorchGraph, name: str) -> ir.Model:
    """Return the module as an ONNX model with the input and output that the plan states."""
    (input_name, input_shape), (output_name, output_shape) = graph.input, graph.output
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            graph.module,
            (graph.example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[input_name],
            output_names=[output_name],
            dynamic_shapes=(graph.dynamic,),
            verbose=False,
            optimize=False,
        )
        if program is None:
            raise AssertionError("torch.onnx.export with dynamo returns a program")
        model = _optimized(program)
    for clean_up in (ZeroBranchesPass(), ZeroTapsPass(), RemoveUnusedNodesPass(), KnownShapesPass()):
        clean_up(model)
    ClearMetadataAndDocStringPass()(model)
    model.graph.name = name
    model.producer_name, model.producer_version = "edgevlo", None
    model.graph.inputs[0].shape = ir.Shape(input_shape)
    model.graph.outputs[0].shape = ir.Shape(output_shape)
    return model


def _optimized(program: torch.onnx.ONNXProgram) -> ir.Model:
    """Return the program's graph optimised, in a copy that nobody else remembers.

    onnxscript's rewrite rules keep the last graph that they saw, and that graph every weight it ever had: 1.2 GB of
    Janus-Pro's vision encoder. So the weights are taken out of it.
    """
    values = [*program.model.graph.initializers.values()]
    program.optimize()
    values += program.model.graph.initializers.values()
    model: ir.Model = program.model.clone()
    for value in values:
        value.const_value = None
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what torch says about itself: a deprecated call of its own, and torchvision not being installed."""
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    registration.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            yield
    finally:
        registration.setLevel(level)
