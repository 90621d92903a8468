"""The public face of an opened bundle: paint, edit, ask, interleave, detect, and what it perceives.

Turns requests into plans and plans into pictures; everything is checked before the first graph runs.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias, Unpack

import numpy as np
import numpy.typing as npt
from PIL import Image

from . import raster
from .answers import AnswerWarning, Detection, answer, read_detections
from .bundle import Bundle, open_bundle
from .domain import outside, share_outside
from .embeddings import Floats
from .engine import Engine
from .errors import AbilityError, RequestError
from .fit import fitted
from .grids import GridRule, Shape, parse_size
from .interleave import Rule, Written, interleave
from .manifest import Ability, AbilityName, Branch, Sampling
from .memory import check_opening
from .pictures import (
    Loaded,
    cut_off,
    from_pixels,
    load_picture,
    resized,
    to_pixel_values,
    warn_of_changes,
)
from .prompts import Features, PromptWriter, Source, Vocabulary, check_text, stacked
from .provenance import ai_mark, provenance
from .raster import Codes
from .settings import MAX_SEED, Options, Settings, resolve, weigh
from .strokes import Stroke

Picture: TypeAlias = str | Path | Image.Image
Size: TypeAlias = tuple[int, int] | str

_PRODUCER: Final = "EdgeVLo"
_NO_WEIGHT: Final = 1e-9  # of branches that cancel out, as 1.2 - 1 and -0.2 do up to rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """One picture to paint, with nothing left to decide."""

    prompts: tuple[list[int], ...]  # one a guidance branch
    weights: tuple[float, ...]
    features: Floats | None  # what the prompts' negative ids stand for
    fed: int  # tokens that the backbone reads while painting
    plan: raster.Plan
    sampling: Sampling
    chunks: dict[str, str]


class Model:
    """An opened bundle. Graphs are loaded when an ability first needs them."""

    def __init__(self, bundle: Bundle, engine: Engine | None = None) -> None:
        self.bundle = bundle
        self.manifest = bundle.manifest
        self.grid = GridRule(grid=self.manifest.grid, cell=self.manifest.codes.cell)
        self._engine = Engine(bundle) if engine is None else engine

    @classmethod
    def open(cls, folder: Path) -> "Model":
        """Open a bundle folder; raise `BundleError` if anything in it is not as its manifest says.

        Raises `MemoryShortError` when not even its smallest request fits into memory.
        """
        bundle = open_bundle(folder)
        check_opening(bundle)
        return cls(bundle)

    def paint(self, prompt: str, *, size: Size | None = None, **options: Unpack[Options]) -> Image.Image:
        """Paint a picture; its `info` holds the text chunks that `save_png` writes."""
        return _last(self.paint_rows(prompt, size=size, **options)).preview

    def paint_rows(self, prompt: str, *, size: Size | None = None, **options: Unpack[Options]) -> Iterator[Stroke]:
        """Paint a picture row by row."""
        return self._paint("paint", check_text(prompt, "prompt"), [], size, options)

    def edit(
        self,
        pictures: Picture | Sequence[Picture],
        instruction: str,
        *,
        size: Size | None = None,
        **options: Unpack[Options],
    ) -> Image.Image:
        """Paint the picture that an instruction makes of one picture or several, in the first one's size."""
        return _last(self.edit_rows(pictures, instruction, size=size, **options)).preview

    def edit_rows(
        self,
        pictures: Picture | Sequence[Picture],
        instruction: str,
        *,
        size: Size | None = None,
        **options: Unpack[Options],
    ) -> Iterator[Stroke]:
        """Edit row by row."""
        return self._paint("edit", check_text(instruction, "instruction"), _listed(pictures), size, options)

    def segment(self, picture: Picture) -> Image.Image:
        """Paint the picture's segments, each in the colour that `manifest.abilities["segment"].labels` names."""
        return _last(self.perceive_rows("segment", picture)).preview

    def edges(self, picture: Picture) -> Image.Image:
        """Paint the picture's edges."""
        return _last(self.perceive_rows("edges", picture)).preview

    def boxes(self, picture: Picture, objects: Sequence[str] = ()) -> Image.Image:
        """Paint boxes around the picture's objects, or around the named ones where the model takes names."""
        return _last(self.perceive_rows("boxes", picture, objects)).preview

    def depth(self, picture: Picture) -> Image.Image:
        """Paint how far away everything in the picture is."""
        return _last(self.perceive_rows("depth", picture)).preview

    def normals(self, picture: Picture) -> Image.Image:
        """Paint the directions of the picture's surfaces."""
        return _last(self.perceive_rows("normals", picture)).preview

    def pose(self, picture: Picture) -> Image.Image:
        """Paint the poses of the people in the picture."""
        return _last(self.perceive_rows("pose", picture)).preview

    def perceive_rows(
        self, name: AbilityName, picture: Picture, objects: Sequence[str] = (), **options: Unpack[Options]
    ) -> Iterator[Stroke]:
        """Paint what the model perceives (`segment`, `edges`, `boxes`, `depth`, `normals`, `pose`) row by row."""
        return self._paint(name, self._requested(name, objects), [picture], None, options)

    def ask(self, pictures: Picture | Sequence[Picture], question: str) -> str:
        """Answer a question about one picture or several."""
        text = self._answer("ask", check_text(question, "question"), self._read("ask", _listed(pictures)))
        if not text:
            warnings.warn("the model gave no answer; ask in other words", AnswerWarning, stacklevel=2)
        return text

    def interleave(
        self, prompt: str, pictures: Picture | Sequence[Picture] = (), **options: Unpack[Options]
    ) -> Iterator[str | Image.Image]:
        """Answer with text and pictures, yielded in the order in which the model writes them.

        The seeds of the pictures count up from `seed`.
        """
        parts = self.interleave_rows(prompt, pictures, **options)
        whole = (part for part in parts if isinstance(part, str) or part.rows_done == part.rows)
        return (part if isinstance(part, str) else part.preview for part in whole)

    def interleave_rows(
        self, prompt: str, pictures: Picture | Sequence[Picture] = (), **options: Unpack[Options]
    ) -> Iterator[str | Stroke]:
        """Answer with text and pictures, the pictures row by row."""
        ability, text = self._ability("interleave"), check_text(prompt, "prompt")
        settings = resolve(options, ability, self.manifest)
        sources = self._read("interleave", _listed(pictures))
        tokens = self._writer.prompt(ability.prompt, text, sources)
        self._engine.check_room([tokens], 1)
        return interleave(
            tokens,
            self._go_on,
            lambda written: self._strokes(self._next_picture(ability, text, sources, settings, written)),
            self._writer.picture,
            self._vocabulary.decode,
            self._interleave_rule(),
        )

    def detect(self, picture: Picture, objects: Sequence[str] = ()) -> list[Detection]:
        """Find the named objects, or everything, and return their boxes in pixels of the given picture."""
        ability = self._ability("detect")
        self._check_count("detect", 1)
        loaded = load_picture(picture)
        codes = self._tokenize(loaded)
        text = self._requested("detect", objects)
        rows, columns = codes.shape
        unit = (columns, rows) if ability.unit == "cell" else self.grid.size(Shape(rows, columns))
        scale = (loaded.image.width / unit[0], loaded.image.height / unit[1])
        return read_detections(self._answer("detect", text, [codes]), scale)

    def tokenize(self, picture: Picture) -> Codes:
        """Return the codes (rows, columns) of a picture, resized to a size the model reads if it has another.

        One `PictureWarning` says what was changed, and how much of the picture is outside the manifest's domain.
        """
        return self._tokenize(load_picture(picture))

    def decode(self, codes: npt.NDArray[np.integer]) -> Image.Image:
        """Return the picture of a code grid (rows, columns); raise `RequestError` for anything else."""
        count = self.manifest.codes.count
        if codes.ndim != 2 or codes.size == 0 or not np.issubdtype(codes.dtype, np.integer):
            raise RequestError(
                f"codes are a grid of whole numbers, [rows, columns]; this is {codes.dtype}{list(codes.shape)}."
            )
        if codes.min() < 0 or codes.max() >= count:
            raise RequestError(f"codes run from 0 to {count - 1}; these run from {codes.min()} to {codes.max()}.")
        if max(codes.shape) > 4096 or codes.size > self.manifest.backbone.max_positions:
            raise RequestError(f"a grid of {codes.shape[0]}x{codes.shape[1]} codes is larger than this model paints.")
        picture = from_pixels(self._engine.decode(codes), self.manifest.postprocess)
        picture.info.update(ai_mark(_PRODUCER, self.bundle.digest[:16]))
        return picture

    def size(self, size: Size | None) -> tuple[int, int]:
        """Return width and height in pixels of a size given as numbers, as text, or not at all."""
        if size is None:
            return self.grid.size(self.grid.default)
        return parse_size(size, self.grid) if isinstance(size, str) else size

    def check(self) -> None:
        """Open everything in the bundle; raise `BundleError` at the first part that is not what the manifest says."""
        self._engine.check()
        block = self.manifest.image_block
        pieces = [*block.open]
        for ability in self.manifest.abilities.values():
            pieces += ability.prompt
        for branch in self.manifest.guidance.branches:
            pieces += branch.prompt
        names = {piece.token for piece in pieces if piece.token is not None}
        grid = self.manifest.grid
        for piece in block.open:
            if piece.tag is not None:
                low, high = grid.rows if piece.field == "rows" else grid.columns
                names |= {piece.tag.name(number) for number in range(low, high + 1) if number % grid.step == 0}
        if self.manifest.guidance.pad is not None:
            names.add(self.manifest.guidance.pad)
        for name in sorted({*names, *self.manifest.answer.stop, *block.row_suffix, *block.close}):
            self._vocabulary.special(name)

    def _requested(self, name: AbilityName, objects: Sequence[str]) -> str:
        """Return the words that the manifest has for an ability without free text, with the objects filled in."""
        request = self._ability(name).request
        if request is None:
            return ""
        objects = [objects] if isinstance(objects, str) else objects
        words = request.separator.join(check_text(word, "name of an object") for word in objects) or request.everything
        if "{objects}" in request.text and not words:
            raise RequestError(f"{name} of this model needs names of objects; name at least one.")
        return request.text.replace("{objects}", words)

    # How a request becomes a plan.

    def _paint(
        self, name: AbilityName, text: str, pictures: Sequence[Picture], size: Size | None, options: Options
    ) -> Iterator[Stroke]:
        """Check everything now; return the generator that paints."""
        ability = self._ability(name)
        settings = resolve(options, ability, self.manifest)
        shape = self.grid.default if size is None else self.grid.shape(self.size(size))
        sources = self._read(name, pictures)
        if size is None and sources and (codes := _codes(sources[0])) is not None:
            shape = Shape(*codes.shape)
        return self._strokes(self._request(ability, text, sources, shape, settings))

    def _request(
        self,
        ability: Ability,
        text: str,
        sources: Sequence[Source],
        shape: Shape,
        settings: Settings,
        written: Written | None = None,
    ) -> _Request:
        """Return what is to be painted after a prompt and what was `written` since."""
        fed = raster.tokens_fed(shape.rows, shape.columns, len(self._writer.row_suffix))
        weighed = self._weighed(ability, text, sources, shape, settings, written or Written())
        prompts = tuple(prompt for prompt, _ in weighed)
        self._engine.check_room(prompts, fed)
        self._engine.check_memory(prompts, fed, shape)
        return _Request(
            prompts=prompts,
            weights=tuple(weight for _, weight in weighed),
            features=stacked(sources),
            fed=fed,
            plan=raster.Plan(
                rows=shape.rows,
                columns=shape.columns,
                uniforms=raster.uniforms(settings.seed, shape.cells),
                first_token=self.manifest.codes.first_token,
                row_suffix=self._writer.row_suffix,
            ),
            sampling=settings.sampling,
            chunks=self._chunks(text, shape, settings),
        )

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

        A template shows what was painted since the prompt among its pictures; the other branches go on from all of it.
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
        for branch, weight in weigh(self.manifest.guidance, settings.guidance_scale, settings.image_guidance_scale):
            tokens = tuple(prompt(branch))
            weights[tokens] = weights.get(tokens, 0.0) + weight
        weighed = [(list(tokens), weight) for tokens, weight in weights.items() if abs(weight) > _NO_WEIGHT]
        if not weighed:
            raise RequestError(f"guidance scale {settings.guidance_scale} leaves nothing to paint from; take another.")
        return weighed

    def _chunks(self, text: str, shape: Shape, settings: Settings) -> dict[str, str]:
        """Return what the picture's file will say about how it was made."""
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
            "Size": "x".join(map(str, self.grid.size(shape))),
            "Model hash": self.bundle.digest[:10],
            "Model": self.manifest.name,
        }
        return provenance(text, settings.negative, listed, _PRODUCER, self.bundle.digest)

    def _strokes(self, request: _Request) -> Iterator[Stroke]:
        plan = request.plan

        def decode(codes: Codes) -> Image.Image:
            picture = self.decode(codes)
            if codes.shape[0] == plan.rows:
                picture.info.update(request.chunks)
            return picture

        with self._engine.painter(request.prompts, request.fed, request.features) as painter:
            painter.head.set(np.array(request.weights, dtype=np.float32), request.sampling)
            codes = raster.paint(painter.head.draw, painter.backbone.step, plan)
            for grid in raster.finished_rows(codes, plan.columns):
                yield Stroke(codes=grid, rows=plan.rows, _decode=decode)

    def _next_picture(
        self, ability: Ability, text: str, sources: Sequence[Source], settings: Settings, written: Written
    ) -> _Request:
        """Return the picture that comes after what was written, with a seed of its own."""
        seed = (settings.seed + len(written.pictures)) % (MAX_SEED + 1)
        return self._request(ability, text, sources, self.grid.default, replace(settings, seed=seed), written)

    def _go_on(self, context: list[int], count: int) -> Iterator[int]:
        """Yield the likeliest tokens after a context, as far as `count` and the model's positions reach."""
        longest = min(count, self.manifest.backbone.max_positions - len(context))
        if longest < 1:
            return
        with self._engine.painter([context], longest) as painter:
            next_token = self._engine.text_choice(painter.backbone.last_hidden)
            yield from answer(next_token, painter.backbone.step, (), longest)

    def _interleave_rule(self) -> Rule:
        rule, shape = self.manifest.answer, self.grid.default
        codes = np.zeros((shape.rows, shape.columns), dtype=np.int32)
        return Rule(
            stop={self._vocabulary.special(token) for token in rule.stop},
            opener=self._writer.opener(shape)[0],
            max_tokens=rule.max_tokens,
            max_positions=self.manifest.backbone.max_positions,
            picture_tokens=len(self._writer.picture(codes)),
        )

    def _answer(self, name: AbilityName, text: str, sources: Sequence[Source]) -> str:
        rule = self.manifest.answer
        stop = {self._vocabulary.special(token) for token in rule.stop}
        prompt = self._writer.prompt(self._ability(name).prompt, text, sources)
        room = self.manifest.backbone.max_positions - len(prompt)
        longest = max(1, min(rule.max_tokens, room))
        with self._engine.painter([prompt], longest, stacked(sources)) as painter:
            next_token = self._engine.text_choice(painter.backbone.last_hidden)
            return self._vocabulary.decode(list(answer(next_token, painter.backbone.step, stop, longest)))

    def _read(self, name: AbilityName, pictures: Sequence[Picture]) -> list[Source]:
        """Return what a prompt shows of the pictures, after checking that the ability takes so many."""
        self._check_count(name, len(pictures))
        reading = self._ability(name).reads or self.manifest.image_block.features
        if reading == "codes":
            return [self.tokenize(picture) for picture in pictures]
        return [self._features(load_picture(picture), with_codes=reading == "both") for picture in pictures]

    def _features(self, loaded: Loaded, *, with_codes: bool) -> Features:
        """Return a picture as the embeddings that stand for it in a prompt, and as codes where it shows both."""
        pixel_values = to_pixel_values(self._fit(loaded.image), self.manifest.preprocess)
        warn_of_changes(loaded.name, loaded.changes)  # a picture that is fitted into the square is shown whole
        codes = self._engine.encode(pixel_values) if with_codes else None
        return Features(self._engine.features(pixel_values), codes)

    def _check_count(self, name: AbilityName, count: int) -> None:
        low, high = self._ability(name).images
        if not low <= count <= high:
            takes = str(low) if low == high else f"{low} to {high}"
            raise RequestError(f"{name} takes {takes} picture(s), {count} given.")

    def _tokenize(self, loaded: Loaded) -> Codes:
        """Return the codes (rows, columns) of a loaded picture, and warn of all that was changed."""
        image, changes = self._fit(loaded.image), [*loaded.changes]
        codes = self._engine.encode(to_pixel_values(image, self.manifest.preprocess))
        if image.size != loaded.image.size:
            cut = self.manifest.preprocess.cover is not None and cut_off(loaded.image.size, image.size)
            changes.append(resized(loaded.image.size, image.size) + ", its edges cut off" * cut)
        if domain := self.manifest.domain:
            rebuilt = from_pixels(self._engine.decode(codes), self.manifest.postprocess)
            if share := share_outside(image, rebuilt, self.grid.cell, domain.tolerance):
                changes.append(outside(domain, share))
        warn_of_changes(loaded.name, changes)
        return codes

    def _fit(self, image: Image.Image) -> Image.Image:
        return fitted(image, self.manifest.preprocess, self.grid)

    def _ability(self, name: AbilityName) -> Ability:
        ability = self.manifest.abilities.get(name)
        if ability is None:
            has = ", ".join(sorted(self.manifest.abilities)) or "nothing"
            raise AbilityError(f"{self.manifest.name} (family {self.manifest.family}) cannot {name}; it can {has}.")
        return ability

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self.bundle.path(self.manifest.tokenizer))

    @cached_property
    def _writer(self) -> PromptWriter:
        manifest = self.manifest
        return PromptWriter(
            self._vocabulary,
            manifest.image_block,
            manifest.codes.first_token,
            cell=manifest.codes.cell,
            pad=manifest.guidance.pad,
        )


def _codes(source: Source) -> Codes | None:
    return source.codes if isinstance(source, Features) else source


def _listed(pictures: Picture | Sequence[Picture]) -> list[Picture]:
    return [pictures] if isinstance(pictures, str | Path | Image.Image) else list(pictures)


def _last(strokes: Iterator[Stroke]) -> Stroke:
    """Return the last stroke of a picture, the only one worth decoding when nobody watches."""
    *_, last = strokes
    return last
