"""`edgevlo calibrate`: run a portable bundle as its users will, and record the ranges of its tensors.

Every case goes through the runtime itself: prompts of every guidance branch are read in, pictures painted row by row,
source pictures encoded, answers written. The calibration on disk is updated after each case, and an interrupted one
resumes there. The histograms are kept, so that another method needs no second run.
"""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from edgevlo.runtime.arguments import as_path, check_number, check_whole, wrong_type
from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.errors import BundleError, CalibrationError, RequestError
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.model import Model

from . import store
from .evaluation.cases import Case, digest
from .observe import PLACES, ROLES, ObservedEngine, Observer, readers
from .requests import cases
from .run_requests import COUNT, CalibrationWarning, carried_out
from .store import Arrays, Calibration, CaseDone, Grids, Range, Tensors
from .tensor_statistics import Statistics
from .thresholds import METHODS, Method, threshold

# picturebook, every input int8, not smoothed: the next code diverges by 4.7e-4 nats; 99.99 8e-4, 99.9 6e-3, max 1e-3.
PERCENTILE: Final = 99.999
_NO_ARRAYS: Final = Arrays(file="arrays-0000000000000000.npz", bytes=0, sha256="0" * 64)


@dataclass
class _Run:
    """A calibration in progress: its file's content, and the statistics behind it."""

    calibration: Calibration
    tensors: Tensors
    grids: Grids


def calibrate(
    bundle: Path | str,
    output: Path | str,
    *,
    prompts: Path | str | None = None,
    pictures: Path | str | None = None,
    method: str = "percentile",
    percentile: float = PERCENTILE,
    count: int = COUNT,
    restart: bool = False,
    progress: Progress | None = None,
) -> Calibration:
    """Calibrate a portable bundle into the folder `output`; resume an earlier call with the same data.

    Raises `RequestError` for a method or prompts that do not exist, `PictureError` for pictures that cannot be read,
    `BundleError` for a bundle that is not portable, `CalibrationError` for an output made from other data (unless
    `restart` is set) and for a tensor with NaN or infinity.
    """
    tell = progress or (lambda _what, _done, _all: None)
    chosen = _checked(method, percentile)
    check_whole("count", count)
    bundle, output = as_path("bundle", bundle), as_path("output", output)
    prompts = None if prompts is None else as_path("prompts", prompts)
    pictures = None if pictures is None else as_path("pictures", pictures)
    store.check_output(output)
    tell("verifying the bundle", 0, 1)
    opened = open_bundle(bundle)
    if opened.manifest.target != "portable":
        raise BundleError(f"{bundle} was made for target {opened.manifest.target!r}; calibrate the portable bundle.")
    listed = cases(opened.manifest, prompts, pictures, count)
    ours = prompts is None
    run = _begun(opened, output, listed, chosen, percentile, restart=restart)
    if not run.calibration.finished:
        run = _continued(opened, output, listed, run, tell, ours=ours)
    tell("choosing ranges", 0, 1)
    ranges = _ranges(opened, run, chosen, percentile)
    finished = _replaced(run.calibration, method=chosen, percentile=percentile, ranges=ranges)
    return store.write(output, finished, run.tensors, run.grids)


def _checked(method: str, percentile: float) -> Method:
    if not isinstance(method, str):
        raise wrong_type("method", method, "text")
    if method not in METHODS:
        raise RequestError(f"there is no `method={method!r}`; choose one of {', '.join(METHODS)}.")
    check_number("percentile", percentile)
    if not 50 <= percentile <= 100:
        raise RequestError(f"`percentile={percentile}` is out of range; choose one from 50 to 100, such as 99.999.")
    return method


def _begun(
    bundle: Bundle, output: Path, listed: Sequence[Case], method: Method, percentile: float, *, restart: bool
) -> _Run:
    """Return the calibration at `output`, or a new one if there is none or `restart` is set."""
    fresh = Calibration(
        format=store.FORMAT,
        bundle=bundle.manifest.name,
        bundle_sha256=bundle.digest,
        data_sha256=digest(listed),
        method=method,
        percentile=percentile,
        cases=len(listed),
        versions={name: version(name) for name in ("edgevlo", "onnxruntime", "numpy")},
        done=(),
        places=PLACES,
        arrays=_NO_ARRAYS,
        ranges={},
    )
    if restart or not (output / store.FILE).exists():
        return _Run(fresh, {}, {})
    found, tensors, grids = store.read(output)
    if found.bundle_sha256 != bundle.digest:
        raise CalibrationError(f"{output} was made from another bundle, {found.bundle}; `restart=True` starts it over.")
    if found.versions != fresh.versions:
        raise CalibrationError(
            f"{output} was made with other versions of edgevlo or its libraries; `restart=True` starts it over."
        )
    if found.cases > len(listed) or found.data_sha256 != digest(listed[: found.cases]):
        raise CalibrationError(
            f"{output} was made with other prompts, pictures or counts; `restart=True` starts it over."
        )
    found = _replaced(found, cases=len(listed), data_sha256=fresh.data_sha256)  # more cases may be added
    if found.done:
        then = "only ranges are chosen again" if found.finished else "resuming"
        warnings.warn(
            f"{output} has {len(found.done)} of {found.cases} cases; {then}", CalibrationWarning, stacklevel=3
        )
    return _Run(found, tensors, grids)


def _continued(bundle: Bundle, output: Path, listed: Sequence[Case], run: _Run, tell: Progress, *, ours: bool) -> _Run:
    """Run the remaining cases and write the calibration after each; `ours` are those that ship."""
    observer = Observer(run.tensors, places=list(run.calibration.places))
    model = Model(bundle, ObservedEngine(bundle, observer))
    for number in range(len(run.calibration.done), len(listed)):
        case, began, before = listed[number], time.perf_counter(), observer.tokens
        what = f"{case.ability}, case {number + 1} of {len(listed)}"
        for done_rows, rows in carried_out(model, observer, case, number, run.grids, ours=ours):
            tell(what, done_rows, rows)
        done = CaseDone(
            ability=case.ability,
            text=case.text,
            pictures=tuple(f"case {one}" if isinstance(one, int) else one.name for one in case.pictures),
            seed=case.seed,
            guidance_scale=case.guidance_scale,
            tokens=observer.tokens - before,
            seconds=round(time.perf_counter() - began, 3),
        )
        so_far = _replaced(run.calibration, done=(*run.calibration.done, done), places=tuple(observer.places))
        run.calibration = store.write(output, so_far, run.tensors, run.grids)
    return run


def _ranges(bundle: Bundle, run: _Run, method: Method, percentile: float) -> dict[GraphRole, dict[str, Range]]:
    """Return the range and the clipping threshold of every tensor, in the order of the graphs."""
    places = run.calibration.places

    def described(statistics: Statistics, read_by: tuple[str, ...]) -> Range:
        return Range(
            threshold=_rounded(threshold(statistics, method, percentile)),
            peak=_rounded(statistics.peak),
            seen=statistics.count,
            readers=read_by,
            places={places[at]: _rounded(peak) for at, peak in enumerate(statistics.place_peaks.tolist()) if peak},
        )

    found: dict[GraphRole, dict[str, Range]] = {}
    for role in ROLES:
        if role in run.tensors:
            named = readers(bundle, role)
            found[role] = {name: described(one, named[name]) for name, one in run.tensors[role].items()}
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _replaced(calibration: Calibration, **changes: object) -> Calibration:
    return msgspec.structs.replace(calibration, **changes)
