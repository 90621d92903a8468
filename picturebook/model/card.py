"""Plain facts about the task that the toolchain and people need: prompts, palettes, sizes, sampling."""

from __future__ import annotations

from typing import Any

from ..language.plain import MARK, UNKNOWN
from ..world.palette import SEGMENT_COLOURS
from ..world.scene import DEFAULT_GRID, MAX_CELLS, MAX_RATIO, MAX_SIDE, MIN_COLUMNS, MIN_ROWS

REQUESTS = {
    "segment": "segment the picture",
    "edges": "draw the edges",
    "boxes": "draw boxes",
    "detect": "detect {objects}",
}
CELL = 16  # px
ROWS, COLUMNS, CELLS = (MIN_ROWS, MAX_SIDE), (MIN_COLUMNS, MAX_SIDE), (MIN_ROWS * MIN_COLUMNS, MAX_CELLS)
RATIO = float(MAX_RATIO)
SAMPLING = {"temperature": 0.3, "top_k": 20}
GUIDANCE = 1.0
PERCEIVING = {"temperature": 0.0, "top_k": 0}

_TEXT_AND_IMAGES = [{"token": "<bos>"}, {"field": "text"}, {"field": "images"}]
_ANSWER = [*_TEXT_AND_IMAGES, {"token": "<|answer|>"}]


def task_card() -> dict[str, Any]:
    """What `edgevlo.json` beside the checkpoint says: prompts, sizes, guidance and abilities (docs/export.md)."""
    return {
        "name": "picturebook",
        "source": {"id": "edgevlo/picturebook", "licence": "Apache-2.0", "revision": "seventh edition"},
        "grid": {"rows": ROWS, "columns": COLUMNS, "cells": CELLS, "default": DEFAULT_GRID, "max_ratio": RATIO},
        "guidance": {
            "branches": [
                {"kind": "prompt", "constant": 0.0, "scale": 1.0},
                {"kind": "negative", "constant": 1.0, "scale": -1.0},
            ],
            "default_scale": GUIDANCE,
        },
        "sampling": SAMPLING,
        "answer": {"stop": ["<eos>"], "max_tokens": 128},
        "preprocess": {
            "min_pixels": CELLS[0] * CELL**2,
            "max_pixels": CELLS[1] * CELL**2,
            "resample": "lanczos",
        },
        "domain": {  # a picture of this world, saved as JPEG at quality 75, comes back within 24 levels
            "name": "picturebook's drawn world",
            "cells": "tiles",
            "tolerance": 25,
            "see": "docs/picturebook.md",
        },
        "abilities": {
            "paint": {"prompt": [{"token": "<bos>"}, {"field": "text"}], "output": "image"},
            "edit": {"prompt": _TEXT_AND_IMAGES, "output": "image", "images": [1, 2], "guidance_scale": 1.0}
            | {"sampling": PERCEIVING},
            "understand": {
                "prompt": [*_ANSWER, {"text": MARK}],
                "output": "text",
                "images": [0, 1],
                "unknown": UNKNOWN,
            },
            "ask": {"prompt": _ANSWER, "output": "text", "images": [1, 2]},
            "detect": {
                "prompt": _ANSWER,
                "output": "detections",
                "images": [1, 1],
                "unit": "cell",
                "request": {"text": REQUESTS["detect"], "everything": "everything", "separator": ", "},
            },
            "segment": _perceive("segment") | {"labels": SEGMENT_COLOURS},
            "edges": _perceive("edges"),
            "boxes": _perceive("boxes"),
        },
    }


def _perceive(name: str) -> dict[str, Any]:
    return {
        "prompt": _TEXT_AND_IMAGES,
        "output": "image",
        "images": [1, 1],
        "guidance_scale": 1.0,
        "sampling": PERCEIVING,
        "request": {"text": REQUESTS[name]},
    }
