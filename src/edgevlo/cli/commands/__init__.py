"""The commands, those about one subject in one module, and the list of them all."""

from typing import Final

import click

from . import (
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

COMMANDS: Final[tuple[click.Command, ...]] = (
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
