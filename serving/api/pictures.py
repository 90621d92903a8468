"""Requests that bring pictures: files of a form, or data URIs in a form or in JSON."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias, TypeVar

import msgspec
from starlette.requests import Request

from ..web.body import convert, media_type, read_json
from ..web.errors import bad_request
from ..web.form import read_form
from ..web.uploads import check_picture, from_uri

_FIELDS: Final = ("image", "image[]")
_MOST: Final = 16


class ImageReference(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A picture by its address, which must be a data URI."""

    image_url: str
    file_id: None = None


Image: TypeAlias = str | list[str]


class BringsPictures(Protocol):
    """A body with pictures in it; files of a form are beside it."""

    image: Image | None
    images: list[ImageReference] | None


class WithPictures(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a body that brings pictures and has no others to build on."""

    image: Image | None = None
    images: list[ImageReference] | None = None


Body = TypeVar("Body", bound=BringsPictures)


async def read_with_pictures(request: Request, kind: type[Body]) -> tuple[Body, tuple[bytes, ...]]:
    """Return a body and its pictures; raise `ApiError` unless both are as they should be."""
    if media_type(request) == "multipart/form-data":
        body, pictures = await _from_form(request, kind)
    else:
        body = await read_json(request, kind)
        pictures = _from_uris(body)
    check_number(pictures, "image")
    return body, pictures


def check_number(pictures: Sequence[bytes], param: str) -> None:
    """Raise the 400 of more pictures than are read."""
    if len(pictures) > _MOST:
        raise bad_request(f"At most {_MOST} pictures are read; {len(pictures)} were sent.", param)


async def _from_form(request: Request, kind: type[Body]) -> tuple[Body, tuple[bytes, ...]]:
    form = await read_form(request)
    pictures = tuple(check_picture(content, "image") for name in _FIELDS for content in form.files.get(name, ()))
    for name in form.files:
        if name not in _FIELDS:
            raise bad_request(f"{name!r} is not supported here; leave it out.", name, "unsupported_parameter")
    uris = [form.fields.pop(name) for name in _FIELDS if name in form.fields]
    return convert(form.fields, kind), pictures + tuple(from_uri(uri, "image") for uri in uris)


def _from_uris(body: BringsPictures) -> tuple[bytes, ...]:
    listed = [body.image] if isinstance(body.image, str) else body.image or []
    referred = [one.image_url for one in body.images or []]
    return tuple(from_uri(uri, "image") for uri in listed) + tuple(from_uri(uri, "images") for uri in referred)
