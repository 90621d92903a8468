"""Checkpoints that cannot be exported: one line that says what, where and what to do, and nothing left behind."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from broken_checkpoint import change, refused, shard
from safetensors.torch import load_file, save_file

from edgevlo.export import export_checkpoint
from edgevlo.export.checkpoint.folder import INDEX, SINGLE, CheckpointWarning
from edgevlo.export.families.recognise import plan_export
from edgevlo.runtime.errors import CheckpointError, OutputError


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Return a copy to break."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint"))


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
    refused(
        folder,
        r"class LlamaForCausalLM\. edgevlo exports .*Emu3For\w+ \(BAAI/Emu3-Chat-hf, BAAI/Emu3-Gen-hf\)",
    )


def test_a_config_without_a_class(folder: Path) -> None:
    change(folder / "config.json", architectures=None, model_type="llama")
    refused(folder, r"names no class \(model type 'llama'\)\. edgevlo exports Emu3")


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
        (
            "text_config",
            {"hidden_size": 64},
            r"tensor model\.text_model\.\S+ has shape \(.*\), but config.json means \(.*\); weights and",
        ),
        ("text_config", {"vocab_size": 5000}, "has shape .* but config.json means"),
        ("text_config", {"num_hidden_layers": 2}, r"tensor model.text_model.layers.1\S+ is missing"),
        ("text_config", {"num_hidden_layers": 0}, r"not a usable Emu3 config \(num_hidden_layers is 0\)"),
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


def test_no_weights(folder: Path) -> None:
    (folder / SINGLE).unlink()
    refused(folder, f"has neither {SINGLE}")


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
    refused(folder, "index.json (has no usable weight_map|is not a JSON object)")


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


def test_a_checkpoint_without_its_image_tokenizer(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    save_file({name: tensor for name, tensor in tensors.items() if "vqmodel" not in name}, folder / SINGLE)
    refused(folder, r"has no image tokenizer: no tensor is named model\.vqmodel\.\*")


def test_a_head_that_is_not_tied_must_be_there(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    del tensors["text_model.lm_head.weight"]
    save_file(tensors, folder / SINGLE)
    refused(folder, r"tensor lm_head\.weight is missing")


def test_unexpected_tensors_are_listed_once(folder: Path) -> None:
    extra = {f"extra.{index}": torch.zeros(1) for index in range(7)}
    save_file(load_file(folder / SINGLE) | extra, folder / SINGLE)
    with pytest.warns(CheckpointWarning) as caught:
        plan_export(folder)
    assert [str(one.message).split(": ", 1)[1] for one in caught] == [
        "tensors that this class does not have are left out: extra.0, extra.1, extra.2, extra.3, extra.4 and 2 more"
    ]


def test_a_layer_that_the_config_does_not_mean_is_refused(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    more = {name.replace("layers.0.", "layers.1."): tensor.clone() for name, tensor in tensors.items()}
    save_file(tensors | more, folder / SINGLE)
    refused(folder, r"there is a tensor model\.text_model\.layers\.1\.\S+, but config\.json means fewer layers")


def test_weights_that_are_no_numbers_are_said(folder: Path, tmp_path: Path) -> None:
    tensors = load_file(folder / SINGLE)
    name = next(name for name in tensors if name.endswith("layers.0.mlp.up_proj.weight"))
    tensors[name] = torch.full_like(tensors[name], torch.nan)
    save_file(tensors, folder / SINGLE)
    with pytest.raises(CheckpointError, match=r"up_proj\.weight has numbers that are not finite"):
        export_checkpoint(folder, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


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


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "README.md", "edgevlo.json", "below/x.json"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_file_that_never_ends_is_refused(folder: Path, file: str, kind: str) -> None:
    path = folder / file
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    refused(folder, rf"{file} is not a regular file, and a checkpoint has no others\. Remove it\.")


def test_an_output_that_exists_is_refused_before_any_work(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (folder / "config.json").unlink()
    with pytest.raises(OutputError, match="exists already"):
        export_checkpoint(folder, tmp_path / "bundle")
