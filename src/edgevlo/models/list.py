"""The models on this machine: embedded and installed bundles, those in the current folder, checkpoints to export."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from edgevlo.runtime.bundle import EMBEDDED
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.schema import read_manifest

from .places import holds_bundle, installed

Kind: TypeAlias = Literal["embedded", "bundle", "folder", "checkpoint"]


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

    from edgevlo.export.families.recognise import family_of

    from . import hub

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
        return sorted(path for path in home.iterdir() if holds_bundle(path) and not path.name.startswith("."))
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
