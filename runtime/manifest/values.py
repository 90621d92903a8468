"""What the parts of a manifest are made of: bounded numbers, texts fit to be shown, and the strict `Record`."""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

Count: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Index: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Bytes: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]  # the weights of a backbone are one file
Width: TypeAlias = Annotated[int, Meta(ge=1, le=65_536)]  # of a layer, in numbers
Area: TypeAlias = Annotated[int, Meta(ge=1, le=2**26)]  # in pixels
Positions: TypeAlias = Annotated[int, Meta(ge=1, le=2**24)]  # in tokens
Dimension: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Side: TypeAlias = Annotated[int, Meta(ge=1, le=65_536)]
Finite: TypeAlias = Annotated[float, Meta(ge=-1e6, le=1e6)]
Channel: TypeAlias = Annotated[int, Meta(ge=0, le=255)]
ShortText: TypeAlias = Annotated[str, Meta(max_length=4096)]
OneLine: TypeAlias = Annotated[
    str, Meta(max_length=4096, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z")
]  # shown as they are
Digest: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]  # SHA-256
Words: TypeAlias = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,80}\Z")]


class Record(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the manifest: immutable, keyword-only, and strict: an unknown key is an error."""
