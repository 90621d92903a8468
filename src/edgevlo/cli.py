"""The command line: reads arguments, calls the public API, prints. Holds no logic of its own.

`run` turns every `EdgevloError` into one line and exit code 1; usage errors exit with 2, Ctrl-C with 130. Warnings
are one line each, `note: ...`, on the error stream, and the same words come once.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

import edgevlo
from edgevlo.runtime.errors import EdgevloError

Command = TypeVar("Command", bound=Callable[..., Any])


def run(arguments: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    warnings.showwarning = _note_printer()
    try:
        code = main.main(list(arguments), prog_name="edgevlo", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as help_text:
        help_text.show()
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped", err=True)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads us any more
        return 1
    except EdgevloError as error:
        click.echo(f"edgevlo: {error}", err=True)
        return 1
    except MemoryError:
        click.echo(
            "edgevlo: there is not enough memory for this; paint a smaller size or use a smaller bundle.", err=True
        )
        return 1
    return code if isinstance(code, int) else 0  # what Context.exit was given


def _note_printer() -> Callable[..., None]:
    """Return a `warnings.showwarning` that prints each note once: some commands read a picture several times."""
    printed: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        if str(message) not in printed:
            printed.add(str(message))
            click.echo(f"note: {message}", err=True)

    return show


def options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Join several click decorators into one."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


model_option = click.option("-m", "--model", metavar="BUNDLE", help="Bundle folder, installed bundle or hub id.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
picture_argument = click.argument("picture", type=click.Path(path_type=Path))
pictures_argument = click.argument("pictures", nargs=-1, metavar="PICTURES...", type=click.Path(path_type=Path))
output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), default="out.png", show_default=True, help="PNG file to write."
)
sampling_options = options(
    click.option("--seed", type=int, help="0 to 4294967295; the same seed paints the same picture."),
    click.option("--guidance-scale", type=float, help="How closely to follow the words; 1 is without guidance."),
    click.option("--temperature", type=float, help="0 takes the likeliest code each time."),
    click.option("--top-k", type=int, help="Draw among so many codes; 0 is all."),
    click.option("--top-p", type=float, help="Draw among the likeliest codes with this share together; 1 is all."),
    click.option("--negative-prompt", help="What the picture should not be like."),
)
watch_option = click.option("--watch", is_flag=True, help="Paint rows in the terminal as they are finished.")
paint_options = options(
    output_option,
    model_option,
    sampling_options,
    click.option("-n", "count", type=click.IntRange(1, 100), default=1, help="Number of pictures, seeds counted up."),
    click.option("--codes", type=click.Path(path_type=Path), help="Also write the code grid, int32 [rows, columns]."),
    watch_option,
    json_option,
)
image_guidance_option = click.option(
    "--image-guidance-scale",
    type=float,
    help="How closely to follow the picture, for models that guide by it too; 1 is without such guidance.",
)
static_options = options(
    click.option("--activations", default="float", show_default=True, help="Of the linear layers: float, int8 or fp8."),
    click.option("--kv-cache", default="float", show_default=True, help="Keys and values: float or int8."),
    click.option("--smoothing", default=0.5, show_default=True, help="What activations give to weights; 0: nothing."),
    click.option("--keep", multiple=True, metavar="PATTERN", help="Operators to leave float, as '*.down_proj'."),
    click.option("--least-db", default=28.0, show_default=True, help="Signal over noise that int8 inputs must keep."),
    click.option("--calibration", type=click.Path(path_type=Path), help="What `edgevlo calibrate` wrote for BUNDLE."),
)
quality_options = options(
    click.option(
        "--quality-requests", default=12, show_default=True, metavar="N",
        help="Requests at which the result is held against BUNDLE; 0: its quality is not measured.",
    ),
    click.option("--prompts", type=click.Path(path_type=Path), help="Text file of those requests, one a line."),
    click.option("--accept-quality-loss", is_flag=True, help="Keep a result that is below its limits."),
)  # fmt: skip
size_option = click.option("--size", help="WIDTHxHEIGHT in pixels, or a ratio like 16:9.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(edgevlo.__version__, prog_name="edgevlo")
def main() -> None:
    """Paint, edit and read pictures with one small model, on this machine."""


@main.command()
@click.argument("prompt")
@size_option
@paint_options
def paint(prompt: str, size: str | None, **settings: Any) -> None:
    """Paint a picture of PROMPT, in English or Chinese."""
    _paint(lambda model, options: model.paint_rows(prompt, size=size, **options), **settings)


@main.command()
@pictures_argument
@click.argument("instruction")
@size_option
@image_guidance_option
@paint_options
def edit(pictures: tuple[Path, ...], instruction: str, size: str | None, **settings: Any) -> None:
    """Change PICTURES (one, or several to combine) as INSTRUCTION says."""
    _check_pictures(pictures, instruction, "instruction")
    _paint(lambda model, options: model.edit_rows(pictures, instruction, size=size, **options), **settings)


@main.command()
@picture_argument
@paint_options
def segment(picture: Path, **settings: Any) -> None:
    """Paint the segments of PICTURE, a colour for each class (`edgevlo show` lists them)."""
    _paint(lambda model, options: model.perceive_rows("segment", picture, **options), **settings)


@main.command()
@picture_argument
@paint_options
def edges(picture: Path, **settings: Any) -> None:
    """Paint the edges of PICTURE."""
    _paint(lambda model, options: model.perceive_rows("edges", picture, **options), **settings)


@main.command()
@picture_argument
@paint_options
def depth(picture: Path, **settings: Any) -> None:
    """Paint how far away everything in PICTURE is."""
    _paint(lambda model, options: model.perceive_rows("depth", picture, **options), **settings)


@main.command()
@picture_argument
@paint_options
def normals(picture: Path, **settings: Any) -> None:
    """Paint the directions of the surfaces in PICTURE."""
    _paint(lambda model, options: model.perceive_rows("normals", picture, **options), **settings)


@main.command()
@picture_argument
@paint_options
def pose(picture: Path, **settings: Any) -> None:
    """Paint the poses of the people in PICTURE."""
    _paint(lambda model, options: model.perceive_rows("pose", picture, **options), **settings)


@main.command()
@pictures_argument
@click.argument("question")
@model_option
@json_option
def ask(pictures: tuple[Path, ...], question: str, model: str | None, as_json: bool) -> None:
    """Answer QUESTION about PICTURES."""
    _check_pictures(pictures, question, "question")
    answer = edgevlo.load(model).ask(pictures, question)
    click.echo(json.dumps({"answer": answer}, ensure_ascii=False) if as_json else answer)


@main.command()
@click.argument("pictures", nargs=-1, type=click.Path(path_type=Path))
@click.argument("prompt")
@output_option
@model_option
@image_guidance_option
@sampling_options
@watch_option
@json_option
def interleave(
    pictures: tuple[Path, ...],
    prompt: str,
    output: Path,
    model: str | None,
    watch: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Answer PROMPT, about PICTURES if there are any, with text and pictures.

    Text is printed; pictures are written to OUTPUT with numbers, out-1.png and so on, and named where they stand.
    """
    from edgevlo.progress import follow, one_picture
    from edgevlo.runtime.provenance import check_png, save_png

    if watch and as_json:
        raise click.UsageError("--watch and --json both write to the output; choose one.")
    _check_pictures(pictures, prompt, "prompt", needed=False)
    check_png(output)
    parts = edgevlo.load(model).interleave_rows(prompt, pictures, **settings)
    number = 0
    for part in parts:
        if isinstance(part, str):
            click.echo(json.dumps({"text": part}, ensure_ascii=False) if as_json else part)
            continue
        number += 1
        path = output.with_name(f"{output.stem}-{number}{output.suffix}")
        picture = follow(one_picture(part, parts), watch=watch).preview
        save_png(picture, path)
        click.echo(json.dumps({"picture": str(path), "size": picture.size}) if as_json else path)


