"""transformers' own reading of a checkpoint: its config, the tensors that promises, and the model to compare with.

What families of transformers' classes share. transformers is not annotated: its classes and configs are `Any` here.
"""

import functools
from typing import Any, Final, Literal

import numpy as np
import torch

from edgevlo.runtime.arrays import Codes, Floats, Logits
from edgevlo.runtime.errors import CheckpointError

from .checkpoint.folder import Checkpoint, Shape
from .export_plan import Reference
from .graphs.backbone import DecoderShape
from .stream_modules import META, linear, load, on_demand

HEAD: Final = "lm_head.weight"


def unusable(checkpoint: Checkpoint, family: str, error: Exception) -> CheckpointError:
    """Return the error that says why a config cannot be used."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return CheckpointError(
        f"{checkpoint.folder / 'config.json'} is not a usable {family} config ({reason[:200]}); download it again."
    )


def read_config(checkpoint: Checkpoint, config_class: Any, raw: dict[str, Any], family: str) -> Any:
    """Return transformers' reading of a config: it knows older spellings, and defaults."""
    try:
        return config_class.from_dict(raw)
    except Exception as error:  # transformers raises its validators' and Python's own kinds
        raise unusable(checkpoint, family, error) from error


def without_memory(model_class: Any, config: Any) -> Any:
    """Return transformers' model on the meta device."""
    with META:
        return model_class(config)


def promised_tensors(
    checkpoint: Checkpoint, model_class: Any, config: Any, family: str
) -> tuple[dict[str, Shape], set[str]]:
    """Return every tensor that the config promises, from the model itself without its memory, and the optional ones.

    A head beside tied embeddings is optional; if it is there, it counts, as it does in transformers.
    """
    if (layers := config.get_text_config().num_hidden_layers) < 1:
        raise unusable(checkpoint, family, ValueError(f"num_hidden_layers is {layers}"))
    try:
        model = without_memory(model_class, config)
    except Exception as error:  # whatever torch's layers say about sizes that do not go together
        raise unusable(checkpoint, family, error) from error
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    spare = {name for name in shapes if name.endswith("num_batches_tracked")}
    if config.tie_word_embeddings and not checkpoint.has(HEAD):
        spare.add(HEAD)
    return {name: shape for name, shape in shapes.items() if name not in spare}, spare


ACTIVATIONS: Final[dict[str, Literal["silu", "gelu_tanh"]]] = {"silu": "silu", "gelu_pytorch_tanh": "gelu_tanh"}


def decoder_shape(checkpoint: Checkpoint, text: Any, prefix: str, **variants: Any) -> DecoderShape:
    """Return the shape of a Llama-like decoder from its text config; `variants` are fields that no config states."""
    path = checkpoint.folder / "config.json"
    rope = text.rope_parameters
    if rope.get("rope_type", "default") != "default":
        raise CheckpointError(f"{path}: rope_type {rope['rope_type']!r} is not supported; edgevlo exports 'default'.")
    if text.hidden_act not in ACTIVATIONS:
        raise CheckpointError(
            f"{path}: hidden_act {text.hidden_act!r} is not supported; edgevlo exports "
            f"{' and '.join(map(repr, ACTIVATIONS))}."
        )
    if "sliding_attention" in (getattr(text, "layer_types", None) or ()):
        raise CheckpointError(f"{path}: layers with sliding_attention are not supported; edgevlo exports full ones.")
    return DecoderShape(
        prefix=prefix,
        layers=text.num_hidden_layers,
        hidden_size=text.hidden_size,
        mlp_size=text.intermediate_size,
        heads=text.num_attention_heads,
        kv_heads=text.num_key_value_heads,
        head_dim=getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads,
        max_positions=text.max_position_embeddings,
        norm_eps=text.rms_norm_eps,
        rope_theta=rope["rope_theta"],
        activation=ACTIVATIONS[text.hidden_act],
        **variants,
    )


class TransformersReference(Reference):
    """transformers' own model in float32, of which one decoder layer or another part is in memory at a time.

    What every class with a Llama-like decoder, an `lm_head` and a `vqmodel` has.
    """

    def __init__(self, checkpoint: Checkpoint, model_class: Any, config: Any, decoder: str) -> None:
        self.checkpoint = checkpoint
        self.model = without_memory(model_class, config).eval()
        self.decoder = self.model.get_submodule(decoder)
        self.decoder.rotary_emb = type(self.decoder.rotary_emb)(config=self.decoder.config)  # computed, not stored
        self.embedding_scale = np.float32(getattr(self.model.get_input_embeddings(), "scalar_embed_scale", 1.0))
        for layer, module in enumerate(self.decoder.layers):
            on_demand(module, f"{decoder}.layers.{layer}", checkpoint)
        on_demand(self.decoder.norm, f"{decoder}.norm", checkpoint)
        names = {id(tensor): name for name, tensor in self.model.named_parameters()}
        self.embedding = names[id(self.model.get_input_embeddings().weight)]
        self.head = HEAD if checkpoint.has(HEAD) else names[id(self.model.get_output_embeddings().weight)]

    @functools.cached_property
    def vq(self) -> Any:
        """The image tokenizer and decoder; they stay in memory once they were asked for."""
        vq = self.model.model.vqmodel
        load(vq, "model.vqmodel", self.checkpoint)
        return vq

    @torch.no_grad()
    def hidden_states(self, inputs_embeds: Floats) -> list[Floats]:
        """Return the hidden states `(B, T, D)` behind each layer, the last behind the final norm as well."""
        embeds = torch.from_numpy(inputs_embeds)
        out = self.decoder(inputs_embeds=embeds, use_cache=False, output_hidden_states=True)
        return [floats(states) for states in out.hidden_states[1:]]

    def embeddings(self, tokens: Codes) -> Floats:
        """Return the input embeddings `(T, D)` of tokens `(T,)`: rows of the table."""
        rows = [self.checkpoint.tensor(self.embedding, slice(token, token + 1)) for token in tokens]
        return np.concatenate(rows) * self.embedding_scale

    def text_logits(self, hidden: Floats) -> Logits:
        """Return the logits `(B, V)` of hidden states `(B, D)`."""
        return self.logits(hidden)

    def logits(self, hidden: Floats, rows: slice = slice(None)) -> Floats:
        """Return the logits of some tokens for hidden states `(B, D)`."""
        return linear(hidden, self.head, self.checkpoint, rows)


def floats(tensor: torch.Tensor) -> Floats:
    """Return a tensor as float32."""
    array: Floats = tensor.float().numpy()
    return array
