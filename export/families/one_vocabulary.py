"""Models of one vocabulary: a stock decoder of text whose tokens go on with the codes of an image tokenizer.

A family of this kind is data: a `OneVocabulary`, in a module of its own with a record in registry.py
(docs/adding-a-family.md). Code c is token `len(tokenizer) + c`; what the embedding holds beyond the last code is
padding.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tokenizers import Tokenizer
from transformers import (
    GemmaConfig,
    GemmaForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from edgevlo.runtime.arrays import Codes, Floats
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest import pictures as manifest_pictures
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.prompts import ImageBlock, Piece

from ..checkpoint.card import Card
from ..checkpoint.folder import Checkpoint, Shape
from ..checkpoint.tokenizer import read_tokenizer
from ..export_plan import ExportPlan, TorchGraph
from ..graphs.guided_image_head import ImageHead
from ..optimum_registry import TASK, FlatBackboneConfig, register
from ..transformers_model import HEAD, TransformersReference, decoder_shape, promised_tensors, read_config

_DECODER: Final = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """One of transformers' decoders of text, and where it differs from Llama."""

    model: Any
    config: Any
    norm_offset: float = 0.0
    embedding_scale: Callable[[int], float] = lambda _hidden: 1.0


LLAMA: Final = Decoder(model=LlamaForCausalLM, config=LlamaConfig)
QWEN2: Final = Decoder(model=Qwen2ForCausalLM, config=Qwen2Config)
GEMMA: Final = Decoder(model=GemmaForCausalLM, config=GemmaConfig, norm_offset=1.0, embedding_scale=math.sqrt)


@register("llama", TASK)
@register("qwen2", TASK)
@register("gemma", TASK)
class TextBackboneConfig(FlatBackboneConfig):
    """A decoder of text, whose config is not nested."""


class Pictures(Protocol):
    """An image tokenizer: what it is made of, its graphs, and the reference that they are compared with."""

    checkpoint: Checkpoint  # with the image tokenizer's own file
    count: int
    cell: int

    def tensors(self) -> dict[str, Shape]:
        """Return the tensors that it needs."""

    def torch_graphs(self, *, reads: bool) -> dict[GraphRole, TorchGraph]:
        """Return `image_decoder`, and `image_tokenizer` if pictures are read."""

    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`."""

    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneVocabulary:
    """A family as data."""

    name: str
    architecture: str
    decoder: Decoder
    pictures: Callable[[Checkpoint], Pictures]
    open: tuple[str, ...]  # tokens before the codes of a picture
    close: tuple[str, ...] = ()  # and behind them, where pictures are read
    row_suffix: tuple[str, ...] = ()
    defaults: Card  # every part that a manifest must have
    weights_licence: str = ""
    licence_binds: bool = False


def plan_as(checkpoint: Checkpoint, family: OneVocabulary) -> ExportPlan:
    """Return what the exporter needs to know about a checkpoint of such a family."""
    raw = {
        key: value for key, value in checkpoint.config.items() if key != "model_type"
    }  # a class of their own has one
    config = read_config(checkpoint, family.decoder.config, raw, family.name)
    pictures = family.pictures(checkpoint)
    checkpoint = pictures.checkpoint
    expected, spare = promised_tensors(checkpoint, family.decoder.model, config, family.name)
    theirs = pictures.tensors()
    own = {name for name in checkpoint.names() if name.startswith("model.vqmodel.")}  # not all of it need be used
    checkpoint.expect(expected | theirs, {f"{_DECODER}.layers.": "decoder"}, {*spare, *own})
    tokenizer = read_tokenizer(checkpoint)
    codes = _codes(checkpoint, tokenizer, pictures, config.vocab_size)
    _check_names(checkpoint, tokenizer, family)
    abilities = family.defaults.abilities or {}
    reads = any(ability.images[1] for ability in abilities.values())
    embedding = f"{_DECODER}.embed_tokens"
    head = "lm_head" if checkpoint.has(HEAD) else embedding
    return ExportPlan(
        family=family.name,
        architecture=family.architecture,
        checkpoint=checkpoint,
        config=config,
        decoder=decoder_shape(checkpoint, config, _DECODER, norm_offset=family.decoder.norm_offset),
        embedding=f"{embedding}.weight",
        embedding_scale=family.decoder.embedding_scale(config.hidden_size),
        text_head=f"{head}.weight",
        image_head=ImageHead(layers=(head,), codes=slice(codes.first_token, codes.first_token + codes.count)),
        codes=codes,
        image_block=ImageBlock(
            open=tuple(Piece(token=name) for name in family.open), row_suffix=family.row_suffix, close=family.close
        ),
        defaults=family.defaults,
        torch_graphs=functools.partial(pictures.torch_graphs, reads=reads),
        reference=functools.partial(OneVocabularyReference, checkpoint, config, family, codes, pictures),
        weights_licence=family.weights_licence,
        licence_binds=family.licence_binds,
    )


def _codes(checkpoint: Checkpoint, tokenizer: Tokenizer, pictures: Pictures, tokens: int) -> manifest_pictures.Codes:
    """Return the codes, which begin behind the tokenizer's last token."""
    first = tokenizer.get_vocab_size(with_added_tokens=True)
    if first + pictures.count > tokens:
        raise CheckpointError(
            f"{checkpoint.folder}: the tokenizer has {first} tokens and the image tokenizer {pictures.count} codes, "
            f"but config.json's vocab_size is {tokens}; take all from one model."
        )
    return manifest_pictures.Codes(count=pictures.count, first_token=first, cell=pictures.cell)


def _check_names(checkpoint: Checkpoint, tokenizer: Tokenizer, family: OneVocabulary) -> None:
    for name in (*family.open, *family.row_suffix, *family.close):
        if tokenizer.token_to_id(name) is None:
            raise CheckpointError(
                f"{checkpoint.folder / 'tokenizer.json'} has no token {name}, which {family.name} needs; take config "
                "and tokenizer from one checkpoint."
            )


class OneVocabularyReference(TransformersReference):
    """transformers' own decoder, and the reference of the image tokenizer."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        config: Any,
        family: OneVocabulary,
        codes: manifest_pictures.Codes,
        pictures: Pictures,
    ) -> None:
        super().__init__(checkpoint, family.decoder.model, config, _DECODER)
        self.rows = slice(codes.first_token, codes.first_token + codes.count)
        self.pictures = pictures

    def image_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, K)` of the codes for hidden states `(B, D)`."""
        return self.logits(hidden, self.rows)

    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`."""
        return self.pictures.codes(pixel_values)

    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""
        return self.pictures.pixels(codes)
