"""float8 weights and their scales: `weight = values * scale`, the scale one number, one per row, or one per block."""

from typing import Any, Final

import torch

from edgevlo.runtime.errors import CheckpointError

from .weight_files import Shape

DTYPES: Final = ("F8_E4M3", "F8_E5M2")
SUFFIXES: Final = ("_scale_inv", "_scale")  # of DeepSeek's and transformers' fp8, and of compressed-tensors'
BLOCK: Final = (128, 128)


def block_size(quantization: dict[str, Any], where: str) -> tuple[int, int]:
    """Return rows and columns of a block as config.json's quantization_config states them; `where` begins the error."""
    match quantization.get("weight_block_size"):
        case None:
            return BLOCK
        case [int(rows), int(columns)] if rows > 0 and columns > 0:
            return rows, columns
        case stated:
            raise CheckpointError(f"{where}: weight_block_size {stated!r} is not rows and columns; download it again.")


def dequantise(
    where: str, values: torch.Tensor, rows: slice, shape: Shape, scale: torch.Tensor, block: tuple[int, int]
) -> torch.Tensor:
    """Return float32 weights of `rows` of a tensor of `shape`; `values` are those rows, `scale` is the whole scale.

    Raises `CheckpointError`, which begins with `where`, when the scale's shape is none of `()`, `(1,)`, `(R,)`,
    `(R, 1)` and `(R/block, C/block)`.
    """
    weights, scale = values.float(), scale.float()
    if scale.numel() == 1:
        return weights * scale.reshape(())
    places = torch.arange(shape[0])[rows]
    if scale.shape in ((shape[0],), (shape[0], 1)):
        return weights * scale.reshape(-1, *[1] * (len(shape) - 1))[places]
    blocks = tuple(-(-size // step) for size, step in zip(shape, block, strict=False))
    if len(shape) == 2 and tuple(scale.shape) == blocks:
        columns = torch.arange(shape[1]) // block[1]
        return weights * scale[places // block[0]][:, columns]
    raise CheckpointError(
        f"{where} has shape {shape} and a scale of shape {tuple(scale.shape)}, which is neither one number, one "
        f"per row, nor one per block of {block[0]}x{block[1]}; save the checkpoint in bf16."
    )
