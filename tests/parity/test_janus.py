"""Janus: pictures and answers against transformers, token for token, and preprocessing against its image processor.

Painting is compared with `generate(generation_mode="image")`, whose scale must be above 1 and whose attention mask must
be given (facts of transformers 5.23: without either it fails). Painting without guidance is compared with a loop over
transformers' modules instead. Prompts are spelled out as strings, as transformers' chat template writes them.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import pytest
import torch
import transformers
from click.testing import CliRunner
from drafted import assert_the_same_for_every_width
from greedy import answered, painted
from janus_checkpoints import BEGIN, CLOSE, END, JANUS_SHAPES, OPEN, PAD, PLACEHOLDER, JanusShape, make_janus, token_id
from janus_original import write_original
from photographs import soft_noise
from tokenizers import Tokenizer
from transformers.models.janus.image_processing_pil_janus import JanusImageProcessorPil

from edgevlo.cli import main
from edgevlo.export import export_checkpoint, parity
from edgevlo.export.checkpoint.licence import source
from edgevlo.export.families.janus.family import WEIGHTS_LICENCE
from edgevlo.export.families.recognise import plan_export
from edgevlo.quantization import quantize
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import AbilityError, CheckpointError, RequestError
from edgevlo.runtime.generate.prompts import Features, stacked
from edgevlo.runtime.generate.text import AnswerWarning
from edgevlo.runtime.manifest.pictures import FitPadSquare, Preprocess
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import load_picture
from edgevlo.runtime.pictures.pixel_values import to_pixel_values
from edgevlo.runtime.pictures.resize import fit_pad_square

library: Any = transformers
processor_class: Any = JanusImageProcessorPil

SYSTEM = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    "provides, and assist the user with a variety of tasks using natural language.\n\n"
)


@dataclass(frozen=True)
class Pair:
    """One checkpoint in transformers and, exported, in the runtime."""

    shape: JanusShape
    reference: Any
    tokenizer: Tokenizer
    checkpoint: Path
    portable: Path
    model: Model

    @property
    def roles(self) -> tuple[str, str]:
        return ("<|User|>", "<|Assistant|>") if self.shape.pro else ("User", "Assistant")

    def ids(self, text: str) -> list[int]:
        """Return the ids as a user of transformers gets them, the tokenizer's own BOS in front."""
        ids: list[int] = self.tokenizer.encode(text).ids
        return ids

    def painting(self, text: str) -> list[int]:
        user, assistant = self.roles
        return self.ids(f"{user}: {text}\n\n{assistant}:{OPEN}")

    def asking(self, text: str, pictures: int) -> list[int]:
        user, assistant = self.roles
        block = OPEN + PLACEHOLDER * self.shape.side**2 + CLOSE
        shown = "\n\n".join([block] * pictures)
        return self.ids(f"{SYSTEM}{user}: {shown}\n{text}\n\n{assistant}:")


@pytest.fixture(scope="module", params=JANUS_SHAPES, ids=lambda shape: shape.name)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp(request.param.name)
    checkpoint = make_janus(folder / "checkpoint", request.param)
    export_checkpoint(checkpoint, folder / "portable")
    quantize(folder / "portable", folder / "cpu", target="cpu", weights="fp32", requests=0)
    reference = library.JanusForConditionalGeneration.from_pretrained(checkpoint).eval()
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    return Pair(request.param, reference, tokenizer, checkpoint, folder / "portable", Model.open(folder / "cpu"))


def generated(pair: Pair, prompt: list[int], scale: float) -> npt.NDArray[np.int64]:
    ids = torch.tensor([prompt])
    codes = pair.reference.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        generation_mode="image",
        guidance_scale=scale,
        do_sample=False,
    )
    found: npt.NDArray[np.int64] = codes.reshape(pair.shape.side, pair.shape.side).numpy()
    return found


def test_several_codes_a_pass_paint_the_same_picture(pair: Pair) -> None:
    assert_the_same_for_every_width(pair.model)


@pytest.mark.parametrize(("text", "scale"), [("a red car on the beach", 5.0), ("cat", 2.5)])
def test_greedy_painting_with_guidance_equals_generate(pair: Pair, text: str, scale: float) -> None:
    codes = painted(pair.model, text, guidance_scale=scale)

    np.testing.assert_array_equal(codes, generated(pair, pair.painting(text), scale))
    assert len(np.unique(codes)) >= 6


