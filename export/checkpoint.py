"""A Hugging Face checkpoint folder, read tensor by tensor. Knows files and names, not what a tensor is for.

Names, shapes and dtypes come from the files' headers, so a missing, truncated or misshapen tensor is found before
anything is built.
"""

import json
import warnings
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from edgevlo.runtime.errors import CheckpointError

from . import float8
from .weights import Header, Pickle, Safetensors, Shape, WeightFile

__all__ = ["Checkpoint", "CheckpointWarning", "Floats", "Shape"]

INDEX: Final = "model.safetensors.index.json"
SINGLE: Final = "model.safetensors"
PICKLES: Final = ("pytorch_model.bin", "model.pt", "pytorch_model.pt", "model.bin", "consolidated.00.pth")
PICKLE_INDEX: Final = "pytorch_model.bin.index.json"
DTYPES: Final = ("F32", "F16", "BF16", *float8.DTYPES)
QUANTISED: Final = ("fp8", "compressed-tensors")  # methods whose float8 weights are read
LISTED: Final = 5  # names in one message
BLOCK_BYTES: Final = 64 * 1024 * 1024  # of float32, read at a time where a tensor is rearranged

NO_PARTS: Final[Mapping[str, str]] = MappingProxyType({})

Floats = npt.NDArray[np.float32]


class CheckpointWarning(UserWarning):
    """A checkpoint is exported, but not everything in it, or from a form that is better avoided."""


class Checkpoint:
    """One checkpoint folder: its config, and which file holds each tensor."""

    def __init__(self, folder: Path, rename: Callable[[str], str] | None = None) -> None:
        if not folder.is_dir():
            raise CheckpointError(f"{folder} is not a folder; give the folder that holds the checkpoint's config.json.")
        self.folder = folder
        self.config = self.json("config.json")
        self._rename = rename or (lambda name: name)
        self._places: dict[str, tuple[WeightFile, str]] | None = None  # canonical name -> file, name in it
        self._headers: dict[str, Header] = {}
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
        return Checkpoint(self.folder, rename)

    def expect(
        self, expected: Mapping[str, Shape], parts: Mapping[str, str] = NO_PARTS, spare: Collection[str] = ()
    ) -> None:
        """Raise `CheckpointError` unless every expected tensor is there in the shape that the config promises.

        `parts` says what a prefix of names stands for, so that a part that is missing as a whole is named as one. The
        tensors that are neither expected nor `spare` are told in one `CheckpointWarning`.
        """
        method = self._quantization().get("quant_method")
        if method not in (None, *QUANTISED):
            raise CheckpointError(
                f"{self.folder / 'config.json'}: quantization_config is of method {method!r}; edgevlo exports "
                f"unquantised checkpoints and float8 ones ({', '.join(QUANTISED)}). Take the original checkpoint."
            )
        for prefix, part in parts.items():
            if not any(name.startswith(prefix) for name in self._index()):
                raise CheckpointError(
                    f"{self.folder} holds no {part}: no tensor is named {prefix}*. Take a checkpoint that has one."
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
        unknown = sorted(self._index().keys() - set(expected).union(spare, scales))
        if unknown:
            more = f" and {len(unknown) - LISTED} more" if len(unknown) > LISTED else ""
            warnings.warn(
                f"{self.folder}: tensors that this class does not have are left out: "
                f"{', '.join(unknown[:LISTED])}{more}",
                CheckpointWarning,
                stacklevel=2,
            )

    def _check_dtype(self, name: str) -> str | None:
        """Raise `CheckpointError` unless the tensor's numbers can be read; return the name of its scale."""
        dtype = self._headers[name].dtype
        if dtype not in DTYPES:
            raise CheckpointError(
                f"{self.folder}: tensor {name} holds {dtype}; edgevlo reads {', '.join(DTYPES)}. "
                "Take the unquantised checkpoint."
            )
        scale = self._scale(name) if dtype in float8.DTYPES else None
        if dtype in float8.DTYPES and scale is None and self._quantization():
            raise CheckpointError(
                f"{self.folder}: tensor {name} holds {dtype} and has no scale beside it "
                f"({' or '.join(name + suffix for suffix in float8.SUFFIXES)}); save the checkpoint in bf16."
            )
        return scale

    def _quantization(self) -> dict[str, Any]:
        """Return config.json's quantization_config; empty when there is none."""
        stated = self.config.get("quantization_config") or {}
        if not isinstance(stated, dict):
            raise CheckpointError(
                f"{self.folder / 'config.json'}: quantization_config is no object; download it again."
            )
        return stated

    def _scale(self, name: str) -> str | None:
        return next((name + suffix for suffix in float8.SUFFIXES if self.has(name + suffix)), None)

    def has(self, name: str) -> bool:
        """Say whether the checkpoint holds a tensor."""
        return name in self._index()

    def tensor(self, name: str, rows: slice = slice(None)) -> Floats:
        """Return a tensor as float32, or some of its rows; nothing else of the file is kept in memory."""
        file, stored = self._place(name)
        values = file.read(stored, rows)
        scale = self._scale(name) if self._headers[name].dtype in float8.DTYPES else None
        if scale is not None:
            held, called = self._place(scale)
            block = float8.block_size(self._quantization(), str(self.folder / "config.json"))
            where, whole = f"{self.folder}: tensor {name}", held.read(called, slice(None))
            values = float8.dequantise(where, values, rows, self.shapes[name], whole, block)
        return np.ascontiguousarray(values.float().numpy())

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

    def _place(self, name: str) -> tuple[WeightFile, str]:
        try:
            return self._index()[name]
        except KeyError as error:
            raise CheckpointError(f"{self.folder}: tensor {name} is missing; download the checkpoint again.") from error

    def _index(self) -> dict[str, tuple[WeightFile, str]]:
        if self._places is None:
            self._places = {}
            for file in self._files():
                for stored, header in file.headers.items():
                    name = self._rename(stored)
                    self._places[name] = (file, stored)
                    self._headers[name] = header
                    self.shapes[name] = header.shape
        return self._places

    def _files(self) -> list[WeightFile]:
        """Return the weight files: those of an index, or the only one; safetensors before pickles."""
        if (self.folder / INDEX).is_file():
            return [Safetensors(path) for path in self._shards(INDEX)]
        if (self.folder / SINGLE).is_file():
            return [Safetensors(self.folder / SINGLE)]
        if (self.folder / PICKLE_INDEX).is_file():
            return self._pickles(self._shards(PICKLE_INDEX))
        for name in PICKLES:
            if (self.folder / name).is_file():
                return self._pickles([self.folder / name])
        raise CheckpointError(f"{self.folder} holds no {SINGLE} and no {INDEX}; download the checkpoint again.")

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
