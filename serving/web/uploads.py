"""Pictures that clients send: files and data URIs. Only their size and first bytes are looked at here.

Nothing is ever fetched: an address would make this server ask other machines for whoever sends it. Decoding is for the
worker, whose limits count and whose end would end nobody else.
"""

import base64
import binascii
import re
from typing import Final

from .errors import ApiError, bad_request

MAX_BYTES: Final = 50 * 2**20
_DATA_URI: Final = re.compile(r"data:image/(?:png|jpe?g|webp);base64,")
_MAGIC: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


def check_picture(content: bytes, param: str) -> bytes:
    """Return a picture's bytes; raise `ApiError` unless they begin like a PNG, JPEG or WebP of bounded size."""
    if len(content) > MAX_BYTES:
        raise ApiError(413, f"The picture is too large; at most {MAX_BYTES // 2**20} MB are read.", param=param)
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if not webp and not content.startswith(_MAGIC):
        raise bad_request("The picture is not PNG, JPEG or WebP; send one of these.", param, "invalid_image")
    return content


def from_uri(uri: str, param: str) -> bytes:
    """Return the picture in a data URI; raise `ApiError` for any other address."""
    found = _DATA_URI.match(uri)
    if found is None:
        if uri.startswith("data:"):
            raise bad_request("A picture must be 'data:image/png;base64,...', or jpeg or webp.", param, "invalid_image")
        raise bad_request(
            "Pictures are not fetched from addresses; send the picture itself as 'data:image/png;base64,...'.",
            param,
            "remote_url_not_allowed",
        )
    return from_base64(uri[found.end() :], param)


def from_base64(text: str, param: str) -> bytes:
    """Return the picture in base64; raise `ApiError` unless it is one."""
    try:
        return check_picture(base64.b64decode(text, validate=True), param)
    except (binascii.Error, ValueError) as error:
        raise bad_request("The picture is not valid base64.", param, "invalid_image") from error
