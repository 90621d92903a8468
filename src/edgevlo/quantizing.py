"""Quantising with an eye on what it does: the gate, and what keeps its precision for a budget to hold.

Joins the quantiser and the calibration folder's judge, which know nothing of each other. Needs the toolchain.
"""

import glob
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from edgevlo.calibration.gate import Gate, reference_of
from edgevlo.calibration.limits import LIMITS
from edgevlo.calibration.moments import Floats, second_moments
from edgevlo.calibration.quality import Reference
from edgevlo.calibration.sensitivity import Budget, Kept, keep_most_sensitive, parse_budget
from edgevlo.progress import Progress
from edgevlo.quantization import Override, check_request, choice_of, coarsest, layers, quantize
from edgevlo.quantization.recipes import Blocks, Choice
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest import Manifest
from edgevlo.runtime.manifest_graphs import GraphRole

Quantize: TypeAlias = Callable[..., Manifest]  # `quantize` with all that was asked but the overrides of a budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """How closely to look: at how many requests (0: not at all) of which file, and what must hold."""

    requests: int = 12
    prompts: Path | None = None
    accept_loss: bool = False
    budget: str | None = None  # as `sensitivity.parse_budget` reads it


def quantize_with_care(
    bundle: Path,
    output: Path,
    *,
    target: str = "cpu",
    weights: str = "int8",
    method: str | None = None,
    block_size: int | None = None,
    overrides: tuple[str, ...] = (),
    care: Care,
    progress: Progress | None = None,
    **more: Any,
) -> tuple[Manifest, Kept | None]:
    """Quantise a portable bundle, judge the result before it exists, and return its manifest.

    `more` goes to `quantize` as it is. Bundles for other targets than `cpu` are not judged: they run on their devices
    alone. With a budget the second result tells what kept its precision. Raises what `quantize` raises, and
    `QualityError` when the result is below its limits and that is not accepted, or when no choice of layers holds the
    budget; nothing is left then.
    """
    choice = choice_of(target, weights, method, block_size, overrides)
    static, capacity = more.get("static"), more.get("capacity")
    names = check_request(bundle, output, target, choice, capacity=capacity, static=static)
    judged = care.requests > 0 and target == "cpu"
    parts = layers(names, choice)
    if care.budget is not None:
        if not judged:
            raise RequestError("--budget needs the quality measured: for target cpu, and without --quality-requests 0.")
        if not parts:
            raise RequestError(f"--budget has nothing to choose from: {weights} quantises nothing here.")
        if static is not None and static.activations is not None:
            raise RequestError("--budget chooses layers by their weights; with --activations use --least-db.")
    budget = None if care.budget is None else parse_budget(care.budget)
    options = dict(more, target=target, weights=weights, method=method, block_size=block_size)
    if any(one.method == "gptq" for one in choice.blocks):
        options["moments"] = _moments(bundle, names, choice, progress)

    def build(folder: Path, whole: tuple[Override, ...] = (), **rest: Any) -> Manifest:
        return quantize(bundle, folder, overrides=(*overrides, *whole), **options, **rest)

    if not judged:
        return build(output, progress=progress), None
    reference = reference_of(bundle, requests=care.prompts, count=care.requests)
    gate = Gate(reference, accept_loss=care.accept_loss, progress=progress)
    if budget is None:
        return build(output, gate=gate, progress=progress), None
    kept = _kept(build, parts, output, budget, LIMITS[coarsest(names, choice)], reference, progress)
    return build(output, _whole(parts, kept.modules), gate=gate, progress=progress), kept


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
