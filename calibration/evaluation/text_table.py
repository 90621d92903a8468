"""An evaluation as text for a terminal. Measures nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

from .compare import Figures
from .gate import Verdict, shown
from .limits import FIGURES


def table(figures: Figures, found: Verdict, notes: Sequence[str] = ()) -> str:
    """Return everything that was measured, the limits, and the verdict."""
    return "\n".join((*_headline(found), *_rows(figures), *_layers(figures), *_rest(figures), *notes, *_ending(found)))


def _headline(found: Verdict) -> Iterator[str]:
    wide = max(len(FIGURES[name].text) for name in found.figures) if found.figures else 0
    for name, value in found.figures.items():
        figure, bound = FIGURES[name], found.limits.get(name)
        side = "at least" if figure.better == "more" else "at most"
        wanted = "" if bound is None else f"{side} {shown(name, bound)}"
        yield f"{figure.text:{wide}}  {shown(name, value):>12}  {wanted}".rstrip()


def _rows(figures: Figures) -> Iterator[str]:
    if figures["codes"] is None:
        return
    yield ""
    yield "row    cells  codes that agree  divergence: mean      99 %"
    for row in figures["codes"]["rows"]:
        agreement, mean, most = f"{100 * row['agreement']:.2f} %", f"{row['kl_mean']:.2e}", f"{row['kl_p99']:.2e}"
        yield f"{row['row'] + 1:3}  {row['cells']:7}  {agreement:>16}  {mean:>16}  {most:>8}"


def _layers(figures: Figures) -> Iterator[str]:
    if figures["layer_sqnr_db"]:
        listed = (_decibels(value) for value in figures["layer_sqnr_db"].values())
        yield ""
        yield f"hidden states behind each layer, signal to noise: {', '.join(listed)}"


def _rest(figures: Figures) -> Iterator[str]:
    free: dict[str, Any] | None = figures["free_pictures"]
    if free is not None:
        yield ""
        yield (
            f"pictures sampled with the same seeds: PSNR {_decibels(free['psnr_db'])}, SSIM {free['ssim']:.4f}, "
            f"colour {free['ciede2000_median']:.2f} (median), {free['ciede2000_p95']:.2f} (95 %)"
        )
    answers = figures["answers"]
    if answers is not None:
        yield f"answers: {round(answers['exact'] * answers['answers'])} of {answers['answers']} are the same"


def _ending(found: Verdict) -> Iterator[str]:
    yield ""
    yield f"{'within' if found.passed else 'BELOW'} the limits of {found.precision}"
    yield from (f"  {reason}" for reason in found.reasons)


def _decibels(value: float | None) -> str:
    return "no difference" if value is None else f"{value:.1f} dB"
