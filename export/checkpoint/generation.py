"""What a checkpoint says about ends, drawing and guidance, as transformers' `generate` follows it.

That is `generation_config.json`; without one it is what config.json, or its text_config, says of the same.
"""

import math
import warnings
from typing import Any, Final

import msgspec
from tokenizers import Tokenizer

from edgevlo.runtime.manifest.guidance import Guidance, Sampling

from .card import Card
from .folder import Checkpoint, CheckpointWarning
from .tokenizer import plain_name, read_optional, special_names

FILE: Final = "generation_config.json"
_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "temperature": (0, 100),
    "top_k": (0, 2**31 - 1),
    "top_p": (0, 1),
    "guidance_scale": (0, 100),
}
# What `generate` does and bundles do not, and the values that change nothing. Its temperature, top-k and top-p count
# with do_sample alone; a bundle always draws its pictures.
_UNMET: Final[dict[str, tuple[Any, ...]]] = {
    "do_sample": (True,),
    "repetition_penalty": (1,),
    "encoder_repetition_penalty": (1,),
    "length_penalty": (1,),
    "no_repeat_ngram_size": (0,),
    "encoder_no_repeat_ngram_size": (0,),
    "num_beams": (1,),
    "num_beam_groups": (1,),
    "diversity_penalty": (0,),
    "penalty_alpha": (0,),
    "top_h": (),
    "min_p": (0,),
    "typical_p": (1,),
    "epsilon_cutoff": (0,),
    "eta_cutoff": (0,),
    "min_length": (0,),
    "min_new_tokens": (0,),
    "bad_words_ids": ([],),
    "suppress_tokens": ([],),
    "begin_suppress_tokens": ([],),
    "forced_bos_token_id": (),
    "forced_eos_token_id": (),
    "sequence_bias": ({}, []),
    "exponential_decay_length_penalty": (),
    "stop_strings": ([],),
}


def follow_generation_config(defaults: Card, checkpoint: Checkpoint, tokenizer: Tokenizer) -> Card:
    """Return a family's defaults with what the file says in place of them; one warning names what it replaced."""
    file, stated = _stated(checkpoint)
    numbers = {name: value for name in _BOUNDS if (value := _number(stated.get(name), name)) is not None}
    left = [f"{name} {stated[name]!r}" for name in _BOUNDS if stated.get(name) is not None and name not in numbers]
    left += [f"{name} {stated[name]!r}" for name, usual in _UNMET.items() if stated.get(name) not in (None, *usual)]
    said: list[str] = []
    sampling, guidance, answer = defaults.sampling, defaults.guidance, defaults.answer
    if sampling is not None:
        sampling = _sampling(sampling, numbers, said)
    if guidance is not None and "guidance_scale" in numbers:
        guidance = _guidance(guidance, numbers["guidance_scale"], said)
    if unknown := [token for token in _listed(stated) if not _known(token, tokenizer)]:
        left.append(f"eos_token_id {', '.join(map(repr, unknown))}, which the tokenizer does not have")
    if answer is not None and (most := stated.get("max_new_tokens")) is not None and most != answer.max_tokens:
        if type(most) is int and 0 < most < answer.max_tokens:
            said.append(f"answers have {most} tokens at most, not {answer.max_tokens}")
            answer = msgspec.structs.replace(answer, max_tokens=most)
        else:
            left.append(f"max_new_tokens {most!r} (answers have {answer.max_tokens} tokens at most)")
    if answer is not None and (ends := _ends(stated, tokenizer)):
        replaced = set(_stated_elsewhere(checkpoint, tokenizer))
        stop = tuple(dict.fromkeys((*ends, *(name for name in answer.stop if name not in replaced))))
        if set(stop) != set(answer.stop):
            said.append(f"answers end at {', '.join(stop)}, not at {', '.join(answer.stop)}")
        answer = msgspec.structs.replace(answer, stop=stop)
    if said:
        warnings.warn(
            f"{checkpoint.folder / file} was followed in place of other files and of the family's defaults: "
            f"{'; '.join(said)}",
            CheckpointWarning,
            stacklevel=3,
        )
    if left:
        warnings.warn(
            f"{checkpoint.folder / file}: bundles do not follow {'; '.join(left)}. A task card states what they do "
            "instead (sampling, answer).",
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


def _stated(checkpoint: Checkpoint) -> tuple[str, dict[str, Any]]:
    """Return what is said of generation, and the file that says it."""
    if (checkpoint.folder / FILE).exists():
        return FILE, read_optional(checkpoint, FILE)
    if "transformers_version" in checkpoint.config:  # its save_pretrained writes the file
        warnings.warn(
            f"{checkpoint.folder} has no {FILE}: drawing, guidance and ends are those of config.json and the family",
            CheckpointWarning,
            stacklevel=4,
        )
    names = (*_BOUNDS, *_UNMET, "eos_token_id", "max_new_tokens")
    stated: dict[str, Any] = {}
    for config in _configs(checkpoint):  # the outer one counts
        stated = {name: config[name] for name in names if config.get(name) is not None} | stated
    return "config.json", stated


def _configs(checkpoint: Checkpoint) -> tuple[dict[str, Any], dict[str, Any]]:
    text = checkpoint.config.get("text_config")
    return checkpoint.config, text if isinstance(text, dict) else {}


def _listed(stated: dict[str, Any]) -> list[Any]:
    tokens = stated.get("eos_token_id")
    return tokens if isinstance(tokens, list) else [] if tokens is None else [tokens]


def _known(token: Any, tokenizer: Tokenizer) -> bool:
    return type(token) is int and 0 <= token < 2**32 and bool(tokenizer.id_to_token(token))


def _ends(stated: dict[str, Any], tokenizer: Tokenizer) -> list[str]:
    """Return the names of the tokens at which `generate` ends; of those only that the tokenizer knows."""
    return [str(tokenizer.id_to_token(token)) for token in _listed(stated) if _known(token, tokenizer)]


def _stated_elsewhere(checkpoint: Checkpoint, tokenizer: Tokenizer) -> list[str]:
    """Return the names of the ends of config.json and tokenizer_config.json, which `generate` does not look at."""
    name = plain_name(special_names(checkpoint).get("eos_token"))
    return [*(end for config in _configs(checkpoint) for end in _ends(config, tokenizer)), *([name] if name else [])]


def _number(value: Any, name: str) -> float | None:
    """Return a number within the bounds of what it is for, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    low, high = _BOUNDS[name]
    return float(value) if low <= value <= high and not (name == "top_p" and value == 0) else None
