"""From a request to a picture: prompts of the guidance branches, the painting itself, and its text chunks.

Knows no files: source pictures come as codes or features.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import numpy as np
from PIL import Image

from ..arrays import Codes, Floats
from ..bundle import Bundle
from ..engine import Engine, Painter
from ..errors import RequestError
from ..guidance_weights import merged, weighted_branches
from ..manifest.abilities import Ability
from ..manifest.guidance import Branch, Sampling
from ..pictures.codes_to_pixels import check_codes
from ..pictures.origin import Composition
from ..pictures.sizes import GridRule, Shape, tokens_fed
from ..pictures.write_marks import PRODUCER, READ_AS, UNKNOWN, provenance
from . import raster_loop, speculative_loop
from .draft_predictors import Drafts
from .interleave import Written
from .options import MAX_SEED, Settings
from .preview import Preview
from .prompts import PromptWriter, Source, shown_codes, stacked
from .stroke import Stroke, Strokes
from .understanding import Understood

_OF_WORDS: Final = Composition()


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRequest:
    """One picture to paint, with nothing left to decide."""

    prompts: tuple[list[int], ...]  # one for each guidance branch
    weights: tuple[float, ...]
    features: Floats | None  # what the prompts' negative ids stand for
    fed: int  # tokens that the backbone reads while painting
    plan: raster_loop.RasterPlan
    sampling: Sampling
    chunks: dict[str, str]
    painted: tuple[int, ...] = ()  # the first codes, where they are known
    source: Codes | None  # the picture shown, where its grid is the one to paint: likely codes
    codes_per_pass: int  # 0: as many as pay
    seed: int

    def digest(self) -> str:
        """SHA-256 of all that decides the picture, apart from the bundle."""
        features = b"" if self.features is None else self.features.tobytes()
        decides = (self.prompts, self.weights, features, self.plan, self.sampling)
        return hashlib.sha256(msgspec.msgpack.encode(decides)).hexdigest()


class Painting:
    """Paints with an opened bundle. A request is checked when it is made, before the first graph runs."""

    def __init__(self, bundle: Bundle, engine: Engine, grid: GridRule, writer: PromptWriter) -> None:
        self._bundle = bundle
        self._manifest = bundle.manifest
        self._engine = engine
        self._grid = grid
        self._writer = writer

    def request(
        self,
        ability: Ability,
        asked: Understood,
        sources: Sequence[Source],
        shape: Shape,
        settings: Settings,
        written: Written | None = None,
        composition: Composition = _OF_WORDS,
    ) -> PictureRequest:
        """Return the picture to paint after a prompt and the `written` part of the answer."""
        fed = tokens_fed(shape.rows, shape.columns, len(self._writer.row_suffix))
        weighed = self._weighed(ability, asked.words, sources, shape, settings, written or Written())
        prompts = tuple(prompt for prompt, _ in weighed)
        self._engine.check_room(prompts, fed)
        self._engine.check_memory(prompts, fed, shape)
        return PictureRequest(
            prompts=prompts,
            weights=tuple(weight for _, weight in weighed),
            features=stacked(sources),
            fed=fed,
            plan=raster_loop.RasterPlan(
                rows=shape.rows,
                columns=shape.columns,
                uniforms=raster_loop.uniforms(settings.seed, shape.cells),
                first_token=self._manifest.codes.first_token,
                row_suffix=self._writer.row_suffix,
            ),
            sampling=settings.sampling,
            chunks=self._chunks(asked, shape, settings, composition),
            source=next((codes for codes in map(shown_codes, sources) if _fills(codes, shape)), None),
            codes_per_pass=settings.codes_per_pass,
            seed=settings.seed,
        )

    def next_picture(
        self, ability: Ability, text: str, sources: Sequence[Source], settings: Settings, written: Written
    ) -> PictureRequest:
        """Return the next picture of an answer, with a seed of its own."""
        seed = (settings.seed + len(written.pictures)) % (MAX_SEED + 1)
        asked, default = Understood(text, text), self._grid.default
        return self.request(ability, asked, sources, default, replace(settings, seed=seed), written)

    def strokes(self, request: PictureRequest, decode: Callable[[Codes], Image.Image]) -> Strokes:
        """Return a picture that is painted row by row; `decode` gives that of a code grid (rows, columns)."""
        return Strokes(
            rows=request.plan.rows,
            columns=request.plan.columns,
            seed=request.seed,
            _digest=request.digest,
            _strokes=self._strokes(request, decode),
            _after=lambda codes: self.strokes(self._begun(request, codes), decode),
        )

    def _begun(self, request: PictureRequest, codes: Codes) -> PictureRequest:
        """Return a request of which the first rows are known."""
        plan = request.plan
        check_codes(codes, self._manifest)
        if codes.shape[1] != plan.columns or len(codes) > plan.rows:
            shape = "x".join(map(str, codes.shape))
            raise RequestError(f"{shape} codes are no rows of a picture of {plan.rows}x{plan.columns} codes.")
        if request.codes_per_pass != 1:
            raise RequestError("a picture goes on only at one code a pass; leave codes per pass out.")
        return replace(request, painted=tuple(codes.ravel().tolist()))

    def _strokes(self, request: PictureRequest, decode: Callable[[Codes], Image.Image]) -> Iterator[Stroke]:
        plan, info = request.plan, dict[str, Any](request.chunks)

        def finished(codes: Codes) -> Image.Image:
            picture = decode(codes)
            if codes.shape[0] == plan.rows:
                picture.info.update(info)
            return picture

        preview = Preview(plan.rows, finished)
        for grid in self._rows(request, info):
            stroke = Stroke(codes=grid, rows=plan.rows, _preview=preview)
            if len(grid) < plan.rows:
                yield stroke
        yield stroke  # the last one: the painter is given back, and its memory free for the decoder

    def _rows(self, request: PictureRequest, info: dict[str, Any]) -> Iterator[Codes]:
        """Yield the grid so far whenever a row is finished, and note in `info` how many passes that took."""
        with self._codes(request) as (codes, passes, check):
            for grid in raster_loop.finished_rows(codes, request.plan.columns):
                check()
                info["passes"] = passes()
                yield grid

    @contextmanager
    def _codes(self, request: PictureRequest) -> Iterator[tuple[Iterator[int], Callable[[], int], Callable[[], None]]]:
        """Give the codes, and two functions: how many passes they took, the prompt's included, and a check of the last.

        The check raises `BundleError` if the backbone gave numbers that are not finite.
        """
        if len(request.painted) == request.plan.cells:
            yield iter(request.painted), lambda: 0, lambda: None
            return
        with self._engine.painter(request.prompts, request.fed, request.features) as painter:
            painter.head.set(np.array(request.weights, dtype=np.float32), request.sampling)
            yield *_painted(painter, request), lambda: self._engine.check_hidden(painter)

    def _weighed(
        self,
        ability: Ability,
        text: str,
        sources: Sequence[Source],
        shape: Shape,
        settings: Settings,
        written: Written,
    ) -> list[tuple[list[int], float]]:
        """Return the prompts of the guidance branches with their weights; prompts that are the same count as one.

        A template shows the answer's pictures beside its own; the other branches continue the whole answer.
        """
        opener = self._writer.opener(shape)

        def prompt(branch: Branch) -> list[int]:
            words = settings.negative if branch.reads_negative else text
            if branch.kind == "template":
                return self._writer.prompt(branch.prompt, words, [*sources, *written.pictures], shape) + opener
            shown = self._writer.prompt(ability.prompt, words, sources, shape, pad_codes=branch.kind == "pad_codes")
            tokens = shown + written.tokens + opener
            return self._writer.pad_middle(tokens) if branch.kind == "pad_middle" else tokens

        scales = settings.guidance_scale, settings.image_guidance_scale
        branches = weighted_branches(self._manifest.guidance, *scales)
        weights = merged((tuple(prompt(branch)), weight) for branch, weight in branches)
        weighed = [(list(tokens), weight) for tokens, weight in weights.items()]
        if not weighed:
            raise RequestError(
                f"guidance scale {settings.guidance_scale} gives every branch zero weight; use a scale above 0."
            )
        return weighed

    def _chunks(self, asked: Understood, shape: Shape, settings: Settings, composition: Composition) -> dict[str, str]:
        """Return the text chunks that say how the picture was made."""
        image_scale = settings.image_guidance_scale
        listed = {
            "Steps": shape.cells,
            "Sampler": "greedy" if settings.sampling.temperature == 0 else "raster",
            "CFG scale": settings.guidance_scale,
            **({} if image_scale is None else {"Image CFG scale": image_scale}),
            "Temperature": settings.sampling.temperature,
            "Top-k": settings.sampling.top_k,
            **({} if settings.sampling.top_p == 1 else {"Top-p": settings.sampling.top_p}),
            "Seed": settings.seed,
            "Size": "x".join(map(str, self._grid.size(shape))),
            "Model hash": self._bundle.digest[:10],
            "Model": self._manifest.name,
            **({} if asked.words == asked.request else {READ_AS: json.dumps(asked.words, ensure_ascii=False)}),
        }
        chunks = provenance(asked.request, settings.negative, listed, PRODUCER, self._bundle.digest, composition)
        return chunks | ({UNKNOWN: "\n".join(asked.unknown)} if asked.unknown else {})


def _painted(painter: Painter, request: PictureRequest) -> tuple[Iterator[int], Callable[[], int]]:
    """Return the codes of a picture, and a function that says how many passes they took, the prompt's included."""
    plan, window, fixed = request.plan, painter.window, request.codes_per_pass
    if window is None or fixed == 1:
        draw = raster_loop.after(request.painted, painter.head.draw)
        return raster_loop.paint(draw, painter.backbone.step, plan), lambda: plan.cells
    before = window.passes
    choose = speculative_loop.first_guesses(fixed - 1) if fixed else window.pace.choose
    codes = speculative_loop.paint(painter.head.draw, window, plan, Drafts(plan.columns, request.source), choose)
    return codes, lambda: 1 + window.passes - before


def _fills(codes: Codes | None, shape: Shape) -> bool:
    return codes is not None and codes.shape == (shape.rows, shape.columns)
