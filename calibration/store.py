"""Calibrations on disk: a folder with `calibration.json`, to be read by people, and the arrays it names.

The JSON names its arrays by SHA-256 and is replaced in one rename, so that a calibration interrupted at any moment is
found as it was after its last finished case. Knows no graphs and runs none.
"""

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct

from edgevlo.runtime.arrays import Array, Codes
from edgevlo.runtime.errors import CalibrationError, OutputError
from edgevlo.runtime.files import check_writable, write_whole
from edgevlo.runtime.manifest.abilities import AbilityName
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.values import Digest

from .tensor_statistics import Statistics, restored
from .thresholds import Method

FORMAT: Final = "edgevlo-calibration/1"
FILE: Final = "calibration.json"
_MAX_JSON_BYTES: Final = 64 * 1024 * 1024
_MAX_ARRAY_BYTES: Final = 4 * 1024**3

Size = Annotated[float, Meta(ge=0, le=1e30)]
Tensors = dict[GraphRole, dict[str, Statistics]]
Grids = dict[str, Codes]


class Record(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a calibration."""


class Arrays(Record, frozen=True):
    """The file of arrays that belongs to this state of the calibration."""

    file: Annotated[str, Meta(pattern=r"^arrays-[0-9a-f]{16}\.npz$")]
    bytes: int
    sha256: Digest


class CaseDone(Record, frozen=True):
    """A case that was run: its request, and how many tokens the backbone read for it."""

    ability: AbilityName
    text: str
    pictures: tuple[str, ...]
    seed: int
    guidance_scale: float | None
    tokens: int
    seconds: float


class Range(Record, frozen=True):
    """The observed range of a tensor, and the absolute value at which it will be clipped."""

    threshold: Size
    peak: Size
    seen: int
    readers: tuple[str, ...]  # operators that read the tensor
    places: dict[str, Size]  # peaks at the first position, in the rest of prompts, in answers, and in every painted row


class Calibration(Record, frozen=True):
    """`calibration.json`: the bundle, the cases that were run, and the ranges that were observed."""

    format: Literal["edgevlo-calibration/1"]
    bundle: str
    bundle_sha256: Digest  # of the bundle's manifest, and through it of every file
    data_sha256: Digest  # of texts, pictures, seeds and scales
    method: Method
    percentile: Annotated[float, Meta(gt=0, le=100)]
    cases: int
    versions: dict[str, str]
    done: tuple[CaseDone, ...]
    places: tuple[str, ...]  # what `place_peaks` counts, in order
    arrays: Arrays
    ranges: dict[GraphRole, dict[str, Range]]

    @property
    def finished(self) -> bool:
        """Whether every case was run."""
        return len(self.done) == self.cases


def read(folder: Path) -> tuple[Calibration, Tensors, Grids]:
    """Return a calibration, its statistics and the code grids it painted; raise `CalibrationError` if it is damaged."""
    path = folder / FILE
    again = "Calibrate again: edgevlo calibrate BUNDLE --restart."
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise CalibrationError(f"{path} is too large for a calibration. {again}")
        calibration = msgspec.json.decode(path.read_bytes(), type=Calibration)
        stored = folder / calibration.arrays.file
        if stored.stat().st_size != calibration.arrays.bytes or calibration.arrays.bytes > _MAX_ARRAY_BYTES:
            raise CalibrationError(f"{stored} does not have the {calibration.arrays.bytes} bytes of {FILE}. {again}")
        raw = stored.read_bytes()
    except OSError as error:
        raise CalibrationError(
            f"{error.filename} cannot be read ({error.strerror}); is {folder} a calibration?"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CalibrationError(f"{path}: {error}. {again}") from error
    if hashlib.sha256(raw).hexdigest() != calibration.arrays.sha256:
        raise CalibrationError(f"{stored} was changed: its SHA-256 is not the one in {FILE}. {again}")
    return calibration, *_unpacked(stored, raw, again)


def _unpacked(stored: Path, raw: bytes, again: str) -> tuple[Tensors, Grids]:
    named: dict[tuple[str, str], dict[str, Array]] = {}
    grids: Grids = {}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as zipped:
            if sum(entry.file_size for entry in zipped.infolist()) > _MAX_ARRAY_BYTES:
                raise ValueError("they unpack to more than any calibration has")
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            for key in archive.files:
                role, _, rest = key.partition("|")
                name, _, part = rest.rpartition("|")
                if role == "painted":
                    grids[name] = archive[key].astype(np.int32)
                else:
                    named.setdefault((role, name), {})[part] = archive[key]
        tensors: Tensors = {}
        for (role, name), arrays in named.items():
            tensors.setdefault(msgspec.convert(role, GraphRole), {})[name] = restored(arrays)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.ValidationError) as error:
        raise CalibrationError(f"{stored} cannot be read as statistics ({error}). {again}") from error
    return tensors, grids


def check_output(folder: Path) -> None:
    """Raise `CalibrationError` if something else is there, `OutputError` if nothing can be written."""
    check_writable(folder / FILE if os.path.isdir(folder) else folder)  # noqa: PTH112  (is_dir raises for a long name)
    if folder.is_file() or (folder.is_dir() and not all(map(_ours, folder.iterdir()))):
        raise CalibrationError(f"{folder} exists and is not a calibration; choose another name.")


def _ours(path: Path) -> bool:
    """Whether a file belongs to a calibration, or was left half written by a process that was killed."""
    return path.name.lstrip(".").startswith((FILE, "arrays-"))


def write(folder: Path, calibration: Calibration, tensors: Tensors, grids: Grids) -> Calibration:
    """Replace the calibration in a folder; return it with the name of its arrays."""
    content = _packed(tensors, grids)
    digest = hashlib.sha256(content).hexdigest()
    arrays = Arrays(file=f"arrays-{digest[:16]}.npz", bytes=len(content), sha256=digest)
    calibration = msgspec.structs.replace(calibration, arrays=arrays)
    text = msgspec.json.format(msgspec.json.encode(calibration), indent=1) + b"\n"
    try:
        folder.mkdir(exist_ok=True)
        for name, whole in ((arrays.file, content), (FILE, text)):
            write_whole(folder / name, partial(_write, whole))
        for stale in folder.glob("arrays-*.npz"):
            if stale.name != arrays.file:
                stale.unlink()
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{folder} cannot be written ({error.strerror}). Choose another name.") from error
    return calibration


def _write(content: bytes, file: IO[bytes]) -> None:
    file.write(content)


def _packed(tensors: Tensors, grids: Grids) -> bytes:
    parts: Mapping[str, Array] = {
        f"{role}|{name}|{part}": array
        for role, named in tensors.items()
        for name, statistics in named.items()
        for part, array in statistics.arrays()
    } | {f"painted|{name}|codes": grid for name, grid in grids.items()}
    buffer = io.BytesIO()
    # Written entry by entry with a fixed date: the same statistics are the same bytes.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in parts.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entry.getvalue())
    return buffer.getvalue()
