"""The Emu3 image tokenizer and decoder for a single picture: temporal layers folded to 2-D, pixels unshuffled.

`Emu3VQVAE` is a video model. One picture is encoded as `temporal_downsample_factor` equal frames, and of the decoded
frames the first is kept. Causal convolutions pad two zero frames in front, so for one picture

    decode: a (3,3,3) convolution sees 0, 0, x     -> a 2-D convolution with its last tap
    encode: a (4,3,3) convolution of stride 2 sees 0, 0, x, x, then x, x, x, x -> 2-D convolutions with sums of taps

which `FoldedConvolution` works out by adding the taps that fall on the same frame.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

# transformers' classes are not annotated: they are `Any` here and nowhere else.
Emu3VQ = Any


class ImageTokenizer(nn.Module):
    """Pixels `(1, 3, H, W)` -> codes `(1, h, w)`; H and W are multiples of the cell."""

    def __init__(self, vq: Emu3VQ, unshuffle: int) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.encoder = vq.encoder
        self.codebook = vq.quantize.embedding
        self.time_convs, self.time_blocks = nn.ModuleList(), nn.ModuleList()
        frames: tuple[int, ...] = (0,) * vq.config.temporal_downsample_factor
        for layer in vq.encoder.time_conv:
            frames = _appended(self.time_convs, FoldedConvolution(layer.conv, frames))
        for layer in vq.encoder.time_res_stack:
            frames = _appended(self.time_blocks, FoldedResidual(layer, frames))
        self.quant_conv = FoldedConvolution(vq.quant_conv, frames)
        self.keep_only_what_is_heard()

    def keep_only_what_is_heard(self) -> None:
        """Drop the channels of the latent that are zero for any picture: to a code they only add a constant."""
        rows = [kernel.detach().flatten(1) for kernel in self.quant_conv.kernels]
        heard = torch.stack([*(row.any(1) for row in rows), self.quant_conv.bias != 0]).any(0)
        for number, kernel in enumerate(self.quant_conv.kernels):
            self.quant_conv.kernels[number] = nn.Parameter(kernel[heard], requires_grad=False)
        self.quant_conv.bias = nn.Parameter(self.quant_conv.bias[heard], requires_grad=False)
        weight: Tensor = self.codebook.weight.detach()
        self.codes = nn.Parameter(weight[:, heard], requires_grad=False)
        self.apart = nn.Parameter((weight**2).sum(1), requires_grad=False)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return the nearest code of every cell."""
        encoder = self.encoder
        hidden = encoder.conv_in(functional.pixel_unshuffle(pixel_values, self.unshuffle))
        hidden = encoder.middle_block(encoder.down_block(hidden))
        tensors = [encoder.conv_out(functional.silu(encoder.norm_out(hidden)))]
        for convolution in self.time_convs:
            tensors = [functional.silu(tensor) for tensor in convolution(tensors)]
        for block in self.time_blocks:
            tensors = block(tensors)
        (latent,) = self.quant_conv(tensors)
        return self.nearest(latent)

    def nearest(self, latent: Tensor) -> Tensor:
        """Return the code of least squared distance, `|z|^2 + |e|^2 - 2 z.e` as the reference computes it."""
        _, channels, height, width = latent.shape
        flat = latent.permute(0, 2, 3, 1).reshape(-1, channels)
        distances = (flat**2).sum(1, keepdim=True) + self.apart - 2 * flat @ self.codes.T
        return distances.argmin(1).reshape(1, height, width)


