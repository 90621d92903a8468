"""From picture files to pictures in RGB. Knows Pillow and the manifest's numbers, not models.

Every change made to a picture is named in one `PictureWarning`.
"""

import errno
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Final, TypeAlias

from PIL import ExifTags, Image, UnidentifiedImageError

from ..errors import PictureError, remedy
from .formats.contents import OF_16_BITS, OF_32_BITS, UnreadableError
from .limits import HALVED_ABOVE, check_size
from .origin import Origin, origin_of, origin_of_image
from .picture_file import decode, read_file, read_stream
from .to_rgb import to_rgb, upright

_NO_PICTURE: Final = "{} is not a picture that can be read{}. Choose another PNG, JPEG or WebP file."
_TURNED: Final = 5  # orientations from here on have width and height exchanged


class PictureWarning(UserWarning):
    """A picture was used, but not exactly as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A picture as upright 8-bit RGB, what to call it, and what was changed: "is animated, ...", a verb first.

    `size` is that of the file, upright; the picture itself is smaller where a very large one was halved.
    """

    image: Image.Image
    name: str
    size: tuple[int, int]
    changes: tuple[str, ...] = ()
    origin: Origin = field(default_factory=Origin)


Picture: TypeAlias = str | os.PathLike[str] | Image.Image | IO[bytes] | Loaded
_ADDRESS: Final = re.compile(r"(?:https?|ftp|file|data|s3):", re.IGNORECASE)
_LONGEST_NAME: Final = 500  # characters of a path, or of a picture in text that was taken for one


def listed(pictures: Picture | Sequence[Picture]) -> list[Picture]:
    """Return pictures that were given as a list, or one that was given alone."""
    if isinstance(pictures, str | bytes | bytearray | memoryview) or not isinstance(pictures, Sequence):
        return [pictures]  # type: ignore[list-item]  # what is none of them is refused where it is read
    return list(pictures)


def load_picture(source: Picture) -> Loaded:
    """Open a picture; raise `PictureError` when it is not one or too large.

    A file object is read from its beginning, a pipe or a download from where it is.

    Transparency is laid on white, CMYK, grey and 16-bit pictures are converted, EXIF rotation is applied, and of an
    animation the first frame is used; `changes` tells those that can be seen.
    """
    if isinstance(source, Loaded):
        return source
    if isinstance(source, Image.Image):
        with _named("the picture"):
            return _from_image(source)
    if isinstance(source, str | os.PathLike):
        path = os.fsdecode(source) or "."
        name = path if len(path) <= _LONGEST_NAME else f"{path[:_LONGEST_NAME]}..."
        with _named(name):
            return _from_file(read_file(path), name)
    if not hasattr(source, "read"):
        raise PictureError(
            f"a picture cannot be of type {type(source).__name__}; give a file's path, a PIL image or a binary file "
            "(io.BytesIO of bytes)."
        )
    named = getattr(source, "name", None)  # a number where a file was opened by one
    name = os.fsdecode(named) if isinstance(named, str | bytes | os.PathLike) else "the picture"
    with _named(name):
        return _from_file(read_stream(source, name), name)


def load_bytes(content: bytes, name: str) -> Loaded:
    """Open a picture file that is in memory; `name` is what notes and errors call it."""
    with _named(name):
        return _from_file(content, name)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Turn what Pillow and the file system raise into a `PictureError` that names the picture."""
    try:
        yield
    except (PictureError, MemoryError):
        raise
    except UnreadableError as error:
        raise PictureError(_NO_PICTURE.format(name, f" ({error})" if error.args[0] else "")) from error
    except UnidentifiedImageError as error:
        raise PictureError(_NO_PICTURE.format(name, "")) from error
    except OSError as error:
        if "nsupported" in str(error):  # Pillow's word for kinds of a format that it does not know
            raise PictureError(f"{name} is of a kind that is not read ({error}). Save it as PNG first.") from error
        if error.errno == errno.ENOENT and _ADDRESS.match(name):
            raise PictureError(f"{name} is an address, and only files are read. Download it first.") from error
        reason = error.strerror or "it is damaged or cut off"
        raise PictureError(f"{name} cannot be read: {reason}. {remedy(error, 'Choose another picture')}") from error
    except Exception as error:  # on damaged files Pillow raises errors of every kind
        raise PictureError(_NO_PICTURE.format(name, "")) from error


def _from_file(content: bytes, name: str) -> Loaded:
    image, contents = decode(content, name)
    del content  # as large as the file
    image, changes = to_rgb(image, name, contents.bits, is_negative=contents.is_negative)
    image = upright(_halved(image), contents.orientation)
    size = contents.size if contents.orientation < _TURNED else contents.size[::-1]
    said = changes if contents.change is None else (contents.change, *changes)
    return Loaded(
        image=image, name=name, size=size, changes=said, origin=origin_of(contents.xmp, contents.manifest)
    )  # fmt: skip


def _from_image(source: Image.Image) -> Loaded:
    """Take a picture that the caller opened; the caller's own is never changed."""
    check_size(source.size, "the picture")
    try:
        source.load()
    except ValueError as error:  # it was closed
        raise UnreadableError(str(error)) from error
    image, changes = to_rgb(source, "the picture", OF_32_BITS if source.mode == "I" else OF_16_BITS)
    turned = _orientation(source)
    image = upright(_halved(image), turned)
    size = source.size if turned < _TURNED else source.size[::-1]
    return Loaded(
        image=image.copy() if image is source else image, name="the picture", size=size, changes=changes,
        origin=origin_of_image(source),
    )  # fmt: skip


def _halved(image: Image.Image) -> Image.Image:
    """Return a picture of no more pixels than later steps may copy; models read a small part of them."""
    while image.width * image.height > HALVED_ABOVE:
        image = image.reduce(2)
    return image


def _orientation(source: Image.Image) -> int:
    try:
        return int(source.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged metadata says nothing of the pixels
        return 1


def resized(before: tuple[int, int], after: tuple[int, int]) -> str:
    """Return the note on a resized picture, (width, height) each."""
    was, now = ("x".join(map(str, size)) for size in (before, after))
    return f"was resized from {was} to {now}, a size that this model reads"


def warn_of_changes(name: str, changes: Sequence[str]) -> None:
    """Warn of every change in a picture in one line; without changes do nothing."""
    if changes:
        warnings.warn(f"{name} {'; '.join(changes)}", PictureWarning, stacklevel=1)
