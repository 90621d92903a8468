"""Standard input in the place of a picture, standard output in the place of a PNG file: both are written `-`."""

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from PIL import Image

STREAM: Final = Path("-")


class StandardInput(io.BytesIO):
    """All of standard input; a picture that is read from it more than once is read from its beginning."""

    name = "standard input"


def picture_sources(paths: Sequence[Path]) -> list[Path | StandardInput]:
    """Return the pictures, with what standard input holds in the place of `-`."""
    if paths.count(STREAM) > 1:
        raise click.UsageError("standard input holds one picture; give - once.")
    return [StandardInput(_all_input()) if path == STREAM else path for path in paths]


def _all_input() -> bytes:
    """Return standard input, at most one byte more than a picture file may have."""
    from edgevlo.runtime.pictures.limits import MAX_FILE

    return sys.stdin.buffer.read(MAX_FILE + 1)


def picture_source(path: Path) -> Path | StandardInput:
    """Return one picture."""
    return picture_sources([path])[0]


def check_output(path: Path, *, alone: bool = True) -> None:
    """Raise unless a PNG can be written; `alone` says that nothing else is printed."""
    from edgevlo.runtime.pictures.write_marks import check_png

    if path != STREAM:
        check_png(path)
    elif not alone:
        raise click.UsageError("-o - writes one picture to the output and nothing else; give -o a file.")
    elif sys.stdout.isatty():
        raise click.UsageError("-o - would write a PNG to the terminal; redirect it, or give -o a file.")


def check_sources(
    sources: Sequence[Path | StandardInput], pictures: Sequence[Path], codes: Sequence[Path | None] = ()
) -> None:
    """Raise a usage error when a result would replace a picture that is read.

    One picture may, where -o names it: then that is meant. The default, numbered names and codes are not.
    """
    named = click.get_current_context().get_parameter_source("output") is click.core.ParameterSource.COMMANDLINE
    results = [*codes, *(() if named and len(pictures) == 1 else pictures)]
    for path in results:
        if path is not None and any(_is_same(path, source) for source in sources):
            raise click.UsageError(f"{path} is read, and would be replaced; give another name, or rename it first.")


def _is_same(path: Path, source: Path | StandardInput) -> bool:
    try:
        return isinstance(source, Path) and path.samefile(source)
    except OSError:  # one of them is not there
        return False


def source_bytes(source: Path | StandardInput) -> bytes:
    """Return the file of a picture; raise `PictureError` where there is none."""
    if isinstance(source, StandardInput):
        return source.getvalue()
    from edgevlo.runtime.errors import PictureError, remedy
    from edgevlo.runtime.pictures.picture_file import read_file

    try:
        return read_file(source)
    except OSError as error:
        advice = remedy(error, "Choose another picture")
        raise PictureError(f"{source} cannot be read: {error.strerror}. {advice}") from error


def write_picture(picture: "Image.Image", path: Path, signed: Callable[[bytes], bytes] | None = None) -> None:
    """Write a PNG where `-o` says, as it becomes when it is `signed`."""
    from edgevlo.runtime.files import write_bytes
    from edgevlo.runtime.pictures.write_marks import png_bytes, save_png

    if path == STREAM:
        content = png_bytes(picture)
        sys.stdout.buffer.write(content if signed is None else signed(content))
        sys.stdout.buffer.flush()
    elif signed is None:
        save_png(picture, path)
    else:
        write_bytes(path, signed(png_bytes(picture)))
