"""From a request to a picture: prompts of the guidance branches, the painting itself, and its text chunks.

Knows no files: source pictures come as codes or features.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from PIL import Image

from ..arrays import Codes, Floats
from ..bundle import Bundle
from ..engine import Engine, Painter
from ..errors import RequestError
from ..manifest.abilities import Ability
from ..manifest.guidance import Branch, Sampling, weigh
from ..pictures.marks import PRODUCER, UNKNOWN, provenance
from ..pictures.sizes import GridRule, Shape, tokens_fed
from . import drafting, raster
from .drafts import Drafts
from .interleave import Written
from .options import MAX_SEED, Settings
from .preview import Preview
from .prompts import PromptWriter, Source, shown_codes, stacked
from .stroke import Stroke
from .understanding import Understood

_NO_WEIGHT: Final = 1e-9  # of branches that cancel out, as 1.2 - 1 and -0.2 do up to rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRequest:
    """One picture to paint, with nothing left to decide."""

    prompts: tuple[list[int], ...]  # one for each guidance branch
    weights: tuple[float, ...]
    features: Floats | None  # what the prompts' negative ids stand for
    fed: int  # tokens that the backbone reads while painting
    plan: raster.Plan
    sampling: Sampling
    chunks: dict[str, str]
    source: Codes | None  # the picture shown, where its grid is the one to paint: likely codes
    codes_per_pass: int  # 0: as many as pay


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
            plan=raster.Plan(
                rows=shape.rows,
                columns=shape.columns,
                uniforms=raster.uniforms(settings.seed, shape.cells),
                first_token=self._manifest.codes.first_token,
                row_suffix=self._writer.row_suffix,
            ),
            sampling=settings.sampling,
            chunks=self._chunks(asked, shape, settings),
            source=next((codes for codes in map(shown_codes, sources) if _fills(codes, shape)), None),
            codes_per_pass=settings.codes_per_pass,
        )

    def next_picture(
        self, ability: Ability, text: str, sources: Sequence[Source], settings: Settings, written: Written
    ) -> PictureRequest:
        """Return the next picture of an answer, with a seed of its own."""
        seed = (settings.seed + len(written.pictures)) % (MAX_SEED + 1)
        asked, default = Understood(text, text), self._grid.default
        return self.request(ability, asked, sources, default, replace(settings, seed=seed), written)

    def strokes(self, request: PictureRequest, decode: Callable[[Codes], Image.Image]) -> Iterator[Stroke]:
        """Paint row by row; `decode` gives the picture of a code grid (rows, columns)."""
        plan, info = request.plan, dict[str, Any](request.chunks)

        def finished(codes: Codes) -> Image.Image:
            picture = decode(codes)
            if codes.shape[0] == plan.rows:
                picture.info.update(info)
            return picture

        preview = Preview(plan.rows, finished)
        with self._engine.painter(request.prompts, request.fed, request.features) as painter:
            painter.head.set(np.array(request.weights, dtype=np.float32), request.sampling)
            codes, passes = _painted(painter, request)
            for grid in raster.finished_rows(codes, plan.columns):
                info["passes"] = passes()
                yield Stroke(codes=grid, rows=plan.rows, _preview=preview)

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

        weights: dict[tuple[int, ...], float] = {}
        for branch, weight in weigh(self._manifest.guidance, settings.guidance_scale, settings.image_guidance_scale):
            tokens = tuple(prompt(branch))
            weights[tokens] = weights.get(tokens, 0.0) + weight
        weighed = [(list(tokens), weight) for tokens, weight in weights.items() if abs(weight) > _NO_WEIGHT]
        if not weighed:
            raise RequestError(
                f"guidance scale {settings.guidance_scale} gives every branch zero weight; use a scale above 0."
            )
        return weighed

    def _chunks(self, asked: Understood, shape: Shape, settings: Settings) -> dict[str, str]:
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
            **({} if asked.words == asked.request else {"Read as": json.dumps(asked.words, ensure_ascii=False)}),
        }
        chunks = provenance(asked.request, settings.negative, listed, PRODUCER, self._bundle.digest)
        return chunks | ({UNKNOWN: "\n".join(asked.unknown)} if asked.unknown else {})


def _painted(painter: Painter, request: PictureRequest) -> tuple[Iterator[int], Callable[[], int]]:
    """Return the codes of a picture, and a function that says how many passes they took, the prompt's included."""
    plan, window, fixed = request.plan, painter.window, request.codes_per_pass
    if window is None or fixed == 1:
        return raster.paint(painter.head.draw, painter.backbone.step, plan), lambda: plan.cells
    before = window.passes
    choose = drafting.first_guesses(fixed - 1) if fixed else window.pace.choose
    codes = drafting.paint(painter.head.draw, window, plan, Drafts(plan.columns, request.source), choose)
    return codes, lambda: 1 + window.passes - before


def _fills(codes: Codes | None, shape: Shape) -> bool:
    return codes is not None and codes.shape == (shape.rows, shape.columns)
