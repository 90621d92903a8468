"""One ONNX graph -> one serialized engine, through TensorRT's own parser and builder. Knows no bundle and no cache."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..errors import BundleError
from .tensorrt_api import Network, OnnxParser, OptimizationProfile, TensorRT, severity_logger
from .tensorrt_profiles import Profile

_SHOWN_ERRORS: Final = 3


def build_serialized_engine(
    trt: TensorRT, graph: Path, profiles: Sequence[Profile], *, workspace: int | None = None
) -> bytes:
    """Return the engine of an ONNX file, `workspace` bytes at most being used to build it.

    Types are those of the graph, and float32 is computed in float32, not in TF32. Raises `BundleError` with what
    TensorRT says when it cannot parse or build the graph.
    """
    logger = severity_logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(_strongly_typed(trt))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(graph)):
        raise BundleError(f"TensorRT {trt.__version__} cannot parse {graph}: {_errors(parser)}.")
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    if workspace is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace)
    for profile in profiles:
        made = builder.create_optimization_profile()
        _state(made, network, profile)
        if config.add_optimization_profile(made) < 0:
            raise BundleError(f"TensorRT {trt.__version__} refuses the shapes {profile} for {graph}.")
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise BundleError(f"TensorRT {trt.__version__} cannot build an engine of {graph}; its log above says why.")
    return bytes(engine)


def _strongly_typed(trt: TensorRT) -> int:
    """Return the flag with which types come from the graph alone; since 11 there is no other way."""
    return 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)


def _errors(parser: OnnxParser) -> str:
    shown = [" ".join(str(parser.get_error(index)).split()) for index in range(min(parser.num_errors, _SHOWN_ERRORS))]
    return "; ".join(shown) or "no reason given"


def _state(profile: OptimizationProfile, network: Network, shapes: Profile) -> None:
    """State the shapes of every input with a dimension of variable size."""
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        if -1 in tuple(tensor.shape):
            name = tensor.name
            profile.set_shape(name, shapes.smallest[name], shapes.usual[name], shapes.largest[name])
