"""How a checkpoint's pictures become numbers, by the files that transformers reads it from. Knows no family."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.pictures import Postprocess

from .card import CARD_FILE, read_card
from .folder import Checkpoint, CheckpointWarning
from .tokenizer import read_optional

PROCESSOR: Final = "processor_config.json"
PREPROCESSOR: Final = "preprocessor_config.json"

_FILTERS: Final = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # PIL.Image.Resampling


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What a class of image processors does where its file is silent."""

    mean: Sequence[float]
    std: Sequence[float]
    factor: float = 1 / 255
    resample: int = 3
    steps: tuple[str, ...] = ("do_resize",)  # that a bundle cannot leave out


RELEASED: Final = ([0.5] * 3, [0.5] * 3)  # mean and standard deviation of the released models
CLIP: Final = Usual(mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How pictures become numbers, and the rest that preprocessor_config.json says."""

    mean: list[float]
    std: list[float]
    resample: str
    given: dict[str, Any]

    @property
    def back(self) -> Postprocess:
        """The way back, truncated as the references do."""
        return Postprocess(scale=self.std[0], offset=self.mean[0], rounding="truncate")


def read_preprocessor(checkpoint: Checkpoint) -> tuple[str, dict[str, Any]]:
    """Return what is said of pictures and the file that says it, in transformers' order.

    `image_processor` of processor_config.json, as version 5 saves it, then preprocessor_config.json; where both speak,
    a warning names the one that was taken.
    """
    nested = read_optional(checkpoint, PROCESSOR).get("image_processor")
    alone = read_optional(checkpoint, PREPROCESSOR)
    if not isinstance(nested, dict):
        return PREPROCESSOR, alone
    if differing := sorted(key for key in nested.keys() & alone.keys() if nested[key] != alone[key]):
        warnings.warn(
            f"{checkpoint.folder}: {PROCESSOR} and {PREPROCESSOR} differ in {', '.join(differing)}; {PROCESSOR} was "
            "followed, as transformers does",
            CheckpointWarning,
            stacklevel=3,
        )
    return PROCESSOR, nested


def read_scaling(checkpoint: Checkpoint, usual: Usual) -> Scaling:
    """Return what the files say, and what transformers does where they are silent.

    Without any file that is the scaling of the released models, and a warning says so. A task card that states both
    ways takes the place of all.
    """
    card = read_card(checkpoint.folder)
    if card.preprocess is not None and card.postprocess is not None:
        return Scaling(mean=RELEASED[0], std=RELEASED[1], resample=_FILTERS[usual.resample], given={})
    file, given = read_preprocessor(checkpoint)
    path = checkpoint.folder / file
    if off := [step for step in usual.steps if given.get(step) is False]:
        raise CheckpointError(f"{path}: {off[0]} is false, but a bundle reads pictures of any size. {_ADVICE}")
    resample = given.get("resample", usual.resample)
    if type(resample) is not int or resample not in _FILTERS:
        known = ", ".join(f"{number} ({name})" for number, name in _FILTERS.items())
        raise CheckpointError(f"{path}: resample is {resample!r}, but edgevlo reads {known}. {_ADVICE}")
    mean, std = _numbers(given, usual) if given else _released(checkpoint)
    if not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
        raise CheckpointError(f"{path}: image_mean {mean}, image_std {std} scale no picture. {_ADVICE}")
    if len({*mean}) != 1 or len({*std}) != 1:
        raise CheckpointError(f"{path}: image_mean {mean}, image_std {std} cannot be undone with one scale. {_ADVICE}")
    return Scaling(mean=mean, std=std, resample=_FILTERS[resample], given=given)


_ADVICE: Final = f"State preprocess and postprocess in {CARD_FILE}."


def _numbers(given: dict[str, Any], usual: Usual) -> tuple[list[float], list[float]]:
    """Return the mean and the standard deviation of pixels from 0 to 1."""
    mean, std = (
        ([0.0] * 3, [1.0] * 3)
        if given.get("do_normalize") is False
        else (
            _channels(given.get("image_mean"), usual.mean),
            _channels(given.get("image_std"), usual.std),
        )
    )
    by = 1.0 if given.get("do_rescale") is False else given.get("rescale_factor") or usual.factor
    factor = 1 / (255 * by)  # x * by - m = (x / 255 - m * factor) / factor
    if not abs(factor - 1) <= 1e-6:  # of NaN, too
        mean, std = [one * factor for one in mean], [one * factor for one in std]
    return mean, std


def _channels(given: Any, usual: Sequence[float]) -> list[float]:
    return list(usual) if given is None else [given] * 3 if isinstance(given, int | float) else list(given)


def _released(checkpoint: Checkpoint) -> tuple[list[float], list[float]]:
    warnings.warn(
        f"{checkpoint.folder} has no {PREPROCESSOR}: pictures are scaled to -1 to 1, as in the released models",
        CheckpointWarning,
        stacklevel=4,
    )
    return RELEASED
