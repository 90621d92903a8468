"""Multipart forms: fields that are text in the charset that they say, UTF-8 if they say none, and files."""

from dataclasses import dataclass, field
from typing import Final

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from .errors import bad_request
from .uploads import MAX_BYTES

_MAX_FILES: Final = 16
_MAX_FIELDS: Final = 64
# A name of another charset would be Python's to look up, and some of its codecs take minutes for a megabyte.
_CHARSETS: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "latin-1",
    "latin-1": "latin-1", "latin1": "latin-1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form: its fields, and its files by the names of their fields."""

    fields: dict[str, str]
    files: dict[str, list[bytes]] = field(default_factory=dict)


async def read_form(request: Request) -> Form:
    """Return a multipart form; raise `ApiError` unless it is a well-formed one of bounded size."""
    _charset(request.headers["content-type"].encode("latin-1"), "The form")
    parser = _Parser(
        request.headers, request.stream(), max_files=_MAX_FILES, max_fields=_MAX_FIELDS,
        max_part_size=MAX_BYTES * 4 // 3 + 100,  # a picture may come as a data URI
    )  # fmt: skip
    try:
        form = await parser.parse()
        if not parser.is_whole:
            await form.close()
            raise bad_request("The form breaks off: its last boundary is missing.")
    except MultiPartException as error:
        raise bad_request(error.message) from error
    fields: dict[str, str] = {}
    files: dict[str, list[bytes]] = {}
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files.setdefault(name, []).append(await value.read())
            elif name in fields:
                raise bad_request(f"{name} is given twice; send it once.", name)
            else:
                fields[name] = value
    finally:
        await form.close()
    return Form(fields, files)


class _Parser(MultiPartParser):
    """Starlette's, which takes for Latin-1 whatever is not in the charset that it should be in; this one refuses it.

    A form that broke off in the middle of a part is not whole, and lacks that part.
    """

    is_whole = False

    def on_end(self) -> None:
        """Note that the last boundary was there."""
        self.is_whole = True

    def on_part_end(self) -> None:
        """Add a field, or a file."""
        part = self._current_part
        if part.file is not None:
            super().on_part_end()
            return
        kind = next((value for header, value in part.item_headers if header == b"content-type"), b"")
        charset = _charset(kind, f"{part.field_name!r}", part.field_name) or self._charset
        try:
            self.items.append((part.field_name, part.data.decode(charset)))
        except UnicodeDecodeError as error:
            message = f"{part.field_name!r} is not {charset} text; send it as UTF-8, and a file with its filename."
            raise bad_request(message, part.field_name, "invalid_encoding") from error


def _charset(content_type: bytes, what: str, param: str | None = None) -> str | None:
    """Return the charset that a Content-Type names, None if it names none; raise the 400 of one that is not read."""
    given = parse_options_header(content_type)[1].get(b"charset")
    if given is None:
        return None
    known = _CHARSETS.get(given.decode("latin-1").lower())
    if known is None:
        raise bad_request(f"{what} is in a charset that is not read; send UTF-8.", param, "invalid_encoding")
    return known
