"""VQGAN, the image tokenizer of Chameleon and of what is made of it: Anole, Lumina-mGPT, Liquid.

transformers' ChameleonVQVAE is its encoder. It leaves out the decoder, which Meta gives as a file of its own,
`vqgan.ckpt` (github.com/facebookresearch/chameleon): a state dict of CompVis/taming-transformers' VQModel. That decoder
is transformers' JanusVQVAEDecoder without attention beside its blocks, the levels counted the other way round.

Tensors are called as in transformers, `model.vqmodel.*`, wherever they come from.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import ChameleonVQVAEConfig, JanusVQVAEConfig
from transformers.models.chameleon.modeling_chameleon import ChameleonVQVAE
from transformers.models.janus.modeling_janus import JanusVQVAEDecoder

from edgevlo.runtime.arrays import Codes, Floats
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.graphs import GraphRole

from ..checkpoint.folder import Checkpoint, Shape
from ..checkpoint.tensor_names import Part
from ..export_plan import TorchGraph
from ..stream_modules import META, load
from ..transformers_model import floats
from .registry import VQGAN_FILES

PREFIX: Final = "model.vqmodel"
DECODER: Final = f"{PREFIX}.decoder"
FILE: Final = VQGAN_FILES[0]
FILES_CODEBOOK: Final = f"{PREFIX}.quantize.embedding.weight of the file"
WHERE: Final = (
    f"Meta gives it as data/tokenizer/{FILE} of the Chameleon download (github.com/facebookresearch/chameleon)"
)

_PARTS: Final = re.compile(r"^(encoder|decoder|quantize|quant_conv|post_quant_conv)\.")
_SAME_CODEBOOK: Final = 0.02  # of its root mean square; bfloat16 rounds by a fifth of that

Order = npt.NDArray[np.int64]  # (K,): the codebook's row of the code that the bundle counts so


def completed(checkpoint: Checkpoint) -> Checkpoint:
    """Return the checkpoint with what it lacks of the tokenizer from `vqgan.ckpt`, if that is there."""
    path = next((path for place in VQGAN_FILES if (path := checkpoint.folder / place).is_file()), None)
    if path is None:
        return checkpoint

    def layout(name: str, shape: Shape) -> Iterator[Part]:
        if _PARTS.match(name):
            yield Part(name=f"{PREFIX}.{name}", shape=shape)
        if name == "quantize.embedding.weight":
            yield Part(name=FILES_CODEBOOK, shape=shape)

    found = checkpoint.completed(path, layout)
    _check_codebook(found, path)
    return found


def _check_codebook(checkpoint: Checkpoint, path: Path) -> None:
    """Raise `CheckpointError` unless the file's codebook is the checkpoint's, up to the rounding of its numbers."""
    theirs = checkpoint.tensor(FILES_CODEBOOK) if checkpoint.has(FILES_CODEBOOK) else None
    ours = checkpoint.tensor(f"{PREFIX}.quantize.embedding.weight")
    if theirs is None or theirs.shape != ours.shape or np.abs(theirs - ours).max() > _SAME_CODEBOOK * ours.std():
        raise CheckpointError(
            f"{path} is not this model's image tokenizer: its codebook is not that of {checkpoint.folder}. {WHERE}."
        )


def has_decoder(checkpoint: Checkpoint) -> bool:
    """Return whether pixels can be decoded."""
    return any(name.startswith(f"{DECODER}.") for name in checkpoint.names())


def missing(checkpoint: Checkpoint) -> str:
    """Return what is to be said of a checkpoint without a decoder."""
    return (
        f"{checkpoint.folder} has no pixel decoder; it belongs there as {checkpoint.folder / FILE}. {WHERE}, and "
        "transformers' format leaves it out"
    )


def decoder_tensors(checkpoint: Checkpoint, vq: Any) -> dict[str, Shape]:
    """Return the tensors that a config promises of the decoder."""
    state = _counted_down(_decoder(checkpoint, vq)).state_dict()
    return {f"{DECODER}.{name}": tuple(tensor.shape) for name, tensor in state.items()}


def config_of(checkpoint: Checkpoint) -> Any:
    """Return the config of a tokenizer that comes without one, read off its tensors."""

    def sizes(name: str) -> Shape:
        return checkpoint.shape(f"{PREFIX}.{name}")

    names = checkpoint.names()
    levels = {match[1] for name in names if (match := re.match(rf"{re.escape(PREFIX)}\.encoder\.down\.(\d+)\.", name))}
    blocks = {
        match[1]
        for name in names
        if (match := re.match(rf"{re.escape(PREFIX)}\.encoder\.down\.0\.block\.(\d+)\.", name))
    }
    base = sizes("encoder.conv_in.weight")[0]
    count, width = sizes("quantize.embedding.weight")
    return ChameleonVQVAEConfig(
        num_embeddings=count,
        embed_dim=width,
        latent_channels=sizes("quant_conv.weight")[1],
        base_channels=base,
        channel_multiplier=[
            sizes(f"encoder.down.{level}.block.0.conv1.weight")[0] // base for level in range(len(levels))
        ],
        num_res_blocks=len(blocks),
    )


def cell(vq: Any) -> int:
    """Return the side of a cell in pixels."""
    return int(2 ** (len(vq.channel_multiplier) - 1))


def torch_graphs(checkpoint: Checkpoint, vq: Any, order: Order, *, reads: bool = True) -> dict[GraphRole, TorchGraph]:
    """Return decoder, if there is one, and tokenizer, if it `reads`, for codes that are counted in another order."""
    graphs: dict[GraphRole, TorchGraph] = {}
    rows, columns, side = torch.export.Dim("h"), torch.export.Dim("w"), cell(vq)
    tokenizer = tokenizer_of(checkpoint, vq)
    if has_decoder(checkpoint):
        graphs["image_decoder"] = TorchGraph(
            module=ImageDecoder(tokenizer, decoder_of(checkpoint, vq), order).eval(),
            example=torch.arange(12).reshape(1, 3, 4) % vq.num_embeddings,
            input=("codes", (1, "h", "w")),
            output=("pixels", (1, 3, "H", "W")),
            dynamic={1: rows, 2: columns},
        )
    if reads:
        graphs["image_tokenizer"] = TorchGraph(
            module=ImageTokenizer(tokenizer, order).eval(),
            example=torch.linspace(-1, 1, 3 * 3 * side * 4 * side).reshape(1, 3, 3 * side, 4 * side),
            input=("pixel_values", (1, 3, "H", "W")),
            output=("codes", (1, "h", "w")),
            dynamic={2: rows * side, 3: columns * side},
        )
    return graphs


def tokenizer_of(checkpoint: Checkpoint, vq: Any) -> Any:
    """Return transformers' encoder and codebook."""
    with META:
        tokenizer: Any = ChameleonVQVAE(vq)
    load(tokenizer, PREFIX, checkpoint)
    return tokenizer.eval()


