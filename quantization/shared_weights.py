"""Weights that several files of a bundle hold, stored once: graphs name a place in another file of the bundle.

    text_head.onnx ─► token_embedding.bin: blocks, scales ◄─ image_head.onnx, from the row of the first code

They are found by their bytes, not by their names: tied embeddings, and the rows of an output matrix that are codes. A
matrix may also be some columns of a table, as a codebook is whose codes are searched for in fewer dimensions:

    image_decoder.onnx.data: codebook ─► Slice ─► Transpose ─► MatMul of image_tokenizer.onnx

ONNX Runtime folds the Slice and the Transpose when it opens the graph.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Array, Octets
from edgevlo.runtime.graphs.integer_table import PAGE, scales_start
from edgevlo.runtime.manifest.graphs import Graph, GraphRole, Table
from edgevlo.runtime.manifest.schema import SHARED_FORMAT, Manifest

from .passes._graph import constant, registered

_LEAST: Final = PAGE  # bytes; smaller tensors are not worth it
_TOGETHER: Final = 4096  # rows that are compared at once
_LEAST_COLUMNS: Final = 1 << 16  # bytes; fewer are not worth two nodes
_KEY: Final = 8  # bytes of a row by which it is looked for


@dataclass(frozen=True, slots=True)
class _Stored:
    """A tensor as it lies in a file of the bundle: of a graph, or of a table, which has no role."""

    file: str
    offset: int
    dtype: ir.DataType
    shape: tuple[int, ...]
    role: GraphRole | None = None
    name: str = ""

    @property
    def row_bytes(self) -> int:
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.bitwidth // 8

    @property
    def bytes(self) -> int:
        return self.shape[0] * self.row_bytes

    def rows(self, folder: Path) -> Octets:
        """Return the rows as bytes, mapped."""
        shape = (self.shape[0], self.row_bytes)
        return np.asarray(np.memmap(folder / self.file, np.uint8, "r", offset=self.offset, shape=shape))


Models: TypeAlias = Mapping[GraphRole, ir.Model]
Home: TypeAlias = tuple[_Stored, int]  # where a tensor is stored, and so many bytes after the beginning of that
Moves: TypeAlias = dict[tuple[GraphRole, str], Home]  # of a graph's tensors, by name


def share_weights(folder: Path, manifest: Manifest) -> Manifest:
    """Store every large tensor of the graphs once that is a run of rows of another file's; return the manifest.

    The graphs' files are written anew where they refer to others; no number of them changes.
    """
    models = {role: ir.load(folder / graph.file) for role, graph in manifest.graphs.items()}
    stored = [*_of_table(manifest.token_embedding), *(one for role in models for one in _of_graph(role, models[role]))]
    moves = _moves(folder, stored)
    moves |= _column_moves(folder, models, stored, moves)
    graphs = dict(manifest.graphs)
    roles = sorted({role for role, _ in moves})
    for role in roles:  # first all, because what is left in a file may begin elsewhere then
        _leave_out(folder, graphs[role], models[role], {name for owner, name in moves if owner == role})
    for role in roles:
        moved = {name: homes for (owner, name), homes in moves.items() if owner == role}
        graphs[role] = _referring(folder, graphs[role], models, role, moved)
    shares = bool(moves) or manifest.token_embedding.block is not None
    return msgspec.structs.replace(manifest, format=SHARED_FORMAT if shares else manifest.format, graphs=graphs)


def _of_table(table: Table) -> list[_Stored]:
    """Return the blocks and scales of a table that has a head's; of another layout there is nothing to share."""
    if table.block is None:
        return []
    rows, columns = table.shape
    blocks = -(-columns // table.block)
    return [
        _Stored(table.file, 0, ir.DataType.UINT8, (rows, blocks, table.block)),
        _Stored(table.file, scales_start(rows, columns, table.block), ir.DataType.FLOAT, (rows, blocks)),
    ]


def _of_graph(role: GraphRole, model: ir.Model) -> list[_Stored]:
    found = []
    for name, value in model.graph.initializers.items():
        tensor = value.const_value
        if isinstance(tensor, ir.ExternalTensor) and tensor.nbytes >= _LEAST and tensor.dtype.bitwidth >= 8:
            place = str(tensor.location), tensor.offset or 0
            found.append(_Stored(*place, tensor.dtype, tensor.shape.numpy(), role, name))
    return found


def _moves(folder: Path, stored: Iterable[_Stored]) -> Moves:
    """Return the tensors that are rows of another file's tensor: of a table first, then of the largest."""
    alike: dict[object, list[_Stored]] = defaultdict(list)
    for one in sorted(stored, key=lambda one: (one.role is not None, -one.bytes)):
        alike[one.dtype, one.shape[1:]].append(one)
    moves: Moves = {}
    for waiting in alike.values():
        while waiting:
            home, left = waiting.pop(0), list[_Stored]()
            others = [one for one in waiting if one.file != home.file]
            starts = _starts(home.rows(folder), [one.rows(folder) for one in others])
            for one, start in zip(others, starts, strict=True):
                if start is None or one.role is None:
                    left.append(one)
                else:
                    moves[one.role, one.name] = home, start * home.row_bytes
            waiting[:] = [one for one in waiting if one.file == home.file or one in left]
    return moves


def _starts(home: Octets, others: list[Octets]) -> list[int | None]:
    """Return the first row of `home` from which on its rows are another's, for each of the others."""
    if not others:
        return []
    keys = np.ascontiguousarray(home[:, :_KEY])
    found: list[int | None] = []
    for other in others:
        starts = np.flatnonzero((keys == other[0, :_KEY]).all(axis=1))
        found.append(next((int(start) for start in starts if _begins_with(home[start:], other)), None))
    return found


def _begins_with(home: Octets, other: Octets) -> bool:
    return len(other) <= len(home) and all(
        np.array_equal(home[start : start + _TOGETHER][: len(other) - start], other[start : start + _TOGETHER])
        for start in range(0, len(other), _TOGETHER)
    )


def _column_moves(folder: Path, models: Models, stored: Iterable[_Stored], moves: Moves) -> Moves:
    """Let matrices that are columns of another graph's table be cut out of it; return where the tables are."""
    homes = {home for home, _ in moves.values()}
    there = [one for one in stored if len(one.shape) == 2 and (one.role, one.name) not in moves]
    found: Moves = {}
    for one in there:
        for table in there:
            if one.role is None or table.role is None or table.file == one.file or one.bytes < _LEAST_COLUMNS:
                continue
            start = None if one in homes or one.dtype != table.dtype else _first_column(folder, table, one)
            if start is not None:
                name = f"{one.name}.table"
                _cut_out(models[one.role].graph, one, table, name, start)
                found[one.role, name] = table, 0
                homes.add(table)
                break
    return found


def _first_column(folder: Path, table: _Stored, one: _Stored) -> int | None:
    """Return from which column on the columns of a table are the rows of a matrix."""
    (width, count), dtype = one.shape, one.dtype.numpy()
    if count != table.shape[0] or width > table.shape[1]:
        return None
    columns, matrix = (part.rows(folder).view(dtype).reshape(part.shape) for part in (table, one))
    starts = range(table.shape[1] - width + 1)
    return next((at for at in starts if _are_columns(columns[:, at : at + width], matrix)), None)


def _are_columns(columns: Array, matrix: Array) -> bool:
    steps = range(0, len(columns), _TOGETHER)
    return np.array_equal(columns[0], matrix[:, 0]) and all(
        np.array_equal(columns[at : at + _TOGETHER], matrix[:, at : at + _TOGETHER].T) for at in steps
    )


def _cut_out(graph: ir.Graph, one: _Stored, table: _Stored, name: str, start: int) -> None:
    """Replace a matrix by the columns of a table that it is."""
    whole = registered(graph, _lies_in(table, name))
    ends = [constant(graph, f"{one.name}.{what}", np.array([at])) for what, at in
            (("first", start), ("end", start + one.shape[0]), ("axis", 1))]  # fmt: skip
    cut = ir.node("Slice", [whole, *ends], name=f"{one.name}.columns")
    turned = ir.node("Transpose", [cut.outputs[0]], attributes={"perm": [1, 0]}, name=f"{one.name}.rows")
    value = graph.initializers[one.name]
    turned.outputs[0].shape, turned.outputs[0].type = value.shape, value.type
    for use in list(value.uses()):
        use.node.replace_input_with(use.idx, turned.outputs[0])
    graph.insert_before(graph[0], [cut, turned])
    del graph.initializers[one.name]


def _lies_in(stored: _Stored, name: str) -> ir.ExternalTensor:
    return ir.ExternalTensor(
        stored.file, stored.offset, stored.bytes, stored.dtype, shape=ir.Shape(stored.shape), name=name, base_dir=""
    )


def _leave_out(folder: Path, graph: Graph, model: ir.Model, moved: Collection[str]) -> None:
    """Write a graph's own weights anew, without those that are in other files and the gaps that they leave."""
    values = model.graph.initializers.values()
    kept = [one for one in values if isinstance(one.const_value, ir.ExternalTensor) and one.name not in moved]
    data = f"{graph.file}.data"
    before = (folder / data).rename(folder / f"{data}.before")
    if kept:
        tensors = [_in_file(before, one.const_value) for one in kept]
        written = ir.external_data.convert_tensors_to_external(
            tensors, folder, data, alignment=PAGE, align_threshold=PAGE
        )
        for value, tensor in zip(kept, written, strict=True):
            value.const_value = tensor
    before.unlink()


def _referring(folder: Path, graph: Graph, models: Models, role: GraphRole, moved: Mapping[str, Home]) -> Graph:
    """Write a graph some of whose tensors are in other files; return its entry in the manifest."""
    shared: dict[str, int] = defaultdict(int)
    initializers = models[role].graph.initializers
    for name, (home, start) in moved.items():
        tensor = initializers[name].const_value
        assert tensor is not None
        offset = home.offset
        if home.role is not None:
            written = models[home.role].graph.initializers[home.name].const_value
            assert isinstance(written, ir.ExternalTensor)
            offset = written.offset or 0
        shared[home.file] += tensor.nbytes
        initializers[name].const_value = ir.ExternalTensor(
            home.file,
            offset + start,
            tensor.nbytes,
            tensor.dtype,
            shape=ir.Shape(tensor.shape.numpy()),
            name=name,
            base_dir=folder,
        )
    ir.save(models[role], folder / graph.file)  # tensors in files beside it are named, not written
    return msgspec.structs.replace(graph, shared=dict(sorted(shared.items())))


def _in_file(file: Path, tensor: ir.TensorProtocol | None) -> ir.ExternalTensor:
    assert isinstance(tensor, ir.ExternalTensor)
    return ir.ExternalTensor(
        file.name,
        tensor.offset,
        tensor.length,
        tensor.dtype,
        shape=ir.Shape(tensor.shape.numpy()),
        name=str(tensor.name),
        base_dir=file.parent,
    )
