"""What a calibration says about one bundle, as passes over its graphs: smoothing, quantised activations and cache.

Knows which target holds which precision, and nothing of how a calibration was made.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec
import onnx_ir as ir

from edgevlo.calibration import store
from edgevlo.calibration.ranges import signal_to_noise
from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import CalibrationError, RequestError
from edgevlo.runtime.manifest.graphs import Backbone, Graph, GraphRole, Tensor
from edgevlo.runtime.manifest.schema import Manifest

from .passes.group_query_attention import GroupQueryAttentionPass
from .passes.int8_kv_cache import LEAST_HALF, QuantizedCachePass
from .passes.matmul_integer import IntegerProductPass
from .passes.qdq import Kind, QuantizeDequantizePass, products
from .passes.smoothquant import SmoothingPass

# SmoothQuant's alpha where none is given. What fp8 rounds is relative to each number, so channels of different size do
# no harm there, while a smoothed tensor is not clipped: picturebook on target `tensorrt` under `edgevlo evaluate`
# diverges by 2.9e-4 nats with 0.5 and by 1.3e-4 without.
SMOOTHING: Final[dict[Kind, float]] = {"int8": 0.5, "fp8": 0.0}

# What int8 must keep of an operator's input. Inputs of picturebook's `down_proj`, the products of a gated MLP, keep 11
# to 21 dB, all others 32 and more. With those left float the next code diverges by 6e-5 nats, without by 5e-4 (requests
# of `edgevlo evaluate`). fp8 rounds relative to each number: 31 dB, but for those far below the largest.
LEAST_DB: Final = 28.0

_KINDS: Final[tuple[Kind, ...]] = ("int8", "fp8")
_HALF_ONLY: Final = "TensorRT caches keys and values in half precision only"

# What a target computes in quantised activations, and why not where it does not.
ACTIVATIONS: Final[dict[str, dict[Kind, str | None]]] = {
    "cpu": {"int8": None, "fp8": "a CPU computes it in float32, slower and no better than int8"},
    "cuda": dict.fromkeys(_KINDS, "ONNX Runtime computes it in float there, slower than without"),
    "rtx": dict.fromkeys(_KINDS),
    "tensorrt": dict.fromkeys(_KINDS),  # which devices hold fp8 is asked when engines are built
}
CACHES: Final[dict[str, dict[Kind, str | None]]] = {
    "cpu": {"int8": None, "fp8": "ONNX Runtime has no CPU kernel for it"},
    "cuda": {"int8": None, "fp8": "no CUDA kernel of ONNX Runtime puts it into a cache"},
    "rtx": dict.fromkeys(_KINDS, _HALF_ONLY),
    "tensorrt": dict.fromkeys(_KINDS, _HALF_ONLY),
}

# Graphs whose products are quantised with their activations. On CPUs the image head stays, as every code is drawn from
# its logits, and so does the image decoder: convolutions in int8 are no faster there.
ROLES: Final[dict[str, tuple[GraphRole, ...]]] = {
    "cpu": ("backbone", "text_head", "vision_encoder"),
    "rtx": ("backbone", "image_head", "text_head", "vision_encoder", "image_decoder"),
    "tensorrt": ("backbone", "image_head", "text_head", "vision_encoder", "image_decoder"),
}


def able(manifest: Manifest, target: str) -> tuple[GraphRole, ...]:
    """Return the graphs whose activations a target quantises, but for a text head that no ability of the model uses."""
    answers = any(ability.output != "image" for ability in manifest.abilities.values())
    return tuple(role for role in ROLES[target] if role != "text_head" or answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """What is quantised by calibrated ranges: activations, the cache, or both.

    `smoothing` is SmoothQuant's alpha, for activations; 0 is without, None as `SMOOTHING` has it. `keep` are patterns
    of names of graphs or of operators (`*` is anything), as in `*.down_proj`, whose inputs stay float. So do those of
    which an int8 input would keep less than `least_db` of signal over noise, by what was calibrated.
    """

    activations: Kind | None = None
    cache: Kind | None = None
    smoothing: float | None = None
    keep: tuple[str, ...] = ()
    least_db: float = LEAST_DB

    @property
    def alpha(self) -> float:
        """How much the activations are smoothed."""
        if self.activations is None:
            return 0.0
        return SMOOTHING[self.activations] if self.smoothing is None else self.smoothing

    def among(self, roles: Collection[GraphRole]) -> tuple[GraphRole, ...]:
        """Return those of these graphs that are not kept by name."""
        return tuple(role for role in roles if not any(fnmatchcase(role, one) for one in self.keep))

    def check(self, target: str) -> None:
        """Raise `RequestError` for a precision that the target cannot hold, or an alpha that is none."""
        for what, kind, held in (
            ("activations", self.activations, ACTIVATIONS.get(target, {})),
            ("a KV cache", self.cache, CACHES.get(target, {})),
        ):
            if kind is None:
                continue
            reason = held.get(kind, "there is no such precision")
            if reason is not None:
                able = ", ".join(one for one, why in held.items() if why is None) or "none"
                raise RequestError(f"target {target!r} cannot hold {what} in {kind}: {reason}. It holds: {able}.")
        if self.smoothing is not None and not 0 <= self.smoothing <= 1:
            raise RequestError(f"smoothing {self.smoothing} is not between 0 (without) and 1.")


class Calibrated:
    """A finished calibration of one bundle, and what it is used for on one target."""

    def __init__(self, static: Static, folder: Path | None, bundle: Bundle, target: str) -> None:
        """Read a calibration; raise `CalibrationError` if it is damaged, unfinished or of another bundle."""
        static.check(target)
        if folder is None:
            raise RequestError(
                "activations and KV caches are quantised by calibrated ranges; name them: --calibration."
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
                    f"no quantised graph or operator is called {pattern!r}; {folder / store.FILE} lists them."
                )

    @property
    def roles(self) -> tuple[GraphRole, ...]:
        """The graphs whose activations are quantised, and with them their weights."""
        return self.static.among(self._able)

    def kept(self, role: GraphRole, patterns: Collection[str]) -> frozenset[str]:
        """Return the operators of a graph whose names fit one of the patterns."""
        readers = {name for one in self._calibration.ranges.get(role, {}).values() for name in one.readers}
        return frozenset(name for name in readers if any(fnmatchcase(name, pattern) for pattern in patterns))

    def thresholds(self, role: GraphRole) -> dict[str, float]:
        """Return where each tensor of a graph is clipped."""
        return {name: one.threshold for name, one in self._calibration.ranges.get(role, {}).items()}

    def peaks(self, role: GraphRole) -> dict[str, Floats]:
        """Return the largest absolute value in every channel of each tensor, (channels,)."""
        return {name: one.channel_peaks for name, one in self._tensors.get(role, {}).items()}

    def noisy(self, role: GraphRole, thresholds: Mapping[str, float], divisors: Mapping[str, Floats]) -> frozenset[str]:
        """Return the operators of a graph whose inputs would lose too much as int8."""
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
        """Return the backbone's shape with its cache as this calibration leaves it."""
        return shape if self.static.cache != "int8" else msgspec.structs.replace(shape, cache_dtype="int8")

    def graph(self, role: GraphRole, graph: Graph) -> Graph:
        """Return what the manifest says about a graph after its pass."""
        if role in self.roles:
            kind = self.static.activations
            graph = msgspec.structs.replace(graph, precision=kind, activations=kind)
        if role == "backbone" and self.static.cache == "int8":
            inputs, outputs = (tuple(map(_cached, side)) for side in (graph.inputs, graph.outputs))
            graph = msgspec.structs.replace(graph, inputs=inputs, outputs=outputs)
        return graph


def _cached(tensor: Tensor) -> Tensor:
    cache = tensor.name.startswith(("past_keys.", "past_values.", "present_keys.", "present_values."))
    return msgspec.structs.replace(tensor, dtype="int8") if cache else tensor


class StaticPass(ir.passes.InPlacePass):
    """Smooth a portable graph, then quantise its activations, its cache, or both.

    On a CPU the backbone's attention becomes GroupQueryAttention on the way: smoothing knows the master graph, and the
    cache is quantised in the operator.
    """

    def __init__(self, calibrated: Calibrated, role: GraphRole) -> None:
        super().__init__()
        self.calibrated, self.role = calibrated, role
        self.kept: frozenset[str] = frozenset()  # operators of the graph whose inputs stayed float

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the passes in the order in which their ranges hold."""
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
            named = frozenset(str(product.node.name) for product in products(model.graph))
            keep = self.calibrated.kept(role, static.keep) | self.calibrated.noisy(role, thresholds, divisors)
            self.kept = named & keep
            QuantizeDequantizePass(static.activations, thresholds, keep=keep)(model)
            if target == "cpu":
                IntegerProductPass()(model)
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
