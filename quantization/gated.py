"""Quantising with an eye on what it does: the gate, and what keeps its precision for limits or a budget to hold.

Joins the quantiser and the calibration folder's judge, which knows nothing of it. Needs the toolchain.
"""

import glob
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgevlo.calibration.evaluation.budget import Attempt, Budget, Kept, keep_most_sensitive, parse_budget
from edgevlo.calibration.evaluation.gate import QualityError, Verdict, judge, reference_of, settle
from edgevlo.calibration.moments import second_moments
from edgevlo.runtime.arrays import Floats, Progress
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import Manifest, Quality

from . import Override, Static, check_request, choice_of, layers, open_emulated, quantize
from .fallback import MorePreciseError, Raised
from .recipes import BY_READING, Blocks, Choice


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
    raised: dict[GraphRole, str] = field(default_factory=dict)  # what modules are now, in words


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
    capacity: int | None = None,
    care: Care,
    progress: Progress | None = None,
    **more: Any,
) -> Made:
    """Quantise a portable bundle, judge the result before it exists, and return what was made.

    `more` goes to `quantize` as it is. Graphs for GPUs are judged as a CPU computes them (`emulation.py`). An image
    decoder or vision encoder below its limits is made more precise, unless `overrides` say what it is to be, or other
    limits are missed as well and that is not accepted.

    Raises what `quantize` raises, and `QualityError` when the result is below its limits and that is not accepted,
    or when no choice of layers holds the budget; nothing is left then.
    """
    choice = choice_of(target, weights, method, block_size, overrides)
    names = check_request(bundle, output, target, choice, capacity=capacity, static=static)
    parts = layers(names, choice)
    budget = None if care.budget is None else parse_budget(care.budget)
    if budget is not None:
        _check_budget(care, parts, weights, static)
    options = dict(more, target=target, weights=weights, method=method, block_size=block_size, capacity=capacity)
    if any(one.method in BY_READING for one in choice.blocks):
        options["moments"] = _moments(bundle, names, choice, progress)

    def build(folder: Path, raised: Raised, kept: Collection[str] = (), **rest: Any) -> Manifest:
        whole = (Override(glob.escape(name), None) for part in sorted(kept) for name in sorted(parts[part]))
        every: tuple[str | Override, ...] = (*overrides, *whole, *raised.whole)
        return quantize(bundle, folder, overrides=every, static=raised.static, **options, **rest)

    asked = Raised(target, choice, static, names)
    if not care.requests:
        return Made(manifest=build(output, asked, progress=progress))
    reference = reference_of(bundle, requests=care.prompts, count=care.requests, open_graph=open_emulated)

    def judged(candidate: Path, raised: Raised, like: Verdict | None, progress: Progress | None = None) -> Verdict:
        try:
            found = judge(reference, candidate, like=like, progress=progress)
        except RequestError as error:
            raise _too_small(error, capacity) from error
        raised.check(found, certainly=care.accept_loss)
        return found

    def made(raised: Raised) -> Made:
        def attempt(modules: frozenset[str], folder: Path, like: Verdict | None) -> Verdict:
            build(folder, raised, modules)
            return judged(folder, raised, like)

        kept = None if budget is None else _kept(parts, attempt, budget, output, care, raised, progress)
        like, modules = (None, ()) if kept is None else (kept.verdict, kept.modules)

        def gate(candidate: Path) -> Quality:
            found = judged(candidate, raised, like, progress)
            return settle(reference, found, accept_loss=care.accept_loss, more_precise=raised.in_words)

        manifest = build(output, raised, modules, gate=gate, progress=progress)
        return Made(manifest=manifest, kept=kept, raised=raised.now)

    wanted = asked
    while True:
        try:
            return made(wanted)
        except MorePreciseError as error:
            wanted = error.raised


def _too_small(error: RequestError, capacity: int | None) -> RequestError:
    """Return what to say where a request, which the reference could carry out, does not fit into a fixed KV cache."""
    if capacity is None:
        return error
    return RequestError(
        f"--capacity {capacity} is too small for the requests at which the quality is measured ({_first(error)}). Make "
        "it larger, give shorter ones with --prompts, or leave it unmeasured: --quality-requests 0."
    )


def _first(error: RequestError) -> str:
    return str(error).split(". ", 1)[0].rstrip(".")


def _check_budget(care: Care, parts: Mapping[str, frozenset[str]], weights: str, static: Static | None) -> None:
    if not care.requests:
        raise RequestError("--budget needs the quality measured, so not --quality-requests 0.")
    if not parts:
        raise RequestError(f"--budget has nothing to choose from: {weights} quantises nothing here.")
    if static is not None and static.activations is not None:
        raise RequestError("--budget chooses layers by their weights; with --activations use --least-db.")


def _moments(
    bundle: Path, names: Mapping[GraphRole, tuple[str, ...]], choice: Choice, progress: Progress | None
) -> dict[str, Floats]:
    """Return what GPTQ and AWQ go by; raise `RequestError` for a product that is never used."""
    squares = all(one.method != "gptq" for one in choice.blocks)
    moments = second_moments(bundle, squares=squares, progress=progress)
    for role, members in names.items():
        for name in members:
            weights = choice.of(role, name)
            if isinstance(weights, Blocks) and name not in moments:
                raise RequestError(
                    f"{weights.method} saw nothing of what {name} of {role} reads: no request uses it. Leave it out, "
                    f"as --module '{role}=fp32', or choose another method."
                )
    return moments


def _kept(
    parts: Mapping[str, frozenset[str]],
    attempt: Attempt,
    budget: Budget,
    output: Path,
    care: Care,
    raised: Raised,
    progress: Progress | None,
) -> Kept:
    """Return what must keep its precision; bundles are tried out in hidden folders beside the output."""
    scratch = output.absolute().parent
    try:
        return keep_most_sensitive(
            parts, attempt, budget, accept_loss=care.accept_loss, scratch=scratch, progress=progress
        )
    except QualityError as error:
        if not raised.now or budget.bytes is None:
            raise  # what codes are drawn does not depend on it
        also = " ".join(f"--module {module}=fp16" for module in raised.now)
        raise QualityError(
            f"{error} For its limits {raised.in_words}: {also} --accept-quality-loss does without."
        ) from error
