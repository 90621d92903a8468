"""Bundles on disk: verified when opened, whole or absent when written. Knows files and hashes, not graphs."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .errors import BundleError, OutputError
from .files import beside, remove_folder, written_to
from .manifest.schema import MANIFEST_FILE, File, Manifest, encode_manifest, read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A folder whose files are those of its manifest, byte for byte."""

    folder: Path
    manifest: Manifest
    digest: str  # SHA-256 of manifest.json, and through it of every file

    def path(self, file: str) -> Path:
        """Return where a file of the bundle lies."""
        return self.folder / file


def open_bundle(folder: Path) -> Bundle:
    """Read the manifest, then check every file's size and SHA-256; raise `BundleError` at the first that differs."""
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    return Bundle(folder=folder, manifest=manifest, digest=_sha256(folder / MANIFEST_FILE))


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Raise `BundleError` unless the folder holds exactly the manifest's files, with its sizes and hashes.

    Unlisted files are refused too: a graph could draw weights from one that nobody hashed.
    """
    advice = "Export or download the bundle again."
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise BundleError(f"{path} is a link; a bundle holds plain files only. {advice}")
        if not path.is_file() and not path.is_dir():
            raise BundleError(f"{path} is no plain file, and a bundle holds no others. {advice}")
        if path.is_file() and name not in manifest.files and name != MANIFEST_FILE:
            raise BundleError(f"{path} is not listed in {MANIFEST_FILE}. Remove it from the bundle.")
    for name, listed in manifest.files.items():
        path = folder / name
        try:
            size = path.stat().st_size
            if size != listed.bytes:
                raise BundleError(f"{path} has {size} bytes, {MANIFEST_FILE} says {listed.bytes}. {advice}")
            if _sha256(path) != listed.sha256:
                raise BundleError(f"{path} was changed: its SHA-256 is not the one in {MANIFEST_FILE}. {advice}")
        except OSError as error:
            raise BundleError(f"{path} cannot be read ({error.strerror}). {advice}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def staged_folder(destination: Path) -> Iterator[Path]:
    """Give a hidden sibling folder to write into; rename it to `destination` at the end, or remove it on any error.

    Raises `OutputError` when the destination exists or cannot be written, the disk being full included.
    """
    staging = beside(destination)
    try:
        with written_to(destination, "Choose a folder that exists."):
            if destination.exists() or destination.is_symlink():
                raise OutputError(
                    f"{destination} exists already; bundles are never overwritten. Choose another name or remove it."
                )
            staging.mkdir()
        with written_to(destination, "Nothing was left there."):
            yield staging
            for path in staging.rglob("*"):
                if path.is_file():
                    _sync(path)
            _sync(staging)
            staging.rename(destination)
    finally:
        remove_folder(staging)
    _sync(destination.absolute().parent)


def _sync(path: Path) -> None:
    """Ask the system to put a file, or a folder's entries, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Write `manifest.json` with the size and SHA-256 of every file in the folder; return the manifest as written."""
    files = {
        path.relative_to(folder).as_posix(): File(bytes=path.stat().st_size, sha256=_sha256(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    sealed = msgspec.structs.replace(manifest, files=files)
    (folder / MANIFEST_FILE).write_bytes(encode_manifest(sealed))
    return sealed
