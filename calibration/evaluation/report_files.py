"""Evaluations in files: a document and a sheet of pictures, whole or not at all. Measures nothing."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.files import check_writable, place, write_bytes, write_whole
from edgevlo.runtime.pictures.write_marks import check_png

if TYPE_CHECKING:
    from .evaluate import Evaluation


def check_outputs(document: Path | None, sheet: Path | None) -> None:
    """Raise `OutputError` or `RequestError` if a file cannot be written; called before the work."""
    if document is not None:
        check_writable(document)
    if sheet is not None:
        check_png(sheet)
    if document is not None and sheet is not None and place(document) == place(sheet):
        raise RequestError(f"`document` and `sheet` both name {document}; name two files.")


def as_json(found: "Evaluation") -> str:
    """Return everything that was measured as JSON."""
    return json.dumps(found.document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_document(found: "Evaluation", path: Path) -> None:
    """Write everything that was measured as JSON."""
    write_bytes(path, as_json(found).encode())


def write_sheet(found: "Evaluation", path: Path) -> None:
    """Write the pictures of both bundles side by side as PNG; raise `RequestError` if nothing was painted."""
    from .sheet import sheet

    if not found.pairs:
        raise RequestError(f"{path} is not written: none of the requests paints a picture.")
    ours, theirs = (found.document[side] for side in ("reference", "candidate"))
    title = (
        f"{ours['name']}, {ours['target']} {ours['sha256'][:10]} | {theirs['target']} {theirs['sha256'][:10]} | "
        "difference, four times"
    )
    picture = sheet(found.pairs, title)
    write_whole(path, lambda file: picture.save(file, format="PNG", optimize=True))
