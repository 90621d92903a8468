"""The folder that a model's name stands for: a path, an installed bundle, the embedded one, or one at the Hub."""

import os
from pathlib import Path
from typing import Final

from edgevlo.runtime.arguments import as_path
from edgevlo.runtime.bundle import EMBEDDED
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.schema import MANIFEST_FILE

from .places import holds_bundle, installed, is_hub_id

EMBEDDED_MODEL: Final = "picturebook"
MODEL_VARIABLE: Final = "EDGEVLO_MODEL"  # names the model that is used where none is given


def find(model: str | Path | None = None) -> Path:
    """Return the bundle folder that a name stands for; raise `BundleError` if there is none.

    Tried in this order: a folder, an installed bundle, an embedded one, a hub id (`owner/name`). A folder without a
    manifest does not hide an installed bundle of its name. Without a name, `$EDGEVLO_MODEL` is used, then picturebook.
    """
    if not isinstance(model, str | None):
        model = as_path("model", model, "a folder or a name")
    if model == "":
        raise BundleError("the name of the model is empty; leave it out to use the default one.")
    given = default() if model is None else str(model)
    name = given or EMBEDDED_MODEL
    folder = Path(name)
    if given is not None and (folder.is_absolute() or holds_bundle(folder)):
        return _checked(folder)
    for place in (installed(), EMBEDDED):
        if folder.name == name and holds_bundle(place / name):
            return place / name
    if given is not None and os.path.isdir(name):  # noqa: PTH112  (Path.is_dir raises for a name that is too long)
        return _checked(folder)
    if is_hub_id(name):
        from .pull import pull

        return pull(name, wanted="bundle")[0]
    wanted = f"{name!r}, which {MODEL_VARIABLE} names" if model is None else repr(name)
    raise BundleError(
        f"there is no bundle {wanted}: no such folder, and none installed in {installed()}; `edgevlo list` prints "
        "those that are."
    )


def default() -> str | None:
    """Return the model that `$EDGEVLO_MODEL` names, None where it names none."""
    return os.environ.get(MODEL_VARIABLE) or None


def _checked(folder: Path) -> Path:
    if not holds_bundle(folder):
        checkpoint = os.path.isfile(folder / "config.json")  # noqa: PTH113
        hint = f" It looks like a checkpoint; export it first: edgevlo export {folder} -o BUNDLE" if checkpoint else ""
        raise BundleError(f"{folder} is not a bundle: it has no {MANIFEST_FILE}.{hint}")
    return folder
