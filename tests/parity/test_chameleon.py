"""Chameleon and Anole against transformers: answers token for token, painting against its modules.

transformers' class masks the codes in its logits and so never paints. Painting is compared with a loop over its
decoder and its head, without a cache; pixels with a decoder written out here after CompVis/taming-transformers, from
the tensors as they are stored. Prompts are spelled out as strings, as transformers' processor and the models' own
repositories write them.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import pytest
import torch
import transformers
from chameleon_checkpoints import (
    BEGIN,
    CHAMELEON_SHAPES,
    CLOSE,
    END,
    LUMINA_SHAPES,
    OPEN,
    PAD,
    PLACEHOLDER,
    TURN,
    taming_decoder,
)
from chameleon_pair import Pair, looped, pair_of, processed
from click.testing import CliRunner
from drafted import assert_the_same_for_every_width
from greedy import answered, painted
from photographs import soft_noise
from torch import Tensor
from torch.nn import functional

from edgevlo.cli import main
from edgevlo.export import parity
from edgevlo.export.families.recognise import plan_export
from edgevlo.quantization import quantize
from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import AbilityError, CheckpointError, RequestError
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import load_picture
from edgevlo.runtime.pictures.pixel_values import to_pixel_values

library: Any = transformers
pytestmark = [
    pytest.mark.filterwarnings("ignore::edgevlo.export.checkpoint.folder.CheckpointWarning"),
    pytest.mark.filterwarnings("ignore::edgevlo.runtime.pictures.load.PictureWarning"),
    pytest.mark.filterwarnings("ignore::edgevlo.runtime.generate.text.AnswerWarning"),
]


@pytest.fixture(scope="module", params=CHAMELEON_SHAPES, ids=lambda shape: shape.name)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pair_of(request.param, tmp_path_factory.mktemp(request.param.name))


def test_several_codes_a_pass_paint_the_same_picture(pair: Pair) -> None:
    assert_the_same_for_every_width(pair.model)


@pytest.mark.parametrize(("text", "scale"), [("a red car on the beach", 3.0), ("cat", 2.0)])
def test_greedy_painting_equals_a_loop_with_three_branches(pair: Pair, text: str, scale: float) -> None:
    """Anole: u + i (p - u) + g (f - p) over all, pictures alone, and neither."""
    full, begin = pair.ids(f"{text}{TURN}{OPEN}"), pair.ids(OPEN)
    side, image = pair.shape.side, 1.2
    expected = looped(pair, [full, begin, begin], [scale, image - scale, 1 - image], (side, side))

    codes = painted(pair.model, text, guidance_scale=scale)

    assert (codes.ravel() + pair.first).tolist() == expected
    assert len(set(expected)) >= 4
    assert pair.model.manifest.guidance.default_image_scale == image


def test_a_small_top_p_takes_the_likeliest_and_the_default_draws_others(pair: Pair) -> None:
    *_, last = pair.model.paint_rows("a red car", seed=1, top_p=1e-6)
    np.testing.assert_array_equal(last.codes, painted(pair.model, "a red car"))
    *_, drawn = pair.model.paint_rows("a red car", seed=1)
    assert (drawn.codes != last.codes).any()


def test_without_guidance_only_the_prompt_is_read(pair: Pair) -> None:
    expected = looped(pair, [pair.ids(f"a blue house{TURN}{OPEN}")], [1.0], (pair.shape.side, pair.shape.side))
    codes = painted(pair.model, "a blue house", guidance_scale=1.0)
    assert (codes.ravel() + pair.first).tolist() == expected


def decoded(pair: Pair, tokens: npt.NDArray[np.int64]) -> Floats:
    """Return pixels `(3, H, W)` of a grid of tokens: taming-transformers' decoder, written out."""
    mapping, weights = pair.reference.model.vocabulary_mapping, taming_decoder(pair.shape)
    vq = pair.reference.model.vqmodel

    def convolution(name: str, x: Tensor) -> Tensor:
        kernel = weights[f"{name}.weight"]
        return functional.conv2d(x, kernel, weights[f"{name}.bias"], padding=kernel.shape[-1] // 2)

    def norm(name: str, x: Tensor) -> Tensor:
        return functional.group_norm(x, 32, weights[f"{name}.weight"], weights[f"{name}.bias"], eps=1e-6)

    def block(name: str, x: Tensor) -> Tensor:
        hidden = convolution(f"{name}.conv1", functional.silu(norm(f"{name}.norm1", x)))
        hidden = convolution(f"{name}.conv2", functional.silu(norm(f"{name}.norm2", hidden)))
        return hidden + (convolution(f"{name}.nin_shortcut", x) if f"{name}.nin_shortcut.weight" in weights else x)

    codes = torch.tensor([[mapping.bpe2img[int(token)] for token in row] for row in tokens])
    x = vq.post_quant_conv(vq.quantize.embedding(codes).permute(2, 0, 1)[None])
    x = block("mid.block_1", convolution("conv_in", x))
    normed = norm("mid.attn_1.norm", x)
    query, key, value = (convolution(f"mid.attn_1.{name}", normed).flatten(2).mT for name in "qkv")
    attended = (query @ key.mT / key.shape[-1] ** 0.5).softmax(-1) @ value
    x = block("mid.block_2", x + convolution("mid.attn_1.proj_out", attended.mT.reshape(x.shape)))
    for level in reversed(range(len(pair.shape.multipliers))):
        for index in range(2):
            x = block(f"up.{level}.block.{index}", x)
        if level:
            x = convolution(f"up.{level}.upsample.conv", functional.interpolate(x, scale_factor=2.0))
    pixels: Floats = convolution("conv_out", functional.silu(norm("norm_out", x)))[0].numpy()
    return pixels


@torch.no_grad()
def test_the_picture_is_that_of_the_original_decoder(pair: Pair) -> None:
    codes = np.random.default_rng(0).integers(pair.shape.codes, size=(3, 5))
    expected = (np.clip(decoded(pair, codes + pair.first), -1, 1) + 1) / 2 * 255

    found = np.asarray(pair.model.decode(codes))

    assert found.shape == (3 * pair.shape.cell, 5 * pair.shape.cell, 3)
    assert np.abs(found.transpose(2, 0, 1) - expected.astype(np.uint8).astype(int)).max() <= 1  # a level on an edge
    assert expected.std() > 20


@pytest.mark.parametrize("sizes", [[(70, 41)], [(33, 90), (96, 96)]], ids=["one", "two"])
def test_answers_equal_generate(pair: Pair, sizes: list[tuple[int, int]]) -> None:
    pictures = [soft_noise(*size, seed=seed) for seed, size in enumerate(sizes)]
    block = OPEN + PLACEHOLDER * pair.shape.side**2 + CLOSE
    prompt = pair.ids(f"what color is the car?{block * len(pictures)}{TURN}")
    stop = {*pair.bare(END), *pair.bare(TURN)}
    ids = torch.tensor([prompt])
    out = pair.reference.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        pixel_values=processed(pair.shape.pixels, pictures),
        max_new_tokens=16,
        do_sample=False,
        eos_token_id=sorted(stop),
    )
    expected = [token for token in out[0, len(prompt) :].tolist() if token not in stop]

    sources = pair.model._read("ask", pictures)
    ours = pair.model._writer.prompt(pair.model.manifest.abilities["ask"].prompt, "what color is the car?", sources)
    found = answered(pair.model, ours, stop, 16)

    codes, placeholder = set(pair.tokens.tolist()), pair.bare(PLACEHOLDER)[0]
    assert [placeholder if token in codes else token for token in ours] == prompt
    features = pair.reference.get_image_tokens(processed(pair.shape.pixels, pictures)).ravel().tolist()
    assert [token for token in ours if token in codes] == features
    assert found == expected
    assert len(set(expected)) > 2
    assert not codes & set(expected)


