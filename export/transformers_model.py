"""transformers' own reading of a checkpoint: its config, the tensors that promises, and the model to compare with.

What families of transformers' classes share. transformers is not annotated: its classes and configs are `Any` here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers.utils import logging

from edgevlo.runtime.errors import CheckpointError

from .backbone import DecoderShape
from .checkpoint import Checkpoint, Floats, Shape
from .plan import Codes, Reference


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


def promised_tensors(checkpoint: Checkpoint, model_class: Any, config: Any, family: str) -> dict[str, Shape]:
    """Return every tensor that the config promises, from the model itself without its memory."""
    try:
        with torch.device("meta"):
            model: Any = model_class(config)
    except Exception as error:  # whatever torch's layers say about sizes that do not go together
        raise unusable(checkpoint, family, error) from error
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    optional = {"lm_head.weight"} if config.tie_word_embeddings else set()
    return {
        name: shape
        for name, shape in shapes.items()
        if name not in optional and not name.endswith("num_batches_tracked")
    }


def decoder_shape(checkpoint: Checkpoint, text: Any, prefix: str) -> DecoderShape:
    """Return the shape of a Llama-like decoder from its text config."""
    path = checkpoint.folder / "config.json"
    rope = text.rope_parameters
    if rope.get("rope_type", "default") != "default":
        raise CheckpointError(f"{path}: rope_type {rope['rope_type']!r} is not supported; edgevlo exports 'default'.")
    if text.hidden_act != "silu":
        raise CheckpointError(f"{path}: hidden_act {text.hidden_act!r} is not supported; edgevlo exports 'silu'.")
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
    )


def load_part(part: Any, checkpoint: Checkpoint, prefix: str) -> None:
    """Give a module made on the meta device the checkpoint's tensors, without a copy of either."""
    weights = {
        name: torch.from_numpy(checkpoint.tensor(f"{prefix}.{name}"))
        for name in part.state_dict()
        if not name.endswith("num_batches_tracked")
    }
    counters = {name: torch.tensor(0) for name in part.state_dict() if name not in weights}
    part.load_state_dict(weights | counters, assign=True)


class TransformersReference(Reference):
    """transformers' own model in float32: what every class with a Llama-like decoder and an `lm_head` has."""

    def __init__(self, model: Any, decoder: Any) -> None:
        self.model = model.eval()
        self.decoder = decoder

    @torch.no_grad()
    def hidden(self, inputs_embeds: Floats) -> Floats:
        """Return the hidden states `(1, T, D)` after the final norm for embeddings `(1, T, D)`."""
        out = self.decoder(inputs_embeds=torch.from_numpy(inputs_embeds), use_cache=False)
        return floats(out.last_hidden_state)

    @torch.no_grad()
    def embeddings(self, tokens: Codes) -> Floats:
        """Return the input embeddings `(T, D)` of tokens `(T,)`."""
        return floats(self.model.get_input_embeddings()(torch.from_numpy(tokens)))

    @torch.no_grad()
    def text_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, V)` of hidden states `(B, D)`."""
        return floats(self.model.lm_head(torch.from_numpy(hidden)))


def load_model(
    checkpoint: Checkpoint, model_class: Any, config: Any, state: dict[str, torch.Tensor] | None = None
) -> Any:
    """Return transformers' model in float32, from the folder or from tensors given by name."""
    with _no_progress_bar():
        return model_class.from_pretrained(
            checkpoint.folder if state is None else None,
            config=config,
            state_dict=state,
            dtype=torch.float32,
            local_files_only=True,
        )


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep transformers' own bar off the terminal while weights are loaded."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def floats(tensor: torch.Tensor) -> Floats:
    """Return a tensor as float32."""
    array: Floats = tensor.float().numpy()
    return array
