"""`edgevlo doctor`: what this installation can do."""

import json

import click

from ..options import json_option, threads_option


@click.command()
@threads_option
@json_option
def doctor(as_json: bool) -> None:
    """Print what this installation can do, and whether the embedded model works; exit with 1 if it does not."""
    from edgevlo.doctor import diagnose

    facts, works = diagnose()
    if as_json:
        click.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            click.echo(f"{name:16} {value}")
    if not works:
        click.get_current_context().exit(1)
