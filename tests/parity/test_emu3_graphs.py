"""Exported graphs of Emu3 against transformers, on inputs that the export's own comparison did not see."""

from functools import cached_property
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from exported import Exported
from torch.nn import functional

from edgevlo.runtime.bundle import open_bundle


class Pair:
    """One checkpoint in transformers, and its portable bundle."""

    def __init__(self, exported: Exported) -> None:
        self.shape, self.checkpoint, self.folder = exported.shape, exported.checkpoint, exported.portable
        self.manifest = open_bundle(self.folder).manifest

    @cached_property
    def reference(self) -> Any:
        from transformers import Emu3ForConditionalGeneration

        model: Any = Emu3ForConditionalGeneration.from_pretrained(self.checkpoint, dtype=torch.float32)
        return model.eval()

    def run(self, role: str, **feeds: Any) -> dict[str, Any]:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        session = ort.InferenceSession(self.folder / f"{role}.onnx", options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feeds), strict=True))


@pytest.fixture(scope="session")
def pair(exported: Exported) -> Pair:
    return Pair(exported)


def test_hidden_states_of_a_prompt_equal_the_references(pair: Pair) -> None:
    tokens = torch.from_numpy(np.random.default_rng(5).integers(0, 60, size=(1, 19)))
    table = np.fromfile(pair.folder / "token_embedding.bin", dtype="<f4").reshape(pair.manifest.token_embedding.shape)
    backbone = pair.manifest.backbone
    cache = np.zeros((1, backbone.kv_heads, 32, backbone.head_dim), np.float32)
    names = [tensor.name for tensor in pair.manifest.graphs["backbone"].inputs if tensor.name.startswith("past_")]
    caches = {name: cache for name in names if name != "past_lengths"}

    outputs = pair.run(
        "backbone",
        inputs_embeds=table[tokens.numpy()],
        past_lengths=np.zeros(1, np.int64),
        token_counts=np.array([19]),
        **caches,
    )

    with torch.no_grad():
        expected = pair.reference.model.text_model(input_ids=tokens).last_hidden_state.numpy()
        logits = pair.reference.lm_head(torch.from_numpy(outputs["last_hidden"])).numpy()
    np.testing.assert_allclose(outputs["hidden"], expected, atol=1e-4)
    np.testing.assert_array_equal(outputs["last_hidden"], outputs["hidden"][:, -1])
    np.testing.assert_allclose(pair.run("text_head", hidden=outputs["last_hidden"])["logits"], logits, atol=1e-4)


@pytest.mark.parametrize(("rows", "columns"), [(6, 8), (9, 2), (1, 5)])
def test_codes_are_equal_and_pixels_within_1e_4(pair: Pair, rows: int, columns: int) -> None:
    cell, p = pair.shape.cell, pair.shape.unshuffle
    random = np.random.default_rng(rows)
    pixels = random.uniform(-1, 1, (1, 3, rows * cell, columns * cell)).astype(np.float32)
    unshuffled = functional.pixel_unshuffle(torch.from_numpy(pixels), p)
    vq = pair.reference.model.vqmodel
    with torch.no_grad():
        (codes,) = vq.encode(unshuffled, torch.tensor([unshuffled.shape[-2:]])).image_tokens
        decoded = functional.pixel_shuffle(vq.decode(codes[None]), p).numpy()

    np.testing.assert_array_equal(pair.run("image_tokenizer", pixel_values=pixels)["codes"][0], codes.numpy())
    np.testing.assert_allclose(pair.run("image_decoder", codes=codes[None].numpy())["pixels"], decoded, atol=1e-4)


def test_random_pictures_have_many_codes(pair: Pair) -> None:
    cell = pair.shape.cell
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, 3, 8 * cell, 8 * cell)).astype(np.float32)
    assert len(np.unique(pair.run("image_tokenizer", pixel_values=pixels)["codes"])) >= 16
