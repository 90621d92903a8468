"""Where models lie: the embedded one, installed bundles, folders, the hub. Opens nothing."""

import os
import re
import shutil
from pathlib import Path
from typing import Final

from edgevlo.runtime.bundle import staged_folder, verify_files
from edgevlo.runtime.errors import BundleError, OutputError
from edgevlo.runtime.manifest import MANIFEST_FILE, read_manifest

EMBEDDED: Final = Path(__file__).parent / "bundles"
DEFAULT: Final = "picturebook"
_HUB_ID: Final = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


def installed() -> Path:
    """Return the folder of installed bundles: `$EDGEVLO_HOME/bundles`, or `~/.edgevlo/bundles`."""
    home = os.environ.get("EDGEVLO_HOME")
    try:
        return Path(home or Path.home() / ".edgevlo") / "bundles"
    except RuntimeError:  # a user without a home, as in many containers; the embedded model needs none
        return Path("/nonexistent")


def find(model: str | Path | None = None) -> Path:
    """Return the bundle folder that a name stands for; raise `BundleError` if there is none.

    Tried in this order: a folder, an installed bundle, an embedded one, a hub id (`owner/name`). A folder without a
    manifest hides no installed bundle of its name.
    """
    name = DEFAULT if model is None else str(model)
    folder = Path(name)
    if model is not None and (folder.is_absolute() or _holds_bundle(folder)):
        return _checked(folder)
    for home in (installed(), EMBEDDED):
        if folder.name == name and _holds_bundle(home / name):
            return home / name
    if model is not None and os.path.isdir(name):  # noqa: PTH112  (Path.is_dir raises for a name that is too long)
        return _checked(folder)
    if is_hub_id(name):
        return _from_hub(name)
    raise BundleError(f"there is no bundle {name!r}: no such folder, and none installed in {installed()}.")


def _holds_bundle(folder: Path) -> bool:
    return os.path.isfile(folder / MANIFEST_FILE)  # noqa: PTH113  (Path.is_file raises for a name that is too long)


def _checked(folder: Path) -> Path:
    if not _holds_bundle(folder):
        checkpoint = os.path.isfile(folder / "config.json")  # noqa: PTH113
        hint = f" It looks like a checkpoint; export it first: edgevlo export {folder} -o BUNDLE" if checkpoint else ""
        raise BundleError(f"{folder} is not a bundle: it has no {MANIFEST_FILE}.{hint}")
    return folder


def _from_hub(name: str) -> Path:
    """Install a bundle from the hub: the files that its manifest lists, copied out of the hub's cache of links."""
    destination = installed() / name.replace("/", "--")
    if _holds_bundle(destination):
        return destination
    snapshot = _checked(download(name))
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{destination.parent} cannot be made ({error.strerror}); set EDGEVLO_HOME.") from error
    with staged_folder(destination) as staging:
        shutil.copyfile(snapshot / MANIFEST_FILE, staging / MANIFEST_FILE)
        for file in read_manifest(staging).files:
            if not (snapshot / file).is_file():
                raise BundleError(f"{name} on the hub lacks {file}, which its {MANIFEST_FILE} lists.")
            (staging / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(snapshot / file, staging / file)
        verify_files(staging, read_manifest(staging))  # a damaged download is not installed
    return destination


def is_hub_id(name: str) -> bool:
    """Whether a name has the form `owner/name` and is no path, not even a mistyped one, in a folder that exists."""
    return _HUB_ID.match(name) is not None and not os.path.isdir(os.path.dirname(name))  # noqa: PTH112, PTH120


def download(name: str) -> Path:
    """Fetch a repository from the hub, or take it from the hub's own cache; nothing in it is ever executed."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name))
    except Exception as error:  # network, authorisation and cache errors share no base class
        reason = str(error).strip().split("\n", 1)[0][:200]
        raise BundleError(f"{name} is no folder here and cannot be had from the hub: {reason}") from error
