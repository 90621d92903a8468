"""What the exporter reads beside the weights of Chameleon's class, and what it refuses before anything is built."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from chameleon_checkpoints import ChameleonShape, make_chameleon
from safetensors.torch import load_file, save_file

from edgevlo.export import export_checkpoint
from edgevlo.export.checkpoint.folder import CheckpointWarning
from edgevlo.export.checkpoint.licence import source
from edgevlo.export.families.chameleon.family import WEIGHTS_LICENCE
from edgevlo.export.families.recognise import plan_export
from edgevlo.runtime.errors import AbilityError, CheckpointError
from edgevlo.runtime.model import Model

TINY = ChameleonShape(name="tiny", layers=1, hidden=32, heads=2, kv_heads=2, mlp=32, codes=16, multipliers=(1, 1),
                      side=2, decoder="file")  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore:.* is a pickle:edgevlo.export.checkpoint.folder.CheckpointWarning")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_chameleon(tmp_path_factory.mktemp("chameleon") / "tiny", TINY)


def changed(origin: Path, folder: Path, name: str = "config.json", **changes: Any) -> Path:
    """Copy a checkpoint with other values in one of its JSON files; a dict changes the part of that name."""
    shutil.copytree(origin, folder)
    content = json.loads((folder / name).read_text())
    for key, value in changes.items():
        content[key] = {**content[key], **value} if isinstance(value, dict) and key in content else value
    (folder / name).write_text(json.dumps(content))
    return folder


def test_lumina_without_its_decoder_names_the_file_and_its_place(tiny: Path, tmp_path: Path) -> None:
    folder = changed(tiny, tmp_path / "Lumina-mGPT-7B-768")
    (folder / "vqgan.ckpt").unlink()
    with pytest.raises(CheckpointError, match=r"no pixel decoder; it belongs there as .*vqgan\.ckpt\. Meta gives"):
        plan_export(folder)


def test_chameleon_without_a_decoder_answers_and_says_that_it_paints_none(tiny: Path, tmp_path: Path) -> None:
    folder = changed(tiny, tmp_path / "chameleon")
    (folder / "vqgan.ckpt").unlink()
    with pytest.warns(CheckpointWarning, match=r"vqgan\.ckpt.*answers about pictures and paints none"):
        manifest = export_checkpoint(folder, tmp_path / "bundle")

    assert set(manifest.abilities) == {"ask"}
    assert "image_decoder" not in manifest.graphs
    with pytest.raises(AbilityError, match=r"does not support 'paint'\. Supported: ask"):
        Model.open(tmp_path / "bundle").paint("a car")


@pytest.mark.parametrize("file", ["params.json", "models/7b/params.json"])
def test_metas_own_format_is_refused_with_what_to_take(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("{}")
    with pytest.raises(
        CheckpointError, match=rf"{file} is Meta's own format, .* Take facebook/chameleon-7b, .*-hf, in"
    ):
        plan_export(tmp_path)


@pytest.mark.parametrize("place", ["vqgan.safetensors", "tokenizer/vqgan.ckpt"])
def test_the_decoder_is_found_in_every_place(tiny: Path, tmp_path: Path, place: str) -> None:
    folder = changed(tiny, tmp_path / "chameleon")
    expected = plan_export(folder).checkpoint.tensor("model.vqmodel.decoder.up.1.upsample.conv.weight")
    (folder / "tokenizer").mkdir()
    if place.endswith("ckpt"):
        (folder / "vqgan.ckpt").rename(folder / place)
    else:
        save_file(torch.load(folder / "vqgan.ckpt", weights_only=True)["state_dict"], folder / place)
        (folder / "vqgan.ckpt").unlink()
    plan = plan_export(folder)
    assert (plan.checkpoint.tensor("model.vqmodel.decoder.up.1.upsample.conv.weight") == expected).all()
    assert set(plan.torch_graphs()) == {"image_decoder", "image_tokenizer"}


def test_an_encoder_that_is_only_in_the_file_is_taken_from_there(tiny: Path, tmp_path: Path) -> None:
    """As training tools leave it: the tokenizer is dropped from the checkpoint."""
    folder = changed(tiny, tmp_path / "chameleon")
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "vqmodel" not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    name = "model.vqmodel.encoder.conv_in.weight"
    assert (plan_export(folder).checkpoint.tensor(name) == weights[name].numpy()).all()


def test_a_decoder_of_another_model_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = changed(tiny, tmp_path / "chameleon")
    state = torch.load(folder / "vqgan.ckpt", weights_only=True)
    state["state_dict"]["quantize.embedding.weight"] += 1
    torch.save(state, folder / "vqgan.ckpt")
    with pytest.raises(CheckpointError, match="is not this model's image tokenizer: its codebook is not that of"):
        plan_export(folder)


def test_a_codebook_that_is_only_rounded_is_the_same(tiny: Path, tmp_path: Path) -> None:
    folder = changed(tiny, tmp_path / "chameleon")
    weights = load_file(folder / "model.safetensors")
    save_file({name: t.to(torch.bfloat16) for name, t in weights.items()}, folder / "model.safetensors")
    plan_export(folder)


def test_a_decoder_file_that_would_run_code_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = changed(tiny, tmp_path / "chameleon")
    torch.save({"state_dict": Path("vqgan")}, folder / "vqgan.ckpt")
    with pytest.raises(CheckpointError, match=r"vqgan\.ckpt is a pickle, which can run code"):
        plan_export(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocabulary_map": None}, "has no vocabulary_map"),
        (
            {"vocabulary_map": {"IMGIMGBZ": 5000}},
            "tokenizer.json has IMGIMGBZ as .* config.json's vocabulary_map as 5000",
        ),
        ({"vq_config": {"num_embeddings": 17}}, "weights and config.json are of different models"),
        ({"vq_config": {"attn_type": "none"}}, "attn_type 'none'"),
        ({"vq_config": {"channel_multiplier": [1, 1, 1]}}, "is missing|of different models"),
        ({"hidden_act": "relu"}, "hidden_act 'relu' is not supported"),
        ({"intermediate_size": 48}, "weights and config.json are of different models"),
        ({"num_hidden_layers": 2}, "tensor model.layers.1.* is missing"),
        ({"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}}, "rope_type 'linear'"),
    ],
)
def test_what_is_not_exported_is_refused(tiny: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        plan_export(changed(tiny, tmp_path / "chameleon", **changes))


def test_a_code_without_a_token_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = changed(tiny, tmp_path / "chameleon")
    config = json.loads((folder / "config.json").read_text())
    del config["vocabulary_map"]["IMGIMGDZ"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="names 15 codes"):
        plan_export(folder)


def test_a_crop_of_another_size_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = changed(tiny, tmp_path / "chameleon", "preprocessor_config.json", crop_size={"height": 8, "width": 8})
    with pytest.raises(CheckpointError, match="but vq_config has a resolution of 4"):
        plan_export(folder)


@pytest.mark.parametrize(
    ("folder", "changes", "family", "size", "omni"),
    [
        ("chameleon-7b", {}, "chameleon", 4, False),
        ("Lumina-mGPT-7B-768-Omni", {}, "lumina-mgpt", 768, True),
        ("Lumina-mGPT-7B-1024", {}, "lumina-mgpt", 1024, False),
        ("mine", {"_name_or_path": "Alpha-VLLM/Lumina-mGPT-7B-512"}, "lumina-mgpt", 512, False),
        ("mine", {"architectures": ["ChameleonXLLMXForConditionalGeneration"]}, "lumina-mgpt", 768, False),
        ("mine", {"z_loss_weight": 1e-5}, "lumina-mgpt", 768, False),
        ("lumina-mgpt-2.0", {}, "chameleon", 4, False),
    ],
)
def test_a_release_is_known_by_its_name_class_or_keys(
    tiny: Path, tmp_path: Path, folder: str, changes: dict[str, Any], family: str, size: int, omni: bool
) -> None:
    changes = {"max_position_embeddings": 8192, **changes}
    plan = plan_export(changed(tiny, tmp_path / folder, **changes))
    assert plan.family == family
    assert plan.defaults.grid is not None
    cells = 58 if omni else 84  # a side of one picture, of two where one is edited, within 8192 positions
    assert plan.defaults.grid.default[0] * plan.codes.cell == (size if family == "chameleon" else min(size, cells * 2))
    assert ("depth" in (plan.defaults.abilities or {})) == omni


def test_the_licence_stands_whatever_a_card_declares(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    licence = source(tmp_path, WEIGHTS_LICENCE, binding=True).licence
    assert licence.startswith("Chameleon Research License: NON-COMMERCIAL")
    assert licence.endswith("; the model card declares apache-2.0")


def test_scales_of_heads_may_be_stored_flat(tiny: Path, tmp_path: Path) -> None:
    folder = changed(tiny, tmp_path / "chameleon")
    weights = load_file(folder / "model.safetensors")
    name = "model.layers.0.self_attn.q_norm.weight"
    save_file(weights | {name: weights[name].reshape(-1)}, folder / "model.safetensors")
    assert (plan_export(folder).checkpoint.tensor(name) == weights[name].numpy()).all()
