"""What `generation_config.json` says about ends, drawing and guidance, as transformers' `generate` follows it."""

import math
import warnings
from typing import Any, Final

import msgspec
from tokenizers import Tokenizer

from edgevlo.runtime.manifest.guidance import Guidance, Sampling

from .card import Card
from .folder import Checkpoint, CheckpointWarning
from .tokenizer import read_optional

FILE: Final = "generation_config.json"
_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "temperature": (0, 100),
    "top_k": (0, 2**31 - 1),
    "top_p": (0, 1),
    "guidance_scale": (0, 100),
}


def follow_generation_config(defaults: Card, checkpoint: Checkpoint, tokenizer: Tokenizer) -> Card:
    """Return a family's defaults with what the file says in place of them; one warning names what it replaced."""
    stated = read_optional(checkpoint, FILE)
    numbers = {name: value for name in _BOUNDS if (value := _number(stated.get(name), name)) is not None}
    said: list[str] = []
    sampling, guidance, answer = defaults.sampling, defaults.guidance, defaults.answer
    if sampling is not None:
        sampling = _sampling(sampling, numbers, said)
    if guidance is not None and "guidance_scale" in numbers:
        guidance = _guidance(guidance, numbers["guidance_scale"], said)
    if answer is not None and (ends := _ends(stated, tokenizer)):
        replaced = set(_stated_elsewhere(checkpoint, tokenizer))
        stop = tuple(dict.fromkeys((*ends, *(name for name in answer.stop if name not in replaced))))
        if set(stop) != set(answer.stop):
            said.append(f"answers end at {', '.join(stop)}, not at {', '.join(answer.stop)}")
        answer = msgspec.structs.replace(answer, stop=stop)
    if said:
        warnings.warn(
            f"{checkpoint.folder / FILE} was followed in place of other files and of the family's defaults: "
            f"{'; '.join(said)}",
            CheckpointWarning,
            stacklevel=3,
        )
    return msgspec.structs.replace(defaults, sampling=sampling, guidance=guidance, answer=answer)


def _sampling(sampling: Sampling, numbers: dict[str, float], said: list[str]) -> Sampling:
    changed = {
        name: int(numbers[name]) if name == "top_k" else numbers[name]
        for name in ("temperature", "top_k", "top_p")
        if name in numbers and numbers[name] != getattr(sampling, name)
    }
    said += [f"{name} {value:g}, not {getattr(sampling, name):g}" for name, value in changed.items()]
    return msgspec.structs.replace(sampling, **changed)


def _guidance(guidance: Guidance, scale: float, said: list[str]) -> Guidance:
    if scale != guidance.default_scale:
        said.append(f"guidance_scale {scale:g}, not {guidance.default_scale:g}")
    return msgspec.structs.replace(guidance, default_scale=scale)


def _ends(stated: dict[str, Any], tokenizer: Tokenizer) -> list[str]:
    """Return the names of the tokens at which `generate` ends; of those only that the tokenizer knows."""
    tokens = stated.get("eos_token_id")
    listed = tokens if isinstance(tokens, list) else [tokens]
    names = [tokenizer.id_to_token(token) for token in listed if type(token) is int and token >= 0]
    return [name for name in names if name]


def _stated_elsewhere(checkpoint: Checkpoint, tokenizer: Tokenizer) -> list[str]:
    """Return the names of the ends of config.json and tokenizer_config.json, which `generate` does not look at."""
    text = checkpoint.config.get("text_config")
    configs = [checkpoint.config, text if isinstance(text, dict) else {}]
    named = read_optional(checkpoint, "tokenizer_config.json").get("eos_token")
    name = named.get("content") if isinstance(named, dict) else named
    return [
        *(end for config in configs for end in _ends(config, tokenizer)),
        *([name] if isinstance(name, str) else []),
    ]


def _number(value: Any, name: str) -> float | None:
    """Return a number within the bounds of what it is for, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    low, high = _BOUNDS[name]
    return float(value) if low <= value <= high and not (name == "top_p" and value == 0) else None