def decoder_of(checkpoint: Checkpoint, vq: Any) -> Any:
    """Return the pixel decoder."""
    decoder = _counted_down(_decoder(checkpoint, vq))
    load(decoder, DECODER, checkpoint)
    return _counted_down(decoder).eval()


def _decoder(checkpoint: Checkpoint, vq: Any) -> Any:
    """Return the decoder without memory; beside its blocks it attends where the checkpoint has tensors for it."""
    shape = JanusVQVAEConfig(
        latent_channels=vq.latent_channels,
        base_channels=vq.base_channels,
        channel_multiplier=list(vq.channel_multiplier),
        num_res_blocks=vq.num_res_blocks,
    )
    with META:
        decoder_class: Any = JanusVQVAEDecoder  # not annotated
        decoder: Any = decoder_class(shape)
    for level, up in enumerate(reversed(decoder.up)):
        if not any(name.startswith(f"{DECODER}.up.{level}.attn.") for name in checkpoint.names()):
            up.attn = nn.ModuleList()
    return decoder


def _counted_down(decoder: Any) -> Any:
    """Count the levels the other way round: as they are called in the file, or as transformers' class runs them."""
    decoder.up = nn.ModuleList(reversed(decoder.up))
    return decoder


class ImageTokenizer(nn.Module):
    """Pixels `(1, 3, H, W)` -> codes `(1, h, w)`; H and W are multiples of the cell."""

    def __init__(self, tokenizer: Any, order: Order) -> None:
        super().__init__()
        self.encoder, self.quant_conv = tokenizer.encoder, tokenizer.quant_conv
        self.codebook = _ordered(tokenizer, order)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return the code of least squared distance for every cell, computed as transformers does."""
        latent = self.quant_conv(self.encoder(pixel_values))
        _, channels, height, width = latent.shape
        flat = latent.permute(0, 2, 3, 1).reshape(-1, channels)
        distances = (flat**2).sum(1, keepdim=True) + (self.codebook**2).sum(1) - 2 * flat @ self.codebook.T
        codes: Tensor = distances.argmin(1).reshape(1, height, width)
        return codes


class ImageDecoder(nn.Module):
    """Codes `(1, h, w)` -> pixels `(1, 3, H, W)`."""

    def __init__(self, tokenizer: Any, decoder: Any, order: Order) -> None:
        super().__init__()
        self.codebook = _ordered(tokenizer, order)
        self.post_quant_conv, self.decoder = tokenizer.post_quant_conv, decoder

    def forward(self, codes: Tensor) -> Tensor:
        """Return the picture, about -1 to 1."""
        quant = functional.embedding(codes, self.codebook).permute(0, 3, 1, 2)
        pixels: Tensor = self.decoder(self.post_quant_conv(quant))
        return pixels


def _ordered(tokenizer: Any, order: Order) -> nn.Parameter:
    return nn.Parameter(tokenizer.quantize.embedding.weight.detach()[torch.from_numpy(order)], requires_grad=False)


class VqganReference:
    """transformers' modules, and codes in the bundle's order; they stay in memory once they were asked for."""

    def __init__(self, checkpoint: Checkpoint, vq: Any, order: Order) -> None:
        self.checkpoint, self.vq, self.order = checkpoint, vq, order
        self._tokenizer: Any = None
        self._decoder: Any = None

    @property
    def tokenizer(self) -> Any:
        """The encoder and its codebook."""
        if self._tokenizer is None:
            self._tokenizer = tokenizer_of(self.checkpoint, self.vq)
        return self._tokenizer

    @torch.no_grad()
    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`."""
        rows, columns = (size // cell(self.vq) for size in pixel_values.shape[2:])
        found = self.tokenizer.encode(torch.from_numpy(pixel_values), return_dict=True).image_tokens
        codes: Codes = np.argsort(self.order)[found.numpy()].reshape(1, rows, columns)
        return codes

    @torch.no_grad()
    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""
        if self._decoder is None:
            self._decoder = decoder_of(self.checkpoint, self.vq)
        quant = self.tokenizer.quantize.embedding(torch.from_numpy(self.order[codes])).permute(0, 3, 1, 2)
        return floats(self._decoder(self.tokenizer.post_quant_conv(quant)))


class VqganPictures:
    """VQGAN beside a decoder that knows nothing of it: sizes are read off the file's tensors."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        found = completed(checkpoint)
        if not has_decoder(found):
            raise CheckpointError(f"{missing(found)}. Put it there and export again.")
        self.checkpoint, self.vq = found, config_of(found)
        self.count, self.cell = int(self.vq.num_embeddings), cell(self.vq)
        self.order = np.arange(self.count)
        self._reference = VqganReference(found, self.vq, self.order)

    def tensors(self) -> dict[str, Shape]:
        """Return the tensors that encoder, codebook and decoder need."""
        with META:
            tokenizer: Any = ChameleonVQVAE(self.vq)
        own = {f"{PREFIX}.{name}": tuple(tensor.shape) for name, tensor in tokenizer.state_dict().items()}
        return own | decoder_tensors(self.checkpoint, self.vq)

    def torch_graphs(self, *, reads: bool) -> dict[GraphRole, TorchGraph]:
        """Return decoder and tokenizer."""
        return torch_graphs(self.checkpoint, self.vq, self.order, reads=reads)

    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`."""
        return self._reference.codes(pixel_values)

    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""
        return self._reference.pixels(codes)
