"""Nodes of a graph that a GPU target cannot run, by tables read out of the shipped libraries. Needs no GPU.

`operators_tensorrt.json` lists the operators that TensorRT-RTX 1.7.1's parser knows; what it then refuses
or, worse, ignores is below as rules. `operators_cuda.json` lists every CUDA kernel of onnxruntime-gpu 1.31.1 with
its types: a node without one would run on the CPU, its tensors copied there and back at every step.
"""

import functools
import importlib.resources
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import onnx_ir as ir

from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.interfaces import MAX_TOP_K

from ..operator_schemas import ONNX_DOMAINS, Schema, infer_types, schema_of

_LISTED: Final = 3  # problems in an error message

_NAMES: Final[dict[ir.DataType, str]] = {
    ir.DataType.FLOAT: "float",
    ir.DataType.FLOAT16: "float16",
    ir.DataType.BFLOAT16: "bfloat16",
    ir.DataType.DOUBLE: "double",
    ir.DataType.INT64: "int64",
    ir.DataType.INT32: "int32",
    ir.DataType.INT16: "int16",
    ir.DataType.INT8: "int8",
    ir.DataType.INT4: "int4",
    ir.DataType.INT2: "int2",
    ir.DataType.UINT8: "uint8",
    ir.DataType.UINT4: "uint4",
    ir.DataType.UINT2: "uint2",
    ir.DataType.BOOL: "bool",
    ir.DataType.FLOAT8E4M3FN: "float8e4m3fn",
    ir.DataType.FLOAT8E5M2: "float8e5m2",
    ir.DataType.STRING: "string",
}
# What TensorRT's networks are made of; uint8 only as an input or output, which no graph of ours has.
_TENSORRT_TYPES: Final = frozenset(
    {"float", "float16", "bfloat16", "int64", "int32", "int8", "int4", "bool", "float8e4m3fn"}
)
_HALVES: Final = frozenset({"float16", "bfloat16"})
_WIDEST_HEAD: Final = 256


@dataclass(frozen=True, slots=True)
class Problem:
    """A node that the target cannot run, and why."""

    node: str
    operator: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operator} {self.node!r}: {self.reason}"


def check_tensorrt(model: ir.Model) -> list[Problem]:
    """Return the nodes that TensorRT (and TensorRT-RTX) would refuse or misread."""
    infer_types(model)
    return [Problem(_name(node), node.op_type, reason) for node in model.graph for reason in _tensorrt(model, node)]


def check_cuda(model: ir.Model) -> list[Problem]:
    """Return the nodes for which ONNX Runtime's CUDA provider has no kernel."""
    infer_types(model)
    found = [(node, _cuda(model, node)) for node in model.graph]
    return [Problem(_name(node), node.op_type, reason) for node, reason in found if reason is not None]


CHECKS: Final[dict[str, Callable[[ir.Model], list[Problem]]]] = {
    "cuda": check_cuda,
    "rtx": check_tensorrt,
    "tensorrt": check_tensorrt,
}


def refuse(model: ir.Model, target: str, role: str) -> None:
    """Raise `BundleError` naming the first nodes that the target does not run, if there are any."""
    problems = CHECKS[target](model)
    if problems:
        first = "; ".join(map(str, problems[:_LISTED]))
        more = f"; and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
        raise BundleError(f"{role} cannot run on target {target!r}: {first}{more}.")


def _name(node: ir.Node) -> str:
    return node.name or str(node.outputs[0].name)


