"""A Hugging Face checkpoint folder, read tensor by tensor. Knows files and names, not what a tensor is for.

Names, shapes and dtypes come from the files' headers, so a missing, truncated or misshapen tensor is found before
anything is built.
"""

import json
import re
import stat
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch

from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.errors import CheckpointError

from . import float8
from .check_finite import check_finite
from .tensor_names import Beside, Layout, Place, as_stored, places, renamed
from .weight_files import Pickle, Safetensors, Shape, WeightFile

__all__ = ["Checkpoint", "CheckpointWarning", "Floats", "Shape"]

INDEX: Final = "model.safetensors.index.json"
SINGLE: Final = "model.safetensors"
PICKLES: Final = ("pytorch_model.bin", "model.pt", "pytorch_model.pt", "model.bin", "consolidated.00.pth")
PICKLE_INDEX: Final = "pytorch_model.bin.index.json"
DTYPES: Final = ("F64", "F32", "F16", "BF16", *float8.DTYPES)
QUANTISED: Final = ("fp8", "compressed-tensors")  # methods whose float8 weights are read
WRAPPERS: Final = ("base_model.model.", "module.", "_orig_mod.", "_fsdp_wrapped_module.")
LISTED: Final = 5  # names in one message
BLOCK_BYTES: Final = 64 * 1024 * 1024  # of float32, read at a time where a tensor is rearranged

NO_PARTS: Final[Mapping[str, str]] = MappingProxyType({})


def _goes_on(name: str, expected: Collection[str]) -> bool:
    """Whether a name is an expected one but for a number in it, which is one higher: a layer after the last."""
    numbers = re.finditer(r"(?<=\.)\d+(?=\.)", name)
    return any(f"{name[: at.start()]}{int(at[0]) - 1}{name[at.end() :]}" in expected for at in numbers)


def _check_kinds(folder: Path) -> None:
    """Raise `CheckpointError` for pipes and devices, which libraries would wait for or never finish reading."""
    for path in (*folder.glob("*"), *folder.glob("*/*")):
        try:
            kind = path.stat().st_mode
        except OSError:
            continue  # a link to nothing is an error where it is read
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            raise CheckpointError(f"{path} is not a regular file, and a checkpoint has no others. Remove it.")


class CheckpointWarning(UserWarning):
    """A checkpoint is exported, but not everything in it, or from a form that is better avoided."""


