"""Which of a checkpoint's files counts where two say the same thing, and what is refused in which words."""

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from emu3_checkpoints import SHAPES, make_checkpoint
from janus_checkpoints import JANUS_SHAPES, make_janus
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, GenerationConfig, JanusForConditionalGeneration

from edgevlo.export.checkpoint.folder import Checkpoint, CheckpointWarning
from edgevlo.export.checkpoint.licence import source
from edgevlo.export.families.recognise import plan_export
from edgevlo.quantization.passes._load import load_model
from edgevlo.runtime.bundle import EMBEDDED
from edgevlo.runtime.errors import CheckpointError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    make_checkpoint(folder / "emu3", SHAPES[3])
    make_janus(folder / "janus", JANUS_SHAPES[0])
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture
def emu3(made: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made["emu3"], tmp_path / "emu3"))


@pytest.fixture
def janus(made: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made["janus"], tmp_path / "janus"))


def change(path: Path, **stated: object) -> None:
    tree = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**tree, **stated}))


def test_a_single_file_counts_before_an_index_as_in_transformers(janus: Path) -> None:
    old = load_file(janus / "model.safetensors")
    shard = "model-00001-of-00001.safetensors"
    save_file(old, janus / shard, metadata={"format": "pt"})
    change(janus / "model.safetensors.index.json", metadata={}, weight_map=dict.fromkeys(old, shard))
    new = {**old, "lm_head.weight": old["lm_head.weight"] * 2 + 0.5}
    save_file(new, janus / "model.safetensors", metadata={"format": "pt"})
    theirs = JanusForConditionalGeneration.from_pretrained(janus).lm_head.weight

    with pytest.warns(CheckpointWarning, match=r"has model.safetensors beside model.safetensors.index.json; .* taken"):
        ours = torch.from_numpy(Checkpoint(janus).tensor("lm_head.weight"))
    (janus / shard).unlink()  # a stale index that names what is gone
    with pytest.warns(CheckpointWarning):
        Checkpoint(janus).tensor("lm_head.weight")

    assert torch.equal(ours, theirs)
    assert torch.equal(ours, new["lm_head.weight"])


@pytest.mark.parametrize("family", ["emu3", "janus"])
def test_ends_of_the_generation_config_end_answers(request: pytest.FixtureRequest, family: str) -> None:
    folder: Path = request.getfixturevalue(family)
    added = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    ends = [token for token in added if token["id"] in (2, added[-1]["id"])]
    change(folder / "generation_config.json", eos_token_id=[token["id"] for token in ends])

    with pytest.warns(CheckpointWarning, match="generation_config.json was followed .* answers end at"):
        answer = plan_export(folder).defaults.answer

    assert answer is not None
    assert GenerationConfig.from_pretrained(folder).eos_token_id == [token["id"] for token in ends]
    assert [token["content"] for token in ends] == list(answer.stop)


def test_an_end_that_only_the_config_names_is_no_end(emu3: Path) -> None:
    added = json.loads((emu3 / "tokenizer.json").read_text())["added_tokens"]
    change(emu3 / "generation_config.json", eos_token_id=added[-1]["id"])

    with pytest.warns(CheckpointWarning, match="answers end at"):
        answer = plan_export(emu3).defaults.answer

    assert answer is not None
    assert list(answer.stop) == [added[-1]["content"]]


def test_numbers_of_the_generation_config_are_taken_and_said(emu3: Path) -> None:
    change(emu3 / "generation_config.json", temperature=0.7, top_k=11, top_p=0.5, guidance_scale=2.5)

    with pytest.warns(CheckpointWarning, match=r"temperature 0.7, not .*; top_k 11, .*guidance_scale 2.5, not"):
        defaults = plan_export(emu3).defaults

    assert defaults.sampling is not None
    assert defaults.guidance is not None
    assert (defaults.sampling.temperature, defaults.sampling.top_k, defaults.sampling.top_p) == (0.7, 11, 0.5)
    assert defaults.guidance.default_scale == 2.5


