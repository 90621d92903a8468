"""Janus-4o: edits against an own loop over transformers' modules, token for token; transformers has no such loop.

The loop is written from the protocol of FreedomIntelligence/ShareGPT-4o-Image, with its two weights, whole sequences
and no cache. The checkpoint is a Janus under Janus-4o's name, in both formats.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import transformers
from janus_checkpoints import (
    CLOSE,
    JANUS_SHAPES,
    OPEN,
    PAD,
    PLACEHOLDER,
    JanusShape,
    janus_tokenizer,
    make_janus,
    token_id,
)
from janus_original import write_original
from photographs import soft_noise
from PIL import Image
from tokenizers import Tokenizer
from transformers.models.janus.image_processing_pil_janus import JanusImageProcessorPil

from edgevlo.export import export_checkpoint
from edgevlo.export.families.janus.editing import IMAGE_SCALE
from edgevlo.export.families.recognise import plan_export
from edgevlo.quantization import quantize
from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.errors import CheckpointError, RequestError
from edgevlo.runtime.model import Model

library: Any = transformers
processor_class: Any = JanusImageProcessorPil

Grid = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Editor:
    """One checkpoint in transformers and, exported, in the runtime."""

    shape: JanusShape
    reference: Any
    tokenizer: Tokenizer
    checkpoint: Path
    portable: Path
    model: Model


@pytest.fixture(scope="module", params=JANUS_SHAPES, ids=lambda shape: shape.name)
def editor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Editor:
    folder = tmp_path_factory.mktemp(request.param.name)
    checkpoint = make_janus(folder / "Janus-4o-tiny", request.param)
    export_checkpoint(checkpoint, folder / "portable")
    quantize(folder / "portable", folder / "cpu", target="cpu", weights="fp32", requests=0)
    reference = library.JanusForConditionalGeneration.from_pretrained(checkpoint).eval()
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    return Editor(request.param, reference, tokenizer, checkpoint, folder / "portable", Model.open(folder / "cpu"))


def pixels_of(editor: Editor, picture: Image.Image) -> torch.Tensor:
    side = editor.shape.pixels
    processor = processor_class(image_mean=[0.5] * 3, image_std=[0.5] * 3, size={"height": side, "width": side})
    return torch.from_numpy(np.stack(processor([picture])["pixel_values"])).float()


@torch.no_grad()
def source_codes(editor: Editor, pixels: torch.Tensor) -> torch.Tensor:
    """Return the codes `(cells,)` as LlamaGen's VQ-16 finds them: both sides on the unit sphere, nearest first."""
    vq = editor.reference.model.vqmodel
    latents = vq.quant_conv(vq.encoder(pixels))[0].flatten(1).T
    codebook = vq.quantize.embedding.weight
    latents, codebook = (rows / rows.norm(dim=-1, keepdim=True) for rows in (latents, codebook))
    return torch.cdist(latents[None], codebook[None])[0].argmin(-1)


@torch.no_grad()
def edited(editor: Editor, picture: Image.Image, text: str, weight: float, weight2: float) -> Grid:
    """Return the codes that the protocol paints greedily with `cfg_weight` and `cfg_weight2`."""
    shape, parts = editor.shape, editor.reference.model
    user, assistant = ("<|User|>", "<|Assistant|>") if shape.pro else ("User", "Assistant")
    cells = shape.side**2
    shown = OPEN + PLACEHOLDER * cells + CLOSE + OPEN + PAD * cells + CLOSE
    tokens = torch.tensor(editor.tokenizer.encode(f"{user}: {shown}{text}\n\n{assistant}:{OPEN}").ids)
    pixels, pad = pixels_of(editor, picture), token_id(editor.tokenizer, PAD)
    rows = tokens.repeat(3, 1)
    rows[2, 1:-1] = pad
    embeds = parts.language_model.get_input_embeddings()(rows)
    seen = tokens == token_id(editor.tokenizer, PLACEHOLDER)
    embeds[:2, seen] = parts.get_image_features(pixels).pooler_output[0]
    first = int(torch.nonzero(tokens == token_id(editor.tokenizer, CLOSE))[0]) + 2
    codes = source_codes(editor, pixels)
    embeds[0, first : first + cells] = editor.reference.prepare_embeddings_for_image_generation(codes)
    painted: list[int] = []
    for _ in range(cells):
        hidden = parts.language_model(inputs_embeds=embeds, use_cache=False).last_hidden_state[:, -1]
        full, part, nothing = parts.generation_head(hidden)
        conditional = (full + weight2 * part) / (1 + weight2)
        code = (nothing + weight * (conditional - nothing)).argmax(-1)
        painted.append(int(code))
        step = editor.reference.prepare_embeddings_for_image_generation(code.repeat(3)[:, None])
        embeds = torch.cat([embeds, step], dim=1)
    return np.array(painted).reshape(shape.side, shape.side)


