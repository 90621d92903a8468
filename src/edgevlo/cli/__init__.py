"""The command line: reads arguments, calls the public API, prints. Holds no logic of its own."""

from collections.abc import Sequence
from typing import Final

import click

import edgevlo

from .commands import (
    bench,
    build_engines,
    calibrate,
    doctor,
    evaluate,
    export,
    models,
    paint,
    perceive,
    quantize,
    serve,
)
from .exit_codes import exit_code

_COMMANDS: Final[tuple[click.Command, ...]] = (
    paint.paint,
    paint.edit,
    paint.interleave,
    paint.decode,
    perceive.segment,
    perceive.edges,
    perceive.depth,
    perceive.normals,
    perceive.pose,
    perceive.ask,
    perceive.detect,
    perceive.inspect,
    export.export,
    quantize.quantize,
    calibrate.calibrate,
    evaluate.evaluate,
    build_engines.build_engines,
    serve.serve,
    serve.ps,
    serve.stop,
    models.pull,
    models.list_models,
    models.rm,
    models.show,
    models.verify,
    bench.bench,
    doctor.doctor,
)


@click.group(commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(edgevlo.__version__, prog_name="edgevlo")
def main() -> None:
    """Paint, edit and read pictures with one small model, on this machine."""


def run(arguments: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    return exit_code(main, arguments)
