"""Commands that make and measure bundles: export, quantize, calibrate, evaluate and build-engines."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from edgevlo.runtime.errors import EdgevloError
from edgevlo.runtime.extras import install_command

from .completion import TargetName
from .options import json_option, options, threads_option
from .printing import say

static_options = options(
    click.option("--activations", default="float", show_default=True, help="Of the linear layers: float, int8 or fp8."),
    click.option("--kv-cache", default="float", show_default=True, help="Keys and values: float, or int8 (cpu, cuda)."),
    click.option(
        "--smoothing", type=float, help="What activations give to weights; 0: nothing. [default: 0.5 in int8, 0 in fp8]"
    ),
    click.option(
        "--keep", multiple=True, metavar="PATTERN", help="Graphs or operators to leave float, as '*.down_proj'."
    ),
    click.option("--least-db", default=28.0, show_default=True, help="Signal over noise that int8 inputs must keep."),
    click.option("--calibration", type=click.Path(path_type=Path), help="What `edgevlo calibrate` wrote for BUNDLE."),
)
quality_options = options(
    click.option(
        "--quality-requests", "requests", type=click.IntRange(0), default=12, show_default=True, metavar="N",
        help="Requests at which the result is held against BUNDLE; 0: its quality is not measured.",
    ),
    click.option("--prompts", type=click.Path(path_type=Path), help="Text file of those requests, one a line."),
    click.option("--accept-quality-loss", "accept_loss", is_flag=True, help="Keep a result that is below its limits."),
    click.option(
        "--budget", metavar="1%|0.01nats|900MB",
        help="Keep the layers that suffer most: as few as so many differing codes allow, as many as fit in bytes.",
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
@click.option("--list", is_flag=True, expose_value=False, help="Print what can be exported; with --json as JSON.")
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
    help="Recipe for all modules: fp32, fp16, bf16, int8 or int4; fp8 for rtx and tensorrt.",
)
@click.option("--method", help="How blocks are rounded: rtn, k_quant, hqq, gptq or awq. [default: rtn]")
@click.option("--block-size", type=int, help="Inputs that share a scale: 32, 64 or 128.")
@click.option(
    "--module",
    "overrides",
    multiple=True,
    metavar="PATTERN=KIND",
    help="What becomes of a module or of layers instead, as 'text_head=fp32' or '*.down_proj=int8'.",
)
@click.option(
    "--capacity",
    type=int,
    metavar="TOKENS",
    help="Of a GPU bundle's KV cache; by default for the largest pictures.",
)
@static_options
@quality_options
def quantize(
    bundle: str, output: Path, requests: int, prompts: Path | None, accept_loss: bool, budget: str | None,
    activations: str, kv_cache: str, smoothing: float | None, keep: tuple[str, ...], least_db: float,
    calibration: Path | None, **options: Any,
) -> None:  # fmt: skip
    """Turn BUNDLE, a portable one, into a bundle for one kind of device."""
    with _needs("quantize"):
        from edgevlo.quantization.gated import Care, quantize_with_care
    from edgevlo.catalog import find

    from .progress import progress_bar

    static = _static(activations, kv_cache, smoothing, keep, least_db, calibration)
    care = Care(requests=requests, prompts=prompts, accept_loss=accept_loss, budget=budget)
    with progress_bar() as progress:
        made = quantize_with_care(find(bundle), output, care=care, progress=progress, **options, **static)
    if made.kept is not None:
        click.echo(f"not quantised: {', '.join(sorted(made.kept.modules)) or 'nothing'}", err=True)
    for module, now in made.raised.items():
        click.echo(f"note: {module} is {now}; as it was asked for it would be below its limits", err=True)
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
) -> dict[str, Any]:
    """Return what `quantize` takes for the options that need a calibration; nothing where neither is given."""
    from edgevlo.quantization import Static

    source = click.get_current_context().get_parameter_source
    if activations == "float" and {source("smoothing"), source("least_db")} != {ParameterSource.DEFAULT}:
        raise click.UsageError("--smoothing and --least-db go with --activations.")
    if activations == kv_cache == "float":
        if calibration is not None or keep:
            raise click.UsageError("--calibration and --keep go with --activations or --kv-cache.")
        return {}
    kinds: dict[str, Any] = {"activations": activations, "cache": kv_cache}
    given = {name: kind for name, kind in kinds.items() if kind != "float"}
    return {"static": Static(**given, smoothing=smoothing, keep=keep, least_db=least_db), "calibration": calibration}


@click.command()
@click.argument("bundle")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write; BUNDLE.calib if none is given.")
@click.option(
    "--prompts", type=click.Path(path_type=Path), help="Text file, a request a line, as `edit: make it blue`."
)
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder of pictures to edit and to ask about.")
@click.option("--method", default="percentile", show_default=True, help="Where to clip: max, percentile or entropy.")
@click.option("--percentile", default=99.999, show_default=True, help="Share of values to keep, of a hundred.")
@click.option("--count", default=16, show_default=True, help="Number of requests, the model's abilities in turn.")
@threads_option
@click.option("--restart", is_flag=True, help="Start over where the output holds another calibration.")
@json_option
def calibrate(bundle: str, output: Path | None, as_json: bool, **settings: Any) -> None:
    """Run BUNDLE, a portable one, on many requests and write down what its tensors hold.

    An interrupted calibration goes on where it stopped when the same command is given again.
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
@click.option("--count", default=24, show_default=True, help="Number of requests to compare at.")
@click.option(
    "--prompts",
    "requests",
    type=click.Path(path_type=Path),
    help="Text file, a request a line, as `edit: make it blue`.",
)
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder of pictures to edit and to ask about.")
@click.option("--tasks", default=0, metavar="N", help="Also N cases of each task and language, for picturebook.")
@click.option("--json", "document", type=click.Path(path_type=Path), help="JSON file to write.")
@click.option("--sheet", type=click.Path(path_type=Path), help="PNG file of pictures side by side to write.")
@click.option("--check", is_flag=True, help="Exit with 1 if BUNDLE is below the limits of its precision.")
@threads_option
@click.option("--emulate", is_flag=True, help="Compute what was made for a GPU on the CPU, with every rounding of it.")
def evaluate(
    bundle: str, against: str, document: Path | None, sheet: Path | None, check: bool, emulate: bool, **settings: Any
) -> None:
    """Measure what BUNDLE, a quantised one, keeps of the bundle that it was made from."""
    with _needs("quantize" if emulate else "evaluate"):
        from edgevlo.calibration.evaluation.evaluate import evaluate as measure
        from edgevlo.calibration.evaluation.files import check_outputs, write_document, write_sheet

        if emulate:
            from edgevlo.quantization import open_emulated

            settings["open_graph"] = open_emulated
    from edgevlo.catalog import find

    from .progress import progress_bar

    check_outputs(document, sheet)
    with progress_bar() as progress:
        found = measure(find(bundle), find(against), progress=progress, **settings)
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
    engine_cache.check_bundle(opened)  # before anything is looked for
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
