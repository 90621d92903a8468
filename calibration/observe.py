"""Sessions that observe their graph's tensors while the runtime drives them as usual.

An observed graph is the bundle's own, in memory, with a copy of every watched tensor as a further output; its weights
stay in the bundle's files. `ObservedSession` stands in for the session that the runtime would have opened: it binds the
further outputs itself and hands their values to an `Observer`. Knows no prompts and no pictures.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx_ir as ir
import onnxruntime as ort

from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.errors import CalibrationError
from edgevlo.runtime.graphs.onnx_sessions import open_rewritten
from edgevlo.runtime.graphs.protocols import Runner, Session
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import graph_bytes

from .store import Tensors
from .tensor_statistics import NotFiniteError, Statistics

ROLES: Final[tuple[GraphRole, ...]] = ("backbone", "image_head", "text_head", "vision_encoder", "image_decoder")

# Places of a sequence, before the painted rows.
FIRST, PROMPT, ANSWER = "first", "prompt", "answer"
PLACES: Final = (FIRST, PROMPT, ANSWER)

_PREFIX: Final = "watched."
_ROWS: Final = ("past_lengths", "token_counts")  # of the backbone: which of its padded tokens are real, and where


@dataclass(frozen=True, slots=True)
class Watched:
    """A tensor to observe: the operators that read it, and the axes that count channels."""

    name: str
    readers: tuple[str, ...]
    channels: tuple[int, ...]  # axes; none where channels have no meaning


def watched(graph: ir.Graph, role: GraphRole) -> list[Watched]:
    """Return the tensors that static quantisation would quantise: inputs of linear layers, and updates of the cache."""
    found: dict[str, Watched] = {}
    for node in graph:
        for index, channels in _inputs(node, role):
            value = node.inputs[index] if index < len(node.inputs) else None
            if value is None or value.name is None or ir.convenience.get_const_tensor(value) is not None:
                continue
            known = found.get(value.name)
            readers = (*(known.readers if known else ()), str(node.name or node.op_type))
            found[value.name] = Watched(value.name, readers, known.channels if known else channels)
    return list(found.values())


def _inputs(node: ir.Node, role: GraphRole) -> list[tuple[int, tuple[int, ...]]]:
    """Return the inputs of an operator that are quantised, each with its axes of channels."""
    heads = (-3, -1) if role == "backbone" else ()  # [B,heads,S,Dh]
    match node.op_type:
        case "Conv" | "ConvTranspose":
            return [(0, (1,))]
        case "MatMul" | "Gemm":
            right = node.inputs[1]
            constant = right is not None and ir.convenience.get_const_tensor(right) is not None
            return [(0, (-1,))] if constant else [(0, ()), (1, ())]
        case "TensorScatter":
            return [(1, heads)]
        case "Attention":
            return [(index, heads) for index in range(3) if not _cached(node.inputs[index])]
        case _:
            return []


def _cached(value: ir.Value | None) -> bool:
    """Whether a value is a whole cache; its updates are observed instead."""
    producer = value.producer() if value is not None else None
    return producer is not None and producer.op_type == "TensorScatter"


@dataclass
class Observer:
    """Gathers statistics of every graph; the caller sets the place of the backbone in a sequence."""

    tensors: Tensors
    place: str = PROMPT
    places: list[str] = field(default_factory=lambda: list(PLACES))
    tokens: int = 0

    def at_row(self, row: int) -> None:
        """Set the place to a painted row."""
        self.place = f"row {row}"

    def take(self, role: GraphRole, observed: Mapping[str, Array], watched: Sequence[Watched]) -> None:
        """Add the tensors of one run; raise `CalibrationError` naming one with NaN or infinity."""
        kept = self.tensors.setdefault(role, {})
        rows = rows_of(role, observed)
        if rows is not None:
            self.tokens += int(rows[1].sum())
        for one in watched:
            statistics = kept.setdefault(one.name, Statistics())
            try:
                self._add(statistics, observed[one.name], one, rows)
            except NotFiniteError as error:
                raise CalibrationError(
                    f"{error} in tensor {one.name!r} of {role} (read by {', '.join(one.readers[:3])}): a model whose "
                    "activations are not finite cannot be quantised. Check the checkpoint's weights."
                ) from None

    def _add(self, statistics: Statistics, values: Array, one: Watched, rows: tuple[Array, ...] | None) -> None:
        if rows is None:
            statistics.observe(flat(values, one.channels))
            return
        for before, real in real_tokens(values, one, rows):
            if before == 0:
                statistics.observe(real[:1], self._number(FIRST))
                statistics.observe(real[1:], self._number(PROMPT))
            else:
                statistics.observe(real, self._number(self.place))

    def _number(self, place: str) -> int:
        if place not in self.places:
            self.places.append(place)
        return self.places.index(place)


def rows_of(role: GraphRole, observed: Mapping[str, Array]) -> tuple[Array, ...] | None:
    """Return how many tokens each row of the backbone had before and how many are added; None for other graphs."""
    return tuple(observed[name] for name in _ROWS) if role == "backbone" else None


def real_tokens(values: Array, one: Watched, rows: tuple[Array, ...]) -> Iterator[tuple[int, Floats]]:
    """Yield, row by row, how many tokens it had before and the values of those added, `(count, channels)`."""
    lengths, counts = rows
    for row, (before, count) in enumerate(zip(lengths.tolist(), counts.tolist(), strict=True)):
        yield before, flat(values[row, ..., :count, :], one.channels)


def flat(values: Array, channels: tuple[int, ...]) -> Floats:
    """Return `(rest, channels)`; everything is one channel where channels have no meaning."""
    if not channels:
        return values.reshape(-1, 1)
    axes = [axis % values.ndim for axis in channels]
    rest = [axis for axis in range(values.ndim) if axis not in axes]
    width = int(np.prod([values.shape[axis] for axis in axes]))
    return values.transpose(*rest, *axes).reshape(-1, width)


class ObservedSession:
    """Stands in for a session: runs as before, and hands the watched tensors to the observer."""

    def __init__(self, session: Session, role: GraphRole, watched: Sequence[Watched], observer: Observer) -> None:
        self._session, self._role, self._watched, self._observer = session, role, watched, observer
        self._names = [one.name for one in watched] + (list(_ROWS) if role == "backbone" else [])
        self._outputs = [_PREFIX + name for name in self._names]

    def get_inputs(self) -> Sequence[ort.NodeArg]:
        """Return the session's inputs."""
        return self._session.get_inputs()

    def get_provider_options(self) -> Mapping[str, Mapping[str, str]]:
        """Return the session's own options."""
        return self._session.get_provider_options()

    def io_binding(self) -> ort.IOBinding:
        """Return a binding whose first outputs are the watched ones."""
        binding = self._session.io_binding()
        for name in self._outputs:
            binding.bind_output(name, "cpu")
        return binding

    def run_with_iobinding(self, binding: ort.IOBinding, options: ort.RunOptions | None = None, /) -> None:
        """Run, and observe the watched outputs."""
        self._session.run_with_iobinding(binding, options)
        self._take([value.numpy() for value in binding.get_outputs()[: len(self._outputs)]])

    def run(
        self, outputs: Sequence[str], feeds: Mapping[str, Array], options: ort.RunOptions | None = None, /
    ) -> Sequence[Any]:
        """Run on arrays and return these outputs; observe the watched ones."""
        arrays = self._session.run([*outputs, *self._outputs], feeds, options)
        self._take(arrays[len(outputs) :])
        return arrays[: len(outputs)]

    def _take(self, arrays: Sequence[Array]) -> None:
        self._observer.take(self._role, dict(zip(self._names, arrays, strict=True)), self._watched)


