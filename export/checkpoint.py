"""A Hugging Face checkpoint folder, read tensor by tensor. Knows files and names, not what a tensor is for.

Only safetensors are read; a pickled checkpoint runs code when it is loaded. Sizes come from the files' headers, so a
missing, truncated or misshapen tensor is found before anything is built.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from edgevlo.runtime.errors import CheckpointError

INDEX: Final = "model.safetensors.index.json"
SINGLE: Final = "model.safetensors"
PICKLES: Final = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "consolidated.00.pth")

Shape = tuple[int, ...]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A tensor as a family calls it, inside one of a file: so many rows from `start` on, or all of it reshaped."""

    name: str
    shape: Shape
    start: int = 0


# Name and shape of a tensor in a file -> the tensors that a family sees in it: one, several, or none.
Layout: TypeAlias = Callable[[str, Shape], Iterable[Part]]


class Checkpoint:
    """One checkpoint folder: its config, and which file holds each tensor."""

    def __init__(self, folder: Path, layout: Layout | None = None) -> None:
        if not folder.is_dir():
            raise CheckpointError(f"{folder} is not a folder; give the folder that holds the checkpoint's config.json.")
        self.folder = folder
        self.config = self.json("config.json")
        self._layout = layout or (lambda name, shape: [Part(name=name, shape=shape)])
        self._places: dict[str, tuple[Path, str, Part]] | None = None  # a family's name -> file, name in it
        self.shapes: dict[str, Shape] = {}

    def json(self, name: str) -> dict[str, Any]:
        """Return a JSON object of the folder."""
        path = self.folder / name
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise CheckpointError(f"{path} is missing; download the whole checkpoint again.") from error
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} is not readable JSON ({error}); download it again.") from error
        if not isinstance(found, dict):
            raise CheckpointError(f"{path} holds no JSON object; download it again.")
        return found

    def renamed(self, rename: Callable[[str], str]) -> "Checkpoint":
        """Return the same checkpoint with its tensors under other names."""
        return self.arranged(lambda name, shape: [Part(name=rename(name), shape=shape)])

    def arranged(self, layout: Layout) -> "Checkpoint":
        """Return the same checkpoint with the tensors that a layout finds in its files."""
        return Checkpoint(self.folder, layout)

    def expect(self, expected: Mapping[str, Shape]) -> None:
        """Raise `CheckpointError` unless every expected tensor is there in the shape that the config promises."""
        for name, shape in expected.items():
            self._place(name)
            if self.shapes[name] != shape:
                raise CheckpointError(
                    f"{self.folder}: tensor {name} has shape {self.shapes[name]}, but config.json means {shape}; "
                    "weights and config.json are of different models."
                )

    def has(self, name: str) -> bool:
        """Say whether the checkpoint holds a tensor."""
        return name in self._index()

    def names(self) -> list[str]:
        """Return the names of all tensors."""
        return list(self._index())

    def shape(self, name: str) -> Shape:
        """Return the shape of a tensor; raise `CheckpointError` if it is missing."""
        self._place(name)
        return self.shapes[name]

    def tensor(self, name: str, rows: slice = slice(None)) -> Floats:
        """Return a tensor as float32, or some of its rows; nothing else of the file is kept in memory."""
        path, stored, part = self._place(name)
        first, last, _ = rows.indices(part.shape[0])
        try:
            with safe_open(path, framework="pt") as file:
                whole = file.get_slice(stored)
                if tuple(whole.get_shape())[1:] == part.shape[1:]:
                    found = whole[part.start + first : part.start + last]
                else:
                    found = whole[:].reshape(part.shape)[first:last]
                return np.ascontiguousarray(found.float().numpy())
        except (SafetensorError, OSError) as error:
            raise _unreadable(path, error) from error

    def _place(self, name: str) -> tuple[Path, str, Part]:
        try:
            return self._index()[name]
        except KeyError as error:
            raise CheckpointError(f"{self.folder}: tensor {name} is missing; download the checkpoint again.") from error

    def _index(self) -> dict[str, tuple[Path, str, Part]]:
        if self._places is None:
            self._places = {}
            for path in self._files():
                for stored, shape in _header(path).items():
                    for part in self._layout(stored, shape):
                        self._places[part.name] = (path, stored, part)
                        self.shapes[part.name] = part.shape
        return self._places

    def _files(self) -> list[Path]:
        """Return the weight files: those of the index, or the only one."""
        if (self.folder / INDEX).is_file():
            weight_map = self.json(INDEX).get("weight_map")
            shards = sorted({str(shard) for shard in weight_map.values()}) if isinstance(weight_map, dict) else []
            if not shards or any(Path(shard).name != shard for shard in shards):
                raise CheckpointError(f"{self.folder / INDEX} has no usable weight_map; download it again.")
            for shard in shards:
                if not (self.folder / shard).is_file():
                    raise CheckpointError(f"{self.folder / shard} is missing; {INDEX} names it. Download it again.")
            return [self.folder / shard for shard in shards]
        if (self.folder / SINGLE).is_file():
            return [self.folder / SINGLE]
        for pickled in PICKLES:
            if (self.folder / pickled).is_file():
                raise CheckpointError(
                    f"{self.folder / pickled} is a pickle, which can run code when loaded; only safetensors are read. "
                    "Convert it with transformers: model.save_pretrained(FOLDER)."
                )
        raise CheckpointError(f"{self.folder} holds no {SINGLE} and no {INDEX}; download the checkpoint again.")


def _header(path: Path) -> dict[str, Shape]:
    """Return name -> shape of a safetensors file; opening it checks that no tensor reaches past its end."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{path} is truncated or damaged ({error}); download it again.")
