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
        self.frames = int(vq.config.temporal_downsample_factor)
        self.encoder = vq.encoder
        self.time_convs = nn.ModuleList(FoldedConvolution(block.conv) for block in vq.encoder.time_conv)
        self.time_blocks = nn.ModuleList(FoldedResidual(block) for block in vq.encoder.time_res_stack)
        self.quant_conv = FoldedConvolution(vq.quant_conv)
        self.codebook = vq.quantize.embedding

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return the nearest code of every cell."""
        encoder = self.encoder
        hidden = encoder.conv_in(functional.pixel_unshuffle(pixel_values, self.unshuffle))
        hidden = encoder.middle_block(encoder.down_block(hidden))
        hidden = encoder.conv_out(functional.silu(encoder.norm_out(hidden)))
        frames = [hidden] * self.frames
        for convolution in self.time_convs:
            frames = [functional.silu(frame) for frame in convolution(frames)]
        for block in self.time_blocks:
            frames = block(frames)
        (latent,) = self.quant_conv(frames)
        return self.nearest(latent)

    def nearest(self, latent: Tensor) -> Tensor:
        """Return the code of least squared distance, `|z|^2 + |e|^2 - 2 z.e` as the reference computes it."""
        _, channels, height, width = latent.shape
        flat = latent.permute(0, 2, 3, 1).reshape(-1, channels)
        weight = self.codebook.weight
        distances = (flat**2).sum(1, keepdim=True) + (weight**2).sum(1) - 2 * flat @ weight.T
        return distances.argmin(1).reshape(1, height, width)


class ImageDecoder(nn.Module):
    """Codes `(1, h, w)` -> pixels `(1, 3, H, W)`."""

    def __init__(self, vq: Emu3VQ, unshuffle: int) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.decoder = vq.decoder
        self.codebook = vq.quantize.embedding
        self.post_quant_conv = FoldedConvolution(vq.post_quant_conv)
        self.time_blocks = nn.ModuleList(FoldedResidual(block) for block in vq.decoder.time_res_stack)
        self.time_convs = nn.ModuleList(FoldedConvolution(block.conv) for block in vq.decoder.time_conv)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the picture, in the range that the model was trained on."""
        quant = self.codebook(codes).permute(0, 3, 1, 2)
        hidden = self.first_frame(self.post_quant_conv([quant])[0])
        quant = self.first_frame(quant)
        decoder = self.decoder
        hidden = decoder.middle_block(decoder.conv_in(hidden), quant)
        hidden = decoder.norm_out(decoder.up_block(hidden, quant), quant)
        return functional.pixel_shuffle(decoder.conv_out(functional.silu(hidden)), self.unshuffle)

    def first_frame(self, frame: Tensor) -> Tensor:
        """Run the temporal layers on the one frame that nothing precedes; upsampling in time repeats it."""
        frames = [frame]
        for block in self.time_blocks:
            frames = block(frames)
        for convolution in self.time_convs:
            frames = [functional.silu(frame) for frame in convolution(frames)]
        return frames[0]


class FoldedConvolution(nn.Module):
    """A causal Conv3d over few frames, as one 2-D convolution for each distinct window of frames."""

    def __init__(self, causal: Any) -> None:
        super().__init__()
        convolution = causal.conv
        self.weight = nn.Parameter(convolution.weight.detach(), requires_grad=False)  # (out, in, taps, k, k)
        self.bias = nn.Parameter(convolution.bias.detach(), requires_grad=False)
        self.stride = int(convolution.stride[0])

    def forward(self, frames: Sequence[Tensor]) -> list[Tensor]:
        """Return the frames after the convolution; windows of the same frames are computed once."""
        taps = self.weight.shape[2]
        padded: list[Tensor | None] = [None, None, *frames]
        done: dict[tuple[int, ...], Tensor] = {}
        out: list[Tensor] = []
        for start in range(0, len(padded) - taps + 1, self.stride):
            window = padded[start : start + taps]
            key = tuple(id(frame) for frame in window)
            if key not in done:
                done[key] = self.window(window)
            out.append(done[key])
        return out

    def window(self, window: Sequence[Tensor | None]) -> Tensor:
        """Convolve one window: the taps that fall on one frame are added, those on padding vanish."""
        distinct = {id(frame): frame for frame in window if frame is not None}
        total: Tensor | None = None
        for key, frame in distinct.items():
            taps = [tap for tap, other in enumerate(window) if id(other) == key]
            kernel = self.weight[:, :, taps].sum(2)
            part = functional.conv2d(frame, kernel, padding=kernel.shape[-1] // 2)
            total = part if total is None else total + part
        if total is None:
            raise AssertionError("a window holds at least its newest frame")
        return total + self.bias[:, None, None]


class FoldedResidual(nn.Module):
    """`Emu3VQVAETemporalResnetBlock` over few frames; its BatchNorm3d is an affine map per channel."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.norms = nn.ModuleList([block.norm1, block.norm2])
        self.convs = nn.ModuleList([FoldedConvolution(block.conv1), FoldedConvolution(block.conv2)])

    def forward(self, frames: Sequence[Tensor]) -> list[Tensor]:
        """Return the frames plus their residual branch."""
        hidden = list(frames)
        for norm, convolution in zip(self.norms, self.convs, strict=True):
            hidden = convolution([functional.silu(_batch_norm(norm, frame)) for frame in hidden])
        return [frame + residual for frame, residual in zip(frames, hidden, strict=True)]


def _batch_norm(norm: nn.Module, frame: Tensor) -> Tensor:
    """Apply a BatchNorm3d in evaluation to one frame `(1, C, h, w)`."""
    if not isinstance(norm, nn.BatchNorm3d) or norm.running_mean is None or norm.running_var is None:
        raise AssertionError("temporal blocks hold BatchNorm3d with statistics")
    return functional.batch_norm(frame, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
