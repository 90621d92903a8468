"""What a family says about one checkpoint: the plan from which the exporter builds and checks the bundle."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer
from torch import Tensor, nn

from edgevlo.runtime.arrays import Codes, Floats, Logits
from edgevlo.runtime.manifest import pictures as manifest_pictures
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.prompts import ImageBlock

from .checkpoint.card import Card
from .checkpoint.folder import Checkpoint
from .graphs.backbone import DecoderShape
from .graphs.guided_image_head import ImageHead


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchGraph:
    """A graph of one input and one output that is exported from a torch module."""

    module: nn.Module
    example: Tensor
    input: tuple[str, tuple[int | str, ...]]  # name and shape, as the manifest states them
    output: tuple[str, tuple[int | str, ...]]
    dynamic: dict[int, Any]  # axis of the input -> torch.export.Dim


class Reference(ABC):
    """The original implementation; all arrays are float32 or int64. A family has what its graphs and tables need."""

    @abstractmethod
    def hidden_states(self, inputs_embeds: Floats) -> list[Floats]:
        """Return the hidden states `(B, T, D)` behind each layer for embeddings `(B, T, D)`.

        Those of the last layer are behind the final norm as well.
        """

    @abstractmethod
    def embeddings(self, tokens: Codes) -> Floats:
        """Return the input embeddings `(T, D)` of tokens `(T,)`."""

    @abstractmethod
    def text_logits(self, hidden: Floats) -> Logits:
        """Return the logits `(B, V)` of hidden states `(B, D)`."""

    @abstractmethod
    def image_logits(self, hidden: Floats) -> Logits:
        """Return the logits `(B, K)` of the codes for hidden states `(B, D)`."""

    @abstractmethod
    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""

    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`, for `image_tokenizer`."""
        raise NotImplementedError

    def features(self, pixel_values: Floats) -> Floats:
        """Return the features `(N, T, D)` of pictures `(N, 3, S, S)`, for `vision_encoder`."""
        raise NotImplementedError

    def code_embeddings(self, codes: Codes) -> Floats:
        """Return the input embeddings `(T, D)` of codes `(T,)`, for a table of their own."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlan:
    """One checkpoint, seen by its family."""

    family: str
    architecture: str
    checkpoint: Checkpoint
    config: Any  # transformers' config, for optimum
    decoder: DecoderShape
    embedding: str  # name of the tensor (tokens, D)
    text_head: str  # name of the tensor (tokens, D)
    embedding_scale: float = 1.0  # of the rows, where a model multiplies them
    image_head: ImageHead
    codes: manifest_pictures.Codes
    image_block: ImageBlock
    defaults: Card  # every part filled in that a manifest must have
    torch_graphs: Callable[[], dict[GraphRole, TorchGraph]]
    reference: Callable[[], Reference]
    code_embedding: Callable[[], Floats] | None = None  # (codes, D), where codes are no tokens of the vocabulary
    tokenizer: Tokenizer | None = None  # of a checkpoint that holds no tokenizer.json
    weights_licence: str = ""  # of the family's released weights, where model cards do not say it
    licence_binds: bool = False  # whatever a model card declares