def test_rows_of_a_left_padded_batch_are_answered_as_alone(pair: Pair) -> None:
    prompts = [pair.ids(f"what is on the left?{TURN}"), pair.ids(f"how many?{TURN}")]
    longest, pad = max(map(len, prompts)), pair.bare(PAD)[0]
    ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    out = pair.reference.generate(
        input_ids=ids, attention_mask=mask, max_new_tokens=12, do_sample=False, eos_token_id=-1, pad_token_id=pad
    )
    for row, prompt in enumerate(prompts):
        assert answered(pair.model, prompt, set(), 12) == out[row, longest:].tolist()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(512, 512), (97, 31), (31, 97), (1001, 403), (60, 500), (513, 511), (640, 1023)])
def test_pictures_are_cropped_as_by_transformers_image_processor(pair: Pair, size: tuple[int, int], mode: str) -> None:
    picture = soft_noise(*size, seed=size[0]).convert(mode)
    expected = processed(pair.shape.pixels, [picture.convert("RGB")])[0].numpy()

    found = to_pixel_values(pair.model.reader.fit(load_picture(picture).image), pair.model.manifest.preprocess)[0]

    assert found.shape == expected.shape
    assert np.abs(found - expected).max() / 2 <= 1 / 255 + 1e-6


def test_the_manifest_says_how_the_models_are_used(pair: Pair) -> None:
    manifest, shape = open_bundle(pair.portable).manifest, pair.shape
    assert (manifest.family, manifest.codes.count, manifest.codes.cell) == ("chameleon", shape.codes, shape.cell)
    assert manifest.codes.first_token == pair.first
    for graph in manifest.graphs.values():
        assert graph.parity is not None
        assert graph.parity.error <= 1e-4
    assert (manifest.grid.kind, manifest.grid.default) == ("fixed", (shape.side, shape.side))
    assert set(manifest.abilities) == {"paint", "ask", "interleave"}
    assert manifest.abilities["paint"].prompt[0].token == BEGIN
    assert set(manifest.answer.stop) == {TURN, END}
    assert manifest.preprocess.mean[0] == pytest.approx(0.50277, abs=1e-5)  # x * 0.0078 - 1
    assert (manifest.sampling.temperature, manifest.sampling.top_p) == (0.7, 0.9)


