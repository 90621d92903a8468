"""How to paint one picture: the caller's options over the manifest's defaults. Knows no graphs."""

import secrets
from dataclasses import dataclass
from typing import Final, TypeVar

from ..arguments import check_fields, shown
from ..errors import RequestError
from ..guidance_weights import weighted_branches
from ..manifest.abilities import Ability
from ..manifest.guidance import Guidance, Sampling
from ..manifest.interfaces import most_top_k, takes_top_p
from ..manifest.schema import Manifest
from .prompts import check_text

MAX_SEED: Final = 2**32 - 1
MAX_CODES_PER_PASS: Final = 64
Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Options:
    """How to paint; None takes the model's own default, and a missing seed is drawn at random."""

    seed: int | None = None
    guidance_scale: float | None = None
    image_guidance_scale: float | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    negative_prompt: str | None = None
    codes_per_pass: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options with nothing left to decide."""

    seed: int
    guidance_scale: float
    image_guidance_scale: float | None  # None where the model has no such guidance or no picture is shown
    sampling: Sampling
    negative: str
    codes_per_pass: int = 1  # 0: as many as pay


def resolve(options: Options, ability: Ability, manifest: Manifest) -> Settings:
    """Return the settings of one picture; raise `RequestError` for a value that it cannot have."""
    check_fields(options)
    scale = _first(options.guidance_scale, ability.guidance_scale, manifest.guidance.default_scale)
    _check_number("guidance scale", scale, 0, 100)
    image_scale = _image_scale(options.image_guidance_scale, ability, manifest.guidance)
    default = ability.sampling or manifest.sampling
    temperature = _first(options.temperature, default.temperature)
    top_k = _first(options.top_k, default.top_k)
    _check_number("temperature", temperature, 0, 100)
    top_p = _first(options.top_p, default.top_p)
    top_k = _top_k(top_k, manifest)
    _check_top_p(top_p, manifest)
    codes_per_pass = _first(options.codes_per_pass, 1)  # one: the only number with which a seed decides alone
    _check_number("codes per pass", codes_per_pass, 0, MAX_CODES_PER_PASS)
    seed = _first(options.seed, secrets.randbelow(MAX_SEED + 1))
    check_seed(seed)
    return Settings(
        seed=seed,
        guidance_scale=scale,
        image_guidance_scale=image_scale,
        sampling=Sampling(temperature=temperature, top_k=int(top_k), top_p=top_p),
        negative=_negative(options.negative_prompt, scale, image_scale, manifest.guidance),
        codes_per_pass=codes_per_pass,
    )


def _image_scale(given: float | None, ability: Ability, guidance: Guidance) -> float | None:
    """Return how closely to follow the pictures; None where the model or the ability does not use it."""
    if guidance.default_image_scale is None or not ability.images[1]:
        if given is not None:
            why = "this shows the model no picture" if ability.images[1] == 0 else "this model has no such guidance"
            raise RequestError(f"an image guidance scale does nothing here: {why}; leave it out.")
        return None
    scale = _first(given, guidance.default_image_scale)
    _check_number("image guidance scale", scale, 0, 100)
    return scale


def _negative(given: str | None, scale: float, image_scale: float | None, guidance: Guidance) -> str:
    """Return the negative prompt, empty where no branch reads it."""
    if any(branch.reads_negative for branch, _ in weighted_branches(guidance, scale, image_scale)):
        negative = guidance.negative_text if given is None else given.strip()
        return check_text(negative, "negative prompt") if negative else ""
    if given and not any(branch.reads_negative for branch in guidance.branches):
        raise RequestError("this model takes no negative prompt; leave it out.")
    if given:
        raise RequestError(f"a negative prompt does nothing at guidance scale {scale}; raise it or leave it out.")
    return ""


def check_seed(seed: int) -> None:
    """Raise `RequestError` if a picture cannot have this seed."""
    if not 0 <= seed <= MAX_SEED:
        raise RequestError(f"seed {shown(seed)} is out of range; seeds run from 0 to {MAX_SEED}.")


def _top_k(top_k: int, manifest: Manifest) -> int:
    """Return a top-k that the image head applies; raise `RequestError` for one that it cannot."""
    _check_number("top-k", top_k, 0, 2**31 - 1)
    most = most_top_k(manifest)
    if most is None or top_k <= most:
        return top_k
    if top_k < manifest.codes.count:
        raise RequestError(
            f"top-k {top_k} is out of range: on a GPU at most {most} codes are kept, or all of them with 0."
        )
    return 0


def _check_top_p(top_p: float, manifest: Manifest) -> None:
    if not 0 < top_p <= 1:  # false for NaN too
        raise RequestError(f"top-p {top_p} is out of range; it is above 0 and at most 1.")
    if top_p < 1 and not takes_top_p(manifest):
        target = manifest.target
        remedy = "export the checkpoint again" if target in ("portable", "cpu") else "use a bundle of target 'cpu'"
        raise RequestError(f"this bundle of target {target!r} does not support top-p; leave it out, or {remedy}.")


def _check_number(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # false for NaN too
        raise RequestError(f"{name} {shown(value)} is out of range; it runs from {low} to {high}.")


def _first(*values: Number | None) -> Number:
    """Return the first value that is given; the last one always is."""
    return next(value for value in values if value is not None)
