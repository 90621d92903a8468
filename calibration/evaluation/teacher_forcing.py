"""Teacher forcing: a bundle does what a request asks, and a teacher decides each draw in its place.

The raster loop, the prompts of all guidance branches, the sessions and the buffers are the runtime's own; only what is
drawn is replaced. What the bundle would have drawn, and from which numbers, is noted. Without a teacher it is its own:
it takes the likeliest code or token each time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from edgevlo.runtime.arrays import Array, Codes, Floats, Logits
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.engine import Engine, Painter
from edgevlo.runtime.graphs.backbone import Backbone
from edgevlo.runtime.graphs.protocols import Runner
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.guidance import Sampling
from edgevlo.runtime.manifest.interfaces import takes_top_p

from .layers import LayerStates, SeeingOpener, open_seeing


@dataclass(slots=True)
class Notes:
    """What one request brought to light: a picture's codes with their logits, or an answer's tokens."""

    codes: list[int] = field(default_factory=list)  # the likeliest one at each draw
    logits: list[Logits] = field(default_factory=list)  # guided, (codes,), one a draw
    hidden: list[Floats] = field(default_factory=list)  # (branches, hidden_size), one a draw
    layers: dict[str, list[Floats]] = field(default_factory=dict)  # the same behind each layer, from the second draw on
    tokens: list[int] = field(default_factory=list)  # the likeliest one at each step of an answer, its end included
    margins: list[float] = field(default_factory=list)  # logits by which each of those is ahead of the next
    grids: list[Codes] = field(default_factory=list)  # of every picture that was read as codes
    features: list[Floats] = field(default_factory=list)  # of every picture that was read as features
    shape: tuple[int, int] = (0, 0)  # rows and columns of the grid that was painted


class ForcedEngine(Engine):
    """Runs a bundle's graphs as ever, with a teacher at the draw. One request at a time."""

    def __init__(self, bundle: Bundle, layers: Sequence[str] = (), open_graph: SeeingOpener = open_seeing) -> None:
        super().__init__(bundle, open_graph)
        self._open_seeing = open_graph
        self._states = LayerStates(tuple(layers))
        self._teacher: Notes | None = None
        self._free = False
        self.notes = Notes()

    def begin(self, teacher: Notes | None = None) -> None:
        """Start fresh notes for the next request, in which `teacher` draws."""
        self.notes, self._teacher, self._free = Notes(), teacher, False

    def leave_alone(self) -> None:
        """Let the bundle paint as its users have it paint."""
        self.notes, self._teacher, self._free = Notes(), None, True

    @contextmanager
    def painter(self, prompts: Sequence[Sequence[int]], more: int, features: Floats | None = None) -> Iterator[Painter]:
        """Lend the runtime's own painter with another hand at the head."""
        with super().painter(prompts, more, features) as painter:
            head = _Head(self, painter.backbone)
            yield painter if self._free else Painter(painter.backbone, lambda: head, painter.name)

    def text_choice(self, hidden: Floats) -> Callable[[], int]:
        """Return a function that notes the likeliest token and returns the teacher's."""
        notes, choose = self.notes, super().text_choice(hidden)
        taught = (notes if self._teacher is None else self._teacher).tokens

        def forced() -> int:
            notes.tokens.append(choose())
            notes.margins.append(self._margin(hidden, notes.tokens[-1]))
            return taught[len(notes.tokens) - 1]

        return forced

    def _margin(self, hidden: Floats, token: int) -> float:
        """Return by how much a token's logit exceeds that of any other that may be said."""
        (logits,), manifest = self._text_head.run(["logits"], {"hidden": hidden}), self._bundle.manifest
        others = np.array(logits[0], dtype=np.float64)
        if manifest.answer.text_only:
            first = manifest.codes.first_token
            others[first : first + manifest.codes.count] = -np.inf
        others[token] = -np.inf
        return float(logits[0, token] - others.max())

    def encode(self, pixel_values: Floats) -> Codes:
        """Return a picture's codes, and note them."""
        codes = super().encode(pixel_values)
        self.notes.grids.append(codes)
        return codes

    def features(self, pixel_values: Floats) -> Floats:
        """Return a picture's features, and note them."""
        features = super().features(pixel_values)
        self.notes.features.append(np.array(features, dtype=np.float32))
        return features

    def drawn(self, backbone: Backbone, weights: Floats) -> int:
        """Note what the bundle would draw greedily behind the backbone's last hidden states; return the teacher's."""
        notes, hidden = self.notes, np.array(backbone.last_hidden, dtype=np.float32)
        feeds: dict[str, Array] = {
            "hidden": hidden[np.newaxis],
            "weights": weights,
            "temperature": np.zeros((), dtype=np.float32),
            "top_k": np.zeros(1, dtype=np.int64),
            "uniform": np.zeros(1, dtype=np.float32),
        }
        if takes_top_p(self._bundle.manifest):
            feeds["top_p"] = np.ones(1, dtype=np.float32)
        (logits,) = self._image_head.run(["logits"], feeds)
        notes.logits.append(np.array(logits[0], dtype=np.float32))
        notes.hidden.append(hidden)
        if len(notes.hidden) > 1:  # a prompt's rows are padded, a step's are not
            for name, states in self._states.last.items():
                notes.layers.setdefault(name, []).append(states[:, -1].copy())
        notes.codes.append(int(np.argmax(notes.logits[-1])))
        return (notes if self._teacher is None else self._teacher).codes[len(notes.codes) - 1]

    def _open(self, role: GraphRole) -> Runner:
        if role == "backbone" and self._states.names:
            return self._open_seeing(self._bundle, role, self._states)
        return super()._open(role)


class _Head:
    """What the raster loop takes for an image head."""

    def __init__(self, engine: ForcedEngine, backbone: Backbone) -> None:
        self._engine = engine
        self._backbone = backbone
        self._weights = np.zeros(backbone.rows, dtype=np.float32)

    def set(self, weights: Floats, _sampling: Sampling) -> None:
        self._weights = np.array(weights, dtype=np.float32)

    def draw(self, _uniform: float) -> int:
        return self._engine.drawn(self._backbone, self._weights)
