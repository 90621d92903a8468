"""Sensitivity: which layers quantisation harms most, and how many must stay unquantised to meet a budget.

Knows layers by their names only: the caller gives a function that builds the bundle with some of them unquantised and
judges it as the final one will be judged. Damage is measured on one scale for all layers: the share of a limit in
`limits.py` that is used up, of the limit used up most.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.files import scratch_folder
from edgevlo.runtime.manifest.schema import read_manifest

from .gate import QualityError, Verdict
from .limits import FIGURES

Tried: TypeAlias = tuple[Verdict, int]  # and how many bytes the bundle has


class Attempt(Protocol):
    """Writes a bundle into a folder that does not exist yet, every layer quantised but the kept ones, and judges it.

    By the limits of `like`, if that is given, and by its own otherwise. Its errors end the search.
    """

    def __call__(self, kept: frozenset[str], folder: Path, like: Verdict | None, /) -> Verdict:
        """Return the verdict."""


_UNITS: Final = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_BYTES: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMG]?B)$", re.IGNORECASE)
_SHARE: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*%$")
_NATS: Final = re.compile(r"^(\d+(?:\.\d+)?(?:e-?\d+)?)\s*nats?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be lost; exactly one is given.

    `disagreement` is the share of codes that may differ, of those that the reference is sure of; `divergence` is the
    mean divergence of the next code in nats, which falls more smoothly as more is kept.
    """

    disagreement: float | None = None
    divergence: float | None = None
    bytes: int | None = None

    def holds(self, found: Verdict) -> bool:
        """Whether a bundle loses no more than this of its codes."""
        differ = 1 - found.figures.get("decided_agreement", 1.0)
        away = found.figures.get("kl_mean", 0.0)
        return (self.disagreement is None or differ <= self.disagreement + 1e-9) and (
            self.divergence is None or away <= self.divergence
        )


def parse_budget(text: str) -> Budget:
    """Read `1.5%`, of codes that may differ, `0.01nats` or `900MB`; raise `RequestError` for anything else."""
    if (match := _SHARE.match(text.strip())) and float(match[1]) <= 100:
        return Budget(disagreement=float(match[1]) / 100)
    if match := _NATS.match(text.strip()):
        return Budget(divergence=float(match[1]))
    if match := _BYTES.match(text.strip()):
        return Budget(bytes=round(float(match[1]) * _UNITS[match[2].upper() if len(match[2]) == 2 else ""]))
    raise RequestError(
        f"`budget={text!r}` is not a share of codes that may differ (1%), a divergence (0.01nats) or a size (900MB)."
    )


