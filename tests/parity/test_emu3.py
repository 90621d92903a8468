"""Whole pictures and answers against transformers' `generate`, token for token.

Prompts are spelled out here as strings and encoded in one go, the way a user of transformers writes them; the runtime
fills the manifest's pieces. Both must come to the same tokens, and then to the same codes.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import transformers
from drafted import assert_the_same_for_every_width
from emu3_checkpoints import Shape
from exported import Exported
from greedy import answered
from PIL import Image
from tokenizers import Tokenizer
from torch.nn import functional

from edgevlo.export.checkpoint.folder import Checkpoint
from edgevlo.export.families.emu3.defaults import pictures
from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.manifest.pictures import Grid
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import load_picture
from edgevlo.runtime.pictures.pixel_values import to_pixel_values
from edgevlo.runtime.pictures.resize import fitted
from edgevlo.runtime.pictures.sizes import GridRule

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

    def image(self, codes: Codes) -> list[int]:
        """Return the ids of a picture in a prompt."""
        rows, columns = codes.shape
        first = self.reference.config.vocabulary_map["<|visual token 000000|>"]
        body = [
            token for row in codes.tolist() for token in [*(first + code for code in row), *self.ids("<|extra_200|>")]
        ]
        return [*self.header(rows, columns), *body, *self.ids("<|extra_201|><|image end|>")]

    def header(self, rows: int, columns: int) -> list[int]:
        return self.ids(f"<|image start|>{rows}*{columns}<|image token|>")

    def generate(self, prompt: list[int], rows: int, columns: int, **guidance: Any) -> Codes:
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
        codes: Codes = (grid - first).astype(np.int32)
        return codes


@pytest.fixture
def pair(exported: Exported) -> Pair:
    return _pair(exported)


def test_several_codes_a_pass_paint_the_same_picture(pair: Pair) -> None:
    assert_the_same_for_every_width(pair.model)


@cache
def _pair(exported: Exported) -> Pair:
    reference = library.Emu3ForConditionalGeneration.from_pretrained(exported.checkpoint)
    tokenizer = Tokenizer.from_file(str(exported.checkpoint / "tokenizer.json"))
    return Pair(exported.shape, reference.eval(), tokenizer, Model.open(exported.cpu))


def painted(model: Model, prompt: str, rows: int, columns: int, **options: Any) -> Codes:
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


def test_rows_of_a_left_padded_batch_are_painted_as_alone(pair: Pair) -> None:
    texts, header = ["a red car on the beach", "cat"], pair.header(4, 5)
    prompts = [pair.ids(f"<bos>{text}") + header for text in texts]
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    (end_of_row,), visual = pair.ids("<|extra_200|>"), pair.reference.vocabulary_mapping.image_tokens

    def allowed(_batch: int, sequence: torch.Tensor) -> list[int]:
        return [end_of_row] if (sequence.shape[0] - longest) % 6 == 5 else visual

    limits = library.GenerationConfig(max_new_tokens=24, do_sample=False, pad_token_id=0)
    out = pair.reference.generate(
        input_ids=ids, attention_mask=mask, prefix_allowed_tokens_fn=allowed, generation_config=limits
    )

    first = pair.reference.config.vocabulary_map["<|visual token 000000|>"]
    for text, row in zip(texts, out, strict=True):
        expected = row[longest:].reshape(4, 6)[:, :-1].numpy() - first
        np.testing.assert_array_equal(painted(pair.model, text, 4, 5, guidance_scale=1.0), expected)


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

    ours = answered(pair.model, prompt, {stop}, 12)

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


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("cells", [(16, 64), (30, 31), (100, 400)])
@pytest.mark.parametrize(
    "size", [(512, 512), (97, 31), (31, 97), (203, 611), (1001, 403), (61, 500), (9, 5), (640, 1023)]
)
def test_pictures_are_resized_as_by_emu3s_image_processor(
    tmp_path: Path, size: tuple[int, int], cells: tuple[int, int], mode: str
) -> None:
    """Its cells are always 8 pixels wide; the limits are set so that pictures are below, within and above them."""
    noise = np.random.default_rng(size[0]).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).convert(mode)
    low, high = (64 * count for count in cells)
    processor = library.Emu3ImageProcessor(min_pixels=low, max_pixels=high, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    processor.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    rule, _ = pictures(Checkpoint(tmp_path))
    grid = GridRule(grid=Grid(rows=(1, 400), columns=(1, 400), cells=(1, 400), default=(8, 8)), cell=8)

    found = to_pixel_values(fitted(load_picture(picture).image, rule, grid), rule)[0]

    expected = processor(picture, return_tensors="np")["pixel_values"][0]
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() / 2 <= 1 / 255 + 1e-6
    assert expected.std() > 0.05


def test_prompts_typed_by_a_user_reach_the_model_as_transformers_tokenizes_them(pair: Pair) -> None:
    prompt = pair.model._writer.prompt(pair.model.manifest.abilities["paint"].prompt, "a red car, in the snow!", [])
    assert prompt == pair.ids("<bos>a red car, in the snow!")
