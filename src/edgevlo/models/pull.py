"""A repository of the Hub on this machine: a bundle is installed, verified, all of it or none."""

import os
import shutil
from pathlib import Path

from edgevlo.runtime.bundle import Bundle, read_bundle, staged_folder, verify_bundle
from edgevlo.runtime.errors import BundleError, OutputError
from edgevlo.runtime.manifest.schema import MANIFEST_FILE, read_manifest

from . import hub
from .places import holds_bundle, installed, is_hub_id


def pull(
    name: str, *, revision: str | None = None, pickles: bool = False, wanted: hub.Kind | None = None
) -> tuple[Path, hub.Kind]:
    """Fetch a repository of the hub; return the installed bundle, or the checkpoint in the hub's cache."""
    destination = _place(name)
    if holds_bundle(destination) and revision is None:
        return destination, "bundle"
    snapshot = hub.fetch(name, revision=revision, pickles=pickles, wanted=wanted)
    if snapshot.kind == "bundle":
        if not _is_installed(snapshot.folder, destination):
            _install(name, snapshot.folder, destination)
        return destination, "bundle"
    return snapshot.folder, "checkpoint"


def _place(name: str) -> Path:
    """Return where a bundle of the hub is installed."""
    if not is_hub_id(name):
        raise BundleError(f"{name!r} is not a hub id; those have the form OWNER/NAME.")
    return installed() / name.replace("/", "--")


def _is_installed(snapshot: Path, destination: Path) -> bool:
    """Whether the installed bundle is the one of a snapshot, by its manifest, which names every other file's hash."""
    if not holds_bundle(destination):
        return False
    return (snapshot / MANIFEST_FILE).read_bytes() == (destination / MANIFEST_FILE).read_bytes()


def _install(name: str, snapshot: Path, destination: Path) -> None:
    """Install the files that a manifest lists, verified, all of them or none.

    Another revision keeps its name until all of this one is there. The files share their disk with the hub's cache of
    links where both are on one disk.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{destination.parent} cannot be created ({error.strerror}); set EDGEVLO_HOME.") from error
    replaces = holds_bundle(destination)
    try:
        _stage(name, snapshot, destination, replaces=replaces)
    except OutputError:
        if replaces or not holds_bundle(destination):  # else somebody else pulled it meanwhile
            raise


def _stage(name: str, snapshot: Path, destination: Path, *, replaces: bool) -> None:
    with staged_folder(destination, replaces=replaces) as staging:
        _share(snapshot / MANIFEST_FILE, staging / MANIFEST_FILE)
        for file in read_manifest(staging).files:
            if not (snapshot / file).is_file():
                raise BundleError(f"{name} on the Hub lacks {file}, which its {MANIFEST_FILE} lists.")
            (staging / file).parent.mkdir(parents=True, exist_ok=True)
            _share(snapshot / file, staging / file)
        _try_out(read_bundle(staging), name)  # what is damaged or ends the process is not installed


def _try_out(bundle: Bundle, name: str) -> None:
    """Verify and try out a bundle that was downloaded, which errors call by its name."""
    try:
        verify_bundle(bundle)
    except BundleError as error:
        raise BundleError(str(error).replace(str(bundle.folder), name)) from error


def _share(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, or one without hard links
        shutil.copyfile(source, target)
