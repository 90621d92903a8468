"""Which modules suffer most from being quantised, and how many of them must keep their precision for a budget to hold.

Knows modules by their names only: whoever quantises gives a function that builds the bundle with some of them kept, and
judges it as it will be judged in the end. Damage has one scale for all modules: the share of a limit of `limits.py`
that is used up, of the limit used up most.
"""

import re
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest import read_manifest

from .gate import QualityError, Verdict
from .limits import FIGURES
from .quality import Progress

# Writes a bundle into a folder that does not exist yet, every module quantised but the kept ones, and judges it.
Attempt: TypeAlias = Callable[[frozenset[str], Path], Verdict]
Tried: TypeAlias = tuple[Verdict, int]  # and how many bytes the bundle has

_UNITS: Final = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_BYTES: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMG]?B)$", re.IGNORECASE)
_SHARE: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*%$")
_NATS: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*nats?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent; exactly one is given.

    `disagreement` is the share of codes that may differ, of those that the reference is sure of; `divergence` that of
    the next code from the reference's, mean, in nats, which falls more smoothly with what is kept.
    """

    disagreement: float | None = None
    divergence: float | None = None
    bytes: int | None = None

    def holds(self, found: Verdict) -> bool:
        """Whether a bundle passes its limits and spends no more than this of its codes."""
        differ = 1 - found.figures.get("decided_agreement", 1.0)
        away = found.figures.get("kl_mean", 0.0)
        spent = (
            (self.disagreement is not None and differ > self.disagreement + 1e-9)
            or (self.divergence is not None and away > self.divergence)
        )  # fmt: skip
        return found.passed and not spent


def parse_budget(text: str) -> Budget:
    """Read `1.5%`, of codes that may differ, `0.01nats` or `900MB`; raise `RequestError` for anything else."""
    if (match := _SHARE.match(text.strip())) and float(match[1]) <= 100:
        return Budget(disagreement=float(match[1]) / 100)
    if match := _NATS.match(text.strip()):
        return Budget(divergence=float(match[1]))
    if match := _BYTES.match(text.strip()):
        return Budget(bytes=round(float(match[1]) * _UNITS[match[2].upper() if len(match[2]) == 2 else ""]))
    raise RequestError(
        f"budget {text!r} is neither a share of codes that may differ, like 1%, nor a divergence, like 0.01nats, "
        "nor bytes, like 900MB."
    )


@dataclass(frozen=True, slots=True)
class Damage:
    """What quantising one module alone does: the share of a limit that it uses up, and the verdict on it."""

    module: str
    used: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The modules that keep their precision, what comes of it, and all modules by damage, the worst first.

    The ranking is empty where none had to be kept.
    """

    modules: frozenset[str]
    verdict: Verdict
    bytes: int
    ranking: tuple[Damage, ...]


def rank(
    modules: Collection[str],
    attempt: Attempt,
    limits: Mapping[str, float],
    *,
    scratch: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Damage, ...]:
    """Quantise one module at a time and return them by the damage that does, the worst first.

    `limits` are one scale for all, whatever each is judged by. Bundles are built in `scratch`, or where the system
    keeps temporary files, and removed again.
    """
    tell, found = progress or (lambda _what, _done, _all: None), list[Damage]()
    for done, module in enumerate(sorted(modules)):
        tell(f"{module} alone", done, len(modules))
        alone, _ = _tried(attempt, frozenset(modules) - {module}, scratch)
        found.append(Damage(module, used(alone.figures, limits), alone))
    return tuple(sorted(found, key=lambda damage: -damage.used))


def keep_most_sensitive(
    modules: Collection[str],
    attempt: Attempt,
    budget: Budget,
    *,
    scratch: Path | None = None,
    progress: Progress | None = None,
) -> Kept:
    """Return which modules are to keep their precision: as few as a budget of codes needs, as many as bytes allow.

    Damage is measured by the limits of the bundle with nothing kept. Raises `QualityError` when no choice holds the
    budget.
    """
    tell = progress or (lambda _what, _done, _all: None)
    tell(f"nothing of {len(modules)} kept", 0, 1)
    nothing = _tried(attempt, frozenset(), scratch)
    if budget.bytes is None and budget.holds(nothing[0]):
        return Kept(modules=frozenset(), verdict=nothing[0], bytes=nothing[1], ranking=())
    ranking = rank(modules, attempt, nothing[0].limits, scratch=scratch, progress=progress)
    order = [damage.module for damage in ranking]

    def tried(count: int) -> Tried:
        tell(f"the worst {count} of {len(order)} kept", 0, 1)
        return _tried(attempt, frozenset(order[:count]), scratch)

    if budget.bytes is None:
        count, (found, size) = _fewest(tried, len(order), budget)
    else:
        count, (found, size) = _most(nothing, tried, len(order), budget.bytes)
    return Kept(modules=frozenset(order[:count]), verdict=found, bytes=size, ranking=ranking)


def _fewest(tried: Callable[[int], Tried], most: int, budget: Budget) -> tuple[int, Tried]:
    """Return the least number of kept modules, not none, with which a budget of codes holds, and what comes of it.

    Found by halving, which takes for granted that keeping more does no harm.
    """
    results = {most: tried(most)}
    if not budget.holds(results[most][0]):
        raise QualityError(f"the budget cannot be held, even with all kept: {_spent(results[most][0])}.")
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        results[middle] = tried(middle)
        low, high = (low, middle) if budget.holds(results[middle][0]) else (middle, high)
    return high, results[high]


def _spent(found: Verdict) -> str:
    differ, away = 100 * (1 - found.figures.get("decided_agreement", 1.0)), found.figures.get("kl_mean", 0.0)
    return "; ".join((f"{differ:.2f} % of codes differ and the divergence is {away:.2g} nats", *found.reasons))


def _most(nothing: Tried, tried: Callable[[int], Tried], most: int, allowed: int) -> tuple[int, Tried]:
    """Return the greatest number of kept modules with which a bundle has so few bytes, and what comes of it."""
    results = {0: nothing}
    if nothing[1] > allowed:
        raise QualityError(f"the budget cannot be held: with nothing kept the bundle has {nothing[1]} bytes.")
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        results[middle] = tried(middle)
        low, high = (middle, high) if results[middle][1] <= allowed else (low, middle)
    return low, results[low]


def _tried(attempt: Attempt, kept: frozenset[str], scratch: Path | None) -> Tried:
    """Build, judge and remove a bundle; return the verdict and its size in bytes."""
    with tempfile.TemporaryDirectory(prefix=".edgevlo-", dir=scratch) as folder:
        bundle = Path(folder) / "bundle"
        found = attempt(kept, bundle)
        return found, sum(file.bytes for file in read_manifest(bundle).files.values())


def used(figures: Mapping[str, float], limits: Mapping[str, float]) -> float:
    """Return the greatest share of a limit that figures use up: 1 is at the limit, 0 is no difference.

    Of figures of which more is better, shares and similarities count by what they lack of 1; decibels do not count.
    """
    shares = [0.0]
    for name, bound in limits.items():
        figure = FIGURES[name]
        if name not in figures or figure.unit == "dB":
            continue
        best = 0.0 if figure.better == "less" else 1.0
        shares.append(abs(figures[name] - best) / max(abs(bound - best), 1e-12))
    return max(shares)
