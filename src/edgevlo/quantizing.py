"""Quantising with an eye on what it does: the gate, and what keeps its precision for limits or a budget to hold.

Joins the quantiser and the calibration folder's judge, which know nothing of each other. Needs the toolchain.
"""

import dataclasses
import glob
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from edgevlo.calibration.gate import Gate, QualityError, Verdict, reference_of
from edgevlo.calibration.limits import FIGURES, LIMITS
from edgevlo.calibration.moments import Floats, second_moments
from edgevlo.calibration.quality import Reference
from edgevlo.calibration.sensitivity import Budget, Kept, keep_most_sensitive, parse_budget
from edgevlo.progress import Progress
from edgevlo.quantization import (
    Override,
    Static,
    check_request,
    choice_of,
    coarsest,
    layers,
    open_emulated,
    override,
    quantize,
)
from edgevlo.quantization.calibrated import ROLES
from edgevlo.quantization.recipes import Blocks, Choice
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest import Manifest
from edgevlo.runtime.manifest_graphs import GraphRole

Quantize: TypeAlias = Callable[..., Manifest]  # `quantize` with all that was asked but what is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """How closely to look: at how many requests (0: not at all) of which file, and what must hold."""

    requests: int = 12
    prompts: Path | None = None
    accept_loss: bool = False
    budget: str | None = None  # as `sensitivity.parse_budget` reads it


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was written, and what is more precise in it than was asked for: by a budget, or for the limits to hold."""

    manifest: Manifest
    kept: Kept | None = None
    raised: dict[GraphRole, str] = field(default_factory=dict)  # modules, and in words what they are now


def quantize_with_care(
    bundle: Path,
    output: Path,
    *,
    target: str = "cpu",
    weights: str = "int8",
    method: str | None = None,
    block_size: int | None = None,
    overrides: tuple[str, ...] = (),
    static: Static | None = None,
    care: Care,
    progress: Progress | None = None,
    **more: Any,
) -> Made:
    """Quantise a portable bundle, judge the result before it exists, and return what was made.

    `more` goes to `quantize` as it is. Graphs for GPUs are judged as a CPU computes them (`emulation.py`). An image
    decoder or vision encoder that alone is below its limits is made more precise, unless `overrides` say what it is to
    be. Raises what `quantize` raises, and `QualityError` when the result is below its limits and that is not accepted,
    or when no choice of layers holds the budget; nothing is left then.
    """
    choice = choice_of(target, weights, method, block_size, overrides)
    names = check_request(bundle, output, target, choice, capacity=more.get("capacity"), static=static)
    parts = layers(names, choice)
    if care.budget is not None:
        _check_budget(care, parts, weights, static)
    budget = None if care.budget is None else parse_budget(care.budget)
    options = dict(more, target=target, weights=weights, method=method, block_size=block_size)
    if any(one.method == "gptq" for one in choice.blocks):
        options["moments"] = _moments(bundle, names, choice, progress)

    def build(folder: Path, whole: tuple[Override, ...] = (), **rest: Any) -> Manifest:
        return quantize(bundle, folder, overrides=(*overrides, *whole), **dict(options, static=static) | rest)

    if not care.requests:
        return Made(manifest=build(output, progress=progress))
    reference = reference_of(bundle, requests=care.prompts, count=care.requests, open_graph=open_emulated)
    gate = Gate(reference, accept_loss=care.accept_loss, progress=progress)
    kept, whole = None, tuple[Override, ...]()
    if budget is not None:
        kept = _kept(build, parts, output, budget, LIMITS[coarsest(names, choice)], reference, progress)
        whole = _whole(parts, kept.modules)
    raised = _Raised(target, choice, static)
    while True:
        try:
            made = build(output, (*whole, *raised.whole), static=raised.static, gate=gate, progress=progress)
        except QualityError as error:
            higher = raised.for_limits(error.verdict)
            if higher is None:
                raise
            raised = higher
        else:
            return Made(manifest=made, kept=kept, raised=raised.words)


def _check_budget(care: Care, parts: Mapping[str, frozenset[str]], weights: str, static: Static | None) -> None:
    if not care.requests:
        raise RequestError("--budget needs the quality measured, so not --quality-requests 0.")
    if not parts:
        raise RequestError(f"--budget has nothing to choose from: {weights} quantises nothing here.")
    if static is not None and static.activations is not None:
        raise RequestError("--budget chooses layers by their weights; with --activations use --least-db.")


@dataclass(frozen=True, slots=True)
class _Raised:
    """Modules that are more precise than was asked for; what was asked for is where it begins."""

    target: str
    choice: Choice
    static: Static | None
    whole: tuple[Override, ...] = ()
    words: dict[GraphRole, str] = field(default_factory=dict)

    def for_limits(self, verdict: Verdict | None) -> "_Raised | None":
        """Return the next more precise choice for a module that missed its limits; None where there is none."""
        for name in () if verdict is None else verdict.missed:
            module = FIGURES[name].module
            if module is not None and (higher := self._higher(module)) is not None:
                return higher
        return None

    def _higher(self, module: GraphRole) -> "_Raised | None":
        if any(one.fits(module) for one in (*self.choice.overrides, *self.whole)):
            return None  # as it was asked for, or as precise as it can be
        static = self.static
        if static is not None and module in _quantised(static, self.target):
            kept = dataclasses.replace(static, keep=(*static.keep, module))
            return dataclasses.replace(self, static=kept, words=self.words | {module: "not quantised"})
        if self.target == "cpu":
            return None
        whole = (*self.whole, override(f"{module}=fp32", self.target))
        return dataclasses.replace(self, whole=whole, words=self.words | {module: "fp32"})


def _quantised(static: Static, target: str) -> set[GraphRole]:
    """Return the modules whose activations are quantised and that are not kept by name."""
    return set() if static.activations is None else set(ROLES[target]) - set(static.keep)


def _moments(
    bundle: Path, names: Mapping[GraphRole, tuple[str, ...]], choice: Choice, progress: Progress | None
) -> dict[str, Floats]:
    """Return what GPTQ corrects by; raise `RequestError` for a product that is never used."""
    moments = second_moments(bundle, progress=progress)
    for role, members in names.items():
        for name in members:
            if isinstance(choice.of(role, name), Blocks) and name not in moments:
                raise RequestError(
                    f"gptq saw nothing of what {name} of {role} reads: no request uses it. Leave it out, as "
                    f"--module '{role}=fp32', or choose another method."
                )
    return moments


def _kept(
    build: Quantize,
    parts: dict[str, frozenset[str]],
    output: Path,
    budget: Budget,
    limits: Mapping[str, float],
    reference: Reference,
    progress: Progress | None,
) -> Kept:
    """Return what must keep its precision; bundles are tried out in hidden folders beside the output."""

    def trial(modules: frozenset[str], folder: Path) -> Manifest:
        return build(folder, _whole(parts, modules))

    scratch = output.absolute().parent
    return keep_most_sensitive(reference, parts, trial, budget, limits, scratch=scratch, progress=progress)


def _whole(parts: dict[str, frozenset[str]], kept: frozenset[str]) -> tuple[Override, ...]:
    """Return the overrides that leave layers as they are."""
    return tuple(Override(glob.escape(name), None) for part in sorted(kept) for name in sorted(parts[part]))
