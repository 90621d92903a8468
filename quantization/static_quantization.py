"""Static quantisation by calibration ranges: smoothing, quantised activations and KV cache, as passes over graphs.

Knows which target supports which precision, and nothing of how a calibration was made.
"""

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec
import onnx_ir as ir

from edgevlo.calibration import store
from edgevlo.calibration.thresholds import signal_to_noise
from edgevlo.runtime.arguments import wrong_type
from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import CalibrationError, RequestError
from edgevlo.runtime.manifest.graphs import Backbone, Graph, GraphRole, Tensor
from edgevlo.runtime.manifest.schema import Manifest

from .passes._graph import is_cache, linear_layers
from .passes.group_query_attention import GroupQueryAttentionPass
from .passes.int8_kv_cache import LEAST_HALF, QuantizedCachePass
from .passes.matmul_integer import MatMulIntegerPass
from .passes.qdq import Kind, QuantizeDequantizePass
from .passes.smoothquant import SmoothingPass

# SmoothQuant's alpha where none is given. fp8 rounds relative to each number, so channels of different size do no harm
# there, while a smoothed tensor is not clipped: picturebook on target `tensorrt` under `edgevlo evaluate`
# diverges by 2.9e-4 nats with 0.5 and by 1.3e-4 without.
SMOOTHING: Final[dict[Kind, float]] = {"int8": 0.5, "fp8": 0.0}

# The signal over noise that int8 must leave in an operator's input. Inputs of picturebook's `down_proj`, products of a
# gated MLP, keep 11 to 21 dB, all others 32 and more. With those left float the next code diverges by 6e-5 nats, else
# by 5e-4 (requests of `edgevlo evaluate`). fp8 rounds relative to each number: 31 dB, but for the smallest.
LEAST_DB: Final = 28.0

_KINDS: Final[tuple[Kind, ...]] = ("int8", "fp8")
_HALF_ONLY: Final = "TensorRT caches keys and values in half precision only"

# The activations that a target supports, and the reason where it does not.
ACTIVATIONS: Final[dict[str, dict[Kind, str | None]]] = {
    "cpu": {"int8": None, "fp8": "a CPU computes it in float32, slower and no better than int8"},
    "cuda": dict.fromkeys(_KINDS, "ONNX Runtime computes it in float there, slower than without"),
    "rtx": dict.fromkeys(_KINDS),
    "tensorrt": dict.fromkeys(_KINDS),  # whether a device supports fp8 is checked when engines are built
}
CACHES: Final[dict[str, dict[Kind, str | None]]] = {
    "cpu": {"int8": None, "fp8": "ONNX Runtime has no CPU kernel for it"},
    "cuda": {"int8": None, "fp8": "no CUDA kernel of ONNX Runtime puts it into a cache"},
    "rtx": dict.fromkeys(_KINDS, _HALF_ONLY),
    "tensorrt": dict.fromkeys(_KINDS, _HALF_ONLY),
}

# Graphs whose linear layers are quantised with their activations. On CPUs the image head stays float, as every code is
# drawn from its logits, and so does the image decoder: convolutions in int8 are no faster there.
ROLES: Final[dict[str, tuple[GraphRole, ...]]] = {
    "cpu": ("backbone", "text_head", "vision_encoder"),
    "rtx": ("backbone", "image_head", "text_head", "vision_encoder", "image_decoder"),
    "tensorrt": ("backbone", "image_head", "text_head", "vision_encoder", "image_decoder"),
}