def painted(editor: Editor, picture: Image.Image, text: str, **options: Any) -> Codes:
    *_, last = editor.model.edit_rows(picture, text, temperature=0.0, **options)
    return last.codes


@pytest.mark.parametrize("size", [(70, 41), (33, 90)], ids=["wide", "tall"])
def test_an_edit_equals_the_protocol_with_its_own_weights(editor: Editor, size: tuple[int, int]) -> None:
    picture = soft_noise(*size, seed=size[0])

    codes = painted(editor, picture, "change the car to blue")

    np.testing.assert_array_equal(codes, edited(editor, picture, "change the car to blue", 5.0, 5.0))
    assert len(np.unique(codes)) >= 4


@pytest.mark.parametrize(("weight", "weight2"), [(3.0, 1.0), (7.5, 0.25), (1.0, 0.0), (1.0, 4.0), (2.0, 0.0)])
def test_both_weights_of_the_protocol_have_their_scales(editor: Editor, weight: float, weight2: float) -> None:
    picture = soft_noise(64, 64, seed=5)

    codes = painted(editor, picture, "a tree", guidance_scale=weight, image_guidance_scale=weight / (1 + weight2))

    np.testing.assert_array_equal(codes, edited(editor, picture, "a tree", weight, weight2))


def test_the_tokenizer_reads_the_codes_of_the_reference(editor: Editor) -> None:
    for seed, size in enumerate([(96, 96), (97, 31), (7, 500), (385, 383)]):
        picture = soft_noise(*size, seed=seed)
        (source,) = editor.model._read("edit", [picture])

        codes = getattr(source, "codes", None)

        assert codes is not None
        assert codes.shape == (editor.shape.side, editor.shape.side)
        np.testing.assert_array_equal(codes.ravel(), source_codes(editor, pixels_of(editor, picture)).numpy())


def test_the_prompts_are_the_three_of_the_protocol(editor: Editor) -> None:
    *_, last = editor.model.edit_rows(soft_noise(40, 40, 1), "a tree", seed=0)
    manifest, cells = editor.model.manifest, editor.shape.side**2

    assert {"image_tokenizer", "vision_encoder"} <= set(manifest.graphs)
    assert [(one.kind, one.constant, one.scale, one.image_scale) for one in manifest.guidance.branches] == [
        ("prompt", 0, 0, 1),
        ("pad_codes", 0, 1, -1),
        ("pad_middle", 1, -1, 0),
    ]
    assert manifest.guidance.default_image_scale == IMAGE_SCALE == pytest.approx(5 / 6)
    assert last.codes.size == cells
    assert ", CFG scale: 5.0, Image CFG scale: 0.83" in str(last.preview.info["parameters"])


