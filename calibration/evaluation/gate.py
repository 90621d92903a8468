"""The quality gate: whether a bundle is within the limits of its precision, and if not, why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import EdgevloError
from edgevlo.runtime.manifest.graphs import Precision
from edgevlo.runtime.manifest.schema import Quality

from .cases import cases, digest
from .compare import Figures, compare
from .limits import FIGURES, LIMITS, coarsest, limits_of
from .metrics import check_installed
from .reference import Reference, Subject, subject_of

COUNT = 12  # requests, where a bundle is judged as it is quantised


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a bundle passed its limits, its figures by the names of `limits.FIGURES`, and why not.

    `precision` is the coarsest in the bundle, or in the one requested; `limits` are by the same names.
    """

    passed: bool
    precision: Precision
    limits: Mapping[str, float]
    figures: dict[str, float]  # those of the comparison that were measured; a ratio without any error is left out
    reasons: tuple[str, ...]  # one for each limit that was missed
    missed: tuple[str, ...] = ()  # the figures of those limits, by name


class QualityError(EdgevloError, ValueError):
    """A bundle below its limits, or a budget that cannot be met."""


def judge(
    reference: Reference, candidate: Path | Subject, *, like: Verdict | None = None, progress: Progress | None = None
) -> Verdict:
    """Compare a bundle with the reference and judge it by its own limits, or by those of another verdict.

    Raises `BundleError` when the bundle is not of the same model.
    """
    subject = subject_of(candidate)
    figures, _ = compare(reference, subject, sampled=False, progress=progress)
    if like is not None:
        return verdict(figures, like.precision, like.limits)
    return verdict(figures, coarsest(subject.bundle.manifest), limits_of(subject.bundle.manifest))


def verdict(figures: Figures, precision: Precision, limits: Mapping[str, float] | None = None) -> Verdict:
    """Judge the figures of a comparison by limits, by default those of a precision."""
    found = headline(figures)
    bounds = LIMITS[precision] if limits is None else limits
    reasons = {
        name: reason
        for name, bound in bounds.items()
        if name in found and (reason := _missed(name, found[name], bound)) is not None
    }
    return Verdict(
        passed=not reasons,
        precision=precision,
        limits=bounds,
        figures=found,
        reasons=tuple(reasons.values()),
        missed=tuple(reasons),
    )


def headline(figures: Figures) -> dict[str, float]:
    """Return the figures of a comparison that can be judged, by the names of `limits.FIGURES`."""

    def of(part: str, name: str) -> Any:
        return (figures[part] or {}).get(name)

    named = {
        "code_agreement": of("codes", "agreement"),
        "decided_agreement": of("codes", "decided_agreement"),
        "kl_mean": of("codes", "kl_mean"),
        "kl_p99": of("codes", "kl_p99"),
        "hidden_sqnr_db": figures["hidden_sqnr_db"],
        **{f"decoder_{name}": of("decoder", name) for name in ("psnr_db", "ssim", "ciede2000_median", "ciede2000_p95")},
        **{f"picture_{name}": of("pictures", name) for name in ("ssim", "ciede2000_median", "ciede2000_p95")},
        "answer_token_agreement": of("answers", "token_agreement"),
        "answer_decided_agreement": of("answers", "decided_agreement"),
        "answers_exact": of("answers", "exact"),
        "reading_agreement": of("reading", "agreement"),
        "feature_sqnr_db": of("reading", "feature_sqnr_db"),
    }
    return {name: float(f"{value:.6g}") for name, value in named.items() if value is not None}


def _missed(name: str, value: float, bound: float) -> str | None:
    """Return in words how a figure misses its limit; None if it does not."""
    figure = FIGURES[name]
    if value >= bound if figure.better == "more" else value <= bound:  # NaN misses both
        return None
    side = "least" if figure.better == "more" else "most"
    return f"{figure.text}: {shown(name, value)}, at {side} {shown(name, bound)} is required"


def shown(name: str, value: float) -> str:
    """Return a figure with its unit."""
    unit = FIGURES[name].unit
    if unit == "share":
        return f"{100 * value:.2f} %"
    return f"{value:.3g}" + ("" if unit in ("SSIM", "CIEDE2000") else f" {unit}")


def reference_of(
    bundle: Path | Bundle,
    *,
    requests: Path | None = None,
    pictures: Path | None = None,
    count: int = COUNT,
    progress: Progress | None = None,
) -> Reference:
    """Return the reference that candidates are judged against; raise what `cases` raises.

    Of the requests that ship, those that the model has no room for are left out.
    """
    check_installed()
    subject = subject_of(bundle)
    listed = cases(subject.bundle.manifest, requests, pictures, count)
    reference = Reference(subject, listed, layers=False, sampled=False)
    if requests is None:
        reference.leave_out_long_ones(progress)
    return reference


def settle(reference: Reference, found: Verdict, *, accept_loss: bool = False, fallbacks: str = "") -> Quality:
    """Return a bundle's quality record; raise `QualityError` if it failed and that is not accepted.

    `fallbacks` names the modules that are in their fallback precision already.
    """
    if not found.passed and not accept_loss:
        already = f" (even with {fallbacks})" if fallbacks else ""
        raise QualityError(
            f"the bundle is below the limits of {found.precision} and was not kept: "
            f"{'; '.join(found.reasons)}{already}. Give modules a higher precision with `overrides`, or accept the "
            "loss with `accept_loss=True`."
        )
    return record(reference, found)


def record(reference: Reference, found: Verdict) -> Quality:
    """Return a verdict as a manifest records it."""
    return Quality(
        reference=reference.bundle.digest,
        requests=len(reference.cases),
        data=digest(reference.cases),
        limits=found.precision,
        passed=found.passed,
        figures=found.figures,
        reasons=found.reasons,
    )
