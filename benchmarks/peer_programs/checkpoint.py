"""Write a Llama of Janus-Pro-1B's shape with random weights, as transformers saves it. usage: checkpoint.py FOLDER"""

import importlib
import sys
from typing import Any

from shape import CONFIG


def main(folder: str) -> None:
    """Write config, weights in bfloat16 and a tokenizer of made-up words."""
    torch: Any = importlib.import_module("torch")
    transformers: Any = importlib.import_module("transformers")
    tokenizers: Any = importlib.import_module("tokenizers")
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    config = transformers.LlamaConfig(**CONFIG, bos_token_id=1, eos_token_id=2, pad_token_id=0)
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.02)
    model.save_pretrained(folder, max_shard_size="10GB")
    names = ["<pad>", "<s>", "</s>", "<unk>", *(f"word{place}" for place in range(4, CONFIG["vocab_size"]))]
    words = tokenizers.models.WordLevel({name: place for place, name in enumerate(names)}, unk_token="<unk>")
    tokenizer = tokenizers.Tokenizer(words)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)


if __name__ == "__main__":
    main(sys.argv[1])
