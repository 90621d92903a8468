"""`edgevlo bench`: how fast a bundle paints on this machine."""

import json

import click

from ..options import bundle_argument, json_option, threads_option


@click.command()
@bundle_argument
@click.option("--pictures", type=click.IntRange(1), default=3, show_default=True, help="Pictures to time.")
@threads_option
@json_option
def bench(bundle: str | None, pictures: int, as_json: bool) -> None:
    """Measure how fast BUNDLE paints here: opening, first row, step, picture, peak memory, distance from the floor."""
    from edgevlo.bench import bench, table
    from edgevlo.models.find import find

    figures = bench(find(bundle), pictures=pictures)
    click.echo(json.dumps(figures.document()) if as_json else table(figures))
