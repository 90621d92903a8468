"""Where models are: the embedded one, installed bundles, folders, the Hub. Opens nothing."""

import functools
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from edgevlo.runtime.bundle import EMBEDDED as EMBEDDED
from edgevlo.runtime.bundle import Bundle, read_bundle, staged_folder, verify
from edgevlo.runtime.errors import BundleError, OutputError
from edgevlo.runtime.files import beside, home, remove_folder
from edgevlo.runtime.manifest.schema import MANIFEST_FILE, read_manifest

if TYPE_CHECKING:
    from edgevlo import hub

Kind: TypeAlias = Literal["embedded", "bundle", "folder", "checkpoint"]

EMBEDDED_MODEL: Final = "picturebook"
MODEL_VARIABLE: Final = "EDGEVLO_MODEL"  # names the model that is used where none is given
_HUB_ID: Final = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


def installed() -> Path:
    """Return the folder of installed bundles: `$EDGEVLO_HOME/bundles`, or `~/.edgevlo/bundles`."""
    try:
        return home("bundles")
    except OutputError:  # a user without a home, as in many containers; the embedded model needs none
        return Path("/nonexistent")


def find(model: str | Path | None = None) -> Path:
    """Return the bundle folder that a name stands for; raise `BundleError` if there is none.

    Tried in this order: a folder, an installed bundle, an embedded one, a hub id (`owner/name`). A folder without a
    manifest does not hide an installed bundle of its name. Without a name, `$EDGEVLO_MODEL` is used, then picturebook.
    """
    given = default() if model is None else str(model)
    name = given or EMBEDDED_MODEL
    folder = Path(name)
    if given is not None and (folder.is_absolute() or _holds_bundle(folder)):
        return _checked(folder)
    for place in (installed(), EMBEDDED):
        if folder.name == name and _holds_bundle(place / name):
            return place / name
    if given is not None and os.path.isdir(name):  # noqa: PTH112  (Path.is_dir raises for a name that is too long)
        return _checked(folder)
    if is_hub_id(name):
        return pull(name, wanted="bundle")[0]
    wanted = f"{name!r}, which {MODEL_VARIABLE} names" if model is None else repr(name)
    raise BundleError(f"there is no bundle {wanted}: no such folder, and none installed in {installed()}.")


def default() -> str | None:
    """Return the model that `$EDGEVLO_MODEL` names, None where it names none."""
    return os.environ.get(MODEL_VARIABLE) or None


def is_hub_id(name: str) -> bool:
    """Whether a name has the form `owner/name` and is not a path, not even a mistyped one, in an existing folder."""
    return _HUB_ID.match(name) is not None and not os.path.isdir(os.path.dirname(name))  # noqa: PTH112, PTH120


def _holds_bundle(folder: Path) -> bool:
    return os.path.isfile(folder / MANIFEST_FILE)  # noqa: PTH113  (Path.is_file raises for a name that is too long)


def _checked(folder: Path) -> Path:
    if not _holds_bundle(folder):
        checkpoint = os.path.isfile(folder / "config.json")  # noqa: PTH113
        hint = f" It looks like a checkpoint; export it first: edgevlo export {folder} -o BUNDLE" if checkpoint else ""
        raise BundleError(f"{folder} is not a bundle: it has no {MANIFEST_FILE}.{hint}")
    return folder


def pull(
    name: str, *, revision: str | None = None, pickles: bool = False, wanted: "hub.Kind | None" = None
) -> "tuple[Path, hub.Kind]":
    """Fetch a repository of the hub; return the installed bundle, or the checkpoint in the hub's cache."""
    from edgevlo import hub

    destination = _place(name)
    if _holds_bundle(destination) and revision is None:
        return destination, "bundle"
    snapshot = hub.fetch(name, revision=revision, pickles=pickles, wanted=wanted)
    if snapshot.kind == "bundle":
        if not _is_installed(snapshot.folder, destination):
            _install_over(name, snapshot.folder, destination)
        return destination, "bundle"
    return snapshot.folder, "checkpoint"


def _place(name: str) -> Path:
    """Return where a bundle of the hub is installed."""
    if not is_hub_id(name):
        raise BundleError(f"{name!r} is not a hub id; those have the form OWNER/NAME.")
    return installed() / name.replace("/", "--")


def _is_installed(snapshot: Path, destination: Path) -> bool:
    """Whether the installed bundle is the one of a snapshot, by its manifest, which names every other file's hash."""
    if not _holds_bundle(destination):
        return False
    return (snapshot / MANIFEST_FILE).read_bytes() == (destination / MANIFEST_FILE).read_bytes()


