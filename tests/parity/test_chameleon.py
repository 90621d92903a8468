"""Chameleon, Anole and Lumina-mGPT against transformers: answers token for token, painting against its modules.

transformers' class masks the codes in its logits and so never paints. Painting is compared with a loop over its
decoder and its head, without a cache; pixels with a decoder written out here after CompVis/taming-transformers, from
the tensors as they are stored. Prompts are spelled out as strings, as transformers' processor and the models' own
repositories write them.
"""

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
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
    ROW,
    TURN,
    ChameleonShape,
    make_chameleon,
    taming_decoder,
)
from click.testing import CliRunner
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers.models.chameleon.image_processing_pil_chameleon import ChameleonImageProcessorPil

from edgevlo.cli import main
from edgevlo.export import export_checkpoint, parity
from edgevlo.export.families import plan_export
from edgevlo.quantization import quantize
from edgevlo.runtime.arrays import Codes, Floats
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import AbilityError, CheckpointError, RequestError
from edgevlo.runtime.generate.answers import answer
from edgevlo.runtime.manifest.abilities import AbilityName
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import load_picture, to_pixel_values

library: Any = transformers
processor_class: Any = ChameleonImageProcessorPil

pytestmark = [
    pytest.mark.filterwarnings("ignore::edgevlo.export.checkpoint.folder.CheckpointWarning"),
    pytest.mark.filterwarnings("ignore::edgevlo.runtime.pictures.load.PictureWarning"),
    pytest.mark.filterwarnings("ignore::edgevlo.runtime.generate.answers.AnswerWarning"),
]


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
    quantize(folder / "portable", folder / "cpu", target="cpu", weights="fp32")
    reference = library.ChameleonForConditionalGeneration.from_pretrained(checkpoint).eval()
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    return Pair(shape, reference, tokenizer, checkpoint, folder / "portable", Model.open(folder / "cpu"))


@pytest.fixture(scope="module", params=CHAMELEON_SHAPES, ids=lambda shape: shape.name)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pair_of(request.param, tmp_path_factory.mktemp(request.param.name))