def left_padded(pair: Pair, prompts: list[list[int]]) -> dict[str, torch.Tensor]:
    longest, (pad,) = max(map(len, prompts)), pair.tokenizer.encode(PAD, add_special_tokens=False).ids
    ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return {"input_ids": ids, "attention_mask": mask}


def test_rows_of_a_left_padded_batch_are_painted_as_alone(pair: Pair) -> None:
    texts = ["a red car on the beach", "cat"]
    batch = left_padded(pair, [pair.painting(text) for text in texts])
    side = pair.shape.side

    codes = pair.reference.generate(**batch, generation_mode="image", guidance_scale=4.0, do_sample=False)

    for text, row in zip(texts, codes, strict=True):
        alone = painted(pair.model, text, guidance_scale=4.0)
        np.testing.assert_array_equal(alone, row.reshape(side, side).numpy())


def test_rows_of_a_left_padded_batch_are_answered_as_alone(pair: Pair) -> None:
    prompts = [pair.ids("what is on the left?"), pair.ids("how many?")]
    batch = left_padded(pair, prompts)
    out = pair.reference.generate(
        **batch, generation_mode="text", max_new_tokens=12, do_sample=False, eos_token_id=-1, pad_token_id=0
    )
    for row, prompt in enumerate(prompts):
        assert answered(pair.model, prompt, (), 12) == out[row, batch["input_ids"].shape[1] :].tolist()


def test_the_released_default_is_guidance_5(pair: Pair) -> None:
    np.testing.assert_array_equal(painted(pair.model, "a dog"), painted(pair.model, "a dog", guidance_scale=5.0))
    assert (pair.model.manifest.sampling.temperature, pair.model.manifest.sampling.top_k) == (1.0, 0)


@torch.no_grad()
def test_greedy_painting_without_guidance_equals_a_loop_over_the_modules(pair: Pair) -> None:
    parts = pair.reference.model
    embeds = parts.language_model.get_input_embeddings()(torch.tensor([pair.painting("a blue house")]))
    expected: list[int] = []
    for _ in range(pair.shape.side**2):  # no cache: nothing of `generate` is in it
        hidden = parts.language_model(inputs_embeds=embeds, use_cache=False).last_hidden_state[:, -1]
        code = parts.generation_head(hidden).argmax(-1)
        expected.append(int(code))
        step = pair.reference.prepare_embeddings_for_image_generation(code[None])
        embeds = torch.cat([embeds, step], dim=1)

    codes = painted(pair.model, "a blue house", guidance_scale=1.0)

    assert codes.ravel().tolist() == expected


def test_the_picture_is_that_of_decode_image_tokens(pair: Pair) -> None:
    codes = painted(pair.model, "a red car", guidance_scale=3.0)
    with torch.no_grad():
        pixels = pair.reference.decode_image_tokens(torch.from_numpy(codes.reshape(1, -1)).long())[0]
    expected = np.clip((pixels.numpy() + 1) / 2 * 255, 0, 255).astype(np.uint8)

    found = np.asarray(pair.model.decode(codes))

    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1  # a level that lies on an edge


@pytest.mark.parametrize("sizes", [[(70, 41)], [(33, 90), (96, 96)]], ids=["one", "two"])
@pytest.mark.filterwarnings("ignore::edgevlo.runtime.generate.text.AnswerWarning")
def test_answers_equal_generate(pair: Pair, sizes: list[tuple[int, int]]) -> None:
    pictures = [soft_noise(*size, seed=seed) for seed, size in enumerate(sizes)]
    side = pair.shape.pixels
    processor = processor_class(image_mean=[0.5] * 3, image_std=[0.5] * 3, size={"height": side, "width": side})
    pixel_values = torch.from_numpy(np.stack(processor(pictures)["pixel_values"])).float()
    prompt = pair.asking("what color is the car?", len(pictures))
    ids = torch.tensor([prompt])
    out = pair.reference.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        pixel_values=pixel_values,
        max_length=len(prompt) + 16,
        do_sample=False,
    )
    stop = token_id(pair.tokenizer, END)
    expected = [token for token in out[0, len(prompt) :].tolist() if token != stop]

    sources = pair.model._read("ask", pictures)
    ours = pair.model._writer.prompt(pair.model.manifest.abilities["ask"].prompt, "what color is the car?", sources)
    found = answered(pair.model, ours, {stop}, 16, stacked(sources))

    placeholder = token_id(pair.tokenizer, PLACEHOLDER)
    assert [placeholder if token < 0 else token for token in ours] == prompt
    assert [token for token in ours if token < 0] == list(range(-1, -1 - len(pictures) * pair.shape.side**2, -1))
    assert found == expected
    assert len(set(expected)) > 3
    text = pair.model.ask(pictures, "what color is the car?")
    assert text.startswith(pair.tokenizer.decode(expected).strip())


