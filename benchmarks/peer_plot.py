"""Time by row of every engine as an SVG, without a plotting library."""

import statistics
from collections.abc import Sequence
from html import escape
from typing import Any, Final

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 340, 56, 150, 24, 44
COLOURS: Final = ("#0b7285", "#e8590c", "#5f3dc4", "#2b8a3e", "#868e96")
_TICKS: Final = 5


def plot(figures: dict[str, Any]) -> str:
    """Return a plot of the milliseconds a code by row of the picture: medians over the rounds."""
    lines = {name: _by_row(runs) for name, runs in figures["rounds"].items()}
    most = 1.1 * max(max(line) for line in lines.values())
    shapes = [*_axes(most, max(map(len, lines.values())))]
    for colour, (name, line) in zip(COLOURS, lines.items(), strict=False):
        points = " ".join(f"{_x(row, len(line)):.1f},{_y(value, most):.1f}" for row, value in enumerate(line))
        width = 3 if name == "edgevlo" else 1.5
        shapes.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        peak = figures["medians"][name]["peak_gb"]
        shapes.append(_text(WIDTH - RIGHT + 8, _y(line[-1], most) + 4, f"{name}, {peak:.2f} GB", fill=colour))
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _by_row(runs: Sequence[dict[str, Any]]) -> list[float]:
    """Return the median of each row; the first, which some engines count otherwise, is left out."""
    return [statistics.median(row) for row in zip(*(one["rows_ms"][1:] for one in runs), strict=True)]


def _x(row: int, rows: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * row / max(1, rows - 1)


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most


def _axes(most: float, rows: int) -> list[str]:
    shapes = []
    for tick in range(_TICKS + 1):
        value = most * tick / _TICKS
        y = _y(value, most)
        shapes.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dee2e6"/>')
        shapes.append(_text(LEFT - 8, y + 4, f"{value:.0f}", anchor="end"))
    below = HEIGHT - BOTTOM + 18
    shapes += [_text(_x(row, rows), below, str(row + 2), anchor="middle") for row in (0, rows // 2, rows - 1)]
    shapes.append(_text(LEFT, 14, "ms a code"))
    shapes.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "row of the picture", anchor="middle"))
    return shapes


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#212529") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'
