"""Bundles on disk: verified when opened, whole or absent when written. Knows files and hashes, not graphs."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from . import known_bundles, trial
from .errors import BundleError, OutputError
from .files import beside, claimed, remove_folder, sync, written_to
from .manifest.schema import MANIFEST_FILE, File, Manifest, Quality, encode_manifest, read_manifest

EMBEDDED: Final = Path(__file__).parent.parent / "bundles"  # in the package
_ADVICE: Final = "Export or download the bundle again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A folder whose files match its manifest byte for byte."""

    folder: Path
    manifest: Manifest
    digest: str  # SHA-256 of manifest.json, and through it of every file

    @property
    def bytes(self) -> int:
        """How many bytes its files have."""
        return sum(file.bytes for file in self.manifest.files.values())

    def path(self, file: str) -> Path:
        """Return where a file of the bundle lies."""
        return self.folder / file


def open_bundle(folder: Path) -> Bundle:
    """Read the manifest, then check every file's size and SHA-256; raise `BundleError` at the first that differs.

    A folder that was verified and has the same sizes, times and inodes since is not hashed again. A bundle that was
    neither made here nor tried before goes through its trial first (trial.py).
    """
    bundle, found = read_bundle(folder), _signature(folder)
    if found is not None and known_bundles.is_unchanged(folder, found):
        check_listing(folder, bundle.manifest)
        return bundle
    verify_files(folder, bundle.manifest)
    known = known_bundles.is_trusted(bundle.digest) or folder.absolute().parent == EMBEDDED
    if not known and os.environ.get(trial.NO_TRIAL) != "0":
        _try_out(bundle)
        known = True
    if found is not None and known:
        known_bundles.remember(folder, found)
    return bundle


def read_bundle(folder: Path) -> Bundle:
    """Read the manifest alone; raise `BundleError` when it is not one."""
    return Bundle(folder=folder, manifest=read_manifest(folder), digest=_sha256(folder / MANIFEST_FILE))


def verify(bundle: Bundle) -> None:
    """Hash every file and try the bundle out, whatever is known of it; raise `BundleError` at the first fault."""
    verify_files(bundle.folder, bundle.manifest)
    _try_out(bundle)


def _try_out(bundle: Bundle) -> None:
    trial.try_out(bundle.folder, sum(file.bytes for file in bundle.manifest.files.values()))
    known_bundles.trust(bundle.digest)


def _signature(folder: Path) -> str | None:
    """Return what changes with any file of the folder; None where one cannot be looked at."""
    try:
        return known_bundles.signature(sorted(path for path in folder.rglob("*") if path.is_file()))
    except OSError:
        return None


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Raise `BundleError` unless the folder holds exactly the manifest's files, with its sizes and hashes."""
    check_listing(folder, manifest)
    for name, listed in manifest.files.items():
        path = folder / name
        try:
            if _sha256(path) != listed.sha256:
                raise BundleError(f"{path} was changed: its SHA-256 is not the one in {MANIFEST_FILE}. {_ADVICE}")
        except OSError as error:
            raise BundleError(f"{path} cannot be read ({error.strerror}). {_ADVICE}") from error


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
            raise BundleError(f"{path} cannot be read ({error.strerror}). {_ADVICE}") from error
        if size != listed.bytes:
            raise BundleError(f"{path} has {size} bytes, {MANIFEST_FILE} says {listed.bytes}. {_ADVICE}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def staged_folder(destination: Path) -> Iterator[Path]:
    """Give a hidden sibling folder to write into; rename it to `destination` at the end, or remove it on any error.

    Raises `OutputError` when the destination exists or cannot be written, as on a full disk.
    """
    with staging_folder(destination) as staging:
        yield staging
        publish(staging, destination)


@contextmanager
def staging_folder(destination: Path) -> Iterator[Path]:
    """Give a hidden sibling folder for what may be published as `destination`; whatever is left in it is removed.

    Raises `OutputError` as `staged_folder` does.
    """
    staging = beside(destination)
    try:
        with written_to(destination, "Choose a folder that exists."):
            if destination.exists() or destination.is_symlink():
                raise OutputError(
                    f"{destination} exists already; bundles are never overwritten. Choose another name or remove it."
                )
            staging.mkdir()
        with written_to(destination, "Nothing was left there."), claimed(staging):
            yield staging
    finally:
        remove_folder(staging)


def publish(folder: Path, destination: Path) -> None:
    """Rename a finished folder to its destination, so that it survives a power cut whole."""
    for path in (*folder.rglob("*"), folder):
        sync(path)
    _move(folder, destination)
    sync(destination.absolute().parent)


def _move(folder: Path, destination: Path) -> None:
    """Give a whole folder its name; one destination has one writer, the first that ends."""
    try:
        folder.rename(destination)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        raise OutputError(f"{destination} was made by another process meanwhile; nothing was changed there.") from error


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Write `manifest.json` with the size and SHA-256 of every file in the folder; return the manifest as written."""
    return sealed_bundle(folder, manifest).manifest


def sealed_bundle(folder: Path, manifest: Manifest) -> Bundle:
    """Seal a folder, as `seal` does; return it as an opened bundle, whose files are not hashed again."""
    files = {
        path.relative_to(folder).as_posix(): File(bytes=path.stat().st_size, sha256=_sha256(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return _stated(folder, msgspec.structs.replace(manifest, files=files))


def with_quality(bundle: Bundle, quality: Quality) -> Bundle:
    """Record a verdict in a bundle's manifest; its other files stay as they are."""
    return _stated(bundle.folder, msgspec.structs.replace(bundle.manifest, quality=quality))


def _stated(folder: Path, manifest: Manifest) -> Bundle:
    content = encode_manifest(manifest)
    (folder / MANIFEST_FILE).write_bytes(content)
    bundle = Bundle(folder=folder, manifest=manifest, digest=hashlib.sha256(content).hexdigest())
    known_bundles.trust(bundle.digest)  # made here
    return bundle
