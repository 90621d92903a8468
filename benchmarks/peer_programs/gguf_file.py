"""Write the same shape as GGUF, in random blocks of Q4_0. usage: gguf_file.py FILE"""

import importlib
import sys
from typing import Any, Final

import numpy as np
from shape import CONFIG

_BLOCK: Final = 32  # weights that share a scale
_BYTES: Final = 18  # of a block: a float16 scale, then half a byte a weight
_SCALE: Final = 0.02 / 4.6


def main(path: str) -> None:
    """Write every tensor of a Llama without a tokenizer."""
    gguf: Any = importlib.import_module("gguf")
    hidden, inner, codes = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["vocab_size"]
    random, kind = np.random.default_rng(0), gguf.GGMLQuantizationType.Q4_0
    out = gguf.GGUFWriter(path, "llama")
    for setting, value in {
        out.add_context_length: CONFIG["max_position_embeddings"],
        out.add_embedding_length: hidden,
        out.add_block_count: CONFIG["num_hidden_layers"],
        out.add_feed_forward_length: inner,
        out.add_head_count: CONFIG["num_attention_heads"],
        out.add_head_count_kv: CONFIG["num_key_value_heads"],
        out.add_layer_norm_rms_eps: CONFIG["rms_norm_eps"],
        out.add_rope_freq_base: CONFIG["rope_theta"],
        out.add_rope_dimension_count: CONFIG["head_dim"],
        out.add_key_length: CONFIG["head_dim"],
        out.add_value_length: CONFIG["head_dim"],
        out.add_vocab_size: codes,
        out.add_tokenizer_model: "no_vocab",
        out.add_file_type: 2,  # mostly Q4_0
    }.items():
        setting(value)

    def add(name: str, outputs: int, inputs: int) -> None:
        blocks = np.frombuffer(random.bytes(outputs * inputs // _BLOCK * _BYTES), np.uint8)
        blocks = blocks.reshape(outputs, inputs // _BLOCK, _BYTES).copy()
        blocks[:, :, :2] = np.array([_SCALE], np.float16).view(np.uint8)
        out.add_tensor(name, blocks.reshape(outputs, -1), raw_dtype=kind)

    add("token_embd.weight", codes, hidden)
    add("output.weight", codes, hidden)
    out.add_tensor("output_norm.weight", np.ones(hidden, np.float32))
    attention = {f"attn_{name}": (hidden, hidden) for name in ("q", "k", "v", "output")}
    mlp = {"ffn_gate": (inner, hidden), "ffn_up": (inner, hidden), "ffn_down": (hidden, inner)}
    for layer in range(CONFIG["num_hidden_layers"]):
        for name, (outputs, inputs) in {**attention, **mlp}.items():
            add(f"blk.{layer}.{name}.weight", outputs, inputs)
        for name in ("attn_norm", "ffn_norm"):
            out.add_tensor(f"blk.{layer}.{name}.weight", np.ones(hidden, np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


if __name__ == "__main__":
    main(sys.argv[1])
