"""Second moments of what every linear layer reads: what is collected, and what it costs."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.calibration.moments import MomentObserver, moments_bytes, second_moments
from edgevlo.calibration.observe import Watched
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import MemoryShortError

only_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@only_one
def test_moments_are_those_of_the_inputs_of_every_linear_layer(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("paint: a red car\n")
    moments = second_moments(open_bundle(exported.portable), prompts=tmp_path / "prompts.txt", count=1)
    graph = ir.load(exported.portable / "backbone.onnx").graph
    named = {str(node.name) for node in graph if node.op_type == "MatMul"}
    assert named <= moments.keys()
    held = {id(one): one.nbytes for one in moments.values()}  # layers with the same input share theirs
    assert sum(held.values()) <= moments_bytes(open_bundle(exported.portable)) < 2 * sum(held.values())
    layer = next(name for name in named if name.endswith("layers.0.self_attn.q_proj"))
    assert moments[layer] is moments[layer.replace("q_proj", "k_proj")]
    assert moments[layer].shape == (exported.shape.hidden,) * 2
    np.testing.assert_allclose(moments[layer].tolist(), moments[layer].T.tolist(), rtol=1e-4)
    assert np.linalg.eigvalsh(moments[layer].astype(np.float64)).min() > -1e-3 * np.abs(moments[layer]).max()


@only_one
def test_moments_that_do_not_fit_are_refused_before_any_work(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgevlo.runtime.memory.refuse.available_bytes", lambda: 10_000_000)
    monkeypatch.setattr("edgevlo.calibration.moments.moments_bytes", lambda _bundle: 10_000_000)
    with pytest.raises(
        MemoryShortError, match=r"needs 1\d\.\d MB of memory for `method='gptq'`.*10\.0 MB are available"
    ):
        second_moments(open_bundle(exported.portable))


@pytest.mark.parametrize("steps", [1, 255, 700])
def test_moments_add_up_over_steps_and_rows_without_their_padding(steps: int) -> None:
    rng, observer, read = np.random.default_rng(1), MomentObserver({}), []
    for _ in range(steps):
        values, counts = rng.normal(size=(2, 3, 8)).astype(np.float32), rng.integers(1, 4, 2)
        rows: dict[str, Array] = {"past_lengths": np.zeros(2, dtype=np.int64), "token_counts": counts}
        observer.take("backbone", {"x": values, **rows}, [Watched("x", ("q", "k"), (-1,))])
        read += [row[:count].astype(np.float64) for row, count in zip(values, counts, strict=True)]
    found, expected = observer.finished(), np.concatenate(read).T @ np.concatenate(read)
    assert found["q"] is found["k"]
    np.testing.assert_allclose(found["q"], expected, rtol=1e-4, atol=1e-3)
