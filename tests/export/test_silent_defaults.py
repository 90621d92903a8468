"""What files beside a checkpoint's weights say, and what is done without them: as in transformers, and never unsaid."""

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chameleon_checkpoints import CHAMELEON_SHAPES, make_chameleon
from emu3_checkpoints import SHAPES, make_checkpoint
from janus_checkpoints import JANUS_SHAPES, make_janus
from PIL import Image
from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer, JanusForConditionalGeneration

from edgevlo.export.checkpoint.folder import Checkpoint, CheckpointWarning
from edgevlo.export.checkpoint.tokenizer import read_tokenizer, special_names
from edgevlo.export.export_plan import ExportPlan
from edgevlo.export.families.recognise import plan_export
from edgevlo.runtime.errors import CheckpointError

PREPROCESSOR, GENERATION, CONFIG = "preprocessor_config.json", "generation_config.json", "config.json"
TOKENIZER_CONFIG, TOKENS_MAP = "tokenizer_config.json", "special_tokens_map.json"
NEW = {"content": "<new>", "special": True, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    make_checkpoint(folder / "emu3", SHAPES[3])
    make_janus(folder / "janus", JANUS_SHAPES[0])
    make_chameleon(folder / "chameleon", CHAMELEON_SHAPES[0])
    change(folder / "janus" / TOKENIZER_CONFIG, eos_token="<｜end▁of▁sentence｜>")
    return folder


@pytest.fixture
def emu3(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "emu3", tmp_path / "emu3"))


@pytest.fixture
def janus(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "janus", tmp_path / "janus"))


def change(path: Path, *drop: str, **stated: object) -> None:
    tree = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({name: value for name, value in {**tree, **stated}.items() if name not in drop}))


