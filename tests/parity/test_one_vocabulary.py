"""Liquid and SimpleAR against transformers: painting against a loop over its modules, answers against `generate`.

transformers has no image tokenizer for either. Liquid's is Chameleon's, which test_chameleon.py compares; Cosmos'
folded decoder is compared with the published layers in three dimensions, and its Haar step with a transform written out
here.
"""

import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from drafted import assert_the_same_for_every_width
from greedy import answered
from one_vocabulary_checkpoints import TEXT_SHAPES, TextShape, cosmos_decoder, make_text_model
from photographs import soft_noise
from PIL import Image
from tokenizers import Tokenizer

from edgevlo.export import export_checkpoint
from edgevlo.export.families.cosmos.codes import digits
from edgevlo.export.families.cosmos.decoder import ImageDecoder, unpatched
from edgevlo.export.families.cosmos.reference import decode
from edgevlo.quantization import quantize
from edgevlo.runtime.arrays import Doubles
from edgevlo.runtime.errors import AbilityError
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import load_picture
from edgevlo.runtime.pictures.pixel_values import to_pixel_values

library: Any = transformers

pytestmark = [
    pytest.mark.filterwarnings("ignore::edgevlo.export.checkpoint.folder.CheckpointWarning"),
    pytest.mark.filterwarnings("ignore::edgevlo.runtime.pictures.load.PictureWarning"),
]


@dataclass(frozen=True)
class Pair:
    """One checkpoint in transformers and, exported, in the runtime."""

    shape: TextShape
    reference: Any
    tokenizer: Tokenizer
    checkpoint: Path
    model: Model

    def ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text).ids
        return ids

    @property
    def first(self) -> int:
        return len(self.tokenizer.get_vocab())

    @property
    def count(self) -> int:
        return self.model.manifest.codes.count


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[TextShape], Pair]:
    """Return what makes the pair of a shape, each once."""

    @functools.cache
    def make(shape: TextShape) -> Pair:
        folder = tmp_path_factory.mktemp(shape.name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            checkpoint = make_text_model(folder / "checkpoint", shape)
            export_checkpoint(checkpoint, folder / "portable")
        quantize(folder / "portable", folder / "cpu", target="cpu", weights="fp32", requests=0)
        reference = library.AutoModelForCausalLM.from_pretrained(checkpoint).eval()
        tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
        return Pair(shape, reference, tokenizer, checkpoint, Model.open(folder / "cpu"))

    return make


@pytest.fixture(params=TEXT_SHAPES, ids=lambda shape: shape.name)
def pair(request: pytest.FixtureRequest, made: Callable[[TextShape], Pair]) -> Pair:
    return made(request.param)


@pytest.fixture(params=[shape for shape in TEXT_SHAPES if shape.kind == "liquid"], ids=lambda shape: shape.name)
def liquid(request: pytest.FixtureRequest, made: Callable[[TextShape], Pair]) -> Pair:
    return made(request.param)


@pytest.fixture(params=[shape for shape in TEXT_SHAPES if shape.kind == "simplear"], ids=lambda shape: shape.name)
def simplear(request: pytest.FixtureRequest, made: Callable[[TextShape], Pair]) -> Pair:
    return made(request.param)


def test_several_codes_a_pass_paint_the_same_picture(pair: Pair) -> None:
    assert_the_same_for_every_width(pair.model)


@torch.no_grad()
def looped(pair: Pair, prompts: Sequence[list[int]], weights: Sequence[float], cells: int) -> list[int]:
    """Return codes: every branch read whole at each step, the logits of the codes mixed."""
    sequences, found = [list(prompt) for prompt in prompts], []
    for _ in range(cells):
        mixed = torch.zeros(pair.count)
        for sequence, weight in zip(sequences, weights, strict=True):
            logits = pair.reference(input_ids=torch.tensor([sequence]), use_cache=False).logits[0, -1]
            mixed += weight * logits[pair.first : pair.first + pair.count]
        found.append(int(mixed.argmax()))
        for sequence in sequences:
            sequence.append(pair.first + found[-1])
    return found


NEGATIVE = (
    "aerial view, overexposed, low quality, deformation, a poor composition, bad hands, bad teeth, bad eyes, "
    "bad limbs, distortion"
)


@pytest.mark.parametrize("scale", [3.0, 1.0])
def test_greedy_painting_equals_a_loop_over_the_modules(pair: Pair, scale: float) -> None:
    if pair.shape.kind == "liquid":
        prompt = pair.ids("<bos>a red car Generate an image based on this description.<boi>")
        other = pair.ids("<bos>") + pair.tokenizer.encode("<unconditional>").ids + pair.ids("<boi>")
    else:
        prompt = pair.ids("<|t2i|>A highly realistic image of a red car<|soi|>")
        other = pair.ids(f"<|t2i|>An image of {NEGATIVE}<|soi|>")
    expected = looped(pair, [prompt, other], [scale, 1 - scale], 16)

    *_, last = pair.model.paint_rows("a red car", temperature=0.0, guidance_scale=scale)

    assert last.codes.ravel().tolist() == expected
    assert len(set(expected)) >= 4


def test_simplear_paints_another_size_and_takes_a_negative_prompt(simplear: Pair) -> None:
    cell = simplear.model.manifest.codes.cell
    prompts = ("A highly realistic image of a dog", "An image of snow")
    branches = [simplear.ids(f"<|t2i|>{words}<|soi|>") for words in prompts]
    expected = looped(simplear, branches, [6.0, -5.0], 6)

    *_, last = simplear.model.paint_rows("a dog", size=(3 * cell, 2 * cell), temperature=0.0, negative_prompt="snow")

    assert last.codes.shape == (2, 3)
    assert last.codes.ravel().tolist() == expected
    with pytest.raises(AbilityError, match=r"\(family simplear\) does not support 'ask'\. Supported: paint"):
        simplear.model.ask("a.png", "what?")


def test_liquid_answers_as_generate(liquid: Pair) -> None:
    picture = soft_noise(50, 30, 0)
    codes = [liquid.first + int(code) for code in liquid.model.tokenize(picture).ravel()]
    prompt = liquid.ids("<bos><start_of_turn>user\n<boi>") + codes
    prompt += liquid.ids("<eoi>\nwhat is it?<end_of_turn>\n<start_of_turn>model\n")
    ids = torch.tensor([prompt])
    banned = [[liquid.first + code] for code in range(liquid.count)]
    out = liquid.reference.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=-1,
        bad_words_ids=banned,
    )
    manifest = liquid.model.manifest
    ours = liquid.model._writer.prompt(
        manifest.abilities["ask"].prompt, "what is it?", liquid.model._read("ask", [picture])
    )

    assert ours == prompt
    assert answered(liquid.model, ours, set(), 12) == out[0, len(prompt) :].tolist()


