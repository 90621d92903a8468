"""EdgeVLo through its public interface: a prompt, 576 codes drawn with guidance, the picture decoded and saved.

usage: edge.py BUNDLE THREADS
"""

import sys
import tempfile
import time
from pathlib import Path

from shape import COLUMNS, ROWS, report

import edgevlo

PROMPT = "a red car on the beach at sunset"
GUIDANCE = 5.0


def main(bundle: str, threads: int) -> None:
    """Paint one picture; its first row has the prompt in it, as `rows_ms` of the others do not."""
    model = edgevlo.load(bundle, threads=threads)
    ends = [time.perf_counter()]
    strokes = []
    for stroke in model.paint_rows(
        PROMPT, seed=0, guidance_scale=GUIDANCE
    ):  # nobody asks for previews: none is decoded
        ends.append(time.perf_counter())
        strokes.append(stroke)
    with tempfile.TemporaryDirectory() as folder:
        edgevlo.save_png(strokes[-1].preview, Path(folder) / "picture.png")
    decoding = time.perf_counter() - ends[-1]
    seconds = [(ends[row + 1] - ends[row]) / COLUMNS for row in range(ROWS) for _ in range(COLUMNS)]
    seconds[:COLUMNS] = seconds[COLUMNS : 2 * COLUMNS]  # the first row opens graphs and reads the prompt
    backbone = model.manifest.graphs["backbone"]
    report(
        seconds,
        version=edgevlo.__version__,
        weights=backbone.precision,
        kv_cache=model.manifest.backbone.cache_dtype,
        first_row_s=round(ends[1] - ends[0], 3),
        decode_s=round(decoding, 3),
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
