"""Commands that make and measure bundles: export, quantize, calibrate, evaluate and build-engines."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edgevlo.runtime.errors import EdgevloError
from edgevlo.runtime.extras import install_command

from .completion import TargetName
from .options import json_option, options, threads_option
from .printing import say

if TYPE_CHECKING:
    from edgevlo.quantization import Static

static_options = options(
    click.option(
        "--activations", default="float", show_default=True, help="Activations of linear layers: float, int8 or fp8."
    ),
    click.option("--kv-cache", default="float", show_default=True, help="Keys and values: float, or int8 (cpu, cuda)."),
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


class _Listing(click.Command):
    """A command that with `--list` prints the families and needs no arguments."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Print and exit, or read the arguments."""
        if "--list" in args and not ctx.resilient_parsing:
            from edgevlo.export.families.registry import facts, table

            click.echo(json.dumps(facts(), ensure_ascii=False) + "\n" if "--json" in args else table(), nl=False)
            ctx.exit()
        return super().parse_args(ctx, args)


@click.command(cls=_Listing)
@click.argument("checkpoint")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Bundle folder to make.")
@click.option(
    "--list",
    is_flag=True,
    expose_value=False,
    help="List what can be exported; with --json as JSON.",
)
@click.option("--json", is_flag=True, expose_value=False, hidden=True)
def export(checkpoint: str, output: Path) -> None:
    """Turn CHECKPOINT, a folder or a hub id, into a portable bundle."""
    with _needs("export"):
        from edgevlo.export import export_checkpoint
    from edgevlo.catalog import is_hub_id
    from edgevlo.hub import fetch

    from .progress import progress_bar

    at_hub = is_hub_id(checkpoint)
    folder = fetch(checkpoint, pickles=True, wanted="checkpoint").folder if at_hub else Path(checkpoint)
    with progress_bar() as progress:
        manifest = export_checkpoint(folder, output, progress=progress)
    for role, graph in manifest.graphs.items():
        if graph.parity is not None:
            error, tolerance = graph.parity.error, graph.parity.tolerance
            click.echo(f"{role:16} {graph.parity.metric}: {error:.2g} (tolerance {tolerance:.2g})")
    say(f"{'licence':16} {manifest.source.licence}")
    click.echo(output)


@click.command()
@click.argument("bundle")
@threads_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Bundle folder to make.")
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
    "--block-size", type=int, help="Weights that share a scale: 32, 64 or 128. [default: 64 for int8 on cpu, else 32]"
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
    bundle: str, output: Path, activations: str, kv_cache: str, smoothing: float | None, keep: tuple[str, ...],
    least_db: float, **options: Any,
) -> None:  # fmt: skip
    """Turn BUNDLE, a portable one, into a bundle for one kind of device."""
    with _needs("quantize"):
        from edgevlo.quantization import QuantizeRequest, run
    from edgevlo.catalog import find

    from .progress import progress_bar

    static = _static(activations, kv_cache, smoothing, keep, least_db, options["calibration"])
    request = QuantizeRequest(bundle=find(bundle), output=output, static=static, **options)
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
    kv_cache: str,
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
    if activations == kv_cache == "float":
        if calibration is not None or keep:
            raise click.UsageError("--calibration and --keep require --activations or --kv-cache.")
        return None
    kinds: dict[str, Any] = {"activations": activations, "cache": kv_cache}
    given = {name: kind for name, kind in kinds.items() if kind != "float"}
    return Static(**given, smoothing=smoothing, keep=keep, least_db=least_db)


