"""Checkpoint -> portable bundle: plan, build, write, compare, seal. Knows no family and no operator."""

import gc
import re
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arguments import as_path
from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.bundle import Bundle, check_new, seal, staged_folder
from edgevlo.runtime.errors import BundleError, CheckpointError, EdgevloError
from edgevlo.runtime.graphs.large_blocks import give_back_large_blocks
from edgevlo.runtime.manifest.graphs import Backbone, Graph, GraphRole, Table
from edgevlo.runtime.manifest.schema import FORMAT, Manifest, Producer, Source, read_manifest
from edgevlo.runtime.model import Model
from edgevlo.runtime.tokenizer.tokenizer_rules import check_tokenizer

from .checkpoint.card import CARD_FILE, Card, read_card
from .checkpoint.licence import source, write_licence
from .export_plan import ExportPlan
from .families.recognise import plan_export
from .graphs.backbone import build_backbone
from .graphs.graph_builder import interface, write_graph
from .graphs.guided_image_head import build_image_head
from .graphs.text_head import build_text_head
from .parity import compare, compare_code_table, compare_table
from .torch_to_onnx import export_module

TABLE_FILE: Final = "token_embedding.bin"
CODE_TABLE_FILE: Final = "code_embedding.bin"
TABLE_ROWS: Final = 4096  # rows of the embedding table that are copied at a time


def export_checkpoint(checkpoint: Path | str, output: Path | str, *, progress: Progress | None = None) -> Manifest:
    """Write the portable bundle `output` of a Hugging Face checkpoint folder and return its manifest.

    Raises `CheckpointError` when the checkpoint cannot be exported, or when a graph of it differs from the original;
    `OutputError` when the output exists or cannot be written. In both cases nothing is left behind.
    """
    tell = progress or (lambda _what, _done, _all: None)
    checkpoint, output = as_path("checkpoint", checkpoint), as_path("output", output)
    check_new(output)
    give_back_large_blocks()
    tell("reading the checkpoint", 0, 1)
    plan = plan_export(checkpoint)
    card = read_card(checkpoint)
    with staged_folder(output) as folder:
        _write_tables(plan, folder, tell)
        roles = _write_graphs(plan, folder, tell)
        gc.collect()  # torch.export's programs refer to themselves, and to the image tokenizer's weights
        _write_tokenizer(plan, folder)
        origin = card.source or source(checkpoint, plan.weights_licence, binding=plan.licence_binds)
        write_licence(folder, checkpoint, origin)
        graphs = _compared(plan, folder, roles, tell)
        sealed = seal(folder, _manifest(plan, card, origin, graphs, card.name or _name(output)))
        _check_opens(folder, checkpoint)
        return sealed


def _write_tables(plan: ExportPlan, folder: Path, tell: Progress) -> None:
    """Write the embedding tables row-major and little-endian, the tokens' some rows at a time."""
    (rows, _), scale = plan.checkpoint.shapes[plan.embedding], np.float32(plan.embedding_scale)
    with (folder / TABLE_FILE).open("wb") as file:
        for start in range(0, rows, TABLE_ROWS):
            tell("token_embedding", start, rows)
            values = plan.checkpoint.tensor(plan.embedding, slice(start, start + TABLE_ROWS)) * scale
            file.write(values.astype("<f4").tobytes())
    if plan.code_embedding is not None:
        tell("code_embedding", 0, 1)
        plan.code_embedding().astype("<f4").tofile(folder / CODE_TABLE_FILE)


def _write_graphs(plan: ExportPlan, folder: Path, tell: Progress) -> list[GraphRole]:
    """Build and write every graph, only what is being written in memory; return which there are."""
    checkpoint = plan.checkpoint
    roles: list[GraphRole] = []

    def write(role: GraphRole, model: ir.Model) -> None:
        roles.append(role)
        write_graph(model, folder / f"{role}.onnx", lambda done, everything: tell(role, done, everything))

    write("backbone", build_backbone(checkpoint, plan.decoder))
    write("image_head", build_image_head(checkpoint, plan.image_head))
    write("text_head", build_text_head(checkpoint, plan.text_head))
    for role, graph in plan.torch_graphs().items():
        tell(role, 0, 1)
        write(role, export_module(graph, role))
    return roles


