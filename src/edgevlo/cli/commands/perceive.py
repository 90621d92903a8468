"""Commands that say or paint what a picture shows: segment, edges, depth, normals, pose, ask and detect."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import edgevlo

from ..options import (
    answer_options,
    c2pa_option,
    check_pictures,
    json_option,
    model_option,
    paint_options,
    picture_argument,
    pictures_argument,
)
from ..printing import say, say_json
from ..streams import STREAM, check_output, picture_source, picture_sources, source_bytes, write_picture
from .paint import Made, paint_pictures

if TYPE_CHECKING:
    from edgevlo.runtime.c2pa.verify import Credentials
    from edgevlo.runtime.fingerprints.search import Found
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
    made = Made("perceived", [source])
    paint_pictures(lambda model, options: model.perceive_rows(name, source, **options), made=made, **settings)


@click.command()
@pictures_argument
@click.argument("question")
@model_option
@answer_options
@json_option
def ask(pictures: tuple[Path, ...], question: str, model: str | None, as_json: bool, **settings: Any) -> None:
    """Answer QUESTION about PICTURES."""
    check_pictures(pictures, question, "question")
    answer = edgevlo.load(model).ask(picture_sources(pictures), question, **settings)
    say_json({"answer": answer}) if as_json else say(answer)


@click.command()
@picture_argument
@click.argument("objects", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also paint the boxes into this PNG file.")
@model_option
@c2pa_option
@json_option
def detect(
    picture: Path, objects: tuple[str, ...], output: Path | None, model: str | None, c2pa: bool, as_json: bool
) -> None:
    """Find OBJECTS, or everything, in PICTURE and print name and box (left, top, right, bottom) in pixels."""
    if output is not None:
        check_output(output, alone=False)
    source = picture_source(picture)
    signed = Made("perceived", [source]).signer() if c2pa and output is not None else None
    opened = edgevlo.load(model)
    if output is not None:
        boxes = opened.boxes(source, objects)
    if output is None or "detect" in opened.manifest.abilities:
        found = opened.detect(source, objects)
    if output is not None:
        write_picture(boxes, output, signed)  # when the source was read: it may be the same file
        if "detect" not in opened.manifest.abilities:
            click.echo(output)  # the model only paints boxes
            return
    if as_json:
        say_json([{"label": one.label, "box": one.box} for one in found])
        return
    for one in found:
        say(f"{one.label}\t{' '.join(map(str, one.box))}")


@click.command()
@picture_argument
@click.option(
    "--fingerprint", is_flag=True, help="Also look for PICTURE in the log of those that were painted here (-m)."
)
@model_option
@json_option
def inspect(picture: Path, fingerprint: bool, model: str | None, as_json: bool) -> None:
    """Print what PICTURE, a PNG, JPEG, WebP or AVIF file, says of how it was made; - is standard input."""
    from dataclasses import asdict

    from edgevlo.runtime.c2pa.verify import verify
    from edgevlo.runtime.pictures.read_marks import marks_of

    content = source_bytes(picture_source(picture))
    marks = marks_of(content, "standard input" if picture == STREAM else str(picture))
    credentials = verify(content, marks.format) if marks.c2pa else None
    found = _looked_up(content, model) if fingerprint else None
    if as_json:
        told = None if credentials is None else asdict(credentials)
        say_json({"by_ai": marks.by_ai, **asdict(marks), "c2pa": told, "fingerprint": found and found.facts()})
        return
    verdict = "says that an AI made it" if marks.by_ai else "does not say that an AI made it, which proves nothing"
    click.echo(f"{picture}  {marks.format}  {marks.size[0]}x{marks.size[1]}  {verdict}")
    click.echo(f"digital source type  {marks.source_type or '-'}")
    label = ", ".join(f"{name} {value}" for name, value in (marks.label or {}).items())
    say(f"AIGC label           {label or '-'}")
    say(f"C2PA manifest        {'-' if credentials is None else told_of(credentials)}")
    if found is not None:
        say(f"fingerprint          {found.told()}")
    say(f"parameters           {(marks.parameters or '-').replace(chr(10), chr(10) + ' ' * 21)}")


def _looked_up(content: bytes, model: str | None) -> "Found":
    """Return what the log of a model's pictures says of a file."""
    from io import BytesIO

    from edgevlo.runtime.fingerprints.painted_here import PaintedHere

    return PaintedHere(edgevlo.load(model)).find(BytesIO(content))


def told_of(credentials: "Credentials") -> str:
    """Return in a line what a manifest says, and how much that is worth."""
    from edgevlo.runtime.c2pa.library import EXTRA
    from edgevlo.runtime.extras import install_command

    if credentials.state == "unchecked":
        return f"there, not checked; to check it: {install_command(EXTRA)}"
    signer = f"{credentials.signer} ({credentials.issuer})"
    actions = ", ".join(credentials.actions)
    if credentials.state == "changed":
        return f"BROKEN: the file was changed after {signer} signed it ({', '.join(credentials.failures)})"
    if credentials.state == "invalid":
        return f"INVALID: {', '.join(credentials.failures)}"
    if credentials.state == "none":
        return "there, but the C2PA library finds none that it can read"
    known = "this device" if credentials.by_this_device else "nobody known here; anybody can take such a name"
    sources = f" (ingredients: {credentials.ingredients})" if credentials.ingredients else ""
    return f"intact; {actions}{sources}; signed by {signer}: {known}"
