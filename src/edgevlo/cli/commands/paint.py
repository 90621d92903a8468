"""Commands that paint what words say: paint, edit, interleave, and decode, which paints codes."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import edgevlo

from ..options import (
    c2pa_option,
    check_pictures,
    check_quotes,
    image_guidance_option,
    json_option,
    model_option,
    output_option,
    paint_options,
    pictures_argument,
    sampling_options,
    size_option,
    watch_option,
)
from ..printing import say, say_json
from ..streams import (
    STREAM,
    StandardInput,
    check_output,
    check_sources,
    picture_sources,
    source_bytes,
    write_picture,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from edgevlo.runtime.c2pa.manifest import How
    from edgevlo.runtime.generate.stroke import Stroke, Strokes


_MOST_PICTURES: Final = 100  # of an interleaved answer that are looked for among the sources


@click.command(context_settings={"allow_extra_args": True})
@click.argument("prompt")
@size_option
@paint_options
def paint(prompt: str, size: str | None, **settings: Any) -> None:
    """Paint a picture of PROMPT, in English or Chinese."""
    check_quotes(prompt)
    paint_pictures(lambda model, options: model.paint_rows(prompt, size=size, **options), **settings)


@click.command()
@pictures_argument
@click.argument("instruction")
@size_option
@image_guidance_option
@paint_options
def edit(pictures: tuple[Path, ...], instruction: str, size: str | None, **settings: Any) -> None:
    """Change PICTURES (one, or several to combine) as INSTRUCTION says; - is standard input."""
    check_pictures(pictures, instruction, "instruction")
    sources = picture_sources(pictures)
    paint_pictures(
        lambda model, options: model.edit_rows(sources, instruction, size=size, **options),
        made=Made("edited", sources),
        **settings,
    )


@click.command()
@click.argument("pictures", nargs=-1, type=click.Path(path_type=Path))
@click.argument("prompt")
@output_option
@model_option
@image_guidance_option
@sampling_options
@watch_option
@c2pa_option
@json_option
def interleave(
    pictures: tuple[Path, ...],
    prompt: str,
    output: Path,
    model: str | None,
    watch: bool,
    c2pa: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Answer PROMPT, about PICTURES if there are any, with text and pictures.

    Text is printed; pictures are written to OUTPUT with numbers, out-1.png and so on, and named where they belong.
    """
    from ..code_files import numbered
    from ..progress import follow, one_picture

    if watch and as_json:
        raise click.UsageError("--watch and --json both write to the output; choose one.")
    check_pictures(pictures, prompt, "prompt", needed=False)
    check_output(output, alone=False)
    sources = picture_sources(pictures)
    check_sources(sources, numbered(output, _MOST_PICTURES))
    signed = Made("perceived" if sources else "painted", sources).signer() if c2pa else None
    parts = edgevlo.load(model).interleave_rows(prompt, sources, **settings)
    number = 0
    for part in parts:
        if isinstance(part, str):
            say_json({"text": part}) if as_json else say(part)
            continue
        number += 1
        path = output.with_name(f"{output.stem}-{number}{output.suffix}")
        picture = follow(one_picture(part, parts), watch=watch).preview
        write_picture(picture, path, signed)
        click.echo(json.dumps({"picture": str(path), "size": picture.size}) if as_json else path)


@click.command()
@click.argument("codes", type=click.Path(path_type=Path))
@output_option
@model_option
@c2pa_option
def decode(codes: Path, output: Path, model: str | None, c2pa: bool) -> None:
    """Turn CODES, a code grid in a .npy file, into a picture."""
    from ..code_files import read_codes

    check_output(output)
    grid = read_codes(codes)
    signed = Made("painted").signer() if c2pa else None
    write_picture(edgevlo.load(model).decode(grid), output, signed)
    if output != STREAM:
        click.echo(output)