def planned(folder: Path) -> tuple[ExportPlan, list[str]]:
    """Return the plan of an export, and what was said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CheckpointWarning)
        plan = plan_export(folder)
    return plan, [str(one.message) for one in caught if one.category is CheckpointWarning]


# Pictures.


@pytest.mark.parametrize("family", ["emu3", "janus", "chameleon"])
@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"do_normalize": False},
        {"do_rescale": False},
        {"do_rescale": False, "do_normalize": False},
        {"image_mean": [0.25] * 3, "image_std": [0.125] * 3},
        {"rescale_factor": 0.01},
    ],
    ids=str,
)
def test_grey_becomes_the_number_that_transformers_gives_it(
    made: Path, tmp_path: Path, family: str, stated: dict[str, Any]
) -> None:
    folder = Path(shutil.copytree(made / family, tmp_path / family))
    change(folder / PREPROCESSOR, **stated)
    preprocess = plan_export(folder).defaults.preprocess
    assert preprocess is not None
    processor = AutoImageProcessor.from_pretrained(folder)  # type: ignore[no-untyped-call]

    theirs = np.asarray(processor(Image.new("RGB", (512, 512), (77, 77, 77)), return_tensors="np")["pixel_values"])

    ours = (77 / 255 - preprocess.mean[0]) / preprocess.std[0]
    assert np.allclose(theirs, ours, rtol=1e-4, atol=1e-5)


def test_one_number_for_all_channels_is_read(emu3: Path) -> None:
    change(emu3 / PREPROCESSOR, image_mean=0.25, image_std=0.125)

    preprocess = plan_export(emu3).defaults.preprocess

    assert preprocess is not None
    assert (list(preprocess.mean), list(preprocess.std)) == ([0.25] * 3, [0.125] * 3)


@pytest.mark.parametrize("silent", ["image_mean", "rescale_factor"])
def test_where_the_file_is_silent_the_class_speaks(made: Path, tmp_path: Path, silent: str) -> None:
    folder = Path(shutil.copytree(made / "chameleon", tmp_path / "chameleon"))
    change(folder / PREPROCESSOR, silent)
    preprocess = plan_export(folder).defaults.preprocess
    assert preprocess is not None
    processor = AutoImageProcessor.from_pretrained(folder)  # type: ignore[no-untyped-call]

    theirs = np.asarray(processor(Image.new("RGB", (512, 512), (77, 77, 77)), return_tensors="np")["pixel_values"])

    assert np.allclose(theirs, (77 / 255 - preprocess.mean[0]) / preprocess.std[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "edit", "words"),
    [
        ("emu3", lambda path: change(path, "image_mean"), "cannot be undone with one scale"),  # CLIP's, as transformers
        ("emu3", lambda path: change(path, image_mean=[0.4, 0.5, 0.6]), "cannot be undone with one scale"),
        ("emu3", lambda path: change(path, do_resize=False), "do_resize is false"),
        ("janus", lambda path: change(path, do_pad=False), "do_pad is false"),
        ("emu3", lambda path: change(path, resample="bicubic"), "resample is 'bicubic'"),
        ("emu3", lambda path: change(path, rescale_factor=float("nan")), "scale no picture"),
        ("emu3", lambda path: change(path, image_std=[0, 0, 0]), "scale no picture"),
        ("emu3", lambda path: change(path, resample=4), r"resample is 4, but edgevlo reads 0 \(nearest\)"),
    ],
)
def test_a_scaling_that_a_bundle_cannot_have_is_refused_and_the_remedy_helps(
    made: Path, tmp_path: Path, family: str, edit: Callable[[Path], None], words: str
) -> None:
    folder = Path(shutil.copytree(made / family, tmp_path / family))
    usual = plan_export(folder).defaults.preprocess
    edit(folder / PREPROCESSOR)

    with pytest.raises(CheckpointError, match=f"{words}.*State preprocess and postprocess in edgevlo.json"):
        plan_export(folder)
    (folder / "edgevlo.json").write_bytes(card(usual))
    plan_export(folder)


def card(preprocess: Any) -> bytes:
    import msgspec

    return msgspec.json.encode({"preprocess": preprocess, "postprocess": {"scale": 0.5, "offset": 0.5}})


@pytest.mark.parametrize("family", ["emu3", "janus", "chameleon"])
@pytest.mark.parametrize("name", [PREPROCESSOR, GENERATION])
def test_an_absent_file_is_said(made: Path, tmp_path: Path, family: str, name: str) -> None:
    folder = Path(shutil.copytree(made / family, tmp_path / family))
    _, before = planned(folder)
    (folder / name).unlink()

    _, said = planned(folder)

    assert before == []
    assert [line for line in said if f"has no {name}" in line] == said != []


# Tokens.


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        (TOKENIZER_CONFIG, {"added_tokens_decoder": {"78": NEW}}),
        (TOKENIZER_CONFIG, {"added_tokens_decoder": {"78": NEW, "79": {**NEW, "content": "<other>"}}}),
        (TOKENIZER_CONFIG, {"additional_special_tokens": ["<new>"]}),
        (TOKENIZER_CONFIG, {"extra_special_tokens": ["<new>"]}),
        ("added_tokens.json", {"<new>": 78}),
    ],
    ids=str,
)
def test_tokens_that_only_other_files_name_are_added_as_transformers_does(
    janus: Path, name: str, stated: dict[str, Any]
) -> None:
    change(janus / name, **stated)
    theirs = AutoTokenizer.from_pretrained(janus)

    plan, said = planned(janus)

    text = "a red<new>car <other>"
    assert plan.tokenizer is not None
    assert (
        plan.tokenizer.encode(text, add_special_tokens=False).ids == theirs(text, add_special_tokens=False)["input_ids"]
    )
    assert plan.tokenizer.get_vocab_size() == len(theirs)
    assert any("tokens that tokenizer.json lacks were added, as transformers does: <new>" in line for line in said)


def test_a_tokenizer_that_is_whole_is_taken_as_it_is(janus: Path) -> None:
    plan, said = planned(janus)

    assert (plan.tokenizer, said) == (None, [])


def roles() -> Iterator[dict[str, dict[str, Any]]]:
    decoder = {"5": {**NEW, "content": "<begin_of_image>"}}
    yield {TOKENS_MAP: {"eos_token": "<begin_of_image>"}}
    yield {TOKENS_MAP: {"eos_token": "<begin_of_image>"}, TOKENIZER_CONFIG: {"added_tokens_decoder": decoder}}
    yield {TOKENIZER_CONFIG: {"extra_special_tokens": {"boi_token": "<end_of_image>"}}}


@pytest.mark.parametrize("files", list(roles()), ids=str)
def test_roles_of_tokens_are_those_of_transformers(janus: Path, files: dict[str, dict[str, Any]]) -> None:
    for name, stated in files.items():
        change(janus / name, **stated)
    theirs = AutoTokenizer.from_pretrained(janus)

    named = special_names(Checkpoint(janus))
    _, said = planned(janus)

    assert (named["eos_token"], named["boi_token"]) == (theirs.eos_token, theirs.boi_token)
    assert any("differ in eos_token" in line for line in said) == (TOKENS_MAP in files)


OLD, NEWER = "{{ 'User: ' }}", "{{ '<|User|>: ' }}"


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_the_chat_template_of_transformers_processor_names_the_roles(janus: Path, taken: int) -> None:
    change(janus / "processor_config.json", processor_class="JanusProcessor")
    if taken == 0:
        change(janus / "processor_config.json", chat_template=OLD)
    if taken <= 1:
        (janus / "chat_template.json").write_text(json.dumps({"chat_template": OLD if taken == 1 else NEWER}))
    (janus / "chat_template.jinja").write_text(OLD if taken == 2 else NEWER)
    change(janus / TOKENIZER_CONFIG, chat_template=NEWER)
    theirs = AutoProcessor.from_pretrained(janus).chat_template  # type: ignore[no-untyped-call]

    plan, said = planned(janus)

    abilities = plan.defaults.abilities
    assert abilities is not None
    assert theirs == OLD
    assert any(piece.text == "User" or piece.token == "User" for piece in abilities["paint"].prompt)
    assert any("have chat templates of different roles" in line for line in said)


# Generation.


def test_without_a_generation_config_the_config_counts_as_in_transformers(janus: Path) -> None:
    (janus / GENERATION).unlink()
    change(janus / CONFIG, temperature=0.25, top_k=7, eos_token_id=5)
    theirs = JanusForConditionalGeneration.from_pretrained(janus).generation_config

    plan, said = planned(janus)

    sampling, answer = plan.defaults.sampling, plan.defaults.answer
    assert sampling is not None
    assert answer is not None
    assert (sampling.temperature, sampling.top_k) == (theirs.temperature, theirs.top_k) == (0.25, 7)
    assert [read_tokenizer(Checkpoint(janus)).token_to_id(name) for name in answer.stop] == [theirs.eos_token_id] == [5]
    assert any("config.json was followed in place" in line for line in said)


def test_what_bundles_do_not_follow_is_said(janus: Path) -> None:
    change(janus / GENERATION, repetition_penalty=1.2, min_p=0.1, no_repeat_ngram_size=3, do_sample=False)

    _, said = planned(janus)

    (line,) = said
    for part in ("bundles do not follow", "repetition_penalty 1.2", "min_p 0.1", "no_repeat_ngram_size 3", "do_sample"):
        assert part in line


def test_what_changes_nothing_is_not_mentioned(janus: Path) -> None:
    change(janus / GENERATION, repetition_penalty=1.0, min_p=None, num_beams=1, do_sample=True, bad_words_ids=[])

    assert planned(janus)[1] == []


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"eos_token_id": 99_999_999}, "eos_token_id 99999999, which the tokenizer does not have"),
        ({"temperature": -1}, "temperature -1"),
        ({"top_k": "many"}, "top_k 'many'"),
        ({"max_new_tokens": 100_000}, r"max_new_tokens 100000 \(answers have 512 tokens at most\)"),
    ],
)
def test_values_that_cannot_be_followed_are_said(janus: Path, stated: dict[str, Any], words: str) -> None:
    change(janus / GENERATION, **stated)

    with pytest.warns(CheckpointWarning, match=f"bundles do not follow {words}"):
        plan_export(janus)


def test_fewer_tokens_of_an_answer_are_followed(janus: Path) -> None:
    change(janus / GENERATION, max_new_tokens=17)

    with pytest.warns(CheckpointWarning, match="answers have 17 tokens at most, not 512"):
        answer = plan_export(janus).defaults.answer

    assert answer is not None
    assert answer.max_tokens == 17
