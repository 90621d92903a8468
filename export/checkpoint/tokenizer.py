"""What lies beside a checkpoint's weights: its tokenizer, and how its pictures are scaled. Knows no family."""

import warnings
from dataclasses import dataclass
from typing import Any, Final

from tokenizers import Tokenizer

from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.pictures import Postprocess

from .folder import Checkpoint, CheckpointWarning
from .weight_files import check_is_here

PROCESSOR: Final = "processor_config.json"
PREPROCESSOR: Final = "preprocessor_config.json"

_FILTERS: Final = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # PIL.Image.Resampling


def read_tokenizer(checkpoint: Checkpoint) -> Tokenizer:
    """Return the checkpoint's tokenizer."""
    path = checkpoint.folder / "tokenizer.json"
    check_is_here(path)
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; save it with AutoTokenizer.from_pretrained(...).save_pretrained().")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the tokenizers library raises bare Exception
        raise CheckpointError(f"{path} is not a tokenizer ({error}); download it again.") from error


def read_optional(checkpoint: Checkpoint, name: str) -> dict[str, Any]:
    """Return a JSON object of the folder, empty where there is no such file."""
    return checkpoint.json(name) if (checkpoint.folder / name).exists() else {}


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


def read_preprocessor(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what is said of pictures, in transformers' order: `image_processor` of processor_config.json, as version 5
    saves it, then preprocessor_config.json; where both speak, a warning names the one that was taken.
    """
    nested = read_optional(checkpoint, PROCESSOR).get("image_processor")
    alone = read_optional(checkpoint, PREPROCESSOR)
    if not isinstance(nested, dict):
        return alone
    if differing := sorted(key for key in nested.keys() & alone.keys() if nested[key] != alone[key]):
        warnings.warn(
            f"{checkpoint.folder}: {PROCESSOR} and {PREPROCESSOR} differ in {', '.join(differing)}; {PROCESSOR} was "
            "followed, as transformers does",
            CheckpointWarning,
            stacklevel=3,
        )
    return nested


def read_scaling(checkpoint: Checkpoint) -> Scaling:
    """Return what preprocessor_config.json says; where it is silent, pixels from -1 to 1."""
    path = checkpoint.folder / "preprocessor_config.json"
    given = read_preprocessor(checkpoint)
    mean, std = given.get("image_mean") or [0.5] * 3, given.get("image_std") or [0.5] * 3
    factor = 1 / (255 * (given.get("rescale_factor") or 1 / 255))  # x * f - m = (x / 255 - m * factor) / factor
    if abs(factor - 1) > 1e-6:
        mean, std = [one * factor for one in mean], [one * factor for one in std]
    if len({*mean}) != 1 or len({*std}) != 1 or given.get("resample", 3) not in _FILTERS:
        raise CheckpointError(
            f"{path}: image_mean {mean}, image_std {std} or resample {given.get('resample')} cannot be undone with one "
            "scale; state preprocess and postprocess in edgevlo.json."
        )
    return Scaling(mean=mean, std=std, resample=_FILTERS[given.get("resample", 3)], given=given)
