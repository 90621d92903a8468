"""The command line: reads arguments, calls the public API, prints. Holds no logic of its own."""

from collections.abc import Sequence

import click

import edgevlo

from .commands import COMMANDS
from .exit_codes import exit_code


@click.group(commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(edgevlo.__version__, prog_name="edgevlo")
def main() -> None:
    """Paint, edit and read pictures with one small model, on this machine."""


def run(arguments: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    return exit_code(main, arguments)