def test_features_depend_on_the_picture_and_its_place(pair: Pair) -> None:
    first, second = soft_noise(70, 41, 0), soft_noise(33, 90, 1)
    one, other = pair.model._read("ask", [first, second])
    assert isinstance(one, Features)
    assert isinstance(other, Features)
    assert one.rows.shape == (pair.shape.side**2, pair.shape.hidden)
    assert np.abs(one.rows - other.rows).max() > 0.1


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(384, 384), (97, 31), (31, 97), (1001, 403), (7, 500), (500, 3), (385, 383), (1, 1)])
def test_pictures_are_fitted_as_by_transformers_image_processor(size: tuple[int, int], mode: str) -> None:
    picture = soft_noise(*size, seed=size[0]).convert(mode)
    processor = processor_class(image_mean=[0.5] * 3, image_std=[0.5] * 3, size={"height": 384, "width": 384})
    (expected,) = processor([picture.convert("RGB")])["pixel_values"]
    square = FitPadSquare(side=384, min_side=14, color=(127, 127, 127))
    rule = Preprocess(min_pixels=384**2, max_pixels=384**2, fit_pad_square=square)

    found = to_pixel_values(fit_pad_square(load_picture(picture).image, square, rule), rule)[0]

    assert found.shape == (3, 384, 384)
    assert np.abs(found - expected).max() * 0.5 <= 1 / 255 + 1e-6


def test_the_manifest_says_how_released_models_are_used(pair: Pair) -> None:
    manifest, shape = open_bundle(pair.portable).manifest, pair.shape
    assert (manifest.family, manifest.codes.count, manifest.codes.cell) == ("janus", shape.codes, shape.cell)
    assert set(manifest.graphs) == {"backbone", "image_head", "text_head", "image_decoder", "vision_encoder"}
    for graph in manifest.graphs.values():
        assert graph.parity is not None
        assert graph.parity.error <= 1e-4
    assert (manifest.grid.kind, manifest.grid.default) == ("fixed", (shape.side, shape.side))
    assert [branch.kind for branch in manifest.guidance.branches] == ["prompt", "pad_middle"]
    assert (manifest.guidance.default_scale, manifest.guidance.pad) == (5.0, PAD)
    assert (manifest.image_block.row_suffix, manifest.image_block.close) == ((), (CLOSE,))
    assert set(manifest.abilities) == {"paint", "ask"}
    assert manifest.abilities["paint"].prompt[0].token == BEGIN
    speaker = manifest.abilities["paint"].prompt[1]
    assert (speaker.token, speaker.text) == (("<|User|>", None) if shape.pro else (None, "User"))
    assert manifest.preprocess.fit_pad_square == FitPadSquare(side=shape.pixels, min_side=14, color=(127, 127, 127))
    assert manifest.code_embedding is not None
    assert manifest.codes.first_token == manifest.token_embedding.shape[0]


def test_what_janus_cannot_do_is_said(pair: Pair) -> None:
    side = pair.shape.pixels
    with pytest.raises(AbilityError, match=r"\(family janus\) does not support 'edit'\. Supported: ask"):
        pair.model.edit(soft_noise(32, 32, 0), "make it red")
    with pytest.raises(RequestError, match=f"not what this model paints: {side}x{side} only"):
        pair.model.paint("a car", size=(side, side * 2))
    with pytest.raises(RequestError, match="takes no negative prompt"):
        pair.model.paint("a car", negative_prompt="a dog")


