"""A bundle's folder held against its manifest: which files there are, their sizes and their SHA-256."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import BundleError, remedy
from ..files import LFS_NOTE, is_lfs_note
from ..manifest.schema import MANIFEST_FILE, Manifest
from . import known_bundles, trial

if TYPE_CHECKING:
    from .open import Bundle

_ADVICE: Final = "Export or download the bundle again."


def verify_bundle(bundle: "Bundle") -> None:
    """Hash every file and try the bundle out, whatever is known of it; raise `BundleError` at the first fault."""
    verify_files(bundle.folder, bundle.manifest)
    try_out(bundle)


def try_out(bundle: "Bundle") -> None:
    """Open and run every graph once in a process of its own; remember that it went well."""
    trial.try_out(bundle.folder, bundle.bytes)
    known_bundles.trust(bundle.digest)


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Raise `BundleError` unless the folder holds exactly the manifest's files, with its sizes and hashes."""
    check_listing(folder, manifest)
    for name, listed in manifest.files.items():
        path = folder / name
        try:
            if sha256(path) != listed.sha256:
                raise BundleError(f"{path} was changed: its SHA-256 is not the one in {MANIFEST_FILE}. {_ADVICE}")
        except OSError as error:
            raise BundleError(f"{path} cannot be read ({error.strerror}). {remedy(error, _ADVICE)}") from error


def check_listing(folder: Path, manifest: Manifest) -> None:
    """Raise `BundleError` unless the folder has only regular files, those of the manifest in their sizes.

    Unlisted files are refused too: a graph could read weights from a file without a hash.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise BundleError(f"{path} is a link; a bundle may contain only regular files. {_ADVICE}")
        if not path.is_file() and not path.is_dir():
            raise BundleError(f"{path} is not a regular file; a bundle may contain only regular files. {_ADVICE}")
        if path.is_file() and name not in manifest.files and name != MANIFEST_FILE:
            raise BundleError(f"{path} is not listed in {MANIFEST_FILE}. Remove it from the bundle.")
    for name, listed in manifest.files.items():
        path = folder / name
        try:
            size = path.stat().st_size
        except OSError as error:
            raise BundleError(f"{path} cannot be read ({error.strerror}). {remedy(error, _ADVICE)}") from error
        if size != listed.bytes:
            if is_lfs_note(path):
                raise BundleError(f"{path} {LFS_NOTE}")
            raise BundleError(f"{path} has {size} bytes, {MANIFEST_FILE} says {listed.bytes}. {_ADVICE}")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
