"""Whole pictures and answers against transformers' `generate`, token for token.

Prompts are spelled out here as strings and encoded in one go, the way a user of transformers writes them; the runtime
fills the manifest's pieces. Both must come to the same tokens, and then to the same codes.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import transformers
from checkpoints import Shape
from conftest import Exported
from PIL import Image
from tokenizers import Tokenizer
from torch.nn import functional

from edgevlo.runtime.answers import answer
from edgevlo.runtime.model import Model

library: Any = transformers


@dataclass(frozen=True)
class Pair:
    """One checkpoint in transformers and, exported, in the runtime."""

    shape: Shape
    reference: Any
    tokenizer: Tokenizer
    model: Model

    def ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def image(self, codes: npt.NDArray[np.int32]) -> list[int]:
        """Return the ids of a picture in a prompt."""
        rows, columns = codes.shape
        first = self.reference.config.vocabulary_map["<|visual token 000000|>"]
        body = [
            token for row in codes.tolist() for token in [*(first + code for code in row), *self.ids("<|extra_200|>")]
        ]
        return [*self.header(rows, columns), *body, *self.ids("<|extra_201|><|image end|>")]

    def header(self, rows: int, columns: int) -> list[int]:
        return self.ids(f"<|image start|>{rows}*{columns}<|image token|>")

    def generate(self, prompt: list[int], rows: int, columns: int, **guidance: Any) -> npt.NDArray[np.int32]:
        """Paint greedily with transformers; return the codes (rows, columns)."""
        first = self.reference.config.vocabulary_map["<|visual token 000000|>"]
        visual = list(range(first, first + self.shape.codes))
        (end_of_row,) = self.ids("<|extra_200|>")

        def allowed(_: int, sequence: torch.Tensor) -> list[int]:
            painted = sequence.shape[0] - len(prompt)
            return [end_of_row] if painted % (columns + 1) == columns else visual

        ids = torch.tensor([prompt])
        if negative := guidance.pop("negative", None):
            guidance["negative_prompt_ids"] = torch.tensor([negative])
            guidance["negative_prompt_attention_mask"] = torch.ones(1, len(negative), dtype=torch.long)
        out = self.reference.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            prefix_allowed_tokens_fn=allowed,
            generation_config=library.GenerationConfig(
                max_new_tokens=rows * (columns + 1), do_sample=False, pad_token_id=0
            ),
            **guidance,
        )
        grid: npt.NDArray[np.int64] = out[0, len(prompt) :].reshape(rows, columns + 1)[:, :-1].numpy()
        codes: npt.NDArray[np.int32] = (grid - first).astype(np.int32)
        return codes


@pytest.fixture
def pair(exported: Exported) -> Pair:
    return _pair(exported)


@cache
def _pair(exported: Exported) -> Pair:
    reference = library.Emu3ForConditionalGeneration.from_pretrained(exported.checkpoint)
    tokenizer = Tokenizer.from_file(str(exported.checkpoint / "tokenizer.json"))
    return Pair(exported.shape, reference.eval(), tokenizer, Model.open(exported.cpu))


def painted(model: Model, prompt: str, rows: int, columns: int, **options: Any) -> npt.NDArray[np.int32]:
    cell = model.manifest.codes.cell
    *_, last = model.paint_rows(prompt, size=(columns * cell, rows * cell), temperature=0.0, **options)
    return last.codes


def some_picture(pair: Pair, rows: int, columns: int, seed: int) -> Image.Image:
    cell = pair.shape.cell
    noise = np.random.default_rng(seed).integers(0, 256, (rows * cell, columns * cell, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def test_the_pictures_are_not_constant(pair: Pair) -> None:
    codes = painted(pair.model, "a red car", 6, 8, guidance_scale=3.0, negative_prompt="a dog")
    assert len(np.unique(codes)) > 8


@pytest.mark.parametrize(("rows", "columns"), [(5, 5), (3, 9), (10, 4)])
def test_greedy_painting_without_guidance_equals_generate(pair: Pair, rows: int, columns: int) -> None:
    prompt = pair.ids("<bos>a red car on the beach") + pair.header(rows, columns)

    codes = painted(pair.model, "a red car on the beach", rows, columns, guidance_scale=1.0)

    np.testing.assert_array_equal(codes, pair.generate(prompt, rows, columns))


@pytest.mark.parametrize(("negative", "scale"), [("a blue dog in the snow at night", 3.0), ("cat", 5.5)])
def test_greedy_painting_with_a_negative_prompt_equals_generate(pair: Pair, negative: str, scale: float) -> None:
    header = pair.header(6, 8)

    codes = painted(pair.model, "a red car", 6, 8, guidance_scale=scale, negative_prompt=negative)

    expected = pair.generate(
        pair.ids("<bos>a red car") + header, 6, 8, guidance_scale=scale, negative=pair.ids(f"<bos>{negative}") + header
    )
    np.testing.assert_array_equal(codes, expected)


def test_greedy_editing_equals_generate(pair: Pair) -> None:
    sources = [some_picture(pair, 4, 6, 1), some_picture(pair, 5, 3, 2)]
    blocks = [token for source in sources for token in pair.image(pair.model.tokenize(source))]
    header = pair.header(4, 6)

    *_, last = pair.model.edit_rows(
        sources, "change the car to blue", temperature=0.0, guidance_scale=2.0, negative_prompt=""
    )

    expected = pair.generate(
        pair.ids("<bos>change the car to blue") + blocks + header,
        *(4, 6),
        guidance_scale=2.0,
        negative=pair.ids("<bos>") + blocks + header,  # transformers would not see the pictures otherwise
    )
    np.testing.assert_array_equal(last.codes, expected)


@pytest.mark.filterwarnings("ignore:the model gave no answer")  # a random model may well stop at once
@pytest.mark.parametrize("seed", range(3))
def test_answers_equal_generate(pair: Pair, seed: int) -> None:
    codes = pair.model.tokenize(some_picture(pair, 4, 5, seed))
    prompt = pair.ids("<bos>what is on the left?") + pair.image(codes) + pair.ids("<|answer|>")
    (stop,) = pair.ids("<eos>")
    engine = pair.model._engine

    with engine.painter([prompt], 12) as painter:
        choose = engine.text_choice(painter.backbone.last_hidden)
        ours = list(answer(choose, painter.backbone.step, {stop}, 12))

    ids = torch.tensor([prompt])
    limits = library.GenerationConfig(max_new_tokens=12, do_sample=False, eos_token_id=stop, pad_token_id=0)
    theirs = pair.reference.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=limits)
    expected = [token for token in theirs[0, len(prompt) :].tolist() if token != stop]
    assert ours == expected
    assert (
        pair.model.ask(some_picture(pair, 4, 5, seed), "what is on the left?")
        == pair.tokenizer.decode(expected).strip()
    )


def test_a_picture_becomes_the_codes_and_pixels_of_the_reference(pair: Pair) -> None:
    picture, p = some_picture(pair, 6, 4, 7), pair.shape.unshuffle
    pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    vq = pair.reference.model.vqmodel
    unshuffled = functional.pixel_unshuffle(pixels, p)
    with torch.no_grad():
        (codes,) = vq.encode(unshuffled, torch.tensor([unshuffled.shape[-2:]])).image_tokens
        decoded = functional.pixel_shuffle(vq.decode(codes[None]), p)[0]

    np.testing.assert_array_equal(pair.model.tokenize(picture), codes.numpy())
    levels = ((decoded * 0.5 + 0.5) * 255).clamp(0, 255).permute(1, 2, 0).numpy()
    ours = np.asarray(pair.model.decode(codes.numpy()))
    assert np.abs(ours - levels).max() < 1 + 1e-4 * 127.5  # truncation, and the decoder's 1e-4


def test_prompts_typed_by_a_user_reach_the_model_as_transformers_tokenizes_them(pair: Pair) -> None:
    prompt = pair.model._writer.prompt(pair.model.manifest.abilities["paint"].prompt, "a red car, in the snow!", [])
    assert prompt == pair.ids("<bos>a red car, in the snow!")
