"""The public face of an opened bundle: paint, edit, ask, interleave, detect, perceive.

Checks requests before the first graph runs; the modules of `generate` carry them out.
"""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from .abilities import ability_of, check_count, perceived
from .arguments import as_names, as_path
from .arrays import Codes
from .backends import on_device
from .bundle import Bundle, open_bundle
from .engine import Engine
from .generate.detections import Detection, only_asked, read_detections
from .generate.interleave import Rule, interleave
from .generate.options import Options, resolve
from .generate.painting import Painting
from .generate.picture_reader import PictureReader
from .generate.prompts import PromptWriter, Source, check_text, request_text, shown_codes, special_tokens
from .generate.stroke import Stroke, Strokes, last_of
from .generate.text import Answered, Answering, AnswerWarning
from .generate.text_sampling import LIKELIEST, TextOptions
from .generate.understanding import PromptWarning, RequestReader
from .manifest.abilities import Ability, AbilityName
from .memory.refuse import check_opening
from .once import once
from .pictures.codes_to_pixels import check_codes, from_pixels
from .pictures.load import Picture, listed, load_picture
from .pictures.origin import Composition
from .pictures.sizes import GridRule, Shape, Size, read_size
from .pictures.write_marks import PRODUCER, ai_mark, marked
from .tokenizer.text_tokenizer import TextTokenizer


