"""What a model of one vocabulary must have beside its weights, and what is said when it is not there."""

import json
import shutil
from pathlib import Path

import pytest
from one_vocabulary_checkpoints import TextShape, make_text_model
from safetensors.torch import load_file, save_file

from edgevlo.export.families.recognise import plan_export
from edgevlo.runtime.errors import CheckpointError

pytestmark = pytest.mark.filterwarnings("ignore:.* is a pickle:edgevlo.export.checkpoint.folder.CheckpointWarning")


@pytest.fixture(scope="module")
def liquid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shape = TextShape(name="liquid", kind="liquid", layers=1, hidden=32, multipliers=(1, 1))
    return make_text_model(tmp_path_factory.mktemp("liquid") / "tiny", shape)


@pytest.fixture(scope="module")
def simplear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shape = TextShape(name="simplear", kind="simplear", layers=1, hidden=32, multipliers=(1, 1))
    return make_text_model(tmp_path_factory.mktemp("simplear") / "tiny", shape)


@pytest.fixture
def copies(tmp_path: Path, liquid: Path, simplear: Path) -> dict[str, Path]:
    return {
        name: Path(shutil.copytree(folder, tmp_path / name))
        for name, folder in {"liquid": liquid, "simplear": simplear}.items()
    }


def test_a_liquid_without_its_image_tokenizer_names_the_file(copies: dict[str, Path]) -> None:
    (copies["liquid"] / "vqgan.ckpt").unlink()
    with pytest.raises(CheckpointError, match=r"it belongs there as .*vqgan\.ckpt"):
        plan_export(copies["liquid"])


def test_a_simplear_without_its_pixel_decoder_names_the_file(copies: dict[str, Path]) -> None:
    (copies["simplear"] / "decoder.safetensors").unlink()
    with pytest.raises(
        CheckpointError, match=r"decoder\.safetensors is missing, the pixel decoder of this model\. Save"
    ):
        plan_export(copies["simplear"])


def test_another_decoder_is_refused(copies: dict[str, Path]) -> None:
    path = copies["simplear"] / "decoder.safetensors"
    weights = load_file(path)
    name = "post_quant_conv.conv3d.weight"
    save_file(weights | {name: weights[name][:, :4].contiguous()}, path)
    with pytest.raises(CheckpointError, match="is not the decoder of a Cosmos discrete tokenizer"):
        plan_export(copies["simplear"])


def test_a_model_of_text_alone_is_refused(copies: dict[str, Path]) -> None:
    text = (copies["simplear"] / "tokenizer.json").read_text().replace("<|t2i|>", "<|other|>")
    (copies["simplear"] / "tokenizer.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"lacks the special tokens .* <\|t2i\|>, <\|soi\|> \(simplear\)"):
        plan_export(copies["simplear"])


def test_codes_beyond_the_vocabulary_are_refused(copies: dict[str, Path]) -> None:
    tokenizer = json.loads((copies["liquid"] / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] |= {f"more{place}": 1000 + place for place in range(5)}
    (copies["liquid"] / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match=r"but config\.json's vocab_size is"):
        plan_export(copies["liquid"])


def test_layers_that_see_a_window_are_refused(copies: dict[str, Path]) -> None:
    config = json.loads((copies["simplear"] / "config.json").read_text())
    config |= {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 0}
    config["layer_types"] = ["sliding_attention"]
    (copies["simplear"] / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="layers with sliding_attention are not supported"):
        plan_export(copies["simplear"])


@pytest.mark.filterwarnings(
    "ignore:.*generation_config.json was followed:edgevlo.export.checkpoint.folder.CheckpointWarning"
)
def test_simplears_own_class_is_qwen2(copies: dict[str, Path]) -> None:
    config = json.loads((copies["simplear"] / "config.json").read_text())
    config |= {"architectures": ["SimpARForCausalLM"], "model_type": "simpar_qwen"}
    (copies["simplear"] / "config.json").write_text(json.dumps(config))
    assert plan_export(copies["simplear"]).family == "simplear"
