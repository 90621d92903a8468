"""The licence note of a bundle: what the checkpoint says about itself, and where it came from."""

import re
from pathlib import Path
from typing import Final

import yaml

from edgevlo.runtime.manifest.schema import Source

LICENCE_FILE: Final = "LICENCE.txt"
UNKNOWN: Final = "unknown"
_OF_THE_CODE: Final = (UNKNOWN, "mit", "other")  # what deepseek-ai/Janus-* and deepseek-community/Janus-* declare

_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\r?\n(.{0,65536}?)^---[ \t]*$", re.DOTALL | re.MULTILINE)  # YAML
_LONGEST: Final = 200
_NOT_SHOWN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def source(folder: Path, weights_licence: str = "", *, binding: bool = False) -> Source:
    """Return what can be known about a checkpoint's origin: hub snapshots carry name and revision in their path.

    `weights_licence` is that of a family's released weights, whose model cards name only the code's; it stands unless
    the card names another licence than those do. A `binding` one stands whatever a card declares, because it follows
    the weights into everything that is made of them.
    """
    folder = folder.resolve()
    name, revision = folder.name, ""
    if folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--"):
        name, revision = folder.parent.parent.name.removeprefix("models--").replace("--", "/"), folder.name
    declared = _declared(folder)
    licence = weights_licence if weights_licence and (binding or declared in _OF_THE_CODE) else declared
    if licence != declared and declared not in _OF_THE_CODE:
        licence += f"; the model card declares {declared}"
    return Source(id=_one_line(name), licence=licence, revision=_one_line(revision))


def _declared(folder: Path) -> str:
    """Return the licence that a model card names in its front matter; of `other` the name that it gives."""
    try:
        card = (folder / "README.md").read_text(encoding="utf-8-sig", errors="replace")
        found = _FRONT_MATTER.match(card)
        stated = yaml.safe_load(found[1]) if found else None
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return UNKNOWN
    if not isinstance(stated, dict):
        return UNKNOWN
    licence = stated.get("license", stated.get("licence"))
    if licence == "other" and stated.get("license_name"):
        licence = stated["license_name"]
    names = licence if isinstance(licence, list) else [licence]
    return _one_line(", ".join(str(name) for name in names if name is not None)) or UNKNOWN


def _one_line(text: str) -> str:
    """Return what can be shown of a name in one line."""
    return _NOT_SHOWN.sub(" ", text).strip()[:_LONGEST]


def write_licence(folder: Path, checkpoint: Path, origin: Source) -> None:
    """Write the note: origin, licence, and the checkpoint's own licence text when it has one."""
    lines = [
        f"This bundle was made by EdgeVLo from the checkpoint {origin.id}"
        + f" ({origin.revision})" * bool(origin.revision),
        f"Licence of the checkpoint: {origin.licence}",
        "The weights, the tokenizer and what they paint stand under that licence, not under EdgeVLo's.",
    ]
    texts = [path for path in sorted(checkpoint.iterdir()) if re.fullmatch(r"(?i)licen[sc]e(\.(txt|md))?", path.name)]
    lines += [f"\n----- {path.name} -----\n{path.read_text(encoding='utf-8-sig', errors='replace')}" for path in texts]
    (folder / LICENCE_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
