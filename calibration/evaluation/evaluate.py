"""`edgevlo evaluate`: one bundle against another, as figures, a document and pictures to look at. Writes nothing."""

import datetime
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.backends import Opener, on_device
from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.errors import RequestError

from .cases import Case, cases, digest
from .compare import Pair, Reference, check_comparable, compare
from .gate import Verdict, verdict
from .layers import SeeingOpener, open_seeing, unseen_layers
from .limits import coarsest, limits_of
from .metrics import check_installed
from .text_table import table

FORMAT: Final = "edgevlo-evaluation/1"
COUNT: Final = 24
_PACKAGES: Final = ("edgevlo", "numpy", "onnxruntime", "onnxruntime-gpu", "tokenizers", "pillow", "scikit-image")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What came of comparing two bundles."""

    document: dict[str, Any]  # everything, as JSON
    verdict: Verdict
    table: str  # for people
    pairs: tuple[Pair, ...]  # for the sheet: what both painted on their own, with the same seeds


def evaluate(
    candidate: Path,
    reference: Path,
    *,
    requests: Path | None = None,
    pictures: Path | None = None,
    count: int = COUNT,
    tasks: int = 0,
    open_graph: SeeingOpener = open_seeing,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare a bundle with the one it was made from, at `count` requests of a file or of those that ship.

    With `tasks`, a world's own judge also tries both at so many cases of each of its tasks and languages, if the model
    comes from such a world. `open_graph` opens the graphs of both, by another way than the device's if one is given;
    other processes must be able to import it. Raises `BundleError` for bundles of different models and those that
    cannot be opened, `RequestError` and `PictureError` for data that cannot be used, `EdgevloError` when scikit-image
    is not installed.
    """
    check_installed()
    if tasks < 0:
        raise RequestError(f"--tasks is {tasks}; it counts cases of each task, and 0 is none.")
    began = time.perf_counter()
    ours, theirs = open_bundle(reference), open_bundle(candidate)
    check_comparable(ours, theirs)
    listed = cases(ours.manifest, requests, pictures, count)
    judged = _judged(ours, theirs, tasks, open_graph, progress)  # first: it may refuse
    held_against = Reference(ours, listed, open_graph=open_graph)
    figures, pairs = compare(held_against, theirs, progress=progress)
    found = verdict(figures, coarsest(theirs.manifest), limits_of(theirs.manifest))
    emulated = open_graph is not open_seeing and any(on_device(one.manifest) for one in (ours, theirs))
    document = {
        "format": FORMAT,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - began, 1),
        "machine": _machine(),
        "versions": dict(_versions()),
        "reference": _described(ours),
        "candidate": _described(theirs),
        "emulated": emulated,
        "requests": {"sha256": digest(listed), "cases": [_case(case) for case in listed]},
        "figures": figures,
        "verdict": {
            "passed": found.passed,
            "precision": found.precision,
            "limits": dict(found.limits),
            "figures": found.figures,
            "reasons": found.reasons,
        },
        **({} if judged is None else {"tasks": judged.document}),
    }
    notes = [] if figures["layer_sqnr_db"] else [_why_no_layers(held_against, theirs)]
    if emulated:
        notes.append("graphs made for a GPU were computed on the CPU, with the roundings that they state")
    text = table(figures, found, notes) + ("" if judged is None else f"\n\n{judged.table}")
    return Evaluation(document=document, verdict=found, table=text, pairs=tuple(pairs))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the world's judge says, as JSON and as text."""

    document: dict[str, Any]
    table: str


def _judged(
    reference: Bundle, candidate: Bundle, count: int, open_graph: Opener, progress: Progress | None
) -> _Judged | None:
    if not count:
        return None
    from .picturebook_tasks import compare_tasks, task_table  # loads the world

    found = compare_tasks(reference, candidate, count, open_graph=open_graph, progress=progress)
    return _Judged(found, task_table(found))


def _why_no_layers(reference: Reference, candidate: Bundle) -> str:
    unseen = reference.why_no_layers or unseen_layers(candidate, reference.open_graph)
    reason = unseen or "nothing was painted, or no layer has a name in both"
    return f"layers were not looked at: {reason}"


def _described(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "name": manifest.name,
        "sha256": bundle.digest,
        "source": f"{manifest.source.id} {manifest.source.revision}".rstrip(),
        "target": manifest.target,
        "precision": {role: graph.precision for role, graph in manifest.graphs.items()},
        "bytes": sum(file.bytes for file in manifest.files.values()),
    }


def _case(case: Case) -> dict[str, Any]:
    return {
        "number": case.number + 1,
        "request": case.caption,
        "pictures": [one.name if isinstance(one, Path) else f"case {one + 1}" for one in case.pictures],
        "seed": case.seed,
        "guidance_scale": case.guidance_scale,
    }


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _versions() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
