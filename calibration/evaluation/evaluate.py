"""`edgevlo evaluate`: one bundle compared with another, in figures, a document and pictures. Writes nothing."""

import datetime
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from edgevlo.runtime.arguments import as_path, check_whole
from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import RequestError

from .cases import Case, cases, digest
from .compare import Pair, check_comparable, compare
from .gate import Verdict, verdict
from .hidden_states import why_no_layers
from .limits import coarsest, limits_of
from .metrics import check_installed
from .reference import Reference, Subject, subject_of
from .text_table import table

FORMAT: Final = "edgevlo-evaluation/1"
COUNT: Final = 24
_PACKAGES: Final = ("edgevlo", "numpy", "onnxruntime", "onnxruntime-gpu", "tokenizers", "pillow", "scikit-image")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The result of comparing two bundles."""

    document: dict[str, Any]  # everything, as JSON
    verdict: Verdict
    table: str  # for people
    pairs: tuple[Pair, ...]  # for the sheet: what both painted with the same seeds


def evaluate(
    candidate: Path | str | Subject,
    reference: Path | str | Subject,
    *,
    requests: Path | str | None = None,
    pictures: Path | str | None = None,
    count: int = COUNT,
    tasks: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare a bundle with the one it was made from, at `count` requests of a file or of those that ship.

    A `Subject` instead of a folder is how `--emulate` runs the graphs of a GPU bundle. With `tasks`, a world's own
    judge also tries both at so many cases of each of its tasks and languages, if the model comes from such a world.
    Raises `BundleError` for bundles of different models and those that cannot be opened, `RequestError` and
    `PictureError` for requests that cannot be used, `EdgevloError` if scikit-image is not installed.
    """
    check_installed()
    check_whole("count", count)
    check_whole("tasks", tasks)
    asked = None if requests is None else as_path("requests", requests)
    shown = None if pictures is None else as_path("pictures", pictures)
    if tasks < 0:
        raise RequestError(f"`tasks={tasks}` is negative; it counts cases of each task.")
    began = time.perf_counter()
    subjects = [subject_of(one) for one in (reference, candidate)]
    ours, theirs = (subject.bundle for subject in subjects)
    check_comparable(ours, theirs)
    listed = cases(ours.manifest, asked, shown, count)
    judged = _judged(subjects[0].form, subjects[1].form, tasks, progress)  # first: it may refuse
    compared_with = Reference(subjects[0], listed)
    if requests is None:
        compared_with.leave_out_long_ones(progress)
    figures, pairs = compare(compared_with, subjects[1], progress=progress)
    found = verdict(figures, coarsest(theirs.manifest), limits_of(theirs.manifest))
    emulated = any(subject.emulation is not None for subject in subjects)
    document = {
        "format": FORMAT,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - began, 1),
        "machine": _machine(),
        "versions": dict(_versions()),
        "reference": _described(ours),
        "candidate": _described(theirs),
        "emulated": emulated,
        "requests": {"sha256": digest(compared_with.cases), "cases": [_case(case) for case in compared_with.cases]},
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
    notes = [] if figures["layer_sqnr_db"] else [_layers_note(compared_with, subjects[1])]
    if emulated:
        notes.append("graphs made for a GPU were computed on the CPU, with every rounding of theirs")
    text = table(figures, found, notes) + ("" if judged is None else f"\n\n{judged.table}")
    return Evaluation(document=document, verdict=found, table=text, pairs=tuple(pairs))


@dataclass(frozen=True, slots=True)
class _Judged:
    """The verdict of the world's judge, as JSON and as text."""

    document: dict[str, Any]
    table: str


def _judged(reference: Bundle, candidate: Bundle, count: int, progress: Progress | None) -> _Judged | None:
    if not count:
        return None
    from .picturebook_tasks import compare_tasks, task_table  # loads the world

    found = compare_tasks(reference, candidate, count, progress=progress)
    return _Judged(found, task_table(found))


def _layers_note(reference: Reference, candidate: Subject) -> str:
    reason = reference.why_no_layers or why_no_layers(candidate.form)
    return f"layers were not compared: {reason or 'nothing was painted, or no layer has a name in both'}"


def _described(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "name": manifest.name,
        "sha256": bundle.digest,
        "source": f"{manifest.source.id} {manifest.source.revision}".rstrip(),
        "target": manifest.target,
        "precision": {role: graph.precision for role, graph in manifest.graphs.items()},
        "bytes": bundle.bytes,
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
