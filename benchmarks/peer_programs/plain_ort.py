"""ONNX Runtime alone on the graph of onnxruntime-genai, over a cache in place. usage: plain_ort.py MODEL THREADS"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from shape import BRANCHES, CAPACITY, CODES, CONFIG, PROMPT, report


class Loop:
    """A session over a cache that stays where it is."""

    def __init__(self, folder: Path, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session: Any = ort.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        shape = (BRANCHES, CONFIG["num_key_value_heads"], CAPACITY, CONFIG["head_dim"])
        past = [value.name for value in self.session.get_inputs() if value.name.startswith("past")]
        self.cache = {name: ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32)) for name in past}
        self.held = 0

    def read(self, tokens: Any) -> Any:
        """Read tokens (branches, width); return the likeliest next ones (branches, 1)."""
        width = tokens.shape[1]
        binding = self.session.io_binding()
        binding.bind_cpu_input("input_ids", np.ascontiguousarray(tokens))
        binding.bind_cpu_input("attention_mask", np.ones((BRANCHES, self.held + width), np.int64))
        for name, value in self.cache.items():
            binding.bind_ortvalue_input(name, value)
            binding.bind_ortvalue_output(name.replace("past_key_values", "present"), value)
        binding.bind_output("logits", "cpu")
        self.session.run_with_iobinding(binding)
        self.held += width
        return binding.get_outputs()[-1].numpy()[:, -1].argmax(-1)[:, None]


def main(folder: str, threads: int) -> None:
    """Read two prompts, then take the likeliest token 576 times."""
    loop, seconds = Loop(Path(folder), threads), []
    tokens = loop.read(np.random.default_rng(0).integers(4, CONFIG["vocab_size"], (BRANCHES, PROMPT)))
    for _ in range(CODES):
        began = time.perf_counter()
        tokens = loop.read(tokens)
        seconds.append(time.perf_counter() - began)
    report(seconds, version=ort.__version__, weights="int4, blocks of 32", kv_cache="float32")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
