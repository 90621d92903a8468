"""The backbone by itself: rows of their own length over one static cache, compared with float64."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_reference import HIDDEN, REFERENCE, WEIGHTS

from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.graphs.backbone_kv_cache import Backbone
from edgevlo.runtime.graphs.embeddings import Embeddings
from edgevlo.runtime.graphs.onnx_sessions import open_graph

TOLERANCE = 5e-5  # float32 against float64; another token anywhere in the prompt changes more than 1e-2


@pytest.fixture(scope="module")
def make_backbone(toy: Path) -> Any:
    bundle = open_bundle(toy)
    session = open_graph(bundle, "backbone")

    def make(rows: int, capacity: int = 64) -> Backbone:
        return Backbone(session, bundle.manifest.backbone, Embeddings(WEIGHTS.table), rows=rows, capacity=capacity)

    return make


def test_rows_of_different_length_are_read_as_if_each_stood_alone(make_backbone: Any) -> None:
    backbone = make_backbone(3)
    prompts = [[1, 2, 3, 4, 5], [6], [7, 8, 9]]

    backbone.prefill(prompts)
    for row, prompt in enumerate(prompts):
        assert np.abs(backbone.last_hidden[row] - REFERENCE.hidden(prompt)[-1]).max() < TOLERANCE

    backbone.step((11, 12))
    for row, prompt in enumerate(prompts):
        assert np.abs(backbone.last_hidden[row] - REFERENCE.hidden([*prompt, 11, 12])[-1]).max() < TOLERANCE
    assert backbone.lengths.tolist() == [7, 3, 5]


def test_every_token_of_a_call_has_its_hidden_state(make_backbone: Any) -> None:
    backbone = make_backbone(2)
    backbone.prefill([[1, 2, 3], [4]])

    hidden = backbone.append([[5, 6], [7, 8, 9]])

    assert hidden.shape == (2, 3, HIDDEN)
    assert np.abs(hidden[0, :2] - REFERENCE.hidden([1, 2, 3, 5, 6])[3:]).max() < TOLERANCE
    assert np.abs(hidden[1] - REFERENCE.hidden([4, 7, 8, 9])[1:]).max() < TOLERANCE


def test_tokens_taken_back_leave_no_trace(make_backbone: Any) -> None:
    backbone = make_backbone(2)
    backbone.prefill([[1, 2, 3], [4]])
    kept = backbone.lengths.copy()
    first = backbone.append([[5, 6, 7], [5, 6, 7]]).copy()

    backbone.take_back(kept)
    backbone.append([[20, 21], [22]])
    backbone.take_back(kept + np.array([1, 0]))
    backbone.take_back(kept)
    again = backbone.append([[5, 6, 7], [5, 6, 7]])

    assert np.array_equal(again, first)
    assert backbone.lengths.tolist() == [6, 4]


def test_a_row_may_be_taken_back_further_than_another(make_backbone: Any) -> None:
    backbone = make_backbone(2)
    backbone.prefill([[1, 2, 3], [4, 5, 6]])

    backbone.take_back(np.array([1, 3]))
    backbone.step((9,))

    assert np.abs(backbone.last_hidden[0] - REFERENCE.hidden([1, 9])[-1]).max() < TOLERANCE
    assert np.abs(backbone.last_hidden[1] - REFERENCE.hidden([4, 5, 6, 9])[-1]).max() < TOLERANCE


@pytest.mark.parametrize("lengths", [[4, 1], [-1, 1]])
def test_only_tokens_that_are_there_can_be_taken_back(make_backbone: Any, lengths: list[int]) -> None:
    backbone = make_backbone(2)
    backbone.prefill([[1, 2, 3], [4]])

    with pytest.raises(ValueError, match="cannot take back"):
        backbone.take_back(np.array(lengths))


def test_a_new_prompt_forgets_the_old_one(make_backbone: Any) -> None:
    backbone = make_backbone(1)
    backbone.prefill([list(range(30))])

    backbone.prefill([[1, 2]])

    assert np.abs(backbone.last_hidden[0] - REFERENCE.hidden([1, 2])[-1]).max() < TOLERANCE


def test_the_cache_can_be_filled_to_the_last_place_and_no_further(make_backbone: Any) -> None:
    backbone = make_backbone(1, capacity=8)
    backbone.prefill([[1, 2, 3, 4, 5, 6]])
    backbone.step((7, 8))

    assert np.abs(backbone.last_hidden[0] - REFERENCE.hidden([1, 2, 3, 4, 5, 6, 7, 8])[-1]).max() < TOLERANCE
    with pytest.raises(RequestError, match="9 tokens do not fit into the KV cache of 8"):
        backbone.step((9,))


def test_keys_and_values_are_written_in_place(make_backbone: Any) -> None:
    backbone = make_backbone(1)
    keys = backbone._cache["keys.1"]
    backbone.prefill([[1, 2, 3]])
    before = keys.copy()

    backbone.step((4,))

    assert np.array_equal(keys[:, :, :3], before[:, :, :3])
    assert np.any(keys[:, :, 3] != 0)
    assert not np.any(keys[:, :, 4:])
