"""What the exporter reads beside Janus' weights, and what it refuses before anything is built."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from janus_checkpoints import JANUS_SHAPES, JanusShape, janus_tokenizer, make_janus
from janus_original import write_original
from safetensors.torch import load_file, save_file

from edgevlo.export.checkpoint.folder import Checkpoint, CheckpointWarning
from edgevlo.export.checkpoint.tokenizer import read_tokenizer
from edgevlo.export.families.janus.defaults import Dialect, read_dialect
from edgevlo.export.families.janus.original import arrange
from edgevlo.export.families.recognise import plan_export
from edgevlo.runtime.errors import CheckpointError

TINY = JanusShape(name="tiny", layers=1, hidden=32, heads=2, kv_heads=2, mlp=32, side=2, codes=32, vision_heads=16,
                  multipliers=(1, 1))  # fmt: skip


def dialect(folder: Path, *, original: bool = False, pro: bool = True, **files: dict[str, Any]) -> Dialect:
    (folder / "config.json").write_text("{}")
    janus_tokenizer(JanusShape(name="any", pro=pro)).save(str(folder / "tokenizer.json"))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    checkpoint = Checkpoint(folder)
    return read_dialect(checkpoint, read_tokenizer(checkpoint), original=original)


@pytest.mark.parametrize(
    ("files", "user"),
    [
        ({}, "<|User|>"),
        ({"processor_config": {"sft_format": "deepseek"}}, "<|User|>"),
        ({"processor_config": {"sft_format": "deepseek_old"}}, "User"),
        ({"chat_template": {"chat_template": "{{'<|User|>: '}}"}}, "<|User|>"),
        ({"chat_template": {"chat_template": "{{'User: '}}"}}, "User"),
        ({"tokenizer_config": {"chat_template": "{{'User: '}}"}}, "User"),
    ],
)
def test_the_dialect_is_the_one_that_the_files_name(tmp_path: Path, files: dict[str, Any], user: str) -> None:
    spoken = dialect(tmp_path, **files).user
    assert (spoken.token or spoken.text) == user
    assert (spoken.token is not None) == user.startswith("<|")


def test_a_role_that_is_no_token_is_text(tmp_path: Path) -> None:
    spoken = dialect(tmp_path, pro=False, processor_config={"sft_format": "deepseek"})
    assert (spoken.user.text, spoken.assistant.text) == ("<|User|>", "<|Assistant|>")


def test_the_pad_is_the_one_that_each_reference_paints_with(tmp_path: Path) -> None:
    generation, named = {"pad_token_id": 0}, {"pad_token": "<unk>"}
    assert dialect(tmp_path, special_tokens_map=named).pad == "<unk>"
    assert dialect(tmp_path, special_tokens_map=named, generation_config=generation).pad == "<｜▁pad▁｜>"
    assert dialect(tmp_path, original=True, special_tokens_map=named).pad == "<｜▁pad▁｜>"
    assert dialect(tmp_path, original=True, processor_config={"pad_tag": "<unk>"}).pad == "<unk>"


def test_a_name_that_the_tokenizer_lacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer\.json has no token <boi>, the model's open"):
        dialect(tmp_path, tokenizer_config={"boi_token": "<boi>"})


def test_fused_projections_are_three_parts_and_places_lose_an_axis() -> None:
    (places,) = arrange("vision_model.vision_tower.pos_embed", (1, 576, 1024))
    parts = list(arrange("vision_model.vision_tower.blocks.7.attn.qkv.bias", (3072,)))

    assert (places.name, places.shape) == ("model.vision_model.embeddings.position_embedding.weight", (576, 1024))
    assert [(part.name.split(".")[-2], part.shape, part.start) for part in parts] == [
        ("q_proj", (1024,), 0),
        ("k_proj", (1024,), 1024),
        ("v_proj", (1024,), 2048),
    ]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_janus(tmp_path_factory.mktemp("janus") / "tiny", TINY)


def changed(source: Path, folder: Path, name: str, **changes: Any) -> Path:
    """Copy a checkpoint with other values in one of its JSON files; a dict changes the part of that name."""
    shutil.copytree(source, folder)
    content = json.loads((folder / name).read_text())
    for key, value in changes.items():
        content[key] = {**content[key], **value} if isinstance(value, dict) else value
    (folder / name).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("config.json", {"vision_config": {"use_qk_norm": True}}, "use_qk_norm is not exported"),
        ("config.json", {"vision_config": {"num_image_tokens": 9}}, "num_image_tokens 9 is not the 4 patches"),
        ("config.json", {"vq_config": {"hidden_act": "relu"}}, "vq_config.hidden_act 'relu' is not exported"),
        ("config.json", {"text_config": {"hidden_act": "relu"}}, "hidden_act 'relu' is not supported"),
        ("config.json", {"text_config": {"intermediate_size": 48}}, "weights and config.json are of different models"),
        ("preprocessor_config.json", {"size": {"height": 48}}, "but the vision encoder takes squares of 32"),
        ("preprocessor_config.json", {"min_size": 0}, "Expected `int` >= 1"),
    ],
)
def test_what_is_not_exported_is_refused(
    tiny: Path, tmp_path: Path, name: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        plan_export(changed(tiny, tmp_path / "janus", name, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"aligner_config": None}, r"has no aligner_config\.params, so it is not a Janus of this format"),
        ({"vision_config": {"params": {"model_name": "sam_b"}}}, "vision_config names 'sam_b'"),
        ({"gen_aligner_config": {"params": {"projector_type": "linear"}}}, "has projector_type 'linear'"),
        ({"language_config": None}, "has no language_config"),
    ],
)
def test_what_is_no_janus_of_the_original_format_is_refused(
    tiny: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    original = write_original(tiny, tmp_path / "original", TINY)
    with pytest.raises(CheckpointError, match=message):
        plan_export(changed(original, tmp_path / "janus", "config.json", **changes))


def test_a_fused_tensor_is_read_in_parts_and_rows(tiny: Path, tmp_path: Path) -> None:
    ours, theirs = Checkpoint(tiny), Checkpoint(write_original(tiny, tmp_path / "original", TINY)).arranged(arrange)
    stem = "model.vision_model.encoder.layers.1.self_attn"
    for name in (
        f"{stem}.k_proj.weight",
        f"{stem}.v_proj.bias",
        "model.vision_model.embeddings.position_embedding.weight",
    ):
        assert theirs.shape(name) == ours.shape(name)
        assert (theirs.tensor(name) == ours.tensor(name)).all()
        assert (theirs.tensor(name, slice(1, 3)) == ours.tensor(name)[1:3]).all()


def test_a_pickle_of_the_original_format_is_read_with_a_warning(tiny: Path, tmp_path: Path) -> None:
    """deepseek-ai's Janus-Pro is stored so."""
    original = write_original(tiny, tmp_path / "original", TINY)
    torch.save(load_file(original / "model.safetensors"), original / "pytorch_model.bin")
    (original / "model.safetensors").unlink()

    with pytest.warns(CheckpointWarning, match="is a pickle") as caught:
        checkpoint = plan_export(original).checkpoint

    assert len(caught) == 1
    name = "model.vision_model.encoder.layers.1.self_attn.v_proj.weight"
    assert (checkpoint.tensor(name) == Checkpoint(tiny).tensor(name)).all()


