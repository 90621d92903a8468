"""The operators of ONNX and ONNX Runtime: their inputs, outputs and allowed types. Knows no device."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass

from edgevlo.runtime.errors import BundleError

ONNX_DOMAINS: Final = ("", "ai.onnx")


@dataclass(frozen=True, slots=True)
class Schema:
    """One operator at one version; a type is written as in "tensor(float)"."""

    domain: str
    name: str
    since: int
    inputs: tuple[str, ...]  # of each input the name of its type parameter, or its type
    outputs: tuple[str, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    types: Mapping[str, frozenset[str]]  # of each type parameter

    def input_parameter(self, index: int) -> str:
        """Return the type parameter of an input; those past a variadic one are like it."""
        return self.inputs[index if index < len(self.inputs) else -1]

    def output_parameter(self, index: int) -> str:
        """Return the type parameter of an output."""
        return self.outputs[index if index < len(self.outputs) else -1]

    def input_name(self, index: int) -> str:
        """Return the name of an input."""
        return self.input_names[index if index < len(self.input_names) else -1]

    def output_name(self, index: int) -> str:
        """Return the name of an output."""
        return self.output_names[index if index < len(self.output_names) else -1]

    def input_types(self, index: int) -> frozenset[str]:
        """Return the types that an input may have."""
        name = self.input_parameter(index)
        return self.types.get(name, frozenset({name}))

    def output_types(self, index: int) -> frozenset[str]:
        """Return the types that an output may have."""
        name = self.output_parameter(index)
        return self.types.get(name, frozenset({name}))


def schema_of(model: ir.Model, node: ir.Node) -> Schema:
    """Return the schema of a node at the model's opset; raise `BundleError` for an unknown operator."""
    version = model.opset_imports.get(node.domain)
    if version is None:
        raise BundleError(f"the graph uses {node.domain or 'ai.onnx'}.{node.op_type} without importing its domain.")
    if node.domain in ONNX_DOMAINS:
        return _onnx(node.op_type, version)
    found = _contrib().get((node.domain, node.op_type))
    if found is None:
        raise BundleError(f"{node.domain}.{node.op_type} is not an operator of ONNX Runtime.")
    return found


@functools.cache
def _onnx(name: str, version: int) -> Schema:
    try:
        return _made(onnx.defs.get_schema(name, version, ""))
    except onnx.defs.SchemaError as error:
        raise BundleError(f"ONNX has no operator {name} in opset {version}.") from error


@functools.cache
def _contrib() -> dict[tuple[str, str], Schema]:
    """Return the operators that ONNX Runtime adds, in their newest version."""
    from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

    newest: dict[tuple[str, str], Schema] = {}
    for raw in get_all_operator_schema():
        if raw.domain in ONNX_DOMAINS:
            continue
        made = _made(raw)
        key = (made.domain, made.name)
        if key not in newest or newest[key].since < made.since:
            newest[key] = made
    return newest


def _made(raw: Any) -> Schema:
    def parameters(formal: Any) -> tuple[str, ...]:
        return tuple(getattr(one, "type_str", None) or one.typeStr for one in formal)  # onnx's name, then onnxruntime's

    return Schema(
        domain=raw.domain,
        name=raw.name,
        since=raw.since_version,
        inputs=parameters(raw.inputs),
        outputs=parameters(raw.outputs),
        input_names=tuple(one.name for one in raw.inputs),
        output_names=tuple(one.name for one in raw.outputs),
        types={one.type_param_str: frozenset(one.allowed_type_strs) for one in raw.type_constraints},
    )


def infer_types(model: ir.Model) -> None:
    """Give every value of the graph its type; raise `BundleError` naming the first whose type is unknown."""
    ShapeInferencePass()(model)
    for node in model.graph:
        for index, value in enumerate(node.outputs):
            if value.dtype is None:
                value.type = ir.TensorType(_shared_type(model, node, index))


def _shared_type(model: ir.Model, node: ir.Node, index: int) -> ir.DataType:
    """Return the type of an output by its type parameter: that of an input that shares it."""
    schema = schema_of(model, node)
    parameter = schema.output_parameter(index)
    for place, value in enumerate(node.inputs):
        if value is not None and value.dtype is not None and schema.input_parameter(place) == parameter:
            return value.dtype
    raise BundleError(f"the type of {node.outputs[index].name}, an output of {node.op_type}, cannot be inferred.")