@pytest.fixture(scope="module", params=LUMINA_SHAPES, ids=lambda shape: shape.name)
def lumina(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pair_of(request.param, tmp_path_factory.mktemp(request.param.name))


def painted(model: Model, prompt: str, **options: Any) -> Codes:
    *_, last = model.paint_rows(prompt, temperature=0.0, **options)
    return last.codes


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


def some_picture(width: int, height: int, seed: int) -> Image.Image:
    """Return soft noise: a picture that resizing does not grey out."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def processed(side: int, pictures: Sequence[Image.Image]) -> Tensor:
    processor = processor_class(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    return torch.from_numpy(np.stack(processor(list(pictures))["pixel_values"])).float()


def answered(model: Model, prompt: list[int], stop: set[int], count: int) -> list[int]:
    with model._engine.painter([prompt], count) as painter:
        choose = model._engine.text_choice(painter.backbone.last_hidden)
        return list(answer(choose, painter.backbone.step, stop, count))


@pytest.mark.parametrize("sizes", [[(70, 41)], [(33, 90), (96, 96)]], ids=["one", "two"])
def test_answers_equal_generate(pair: Pair, sizes: list[tuple[int, int]]) -> None:
    pictures = [some_picture(*size, seed=seed) for seed, size in enumerate(sizes)]
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
    picture = some_picture(*size, seed=size[0]).convert(mode)
    expected = processed(pair.shape.pixels, [picture.convert("RGB")])[0].numpy()

    found = to_pixel_values(pair.model._reader.fit(load_picture(picture).image), pair.model.manifest.preprocess)[0]

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
    assert manifest.answer.stop == (TURN, END)
    assert manifest.preprocess.mean[0] == pytest.approx(0.50277, abs=1e-5)  # x * 0.0078 - 1
    assert (manifest.sampling.temperature, manifest.sampling.top_p) == (0.7, 0.9)


def test_the_licence_is_shown(pair: Pair) -> None:
    shown = CliRunner().invoke(main, ["show", str(pair.portable)]).output
    assert "NON-COMMERCIAL" in shown
    assert "NON-COMMERCIAL" in (pair.portable / "LICENCE.txt").read_text()


def test_what_chameleon_cannot_do_is_said(pair: Pair) -> None:
    with pytest.raises(AbilityError, match=r"\(family chameleon\) cannot depth; it can ask, interleave, paint"):
        pair.model.depth(some_picture(32, 32, 0))
    with pytest.raises(RequestError, match="takes no negative prompt"):
        pair.model.paint("a car", negative_prompt="a dog")


def test_attention_is_grouped_query_attention_behind_normalised_heads(pair: Pair) -> None:
    kinds = [node.op_type for node in ir.load(pair.model.bundle.path("backbone.onnx")).graph]
    assert kinds.count("GroupQueryAttention") == pair.shape.layers
    assert kinds.count("LayerNormalization") == 2 * pair.shape.layers


def test_int8_weights_paint_and_answer(pair: Pair, tmp_path: Path) -> None:
    quantize(pair.portable, tmp_path / "int8", target="cpu", weights="int8")
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


# Lumina-mGPT


def tags(pair: Pair, grid: tuple[int, int]) -> str:
    return "".join(f"<reserved{8800 + cells // 2:05d}>" for cells in grid)


@pytest.mark.parametrize("grid", [(4, 4), (2, 6), (8, 4)])
def test_lumina_paints_the_size_that_its_reserved_tokens_say(lumina: Pair, grid: tuple[int, int]) -> None:
    height, width = (cells * lumina.shape.cell for cells in grid)
    opener = lumina.bare(OPEN + tags(lumina, grid))
    words = f"Generate an image of {width}x{height} according to the following prompt:\na red car{TURN}"
    expected = looped(lumina, [lumina.ids(words) + opener, opener], [4.0, -3.0], grid, lumina.bare(ROW))

    codes = painted(lumina.model, "a red car", size=(width, height))

    assert codes.shape == grid
    assert (codes.ravel() + lumina.first).tolist() == expected
    assert len(set(expected)) >= 4


def turn(pair: Pair, words: str, codes: Codes) -> list[int]:
    """Return the ids of a turn that shows a picture behind its words."""
    rows = [[*(codes[row] + pair.first).tolist(), *pair.bare(ROW)] for row in range(len(codes))]
    return [*pair.ids(f"{words} {OPEN}{tags(pair, codes.shape)}"), *itertools.chain(*rows), *pair.bare(CLOSE + TURN)]


@pytest.mark.parametrize(
    ("name", "words", "objects"),
    [
        ("segment", "Segmentic segmentation.", []),
        ("depth", "Depth estimation.", []),
        ("normals", "Surface normal estimation.", []),
        ("pose", "Human pose estimation.", []),
        ("boxes", "Detect: car, dog", ["car", "dog"]),
    ],
)
def test_lumina_paints_what_it_perceives(lumina: Pair, name: AbilityName, words: str, objects: list[str]) -> None:
    small = small_model(lumina)
    picture = some_picture(4 * lumina.shape.cell, 4 * lumina.shape.cell, 5)
    codes = small.tokenize(picture)
    prompt = turn(lumina, words, codes) + lumina.bare(OPEN + tags(lumina, codes.shape))
    expected = looped(lumina, [prompt], [1.0], (4, 4), lumina.bare(ROW))

    *_, last = small.perceive_rows(name, picture, objects, temperature=0.0)

    assert (last.codes.ravel() + lumina.first).tolist() == expected


def test_lumina_edits_with_and_without_guidance(lumina: Pair) -> None:
    small = small_model(lumina)
    picture = some_picture(8 * lumina.shape.cell, 2 * lumina.shape.cell, 6)
    codes = small.tokenize(picture)
    opener = lumina.bare(OPEN + tags(lumina, codes.shape))
    prompt = turn(lumina, "change the car to blue", codes) + opener
    for scale, branches in ((1.0, [prompt]), (2.5, [prompt, opener])):
        weights = [scale, 1 - scale][: len(branches)]
        expected = looped(lumina, branches, weights, codes.shape, lumina.bare(ROW))
        *_, last = small.edit_rows(picture, "change the car to blue", temperature=0.0, guidance_scale=scale)
        assert (last.codes.ravel() + lumina.first).tolist() == expected
    assert codes.shape == (2, 8)


def test_lumina_answers_as_generate(lumina: Pair) -> None:
    small = small_model(lumina)
    picture = some_picture(4 * lumina.shape.cell, 4 * lumina.shape.cell, 7)
    prompt = turn(lumina, "what is it?", small.tokenize(picture))
    ids = torch.tensor([prompt])
    stop = {*lumina.bare(END), *lumina.bare(TURN)}
    out = lumina.reference.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=sorted(stop),
    )
    ours = small._writer.prompt(small.manifest.abilities["ask"].prompt, "what is it?", small._read("ask", [picture]))

    assert ours == prompt
    expected = [token for token in out[0, len(prompt) :].tolist() if token not in stop]
    assert answered(small, ours, stop, 12) == expected


def small_model(pair: Pair) -> Model:
    """Return the model as if its square had 4 by 4 cells: pictures are then small enough to loop over."""
    import msgspec

    from edgevlo.runtime.bundle import Bundle

    manifest = pair.model.manifest
    grid = msgspec.structs.replace(manifest.grid, rows=(2, 8), columns=(2, 8), cells=(4, 16), default=(4, 4))
    bundle = pair.model.bundle
    changed = msgspec.structs.replace(manifest, grid=grid)
    return Model(Bundle(folder=bundle.folder, manifest=changed, digest=bundle.digest))


def cropped(picture: Image.Image, target: int) -> Image.Image:
    """Return what Lumina-mGPT reads of a picture, cut in the middle where its own code cuts at random."""
    patches, patch = (target // 32) ** 2, 32
    sizes = [
        (across, down)
        for across in range(1, patches + 1)
        for down in range(1, patches // across + 1)
        if max(across, down) <= 4 * min(across, down) and (across + 1) * (down + 1) > patches
    ]
    width, height = picture.size
    nearest = max(
        (
            min(w * patch / width, h * patch / height) / max(w * patch / width, h * patch / height),
            (w * patch, h * patch),
        )
        for w, h in sizes
    )[1]
    while picture.width >= 2 * nearest[0] and picture.height >= 2 * nearest[1]:
        picture = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    scale = max(nearest[0] / picture.width, nearest[1] / picture.height)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)
    left, top = (picture.width - nearest[0]) // 2, (picture.height - nearest[1]) // 2
    return picture.crop((left, top, left + nearest[0], top + nearest[1]))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(512, 512), (97, 31), (31, 97), (1001, 403), (60, 500), (1500, 1100), (640, 1023)])
def test_lumina_crops_to_the_nearest_ratio(lumina: Pair, size: tuple[int, int], mode: str) -> None:
    import msgspec

    from edgevlo.runtime.pictures.sizes import GridRule

    grid = msgspec.structs.replace(
        lumina.model.manifest.grid, rows=(2, 64), columns=(2, 64), cells=(4, 1024), default=(32, 32)
    )
    model = Model(lumina.model.bundle)
    model.grid = GridRule(grid=grid, cell=16)
    picture = some_picture(*size, seed=size[0]).convert(mode)
    expected = np.asarray(cropped(picture.convert("RGB"), 512)).transpose(2, 0, 1) / 255 * 2 - 1

    found = to_pixel_values(model._reader.fit(load_picture(picture).image), model.manifest.preprocess)[0]

    assert found.shape == expected.shape
    assert np.abs(found - expected).max() / 2 <= 1 / 255 + 1e-6


def test_luminas_manifest_says_sizes_and_perception(lumina: Pair) -> None:
    manifest = lumina.model.manifest
    assert manifest.family == "lumina-mgpt"
    assert (manifest.grid.step, manifest.grid.max_ratio, manifest.image_block.row_suffix) == (2, 4.0, (ROW,))
    assert set(manifest.abilities) == {"paint", "ask", "edit", "segment", "depth", "normals", "pose", "boxes"}
    assert manifest.guidance.default_scale == 4.0
    depth = manifest.abilities["depth"]
    assert depth.sampling is not None
    assert (depth.guidance_scale, depth.sampling.top_k, manifest.sampling.top_k) == (1.0, 200, 2000)
    assert "NON-COMMERCIAL" in manifest.source.licence
    cell = lumina.shape.cell
    with pytest.raises(RequestError, match=rf"sides are multiples of {2 * cell} pixels"):
        lumina.model.paint("a car", size=(3 * cell, 4 * cell))
    with pytest.raises(RequestError, match="boxes of this model needs names of objects"):
        lumina.model.boxes(some_picture(32, 32, 0))


def test_the_shapes_cover_what_the_exporter_promises() -> None:
    shapes = (*CHAMELEON_SHAPES, *LUMINA_SHAPES)
    assert {shape.tied for shape in shapes} == {True, False}
    assert {shape.swin_norm for shape in shapes} == {True, False}
    assert {shape.heads == shape.kv_heads for shape in shapes} == {True, False}
    assert {shape.layers % 2 for shape in shapes} == {0, 1}
    assert {shape.shuffled for shape in shapes} == {True, False}
