"""Embeddings that are a head's weights: rounded as the head is and laid out as its blocks, so that one file holds both.

A head's int8 blocks are as exact as the bytes of any other table, and the runtime looks their rows up as they are.
`shared_weights.py` then lets the head refer to the table.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast, get_args

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Floats, Octets
from edgevlo.runtime.graphs.integer_table import scales_start
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import Manifest

from ..precision_recipes import Blocks
from ..weight_only.methods import packed
from ..weight_only.packing import Packed

BlockSize: TypeAlias = Literal[32, 64, 128]

_ROWS: Final = 4096  # at a time
_HEADS: Final[tuple[GraphRole, ...]] = ("text_head", "image_head")
_BITS: Final = 8
_SYMMETRIC_INPUTS: Final = 3  # what enters, numbers and scales; the fourth are zero points


def block_of_head(rows: Floats, folder: Path, manifest: Manifest) -> BlockSize | None:
    """Return the block size of an int8 head in `folder` whose weights are rows of the table; None if there is none.

    The head's first and last row are compared, where the table's first token or its first code stands.
    """
    for numbers, block in _int8_heads(folder, manifest, rows.shape[1]):
        count, first_and_last = numbers.shape.numpy()[0], _first_and_last(numbers)
        for start in (0, manifest.codes.first_token):
            ends = [start, start + count - 1]
            if ends[1] < len(rows) and np.array_equal(_blocks(rows[ends], block).blocks, first_and_last):
                return block
    return None


def write_blocks(rows: Floats, target: Path, block: BlockSize) -> None:
    """Write a table in a head's blocks; raise `BundleError` for NaN or infinity."""
    scales = []
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for start in range(0, len(rows), _ROWS):
            made = _blocks(rows[start : start + _ROWS], block, target.name)
            file.write(made.blocks.tobytes())
            scales.append(made.scales)
        file.seek(scales_start(len(rows), rows.shape[1], block))
        file.write(np.concatenate(scales).astype("<f4").tobytes())


def _int8_heads(folder: Path, manifest: Manifest, columns: int) -> Iterator[tuple[ir.TensorProtocol, BlockSize]]:
    """Yield the numbers `(N, blocks, block)` of the heads' symmetric int8 layers over so many columns."""
    for role in _HEADS:
        if role not in manifest.graphs:
            continue
        for node in ir.load(folder / manifest.graphs[role].file).graph:
            if node.op_type != "MatMulNBits" or len(node.inputs) != _SYMMETRIC_INPUTS or node.inputs[1] is None:
                continue
            bits, inputs, block = (node.attributes[name].as_int() for name in ("bits", "K", "block_size"))
            numbers = ir.convenience.get_const_tensor(node.inputs[1])
            if (bits, inputs) == (_BITS, columns) and block in get_args(BlockSize) and numbers is not None:
                yield numbers, cast(BlockSize, block)


def _first_and_last(tensor: ir.TensorProtocol) -> Octets:
    """Return two rows of a tensor. No more is read of a file: what the tensor itself maps would stay resident."""
    if not isinstance(tensor, ir.ExternalTensor):
        return np.asarray(tensor.numpy()[[0, -1]])
    mapped = np.memmap(tensor.path, np.uint8, "r", offset=tensor.offset or 0, shape=tensor.shape.numpy())
    return np.array(mapped[[0, -1]])


def _blocks(rows: Floats, block: BlockSize, name: str = "token_embedding") -> Packed:
    made = packed(name, rows.T, Blocks(precision="int8", bits=_BITS, block_size=block))
    return made._replace(blocks=made.blocks.reshape(len(rows), -1, block))