@click.command()
@click.argument("bundle")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write. [default: BUNDLE.calib]")
@click.option(
    "--prompts", type=click.Path(path_type=Path), help="Text file, one request per line, such as `edit: make it blue`."
)
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder of pictures to edit and to ask about.")
@click.option(
    "--method", default="percentile", show_default=True, help="How thresholds are chosen: max, percentile or entropy."
)
@click.option("--percentile", default=99.999, show_default=True, help="Per cent of values that are not clipped.")
@click.option("--count", default=16, show_default=True, help="Number of requests, the model's abilities in turn.")
@threads_option
@click.option("--restart", is_flag=True, help="Start over if the output is another calibration.")
@json_option
def calibrate(bundle: str, output: Path | None, as_json: bool, **settings: Any) -> None:
    """Run BUNDLE, a portable one, on many requests and record the ranges of its tensors.

    The same command resumes an interrupted calibration.
    """
    with _needs("quantize"):
        from edgevlo.calibration import calibrate as observe
        from edgevlo.calibration import summary
    from edgevlo.catalog import find

    from .progress import progress_bar

    folder = find(bundle)
    target = Path(f"{folder.name}.calib") if output is None else output
    with progress_bar() as progress:
        made = observe(folder, target, progress=progress, **settings)
    click.echo(json.dumps(summary(made), ensure_ascii=False) if as_json else "\n".join(summary(made)["lines"]))
    click.echo(target, err=as_json)


@click.command()
@click.argument("bundle")
@click.option("--against", required=True, metavar="BUNDLE", help="The bundle that it was made from.")
@click.option("--count", default=24, show_default=True, help="Number of requests to compare.")
@click.option(
    "--prompts",
    "requests",
    type=click.Path(path_type=Path),
    help="Text file, one request per line, such as `edit: make it blue`.",
)
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder of pictures to edit and to ask about.")
@click.option("--tasks", default=0, metavar="N", help="Also N cases of each task and language, for picturebook.")
@click.option("--json", "document", type=click.Path(path_type=Path), help="JSON file to write.")
@click.option("--sheet", type=click.Path(path_type=Path), help="PNG file of pictures side by side to write.")
@click.option("--check", is_flag=True, help="Exit with 1 if BUNDLE is below the limits of its precision.")
@threads_option
@click.option("--emulate", is_flag=True, help="Compute GPU graphs on the CPU, with every rounding of theirs.")
def evaluate(
    bundle: str, against: str, document: Path | None, sheet: Path | None, check: bool, emulate: bool, **settings: Any
) -> None:
    """Compare BUNDLE, a quantised one, with the bundle that it was made from."""
    with _needs("quantize" if emulate else "evaluate"):
        from edgevlo.calibration.evaluation.evaluate import evaluate as compare
        from edgevlo.calibration.evaluation.files import check_outputs, write_document, write_sheet

        if emulate:
            from edgevlo.quantization import open_emulated
    from edgevlo.catalog import find

    from .progress import progress_bar

    check_outputs(document, sheet)
    with progress_bar() as progress, ExitStack() as stack:
        candidate, reference = (
            stack.enter_context(open_emulated(find(name))) if emulate else find(name) for name in (bundle, against)
        )
        found = compare(candidate, reference, progress=progress, **settings)
    click.echo(found.table)
    if document is not None:
        write_document(found, document)
    if sheet is not None:
        write_sheet(found, sheet)
    if check and not found.verdict.passed:
        click.get_current_context().exit(1)


@click.command("build-engines")
@click.argument("bundle")
def build_engines(bundle: str) -> None:
    """Build the TensorRT engines of BUNDLE, one of target tensorrt, for the GPU of this machine."""
    from edgevlo.catalog import find
    from edgevlo.runtime.bundle import open_bundle
    from edgevlo.runtime.gpu import engine_cache

    from .progress import progress_bar

    opened = open_bundle(find(bundle))
    engine_cache.check_bundle(opened)  # before the GPU is looked for
    device = engine_cache.Device.find()
    with progress_bar() as progress:
        folder = engine_cache.build_engines(opened, device, progress)
    click.echo(folder)


@contextmanager
def _needs(extra: str) -> Iterator[None]:
    """Turn a missing package of an extra into the command that installs it."""
    try:
        yield
    except ImportError as error:
        needed = f"this needs the packages of edgevlo's extra '{extra}', which are not installed"
        raise EdgevloError(f"{needed}: {install_command(extra)} ({error}).") from error
