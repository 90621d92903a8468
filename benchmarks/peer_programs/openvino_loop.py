"""OpenVINO on a stateful graph of optimum-intel. usage: openvino_loop.py MODEL THREADS"""

import importlib
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from shape import BRANCHES, CODES, CONFIG, PROMPT, report


class Loop:
    """A request whose cache is its own state."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.library: Any = importlib.import_module("openvino")
        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
        self.model = self.library.Core().compile_model(str(folder / "openvino_model.xml"), "CPU", settings)
        self.request = self.model.create_infer_request()
        self.names = [value.get_any_name() for value in self.model.inputs]
        self.held = 0

    def read(self, tokens: Any) -> Any:
        """Read tokens (branches, width); return the likeliest next ones (branches, 1)."""
        width = tokens.shape[1]
        positions = np.arange(self.held, self.held + width, dtype=np.int64)
        feeds = {
            "input_ids": tokens,
            "attention_mask": np.ones((BRANCHES, self.held + width), np.int64),
            "position_ids": np.tile(positions, (BRANCHES, 1)),
            "beam_idx": np.arange(BRANCHES, dtype=np.int32),
        }
        self.request.infer({name: feeds[name] for name in self.names}, share_inputs=True, share_outputs=True)
        self.held += width
        return self.request.get_output_tensor(0).data[:, -1].argmax(-1)[:, None]


def main(folder: str, threads: int) -> None:
    """Read two prompts, then take the likeliest token 576 times."""
    loop, seconds = Loop(Path(folder), threads), []
    tokens = loop.read(np.random.default_rng(0).integers(4, CONFIG["vocab_size"], (BRANCHES, PROMPT)))
    for _ in range(CODES):
        began = time.perf_counter()
        tokens = loop.read(tokens)
        seconds.append(time.perf_counter() - began)
    cache = str(loop.model.get_property("KV_CACHE_PRECISION"))
    report(seconds, version=loop.library.__version__, weights="int4, groups of 64", kv_cache=cache)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
