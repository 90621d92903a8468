"""Where models lie: the embedded one, installed bundles, folders, the hub. Opens nothing."""

import os
import re
from pathlib import Path
from typing import Final

from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest import MANIFEST_FILE

EMBEDDED: Final = Path(__file__).parent / "bundles"
DEFAULT: Final = "picturebook"
_HUB_ID: Final = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


def installed() -> Path:
    """Return the folder of installed bundles: `$EDGEVLO_HOME/bundles`, or `~/.edgevlo/bundles`."""
    return Path(os.environ.get("EDGEVLO_HOME") or Path.home() / ".edgevlo") / "bundles"


def find(model: str | None = None) -> Path:
    """Return the bundle folder that a name stands for; raise `BundleError` if there is none.

    Tried in this order: a folder, an installed bundle, an embedded one, a hub id (`owner/name`).
    """
    name = DEFAULT if model is None else model
    folder = Path(name)
    if model is not None and (folder.is_dir() or folder.is_absolute()):
        return _checked(folder)
    for home in (installed(), EMBEDDED):
        if folder.name == name and (home / name / MANIFEST_FILE).is_file():
            return home / name
    if _HUB_ID.match(name):
        return _from_hub(name)
    raise BundleError(f"there is no bundle {name!r}: no such folder, and none installed in {installed()}.")


def _checked(folder: Path) -> Path:
    if not (folder / MANIFEST_FILE).is_file():
        hint = (
            "It looks like a checkpoint; export it first: edgevlo export " if (folder / "config.json").is_file() else ""
        )
        raise BundleError(
            f"{folder} is not a bundle: it has no {MANIFEST_FILE}. {hint and hint + str(folder) + ' -o BUNDLE'}"
        )
    return folder


def _from_hub(name: str) -> Path:
    """Download a bundle from the hub, or take it from the hub's own cache; nothing in it is ever executed."""
    from huggingface_hub import snapshot_download

    try:
        return _checked(Path(snapshot_download(name)))
    except BundleError:
        raise
    except Exception as error:  # network, authorisation and cache errors share no base class
        reason = str(error).strip().split("\n", 1)[0][:200]
        raise BundleError(f"{name} is no folder here and cannot be had from the hub: {reason}") from error
