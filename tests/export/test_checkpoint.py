"""Checkpoints that cannot be exported: one line that says what, where and what to do, and nothing left behind."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import Shape, make_checkpoint
from safetensors.torch import load_file, save_file

from edgevlo.export import export_checkpoint
from edgevlo.export.checkpoint import INDEX, SINGLE, Checkpoint
from edgevlo.export.families import plan_export
from edgevlo.export.families.emu3 import _canonical
from edgevlo.runtime.errors import CheckpointError, OutputError

SHAPE = Shape(name="broken", unshuffle=16, multipliers=(1,), layers=1, hidden=32, mlp=32, codes=64)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint") / "whole", SHAPE)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """Return a copy to break."""
    return Path(shutil.copytree(whole, tmp_path / "checkpoint"))


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def shard(folder: Path) -> list[str]:
    """Split the weights into two files with an index, as large checkpoints come."""
    tensors = load_file(folder / SINGLE)
    names = sorted(tensors)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, held in parts.items():
        save_file({name: tensors[name] for name in held}, folder / file)
    (folder / SINGLE).unlink()
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / INDEX).write_text(json.dumps(index))
    return list(parts)


def refused(folder: Path, match: str) -> None:
    output = folder.parent / "bundle"
    with pytest.raises(CheckpointError, match=match) as caught:
        export_checkpoint(folder, output)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["checkpoint"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nowhere is not a folder"):
        export_checkpoint(tmp_path / "nowhere", tmp_path / "bundle")


def test_no_config(folder: Path) -> None:
    (folder / "config.json").unlink()
    refused(folder, "config.json is missing")


@pytest.mark.parametrize("content", ["{", "[]", '"Emu3"'])
def test_a_config_that_is_no_json_object(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    refused(folder, "config.json")


def test_an_unknown_class_is_named_with_the_supported_ones(folder: Path) -> None:
    change(folder / "config.json", architectures=["LlamaForCausalLM"])
    refused(folder, "class LlamaForCausalLM; edgevlo exports Emu3ForConditionalGeneration")


def test_a_config_without_a_class(folder: Path) -> None:
    change(folder / "config.json", architectures=None, model_type="llama")
    refused(folder, "model type 'llama'; edgevlo exports Emu3")


def test_a_config_whose_values_make_no_model(folder: Path) -> None:
    change(folder / "config.json", vocabulary_map=[1, 2])
    refused(folder, "not a usable Emu3 config")


@pytest.mark.parametrize(
    ("part", "values", "match"),
    [
        (
            "text_config",
            {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}},
            "rope_type 'yarn'",
        ),
        ("text_config", {"hidden_act": "gelu"}, "hidden_act 'gelu'"),
        ("text_config", {"hidden_size": 64}, "has shape .* but config.json means"),
        ("text_config", {"vocab_size": 5000}, "has shape .* but config.json means"),
        ("text_config", {"num_hidden_layers": 2}, r"tensor model.text_model.layers.1\S+ is missing"),
        ("vq_config", {"in_channels": 6, "out_channels": 6}, "6 channels in and 6 out"),
        ("vq_config", {"out_channels": 3}, "768 channels in and 3 out"),
        ("vq_config", {"temporal_downsample_factor": 3}, "temporal_downsample_factor 3; edgevlo exports 1, 2, 4 and 8"),
        ("vq_config", {"base_channels": 20}, "not a usable Emu3 config .*num_channels"),
        ("text_config", {"eos_token_id": 99999}, "names no token for bos_token_id 1 or eos_token_id 99999"),
    ],
)
def test_a_config_that_does_not_fit(folder: Path, part: str, values: dict[str, object], match: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    change(folder / "config.json", **{part: config[part] | values})
    refused(folder, match)


def test_a_pickled_checkpoint(folder: Path) -> None:
    (folder / SINGLE).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    refused(folder, "is a pickle, which can run code")


def test_no_weights(folder: Path) -> None:
    (folder / SINGLE).unlink()
    refused(folder, f"holds no {SINGLE}")


def test_a_missing_shard(folder: Path) -> None:
    _, second = shard(folder)
    (folder / second).unlink()
    refused(folder, f"{second} is missing; {INDEX} names it")


def test_an_index_that_leaves_the_folder(folder: Path) -> None:
    shard(folder)
    (folder / INDEX).write_text(json.dumps({"weight_map": {"lm_head.weight": "../model-1.safetensors"}}))
    refused(folder, "no usable weight_map")


@pytest.mark.parametrize("content", ["{}", '{"weight_map": []}', '{"weight_map": {}}', "[]"])
def test_an_index_that_names_nothing(folder: Path, content: str) -> None:
    shard(folder)
    (folder / INDEX).write_text(content)
    refused(folder, "index.json (has no usable weight_map|holds no JSON object)")


@pytest.mark.parametrize("bytes_left", [0, 7, 500, -1])
def test_truncated_weights(folder: Path, bytes_left: int) -> None:
    content = (folder / SINGLE).read_bytes()
    (folder / SINGLE).write_bytes(content[:bytes_left])
    refused(folder, f"{SINGLE} is truncated or damaged")


def test_a_missing_tensor(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    del tensors["vqmodel.quantize.embedding.weight"]
    save_file(tensors, folder / SINGLE)
    refused(folder, "tensor model.vqmodel.quantize.embedding.weight is missing")


def test_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    refused(folder, "tokenizer.json is missing")


def test_a_broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    refused(folder, "tokenizer.json is not a tokenizer")


@pytest.mark.parametrize("token", ["<|image start|>", "<|extra_200|>", "<|visual token 000003|>"])
def test_tokens_that_config_and_tokenizer_number_differently(folder: Path, token: str) -> None:
    text = (folder / "tokenizer.json").read_text().replace(token, token.replace("|>", "!|>"))
    added = text.replace('"a"', json.dumps(token))
    (folder / "tokenizer.json").write_text(added)
    number = json.loads(added)["model"]["vocab"][token]
    refused(folder, rf"tokenizer.json has .* as {number}, config.json's vocabulary_map")


def test_codes_that_are_not_consecutive(folder: Path) -> None:
    vocabulary = json.loads((folder / "config.json").read_text())["vocabulary_map"]
    vocabulary["<|visual token 000010|>"] = 5
    change(folder / "config.json", vocabulary_map=vocabulary)
    refused(folder, "gives <|visual token 000010|> the token 5")


@pytest.mark.parametrize("values", [{"image_mean": [0.1, 0.2, 0.3]}, {"min_pixels": 0}, {"resample": 17}])
def test_a_preprocessor_that_cannot_be_stated(folder: Path, values: dict[str, object]) -> None:
    change(folder / "preprocessor_config.json", **values)
    refused(folder, "preprocessor_config.json")


@pytest.mark.parametrize(
    ("card", "match"),
    [
        ('{"sampling": {"temprature": 1}}', "unknown field `temprature` - at `\\$.sampling`"),
        ('{"sampling": {"temperature": -1}}', "Expected `float` >= 0"),
        ('{"colour": "red"}', "unknown field `colour`"),
        ('{"name": ', "edgevlo.json: Input data was truncated"),
    ],
)
def test_a_task_card_that_says_something_else(folder: Path, card: str, match: str) -> None:
    (folder / "edgevlo.json").write_text(card)
    refused(folder, match)


def test_an_output_that_exists_is_refused_before_any_work(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (folder / "config.json").unlink()
    with pytest.raises(OutputError, match="exists already"):
        export_checkpoint(folder, tmp_path / "bundle")


def test_shards_and_half_precision_are_read_as_float32(folder: Path) -> None:
    tensors = {name: tensor.to(torch.bfloat16) for name, tensor in load_file(folder / SINGLE).items()}
    save_file(tensors, folder / SINGLE)
    shard(folder)
    checkpoint = Checkpoint(folder)
    for name, tensor in tensors.items():
        if tensor.ndim == 0:
            continue  # BatchNorm's counters, which nothing reads
        np.testing.assert_array_equal(checkpoint.tensor(name), tensor.float().numpy())
    rows = checkpoint.tensor("text_model.lm_head.weight", slice(3, 5))
    np.testing.assert_array_equal(rows, tensors["text_model.lm_head.weight"][3:5].float().numpy())


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
