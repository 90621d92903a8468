"""`edgevlo export`: a checkpoint into a portable bundle."""

import json
from pathlib import Path

import click

from ..options import FilePath, needs_extra
from ..printing import say


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
@click.option("-o", "--output", type=FilePath(), required=True, help="Bundle folder to make.")
@click.option(
    "--list",
    is_flag=True,
    expose_value=False,
    help="List what can be exported; with --json as JSON.",
)
@click.option("--json", is_flag=True, expose_value=False, hidden=True)
def export(checkpoint: str, output: Path) -> None:
    """Turn CHECKPOINT, a folder or a hub id, into a portable bundle."""
    with needs_extra("export"):
        from edgevlo.export import export_checkpoint
    from edgevlo.models.hub import fetch
    from edgevlo.models.places import is_hub_id

    from ..progress import progress_bar

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
