"""Checkpoints that cannot be exported: one line that says what, where and what to do, and nothing left behind."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import Shape, make_checkpoint
from safetensors.torch import load_file, save_file

from edgevlo.export import export_checkpoint
from edgevlo.export.checkpoint import folder as reading
from edgevlo.export.checkpoint.folder import INDEX, PICKLE_INDEX, SINGLE, Checkpoint, CheckpointWarning
from edgevlo.export.families import plan_export
from edgevlo.export.families.emu3.family import _canonical
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
    refused(folder, "model.pt is a pickle that holds no state dict")


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


def test_a_checkpoint_without_its_image_tokenizer(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    save_file({name: tensor for name, tensor in tensors.items() if "vqmodel" not in name}, folder / SINGLE)
    refused(folder, r"holds no image tokenizer: no tensor is named model\.vqmodel\.\*")


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
    with pytest.raises(CheckpointError, match="give numbers that are not finite from layer 0 on"):
        export_checkpoint(folder, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


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


LINEAR = "text_model.model.layers.0.mlp.up_proj.weight"
UP = "model.text_model.layers.0.mlp.up_proj.weight"


def to_float8(folder: Path, scale: torch.Tensor | None, suffix: str = "_scale_inv", **quantization: object) -> None:
    """Turn one matrix into float8 with a scale beside it."""
    tensors = load_file(folder / SINGLE)
    tensors[LINEAR] = tensors[LINEAR].to(torch.float8_e4m3fn)
    if scale is not None:
        tensors[LINEAR + suffix] = scale
    save_file(tensors, folder / SINGLE)
    change(folder / "config.json", quantization_config={"quant_method": "fp8", **quantization})


@pytest.mark.parametrize(
    ("scale", "suffix", "block"),
    [
        (torch.tensor(0.5), "_scale", None),
        (torch.tensor([0.5]), "_scale", None),
        (torch.linspace(0.1, 2, 32)[:, None], "_scale", None),
        (torch.tensor([[0.25]]), "_scale_inv", None),
        (torch.arange(1.0, 5).reshape(2, 2), "_scale_inv", [16, 24]),
    ],
)
def test_float8_is_dequantised_with_its_scale(
    folder: Path, scale: torch.Tensor, suffix: str, block: list[int] | None
) -> None:
    to_float8(folder, scale, suffix, **({"weight_block_size": block} if block else {}))
    stored = load_file(folder / SINGLE)[LINEAR].float()
    factors = scale
    if block:
        factors = scale.repeat_interleave(block[0], 0)[:32].repeat_interleave(block[1], 1)[:, :32]

    checkpoint = plan_export(folder).checkpoint

    np.testing.assert_array_equal(checkpoint.tensor(UP), (stored * factors).numpy())
    np.testing.assert_array_equal(checkpoint.tensor(UP, slice(15, 19)), (stored * factors).numpy()[15:19])


def test_a_float8_checkpoint_is_exported(folder: Path) -> None:
    to_float8(folder, torch.tensor(0.5))
    parity = export_checkpoint(folder, folder.parent / "bundle").graphs["backbone"].parity
    assert parity is not None


def test_a_float8_tensor_without_its_scale(folder: Path) -> None:
    to_float8(folder, None)
    refused(folder, rf"tensor {UP} holds F8_E4M3 and has no scale beside it .* save the checkpoint in bf16")


@pytest.mark.parametrize("size", [[128], "128", [0, 4]])
def test_a_float8_block_that_is_none(folder: Path, size: object) -> None:
    to_float8(folder, torch.ones(2, 2), weight_block_size=size)
    refused(folder, "weight_block_size .* is not rows and columns")


def test_a_quantization_config_that_is_no_object(folder: Path) -> None:
    change(folder / "config.json", quantization_config="fp8")
    refused(folder, "config.json.*quantization_config is no object|not a usable Emu3 config")


def test_a_float8_scale_of_another_shape(folder: Path) -> None:
    to_float8(folder, torch.ones(3, 5))
    refused(folder, rf"tensor {UP} has shape \(32, 32\) and a scale of shape \(3, 5\)")


def test_integers_in_the_place_of_weights(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    tensors[LINEAR] = tensors[LINEAR].to(torch.int8)
    save_file(tensors, folder / SINGLE)
    refused(folder, f"tensor {UP} holds I8; edgevlo reads F32, F16, BF16, F8_E4M3, F8_E5M2")


def test_a_quantised_checkpoint_is_refused_by_its_method(folder: Path) -> None:
    change(folder / "config.json", quantization_config={"quant_method": "gptq", "bits": 4})
    refused(folder, "quantization_config is of method 'gptq'; edgevlo exports unquantised checkpoints and float8")


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