@pytest.mark.parametrize("by", ["row", "block"])
def test_a_fused_tensor_in_float8_is_scaled_before_it_is_split(tiny: Path, tmp_path: Path, by: str) -> None:
    original = write_original(tiny, tmp_path / "original", TINY)
    tensors, name = load_file(original / "model.safetensors"), "vision_model.vision_tower.blocks.1.attn.qkv.weight"
    values = tensors[name].to(torch.float8_e4m3fn)
    rows, columns = values.shape
    if by == "row":
        scale = torch.linspace(0.1, 2, rows)[:, None]
        expected = values.float() * scale
    else:
        scale = torch.arange(1.0, 1 + (rows // 24) * (columns // 16)).reshape(rows // 24, columns // 16)
        expected = values.float() * scale.repeat_interleave(24, 0).repeat_interleave(16, 1)
    save_file(tensors | {name: values, f"{name}_scale_inv": scale}, original / "model.safetensors")
    config = json.loads((original / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "fp8", "weight_block_size": [24, 16]}
    (original / "config.json").write_text(json.dumps(config))

    checkpoint = plan_export(original).checkpoint

    third = rows // 3
    for place, projection in enumerate(("q_proj", "k_proj", "v_proj")):
        found = f"model.vision_model.encoder.layers.1.self_attn.{projection}.weight"
        own = expected[place * third : (place + 1) * third].numpy()
        assert (checkpoint.tensor(found) == own).all()
        assert (checkpoint.tensor(found, slice(3, 5)) == own[3:5]).all()


def test_the_shapes_cover_what_the_exporter_promises() -> None:
    assert {shape.tied for shape in JANUS_SHAPES} == {True, False}
    assert {shape.pro for shape in JANUS_SHAPES} == {True, False}
    assert {shape.heads == shape.kv_heads for shape in JANUS_SHAPES} == {True, False}
    assert {shape.layers % 2 for shape in JANUS_SHAPES} == {0, 1}
