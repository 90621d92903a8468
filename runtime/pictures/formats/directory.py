"""The directory of a TIFF, which EXIF has too: numbers by tag, and a copy of it with some of its tags."""

from collections.abc import Collection
from typing import Final

from .contents import ByteOrder, UnreadableError, number

_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WHOLE: Final = {1, 3, 4, 13, 16}  # BYTE, SHORT, LONG, IFD, LONG8
_MAX_ENTRIES: Final = 4096


class Directory:
    """The first directory of a TIFF, classic or BigTIFF."""

    def __init__(self, content: bytes) -> None:
        orders: dict[bytes, ByteOrder] = {b"II": "little", b"MM": "big"}
        if content[:2] not in orders:
            raise UnreadableError("its byte order is unknown")
        self._content = content
        self.order = orders[content[:2]]
        self._big = number(content, 2, 2, self.order) == 43
        self._offset = 8 if self._big else 4  # where the header says where the directory lies, and bytes of an offset
        self._count = 8 if self._big else 2
        start = number(content, self._offset, self._offset, self.order)
        entries = number(content, start, self._count, self.order)
        if entries > _MAX_ENTRIES:
            raise UnreadableError(f"it has more than {_MAX_ENTRIES} tags")
        size = 20 if self._big else 12
        first = start + self._count
        self._entries: dict[int, bytes] = {}
        for at in range(first, first + entries * size, size):
            self._entries.setdefault(number(content, at, 2, self.order), content[at : at + size])
        after = first + entries * size
        self.more = number(content, after, self._offset, self.order) != 0 if after + 4 <= len(content) else False

    def number(self, tag: int, default: int) -> int:
        """Return the first number of a tag, the default where it is not there."""
        return next(iter(self.numbers(tag, 1)), default)

    def numbers(self, tag: int, most: int) -> list[int]:
        """Return the first numbers of a tag, none where it is not there or holds something else."""
        entry = self._entries.get(tag)
        if entry is None or (kind := number(entry, 2, 2, self.order)) not in _WHOLE:
            return []
        width, count = _SIZES[kind], min(number(entry, 4, self._offset, self.order), most)
        where, value = self._content, number(entry, 4 + self._offset, self._offset, self.order)
        if self._bytes(entry) <= self._offset:
            where, value = entry, 4 + self._offset
        return [number(where, value + i * width, width, self.order) for i in range(count)]

    def _bytes(self, entry: bytes) -> int:
        """Return how many bytes the values of a tag take."""
        kind, count = number(entry, 2, 2, self.order), number(entry, 4, self._offset, self.order)
        return _SIZES.get(kind, 1) * count

    def with_only(self, tags: Collection[int]) -> bytes:
        """Return the file with a directory of these tags alone at its end, the last one; values stay where they are.

        Raises `UnreadableError` when the values of these tags are larger than the file.
        """
        kept = [entry for tag, entry in sorted(self._entries.items()) if tag in tags]
        if sum(map(self._bytes, kept)) > len(self._content):
            raise UnreadableError("its tags are longer than the file")
        directory = len(kept).to_bytes(self._count, self.order) + b"".join(kept) + bytes(self._offset)
        padding = b"\0" * (-len(self._content) % 8)
        start = (len(self._content) + len(padding)).to_bytes(self._offset, self.order)
        head = self._content[: self._offset] + start
        return head + self._content[len(head) :] + padding + directory
