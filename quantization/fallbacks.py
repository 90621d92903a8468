"""What a candidate bundle is made of, and the next plan where an image decoder or vision encoder fails its limits.

A failing module first goes without quantised activations, then, on a GPU, to float32; never where the request names it.
"""

import dataclasses
import glob
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from edgevlo.calibration.evaluation.gate import Verdict
from edgevlo.calibration.evaluation.limits import FIGURES
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import Target

from .precision_recipes import FLOAT32
from .requested_precisions import Choice, Override
from .static_quantization import ROLES, Static

Names: TypeAlias = Mapping[GraphRole, tuple[str, ...]]  # of each module's linear layers

FALLBACK_ROLES: Final[tuple[GraphRole, ...]] = ("image_decoder", "vision_encoder")
_DERIVED: Final = "picture_"  # figures that follow from the decoder's and the codes'


@dataclass(frozen=True, slots=True)
class Fallback:
    """A module in its fallback precision, and the figures that the requested one failed by."""

    precision: str  # as part of a sentence: "in fp32"
    reason: str

    def note(self, module: str) -> str:
        """Return this as a sentence."""
        return f"{module} was kept {self.precision} because {self.reason}"


@dataclass(frozen=True, slots=True)
class Finer:
    """The plan to go on with where one misses its limits by more than a fallback would mend, and what it gives up."""

    plan: "PrecisionPlan"
    precision: str  # of the backbone in it, as part of a sentence: "in blocks of 32"
    instead_of: str  # "blocks of 128"


@dataclass(frozen=True, slots=True)
class PrecisionPlan:
    """The precision of every module and layer, quantised activations, and modules in their fallback precision.

    With `int8_cache` the KV cache is quantised by ranges that the finished bundle fills itself.
    """

    target: Target
    choice: Choice
    static: Static | None
    names: Names
    fallbacks: Mapping[GraphRole, Fallback] = field(default_factory=dict)
    int8_cache: bool = False
    finer: Finer | None = None

    @property
    def in_words(self) -> str:
        """The modules in fallback precision, as part of a sentence; empty where there are none."""
        return " and ".join(f"{module} {one.precision}" for module, one in self.fallbacks.items())

    def keeping(self, layers: Collection[str]) -> "PrecisionPlan":
        """Return the plan with these linear layers not quantised."""
        kept = (Override(glob.escape(name), self.choice.default) for name in layers)
        return dataclasses.replace(self, choice=self.choice.overridden(*kept))

    def with_fallback(self, verdict: Verdict, *, regardless: bool) -> "PrecisionPlan | None":
        """Return the plan after one whose verdict missed limits: with one more module in fallback precision.

        Where several modules move a limit that is missed, it is the plan's `finer` one. None if no module has a
        fallback left or, unless `regardless`, if a limit is missed that no fallback would meet.
        """
        failing = {name: FIGURES[name].module for name in verdict.missed if not name.startswith(_DERIVED)}
        if None in failing.values() and self.finer is not None:
            return self._on(self.finer, verdict, [name for name, module in failing.items() if module is None])
        if None in failing.values() and not regardless:
            return None
        for module in failing.values():
            if module in FALLBACK_ROLES and not self._named(module):
                figures = [name for name, moved_by in failing.items() if moved_by == module]
                plan = self._finer(module, verdict, figures)
                if plan is not None:
                    return plan
        return None

    def _on(self, finer: Finer, verdict: Verdict, figures: Collection[str]) -> "PrecisionPlan":
        before, failed = self.fallbacks.get("backbone"), figures_in_words(figures, verdict)
        fallback = Fallback(finer.precision, f"{finer.instead_of} failed the quality check ({failed})")
        if before is not None:
            reason = f"{before.reason} and {fallback.reason}"
            fallback = Fallback(f"{before.precision} and {fallback.precision}", reason)
        return dataclasses.replace(finer.plan, fallbacks={**self.fallbacks, "backbone": fallback})

    def _named(self, module: GraphRole) -> bool:
        """Whether the request itself says what precision a module has."""
        return any(one.fits(name) for one in self.choice.overrides for name in (module, *self.names[module]))

    def _finer(self, module: GraphRole, verdict: Verdict, figures: Collection[str]) -> "PrecisionPlan | None":
        static = self.static
        failed = figures_in_words(figures, verdict)
        if static is not None and static.activations is not None and module in static.among(ROLES[self.target]):
            reason = f"{static.activations} activations failed the quality check ({failed})"
            kept = dataclasses.replace(static, keep=(*static.keep, module))
            fallbacks = {**self.fallbacks, module: Fallback("without quantised activations", reason)}
            return dataclasses.replace(self, static=kept, fallbacks=fallbacks)
        if self.target == "cpu":
            return None
        reason = f"fp16 failed the quality check ({failed})"
        choice = self.choice.overridden(Override(module, FLOAT32))
        fallbacks = {**self.fallbacks, module: Fallback("in fp32", reason)}
        return dataclasses.replace(self, choice=choice, fallbacks=fallbacks)


def figures_in_words(names: Collection[str], verdict: Verdict) -> str:
    """Return figures and their limits, as in "CIEDE2000 median 19.2, limit 2"."""
    return "; ".join(f"{_unit(name)} {verdict.figures[name]:.3g}, limit {verdict.limits[name]:.3g}" for name in names)


def _unit(name: str) -> str:
    """Return a figure's unit, and which of its two quantiles a colour difference is."""
    figure = FIGURES[name]
    return f"{figure.unit} {figure.text.rpartition(', ')[2]}" if figure.unit == "CIEDE2000" else figure.unit