@dataclass(frozen=True, slots=True)
class Made:
    """What a picture is made of, for its signature and its fingerprint."""

    how: "How"
    sources: "Sequence[Path | StandardInput]" = ()

    def signer(self) -> Callable[[bytes], bytes]:
        """Return what signs a picture's file; reads the sources, and makes the device's key where there is none."""
        from edgevlo.runtime.c2pa.sign import prepare, sign

        prepare()
        sources = [source_bytes(source) for source in self.sources]
        return lambda content: sign(content, sources, self.how)

    def noter(self, model: "edgevlo.Model") -> "Callable[[Image], None]":
        """Return what notes a picture's fingerprint; a map is noted without the picture that it was seen in."""
        from edgevlo.runtime.fingerprints.painted_here import PaintedHere

        log = PaintedHere(model)
        log.prepare()
        sources = [BytesIO(source_bytes(source)) for source in self.sources] if self.how == "edited" else []
        return lambda picture: log.note(picture, sources)


def paint_pictures(
    start: "Callable[[Any, Any], Strokes]",
    *,
    made: "Made | None" = None,
    output: Path,
    model: str | None,
    count: int,
    codes: Path | None,
    watch: bool,
    as_json: bool,
    seed: int | None,
    no_prompt: bool,
    c2pa: bool,
    fingerprint: bool,
    resume: bool,
    **settings: Any,
) -> None:
    """Paint `count` pictures of what they are `made` of, show the rows as they come, write and report each."""
    from edgevlo.runtime.files import check_writable
    from edgevlo.runtime.generate.options import check_seed
    from edgevlo.runtime.pictures.write_marks import without_prompt

    from ..code_files import check_apart, numbered, write_codes
    from ..progress import follow

    if watch and as_json:
        raise click.UsageError("--watch and --json both write to the output; choose one.")
    if resume and (count > 1 or output == STREAM):
        raise click.UsageError("--resume goes on with one picture in a file; leave -n and -o - out.")
    if resume and settings["codes_per_pass"] not in (None, 1):
        raise click.UsageError("--resume goes on only at one code a pass; leave --codes-per-pass out.")
    check_output(output, alone=count == 1 and not watch and not as_json)
    targets = list(zip(numbered(output, count), numbered(codes, count), strict=True))
    check_apart([path for pair in targets for path in pair if path is not None])
    for picture_path, codes_path in targets:
        check_output(picture_path)
        if codes_path is not None:
            check_writable(codes_path)
    made = made or Made("painted")
    check_sources(made.sources, [path for path, _ in targets], [path for _, path in targets])
    if seed is not None:
        check_seed(seed)
        check_seed(seed + count - 1)
    signed = made.signer() if c2pa else None
    opened = edgevlo.load(model)
    note = made.noter(opened) if fingerprint else None
    for offset, (picture_path, codes_path) in enumerate(targets):
        began = time.perf_counter()
        this_seed = None if seed is None else seed + offset

        def begin(known: int | None, wanted: int | None = this_seed) -> "Strokes":
            return start(opened, {**settings, "seed": known if wanted is None else wanted})

        with _going_on(picture_path, opened, begin) if resume else nullcontext(begin(None)) as strokes:
            last = follow(strokes, watch=watch)
            picture = without_prompt(last.preview) if no_prompt else last.preview
            write_picture(picture, picture_path, signed)
            if note is not None:
                note(last.preview)
            if codes_path is not None:
                write_codes(last.codes, codes_path)
        seconds = time.perf_counter() - began
        if as_json:
            facts = {"file": str(picture_path), "size": picture.size, "seconds": round(seconds, 3)}
            facts["passes"] = picture.info["passes"]
            unknown = picture.info.get("unknown", "").splitlines()
            say_json({**facts, "parameters": picture.info["parameters"], "unknown": unknown})
        else:
            click.echo(f"{picture_path}  {picture.width}x{picture.height}  {seconds:.2f} s", err=picture_path == STREAM)


@contextmanager
def _going_on(
    picture: Path, model: "edgevlo.Model", begin: "Callable[[int | None], Strokes]"
) -> "Iterator[Iterator[Stroke]]":
    """Give a painting that goes on where its journal beside the picture ends; say so where it does."""
    from edgevlo.runtime.journal.picture import resumed

    journal = picture.with_name(f"{picture.name}.journal")
    with resumed(journal, model.bundle, begin) as strokes:
        if strokes.rows_known:
            click.echo(f"note: {journal} has {strokes.rows_known} rows; going on from there", err=True)
        yield strokes
