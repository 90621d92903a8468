"""Checkpoints in float8, dequantised with their scales, and quantised ones that are refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from broken_checkpoint import change, refused
from safetensors.torch import load_file, save_file

from edgevlo.export import export_checkpoint
from edgevlo.export.checkpoint.folder import SINGLE
from edgevlo.export.families.recognise import plan_export


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Return a copy to break."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint"))


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
    refused(folder, rf"tensor {UP} is F8_E4M3 and has no scale beside it .* save the checkpoint in bf16")


@pytest.mark.parametrize("size", [[128], "128", [0, 4]])
def test_a_float8_block_that_is_none(folder: Path, size: object) -> None:
    to_float8(folder, torch.ones(2, 2), weight_block_size=size)
    refused(folder, "weight_block_size .* is not rows and columns")


def test_a_quantization_config_that_is_no_object(folder: Path) -> None:
    change(folder / "config.json", quantization_config="fp8")
    refused(folder, "config.json.*quantization_config is not an object|not a usable Emu3 config")


def test_a_float8_scale_of_another_shape(folder: Path) -> None:
    to_float8(folder, torch.ones(3, 5))
    refused(folder, rf"tensor {UP} has shape \(32, 32\) and a scale of shape \(3, 5\)")


def test_integers_in_the_place_of_weights(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    tensors[LINEAR] = tensors[LINEAR].to(torch.int8)
    save_file(tensors, folder / SINGLE)
    refused(folder, f"tensor {UP} is I8; edgevlo reads F64, F32, F16, BF16, F8_E4M3, F8_E5M2")


def test_a_quantised_checkpoint_is_refused_by_its_method(folder: Path) -> None:
    change(folder / "config.json", quantization_config={"quant_method": "gptq", "bits": 4})
    refused(folder, "quantization_config is of method 'gptq'; edgevlo exports unquantised checkpoints and float8")