@main.command()
@picture_argument
@click.argument("objects", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also paint the boxes into this PNG file.")
@model_option
@json_option
def detect(picture: Path, objects: tuple[str, ...], output: Path | None, model: str | None, as_json: bool) -> None:
    """Find OBJECTS, or everything, in PICTURE and print name and box (left, top, right, bottom) in pixels."""
    from edgevlo.runtime.provenance import check_png, save_png

    if output is not None:
        check_png(output)
    opened = edgevlo.load(model)
    if output is not None:
        save_png(opened.boxes(picture, objects), output)
        if "detect" not in opened.manifest.abilities:
            click.echo(output)  # the model only paints boxes
            return
    found = opened.detect(picture, objects)
    if as_json:
        click.echo(json.dumps([{"label": one.label, "box": one.box} for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.label}\t{' '.join(map(str, one.box))}")


@main.command()
@click.argument("codes", type=click.Path(path_type=Path))
@output_option
@model_option
def decode(codes: Path, output: Path, model: str | None) -> None:
    """Turn CODES, a code grid in a .npy file, into a picture."""
    from edgevlo.codes import read_codes
    from edgevlo.runtime.provenance import check_png, save_png

    check_png(output)
    grid = read_codes(codes)
    save_png(edgevlo.load(model).decode(grid), output)
    click.echo(output)


def _list_families(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from edgevlo.export.families.registry import table

        click.echo(table(), nl=False)
        context.exit()


@main.command()
@click.argument("checkpoint")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Bundle folder to make.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_families,
    help="Print what can be exported.",
)
def export(checkpoint: str, output: Path) -> None:
    """Turn CHECKPOINT, a folder or a hub id, into a portable bundle."""
    with _toolchain():
        from edgevlo.export import export_checkpoint
    from edgevlo.hub import fetch, is_hub_id
    from edgevlo.progress import progress_bar

    at_hub = is_hub_id(checkpoint)
    folder = fetch(checkpoint, pickles=True, wanted="checkpoint").folder if at_hub else Path(checkpoint)
    with progress_bar() as progress:
        manifest = export_checkpoint(folder, output, progress=progress)
    for role, graph in manifest.graphs.items():
        if graph.parity is not None:
            error, tolerance = graph.parity.error, graph.parity.tolerance
            click.echo(f"{role:16} {graph.parity.metric}: {error:.2g} (tolerance {tolerance:.2g})")
    click.echo(f"{'licence':16} {manifest.source.licence}")
    click.echo(output)


@main.command()
@click.argument("bundle")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Bundle folder to make.")
@click.option("--target", default="cpu", show_default=True, help="Kind of device: cpu, cuda, rtx or tensorrt.")
@click.option(
    "--weights",
    default="int8",
    show_default=True,
    help="Of the linear layers: fp32 (GPUs: fp16, bf16), int8, or int4 (its quality was not measured).",
)
@click.option("--capacity", type=int, metavar="TOKENS", help="Of a GPU bundle's KV cache; by default what fits.")
@static_options
@quality_options
def quantize(
    bundle: str, output: Path, target: str, weights: str, capacity: int | None, quality_requests: int,
    prompts: Path | None, accept_quality_loss: bool, **ranged: Any,
) -> None:  # fmt: skip
    """Turn BUNDLE, a portable one, into a bundle for one kind of device."""
    with _toolchain():
        from edgevlo.quantization import quantize as rewrite
    from edgevlo.catalog import find
    from edgevlo.progress import progress_bar

    folder, static = find(bundle), _static(**ranged)
    count = quality_requests if target == "cpu" else 0  # others run on their devices alone
    with progress_bar() as progress:
        gate = _gate(folder, progress, quality_requests=count, prompts=prompts, accept_quality_loss=accept_quality_loss)
        made = rewrite(
            folder, output, target=target, weights=weights, capacity=capacity, gate=gate, progress=progress, **static
        )
    if made.quality is not None and not made.quality.passed:
        click.echo(f"note: below the limits of {made.quality.limits}: {'; '.join(made.quality.reasons)}", err=True)
    click.echo(output)


def _gate(
    bundle: Path, progress: Any, *, quality_requests: int, prompts: Path | None, accept_quality_loss: bool
) -> Any:
    """Return what judges the bundle that is made; None where nothing is to be measured."""
    if not quality_requests:
        return None
    with _toolchain():
        from edgevlo.calibration.gate import Gate, reference_of

    reference = reference_of(bundle, requests=prompts, count=quality_requests)
    return Gate(reference, accept_loss=accept_quality_loss, progress=progress)


def _static(
    activations: str, kv_cache: str, smoothing: float, keep: tuple[str, ...], least_db: float, calibration: Path | None
) -> dict[str, Any]:
    """Return what `quantize` takes for the options that need a calibration; nothing where neither is given."""
    from edgevlo.quantization import Static

    if activations == kv_cache == "float":
        if calibration is not None or keep:
            raise click.UsageError("--calibration and --keep go with --activations or --kv-cache.")
        return {}
    kinds: dict[str, Any] = {"activations": activations, "cache": kv_cache}
    given = {name: kind for name, kind in kinds.items() if kind != "float"}
    return {"static": Static(**given, smoothing=smoothing, keep=keep, least_db=least_db), "calibration": calibration}


@main.command()
@click.argument("bundle")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write; BUNDLE.calib if none is given.")
@click.option(
    "--prompts", type=click.Path(path_type=Path), help="Text file, a request a line, as `edit: make it blue`."
)
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder of pictures to edit and to ask about.")
@click.option("--method", default="percentile", show_default=True, help="Where to clip: max, percentile or entropy.")
@click.option("--percentile", default=99.999, show_default=True, help="Share of values to keep, of a hundred.")
@click.option("--count", default=16, show_default=True, help="Number of requests, the model's abilities in turn.")
@click.option("--restart", is_flag=True, help="Start over where the output holds another calibration.")
@json_option
def calibrate(bundle: str, output: Path | None, as_json: bool, **settings: Any) -> None:
    """Run BUNDLE, a portable one, on many requests and write down what its tensors hold.

    An interrupted calibration goes on where it stopped when the same command is given again.
    """
    with _toolchain():
        from edgevlo.calibration import calibrate as observe
        from edgevlo.calibration import summary
    from edgevlo.catalog import find
    from edgevlo.progress import progress_bar

    folder = find(bundle)
    target = Path(f"{folder.name}.calib") if output is None else output
    with progress_bar() as progress:
        made = observe(folder, target, progress=progress, **settings)
    click.echo(json.dumps(summary(made), ensure_ascii=False) if as_json else "\n".join(summary(made)["lines"]))
    click.echo(target, err=as_json)


@main.command()
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
def evaluate(
    bundle: str, against: str, document: Path | None, sheet: Path | None, check: bool, **settings: Any
) -> None:
    """Measure what BUNDLE, a quantised one, keeps of the bundle that it was made from."""
    from edgevlo.catalog import find
    from edgevlo.evaluation import check_outputs, write_document, write_sheet
    from edgevlo.progress import progress_bar

    check_outputs(document, sheet)
    with _toolchain():
        from edgevlo.calibration.evaluate import evaluate as measure
    with progress_bar() as progress:
        found = measure(find(bundle), find(against), progress=progress, **settings)
    click.echo(found.table)
    if document is not None:
        write_document(found, document)
    if sheet is not None:
        write_sheet(found, sheet)
    if check and not found.verdict.passed:
        click.get_current_context().exit(1)


@main.command("build-engines")
@click.argument("bundle")
def build_engines(bundle: str) -> None:
    """Build the TensorRT engines of BUNDLE, one of target tensorrt, for the GPU of this machine."""
    from edgevlo.catalog import find
    from edgevlo.progress import progress_bar
    from edgevlo.runtime import engines
    from edgevlo.runtime.bundle import open_bundle

    opened = open_bundle(find(bundle))
    engines.check_bundle(opened)  # before anything is looked for
    device = engines.Device.find()
    with progress_bar() as progress:
        folder = engines.build_engines(opened, device, progress)
    click.echo(folder)


@main.command()
@click.argument("name", metavar="OWNER/NAME")
@click.option("--revision", help="Branch, tag or commit; the newest if none is given.")
@click.option("--pickle", "pickles", is_flag=True, help="Take pickled weights where there are no safetensors.")
def pull(name: str, revision: str | None, pickles: bool) -> None:
    """Get a bundle or a checkpoint from the hub and verify it; nothing in it is executed."""
    from edgevlo import catalog

    folder, kind = catalog.pull(name, revision=revision, pickles=pickles)
    click.echo(folder)
    if kind == "checkpoint":
        click.echo(f"{name} is a checkpoint; make a bundle of it: edgevlo export {name} -o BUNDLE", err=True)


@main.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """Print the models on this machine: bundles, and checkpoints that can be exported."""
    from edgevlo.catalog import entries

    found = list(entries())
    if as_json:
        facts = [
            {"name": one.name, "kind": one.kind, "what": one.what, "licence": one.licence, "bytes": one.bytes,
             "folder": str(one.folder)} for one in found
        ]  # fmt: skip
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    wide = max(len(one.name) for one in found) if found else 0
    for one in found:
        click.echo(f"{one.name:{wide}}  {one.kind:10}  {one.bytes / 1e6:9.1f} MB  {one.what}  {one.licence}".rstrip())


@main.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def rm(names: tuple[str, ...]) -> None:
    """Remove installed bundles, and checkpoints from the hub's cache."""
    from edgevlo.catalog import remove

    for name in names:
        click.echo(f"{name} removed, {remove(name) / 1e6:.1f} MB")


@main.command()
@click.argument("bundle", required=False)
@json_option
def show(bundle: str | None, as_json: bool) -> None:
    """Print what a bundle is and can do, its size on disk, and the memory that painting a picture takes."""
    from edgevlo.catalog import find
    from edgevlo.report import describe, memory_facts
    from edgevlo.runtime.manifest import encode_manifest, read_manifest

    folder = find(bundle)
    manifest = read_manifest(folder)
    if not as_json:
        click.echo(describe(manifest, folder))
        return
    facts = {**json.loads(encode_manifest(manifest)), "memory": memory_facts(manifest, folder)}
    click.echo(json.dumps(facts, ensure_ascii=False, indent=1))


@main.command()
@click.argument("bundle", required=False)
def verify(bundle: str | None) -> None:
    """Check every file of a bundle against its manifest, and open them all."""
    from edgevlo.catalog import find
    from edgevlo.runtime.bundle import open_bundle
    from edgevlo.runtime.model import Model

    model = Model(open_bundle(find(bundle)))  # not `load`: files are mapped, so that no bundle is too large for it
    model.check()
    files = model.manifest.files
    size = sum(file.bytes for file in files.values())
    click.echo(f"{model.bundle.folder} is whole: {len(files)} files, {size / 1e6:.1f} MB, graphs open.")


@main.command()
@json_option
def doctor(as_json: bool) -> None:
    """Print what this installation can do, and whether the embedded model works; exit with 1 if it does not."""
    from edgevlo.report import diagnose

    facts, works = diagnose()
    if as_json:
        click.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            click.echo(f"{name:16} {value}")
    if not works:
        click.get_current_context().exit(1)


class _MisplacedError(click.ClickException):
    """An argument that is missing or stands in another's place: one line that shows the right form."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"edgevlo: {self.format_message()}", err=True)


def _check_pictures(pictures: tuple[Path, ...], words: str, words_name: str, *, needed: bool = True) -> None:
    """Raise a usage error when there are no pictures before the words, or a picture stands in the words' place."""
    context = click.get_current_context()
    form = f"Usage: {context.command_path} PICTURE {words_name.upper()}"
    if _is_file(words):
        raise _MisplacedError(f"{context.info_name} takes its {words_name} after the picture {words}. {form}")
    if needed and not pictures:
        raise _MisplacedError(f"{context.info_name} needs a picture before its {words_name}. {form}")


def _is_file(path: str | Path) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # words are no file name: too long, not Unicode
        return False


def _paint(
    start: Callable[[Any, Any], Iterator[edgevlo.Stroke]],
    *,
    output: Path,
    model: str | None,
    count: int,
    codes: Path | None,
    watch: bool,
    as_json: bool,
    seed: int | None,
    **settings: Any,
) -> None:
    """Paint `count` pictures, show the rows as they come, write and report each."""
    from edgevlo.codes import numbered, write_codes
    from edgevlo.progress import follow
    from edgevlo.runtime.files import check_writable
    from edgevlo.runtime.provenance import check_png, save_png
    from edgevlo.runtime.settings import check_seed

    if watch and as_json:
        raise click.UsageError("--watch and --json both write to the output; choose one.")
    targets = list(zip(numbered(output, count), numbered(codes, count), strict=True))
    for picture_path, codes_path in targets:
        check_png(picture_path)
        if codes_path is not None:
            check_writable(codes_path)
            if codes_path.absolute() == picture_path.absolute():
                raise click.UsageError(f"{codes_path} cannot hold both the picture and its codes.")
    if seed is not None:
        check_seed(seed)
        check_seed(seed + count - 1)
    opened = edgevlo.load(model)
    for offset, (picture_path, codes_path) in enumerate(targets):
        began = time.perf_counter()
        this_seed = None if seed is None else seed + offset
        last = follow(start(opened, {**settings, "seed": this_seed}), watch=watch)
        picture = last.preview
        save_png(picture, picture_path)
        if codes_path is not None:
            write_codes(last.codes, codes_path)
        seconds = time.perf_counter() - began
        if as_json:
            facts = {"file": str(picture_path), "size": picture.size, "seconds": round(seconds, 3)}
            click.echo(json.dumps({**facts, "parameters": picture.info["parameters"]}, ensure_ascii=False))
        else:
            click.echo(f"{picture_path}  {picture.width}x{picture.height}  {seconds:.2f} s")


@contextmanager
def _toolchain() -> Iterator[None]:
    """Turn a missing toolchain package into the command that installs it."""
    try:
        yield
    except ImportError as error:
        needed = "this needs the toolchain, which is not installed: pip install 'edgevlo[export]'"
        raise EdgevloError(f"{needed} ({error}).") from error
