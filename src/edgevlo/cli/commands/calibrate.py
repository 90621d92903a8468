"""`edgevlo calibrate`: the ranges of a bundle's tensors, observed."""

import json
from pathlib import Path
from typing import Any

import click

from ..options import FilePath, json_option, needs_extra, threads_option


@click.command()
@click.argument("bundle")
@click.option("-o", "--output", type=FilePath(), help="Folder to write. [default: BUNDLE.calib]")
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
    with needs_extra("quantize"):
        from edgevlo.calibration import calibrate as observe
        from edgevlo.calibration import summary
    from edgevlo.models.find import find

    from ..progress import progress_bar

    folder = find(bundle)
    target = Path(f"{folder.name}.calib") if output is None else output
    with progress_bar() as progress:
        made = observe(folder, target, progress=progress, **settings)
    click.echo(json.dumps(summary(made), ensure_ascii=False) if as_json else "\n".join(summary(made)["lines"]))
    click.echo(target, err=as_json)
