"""The toy bundle's manifest, and copies of a bundle with something changed."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
from toy_reference import CELL, COUNT, FIRST_TOKEN, HEAD_DIM, HIDDEN, KV_HEADS, LAYERS, MAX_POSITIONS, TOKENS

from edgevlo.runtime.bundle import seal
from edgevlo.runtime.manifest.abilities import Ability, Answer, Request
from edgevlo.runtime.manifest.graphs import Backbone, Graph, GraphRole, Table
from edgevlo.runtime.manifest.guidance import Branch, Guidance, Sampling
from edgevlo.runtime.manifest.pictures import Codes, Grid, Postprocess, Preprocess
from edgevlo.runtime.manifest.prompts import ImageBlock, Piece
from edgevlo.runtime.manifest.schema import FORMAT, Manifest, Producer, Source

TOY: Final = Path(__file__).parent / "toy"  # as toy_graphs.py wrote it


def token(name: str) -> Piece:
    return Piece(token=name)


TEXT: Final = Piece(field="text")
IMAGES: Final = Piece(field="images")


def toy_manifest(graphs: dict[GraphRole, Graph]) -> Manifest:
    painted = (token("<bos>"), TEXT)
    shown = (token("<bos>"), IMAGES, TEXT)
    return Manifest(
        format=FORMAT,
        name="toy",
        family="toy",
        producer=Producer(name="tests", version="1"),
        source=Source(id="tests/toy", licence="Apache-2.0"),
        target="cpu",
        graphs=graphs,
        token_embedding=Table(file="token_embedding.bin", dtype="float32", shape=(TOKENS, HIDDEN)),
        tokenizer="tokenizer.json",
        backbone=Backbone(
            layers=LAYERS, hidden_size=HIDDEN, kv_heads=KV_HEADS, head_dim=HEAD_DIM, max_positions=MAX_POSITIONS
        ),
        codes=Codes(count=COUNT, first_token=FIRST_TOKEN, cell=CELL),
        grid=Grid(rows=(1, 12), columns=(1, 12), cells=(1, 100), default=(4, 5), max_ratio=3.0),
        image_block=ImageBlock(
            open=(token("<image>"), Piece(field="rows"), Piece(text="*"), Piece(field="columns"), token("<grid>")),
            row_suffix=("<eol>",),
            close=("<eoi>",),
        ),
        guidance=Guidance(
            branches=(
                Branch(kind="prompt", constant=0.0, scale=1.0),
                Branch(kind="negative", constant=1.0, scale=-1.0),
            ),
            default_scale=2.0,
            negative_text="ugly",
        ),
        sampling=Sampling(temperature=1.0, top_k=0),
        answer=Answer(stop=("<eos>",), max_tokens=12),
        preprocess=Preprocess(min_pixels=CELL * CELL, max_pixels=100 * CELL * CELL),
        postprocess=Postprocess(rounding="round"),
        abilities={
            "paint": Ability(prompt=painted, output="image"),
            "edit": Ability(prompt=shown, output="image", images=(1, 2)),
            "ask": Ability(prompt=shown, output="text", images=(1, 2)),
            "detect": Ability(
                prompt=shown,
                output="detections",
                images=(1, 1),
                request=Request(text="find {objects}", everything="everything"),
                unit="cell",
            ),
            "segment": Ability(
                prompt=shown,
                output="image",
                images=(1, 1),
                request=Request(text="where is it"),
                sampling=Sampling(temperature=0.0),
                guidance_scale=1.0,
                labels={"car": (255, 0, 0)},
            ),
        },
        files={},
    )


def rewritten(
    toy: Path,
    destination: Path,
    *edits: Callable[[dict[str, Any]], object],
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Copy a bundle with other files and an edited manifest, sizes and hashes put right again."""
    shutil.copytree(toy, destination)
    for name, content in files.items():
        (destination / name).write_bytes(content)
    tree = json.loads((toy / "manifest.json").read_text())
    for edit in edits:
        edit(tree)
    (destination / "manifest.json").unlink()
    named = {graph["file"] for graph in tree["graphs"].values()}
    for path in destination.glob("*.onnx*"):
        if path.name.removesuffix(".data") not in named:
            path.unlink()
    seal(destination, msgspec.convert(tree, Manifest))
    return destination