class Checkpoint:
    """One checkpoint folder: its config, and which file holds each tensor."""

    def __init__(self, folder: Path, layout: Layout | None = None, beside: Sequence[Beside] = ()) -> None:
        if not folder.is_dir():
            raise CheckpointError(f"{folder} is not a folder; give the folder that holds the checkpoint's config.json.")
        _check_kinds(folder)
        self.folder = folder
        self.config = self.json("config.json")
        self._layout = layout or as_stored
        self._beside = tuple(beside)
        self._places: dict[str, Place] | None = None  # by a family's name
        self._files_of: dict[str, WeightFile] = {}  # by the name in the file
        self.shapes: dict[str, Shape] = {}

    def json(self, name: str) -> dict[str, Any]:
        """Return a JSON object of the folder."""
        path = self.folder / name
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise CheckpointError(f"{path} is missing; download the whole checkpoint again.") from error
        except (OSError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{path} is not readable JSON ({error}); download it again.") from error
        if not isinstance(found, dict):
            raise CheckpointError(f"{path} is not a JSON object; download it again.")
        return found

    def renamed(self, rename: Callable[[str], str]) -> "Checkpoint":
        """Return the same checkpoint with its tensors under other names."""
        return self.arranged(renamed(self._layout, rename))

    def arranged(self, layout: Layout) -> "Checkpoint":
        """Return the same checkpoint with the tensors that a layout finds in its files."""
        return Checkpoint(self.folder, layout, self._beside)

    def completed(self, path: Path, layout: Layout) -> "Checkpoint":
        """Return the same checkpoint with what it lacks taken from one more file, in which a layout finds it."""
        return Checkpoint(self.folder, self._layout, (*self._beside, (path, layout)))

    def expect(
        self, expected: Mapping[str, Shape], parts: Mapping[str, str] = NO_PARTS, spare: Collection[str] = ()
    ) -> None:
        """Raise `CheckpointError` unless every expected tensor is there in the shape that the config promises.

        `parts` says what a prefix of names stands for, so that a part that is missing as a whole is named as one. The
        tensors that are neither expected nor `spare` are listed in one `CheckpointWarning`.
        """
        self._check_method()
        for prefix, part in parts.items():
            if not any(name.startswith(prefix) for name in self._index()):
                self._check_wrapped(prefix)
                raise CheckpointError(
                    f"{self.folder} has no {part}: no tensor is named {prefix}*. Take a checkpoint that has one."
                )
        scales: set[str | None] = set()
        for name, shape in expected.items():
            self._place(name)
            if self.shapes[name] != shape:
                raise CheckpointError(
                    f"{self.folder}: tensor {name} has shape {self.shapes[name]}, but config.json means {shape}; "
                    "weights and config.json are of different models."
                )
            scales.add(self._check_dtype(name))
        known = set(expected).union(spare)
        self._check_unknown(
            sorted(n for n, place in self._index().items() if n not in known and place.stored not in scales), expected
        )

    def _check_wrapped(self, prefix: str) -> None:
        """Raise `CheckpointError` where the tensors have the names of something around the model."""
        for wrapper in WRAPPERS:
            if any(name.startswith(wrapper) for name in self._index()):
                raise CheckpointError(
                    f"{self.folder}: tensors are named {wrapper}{prefix}*, as what wrapped the model in training saves "
                    f"them. Save the model without it (its .module, or merge_and_unload() of an adapter), or take "
                    f"{wrapper!r} off the names."
                )

    def _check_method(self) -> None:
        """Raise `CheckpointError` where the weights are quantised in a way that is not read."""
        method = self._quantization().get("quant_method")
        if method not in (None, *QUANTISED):
            raise CheckpointError(
                f"{self.folder / 'config.json'}: quantization_config is of method {method!r}; edgevlo exports "
                f"unquantised checkpoints and float8 ones ({', '.join(QUANTISED)}). Take the original checkpoint."
            )

    def _check_unknown(self, unknown: Sequence[str], expected: Collection[str]) -> None:
        """Warn of tensors that are not expected; raise `CheckpointError` for a layer after the last expected one."""
        if beyond := next((name for name in unknown if _goes_on(name, expected)), None):
            raise CheckpointError(
                f"{self.folder}: there is a tensor {beyond}, but config.json means fewer layers; weights and "
                "config.json are of different models."
            )
        if unknown:
            more = f" and {len(unknown) - LISTED} more" if len(unknown) > LISTED else ""
            warnings.warn(
                f"{self.folder}: tensors that this class does not have are left out: "
                f"{', '.join(unknown[:LISTED])}{more}",
                CheckpointWarning,
                stacklevel=3,
            )

    def _check_dtype(self, name: str) -> str | None:
        """Raise `CheckpointError` unless the tensor's numbers can be read; return its scale's name in the file."""
        place = self._place(name)
        dtype = place.header.dtype
        if dtype not in DTYPES:
            raise CheckpointError(
                f"{self.folder}: tensor {name} is {dtype}; edgevlo reads {', '.join(DTYPES)}. "
                "Take the unquantised checkpoint."
            )
        scale = self._scale(place) if dtype in float8.DTYPES else None
        if dtype in float8.DTYPES and scale is None and self._quantization():
            raise CheckpointError(
                f"{self.folder}: tensor {name} is {dtype} and has no scale beside it "
                f"({' or '.join(name + suffix for suffix in float8.SUFFIXES)}); save the checkpoint in bf16."
            )
        return scale

    def _quantization(self) -> dict[str, Any]:
        """Return config.json's quantization_config; empty when there is none."""
        stated = self.config.get("quantization_config") or {}
        if not isinstance(stated, dict):
            raise CheckpointError(
                f"{self.folder / 'config.json'}: quantization_config is not an object; download it again."
            )
        return stated

    def _scale(self, place: Place) -> str | None:
        names = (place.stored + suffix for suffix in float8.SUFFIXES)
        return next((name for name in names if name in self._files_of), None)

    def has(self, name: str) -> bool:
        """Return whether the checkpoint holds a tensor."""
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
        place = self._place(name)
        part, whole = place.part, place.header.shape
        if whole[1:] == part.shape[1:]:
            first, last, _ = rows.indices(part.shape[0]) if part.shape else (0, 0, 1)
            values = self._stored(name, place, slice(part.start + first, part.start + last))
        else:
            values = self._stored(name, place, slice(None)).reshape(part.shape)[rows]
        numbers = np.ascontiguousarray(values.float().numpy())
        check_finite(self.folder, name, numbers)
        return numbers

    def _stored(self, name: str, place: Place, rows: slice) -> torch.Tensor:
        """Return rows of a tensor as its file holds it, float8 times its scale."""
        values = place.file.read(place.stored, rows)
        scale = self._scale(place) if place.header.dtype in float8.DTYPES else None
        if scale is None:
            return values
        block = float8.block_size(self._quantization(), str(self.folder / "config.json"))
        whole = self._files_of[scale].read(scale, slice(None))
        return float8.dequantise(f"{self.folder}: tensor {name}", values, rows, place.header.shape, whole, block)

    def transposed(self, name: str, rows: slice = slice(None)) -> Floats:
        """Return the transpose `(inputs, outputs)` of a matrix `(outputs, inputs)`, or of some of its rows.

        Read in blocks, so that the result is all the memory it takes.
        """
        self._place(name)
        outputs, inputs = self.shapes[name]
        start, stop, _ = rows.indices(outputs)
        step = max(1, BLOCK_BYTES // (4 * inputs))
        result = np.empty((inputs, stop - start), dtype=np.float32)
        for first in range(start, stop, step):
            last = min(first + step, stop)
            result[:, first - start : last - start] = self.tensor(name, slice(first, last)).T
        return result

    def _place(self, name: str) -> Place:
        try:
            return self._index()[name]
        except KeyError as error:
            raise CheckpointError(f"{self.folder}: tensor {name} is missing; download the checkpoint again.") from error

    def _index(self) -> dict[str, Place]:
        if self._places is None:
            self._places = {}
            for file in self._files():
                self._files_of.update(dict.fromkeys(file.headers, file))
                self._places.update((place.part.name, place) for place in places(file, self._layout))
            for path, layout in self._beside:
                file = Safetensors(path) if path.suffix == ".safetensors" else self._pickles([path])[0]
                for place in places(file, layout):
                    self._places.setdefault(place.part.name, place)
            self.shapes.update((name, place.part.shape) for name, place in self._places.items())
        return self._places

    def _files(self) -> list[WeightFile]:
        """Return the weight files as transformers takes them: a single file before an index, safetensors first."""
        if (self.folder / SINGLE).is_file():
            self._say_taken(SINGLE, INDEX)
            return [Safetensors(self.folder / SINGLE)]
        if (self.folder / INDEX).is_file():
            return [Safetensors(path) for path in self._shards(INDEX)]
        for name in PICKLES[:1]:
            if (self.folder / name).is_file():
                self._say_taken(name, PICKLE_INDEX)
                return self._pickles([self.folder / name])
        if (self.folder / PICKLE_INDEX).is_file():
            return self._pickles(self._shards(PICKLE_INDEX))
        for name in PICKLES[1:]:
            if (self.folder / name).is_file():
                return self._pickles([self.folder / name])
        raise CheckpointError(f"{self.folder} has neither {SINGLE} nor {INDEX}; download the checkpoint again.")

    def _say_taken(self, taken: str, left: str) -> None:
        """Warn that two files name the weights."""
        if (self.folder / left).is_file():
            warnings.warn(
                f"{self.folder} has {taken} beside {left}; {taken} was taken, as transformers does",
                CheckpointWarning,
                stacklevel=2,
            )

    def _pickles(self, paths: list[Path]) -> list[WeightFile]:
        files: list[WeightFile] = [Pickle(path) for path in paths]
        warnings.warn(
            f"{paths[0]} is a pickle; its tensors were read without running its code, but prefer a checkpoint in "
            "safetensors",
            CheckpointWarning,
            stacklevel=2,
        )
        return files

    def _shards(self, index: str) -> list[Path]:
        """Return the files that an index names; raise `CheckpointError` unless all lie in the folder."""
        weight_map = self.json(index).get("weight_map")
        shards = sorted({str(shard) for shard in weight_map.values()}) if isinstance(weight_map, dict) else []
        if not shards or any(Path(shard).name != shard for shard in shards):
            raise CheckpointError(f"{self.folder / index} has no usable weight_map; download it again.")
        for shard in shards:
            if not (self.folder / shard).is_file():
                raise CheckpointError(f"{self.folder / shard} is missing; {index} names it. Download it again.")
        return [self.folder / shard for shard in shards]
