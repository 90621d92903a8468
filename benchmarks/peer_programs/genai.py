"""onnxruntime-genai's own generator. usage: genai.py MODEL THREADS"""

import importlib
import json
import sys
import time
from typing import Any

import numpy as np
from shape import BRANCHES, CODES, CONFIG, PROMPT, report


def main(folder: str, threads: int) -> None:
    """Read two prompts, then take the likeliest token 576 times."""
    genai: Any = importlib.import_module("onnxruntime_genai")
    config = genai.Config(folder)
    session = {"model": {"decoder": {"session_options": {"intra_op_num_threads": threads}}}}
    config.overlay(json.dumps(session))
    model = genai.Model(config)
    settings, length = genai.GeneratorParams(model), PROMPT + CODES + 1
    settings.set_search_options(max_length=length, min_length=length, batch_size=BRANCHES, do_sample=False)
    generator = genai.Generator(model, settings)
    generator.append_tokens(
        np.random.default_rng(0).integers(4, CONFIG["vocab_size"], (BRANCHES, PROMPT), dtype=np.int32)
    )
    generator.generate_next_token()
    seconds = []
    for _ in range(CODES):
        began = time.perf_counter()
        generator.generate_next_token()
        seconds.append(time.perf_counter() - began)
    report(seconds, version=genai.__version__, weights="int4, blocks of 32", kv_cache="float32")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
