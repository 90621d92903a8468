"""The decoder of Janus-Pro-1B, the loop that all engines are timed at, and how they report it.

Runs in the environments of the engines, which have numpy and little else.
"""

import json
import statistics
from collections.abc import Sequence
from typing import Any, Final

CONFIG: Final[dict[str, Any]] = {
    "hidden_size": 2048,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "intermediate_size": 5632,
    "vocab_size": 16384,  # a head of as many rows as there are codes
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "head_dim": 128,
}
BRANCHES: Final = 2  # with a prompt and without: guidance
PROMPT: Final = 32  # tokens
ROWS: Final = 24
COLUMNS: Final = 24
CODES: Final = ROWS * COLUMNS
CAPACITY: Final = PROMPT + CODES + 8


def report(seconds: Sequence[float], **facts: Any) -> None:
    """Print what a program measured, seconds a code in their order, as one line of JSON."""
    rows = [1e3 * statistics.mean(seconds[at : at + COLUMNS]) for at in range(0, CODES, COLUMNS)]
    found = {"rows_ms": [round(row, 3) for row in rows], "step_ms": round(statistics.median(rows[1:]), 3), **facts}
    print(json.dumps(found), flush=True)