def _install_over(name: str, snapshot: Path, destination: Path) -> None:
    """Install a snapshot in place of another revision, which stays unless all of the new one is there."""
    if not _holds_bundle(destination):
        _install(name, snapshot, destination)
        return
    leaving = beside(destination)
    try:
        destination.rename(leaving)
    except OSError as error:
        raise OutputError(f"{destination} cannot be replaced ({error.strerror}).") from error
    try:
        _install(name, snapshot, destination)
    except BaseException:
        leaving.rename(destination)
        raise
    remove_folder(leaving)


def _install(name: str, snapshot: Path, destination: Path) -> None:
    """Install the files that a manifest lists, verified, all of them or none.

    They share their disk with the hub's cache of links where both are on one disk.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{destination.parent} cannot be created ({error.strerror}); set EDGEVLO_HOME.") from error
    try:
        _stage(name, snapshot, destination)
    except OutputError:
        if not _holds_bundle(destination):  # else somebody else pulled it meanwhile
            raise


def _stage(name: str, snapshot: Path, destination: Path) -> None:
    with staged_folder(destination) as staging:
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
        verify(bundle)
    except BundleError as error:
        raise BundleError(str(error).replace(str(bundle.folder), name)) from error


def _share(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, or one without hard links
        shutil.copyfile(source, target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model on this machine, by the name that commands take."""

    name: str
    kind: Kind
    what: str  # family, target and precision of a bundle; class of a checkpoint
    licence: str
    bytes: int
    folder: Path


def entries() -> Iterator[Entry]:
    """Yield every bundle, then the checkpoints in the hub's cache that can be exported."""
    from tokenizers import Tokenizer

    from edgevlo import hub
    from edgevlo.export.families import family_of

    yield from bundles()
    yield from local_bundles()
    for name, folder, size in hub.cached():
        classes = _classes(folder)
        try:
            family = family_of(classes, functools.partial(Tokenizer.from_file, str(folder / "tokenizer.json")))
        except Exception:  # the tokenizers library raises no other
            continue  # no tokenizer, so it cannot be exported
        if family:
            what = ", ".join(sorted(classes & {*family.architectures}))
            yield Entry(name=name, kind="checkpoint", what=what, licence=family.licence, bytes=size, folder=folder)


def bundles() -> Iterator[Entry]:
    """Yield embedded and installed bundles."""
    yield from (_described(folder, "embedded") for folder in _bundles(EMBEDDED))
    yield from (_described(folder, "bundle") for folder in _bundles(installed()))


def local_bundles() -> Iterator[Entry]:
    """Yield the bundle folders in the current folder."""
    if Path.cwd() not in (installed().resolve(), EMBEDDED.resolve()):
        yield from (_described(folder, "folder") for folder in _bundles(Path()))


def _bundles(home: Path) -> list[Path]:
    """Return the bundle folders in a folder; none in one that cannot be read."""
    try:
        return sorted(path for path in home.iterdir() if _holds_bundle(path) and not path.name.startswith("."))
    except OSError:
        return []


def _described(folder: Path, kind: Kind) -> Entry:
    name = folder.name if kind == "folder" else folder.name.replace("--", "/", 1)
    try:
        manifest = read_manifest(folder)
    except BundleError as error:
        return Entry(name=name, kind=kind, what=f"unusable: {error}", licence="", bytes=0, folder=folder)
    precision = manifest.graphs["backbone"].precision if "backbone" in manifest.graphs else ""
    return Entry(
        name=name,
        kind=kind,
        what=" ".join(filter(None, (manifest.family, manifest.target, precision))),
        licence=manifest.source.licence,
        bytes=sum(file.bytes for file in manifest.files.values()),
        folder=folder,
    )


def _classes(folder: Path) -> set[str]:
    """Return the classes that the config of a checkpoint names."""
    try:
        listed = json.loads((folder / "config.json").read_bytes()).get("architectures")
    except (OSError, ValueError, AttributeError, RecursionError):
        return set()
    return {str(name) for name in listed} if isinstance(listed, list) else set()


def remove(name: str) -> int:
    """Remove an installed bundle and its files in the Hub's cache; return how many bytes were freed."""
    folder = installed() / name.replace("/", "--")
    plain = name != "" and not name.startswith(".")
    freed = 0
    if plain and _holds_bundle(folder):
        freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        leaving = beside(folder)
        try:
            folder.rename(leaving)  # gone at once, not file by file
        except OSError as error:
            raise OutputError(f"{folder} cannot be removed ({error.strerror}).") from error
        remove_folder(leaving)
    if is_hub_id(name):
        from edgevlo import hub

        freed = max(freed, hub.forget(name))  # both share their disk
    if not freed:
        if plain and _holds_bundle(EMBEDDED / name):
            raise BundleError(f"{name} is embedded in edgevlo and cannot be removed.")
        raise BundleError(f"there is no model {name!r} to remove; `edgevlo list` prints the installed ones.")
    return freed
