"""A request to quantise, built once from the command line or from Python, and everything that can be refused early."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from edgevlo.calibration.evaluation.gate import COUNT
from edgevlo.calibration.evaluation.sensitivity import parse_budget
from edgevlo.runtime.arguments import check_fields, wrong_type
from edgevlo.runtime.bundle import Bundle, check_new
from edgevlo.runtime.errors import BundleError, OutputError, RequestError
from edgevlo.runtime.manifest.schema import Target, read_manifest

from .fallbacks import PrecisionPlan
from .modules import check_overrides, check_tables, linear_layer_names, quantised_blocks
from .precision_recipes import BLOCK_SIZES, DATA_DRIVEN, METHODS, SYMMETRIC, Float32, recipe_of, unquantised
from .requested_precisions import Choice, Override, override
from .static_quantization import Static
from .targets.gpu import GPU_TARGETS, check_capacity, half_of
from .weight_only.int4_int8_matmul_nbits import Moments

TARGETS: Final[tuple[Target, ...]] = ("cpu", *GPU_TARGETS)
KV_CACHES: Final = ("float", "int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeRequest:
    """What `edgevlo quantize` takes, under the names and with the defaults of its options.

    `weights` names a recipe of `precision_recipes.py`; `method` and `block_size` change how it rounds to blocks,
    and `overrides`, such as `*.down_proj=int8`, the precision of single modules or layers. `capacity` is how many
    tokens the KV cache of a GPU bundle holds; None is enough for the model's largest pictures. `static` says what
    is quantised by the ranges in `calibration`, a folder that `calibrate` wrote for this bundle. `kv_cache` is
    `float` or, on a CPU, `int8` by ranges that the result fills itself; None leaves it to `cpu_defaults.py`, as it
    does the `block_size` of four bits.

    The result is compared with `bundle` at `requests` requests of the file `prompts`, or of those that ship; 0 skips
    the comparison. `accept_loss` keeps a result below its limits, and `budget` is what `parse_budget` reads. `moments`
    are second moments that were measured already; None measures them if the method needs them.
    """

    bundle: Path
    output: Path
    target: str = "cpu"
    weights: str = "int8"
    method: str | None = None
    block_size: int | None = None
    overrides: tuple[str | Override, ...] = ()
    capacity: int | None = None
    kv_cache: str | None = None
    static: Static | None = None
    calibration: Path | None = None
    requests: int = COUNT
    prompts: Path | None = None
    accept_loss: bool = False
    budget: str | None = None
    moments: Moments | None = None


def check(request: QuantizeRequest) -> Choice:
    """Return the precision that a request asks for; raise `EdgevloError` for what can be refused by the manifest."""
    check_fields(request)
    if not isinstance(request.static, Static | None):
        raise wrong_type("static", request.static, "a Static")
    if request.static is not None:
        check_fields(request.static)
    choice = choice_of(request)
    _check_folders(request)
    if request.requests < 0:
        raise RequestError(f"`requests={request.requests}` is negative; 0 skips the quality check.")
    if request.prompts is not None and request.requests == 0 and request.kv_cache != "int8":
        raise RequestError("`prompts` has no effect with `requests=0`; leave one of them out.")
    manifest = read_manifest(request.bundle)
    if manifest.target != "portable":
        raise BundleError(f"{request.bundle} was made for target {manifest.target!r}; quantize the portable bundle.")
    if request.capacity is not None and request.target not in GPU_TARGETS:
        raise RequestError(f"`capacity` is for GPU bundles; leave it out for target {request.target!r}.")
    if request.capacity is not None:
        check_capacity(manifest, request.capacity)
    _check_cache(request)
    if request.static is not None:
        _check_static(request, choice, request.static)
    check_tables(choice)
    if request.budget is not None:
        _check_budget(request)
    return choice


def plan_for(request: QuantizeRequest, choice: Choice, bundle: Bundle) -> PrecisionPlan:
    """Return the plan for a bundle that was verified; raise `RequestError` for what its graphs do not have."""
    names = linear_layer_names(bundle.folder, bundle.manifest)
    check_overrides(choice, names, request.target)
    if request.budget is not None and not quantised_blocks(names, choice):
        raise RequestError(f"`budget` has no layers to choose from: `weights={request.weights!r}` quantises none.")
    return PrecisionPlan(
        target_of(request), choice, request.static, names, int8_cache=request.kv_cache == "int8"
    )  # fmt: skip


def target_of(request: QuantizeRequest) -> Target:
    """Return the target of a request; raise `RequestError` for one that does not exist."""
    for target in TARGETS:
        if target == request.target:
            return target
    raise RequestError(f"there is no target {request.target!r}; choose one of {', '.join(TARGETS)}.")


def choice_of(request: QuantizeRequest) -> Choice:
    """Return the precision that a request asks for; raise `RequestError` for what the target does not support."""
    target, weights, method, size = target_of(request), request.weights, request.method, request.block_size
    if method is not None and method not in METHODS:
        raise RequestError(f"there is no method {method!r}; choose one of {', '.join(METHODS)}.")
    if size is not None and size not in BLOCK_SIZES:
        raise RequestError(f"`block_size={size}` is not supported; choose one of {', '.join(map(str, BLOCK_SIZES))}.")
    if method is not None and method not in SYMMETRIC and target in ("rtx", "tensorrt"):
        raise RequestError(
            f"`method={method!r}` needs zero points, which target {target!r} does not support; choose one of "
            f"{', '.join(SYMMETRIC)}."
        )
    if method == "hqq" and find_spec("torch") is None:
        raise RequestError("`method='hqq'` needs torch, which is not installed: pip install torch.")
    read = tuple(one if isinstance(one, Override) else override(one, target) for one in request.overrides)
    choice = Choice(recipe_of(target, weights), read, unquantised(target))
    if not choice.blocks and (method is not None or size is not None):
        raise RequestError(f"`method` and `block_size` have no effect: {weights} quantises nothing in blocks.")
    return choice.with_blocks(method, size)


def _check_folders(request: QuantizeRequest) -> None:
    output = request.output
    check_new(output)
    if not output.absolute().parent.is_dir():
        raise OutputError(
            f"{output} cannot be created (there is no folder {output.parent}). Choose a folder that exists."
        )


def _check_cache(request: QuantizeRequest) -> None:
    if request.kv_cache not in (None, *KV_CACHES):
        raise RequestError(f"there is no `kv_cache={request.kv_cache!r}`; choose one of {', '.join(KV_CACHES)}.")
    if request.kv_cache == "int8" and (request.target != "cpu" or request.static is not None):
        raise RequestError(
            "an int8 KV cache beside `activations`, or on a GPU, needs calibration ranges: run edgevlo calibrate and "
            "name its output with `calibration`."
        )


def _check_static(request: QuantizeRequest, choice: Choice, static: Static) -> None:
    methods = {weights.method for weights in choice.blocks}
    if static.activations is not None:
        whole = request.target != "cpu" and all(isinstance(one.weights, Float32) for one in choice.overrides)
        if choice.overrides and not whole:
            raise RequestError(
                "`overrides` cannot be combined with `activations`; use `keep` to leave layers in float."
            )
        if driven := methods & set(DATA_DRIVEN):
            raise RequestError(
                f"`method={min(driven)!r}` uses inputs from before smoothing; choose another one with `activations`."
            )
    if static.cache is not None and request.target in GPU_TARGETS and half_of(request.weights) == "bf16":
        raise RequestError(
            f"`cache={static.cache!r}` cannot be combined with `weights='bf16'` on {request.target}, where the cache "
            "is rounded from float16; choose fp16, int8 or int4 as `weights`."
        )
    if "awq" in methods:
        raise RequestError(
            "`method='awq'` scales the values that enter the KV cache, so its calibration ranges no longer hold; "
            "choose another method."
        )


def _check_budget(request: QuantizeRequest) -> None:
    parse_budget(request.budget or "")
    if not request.requests:
        raise RequestError("`budget` requires quality measurement; remove `requests=0`.")
    if request.static is not None and request.static.activations is not None:
        raise RequestError("`budget` cannot be combined with `activations`; use `least_db`.")
