"""`edgevlo quantize`: a portable bundle into one for a kind of device."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..completion import TargetName
from ..options import FilePath, needs_extra, options, threads_option

if TYPE_CHECKING:
    from edgevlo.quantization import Static

static_options = options(
    click.option(
        "--activations", default="float", show_default=True, help="Activations of linear layers: float, int8 or fp8."
    ),
    click.option(
        "--kv-cache",
        help="Keys and values: float, or int8 (cpu, cuda). [default: int8 for int4 on cpu where the quality check "
        "passes, else float]",
    ),
    click.option(
        "--smoothing",
        type=float,
        help="SmoothQuant alpha, 0 to 1; 0 disables it. [default: 0.5 for int8, 0 for fp8]",
    ),
    click.option(
        "--keep", multiple=True, metavar="PATTERN", help="Graphs or operators to leave in float, such as '*.down_proj'."
    ),
    click.option(
        "--least-db",
        default=28.0,
        show_default=True,
        help="Leave inputs in float where int8 has less signal over noise.",
    ),
    click.option("--calibration", type=click.Path(path_type=Path), help="Output of `edgevlo calibrate` for BUNDLE."),
)
quality_options = options(
    click.option(
        "--quality-requests", "requests", type=click.IntRange(0), default=12, show_default=True, metavar="N",
        help="Requests of the quality check, a comparison with BUNDLE; 0 skips it.",
    ),
    click.option("--prompts", type=click.Path(path_type=Path), help="Text file of those requests, one per line."),
    click.option("--accept-quality-loss", "accept_loss", is_flag=True, help="Keep a result that fails the check."),
    click.option(
        "--budget", metavar="1%|0.01nats|900MB",
        help="Leave the most sensitive layers unquantized until the loss (1%, 0.01nats) or size (900MB) target is met.",
    ),
)  # fmt: skip


@click.command()
@click.argument("bundle")
@threads_option
@click.option("-o", "--output", type=FilePath(), required=True, help="Bundle folder to make.")
@click.option(
    "--target", default="cpu", show_default=True, type=TargetName(), help="Kind of device: cpu, cuda, rtx or tensorrt."
)
@click.option(
    "--weights",
    default="int8",
    show_default=True,
    help="Precision of all modules: fp32, fp16, bf16, int8 or int4; fp8 for rtx and tensorrt.",
)
@click.option("--method", help="Rounding of blocks: rtn, k_quant, hqq, gptq or awq. [default: rtn]")
@click.option(
    "--block-size",
    type=int,
    help="Weights that share a scale: 32, 64 or 128. [default: on cpu 64 for int8, and for int4 128 where the quality "
    "check passes; else 32]",
)
@click.option(
    "--module",
    "overrides",
    multiple=True,
    metavar="PATTERN=KIND",
    help="Precision of one module or of layers, such as 'text_head=fp32' or '*.down_proj=int8'.",
)
@click.option(
    "--capacity",
    type=int,
    metavar="TOKENS",
    help="Size of a GPU bundle's KV cache. [default: enough for the largest pictures]",
)
@static_options
@quality_options
def quantize(
    bundle: str, output: Path, activations: str, kv_cache: str | None, smoothing: float | None, keep: tuple[str, ...],
    least_db: float, **options: Any,
) -> None:  # fmt: skip
    """Turn BUNDLE, a portable one, into a bundle for one kind of device."""
    with needs_extra("quantize"):
        from edgevlo.quantization import QuantizeRequest, run
    from edgevlo.models.find import find

    from ..progress import progress_bar

    calibration = options["calibration"]
    measures = options["target"] == "cpu" and kv_cache == "int8" and calibration is None and activations == "float"
    static = _static(activations, None if measures else kv_cache, smoothing, keep, least_db, calibration)
    cache = kv_cache if static is None else None
    request = QuantizeRequest(bundle=find(bundle), output=output, static=static, kv_cache=cache, **options)
    with progress_bar() as progress:
        made = run(request, progress)
    if made.kept is not None:
        click.echo(f"not quantised: {', '.join(sorted(made.kept.modules)) or 'nothing'}", err=True)
    for module, fallback in made.fallbacks.items():
        click.echo(f"note: {fallback.note(module)}", err=True)
    quality = made.manifest.quality
    if quality is not None and not quality.passed:
        click.echo(f"note: below the limits of {quality.limits}: {'; '.join(quality.reasons)}", err=True)
    click.echo(output)


def _static(
    activations: str,
    kv_cache: str | None,
    smoothing: float | None,
    keep: tuple[str, ...],
    least_db: float,
    calibration: Path | None,
) -> "Static | None":
    """Return the settings of static quantisation; None if neither activations nor the cache are quantised."""
    from edgevlo.quantization import Static

    source = click.get_current_context().get_parameter_source
    if activations == "float" and {source("smoothing"), source("least_db")} != {ParameterSource.DEFAULT}:
        raise click.UsageError("--smoothing and --least-db require --activations.")
    if activations == "float" and kv_cache in (None, "float"):
        if calibration is not None or keep:
            raise click.UsageError("--calibration and --keep require --activations or --kv-cache.")
        return None
    kinds: dict[str, Any] = {"activations": activations, "cache": kv_cache}
    given = {name: kind for name, kind in kinds.items() if kind not in (None, "float")}
    return Static(**given, smoothing=smoothing, keep=keep, least_db=least_db)