def test_painting_is_that_of_janus_with_two_branches(editor: Editor, tmp_path: Path) -> None:
    """The picture's two branches are one where no picture is shown."""
    plain = tmp_path / "plain"
    plain.mkdir()
    for path in editor.checkpoint.iterdir():
        (plain / path.name).symlink_to(path)
    export_checkpoint(plain, tmp_path / "bundle")
    janus = Model.open(tmp_path / "bundle")
    assert "image_tokenizer" not in janus.manifest.graphs

    for scale in (5.0, 1.0):
        *_, ours = editor.model.paint_rows("a red car", temperature=0.0, guidance_scale=scale)
        *_, theirs = janus.paint_rows("a red car", temperature=0.0, guidance_scale=scale)
        np.testing.assert_array_equal(ours.codes, theirs.codes)
    assert "Image CFG" not in str(ours.preview.info["parameters"])


def test_an_answer_shows_the_features_alone(editor: Editor) -> None:
    (source,) = editor.model._read("ask", [soft_noise(40, 40, 1)])
    assert getattr(source, "codes", "none") is None


def test_what_an_edit_does_not_take_is_said(editor: Editor) -> None:
    picture = soft_noise(40, 40, 1)
    with pytest.raises(RequestError, match=r"edit takes 1 picture\(s\), 2 given"):
        editor.model.edit([picture, picture], "a tree")
    with pytest.raises(RequestError, match="image guidance scale does nothing here: this shows the model no picture"):
        editor.model.paint("a tree", image_guidance_scale=2.0)
    with pytest.raises(RequestError, match="image guidance scale -1 is out of range; it runs from 0 to 100"):
        editor.model.edit(picture, "a tree", image_guidance_scale=-1)


def test_int8_weights_edit(editor: Editor, tmp_path: Path) -> None:
    quantize(editor.portable, tmp_path / "int8", target="cpu", weights="int8", requests=0)
    model = Model.open(tmp_path / "int8")
    assert model.edit(soft_noise(40, 40, 1), "a tree", seed=1).size == (editor.shape.pixels,) * 2


def test_deepseek_s_format_gives_the_same_graphs(editor: Editor, tmp_path: Path) -> None:
    if editor.shape.vision_heads != 16:
        pytest.skip("the original format knows vision models of 16 heads only")
    write_original(editor.checkpoint, tmp_path / "Janus-4o-7B", editor.shape)

    manifest = export_checkpoint(tmp_path / "Janus-4o-7B", tmp_path / "bundle")

    ours = editor.model.manifest
    assert manifest.abilities == ours.abilities
    assert manifest.guidance == ours.guidance
    portable = Model.open(editor.portable).manifest.files
    assert {name for name in manifest.files if manifest.files[name] != portable[name]} <= {"LICENCE.txt"}


def test_the_task_card_of_the_documentation_says_the_same_of_another_name(editor: Editor, tmp_path: Path) -> None:
    if not editor.shape.pro:
        pytest.skip("the documentation's card has the tokens of Janus-Pro")
    text = (Path(__file__).parents[2] / "docs" / "janus-4o.md").read_text(encoding="utf-8")
    other = tmp_path / "my-editor"
    other.mkdir()
    for path in editor.checkpoint.iterdir():
        (other / path.name).symlink_to(path)
    (other / "edgevlo.json").write_text(text[text.index("    {\n") :], encoding="utf-8")

    manifest = export_checkpoint(other, tmp_path / "bundle")

    ours = editor.model.manifest
    assert manifest.guidance == ours.guidance
    assert manifest.abilities == {name: ours.abilities[name] for name in ("paint", "edit")}
    assert set(manifest.graphs) == set(ours.graphs)


def test_a_janus_that_cannot_read_what_it_paints_is_refused(tmp_path: Path) -> None:
    shape = JanusShape(name="two", layers=1, hidden=32, heads=2, kv_heads=2, mlp=32, side=2, codes=32,
                       multipliers=(1, 1))  # fmt: skip
    assert janus_tokenizer(shape).get_vocab_size() > 0

    with pytest.raises(CheckpointError, match=r"read in squares of 32 pixels and painted in squares of 4, so .* edit"):
        plan_export(make_janus(tmp_path / "janus_4o", shape))
