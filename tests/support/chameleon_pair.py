"""A checkpoint of Chameleon's kind in transformers and, exported, in the runtime; and loops over its modules."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from chameleon_checkpoints import (
    ChameleonShape,
    make_chameleon,
)
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor
from transformers.models.chameleon.image_processing_pil_chameleon import ChameleonImageProcessorPil

from edgevlo.export import export_checkpoint
from edgevlo.quantization import quantize
from edgevlo.runtime.model import Model

library: Any = transformers
processor_class: Any = ChameleonImageProcessorPil


@dataclass(frozen=True)
class Pair:
    """One checkpoint in transformers and, exported, in the runtime."""

    shape: ChameleonShape
    reference: Any
    tokenizer: Tokenizer
    checkpoint: Path
    portable: Path
    model: Model

    def ids(self, text: str) -> list[int]:
        """Return the ids as a user of transformers gets them, the tokenizer's own BOS in front."""
        ids: list[int] = self.tokenizer.encode(text).ids
        return ids

    def bare(self, text: str) -> list[int]:
        """Return the ids of names of tokens, nothing in front."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    @property
    def tokens(self) -> Tensor:
        """The codes' tokens, in their own order."""
        return torch.tensor(self.reference.model.vocabulary_mapping.image_tokens)

    @property
    def first(self) -> int:
        return int(self.tokens[0])


def pair_of(shape: ChameleonShape, folder: Path) -> Pair:
    checkpoint = make_chameleon(folder / shape.name, shape)
    export_checkpoint(checkpoint, folder / "portable")
    quantize(folder / "portable", folder / "cpu", target="cpu", weights="fp32", requests=0)
    reference = library.ChameleonForConditionalGeneration.from_pretrained(checkpoint).eval()
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    return Pair(shape, reference, tokenizer, checkpoint, folder / "portable", Model.open(folder / "cpu"))


@torch.no_grad()
def looped(
    pair: Pair,
    prompts: Sequence[list[int]],
    weights: Sequence[float],
    grid: tuple[int, int],
    suffix: Sequence[int] = (),
) -> list[int]:
    """Return the tokens of the codes: every branch read whole at each step, the head's rows of codes mixed."""
    rows, columns = grid
    sequences, found = [list(prompt) for prompt in prompts], []
    for cell in range(rows * columns):
        mixed = torch.zeros(len(pair.tokens))
        for sequence, weight in zip(sequences, weights, strict=True):
            hidden = pair.reference.model(input_ids=torch.tensor([sequence]), use_cache=False).last_hidden_state[:, -1]
            mixed += weight * pair.reference.lm_head(hidden)[0, pair.tokens]
        token = int(pair.tokens[mixed.argmax()])
        found.append(token)
        for sequence in sequences:
            sequence += [token, *(suffix if (cell + 1) % columns == 0 else ())]
    return found


def processed(side: int, pictures: Sequence[Image.Image]) -> Tensor:
    processor = processor_class(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    return torch.from_numpy(np.stack(processor(list(pictures))["pixel_values"])).float()