def test_int8_weights_paint_and_answer(pair: Pair, tmp_path: Path) -> None:
    quantize(pair.portable, tmp_path / "int8", target="cpu", weights="int8", requests=0)
    model = Model.open(tmp_path / "int8")
    picture = model.paint("a red car", seed=1)
    assert picture.size == (pair.shape.cell * pair.shape.side,) * 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnswerWarning)
        model.ask(picture, "what is it?")


def test_the_licence_of_the_weights_is_shown_and_not_the_codes(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    assert "DeepSeek License Agreement, with use restrictions" in source(tmp_path, WEIGHTS_LICENCE).licence
    (tmp_path / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    assert source(tmp_path, WEIGHTS_LICENCE).licence == "apache-2.0"
    shown = CliRunner().invoke(main, ["show", str(pair.portable)])
    assert "DeepSeek License Agreement, with use restrictions" in shown.output
    assert "DeepSeek License Agreement" in (pair.portable / "LICENCE.txt").read_text()


@torch.no_grad()
def test_the_reference_of_the_export_is_from_pretrained_part_by_part(pair: Pair) -> None:
    """It takes its tensors through the exporter's own reader; transformers' reader takes them here."""
    reference: Any = plan_export(pair.checkpoint).reference()
    random, shape, whole = np.random.default_rng(0), pair.shape, pair.reference
    embeds = random.standard_normal((2, 7, shape.hidden)).astype(np.float32)
    codes, pixels = np.arange(12), random.uniform(-1, 1, (2, 3, shape.pixels, shape.pixels)).astype(np.float32)
    out = whole.model.language_model(inputs_embeds=torch.from_numpy(embeds), use_cache=False, output_hidden_states=True)

    states = reference.hidden_states(embeds)

    assert len(states) == shape.layers
    for state, expected in zip(states, out.hidden_states[1:], strict=True):
        np.testing.assert_array_equal(state, expected.numpy())
    hidden = embeds[:, 0]
    for found, expected in (
        (reference.text_logits(hidden), whole.lm_head(torch.from_numpy(hidden))),
        (reference.image_logits(hidden), whole.model.generation_head(torch.from_numpy(hidden))),
        (reference.embeddings(codes), whole.get_input_embeddings()(torch.from_numpy(codes))),
        (reference.code_embeddings(codes), whole.prepare_embeddings_for_image_generation(torch.from_numpy(codes))),
        (reference.features(pixels), whole.model.get_image_features(torch.from_numpy(pixels)).pooler_output),
    ):
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)
    assert {parameter.device.type for parameter in reference.model.parameters()} == {"meta"}


def test_a_wrong_weight_of_janus_is_found_in_its_layer(pair: Pair, tmp_path: Path) -> None:
    plan, layer = plan_export(pair.checkpoint), pair.shape.layers - 1
    model = ir.load(pair.portable / "backbone.onnx")
    value = model.graph.initializers[f"model.language_model.layers.{layer}.mlp.down_proj.weight"]
    assert value.const_value is not None
    value.const_value = ir.tensor(value.const_value.numpy() * np.float32(1.05), name=value.name)
    ir.save(model, tmp_path / "backbone.onnx", external_data="backbone.onnx.data")

    with pytest.raises(CheckpointError, match=f"backbone differs from the reference by .* from layer {layer} on, more"):
        parity.compare(tmp_path, plan, plan.reference(), "backbone")


def test_the_original_format_gives_the_same_graphs(pair: Pair, tmp_path: Path) -> None:
    """Every vision model of deepseek-ai/Janus has 16 heads, so only a checkpoint that has them can be written so."""
    if pair.shape.vision_heads != 16:
        pytest.skip("the original format knows vision models of 16 heads only")
    write_original(pair.checkpoint, tmp_path / "original", pair.shape)

    manifest = export_checkpoint(tmp_path / "original", tmp_path / "bundle")

    ours = open_bundle(pair.portable).manifest
    same = {name for name, file in manifest.files.items() if file == ours.files[name]}
    assert same == set(manifest.files) - {"LICENCE.txt"}  # which names the folder
    assert manifest.preprocess.fit_pad_square is not None
    assert manifest.preprocess.fit_pad_square.rounding == "truncate"
    for part in ("grid", "guidance", "abilities", "image_block", "codes", "answer", "postprocess", "backbone"):
        assert getattr(manifest, part) == getattr(ours, part)
