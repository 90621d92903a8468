"""`edgevlo quantize`: write a candidate, judge it against the portable bundle, and publish it or go on.

The command line and Python come in here, with the same defaults and the same quality check.
"""

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgevlo.calibration.evaluation.gate import COUNT, QualityError, Verdict, judge, reference_of, settle
from edgevlo.calibration.evaluation.reference import Reference
from edgevlo.calibration.evaluation.sensitivity import Budget, Kept, Tried, keep_most_sensitive, parse_budget
from edgevlo.calibration.moments import second_moments
from edgevlo.runtime.arguments import as_names, as_path
from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.bundle import Bundle, open_bundle, publish, staging_folder, with_quality
from edgevlo.runtime.errors import MemoryShortError, RequestError, RoomError
from edgevlo.runtime.files import remove_folder
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import Manifest, read_manifest

from .cpu_defaults import with_defaults
from .fallbacks import FALLBACK_ROLES, Fallback, PrecisionPlan
from .int8_cache import quantise_cache
from .modules import quantised_blocks
from .precision_recipes import DATA_DRIVEN, Blocks
from .request import QuantizeRequest, check, plan_for
from .requested_precisions import Override
from .static_quantization import Calibrated, Static
from .targets.emulation import emulated
from .targets.gpu import GPU_TARGETS, TargetWarning, changed_sampling
from .targets.self_check import record_outputs
from .weight_only.int4_int8_matmul_nbits import Moments
from .write_bundle import Source, gpu_of, write


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantized:
    """The bundle that was published, and where it is finer than requested: by a budget, or to meet its limits."""

    bundle: Bundle
    kept: Kept | None = None
    fallbacks: dict[GraphRole, Fallback] = field(default_factory=dict)

    @property
    def manifest(self) -> Manifest:
        """The manifest of the bundle."""
        return self.bundle.manifest


