"""Which tensor of a weight file is meant by a name that a family uses: as it is, renamed, or a part of another.

The names are the families' own, such as those of `families/janus/original.py` for the files of a model's own program.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from .weight_files import Header, Shape, WeightFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A tensor as a family calls it, inside one of a file: so many rows from `start` on, or all of it reshaped."""

    name: str
    shape: Shape
    start: int = 0


# Name and shape of a tensor in a file -> the tensors that a family sees in it: one, several, or none.
Layout: TypeAlias = Callable[[str, Shape], Iterable[Part]]

# One more file of weights, and what a family sees in it.
Beside: TypeAlias = tuple[Path, Layout]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor lies: the file, its name there, and which part of that it is."""

    file: WeightFile
    stored: str
    part: Part

    @property
    def header(self) -> Header:
        """What the file says about the tensor."""
        return self.file.headers[self.stored]


def as_stored(name: str, shape: Shape) -> list[Part]:
    """Return a tensor under the name that its file uses: the layout of files whose names are the family's."""
    return [Part(name=name, shape=shape)]


def renamed(layout: Layout, rename: Callable[[str], str]) -> Layout:
    """Return a layout with other names."""
    return lambda name, shape: [replace(part, name=rename(part.name)) for part in layout(name, shape)]


def places(file: WeightFile, layout: Layout) -> Iterator[Place]:
    """Yield where each tensor lies that a layout finds in a file."""
    for stored, header in file.headers.items():
        for part in layout(stored, header.shape):
            yield Place(file, stored, part)