def test_the_licence_is_shown(pair: Pair) -> None:
    shown = CliRunner().invoke(main, ["show", str(pair.portable)]).output
    assert "NON-COMMERCIAL" in shown
    assert "NON-COMMERCIAL" in (pair.portable / "LICENCE.txt").read_text()


def test_what_chameleon_cannot_do_is_said(pair: Pair) -> None:
    with pytest.raises(AbilityError, match=r"\(family chameleon\) does not support 'depth'\. Supported: ask"):
        pair.model.depth(soft_noise(32, 32, 0))
    with pytest.raises(RequestError, match="takes no negative prompt"):
        pair.model.paint("a car", negative_prompt="a dog")


def test_attention_is_grouped_query_attention_behind_normalised_heads(pair: Pair) -> None:
    kinds = [node.op_type for node in ir.load(pair.model.bundle.path("backbone.onnx")).graph]
    assert kinds.count("GroupQueryAttention") == pair.shape.layers
    assert kinds.count("LayerNormalization") == 2 * pair.shape.layers


def test_int8_weights_paint_and_answer(pair: Pair, tmp_path: Path) -> None:
    quantize(pair.portable, tmp_path / "int8", target="cpu", weights="int8", requests=0)
    model = Model.open(tmp_path / "int8")
    picture = model.paint("a red car", seed=1)
    assert picture.size == (pair.shape.pixels,) * 2
    model.ask(picture, "what is it?")


def test_a_wrong_norm_of_a_head_is_found_in_its_layer(pair: Pair, tmp_path: Path) -> None:
    plan, layer = plan_export(pair.checkpoint), pair.shape.layers - 1
    model = ir.load(pair.portable / "backbone.onnx")
    value = model.graph.initializers[f"model.layers.{layer}.self_attn.k_norm.weight"]
    assert value.const_value is not None
    value.const_value = ir.tensor(value.const_value.numpy()[::-1].copy(), name=value.name)
    ir.save(model, tmp_path / "backbone.onnx", external_data="backbone.onnx.data")

    with pytest.raises(CheckpointError, match=f"backbone differs from the reference by .* from layer {layer} on, more"):
        parity.compare(tmp_path, plan, plan.reference(), "backbone")


@torch.no_grad()
def test_the_reference_of_the_export_is_from_pretrained_part_by_part(pair: Pair) -> None:
    reference, whole = plan_export(pair.checkpoint).reference(), pair.reference
    embeds = np.random.default_rng(0).standard_normal((2, 7, pair.shape.hidden)).astype(np.float32)
    expected = whole.model(inputs_embeds=torch.from_numpy(embeds), use_cache=False).last_hidden_state

    np.testing.assert_array_equal(reference.hidden_states(embeds)[-1], expected.numpy())
    np.testing.assert_allclose(
        reference.text_logits(embeds[:, 0]), whole.lm_head(torch.from_numpy(embeds[:, 0])).numpy(), atol=1e-5
    )


def test_the_shapes_cover_what_the_exporter_promises() -> None:
    shapes = (*CHAMELEON_SHAPES, *LUMINA_SHAPES)
    assert {shape.tied for shape in shapes} == {True, False}
    assert {shape.swin_norm for shape in shapes} == {True, False}
    assert {shape.heads == shape.kv_heads for shape in shapes} == {True, False}
    assert {shape.layers % 2 for shape in shapes} == {0, 1}
    assert {shape.shuffled for shape in shapes} == {True, False}
