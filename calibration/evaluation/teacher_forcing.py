"""Teacher forcing: a bundle carries out a request and is fed the reference's code or token after each draw.

The raster loop, the prompts of all guidance branches, the sessions and the buffers are the runtime's own; only the
draws are replaced. What the bundle would have drawn, and from which logits, is recorded. Without a reference it is fed
its own likeliest code or token.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from edgevlo.runtime.arrays import Array, Codes, Floats, Logits, Pixels
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.engine import Engine, Painter
from edgevlo.runtime.graphs.backbone_kv_cache import Backbone
from edgevlo.runtime.graphs.protocols import Runner
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.guidance import Sampling
from edgevlo.runtime.manifest.interfaces import takes_top_p

from .hidden_states import LayerStates, open_layered


@dataclass(slots=True)
class Trace:
    """What a bundle computed for one request: a picture's codes with their logits, or an answer's tokens."""

    codes: list[int] = field(default_factory=list)  # the likeliest one at each draw
    logits: list[Logits] = field(default_factory=list)  # guided, (codes,), one a draw
    hidden: list[Floats] = field(default_factory=list)  # (branches, hidden_size), one a draw
    layers: dict[str, list[Floats]] = field(default_factory=dict)  # the same behind each layer, from the second draw on
    tokens: list[int] = field(default_factory=list)  # the likeliest one at each step of an answer, its end included
    margins: list[float] = field(default_factory=list)  # logits by which each of those is ahead of the next
    grids: list[Codes] = field(default_factory=list)  # of every picture that was read as codes
    features: list[Floats] = field(default_factory=list)  # of every picture that was read as features
    shape: tuple[int, int] = (0, 0)  # rows and columns of the grid that was painted


class TeacherForcedEngine(Engine):
    """Runs a bundle's graphs as usual, but for the draws, which it records. One request at a time."""

    def __init__(self, bundle: Bundle, layers: Sequence[str] = ()) -> None:
        super().__init__(bundle)
        self._states = LayerStates(tuple(layers))
        self._reference: Trace | None = None
        self._sampling = False
        self.trace = Trace()

    def begin(self, reference: Trace | None = None) -> None:
        """Start a new trace for the next request, which is fed the draws of `reference`."""
        self.trace, self._reference, self._sampling = Trace(), reference, False

    def begin_sampling(self) -> None:
        """Let the bundle draw for itself in the next request, as it does for its users."""
        self.trace, self._reference, self._sampling = Trace(), None, True

    @contextmanager
    def painter(self, prompts: Sequence[Sequence[int]], more: int, features: Floats | None = None) -> Iterator[Painter]:
        """Lend the runtime's own painter, with an image head that records and replaces its draws."""
        with super().painter(prompts, more, features) as painter:
            head = _RecordingHead(self, painter.backbone)
            yield painter if self._sampling else Painter(painter.backbone, lambda: head, painter.name)

    def text_choice(self, backbone: Backbone) -> Callable[[], int]:
        """Return a function that records the likeliest token and returns the reference's."""
        trace, choose = self.trace, super().text_choice(backbone)
        fed = (self._reference or trace).tokens

        def forced() -> int:
            trace.tokens.append(choose())
            trace.margins.append(self._margin(backbone.last_hidden, trace.tokens[-1]))
            return fed[len(trace.tokens) - 1]

        return forced

    def _margin(self, hidden: Floats, token: int) -> float:
        """Return by how much a token's logit exceeds that of any other allowed token."""
        (logits,), manifest = self._text_head.run(["logits"], {"hidden": hidden}), self._bundle.manifest
        others = np.array(logits[0], dtype=np.float64)
        if manifest.answer.text_only:
            first = manifest.codes.first_token
            others[first : first + manifest.codes.count] = -np.inf
        others[token] = -np.inf
        return float(logits[0, token] - others.max())

    def encode(self, pixel_values: Floats) -> Codes:
        """Return a picture's codes, and record them."""
        codes = super().encode(pixel_values)
        self.trace.grids.append(codes)
        return codes

    def features(self, pixel_values: Floats) -> Floats:
        """Return a picture's features, and record them; NaN is a bad figure here and not an error."""
        (features,) = self._vision_encoder.run(["features"], {"pixel_values": pixel_values})
        self.trace.features.append(np.array(features[0], dtype=np.float32))
        return np.asarray(features[0], dtype=np.float32)

    def decode(self, codes: Codes) -> Pixels:
        """Return the decoder's output for a code grid; NaN is a bad figure here and not an error."""
        (pixels,) = self._image_decoder.run(["pixels"], {"codes": codes[np.newaxis].astype(np.int64)})
        return np.asarray(pixels, dtype=np.float32)

    def drawn(self, backbone: Backbone, weights: Floats) -> int:
        """Record the code that is likeliest after the backbone's last hidden states; return the reference's."""
        trace, hidden = self.trace, np.array(backbone.last_hidden, dtype=np.float32)
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
        trace.logits.append(np.array(logits[0], dtype=np.float32))
        trace.hidden.append(hidden)
        if len(trace.hidden) > 1:  # a prompt's rows are padded, a step's are not
            for name, states in self._states.last.items():
                trace.layers.setdefault(name, []).append(states[:, -1].copy())
        trace.codes.append(int(np.argmax(trace.logits[-1])))
        return (self._reference or trace).codes[len(trace.codes) - 1]

    def _open(self, role: GraphRole) -> Runner:
        if role == "backbone" and self._states.names:
            return open_layered(self._bundle, self._states)
        return super()._open(role)


class _RecordingHead:
    """Stands in for the image head of a painter."""

    def __init__(self, engine: TeacherForcedEngine, backbone: Backbone) -> None:
        self._engine = engine
        self._backbone = backbone
        self._weights = np.zeros(backbone.rows, dtype=np.float32)

    def set(self, weights: Floats, _sampling: Sampling) -> None:
        self._weights = np.array(weights, dtype=np.float32)

    def draw(self, _uniform: float) -> int:
        return self._engine.drawn(self._backbone, self._weights)
