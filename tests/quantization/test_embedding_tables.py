"""Embedding tables in integers and half precision, and how rows are read from them."""

from pathlib import Path

import numpy as np
import pytest
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.quantization import quantize
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.graphs.integer_table import BLOCK, IntegerTable, packed_rows, row_bytes
from edgevlo.runtime.model import Model

only_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@pytest.mark.parametrize("columns", [192, 100, 7])  # 100, 7: the last block and the last byte are not whole
@pytest.mark.parametrize(("bits", "most"), [(8, 0.5 / 127), (4, 0.5 / 7)])
def test_tables_of_integers_are_near_their_rows(columns: int, bits: int, most: float) -> None:
    random = np.random.default_rng(4)
    rows = (random.standard_normal((50, columns)) * np.exp(3 * random.standard_normal((50, 1)))).astype(np.float32)
    rows[7] = 0
    packed_table = packed_rows(rows, bits)
    table = IntegerTable(packed_table, columns, bits)
    assert packed_table.shape == (50, row_bytes(columns, bits))
    wanted = np.array([3, 7, 49, 3])
    for block in range(0, columns, BLOCK):
        exact, found = rows[wanted, block : block + BLOCK], table[wanted][:, block : block + BLOCK]
        peaks = np.abs(exact.astype(np.float64)).max(axis=1, keepdims=True)
        assert (np.abs(found - exact) <= most * peaks * (1 + 1e-6)).all()
    np.testing.assert_array_equal(table[3], table[wanted][0])


@only_one
@pytest.mark.parametrize(("kind", "dtype"), [("fp16", "float16"), ("int8", "int8"), ("int4", "int4")])
def test_tables_become_what_is_asked_and_are_read(exported: Exported, tmp_path: Path, kind: str, dtype: str) -> None:
    made = quantize(exported.portable, tmp_path / "made", weights="fp32", overrides=[f"tables={kind}"], requests=0)
    assert made.token_embedding.dtype == dtype
    exact = np.fromfile(exported.portable / "token_embedding.bin", dtype="<f4").reshape(made.token_embedding.shape)
    row = Engine(open_bundle(tmp_path / "made"))._embeddings.row(5)
    assert (
        0 < np.linalg.norm(row - exact[5]) / np.linalg.norm(exact[5]) < {"fp16": 1e-3, "int8": 1e-2, "int4": 0.15}[kind]
    )
    Model.open(tmp_path / "made").paint("a red car", seed=1)