class ObservedEngine(Engine):
    """Runs a bundle's graphs as usual, and observes those that may be quantised."""

    def __init__(self, bundle: Bundle, observer: Observer) -> None:
        super().__init__(bundle)
        self._observer = observer

    def _open(self, role: GraphRole) -> Runner:
        return open_observed(self._bundle, role, self._observer) if role in ROLES else super()._open(role)


def open_observed(bundle: Bundle, role: GraphRole, observer: Observer) -> ObservedSession:
    """Open a graph of a bundle with its watched tensors as further outputs.

    Raises `BundleError` if it cannot be opened.
    """
    path = bundle.path(bundle.manifest.graphs[role].file)
    model = ir.load(path)
    found = watched(model.graph, role)
    values = {value.name: value for value in model.graph.inputs}
    values |= {output.name: output for node in model.graph for output in node.outputs}
    wanted = [(one.name, ir.DataType.FLOAT) for one in found]
    wanted += [(name, ir.DataType.INT64) for name in _ROWS] if role == "backbone" else []
    for name, kind in wanted:
        copy = ir.node("Cast", [values[name]], attributes={"to": kind})
        model.graph.append(copy)
        copy.outputs[0].name, copy.outputs[0].type = _PREFIX + name, ir.TensorType(kind)
        model.graph.outputs.append(copy.outputs[0])
    session = open_rewritten(ir.to_proto(model).SerializeToString(), path, graph_bytes(bundle.manifest, role))
    return ObservedSession(session, role, found, observer)


def readers(bundle: Bundle, role: GraphRole) -> dict[str, tuple[str, ...]]:
    """Return the watched tensors of a graph and the operators that read each."""
    graph = ir.load(bundle.path(bundle.manifest.graphs[role].file)).graph
    return {one.name: one.readers for one in watched(graph, role)}