@functools.cache
def _table(file: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(
        importlib.resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    )
    return table


def _type(value: ir.Value) -> str:
    """Return the name of a value's type; what has no name here has no kernel either."""
    return _NAMES.get(value.dtype, str(value.dtype)) if value.dtype is not None else "no type"


# TensorRT.


def _tensorrt(model: ir.Model, node: ir.Node) -> Iterator[str]:
    supported = frozenset(_table("operators_tensorrt.json")["supported"])
    if node.domain not in ONNX_DOMAINS or node.op_type not in supported:
        yield "TensorRT has no such operator"
        return
    for value in (*node.inputs, *node.outputs):
        if value is not None and _type(value) not in _TENSORRT_TYPES:
            yield f"{value.name} is {_type(value)}, which TensorRT does not support"
    rule = _RULES.get(node.op_type)
    if rule is not None:
        yield from rule(model, node)


def _attention(_model: ir.Model, node: ir.Node) -> Iterator[str]:
    query = node.inputs[0]
    if query is not None and _type(query) not in _HALVES:
        yield f"attention over {_type(query)} is built for single tokens only; use fp16 or bf16"
    if len(node.inputs) > 6 and node.inputs[6] is not None:
        yield "TensorRT ignores nonpad_kv_seqlen and would attend to stale rows; give it a mask"
    size = query.shape[-1] if query is not None and query.shape is not None else None
    if isinstance(size, int) and size > _WIDEST_HEAD:
        yield f"heads of {size} are wider than its limit of {_WIDEST_HEAD}; use MatMul and Softmax"


def _scatter(model: ir.Model, node: ir.Node) -> Iterator[str]:
    past, present = node.inputs[0], node.outputs[0]
    if past is None or past not in model.graph.inputs:
        yield "its cache is not an input of the graph, so it cannot be updated in place"
    elif past.shape is None or not isinstance(past.shape[2], int):
        yield "its cache has no fixed capacity"
    if present not in model.graph.outputs:
        yield "its result is not an output of the graph"
    if _type(present) not in {*_HALVES, "float"}:
        yield f"a cache of {_type(present)} cannot be updated; use fp16 or bf16"
    mode = node.attributes.get("mode")
    if mode is not None and mode.as_string() != "linear":
        yield "only linear caches can be updated"


def _top_k(_model: ir.Model, node: ir.Node) -> Iterator[str]:
    size = node.inputs[1].const_value if node.inputs[1] is not None else None
    if size is None:
        yield "its size is computed, which would make it a shape; it must be a constant"
    elif int(size.numpy().max()) > MAX_TOP_K:
        yield f"its size {int(size.numpy().max())} is above {MAX_TOP_K}"


def _quantised(_model: ir.Model, node: ir.Node) -> Iterator[str]:
    """Q and DQ: symmetric, with constant scales."""
    scale = node.inputs[1]
    if scale is None or scale.const_value is None:
        yield "its scale is not a constant"
    if len(node.inputs) > 2 and node.inputs[2] is not None:
        zero = node.inputs[2].const_value
        if zero is None or zero.numpy().astype("float32").any():
            yield "its zero point is not 0; TensorRT quantises symmetrically"


_RULES: Final[dict[str, Callable[[ir.Model, ir.Node], Iterator[str]]]] = {
    "Attention": _attention,
    "TensorScatter": _scatter,
    "TopK": _top_k,
    "QuantizeLinear": _quantised,
    "DequantizeLinear": _quantised,
}


# ONNX Runtime's CUDA provider.


def _cuda(model: ir.Model, node: ir.Node) -> str | None:
    name = node.op_type if node.domain in ONNX_DOMAINS else f"{node.domain}::{node.op_type}"
    kernels = _table("operators_cuda.json")["kernels"].get(name)
    if not kernels:
        return "there is no CUDA kernel"
    schema = schema_of(model, node)
    within = [
        types for first, last, types in kernels if first <= schema.since and (last is None or schema.since <= last)
    ]
    if not within:
        return f"there is no CUDA kernel for its version {schema.since}"
    if not any(_fits(schema, node, types) for types in within):
        given = ", ".join(f"{value.name} {_type(value)}" for value in node.inputs if value is not None)
        return f"there is no CUDA kernel for its types ({given})"
    if name == "com.microsoft::GroupQueryAttention" and len(node.inputs) > 16 and node.inputs[16] is not None:
        return "the CUDA kernel has no input query_seqlens"
    return None


def _fits(schema: Schema, node: ir.Node, types: dict[str, list[str]]) -> bool:
    """Whether a kernel's types, by type parameter or by the name of an input or output, are those of a node."""
    ends = [
        *((schema.input_parameter(index), schema.input_name(index), value) for index, value in enumerate(node.inputs)),
        *(
            (schema.output_parameter(index), schema.output_name(index), value)
            for index, value in enumerate(node.outputs)
        ),
    ]
    return all(
        _type(value) in types[key]
        for parameter, name, value in ends
        for key in (parameter, name)
        if value is not None and key in types
    )
