"""Where models may be: in the folder of installed bundles, in another folder, at the Hub."""

import os
import re
from pathlib import Path
from typing import Final

from edgevlo.runtime.errors import OutputError
from edgevlo.runtime.files import home
from edgevlo.runtime.manifest.schema import MANIFEST_FILE

_HUB_ID: Final = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


def installed() -> Path:
    """Return the folder of installed bundles: `$EDGEVLO_HOME/bundles`, or `~/.edgevlo/bundles`."""
    try:
        return home("bundles")
    except OutputError:  # a user without a home, as in many containers; the embedded model needs none
        return Path("/nonexistent")


def is_hub_id(name: str) -> bool:
    """Whether a name has the form `owner/name` and is not a path, not even a mistyped one, in an existing folder."""
    return _HUB_ID.match(name) is not None and not os.path.isdir(os.path.dirname(name))  # noqa: PTH112, PTH120


def holds_bundle(folder: Path) -> bool:
    """Whether a folder has a manifest."""
    return os.path.isfile(folder / MANIFEST_FILE)  # noqa: PTH113  (Path.is_file raises for a name that is too long)
