"""An installed bundle removed, at once, with its files in the Hub's cache."""

from pathlib import Path

from edgevlo.runtime.bundle import EMBEDDED
from edgevlo.runtime.errors import BundleError, OutputError
from edgevlo.runtime.files import beside, remove_folder

from . import hub
from .places import holds_bundle, installed, is_hub_id


def remove(name: str) -> int:
    """Remove an installed bundle and its files in the Hub's cache; return how many bytes were freed."""
    folder = installed() / name.replace("/", "--")
    plain = name != "" and not name.startswith(".")
    freed: int | None = None
    if plain and holds_bundle(folder):
        freed = _remove(folder)
    if is_hub_id(name):
        freed = max(freed or 0, hub.forget(name)) or None  # both share their disk
    if freed is None:
        if plain and holds_bundle(EMBEDDED / name):
            raise BundleError(f"{name} is embedded in edgevlo and cannot be removed.")
        raise BundleError(f"there is no model {name!r} to remove; `edgevlo list` prints the installed ones.")
    return freed


def _remove(folder: Path) -> int:
    """Remove an installed bundle; of one that is a link, the link alone."""
    leaving = beside(folder)
    try:
        if folder.is_symlink():
            folder.unlink()
            return 0
        freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        folder.rename(leaving)  # gone at once, not file by file
    except OSError as error:
        raise OutputError(f"{folder} cannot be removed ({error.strerror}).") from error
    remove_folder(leaving)
    return freed