class ImageDecoder(nn.Module):
    """Codes `(1, h, w)` -> pixels `(1, 3, H, W)`."""

    def __init__(self, vq: Emu3VQ, unshuffle: int) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.decoder = vq.decoder
        fold_spatial_norms(self.decoder)
        self.codebook = vq.quantize.embedding
        self.post_quant_conv = FoldedConvolution(vq.post_quant_conv, (0,))
        self.time_blocks = nn.ModuleList(FoldedResidual(block, (0,)) for block in vq.decoder.time_res_stack)
        self.time_convs = nn.ModuleList(FoldedConvolution(block.conv, (0,)) for block in vq.decoder.time_conv)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the picture, in the range that the model was trained on."""
        quant = self.codebook(codes).permute(0, 3, 1, 2)
        hidden = self.first_frame(self.post_quant_conv([quant])[0])
        quant = self.first_frame(quant)
        decoder = self.decoder
        hidden = decoder.middle_block(decoder.conv_in(hidden), quant)
        hidden = decoder.norm_out(decoder.up_block(hidden, quant), quant)
        return functional.pixel_shuffle(decoder.conv_out(functional.silu(hidden)), self.unshuffle)

    def first_frame(self, tensor: Tensor) -> Tensor:
        """Run the temporal layers on the one frame that nothing precedes; upsampling in time would only repeat it."""
        for block in self.time_blocks:
            (tensor,) = block([tensor])
        for convolution in self.time_convs:
            (tensor,) = map(functional.silu, convolution([tensor]))
        return tensor


def _appended(layers: nn.ModuleList, layer: "FoldedConvolution | FoldedResidual") -> tuple[int, ...]:
    """Add a layer and return which frames are equal behind it."""
    layers.append(layer)
    return layer.frames


class FoldedSpatialNorm(nn.Module):
    """`Emu3VQVAESpatialNorm` for a latent that is `scale` times smaller than the hidden states.

    The reference enlarges the latent and convolves it by 1x1; nearest-neighbour enlargement only repeats, so convolving
    first gives the same numbers for `scale` squared times less work.
    """

    def __init__(self, norm: Any, scale: int) -> None:
        super().__init__()
        self.norm = norm
        self.scale = scale

    def forward(self, hidden: Tensor, quant: Tensor) -> Tensor:
        """Return the normalised hidden states, scaled and shifted by the latent under them."""
        scale, shift = self.enlarged(self.norm.conv_y(quant)), self.enlarged(self.norm.conv_b(quant))
        normed: Tensor = self.norm.norm_layer(hidden)
        return normed * scale + shift

    def enlarged(self, latent: Tensor) -> Tensor:
        """Repeat every cell `scale` times in both directions."""
        if self.scale == 1:
            return latent
        return functional.interpolate(latent, scale_factor=float(self.scale), mode="nearest")


def fold_spatial_norms(decoder: Any) -> None:
    """Replace the decoder's norms in place; every upsampling doubles the scale that follows."""
    levels = len(decoder.up_block.up)
    scales = {"middle_block": 1, "norm_out": 2 ** (levels - 1)}
    scales |= {f"up_block.up.{level}": 2 ** (levels - 1 - level) for level in range(levels)}
    for name, module in list(decoder.named_modules()):
        if type(module).__name__ == "Emu3VQVAESpatialNorm":
            scale = next(scale for prefix, scale in scales.items() if name == prefix or name.startswith(f"{prefix}."))
            decoder.set_submodule(name, FoldedSpatialNorm(module, scale))


class FoldedConvolution(nn.Module):
    """A causal Conv3d over few frames, as 2-D convolutions, one for each distinct window of frames.

    `frames[t]` says which distinct tensor frame t is, before and, as the attribute `frames`, after the convolution: a
    picture repeated four times is `(0, 0, 0, 0)` and one tensor.
    """

    def __init__(self, causal: Any, frames: Sequence[int]) -> None:
        super().__init__()
        weight, stride = causal.conv.weight.detach(), int(causal.conv.stride[0])  # (out, in, taps, k, k)
        padded, taps = (None, None, *frames), weight.shape[2]
        windows = [padded[start : start + taps] for start in range(0, len(padded) - taps + 1, stride)]
        distinct = list(dict.fromkeys(windows))
        self.windows = [sorted({frame for frame in window if frame is not None}) for window in distinct]
        self.frames = tuple(distinct.index(window) for window in windows)
        self.kernels = nn.ParameterList(
            _added_taps(weight, window, frame)
            for window, seen in zip(distinct, self.windows, strict=True)
            for frame in seen
        )
        self.bias = nn.Parameter(causal.conv.bias.detach(), requires_grad=False)

    def forward(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return the distinct tensors after the convolution."""
        kernels = iter(self.kernels)
        out: list[Tensor] = []
        for first, *others in self.windows:
            total = _same_size(tensors[first], next(kernels), self.bias)
            for frame in others:
                total = total + _same_size(tensors[frame], next(kernels), None)
            out.append(total)
        return out


def _added_taps(weight: Tensor, window: Sequence[int | None], frame: int) -> nn.Parameter:
    """Return the sum of the taps that fall on one frame of a window."""
    taps = [tap for tap, other in enumerate(window) if other == frame]
    return nn.Parameter(weight[:, :, taps].sum(2), requires_grad=False)


def _same_size(frame: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    return functional.conv2d(frame, kernel, bias, padding=kernel.shape[-1] // 2)


class FoldedResidual(nn.Module):
    """`Emu3VQVAETemporalResnetBlock` over few frames; its BatchNorm3d is an affine map per channel."""

    def __init__(self, block: Any, frames: Sequence[int]) -> None:
        super().__init__()
        first = FoldedConvolution(block.conv1, frames)
        second = FoldedConvolution(block.conv2, first.frames)
        self.norms = nn.ModuleList([block.norm1, block.norm2])
        self.convs = nn.ModuleList([first, second])
        self.frames = second.frames
        self.newest = [frames[self.frames.index(index)] for index in range(len(second.windows))]

    def forward(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return the distinct tensors plus their residual branch."""
        hidden = list(tensors)
        for norm, convolution in zip(self.norms, self.convs, strict=True):
            hidden = convolution([functional.silu(_batch_norm(norm, frame)) for frame in hidden])
        return [tensors[index] + branch for index, branch in zip(self.newest, hidden, strict=True)]


def _batch_norm(norm: nn.Module, frame: Tensor) -> Tensor:
    """Apply a BatchNorm3d in evaluation to one frame `(1, C, h, w)`."""
    if not isinstance(norm, nn.BatchNorm3d) or norm.running_mean is None or norm.running_var is None:
        raise AssertionError("temporal blocks hold BatchNorm3d with statistics")
    return functional.batch_norm(frame, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
