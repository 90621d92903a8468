"""A bundle whose files share weights, taken apart: each graph has its own, and the table is float32."""

import shutil
from pathlib import Path

import msgspec
import onnx_ir as ir

from edgevlo.runtime.bundle import Bundle, open_bundle, sealed_bundle
from edgevlo.runtime.graphs.embeddings import map_table
from edgevlo.runtime.manifest.schema import FORMAT


def unshared(folder: Path, copy: Path) -> Bundle:
    """Write `copy`, the bundle in `folder` with the same numbers and nothing shared."""
    shutil.copytree(folder, copy)
    manifest = open_bundle(folder).manifest
    graphs = {}
    for role, graph in manifest.graphs.items():
        ir.save(ir.load(folder / graph.file), copy / graph.file, external_data=f"{graph.file}.data")
        graphs[role] = msgspec.structs.replace(graph, shared={})
    table = manifest.token_embedding
    if table.block is not None:
        map_table(folder, table)[:].astype("<f4").tofile(copy / table.file)
        table = msgspec.structs.replace(table, dtype="float32", block=None)
    return sealed_bundle(
        copy, msgspec.structs.replace(manifest, format=FORMAT, graphs=graphs, token_embedding=table, self_check=None)
    )
