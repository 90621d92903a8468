"""Files of weights, read tensor by tensor: safetensors, and pickles that hold nothing but tensors.

A pickle is only ever opened by `torch.load(weights_only=True)`, which builds tensors and containers and calls nothing
else. Zip pickles (torch 1.6 and later) are mapped like safetensors; older ones are read whole.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import torch
from safetensors import SafetensorError, safe_open

from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.files import LFS_NOTE, is_lfs_note

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says about a tensor before it is read; `dtype` in safetensors' spelling, "BF16"."""

    shape: Shape
    dtype: str


class WeightFile(Protocol):
    """One file of weights."""

    headers: dict[str, Header]  # by the name that the file uses

    def read(self, name: str, rows: slice) -> torch.Tensor:
        """Return a tensor in its own dtype, or some of its rows; raise `CheckpointError` if the file is damaged."""


def check_is_here(path: Path) -> None:
    """Raise `CheckpointError` for the note that Git LFS puts in a large file's place."""
    if is_lfs_note(path):
        raise CheckpointError(f"{path} {LFS_NOTE}")


class Safetensors:
    """A safetensors file; opening it checks that no tensor reaches past its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        check_is_here(path)
        try:
            with safe_open(path, framework="pt") as file:
                slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
                self.headers = {
                    name: Header(tuple(one.get_shape()), str(one.get_dtype())) for name, one in slices.items()
                }
        except (SafetensorError, OSError) as error:
            raise _unreadable(path, error) from error

    def read(self, name: str, rows: slice) -> torch.Tensor:
        """Return a tensor, or some of its rows; nothing else of the file is kept in memory."""
        try:
            with safe_open(self.path, framework="pt") as file:
                if not self.headers[name].shape:
                    scalar: torch.Tensor = file.get_tensor(name)
                    return scalar
                tensor: torch.Tensor = file.get_slice(name)[rows]
                return tensor
        except (SafetensorError, OSError) as error:
            raise _unreadable(self.path, error) from error


class Pickle:
    """A pickled state dict; raises `CheckpointError` when loading it would have to run code."""

    def __init__(self, path: Path) -> None:
        check_is_here(path)
        self._tensors = _unpickled(path)
        self.headers = {
            name: Header(tuple(tensor.shape), _DTYPES.get(tensor.dtype, str(tensor.dtype)))
            for name, tensor in self._tensors.items()
        }

    def read(self, name: str, rows: slice) -> torch.Tensor:
        """Return a tensor, or some of its rows."""
        tensor = self._tensors[name]
        return tensor[rows] if tensor.ndim else tensor


_DTYPES: Final = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
}


def _unpickled(path: Path) -> dict[str, torch.Tensor]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except Exception as error:  # unpickling raises whatever the damaged bytes lead to
        raise CheckpointError(
            f"{path} is a pickle, which can run code when loaded, and holds more than tensors or is damaged; only "
            "safetensors and pure state dicts are read. Convert it with transformers: model.save_pretrained(FOLDER)."
        ) from error
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]  # as Lightning saves it, beside numbers of the training
    if not isinstance(loaded, dict) or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise CheckpointError(
            f"{path} is a pickle without a state dict (name -> tensor). Convert it with transformers: "
            "model.save_pretrained(FOLDER)."
        )
    return {str(name): tensor.detach() for name, tensor in loaded.items()}


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{path} is truncated or damaged ({error}); download it again.")
