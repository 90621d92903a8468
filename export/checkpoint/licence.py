"""The licence note of a bundle: what the checkpoint says about itself, and where it came from."""

import re
from pathlib import Path
from typing import Final

from edgevlo.runtime.manifest.schema import Source

LICENCE_FILE: Final = "LICENCE.txt"
UNKNOWN: Final = "unknown"
_OF_THE_CODE: Final = (UNKNOWN, "mit", "other")  # what deepseek-ai/Janus-* and deepseek-community/Janus-* declare

# `license: apache-2.0` in the front matter of a model card, which ends at the second `---`.
_FRONT_MATTER: Final = re.compile(r"\A---\n(?:(?!---).*\n)*?licen[sc]e:[ \t]*[\"']?([^\"'\n]+)")


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
    return Source(id=name, licence=licence, revision=revision)


def _declared(folder: Path) -> str:
    try:
        card = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN
    found = _FRONT_MATTER.match(card)
    return found[1].strip() if found else UNKNOWN


def write_licence(folder: Path, checkpoint: Path, origin: Source) -> None:
    """Write the note: origin, licence, and the checkpoint's own licence text when it has one."""
    lines = [
        f"This bundle was made by EdgeVLo from the checkpoint {origin.id}"
        + f" ({origin.revision})" * bool(origin.revision),
        f"Licence of the checkpoint: {origin.licence}",
        "The weights, the tokenizer and what they paint stand under that licence, not under EdgeVLo's.",
    ]
    texts = [path for path in sorted(checkpoint.iterdir()) if re.fullmatch(r"(?i)licen[sc]e(\.(txt|md))?", path.name)]
    lines += [f"\n----- {path.name} -----\n{path.read_text(encoding='utf-8', errors='replace')}" for path in texts]
    (folder / LICENCE_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
