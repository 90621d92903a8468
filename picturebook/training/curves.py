"""Draw how a training run went (extra `dev`).

    python -m edgevlo.picturebook.training.curves training.jsonl -o training.png


Reads what `train` writes (`curve.jsonl`, of one run or of several that went on from each other); writes the curves of
the probe as a picture and prints them as a Markdown table.
"""

from __future__ import annotations

import json
from math import nan
from pathlib import Path
from typing import Any

import click

SHOWN = ("paint1", "paint2", "paint3", "edit", "compound", "ask", "describe", "detect", "compare", "fetch")


def load(paths: tuple[Path, ...]) -> list[dict[str, Any]]:
    """The lines of the files one after the other; `minutes` and `tokens` go on from start to start.

    What was trained after the last line of a start is not counted. Lines without a probe (of an older form) only count.
    """
    lines: list[dict[str, Any]] = []
    minutes = tokens = 0.0
    before: dict[str, Any] = {"minutes": 0.0, "tokens": 0}
    for line in (json.loads(text) for path in paths for text in path.read_text().splitlines()):
        if line["tokens"] < before["tokens"]:  # a new start
            minutes, tokens = minutes + before["minutes"], tokens + before["tokens"]
        before = line
        if "probe" in line:
            lines.append(line | {"minutes": minutes + line["minutes"], "tokens": tokens + line["tokens"]})
    return lines


def table(lines: list[dict[str, Any]], rows: int = 12) -> str:
    """A Markdown table of about so many lines, evenly spread."""
    chosen = (
        [lines[round(place * (len(lines) - 1) / (rows - 1))] for place in range(rows)] if len(lines) > rows else lines
    )
    head = ["minutes", "million tokens", *SHOWN]
    body = [
        [
            f"{line['minutes']:.0f}",
            f"{line['tokens'] / 1e6:.1f}",
            *(f"{line['probe'][name]:.2f}" if name in line["probe"] else "-" for name in SHOWN),
        ]
        for line in chosen
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body))


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """The curves of the probe over the minutes, as a small PNG."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), dpi=90)
    for name in SHOWN:
        axes.plot(
            [line["minutes"] for line in lines], [line["probe"].get(name, nan) for line in lines], label=name, lw=1.3
        )
    axes.set(xlabel="minutes", ylabel="all weighty tokens right, teacher-forced", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=3)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


@click.command(help=__doc__)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="picture, PNG")
def main(files: tuple[Path, ...], output: Path) -> None:
    """Command line."""
    lines = load(files)
    if not lines:
        raise click.ClickException("no line with a probe in these files; training writes one every few minutes")
    draw(lines, output)
    click.echo(table(lines))


if __name__ == "__main__":
    main()
