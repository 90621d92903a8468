"""`edgevlo evaluate`: a quantised bundle compared with the one that it was made from."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from ..options import FilePath, needs_extra, threads_option
from ..streams import STREAM


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
@click.option(
    "--json",
    "document",
    type=click.Path(path_type=Path),
    help="JSON file to write; - is standard output, and the table goes to the error stream.",
)
@click.option("--sheet", type=FilePath(), help="PNG file of pictures side by side to write.")
@click.option("--check", is_flag=True, help="Exit with 1 if BUNDLE is below the limits of its precision.")
@threads_option
@click.option("--emulate", is_flag=True, help="Compute GPU graphs on the CPU, with every rounding of theirs.")
def evaluate(
    bundle: str, against: str, document: Path | None, sheet: Path | None, check: bool, emulate: bool, **settings: Any
) -> None:
    """Compare BUNDLE, a quantised one, with the bundle that it was made from."""
    with needs_extra("quantize" if emulate else "evaluate"):
        from edgevlo.calibration.evaluation.evaluate import evaluate as compare
        from edgevlo.calibration.evaluation.report_files import as_json, check_outputs, write_document, write_sheet

        if emulate:
            from edgevlo.quantization import open_emulated
    from edgevlo.models.find import find

    from ..progress import progress_bar

    printed = document == STREAM
    file = None if printed else document
    check_outputs(file, sheet)
    with progress_bar() as progress, ExitStack() as stack:
        candidate, reference = (
            stack.enter_context(open_emulated(find(name))) if emulate else find(name) for name in (bundle, against)
        )
        found = compare(candidate, reference, progress=progress, **settings)
    click.echo(found.table, err=printed)
    if printed:
        click.echo(as_json(found), nl=False)
    if file is not None:
        write_document(found, file)
    if sheet is not None:
        write_sheet(found, sheet)
    if check and not found.verdict.passed:
        click.get_current_context().exit(1)