def able(manifest: Manifest, target: str) -> tuple[GraphRole, ...]:
    """Return the graphs whose activations a target quantises, without a text head that no ability of the model uses."""
    answers = any(ability.output != "image" for ability in manifest.abilities.values())
    return tuple(role for role in ROLES[target] if role != "text_head" or answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """What is quantised by calibration ranges: activations, the cache, or both.

    `smoothing` is SmoothQuant's alpha, for activations; 0 disables it, None is the default in `SMOOTHING`. `keep` are
    patterns of names of graphs or operators (`*` is anything), such as `*.down_proj`, whose inputs stay float. So do
    the inputs to which int8 would leave less than `least_db` of signal over noise, as calibrated.
    """

    activations: Kind | None = None
    cache: Kind | None = None
    smoothing: float | None = None
    keep: tuple[str, ...] = ()
    least_db: float = LEAST_DB

    @property
    def alpha(self) -> float:
        """SmoothQuant's alpha; 0 disables it."""
        if self.activations is None:
            return 0.0
        return SMOOTHING[self.activations] if self.smoothing is None else self.smoothing

    def among(self, roles: Collection[GraphRole]) -> tuple[GraphRole, ...]:
        """Return the graphs among these that `keep` does not name."""
        return tuple(role for role in roles if not any(fnmatchcase(role, one) for one in self.keep))

    def check(self, target: str) -> None:
        """Raise `RequestError` for a precision that the target does not support, or an alpha out of range."""
        for option, kind, supported in (
            ("activations", self.activations, ACTIVATIONS.get(target, {})),
            ("cache", self.cache, CACHES.get(target, {})),
        ):
            if kind is None:
                continue
            reason = supported.get(kind, "there is no such precision")
            if reason is not None:
                able = ", ".join(one for one, why in supported.items() if why is None) or "float alone"
                raise RequestError(f"`{option}={kind!r}` is not supported on target {target!r}: {reason}. Use {able}.")
        for pattern in self.keep:
            if not isinstance(pattern, str):
                raise wrong_type("keep", pattern, "patterns")
        if self.smoothing is not None and not 0 <= self.smoothing <= 1:
            raise RequestError(f"`smoothing={self.smoothing}` is not between 0 and 1; it is SmoothQuant's alpha.")


class Calibrated:
    """A finished calibration of one bundle, and what it quantises on one target."""

    def __init__(self, static: Static, folder: Path | None, bundle: Bundle, target: str) -> None:
        """Read a calibration; raise `CalibrationError` if it is damaged, unfinished or of another bundle."""
        static.check(target)
        if folder is None:
            raise RequestError(
                "`activations` and `cache` need calibration ranges; run edgevlo calibrate and name its output with "
                "`calibration`."
            )
        calibration, self._tensors, _ = store.read(folder)
        if calibration.bundle_sha256 != bundle.digest:
            raise CalibrationError(
                f"{folder} was made from another bundle ({calibration.bundle}) than {bundle.folder}; "
                "calibrate this one."
            )
        if not calibration.finished:
            raise CalibrationError(
                f"{folder} has {len(calibration.done)} of {calibration.cases} cases; finish it: edgevlo calibrate."
            )
        self.static, self.target, self.shape = static, target, bundle.manifest.backbone
        self._calibration = calibration
        self._able = () if static.activations is None else able(bundle.manifest, target)
        for pattern in static.keep:
            if not any(fnmatchcase(role, pattern) or self.kept(role, (pattern,)) for role in self._able):
                raise RequestError(
                    f"`keep={pattern!r}` matches no quantised graph and no operator; {folder / store.FILE} lists them."
                )

    def using(self, static: Static) -> "Calibrated":
        """Return the same calibration with other settings."""
        other = copy.copy(self)
        other.static = static
        return other

    @property
    def roles(self) -> tuple[GraphRole, ...]:
        """The graphs whose activations are quantised, and with them their weights."""
        return self.static.among(self._able)

    def kept(self, role: GraphRole, patterns: Collection[str]) -> frozenset[str]:
        """Return the operators of a graph whose names fit one of the patterns."""
        readers = {name for one in self._calibration.ranges.get(role, {}).values() for name in one.readers}
        return frozenset(name for name in readers if any(fnmatchcase(name, pattern) for pattern in patterns))

    def thresholds(self, role: GraphRole) -> dict[str, float]:
        """Return the absolute value at which each tensor of a graph is clipped."""
        return {name: one.threshold for name, one in self._calibration.ranges.get(role, {}).items()}

    def peaks(self, role: GraphRole) -> dict[str, Floats]:
        """Return the largest absolute value in every channel of each tensor, (channels,)."""
        return {name: one.channel_peaks for name, one in self._tensors.get(role, {}).items()}

    def noisy(self, role: GraphRole, thresholds: Mapping[str, float], divisors: Mapping[str, Floats]) -> frozenset[str]:
        """Return the operators of a graph whose inputs int8 would leave with too much noise."""
        if self.static.activations != "int8":
            return frozenset()
        ranges, tensors = self._calibration.ranges.get(role, {}), self._tensors.get(role, {})
        return frozenset(
            reader
            for name, statistics in tensors.items()
            if signal_to_noise(statistics, thresholds[name], divisors.get(name)) < self.static.least_db
            for reader in ranges[name].readers
        )

    def backbone(self, shape: Backbone) -> Backbone:
        """Return the manifest's entry of the backbone with its cache type."""
        return shape if self.static.cache != "int8" else msgspec.structs.replace(shape, cache_dtype="int8")

    def graph(self, role: GraphRole, graph: Graph) -> Graph:
        """Return the manifest's entry of a graph after its pass."""
        if role in self.roles:
            kind = self.static.activations
            graph = msgspec.structs.replace(graph, precision=kind, activations=kind)
        return with_int8_cache(graph) if role == "backbone" and self.static.cache == "int8" else graph


def with_int8_cache(graph: Graph) -> Graph:
    """Return the manifest's entry of a backbone whose cache is int8."""
    inputs, outputs = (tuple(map(_cached, side)) for side in (graph.inputs, graph.outputs))
    return msgspec.structs.replace(graph, inputs=inputs, outputs=outputs)


def _cached(tensor: Tensor) -> Tensor:
    return msgspec.structs.replace(tensor, dtype="int8") if is_cache(tensor.name) else tensor


class StaticPass(ir.passes.InPlacePass):
    """Smooth a portable graph, then quantise its activations, its cache, or both.

    On a CPU the backbone's attention becomes GroupQueryAttention in between: smoothing needs the master graph, and the
    cache is quantised inside the operator.
    """

    def __init__(self, calibrated: Calibrated, role: GraphRole) -> None:
        super().__init__()
        self.calibrated, self.role = calibrated, role
        self.kept: frozenset[str] = frozenset()  # operators of the graph whose inputs stayed float

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the passes, each while the ranges it needs are valid."""
        static, target, role = self.calibrated.static, self.calibrated.target, self.role
        peaks, thresholds = self.calibrated.peaks(role), self.calibrated.thresholds(role)
        entering = _entering(model.graph)
        quantised = role in self.calibrated.roles
        divisors: dict[str, Floats] = {}
        if static.alpha and quantised:
            smooth = SmoothingPass(static.alpha, peaks)
            smooth(model)
            divisors = smooth.divisors
            for name, divisor in divisors.items():
                peaks[name] = peaks[name] / divisor
                thresholds[name] = float(peaks[name].max())
        if target == "cpu" and role == "backbone":
            GroupQueryAttentionPass()(model)
        if static.activations is not None and quantised:
            named = frozenset(layer.name for layer in linear_layers(model.graph))
            keep = self.calibrated.kept(role, static.keep) | self.calibrated.noisy(role, thresholds, divisors)
            self.kept = named & keep
            QuantizeDequantizePass(static.activations, thresholds, keep=keep)(model)
            if target == "cpu":
                MatMulIntegerPass()(model)
        if static.cache is not None and role == "backbone":
            sides = {cache: peaks[name] for cache, name in entering.items() if name in peaks}
            least = 0.0 if target == "cpu" else LEAST_HALF
            QuantizedCachePass(static.cache, sides, head_dim=self.calibrated.shape.head_dim, least=least)(model)
        return ir.passes.PassResult(model, modified=True)


def _entering(graph: ir.Graph) -> Mapping[str, str]:
    """Return the tensor that enters each cache, by `keys.i` and `values.i`."""
    return {
        str(node.inputs[0].name).removeprefix("past_"): str(node.inputs[1].name)
        for node in graph
        if node.op_type == "TensorScatter" and node.inputs[0] is not None and node.inputs[1] is not None
    }