def quantize(
    bundle: Path | str,
    output: Path | str,
    *,
    target: str = "cpu",
    weights: str = "int8",
    method: str | None = None,
    block_size: int | None = None,
    overrides: Collection[str | Override] = (),
    capacity: int | None = None,
    kv_cache: str | None = None,
    static: Static | None = None,
    calibration: Path | str | None = None,
    requests: int = COUNT,
    prompts: Path | str | None = None,
    accept_loss: bool = False,
    budget: str | None = None,
    moments: Moments | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write `output`, the bundle for one kind of device, from a portable bundle; return its manifest.

    The options are those of `edgevlo quantize`; `QuantizeRequest` describes them. Raises what `run` raises.
    """
    request = QuantizeRequest(
        bundle=as_path("bundle", bundle),
        output=as_path("output", output),
        target=target,
        weights=weights,
        method=method,
        block_size=block_size,
        overrides=tuple(as_names("overrides", overrides)),
        capacity=capacity,
        kv_cache=kv_cache,
        static=static,
        calibration=None if calibration is None else as_path("calibration", calibration),
        requests=requests,
        prompts=None if prompts is None else as_path("prompts", prompts),
        accept_loss=accept_loss,
        budget=budget,
        moments=moments,
    )
    return run(request, progress).manifest


def run(request: QuantizeRequest, progress: Progress | None = None) -> Quantized:
    """Carry out a request: the bundle exists whole and judged, or not at all.

    Raises `RequestError` for options that make no sense, `BundleError` for a bundle that is not portable or not sound,
    `CalibrationError` for a calibration of another bundle, `OutputError` for an output that exists or cannot be
    written, and `QualityError` for a result below its limits or a budget that cannot be met.
    """
    choice = check(request)
    tell = progress or _silent
    _tell_of_sampling(request)
    tell("verifying the bundle", 0, 1)
    bundle = open_bundle(request.bundle)
    plan = plan_for(request, choice, bundle)
    source = _source(request, plan, bundle, tell)
    plan = with_defaults(plan, request, source.bundle.manifest.backbone)
    reference = _reference(request, source, tell) if request.requests else None
    with staging_folder(request.output) as staging:
        if reference is None:
            made = Quantized(bundle=_written(request, source, plan, staging / "bundle", tell))
        else:
            made = _Trials(request, source, reference, staging, tell).settled(plan)
        compared = source.bundle if reference is not None else None
        del reference  # its float weights are in memory
        made = replace(made, bundle=record_outputs(made.bundle, compared, tell))
        publish(made.bundle.folder, request.output)
    return made


def _tell_of_sampling(request: QuantizeRequest) -> None:
    if request.target in GPU_TARGETS and (changed := changed_sampling(read_manifest(request.bundle))):
        what = "; ".join(changed)
        warnings.warn(f"{request.target} bundles cannot draw as the model does: {what}", TargetWarning, stacklevel=4)


def _source(request: QuantizeRequest, plan: PrecisionPlan, bundle: Bundle, progress: Progress) -> Source:
    calibrated = None
    if plan.static is not None:
        calibrated = Calibrated(plan.static, request.calibration, bundle, plan.target)
    moments = _moments(request, plan, bundle, progress)
    return Source(bundle, moments, calibrated, gpu_of(plan.target, request.weights, request.capacity, bundle.manifest))


def _written(request: QuantizeRequest, source: Source, plan: PrecisionPlan, folder: Path, progress: Progress) -> Bundle:
    """Write a plan's bundle into `folder`, which does not exist yet."""
    bundle = write(source, plan, folder, progress)
    return quantise_cache(bundle, request.prompts, progress) if plan.int8_cache else bundle


def _reference(request: QuantizeRequest, source: Source, progress: Progress) -> Reference:
    with _skippable():
        return reference_of(source.bundle, requests=request.prompts, count=request.requests, progress=progress)


@contextmanager
def _skippable() -> Iterator[None]:
    """Add to a refusal for want of memory or room that the quality check, which needs it, can be skipped."""
    try:
        yield
    except (MemoryShortError, RoomError) as error:
        raise type(error)(f"{error} Or skip the quality check with `requests=0`.") from error


def _moments(request: QuantizeRequest, plan: PrecisionPlan, bundle: Bundle, progress: Progress) -> Moments:
    """Return the second moments that GPTQ and AWQ need; raise `RequestError` for a layer that no request uses."""
    methods = {weights.method for weights in plan.choice.blocks} & set(DATA_DRIVEN)
    if not methods:
        return {}
    moments = request.moments
    if moments is None:
        moments = second_moments(bundle, squares="gptq" not in methods, progress=progress)
    for role, members in plan.names.items():
        for name in members:
            weights = plan.choice.of(role, name)
            if isinstance(weights, Blocks) and weights.method in DATA_DRIVEN and name not in moments:
                raise RequestError(
                    f"{weights.method} has no second moments for {name} of {role}: no request uses it. Leave it out "
                    f"with `overrides='{role}=fp32'`, or choose another `method`."
                )
    return moments


@dataclass(frozen=True, slots=True)
class _Trials:
    """The candidates of one request, written into `staging` and judged one after the other."""

    request: QuantizeRequest
    source: Source
    reference: Reference
    staging: Path
    progress: Progress

    def settled(self, plan: PrecisionPlan) -> Quantized:
        """Return the candidate to publish; raise `QualityError` if none is to be."""
        plan, candidate, verdict = self._escalated(plan)
        kept = None
        if self.request.budget is not None:
            remove_folder(candidate.folder)
            kept = self._within_budget(plan, parse_budget(self.request.budget), (verdict, candidate.bytes))
            layers = quantised_blocks(plan.names, plan.choice)
            plan = plan.keeping([name for block in sorted(kept.modules) for name in sorted(layers[block])])
            candidate = _written(self.request, self.source, plan, self.staging / "bundle", self.progress)
            verdict = kept.verdict  # of the same bundle: writing is deterministic
        quality = settle(self.reference, verdict, accept_loss=self.request.accept_loss, fallbacks=plan.in_words)
        return Quantized(bundle=with_quality(candidate, quality), kept=kept, fallbacks=dict(plan.fallbacks))

    def _escalated(self, plan: PrecisionPlan) -> tuple[PrecisionPlan, Bundle, Verdict]:
        """Write and judge a plan, then finer ones, until one meets its limits or none is left."""
        regardless = self.request.accept_loss or self.request.budget is not None
        while True:
            candidate = _written(self.request, self.source, plan, self.staging / "bundle", self.progress)
            verdict = self._judged(candidate, None, self.progress)
            finer = None if verdict.passed else plan.with_fallback(verdict, regardless=regardless)
            if finer is None:
                return plan, candidate, verdict
            remove_folder(candidate.folder)
            plan = finer

    def _within_budget(self, plan: PrecisionPlan, budget: Budget, quantised: Tried) -> Kept:
        """Return the layers that must not be quantised for the budget to hold, and the verdict without them."""
        layers = quantised_blocks(plan.names, plan.choice)

        def attempt(kept: frozenset[str], folder: Path, like: Verdict | None) -> Verdict:
            names = [name for block in sorted(kept) for name in sorted(layers[block])]
            candidate = _written(self.request, self.source, plan.keeping(names), folder, _silent)
            return self._judged(candidate, like, _silent)

        try:
            return keep_most_sensitive(
                layers,
                attempt,
                budget,
                quantised=quantised,
                accept_loss=self.request.accept_loss,
                scratch=self.staging,
                progress=self.progress,
            )
        except QualityError as error:
            kept = [module for module in plan.fallbacks if module in FALLBACK_ROLES]
            if not kept or budget.bytes is None:
                raise
            modules = tuple(f"{module}=fp16" for module in kept)
            raise QualityError(
                f"{error} The quality check kept {plan.in_words}; to do without: `overrides={modules}` "
                "`accept_loss=True`."
            ) from error

    def _judged(self, candidate: Bundle, like: Verdict | None, progress: Progress) -> Verdict:
        """Compare a candidate with the portable bundle; a GPU bundle by its emulation on the CPU."""
        try:
            with _skippable(), emulated(candidate, candidate.folder.with_name("emulated")) as subject:
                return judge(self.reference, subject, like=like, progress=progress)
        except RoomError as error:
            gpu = self.source.gpu
            if gpu is None:
                raise
            raise RoomError(
                f"`capacity={gpu.capacity}` is too small for the requests of the quality check "
                f"({str(error).split('. ', 1)[0].rstrip('.')}). Increase it, give shorter requests with `prompts`, or "
                "skip the check with `requests=0`."
            ) from error


def _silent(_what: str, _done: int, _all: int) -> None:
    pass
