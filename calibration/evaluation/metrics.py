"""How far logits, hidden states and pictures are from the reference's. scikit-image compares colours."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgevlo.runtime.arrays import Array, Doubles, Floats
from edgevlo.runtime.errors import EdgevloError
from edgevlo.runtime.extras import install_command

FAR: Final = 1000.0  # nats or dB: the largest distance reported
_WINDOW: Final = 7  # side of the windows over which structural similarity is taken


def divergence(reference: Floats, candidate: Floats) -> float:
    """Return the Kullback-Leibler divergence, in nats, of the softmax of `candidate` from that of `reference`.

    At most `FAR`, which is also the distance of NaN and infinity.
    """
    if not np.all(np.isfinite(candidate)):
        return FAR
    ours, theirs = _log_softmax(reference), _log_softmax(candidate)
    return min(max(0.0, float(np.sum(np.exp(ours) * (ours - theirs)))), FAR)  # rounding may leave -1e-17


def _log_softmax(logits: Floats) -> Doubles:
    shifted = logits.astype(np.float64) - float(np.max(logits))
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


@dataclass(slots=True)
class Energies:
    """Energies of a signal and of its error, summed over many pieces."""

    signal: float = 0.0
    noise: float = 0.0

    def add(self, reference: Floats, candidate: Floats) -> None:
        """Add one piece."""
        ours = reference.astype(np.float64)
        self.signal += float(np.square(ours).sum())
        self.noise += float(np.square(ours - candidate).sum())

    @property
    def decibels(self) -> float | None:
        """The ratio of signal to noise; None where there is no noise at all, `-FAR` where there is NaN or infinity."""
        if not np.isfinite(self.noise):
            return -FAR
        return float(10 * np.log10(max(self.signal, 1e-300) / self.noise)) if self.noise > 0 else None


@dataclass(slots=True)
class PictureDifferences:
    """Pairs of pictures of the same size, compared pixel by pixel and window by window."""

    squares: list[float] = field(default_factory=list)  # mean squared error of each pair, in levels from 0 to 255
    similarities: list[float] = field(default_factory=list)  # structural similarity of each pair
    colours: list[Floats] = field(default_factory=list)  # CIEDE2000 of each pixel of each pair

    def add(self, reference: Image.Image, candidate: Image.Image) -> None:
        """Compare one pair."""
        ours, theirs = (np.asarray(image.convert("RGB")) for image in (reference, candidate))
        self.squares.append(float(np.mean(np.square(ours.astype(np.float64) - theirs))))
        self.similarities.append(similarity(ours, theirs))
        self.colours.append(colour_differences(ours, theirs).ravel().astype(np.float32))

    def figures(self) -> dict[str, float | None] | None:
        """Return PSNR in dB (None: no difference), mean SSIM, and median and 95th percentile of CIEDE2000."""
        if not self.squares:
            return None
        error, colours = float(np.mean(self.squares)), np.concatenate(self.colours)
        return {
            "psnr_db": float(10 * np.log10(255**2 / error)) if error > 0 else None,
            "ssim": float(np.mean(self.similarities)),
            "ciede2000_median": float(np.median(colours)),
            "ciede2000_p95": float(np.percentile(colours, 95)),
        }


def similarity(reference: npt.NDArray[np.uint8], candidate: npt.NDArray[np.uint8]) -> float:
    """Return the structural similarity (Wang et al., 2004) of two pictures (height, width, 3), 1 for the same."""
    shorter = min(reference.shape[:2])
    window = min(_WINDOW, shorter - 1 + shorter % 2)  # odd, and inside the picture
    compare = _library().structural_similarity
    return float(compare(reference, candidate, win_size=window, channel_axis=2, data_range=255))


def colour_differences(reference: Array, candidate: Array) -> Doubles:
    """Return the CIEDE2000 difference of each pixel of two sRGB pictures (height, width, 3)."""
    if np.array_equal(reference, candidate):
        return np.zeros(reference.shape[:2])
    library = _library()
    differences: Doubles = np.zeros(reference.shape[:2])
    changed = np.any(reference != candidate, axis=2)  # most pixels are the same, and conversion is slow
    ours, theirs = library.rgb2lab(reference[changed]), library.rgb2lab(candidate[changed])
    differences[changed] = library.deltaE_ciede2000(ours, theirs)
    return differences


@dataclass(frozen=True, slots=True)
class _Library:
    structural_similarity: Callable[..., Any]
    rgb2lab: Callable[..., Any]
    deltaE_ciede2000: Callable[..., Any]


@functools.cache
def _library() -> _Library:
    try:
        from skimage.color import deltaE_ciede2000, rgb2lab
        from skimage.metrics import structural_similarity
    except ImportError as error:
        raise EdgevloError(
            f"comparing pictures needs scikit-image, which is not installed: {install_command('evaluate')} ({error})."
        ) from error
    return _Library(structural_similarity, rgb2lab, deltaE_ciede2000)


def check_installed() -> None:
    """Raise `EdgevloError` unless pictures can be compared; called before the work that would be lost."""
    _library()
