"""Emu3 in BAAI's own format gives the graphs that it gives in transformers' format."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from emu3_checkpoints import Shape, make_checkpoint
from emu3_original import write_original
from safetensors import safe_open

from edgevlo.export import export_checkpoint
from edgevlo.export.families.recognise import plan_export
from edgevlo.runtime.errors import CheckpointError

SHAPES = (
    Shape(name="video", temporal=4, multipliers=(1, 2), attention_levels=(1,), layers=1, kv_heads=1, seed=21),
    Shape(name="mha", multipliers=(2, 1, 1), attention_levels=(1, 2), layers=2, heads=2, kv_heads=2, seed=22),
)
SMALLEST = Shape(name="smallest", multipliers=(1,), attention_levels=(), layers=1, codes=64, seed=23)


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: shape.name)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp(request.param.name)
    source = make_checkpoint(folder / "transformers", request.param)
    return source, write_original(source, folder / "baai")


def test_every_tensor_is_found_under_transformers_name(both: tuple[Path, Path]) -> None:
    ours, theirs = map(plan_export, both)
    assert sorted(ours.checkpoint.names()) == sorted(theirs.checkpoint.names())
    for name in ours.checkpoint.names():
        np.testing.assert_array_equal(ours.checkpoint.tensor(name), theirs.checkpoint.tensor(name), err_msg=name)
    assert (ours.decoder, ours.codes) == (theirs.decoder, theirs.codes)
    assert ours.config.vq_config.to_dict() == theirs.config.vq_config.to_dict()


def test_the_graphs_and_tables_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    source = make_checkpoint(tmp_path / "transformers", SMALLEST)
    both = source, write_original(source, tmp_path / "baai")
    ours, theirs = (export_checkpoint(folder, tmp_path / f"{folder.name}-bundle") for folder in both)

    weights = [name for name in ours.files if name.endswith((".onnx", ".data", ".bin"))]
    assert {name: ours.files[name] for name in weights} == {name: theirs.files[name] for name in weights}
    assert len(weights) >= 11
    assert (ours.abilities, ours.image_block, ours.codes, ours.preprocess) == (
        theirs.abilities, theirs.image_block, theirs.codes, theirs.preprocess,
    )  # fmt: skip


def test_the_written_format_is_that_of_the_release(both: tuple[Path, Path]) -> None:
    with safe_open(both[1] / "vision_tokenizer" / "model.safetensors", "pt") as file:
        names = set(file.keys())
        assert file.get_slice("decoder.mid.attn_1.q.weight").get_shape()[2:] == [1, 1]
    assert {"encoder.down.1.attn.0.norm.weight", "decoder.mid.attn_1.norm.conv_y.weight"} <= names
    assert {
        "encoder.mid.block_1.conv1.weight",
        "decoder.up.1.upsample.conv.weight",
        "quantize.embedding.weight",
    } <= names
    assert not any("_proj" in name or "_block" in name for name in names)


@pytest.mark.parametrize(
    ("lost", "match"),
    [
        ("vision_tokenizer/model.safetensors", "is missing, the image tokenizer of this model: put config.json and"),
        ("vision_tokenizer/config.json", r"is not the image tokenizer's config .*: put config\.json and model"),
        ("tokenizer.json", r"emu3\.tiktoken is missing, .*\(or tokenizer\.json of BAAI/Emu3-Chat-hf"),
    ],
)
def test_a_missing_part_says_where_it_comes_from(
    both: tuple[Path, Path], tmp_path: Path, lost: str, match: str
) -> None:
    folder = Path(shutil.copytree(both[1], tmp_path / "copy"))
    (folder / lost).unlink()
    with pytest.raises(CheckpointError, match=match):
        plan_export(folder)


@pytest.mark.parametrize("count", ["64", None, 64.0])
def test_a_count_of_codes_that_is_none_is_refused(both: tuple[Path, Path], tmp_path: Path, count: object) -> None:
    folder = Path(shutil.copytree(both[1], tmp_path / "copy"))
    path = folder / "vision_tokenizer" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"codebook_size": count}))
    with pytest.raises(CheckpointError, match=r"is not the image tokenizer's config .*codebook_size is"):
        plan_export(folder)


def test_a_tokenizer_of_another_model_is_refused(both: tuple[Path, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(both[1], tmp_path / "copy"))
    path = folder / "vision_tokenizer" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"ch": 64}))
    with pytest.raises(CheckpointError, match=r"weights and config\.json are of different models"):
        plan_export(folder)
