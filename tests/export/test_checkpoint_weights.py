"""How weights are read: shards, pickles, names of old and new, and every precision."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from broken_checkpoint import SHAPE, refused, shard
from safetensors.torch import load_file, save_file

from edgevlo.export import export_checkpoint
from edgevlo.export.checkpoint import folder as reading
from edgevlo.export.checkpoint.folder import PICKLE_INDEX, SINGLE, Checkpoint, CheckpointWarning
from edgevlo.export.families.emu3.family import _canonical
from edgevlo.export.families.recognise import plan_export


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Return a copy to break."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint"))


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("exploded"),)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    torch.save({**load_file(folder / SINGLE), "bomb": Bomb()}, folder / name)
    (folder / SINGLE).unlink()
    refused(folder, f"{name} is a pickle, which can run code when loaded, and holds more than tensors")
    assert not (folder / "exploded").exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"PK\x03\x04", b"junk"])
def test_a_damaged_pickle(folder: Path, content: bytes) -> None:
    (folder / SINGLE).unlink()
    (folder / "pytorch_model.bin").write_bytes(content)
    refused(folder, "pytorch_model.bin is a pickle, .* or is damaged")


def test_a_pickle_of_something_else(folder: Path) -> None:
    (folder / SINGLE).unlink()
    torch.save({"model": {"lm_head.weight": torch.zeros(1)}, "step": 5}, folder / "model.pt")
    refused(folder, "model.pt is a pickle without a state dict")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_of_tensors_is_read_with_a_warning(folder: Path, zipped: bool) -> None:
    tensors = load_file(folder / SINGLE)
    (folder / SINGLE).unlink()
    torch.save(tensors, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    with pytest.warns(
        CheckpointWarning, match=r"pytorch_model\.bin is a pickle; .* prefer a checkpoint in safetensors$"
    ):
        checkpoint = plan_export(folder).checkpoint
    np.testing.assert_array_equal(checkpoint.tensor("lm_head.weight"), tensors["text_model.lm_head.weight"].numpy())
    np.testing.assert_array_equal(
        checkpoint.tensor("lm_head.weight", slice(2, 4)), tensors["text_model.lm_head.weight"][2:4].numpy()
    )


def test_pickled_shards_are_exported(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    (folder / SINGLE).unlink()
    names = sorted(tensors)
    parts = {"pytorch_model-1.bin": names[::2], "pytorch_model-2.bin": names[1::2]}
    for file, held in parts.items():
        torch.save({name: tensors[name] for name in held}, folder / file)
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / PICKLE_INDEX).write_text(json.dumps(index))
    with pytest.warns(CheckpointWarning, match="pytorch_model-1.bin is a pickle"):
        manifest = export_checkpoint(folder, folder.parent / "bundle")
    assert manifest.graphs["backbone"].parity is not None


def test_safetensors_are_preferred_to_a_pickle(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"never opened")
    assert plan_export(folder).checkpoint.has("lm_head.weight")


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("head", ["its own", "the table", "none"])
def test_the_head_is_the_one_that_transformers_takes(folder: Path, tied: bool, head: str) -> None:
    from transformers import Emu3ForConditionalGeneration

    if head == "none" and not tied:
        return  # refused, above
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["tie_word_embeddings"] = config["tie_word_embeddings"] = tied
    (folder / "config.json").write_text(json.dumps(config))
    tensors = load_file(folder / SINGLE)
    del tensors["text_model.lm_head.weight"]
    table = tensors["text_model.model.embed_tokens.weight"]
    if head != "none":
        tensors["text_model.lm_head.weight"] = table.clone() if head == "the table" else torch.randn(table.shape)
    save_file(tensors, folder / SINGLE)
    plan = plan_export(folder)
    hidden = np.random.default_rng(0).standard_normal((3, SHAPE.hidden)).astype(np.float32)

    model: Any = Emu3ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        expected = model.lm_head(torch.from_numpy(hidden)).numpy()
    np.testing.assert_allclose(plan.reference().text_logits(hidden), expected, atol=1e-6)
    np.testing.assert_allclose(hidden @ plan.checkpoint.transposed(plan.text_head), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_shards_of_every_precision_are_read_as_float32(folder: Path, dtype: torch.dtype) -> None:
    tensors = {name: tensor.to(dtype) for name, tensor in load_file(folder / SINGLE).items()}
    save_file(tensors, folder / SINGLE)
    shard(folder)
    checkpoint = Checkpoint(folder)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(checkpoint.tensor(name), tensor.float().numpy())
    rows = checkpoint.tensor("text_model.lm_head.weight", slice(3, 5))
    np.testing.assert_array_equal(rows, tensors["text_model.lm_head.weight"][3:5].float().numpy())


def test_a_matrix_is_transposed_in_blocks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK_BYTES", 7 * 4 * SHAPE.hidden)
    checkpoint, name = Checkpoint(folder), "text_model.lm_head.weight"
    np.testing.assert_array_equal(checkpoint.transposed(name), checkpoint.tensor(name).T)
    np.testing.assert_array_equal(checkpoint.transposed(name, slice(3, 40)), checkpoint.tensor(name)[3:40].T)


def test_tensors_are_found_under_their_old_and_new_names(folder: Path) -> None:
    names = ("lm_head.weight", "model.text_model.norm.weight", "model.vqmodel.quantize.embedding.weight")
    old = plan_export(folder).checkpoint
    expected = [old.tensor(name) for name in names]
    tensors = load_file(folder / SINGLE)
    assert any(name.startswith("text_model.model.layers") for name in tensors)  # as transformers 5 still saves them

    save_file({_canonical(name): tensor for name, tensor in tensors.items()}, folder / SINGLE)

    new = plan_export(folder).checkpoint
    assert old.shapes == new.shapes
    for name, array in zip(names, expected, strict=True):
        np.testing.assert_array_equal(new.tensor(name), array)