@dataclass(frozen=True, slots=True)
class Damage:
    """The harm of quantising one layer alone: the share of a limit that it uses up, the verdict and the bytes."""

    module: str
    used: float
    verdict: Verdict
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The layers that stay unquantised, the verdict on the bundle, and all layers by damage, the worst first.

    The ranking is empty if none had to be kept, or all could be.
    """

    modules: frozenset[str]
    verdict: Verdict
    bytes: int
    ranking: tuple[Damage, ...] = ()


def rank(
    modules: Collection[str],
    attempt: Attempt,
    nothing: Verdict,
    *,
    scratch: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Damage, ...]:
    """Quantise one layer at a time and return them by damage, the worst first.

    All are judged by the limits of `nothing`, the verdict on the bundle with nothing kept. Bundles are built in
    `scratch`, by default among the system's temporary files, and removed again.
    """
    tell, found = progress or (lambda _what, _done, _all: None), list[Damage]()
    for done, module in enumerate(sorted(modules)):
        tell(f"{module} alone", done, len(modules))
        alone, size = _tried(attempt, frozenset(modules) - {module}, nothing, scratch)
        found.append(Damage(module, used(alone.figures, nothing.limits), alone, size))
    return tuple(sorted(found, key=lambda damage: -damage.used))


def keep_most_sensitive(
    modules: Collection[str],
    attempt: Attempt,
    budget: Budget,
    *,
    quantised: Tried | None = None,
    accept_loss: bool = False,
    scratch: Path | None = None,
    progress: Progress | None = None,
) -> Kept:
    """Return which layers stay unquantised: as few as a budget of codes needs, as many as a budget of bytes allows.

    `quantised` is the trial with nothing kept, if there was one. All are judged by its limits, those of the requested
    bundle; with `accept_loss` a budget of codes may miss them. Raises `QualityError` if nothing meets the budget.
    """
    search = _Search(modules, attempt, quantised, scratch, progress)
    if budget.bytes is None:
        return search.kept(_fewest(search, budget, accept_loss))
    return search.kept(_most(search, budget.bytes, accept_loss))


class _Search:
    """The bundles that were tried, by how many layers they keep, the worst first. Ranks layers only if it must."""

    def __init__(
        self,
        modules: Collection[str],
        attempt: Attempt,
        quantised: Tried | None,
        scratch: Path | None,
        progress: Progress | None,
    ) -> None:
        self._attempt, self._scratch, self._progress = attempt, scratch, progress
        self._modules, self._ranking = tuple(modules), tuple[Damage, ...]()
        self._tried = {0: quantised or _tried(attempt, frozenset(), None, scratch)}

    def __len__(self) -> int:
        return len(self._modules)

    def at(self, count: int) -> Tried:
        """Return the trial that keeps so many."""
        worst = self._worst(count)
        if count not in self._tried:
            if self._progress is not None:
                self._progress(f"the worst {count} of {len(self)} kept", 0, 1)
            nothing, _ = self._tried[0]
            self._tried[count] = _tried(self._attempt, worst, nothing, self._scratch)
        return self._tried[count]

    def kept(self, count: int) -> Kept:
        found, size = self.at(count)
        return Kept(modules=self._worst(count), verdict=found, bytes=size, ranking=self._ranking)

    def _worst(self, count: int) -> frozenset[str]:
        if count in (0, len(self)):
            return frozenset(self._modules[:count])
        if not self._ranking:
            nothing, _ = self._tried[0]
            self._ranking = rank(self._modules, self._attempt, nothing, scratch=self._scratch, progress=self._progress)
            least = self._ranking[-1]
            self._tried[len(self) - 1] = (least.verdict, least.bytes)  # all but this one kept: tried already
        return frozenset(damage.module for damage in self._ranking[:count])


# Both are binary searches: they assume that keeping more does no harm.


def _fewest(search: _Search, budget: Budget, accept_loss: bool) -> int:
    """Return the least number of kept layers that meets a budget of codes."""

    def holds(count: int) -> bool:
        found, _ = search.at(count)
        return budget.holds(found) and (found.passed or accept_loss)

    if holds(0):
        return 0
    if not holds(len(search)):
        found, _ = search.at(len(search))
        remedy = "Accept the loss with `accept_loss=True`" if budget.holds(found) else "Give a larger one"
        raise QualityError(f"the budget cannot be met, even with no layer quantised: {_spent(found)}. {remedy}.")
    return 1 + bisect_left(range(1, len(search)), True, key=holds)


def _most(search: _Search, allowed: int, accept_loss: bool) -> int:
    """Return the greatest number of kept layers that fits into so many bytes."""

    def too_large(count: int) -> bool:
        _, size = search.at(count)
        return size > allowed

    def check(count: int, remedy: str) -> None:
        found, size = search.at(count)
        if not (found.passed or accept_loss):
            raise QualityError(
                f"with {count} of {len(search)} layers unquantised, {size} bytes, the bundle is below the limits of "
                f"{found.precision}: {'; '.join(found.reasons)}. {remedy}."
            )

    if too_large(0):
        _, size = search.at(0)
        raise QualityError(
            f"the budget cannot be met: with every layer quantised the bundle has {size} bytes. Allow at least as many."
        )
    check(len(search), "Accept the loss with `accept_loss=True`")
    if not too_large(len(search)):
        return len(search)
    count = bisect_left(range(1, len(search)), True, key=too_large)
    check(count, "Allow more bytes")
    return count


def _spent(found: Verdict) -> str:
    differ, away = 100 * (1 - found.figures.get("decided_agreement", 1.0)), found.figures.get("kl_mean", 0.0)
    return "; ".join((f"{differ:.2f} % of codes differ and the divergence is {away:.3g} nats", *found.reasons))


def _tried(attempt: Attempt, kept: frozenset[str], like: Verdict | None, scratch: Path | None) -> Tried:
    """Build, judge and remove a bundle; return the verdict and its size in bytes."""
    with scratch_folder(scratch, "trial") as folder:
        found = attempt(kept, folder / "bundle", like)
        return found, sum(file.bytes for file in read_manifest(folder / "bundle").files.values())


def used(figures: Mapping[str, float], limits: Mapping[str, float]) -> float:
    """Return the greatest share of a limit that figures use up: 1 is at the limit, 0 is no difference.

    Shares and similarities, of which more is better, count by their distance from 1; decibels do not count.
    """
    shares = [0.0]
    for name, bound in limits.items():
        figure = FIGURES[name]
        if name not in figures or figure.unit == "dB":
            continue
        best = 0.0 if figure.better == "less" else 1.0
        share = abs(figures[name] - best) / max(abs(bound - best), 1e-12)
        shares.append(math.inf if math.isnan(share) else share)
    return max(shares)
