"""Commands that say or paint what a picture shows: segment, edges, depth, normals, pose, ask and detect."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import edgevlo

from ..options import check_pictures, json_option, model_option, paint_options, picture_argument, pictures_argument
from ..printing import say, say_json
from ..streams import check_output, picture_source, picture_sources, write_picture
from .paint import paint_pictures

if TYPE_CHECKING:
    from edgevlo.runtime.manifest.abilities import AbilityName


@click.command()
@picture_argument
@paint_options
def segment(picture: Path, **settings: Any) -> None:
    """Paint the segments of PICTURE, a colour for each class (`edgevlo show` lists them)."""
    _paint_perceived("segment", picture, settings)


@click.command()
@picture_argument
@paint_options
def edges(picture: Path, **settings: Any) -> None:
    """Paint the edges of PICTURE."""
    _paint_perceived("edges", picture, settings)


@click.command()
@picture_argument
@paint_options
def depth(picture: Path, **settings: Any) -> None:
    """Paint how far away everything in PICTURE is."""
    _paint_perceived("depth", picture, settings)


@click.command()
@picture_argument
@paint_options
def normals(picture: Path, **settings: Any) -> None:
    """Paint the directions of the surfaces in PICTURE."""
    _paint_perceived("normals", picture, settings)


@click.command()
@picture_argument
@paint_options
def pose(picture: Path, **settings: Any) -> None:
    """Paint the poses of the people in PICTURE."""
    _paint_perceived("pose", picture, settings)


def _paint_perceived(name: "AbilityName", picture: Path, settings: dict[str, Any]) -> None:
    source = picture_source(picture)
    paint_pictures(lambda model, options: model.perceive_rows(name, source, **options), **settings)


@click.command()
@pictures_argument
@click.argument("question")
@model_option
@json_option
def ask(pictures: tuple[Path, ...], question: str, model: str | None, as_json: bool) -> None:
    """Answer QUESTION about PICTURES."""
    check_pictures(pictures, question, "question")
    answer = edgevlo.load(model).ask(picture_sources(pictures), question)
    say_json({"answer": answer}) if as_json else say(answer)


@click.command()
@picture_argument
@click.argument("objects", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also paint the boxes into this PNG file.")
@model_option
@json_option
def detect(picture: Path, objects: tuple[str, ...], output: Path | None, model: str | None, as_json: bool) -> None:
    """Find OBJECTS, or everything, in PICTURE and print name and box (left, top, right, bottom) in pixels."""
    if output is not None:
        check_output(output, alone=False)
    source, opened = picture_source(picture), edgevlo.load(model)
    if output is not None:
        write_picture(opened.boxes(source, objects), output)
        if "detect" not in opened.manifest.abilities:
            click.echo(output)  # the model only paints boxes
            return
    found = opened.detect(source, objects)
    if as_json:
        say_json([{"label": one.label, "box": one.box} for one in found])
        return
    for one in found:
        say(f"{one.label}\t{' '.join(map(str, one.box))}")


@click.command()
@picture_argument
@json_option
def inspect(picture: Path, as_json: bool) -> None:
    """Print what PICTURE, a PNG, JPEG, WebP or AVIF file, says of how it was made; - is standard input."""
    from dataclasses import asdict

    from edgevlo.runtime.pictures.read_marks import marks_of, read_marks

    source = picture_source(picture)
    marks = read_marks(source) if isinstance(source, Path) else marks_of(source.getvalue(), source.name)
    if as_json:
        say_json({"by_ai": marks.by_ai, **asdict(marks)})
        return
    verdict = "says that an AI made it" if marks.by_ai else "does not say that an AI made it, which proves nothing"
    click.echo(f"{picture}  {marks.format}  {marks.size[0]}x{marks.size[1]}  {verdict}")
    click.echo(f"digital source type  {marks.source_type or '-'}")
    label = ", ".join(f"{name} {value}" for name, value in (marks.label or {}).items())
    click.echo(f"AIGC label           {label or '-'}")
    click.echo(f"C2PA manifest        {'there, not verified' if marks.c2pa else '-'}")
    click.echo(f"parameters           {(marks.parameters or '-').replace(chr(10), chr(10) + ' ' * 21)}")