def test_a_generation_config_that_repeats_the_defaults_says_nothing(emu3: Path, janus: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plan_export(emu3)
        plan_export(janus)


def test_the_nested_image_processor_counts_as_in_transformers(emu3: Path) -> None:
    alone = json.loads((emu3 / "preprocessor_config.json").read_text())
    change(emu3 / "processor_config.json", image_processor={**alone, "image_mean": [0.25] * 3, "image_std": [0.25] * 3})
    theirs = AutoImageProcessor.from_pretrained(emu3)  # type: ignore[no-untyped-call]

    with pytest.warns(CheckpointWarning, match="processor_config.json and preprocessor_config.json differ in image_"):
        preprocess = plan_export(emu3).defaults.preprocess

    assert preprocess is not None
    assert list(preprocess.mean) == list(theirs.image_mean) == [0.25] * 3


def test_a_nested_image_processor_alone_is_read(emu3: Path) -> None:
    alone = json.loads((emu3 / "preprocessor_config.json").read_text())
    before = plan_export(emu3).defaults.preprocess
    change(emu3 / "processor_config.json", image_processor=alone)
    (emu3 / "preprocessor_config.json").unlink()

    assert plan_export(emu3).defaults.preprocess == before


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize(
    "name", ["model.vqmodel.quantize.embedding.weight", "lm_head.weight", "model.language_model.embed_tokens.weight"]
)
def test_a_tensor_that_is_not_finite_is_named(janus: Path, name: str, number: float) -> None:
    tensors = load_file(janus / "model.safetensors")
    tensors[name][-1, 0] = number
    save_file(tensors, janus / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(CheckpointError, match=f"tensor {name} has numbers that are not finite"):
        Checkpoint(janus).tensor(name)


def wrap(prefix: str) -> Callable[[Path], None]:
    def rename(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        renamed = {prefix + name: tensor for name, tensor in tensors.items()}
        save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})

    return rename


def pointer(name: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")

    return write


def only_adapter(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    change(folder / "adapter_config.json", peft_type="LORA")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (only_adapter, r"holds an adapter .*merge_and_unload"),
        (
            lambda folder: change(folder / "adapter_config.json", peft_type="LORA"),
            r"holds an adapter .*merge_and_unload",
        ),
        (wrap("module."), r"tensors are named module\..* take 'module\.' off the names"),
        (wrap("_orig_mod."), r"tensors are named _orig_mod\."),
        (wrap("base_model.model."), r"tensors are named base_model\.model\..* merge_and_unload"),
        (pointer("model.safetensors"), r"model.safetensors is the note of Git LFS .* git lfs pull"),
        (pointer("tokenizer.json"), r"tokenizer.json is the note of Git LFS .* git lfs pull"),
        (lambda folder: (folder / "config.json").write_text("[" * 100_000), r"config.json is not readable JSON"),
    ],
    ids=["adapter-alone", "adapter-beside", "module", "compiled", "peft", "lfs-weights", "lfs-tokenizer", "nested"],
)
def test_what_cannot_be_exported_is_called_what_it_is(emu3: Path, damage: Callable[[Path], Any], words: str) -> None:
    damage(emu3)

    with pytest.raises(CheckpointError, match=words):
        plan_export(emu3)


def test_float64_is_read(janus: Path) -> None:
    tensors = load_file(janus / "model.safetensors")
    expected = tensors["lm_head.weight"].clone()
    tensors["lm_head.weight"] = expected.double()
    save_file(tensors, janus / "model.safetensors", metadata={"format": "pt"})

    assert torch.equal(torch.from_numpy(Checkpoint(janus).tensor("lm_head.weight")), expected)


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("\ufeff---\nlicense: apache-2.0\n---\n", "apache-2.0"),
        ("---\r\nlicense: apache-2.0\r\n---\r\n", "apache-2.0"),
        ("---\nlicense:\n- apache-2.0\n- mit\n---\n", "apache-2.0, mit"),
        ("---\nlicense: other\nlicense_name: nonprofit-research\nlicense_link: LICENSE\n---\n", "nonprofit-research"),
        ("---\nlicense: apache-2.0 # see file\n---\n", "apache-2.0"),
        ("---\nlicense: |\n  two\n  lines\n---\n", "two lines"),
        ("---\nlicense: [unclosed\n---\n", "unknown"),
        ("---\n- a list\n---\n", "unknown"),
        ("no front matter\nlicense: mit\n", "unknown"),
    ],
)
def test_a_model_cards_licence_is_read_as_yaml(tmp_path: Path, card: str, licence: str) -> None:
    (tmp_path / "README.md").write_bytes(card.encode())

    assert source(tmp_path).licence == licence


def test_weights_with_several_hard_links_are_read(tmp_path: Path) -> None:
    for path in (EMBEDDED / "picturebook").glob("image_*.onnx*"):  # one holds weights of another
        shutil.copyfile(path, tmp_path / path.name)
        os.link(tmp_path / path.name, tmp_path / f"again-{path.name}")

    model = load_model(tmp_path / "image_tokenizer.onnx")
    expected = load_model(EMBEDDED / "picturebook" / "image_tokenizer.onnx")

    for name, value in model.graph.initializers.items():
        theirs = expected.graph.initializers[name].const_value
        assert value.const_value is not None
        assert theirs is not None
        assert value.const_value.tobytes() == theirs.tobytes()
