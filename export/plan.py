"""What a family says about one checkpoint: its product, from which the exporter builds and checks the bundle."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from edgevlo.runtime import manifest

from .backbone import DecoderShape
from .card import Card
from .checkpoint import Checkpoint, Floats

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchGraph:
    """A graph of one input and one output that is exported from a torch module."""

    module: nn.Module
    example: Tensor
    input: tuple[str, tuple[int | str, ...]]  # name and shape, as the manifest states them
    output: tuple[str, tuple[int | str, ...]]
    dynamic: dict[int, Any]  # axis of the input -> torch.export.Dim


class Reference(Protocol):
    """The original implementation, as far as a graph has one; all arrays are float32 or int64."""

    def hidden_states(self, inputs_embeds: Floats) -> list[Floats]:
        """Return the hidden states `(B, T, D)` behind each layer for embeddings `(B, T, D)`.

        Those of the last layer are behind the final norm as well.
        """

    def embeddings(self, tokens: Codes) -> Floats:
        """Return the input embeddings `(T, D)` of tokens `(T,)`."""

    def text_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, V)` of hidden states `(B, D)`."""

    def image_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, K)` of the codes for hidden states `(B, D)`."""

    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`."""

    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One checkpoint, seen by its family."""

    family: str
    architecture: str
    checkpoint: Checkpoint
    config: Any  # transformers' config, for optimum
    decoder: DecoderShape
    embedding: str  # name of the tensor (tokens, D)
    text_head: str  # name of the tensor (tokens, D)
    codes: manifest.Codes
    image_block: manifest.ImageBlock
    defaults: Card  # every part filled in that a manifest must have
    torch_graphs: Callable[[], dict[manifest.GraphRole, TorchGraph]]
    reference: Callable[[], Reference]
