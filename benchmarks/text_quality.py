"""What quantising costs a backbone whose weights are real: the divergence of the next word of a text.

    python benchmarks/text_quality.py PORTABLE NAME=BUNDLE ... --text FILE

For a bundle whose backbone is a language model and whose first tokens are its words. Every bundle reads the same text
once, in one row; its hidden states are held against the float bundle's by the words that both expect next (the float
table is the head of all, so that only the backbone and its cache differ). `results/text_quality.json` gets the
Kullback-Leibler divergence in nats, and the share of words where the likeliest is the same.
"""

import argparse
import json
from pathlib import Path
from typing import Final

import numpy as np
import record
from tokenizers import Tokenizer

from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.graphs.backbone_kv_cache import Backbone
from edgevlo.runtime.graphs.onnx_sessions import open_graph

_PART: Final = 16  # tokens read at once: later ones read what the cache kept of earlier ones


def hidden_states(bundle: Bundle, tokens: list[int]) -> Floats:
    """Return the hidden state after each token, (tokens, hidden_size)."""
    engine = Engine(bundle)
    graph = open_graph(bundle, "backbone")
    backbone = Backbone(graph, bundle.manifest.backbone, engine._embeddings, rows=1, capacity=len(tokens))
    parts = (tokens[at : at + _PART] for at in range(0, len(tokens), _PART))
    return np.concatenate([backbone.append([part])[0].copy() for part in parts])


def words(bundle: Bundle) -> Floats:
    """Return the rows of the table that stand for words, (words, hidden_size)."""
    table = bundle.manifest.token_embedding
    rows = np.fromfile(bundle.path(table.file), "<f4").reshape(table.shape)
    return rows[: bundle.manifest.codes.first_token]


def compared(exact: Floats, found: Floats, head: Floats) -> dict[str, float]:
    """Return how far the words expected after `found` are from those after `exact`."""
    first, second = (log_softmax(hidden @ head.T) for hidden in (exact, found))
    divergence = (np.exp(first) * (first - second)).sum(axis=1)
    same = first.argmax(axis=1) == second.argmax(axis=1)
    return {"kl_mean": float(f"{divergence.mean():.4g}"), "same_word": round(float(same.mean()), 4)}


def log_softmax(logits: Floats) -> Floats:
    """Return the logarithm of the softmax of each row."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    normal: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return normal


def main() -> None:
    """Read the arguments, compare, and write the group beside those that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portable", type=Path)
    parser.add_argument("bundles", nargs="+", metavar="NAME=BUNDLE")
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--model", default="", help="what it is, for the results")
    parser.add_argument("--tokens", type=int, default=512)
    arguments = parser.parse_args()
    portable = open_bundle(arguments.portable)
    tokenizer = Tokenizer.from_file(str(portable.path("tokenizer.json")))
    tokens = tokenizer.encode(arguments.text.read_text(encoding="utf-8")).ids[: arguments.tokens]
    exact, head = hidden_states(portable, tokens), words(portable)
    found = {
        name: compared(exact, hidden_states(open_bundle(Path(folder)), tokens), head)
        for name, _, folder in (one.partition("=") for one in arguments.bundles)
    }
    figures = {"model": arguments.model, "tokens": len(tokens), "bundles": found}
    record.write("text_quality", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