def _write_tokenizer(plan: ExportPlan, folder: Path) -> None:
    """Write `tokenizer.json`: the checkpoint's own, or what its family made of other files."""
    path = folder / "tokenizer.json"
    if plan.tokenizer is None:
        shutil.copyfile(plan.checkpoint.folder / path.name, path)
    else:
        plan.tokenizer.save(str(path))
    try:
        check_tokenizer(path)
    except BundleError as error:
        raise CheckpointError(str(error).replace(str(folder), str(plan.checkpoint.folder))) from error


def _compared(plan: ExportPlan, folder: Path, roles: Sequence[GraphRole], tell: Progress) -> dict[GraphRole, Graph]:
    """Compare every graph with the reference; return what the manifest says about each."""
    tell("loading the reference", 0, 1)
    reference = plan.reference()
    table = np.memmap(folder / TABLE_FILE, dtype="<f4", mode="r", shape=plan.checkpoint.shapes[plan.embedding])
    compare_table(table, plan, reference)
    if plan.code_embedding is not None:
        shape = (plan.codes.count, plan.decoder.hidden_size)
        compare_code_table(np.memmap(folder / CODE_TABLE_FILE, dtype="<f4", mode="r", shape=shape), plan, reference)
    graphs: dict[GraphRole, Graph] = {}
    for done, role in enumerate(roles):
        tell("comparing with the reference", done, len(roles))
        inputs, outputs = interface(folder / f"{role}.onnx")
        parity = compare(folder, plan, reference, role)
        graphs[role] = Graph(file=f"{role}.onnx", precision="fp32", inputs=inputs, outputs=outputs, parity=parity)
    tell("comparing with the reference", len(roles), len(roles))
    return graphs


def _manifest(plan: ExportPlan, card: Card, origin: Source, graphs: dict[GraphRole, Graph], name: str) -> Manifest:
    """Return the manifest: the family's defaults under the task card, and the graphs as they were measured."""
    cards = {field: getattr(card, field) for field in _DEFAULTED}
    parts = {field: getattr(plan.defaults, field) if part is None else part for field, part in cards.items()}
    decoder, rows_columns = plan.decoder, plan.checkpoint.shapes[plan.embedding]
    code_shape = (plan.codes.count, decoder.hidden_size)
    return Manifest(
        format=FORMAT,
        name=name,
        family=plan.family,
        producer=Producer(name="edgevlo", version=version("edgevlo")),
        source=origin,
        target="portable",
        graphs=graphs,
        token_embedding=Table(file=TABLE_FILE, dtype="float32", shape=(rows_columns[0], rows_columns[1])),
        code_embedding=None
        if plan.code_embedding is None
        else Table(file=CODE_TABLE_FILE, dtype="float32", shape=code_shape),
        tokenizer="tokenizer.json",
        backbone=Backbone(
            layers=decoder.layers,
            hidden_size=decoder.hidden_size,
            kv_heads=decoder.kv_heads,
            head_dim=decoder.head_dim,
            max_positions=decoder.max_positions,
        ),
        codes=plan.codes,
        image_block=plan.image_block,
        files={},
        **parts,
    )


def _check_opens(folder: Path, checkpoint: Path) -> None:
    """Open the bundle as the runtime will; what is refused now, after every comparison, is what the task card says."""
    try:
        Model(Bundle(folder=folder, manifest=read_manifest(folder), digest="")).check()
    except EdgevloError as error:
        reason = str(error).replace(f"{folder}/", "").split(". Export ")[0]
        raise CheckpointError(
            f"{checkpoint / CARD_FILE}: the bundle could not be opened ({reason}); no bundle was written. "
            "docs/export.md lists what a card may say."
        ) from error


# Parts of the manifest that a task card may override.
_DEFAULTED: Final = (
    "grid",
    "guidance",
    "sampling",
    "answer",
    "preprocess",
    "postprocess",
    "abilities",
    "domain",
)


def _name(output: Path) -> str:
    """Return a bundle name made of the output folder's, within what a manifest allows."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", output.name).lstrip("._-")[:128] or "bundle"
