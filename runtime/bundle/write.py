"""Bundles written: in a hidden folder that is renamed at the end, so that one exists whole or not at all."""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ..errors import OutputError
from ..files import beside, check_outside_bundles, claimed, exchange, remove_folder, sync, written_to
from ..manifest.schema import MANIFEST_FILE, File, Manifest, Quality, SelfCheck, encode_manifest, read_manifest
from . import known_bundles
from .open import Bundle
from .verify import sha256


def check_new(destination: Path) -> None:
    """Raise `OutputError` unless a bundle can get this name; called before the work that would be lost."""
    try:
        destination.lstat()
    except FileNotFoundError:
        check_outside_bundles(destination)
    except OSError as error:
        raise OutputError(f"{destination} cannot be written ({error.strerror}). Choose another name.") from error
    else:
        raise OutputError(
            f"{destination} exists already; bundles are never overwritten. Choose another name or remove it."
        )


@contextmanager
def staged_folder(destination: Path, *, replaces: bool = False) -> Iterator[Path]:
    """Give a hidden sibling folder to write into; rename it to `destination` at the end, or remove it on any error.

    One that `replaces` takes the name of the folder that is there, which is removed when the new one is whole.
    Raises `OutputError` when the destination exists or cannot be written, as on a full disk.
    """
    with staging_folder(destination, replaces=replaces) as staging:
        yield staging
        publish(staging, destination, replaces=replaces)


@contextmanager
def staging_folder(destination: Path, *, replaces: bool = False) -> Iterator[Path]:
    """Give a hidden sibling folder for what may be published as `destination`; whatever is left in it is removed.

    Raises `OutputError` as `staged_folder` does.
    """
    staging = beside(destination)
    try:
        with written_to(destination, "Choose a folder that exists."):
            if not replaces:
                check_new(destination)
            staging.mkdir()
        with written_to(destination, "Nothing was left there."), claimed(staging):
            yield staging
    finally:
        remove_folder(staging)


def publish(folder: Path, destination: Path, *, replaces: bool = False) -> None:
    """Rename a finished folder, sealed or verified, to its destination, so that it survives a power cut whole.

    What is found there unchanged afterwards is not hashed again.
    """
    with suppress(OSError):
        known_bundles.remember(destination, known_bundles.signature(folder))
    for path in (*folder.rglob("*"), folder):
        sync(path)
    if replaces and destination.is_dir():
        exchange(folder, destination)
    else:
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
        path.relative_to(folder).as_posix(): File(bytes=path.stat().st_size, sha256=sha256(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST_FILE
    }
    return _stated(folder, msgspec.structs.replace(manifest, files=files))


def with_quality(bundle: Bundle, quality: Quality) -> Bundle:
    """Record a verdict in a bundle's manifest; its other files stay as they are."""
    return _stated(bundle.folder, msgspec.structs.replace(bundle.manifest, quality=quality))


def with_self_check(bundle: Bundle, file: str, record: bytes | str) -> Bundle:
    """Add a self-check record to a bundle, or the reason why it has none, in words; other files stay as they are."""
    if isinstance(record, str):
        entry, files = SelfCheck(absent=record), dict(bundle.manifest.files)
    else:
        (bundle.folder / file).write_bytes(record)
        listed = File(bytes=len(record), sha256=hashlib.sha256(record).hexdigest())
        entry, files = SelfCheck(file=file), {**bundle.manifest.files, file: listed}
    return _stated(bundle.folder, msgspec.structs.replace(bundle.manifest, self_check=entry, files=files))


def _stated(folder: Path, manifest: Manifest) -> Bundle:
    content = encode_manifest(manifest)
    (folder / MANIFEST_FILE).write_bytes(content)
    read_manifest(folder)  # what cannot be opened is never published
    bundle = Bundle(folder=folder, manifest=manifest, digest=hashlib.sha256(content).hexdigest())
    known_bundles.trust(bundle.digest)  # made here
    return bundle