class Model:
    """An opened bundle. Graphs are loaded when an ability first needs them."""

    def __init__(self, bundle: Bundle, engine: Engine | None = None) -> None:
        self.bundle = bundle
        self.manifest = bundle.manifest
        self.grid = GridRule(grid=self.manifest.grid, cell=self.manifest.codes.cell)
        self._engine = Engine(bundle) if engine is None else engine

    def __repr__(self) -> str:
        one = self.manifest
        abilities = ", ".join(sorted(one.abilities)) or "none"
        return f"<Model {one.name}: family {one.family}, target {one.target}, abilities {abilities}>"

    @classmethod
    def open(cls, folder: Path | str, *, threads: int = 0) -> "Model":
        """Open a bundle folder; raise `BundleError` if anything in it does not match its manifest.

        Large graphs run on `threads` threads, but no more than there are CPUs to use; 0 means `$EDGEVLO_THREADS`, or
        all of them.

        Raises `MemoryShortError` when not even its smallest request fits into memory, and `DeviceError` when a GPU that
        the bundle is new to gives other results than it was made with.
        """
        bundle = open_bundle(as_path("folder", folder))
        check_opening(bundle)
        engine = Engine(bundle, threads=threads)
        if on_device(bundle.manifest):
            from .self_check.first_opening import check_first_opening

            check_first_opening(bundle, engine)
        return cls(bundle, engine)

    def paint(
        self,
        prompt: str,
        *,
        size: Size | None = None,
        seed: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        negative_prompt: str | None = None,
        codes_per_pass: int | None = None,
    ) -> Image.Image:
        """Paint a picture of the prompt; it keeps the record of its making and the mark of AI-made pictures when saved.

        size                   (width, height) in pixels, "160x96", or a ratio like "16:9"
        seed                   0 to 4294967295: the same seed paints the same picture; without one it is random
        guidance_scale         how closely to follow the words; 1 paints without guidance
        image_guidance_scale   how closely to follow the given pictures, for models that guide by them too
        temperature            1 draws as the model was trained, 0 takes the likeliest code each time
        top_k                  draw among this many of the likeliest codes; 0 is all of them
        top_p                  draw among the likeliest codes that have this probability together; 1 is all of them
        negative_prompt        what the picture should not show
        codes_per_pass         how many codes the backbone reads at once, guessed and checked; 0 is as many as pay here

        What is None takes the model's default. Raises `RequestError` for a value that the model does not take.
        """
        options = Options(
            seed, guidance_scale, image_guidance_scale, temperature, top_k, top_p, negative_prompt, codes_per_pass
        )
        return last_of(self._paint("paint", check_text(prompt, "prompt"), [], size, options)).preview

    def paint_rows(
        self,
        prompt: str,
        *,
        size: Size | None = None,
        seed: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        negative_prompt: str | None = None,
        codes_per_pass: int | None = None,
    ) -> Strokes:
        """Paint a picture row by row; options as in `paint`."""
        options = Options(
            seed, guidance_scale, image_guidance_scale, temperature, top_k, top_p, negative_prompt, codes_per_pass
        )
        return self._paint("paint", check_text(prompt, "prompt"), [], size, options)

    def edit(
        self,
        pictures: Picture | Sequence[Picture],
        instruction: str,
        *,
        size: Size | None = None,
        seed: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        negative_prompt: str | None = None,
        codes_per_pass: int | None = None,
    ) -> Image.Image:
        """Change one picture, or combine several, as the instruction says; options as in `paint`.

        Without `size` the result has the size of the first picture.
        """
        options = Options(
            seed, guidance_scale, image_guidance_scale, temperature, top_k, top_p, negative_prompt, codes_per_pass
        )
        strokes = self._paint("edit", check_text(instruction, "instruction"), listed(pictures), size, options)
        return last_of(strokes).preview

    def edit_rows(
        self,
        pictures: Picture | Sequence[Picture],
        instruction: str,
        *,
        size: Size | None = None,
        seed: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        negative_prompt: str | None = None,
        codes_per_pass: int | None = None,
    ) -> Strokes:
        """Edit row by row; options as in `paint`."""
        options = Options(
            seed, guidance_scale, image_guidance_scale, temperature, top_k, top_p, negative_prompt, codes_per_pass
        )
        return self._paint("edit", check_text(instruction, "instruction"), listed(pictures), size, options)

    def segment(self, picture: Picture) -> Image.Image:
        """Paint the picture's segments, each in the colour that `manifest.abilities["segment"].labels` names."""
        return last_of(self.perceive_rows("segment", picture)).preview

    def edges(self, picture: Picture) -> Image.Image:
        """Paint the picture's edges."""
        return last_of(self.perceive_rows("edges", picture)).preview

    def boxes(self, picture: Picture, objects: Sequence[str] = ()) -> Image.Image:
        """Paint boxes around the picture's objects, or around the named ones where the model takes names."""
        return last_of(self.perceive_rows("boxes", picture, objects)).preview

    def depth(self, picture: Picture) -> Image.Image:
        """Paint how far away everything in the picture is."""
        return last_of(self.perceive_rows("depth", picture)).preview

    def normals(self, picture: Picture) -> Image.Image:
        """Paint the directions of the picture's surfaces."""
        return last_of(self.perceive_rows("normals", picture)).preview

    def pose(self, picture: Picture) -> Image.Image:
        """Paint the poses of the people in the picture."""
        return last_of(self.perceive_rows("pose", picture)).preview

    def perceive_rows(
        self,
        name: AbilityName,
        picture: Picture,
        objects: Sequence[str] = (),
        *,
        seed: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        negative_prompt: str | None = None,
        codes_per_pass: int | None = None,
    ) -> Strokes:
        """Paint what the model perceives row by row; options as in `paint`.

        `name` is one of `segment`, `edges`, `boxes`, `depth`, `normals` and `pose`.
        """
        options = Options(
            seed, guidance_scale, image_guidance_scale, temperature, top_k, top_p, negative_prompt, codes_per_pass
        )
        return self._paint(name, request_text(perceived(self.manifest, name), name, objects), [picture], None, options)

    def ask(
        self, pictures: Picture | Sequence[Picture], question: str, *, max_tokens: int | None = None,
        temperature: float | None = None, top_p: float | None = None, seed: int | None = None,
    ) -> str:  # fmt: skip
        """Answer a question about one picture or several.

        max_tokens cuts the answer; a temperature above 0 draws its tokens, with `top_p` and `seed` as in `paint`.
        """
        options = TextOptions(max_tokens=max_tokens, temperature=temperature, top_p=top_p, seed=seed)
        return self.answer(pictures, question, options).text

    def answer(self, pictures: Picture | Sequence[Picture], question: str, how: TextOptions = LIKELIEST) -> Answered:
        """Answer as `ask` does; tell also how many tokens that is, and whether the model ended it."""
        words, sources = check_text(question, "question"), self._read("ask", listed(pictures))
        answered = self._answering.answer(self._ability("ask"), words, sources, how)
        if not answered.text and answered.is_whole:
            warnings.warn("the model gave no answer; ask in other words", AnswerWarning, stacklevel=3)
        return answered

    def interleave(
        self,
        prompt: str,
        pictures: Picture | Sequence[Picture] = (),
        *,
        seed: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        negative_prompt: str | None = None,
        codes_per_pass: int | None = None,
    ) -> Iterator[str | Image.Image]:
        """Answer with text and pictures, yielded in the order in which the model writes them; options as in `paint`.

        The seeds of the pictures count up from `seed`.
        """
        options = Options(
            seed, guidance_scale, image_guidance_scale, temperature, top_k, top_p, negative_prompt, codes_per_pass
        )
        parts = self._interleave(prompt, listed(pictures), options)
        whole = (part for part in parts if isinstance(part, str) or part.rows_done == part.rows)
        return (part if isinstance(part, str) else part.preview for part in whole)

    def interleave_rows(
        self,
        prompt: str,
        pictures: Picture | Sequence[Picture] = (),
        *,
        seed: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        negative_prompt: str | None = None,
        codes_per_pass: int | None = None,
    ) -> Iterator[str | Stroke]:
        """Answer with text and pictures, the pictures row by row; options as in `paint`."""
        options = Options(
            seed, guidance_scale, image_guidance_scale, temperature, top_k, top_p, negative_prompt, codes_per_pass
        )
        return self._interleave(prompt, listed(pictures), options)

    def detect(self, picture: Picture, objects: Sequence[str] = ()) -> list[Detection]:
        """Find the named objects, or everything, and return their boxes in pixels of the given picture."""
        ability = self._ability("detect")
        check_count(self.manifest, "detect", 1)
        loaded = load_picture(picture)
        codes = self.reader.codes(loaded)
        text = request_text(ability, "detect", objects)
        rows, columns = codes.shape
        unit = (columns, rows) if ability.unit == "cell" else self.grid.size(Shape(rows, columns))
        scale = (loaded.size[0] / unit[0], loaded.size[1] / unit[1])
        found = read_detections(self._answer("detect", text, [codes]), scale, unit)
        return only_asked(found, as_names("objects", objects))

    def tokenize(self, picture: Picture) -> Codes:
        """Return the codes (rows, columns) of a picture, resized to a size the model reads if it has another.

        One `PictureWarning` says what was changed, and how much of the picture is outside the manifest's domain.
        """
        return self.reader.codes(load_picture(picture))

    def decode(self, codes: Codes) -> Image.Image:
        """Return the picture of a code grid (rows, columns); raise `RequestError` for anything else."""
        check_codes(codes, self.manifest)
        return self._decoded(codes, Composition())

    def _decoded(self, codes: Codes, composition: Composition) -> Image.Image:
        picture = from_pixels(self._engine.decode(codes), self.manifest.postprocess)
        return marked(picture, ai_mark(PRODUCER, self.bundle.digest[:16], composition))

    def size(self, size: Size | None) -> tuple[int, int]:
        """Return width and height in pixels of a size given as numbers, as text, or not at all."""
        return self.grid.size(self.grid.default) if size is None else read_size(size, self.grid)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text is for this model, nothing added."""
        return len(self._tokenizer.encode(text))

    def check(self) -> None:
        """Open everything in the bundle; raise `BundleError` at the first part that does not match the manifest."""
        self._engine.check()
        self.check_tokens()

    def check_tokens(self) -> None:
        """Raise `BundleError` unless the tokenizer has every token that the manifest names."""
        self._tokenizer.specials(sorted(special_tokens(self.manifest)))

    def _interleave(self, prompt: str, pictures: Sequence[Picture], options: Options) -> Iterator[str | Stroke]:
        ability, text = self._ability("interleave"), check_text(prompt, "prompt")
        settings = resolve(options, ability, self.manifest)
        sources = self._read("interleave", pictures)
        tokens = self._writer.prompt(ability.prompt, text, sources)
        self._engine.check_room([tokens], 1)
        return interleave(
            tokens,
            self._answering.continuation,
            lambda written: self._painting.strokes(
                self._painting.next_picture(ability, text, sources, settings, written), self.decode
            ),
            self._writer.picture,
            self._tokenizer.decode,
            Rule.of(self.manifest, self._tokenizer, self._writer, self._engine.holds),
        )

    def _paint(
        self, name: AbilityName, text: str, pictures: Sequence[Picture], size: Size | None, options: Options
    ) -> Strokes:
        """Check everything now; return the generator that paints."""
        ability = self._ability(name)
        settings = resolve(options, ability, self.manifest)
        shape = self.grid.default if size is None else self.grid.shape(self.size(size))
        sources, origins = self.reader.read(name, pictures)
        composition = Composition.of(origins, edited=name == "edit")
        if size is None and sources and (codes := shown_codes(sources[0])) is not None:
            shape = Shape(*codes.shape)
        asked = self._requests.read(name, text, sources)
        if asked.unknown:
            note = f"{self.manifest.name} does not know {asked.note}"
            warnings.warn(PromptWarning(note, asked.unknown), stacklevel=3)
        request = self._painting.request(ability, asked, sources, shape, settings, composition=composition)
        return self._painting.strokes(request, lambda codes: self._decoded(codes, composition))

    def _answer(self, name: AbilityName, text: str, sources: Sequence[Source]) -> str:
        return self._answering.answer(self._ability(name), text, sources).text

    def _read(self, name: AbilityName, pictures: Sequence[Picture]) -> list[Source]:
        return self.reader.read(name, pictures)[0]

    def _ability(self, name: AbilityName) -> Ability:
        return ability_of(self.manifest, name)

    @once
    def reader(self) -> PictureReader:
        """What the model sees in pictures."""
        return PictureReader(self.manifest, self._engine, self.grid)

    @once
    def _painting(self) -> Painting:
        return Painting(self.bundle, self._engine, self.grid, self._writer)

    @once
    def _answering(self) -> Answering:
        return Answering(self.manifest, self._engine, self._tokenizer, self._writer)

    @once
    def _requests(self) -> RequestReader:
        return RequestReader(self.manifest, self._answering, self._tokenizer)

    @once
    def _tokenizer(self) -> TextTokenizer:
        return TextTokenizer(self.bundle.path(self.manifest.tokenizer))

    @once
    def _writer(self) -> PromptWriter:
        manifest = self.manifest
        return PromptWriter(
            self._tokenizer, manifest.image_block, manifest.codes.first_token,
            cell=manifest.codes.cell, pad=manifest.guidance.pad,
        )  # fmt: skip
