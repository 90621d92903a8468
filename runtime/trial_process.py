"""Every part of a bundle used once, in the least that it can be asked: what a trial does in its process."""

import hashlib
import json
import resource
import sys
from pathlib import Path

import numpy as np

from .backends import on_device, open_runner
from .bundle import Bundle
from .engine import Engine
from .errors import EdgevloError
from .manifest.guidance import Sampling
from .manifest.schema import MANIFEST_FILE, Manifest, read_manifest
from .model import Model
from .pictures.sizes import GridRule, Shape
from .tokenizer.tokenizer_rules import check_tokenizer


def rehearse(folder: Path) -> None:
    """Open and run everything of a bundle whose files were verified; raise `BundleError` at the first that fails.

    The graphs of a bundle for GPUs are left alone: they are opened where there is one.
    """
    digest = hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()
    bundle = Bundle(folder=folder, manifest=read_manifest(folder), digest=digest)
    check_tokenizer(bundle.path(bundle.manifest.tokenizer))
    engine = Engine(bundle, lambda opened, role: open_runner(opened, role, prepack=False))
    model = Model(bundle, engine)
    model.check_tokens()
    engine.check_weights()
    if not on_device(bundle.manifest):
        engine.open_all()
        _run(engine, bundle.manifest)


def _run(engine: Engine, manifest: Manifest) -> None:
    graphs, shape = manifest.graphs, _least(manifest)
    if "backbone" in graphs:
        _step(engine, manifest)
    if "image_decoder" in graphs:
        engine.decode(np.zeros((shape.rows, shape.columns), dtype=np.int64))
    if "image_tokenizer" in graphs:
        width, height = GridRule(grid=manifest.grid, cell=manifest.codes.cell).size(shape)
        engine.encode(np.zeros((1, 3, height, width), dtype=np.float32))
    if "vision_encoder" in graphs and (square := manifest.preprocess.fit_pad_square) is not None:
        engine.features(np.zeros((1, 3, square.side, square.side), dtype=np.float32))


def _step(engine: Engine, manifest: Manifest) -> None:
    """Read two tokens, take a step, and draw what follows."""
    with engine.painter([[0, 0]], 1) as painter:
        painter.backbone.step((0,))
        if "image_head" in manifest.graphs:
            painter.head.set(np.ones(1, dtype=np.float32), Sampling())
            painter.head.draw(0.5)
        if "text_head" in manifest.graphs:
            engine.text_choice(painter.backbone)()


def _least(manifest: Manifest) -> Shape:
    rule = GridRule(grid=manifest.grid, cell=manifest.codes.cell)
    return rule.nearest(rule.cell, rule.cell)


def _main(folder: str, seconds: str, memory: str) -> int:
    """Be a trial's child: bound this process, then open and run everything; print what was raised."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        rehearse(Path(folder))
    except EdgevloError as error:
        print(f"\n{json.dumps({'kind': type(error).__name__, 'message': str(error)})}")  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
