"""A self-check record made of a bundle on the CPU: which requests it holds, and what the bundle answered to each.

The requests are short, because a device replays them before it is used: a prompt and five steps with guidance, one step
without, two steps of an answer, a picture of two rows, and the test card read by what reads pictures. The second run of
a step of one width is captured as a graph on a GPU, so that five are the fewest that show it launched again.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from ..arrays import Array, Codes, Floats
from ..bundle import Bundle
from ..engine import Engine
from ..errors import BundleError
from ..generate.options import Options, resolve
from ..generate.painting import Painting, PictureRequest
from ..generate.prompts import PromptWriter
from ..generate.raster_loop import RasterPlan
from ..generate.understanding import Understood
from ..manifest.abilities import Ability, AbilityName
from ..manifest.graphs import GraphRole
from ..manifest.schema import Manifest
from ..pictures.sizes import GridRule
from ..tokenizer.text_tokenizer import TextTokenizer
from . import observe
from .limits import limits_for
from .observe import Asked, Feed, Seen
from .record import FORMAT, Decoded, Draw, FigureName, SelfCheck, Sequence
from .sketch import TOP, largest, sketch

_TEXT: Final = "a red car on the left"
_GUIDED: Final = 1.5  # low: the branches' roundings are added up, weighed by the scale, and their logits cancel out
_ROWS, _COLUMNS = 2, 3  # of the codes that are drawn with guidance
_UNGUIDED_DRAWS: Final = 2
_TOKENS: Final = 3  # of the answer
_MOST_PIXEL_BYTES: Final = 8192
_ANSWERS: Final[tuple[AbilityName, ...]] = ("ask", "understand", "interleave", "detect")


def make_record(bundle: Bundle, engine: Engine) -> SelfCheck:
    """Run a bundle and record what it computes, with the default limits of its number formats.

    Raises `BundleError` for a graph that does not run, `RoomError` and `MemoryShortError` for one too large to run.
    """
    return _Maker(bundle, engine).record()


def with_limits(record: SelfCheck, manifest: Manifest, measured: Mapping[FigureName, float] | None = None) -> SelfCheck:
    """Return a record with the limits of a bundle whose float reference replayed it with these figures."""
    return msgspec.structs.replace(record, limits=limits_for(record, manifest, measured))


class _Maker:
    """What the steps of making one record share."""

    def __init__(self, bundle: Bundle, engine: Engine) -> None:
        self._bundle, self._manifest, self._engine = bundle, bundle.manifest, engine
        manifest = self._manifest
        self._grid = GridRule(grid=manifest.grid, cell=manifest.codes.cell)
        self._writer = PromptWriter(
            TextTokenizer(bundle.path(manifest.tokenizer)),
            manifest.image_block,
            manifest.codes.first_token,
            cell=manifest.codes.cell,
            pad=manifest.guidance.pad,
        )

    def record(self) -> SelfCheck:
        """Carry out every request that the model takes."""
        graphs, manifest = self._manifest.graphs, self._manifest
        painted = self._painted()
        sequences = [*painted, *self._answered()]
        self._engine.forget_painters()
        drawn = [draw.top[0][0] for one in painted for draw in one.draws] or [0]
        features = observe.features(self._engine, manifest) if "vision_encoder" in graphs else None
        if features is not None:
            self._check_finite(features, "vision_encoder")
        record = SelfCheck(
            format=FORMAT,
            sequences=tuple(sequences),
            limits={},
            decoded=self._decoded(drawn) if "image_decoder" in graphs else None,
            read_codes=self._read() if "image_tokenizer" in graphs else None,
            features=None if features is None else tuple(map(_short, sketch(features))),
        )
        return with_limits(record, manifest)

    def _painted(self) -> list[Sequence]:
        """Return what is drawn with guidance and, where that is another prompt, without."""
        ability = _painting_ability(self._manifest)
        if ability is None or "image_head" not in self._manifest.graphs:
            return []
        guided = self._request(ability, _GUIDED if len(self._manifest.guidance.branches) > 1 else 1.0)
        alone = self._request(ability, 1.0)
        drawn = [self._drawn(guided, _ROWS * _COLUMNS)]
        return drawn if alone.prompts == guided.prompts else [*drawn, self._drawn(alone, _UNGUIDED_DRAWS)]

    def _request(self, ability: Ability, scale: float) -> PictureRequest:
        settings = resolve(Options(seed=0, guidance_scale=scale, temperature=0.0), ability, self._manifest)
        painting = Painting(self._bundle, self._engine, self._grid, self._writer)
        smallest = self._grid.nearest(self._grid.cell, self._grid.cell)
        return painting.request(ability, Understood(_TEXT, _TEXT), [], smallest, settings)

    def _drawn(self, request: PictureRequest, draws: int) -> Sequence:
        plan = RasterPlan(
            rows=_ROWS,
            columns=_COLUMNS,
            uniforms=(0.0,) * (_ROWS * _COLUMNS),
            first_token=self._manifest.codes.first_token,
            row_suffix=self._writer.row_suffix,
        )
        more = draws * (1 + len(plan.row_suffix))
        asked = Asked(head="image_head", prompts=tuple(map(tuple, request.prompts)), weights=request.weights, more=more)
        return self._walked(asked, draws, plan.tokens)

    def _answered(self) -> list[Sequence]:
        """Return the first tokens of an answer to words alone; what it says does not matter."""
        abilities = self._manifest.abilities
        name = next((one for one in _ANSWERS if one in abilities), None)
        if name is None or "text_head" not in self._manifest.graphs:
            return []
        prompt = tuple(self._writer.prompt(abilities[name].prompt, _TEXT, []))
        asked = Asked(head="text_head", prompts=(prompt,), weights=(1.0,), more=_TOKENS)
        return [self._walked(asked, _TOKENS, lambda _, token: (token,))]

    def _walked(self, asked: Asked, draws: int, tokens: Feed) -> Sequence:
        fed: list[tuple[int, ...]] = []

        def feed(draw: int, choice: int) -> tuple[int, ...] | None:
            if draw + 1 == draws:
                return None
            read = tokens(draw, choice)
            assert read is not None  # neither of the two above ends
            fed.append(read)
            return read

        seen = observe.walk(self._engine, self._manifest, asked, feed)
        self._check_finite(seen.hidden, "backbone")
        self._check_finite(seen.logits, asked.head)
        draws_seen = _draws(seen, self._never_drawn(asked.head))
        return Sequence(head=asked.head, prompts=asked.prompts, weights=asked.weights, fed=tuple(fed), draws=draws_seen)

    def _never_drawn(self, head: GraphRole) -> slice:
        """Return the choices that a head never makes, however likely: codes in an answer."""
        codes = self._manifest.codes
        is_text = head == "text_head" and self._manifest.answer.text_only
        return slice(codes.first_token, codes.first_token + codes.count if is_text else codes.first_token)

    def _check_finite(self, numbers: Array | list[Floats], role: GraphRole) -> None:
        if not np.isfinite(numbers).all():
            raise BundleError(f"{self._bundle.folder}: {role} gave numbers that are not finite")

    def _decoded(self, drawn: list[int]) -> Decoded:
        cell = self._manifest.codes.cell
        rows, columns = observe.small_grid(self._manifest, (1, self._manifest.grid.columns[0]))
        codes: Codes = np.resize(np.array(drawn, dtype=np.int64), (rows, columns))
        pixel_bytes = rows * columns * cell * cell * 3
        stride = max(1, int(np.ceil(np.sqrt(pixel_bytes / _MOST_PIXEL_BYTES))))
        levels = observe.decoded(self._engine, self._manifest, codes, stride)
        self._check_finite(levels, "image_decoder")
        return Decoded(codes=tuple(map(tuple, codes.tolist())), stride=stride, pixels=levels.astype(np.uint8).tobytes())

    def _read(self) -> tuple[int, ...]:
        return tuple(map(int, observe.read_codes(self._engine, self._manifest)))


def _painting_ability(manifest: Manifest) -> Ability | None:
    abilities = manifest.abilities
    others = (one for one in abilities.values() if one.output == "image")
    return abilities.get("paint") or next(others, None)


def _draws(seen: Seen, never: slice) -> tuple[Draw, ...]:
    draws = []
    for chosen, hidden, logits in zip(seen.chosen, seen.hidden, seen.logits, strict=True):
        allowed = logits.copy()
        allowed[never] = -np.inf
        top = [one for one in largest(allowed) if one[0] != chosen and np.isfinite(one[1])]
        top = [(chosen, float(logits[chosen])), *top][:TOP]
        draws.append(
            Draw(
                hidden=tuple(_short(number) for row in hidden for number in sketch(row)),
                logits=tuple(map(_short, sketch(logits))),
                top=tuple((choice, _short(value)) for choice, value in top),
            )
        )
    return tuple(draws)


def _short(number: float) -> float:
    """Return a number with five digits: a tenth of the tightest limit is a thousand times coarser."""
    return float(f"{number:.5g}")
