"""llama.cpp, two sequences in one call, through llama-cpp-python's bindings. usage: llama_cpp_loop.py FILE THREADS"""

import importlib
import sys
import time
from typing import Any, Final

import numpy as np
from shape import BRANCHES, CAPACITY, CODES, CONFIG, PROMPT, report

_F16: Final = 1  # GGML_TYPE_F16


class Loop:
    """A context with a sequence for every branch."""

    def __init__(self, path: str, threads: int) -> None:
        self.library: Any = importlib.import_module("llama_cpp")
        self.library.llama_backend_init()
        model = self.library.llama_model_default_params()
        model.n_gpu_layers = 0
        settings = self.library.llama_context_default_params()
        settings.n_ctx, settings.n_seq_max = CAPACITY * BRANCHES, BRANCHES
        settings.n_threads = settings.n_threads_batch = threads
        settings.type_k = settings.type_v = _F16
        self.model = self.library.llama_model_load_from_file(path.encode(), model)
        self.context = self.library.llama_init_from_model(self.model, settings)
        self.batch = self.library.llama_batch_init(PROMPT * BRANCHES, 0, BRANCHES)
        self.held = 0

    def read(self, tokens: Any) -> Any:
        """Read tokens (branches, width); return the likeliest next ones (branches, 1)."""
        width, batch = tokens.shape[1], self.batch
        for place, (row, column) in enumerate(np.ndindex(tokens.shape)):
            batch.token[place] = int(tokens[row, column])
            batch.pos[place] = self.held + column
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = row
            batch.logits[place] = int(column == width - 1)
        batch.n_tokens = tokens.size
        if code := self.library.llama_decode(self.context, batch):
            raise SystemExit(f"llama_decode returned {code}")
        self.held += width
        last = [self._logits((row + 1) * width - 1).argmax() for row in range(BRANCHES)]
        return np.array(last)[:, None]

    def _logits(self, place: int) -> Any:
        pointer = self.library.llama_get_logits_ith(self.context, place)
        return np.ctypeslib.as_array(pointer, shape=(CONFIG["vocab_size"],))


def main(path: str, threads: int) -> None:
    """Read two prompts, then take the likeliest token 576 times."""
    loop, seconds = Loop(path, threads), []
    tokens = loop.read(np.random.default_rng(0).integers(4, CONFIG["vocab_size"], (BRANCHES, PROMPT)))
    for _ in range(CODES):
        began = time.perf_counter()
        tokens = loop.read(tokens)
        seconds.append(time.perf_counter() - began)
    report(seconds, version=loop.library.__version__, weights="Q4_0", kv_cache="float16")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