def test_rows_of_a_left_padded_batch_are_continued_as_alone(pair: Pair) -> None:
    prompts = [pair.ids("a red car on the beach"), pair.ids("dog")]
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    out = pair.reference.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=8,
        do_sample=False,
        eos_token_id=-1,
        suppress_tokens=list(range(pair.first, pair.first + pair.count)),
    )
    for row, prompt in enumerate(prompts):
        assert answered(pair.model, prompt, set(), 8) == out[row, longest:].tolist()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(64, 64), (97, 31), (31, 98), (403, 1001)])
def test_liquid_pads_to_a_square_and_scales_it(liquid: Pair, size: tuple[int, int], mode: str) -> None:
    picture = soft_noise(*size, seed=1).convert(mode)
    longest, side = max(size), liquid.model.manifest.preprocess.min_pixels**0.5
    square = Image.new("RGB", (longest, longest), (122, 116, 104))
    square.paste(picture.convert("RGB"), ((longest - size[0]) // 2, (longest - size[1]) // 2))
    expected = np.asarray(square.resize((int(side),) * 2, Image.Resampling.LANCZOS), dtype=np.float32) / 127.5 - 1

    found = to_pixel_values(liquid.model.reader.fit(load_picture(picture).image), liquid.model.manifest.preprocess)[0]

    assert np.abs(found.transpose(1, 2, 0) - expected).max() / 2 <= 1 / 255 + 1e-6


def test_the_manifest_says_what_the_family_is(pair: Pair) -> None:
    manifest = pair.model.manifest
    assert manifest.family == pair.shape.kind
    assert manifest.codes.first_token == pair.first
    assert manifest.code_embedding is None
    assert ("NON-COMMERCIAL" in manifest.source.licence) == (pair.shape.kind == "liquid")
    assert ("image_tokenizer" in manifest.graphs) == (pair.shape.kind == "liquid")


# Cosmos


@pytest.mark.parametrize("levels", [(1, 1, 2), (1, 2)])
@torch.no_grad()
def test_the_folded_decoder_is_the_one_in_three_dimensions(levels: tuple[int, ...]) -> None:
    weights = cosmos_decoder(TextShape(name="any", kind="simplear", multipliers=levels))
    codes = torch.randint(64_000, (1, 3, 5), generator=torch.Generator().manual_seed(1))

    expected, found = decode(weights, codes), ImageDecoder(weights)(codes)

    assert found.shape == (1, 3, 3 * 4 * 2 ** (len(levels) - 1), 5 * 4 * 2 ** (len(levels) - 1))
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


def test_a_code_is_its_digits() -> None:
    found = digits(torch.tensor([[0, 7, 8, 63_999]])) * torch.tensor([4, 4, 4, 2, 2, 2]) + torch.tensor(
        [4, 4, 4, 2, 2, 2]
    )
    assert found.tolist() == [[[0] * 6, [7, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [7, 7, 7, 4, 4, 4]]]


def haar(frames: Doubles) -> Doubles:
    """Return one Haar step of a video `(C, T, h, w)` as eight groups of channels; it keeps averages as they are."""
    parts = [frames]
    for axis in (1, 2, 3):  # in time, down, across
        split = []
        for part in parts:
            even, odd = (np.take(part, range(start, part.shape[axis], 2), axis) for start in (0, 1))
            split += [(even + odd) / 2, (even - odd) / 2]
        parts = split
    return np.concatenate(parts)


def test_unpatching_gives_back_the_last_frame() -> None:
    frames = np.random.default_rng(0).standard_normal((3, 4, 8, 12))
    twice = haar(haar(frames))

    found = unpatched(unpatched(torch.from_numpy(twice[None, :, 0])))

    np.testing.assert_allclose(found[0].numpy(), frames[:, -1], atol=1e-12)
