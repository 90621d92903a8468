"""What a request says, read by the model before it paints: painted from, noted, and only where a manifest has it."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from toy_bundle import rewritten

import edgevlo
from edgevlo.cli import main
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.generate.text import Answered, Answering
from edgevlo.runtime.generate.understanding import Understood
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.write_marks import without_prompt
from edgevlo.runtime.tokenizer.text_tokenizer import TextTokenizer


def understanding(tree: dict[str, Any]) -> None:
    tree["abilities"]["understand"] = tree["abilities"]["ask"] | {"images": [0, 1], "unknown": " ? "}


@pytest.fixture
def folder(toy: Path, tmp_path: Path) -> Path:
    return rewritten(toy, tmp_path / "reads", understanding)


@pytest.fixture
def reads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """Return the toy bundle, which reads every request as a blue car and does not know what a tree is."""
    monkeypatch.setattr(Answering, "answer", lambda *_: Answered("a blue car ? tree", 4, is_whole=True))
    return Model.open(folder)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    """Return one that folds capitals and a traditional character, and begins a word after a mark with a space."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace("鐵", "铁"),
         normalizers.Replace(Regex(r"(?<=[(\p{Han}])(?=[a-z])"), " ")]
    )  # fmt: skip
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator([], trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(file))
    return TextTokenizer(file)


def test_answers_are_read(tokenizer: TextTokenizer) -> None:
    answer = "red dog on the left ? eiffel tower ? kraken ? dogs"
    read = Understood.read("Two Dogs and an Eiffel Tower", answer, " ? ", tokenizer)
    assert read.words == "red dog on the left"
    assert read.unknown == ("Eiffel Tower", "Dogs")  # it never named a kraken
    assert read.note == "'Eiffel Tower', 'Dogs'"
    assert Understood.read("Two dogs", "", " ? ", tokenizer) == Understood("Two dogs", "Two dogs")
    assert Understood.read("a", "b ? c", None, tokenizer) == Understood("a", "b ? c")


@pytest.mark.parametrize(
    ("request_text", "word", "named"),
    [
        ("画一座埃菲尔鐵塔", "铁塔", "鐵塔"),  # the tokenizer reads the one as the other
        ("ＵＦＯ and a cat", "ufo", "ＵＦＯ"),
        ("a car (a UFO)", " ufo", "UFO"),
        ("哆啦A梦", "哆啦 a梦", "哆啦A梦"),  # what is read has the space that the tokenizer put in
        ("Cafe\u0301 bar", "café", "Cafe\u0301"),  # an accent of its own, as some keyboards write it
        ("ﬃ Ｉ", "i", "Ｉ"),  # not the last of the three that are one character
        ("İ and a UFO", "ufo", "UFO"),  # in small letters the first character is two
        ("a cat", "铁塔", ""),
        ("a cat", "", ""),
    ],
)
def test_the_unknown_is_named_as_the_request_writes_it(
    tokenizer: TextTokenizer, request_text: str, word: str, named: str
) -> None:
    assert tokenizer.find(word, request_text) == named
    read = Understood.read(request_text, f"a cat ? {word}", " ? ", tokenizer)
    assert read.unknown == ((named,) if named else ())


def test_many_unknown_words_are_counted() -> None:
    assert Understood("", "", tuple("abcdefg")).note.endswith("'e' and 2 more")


def test_what_was_read_is_painted_and_noted(model: Model, reads: Model) -> None:
    with pytest.warns(edgevlo.PromptWarning, match="toy does not know 'Tree'") as warned:
        picture = reads.paint("a big Tree", seed=3)
    assert np.array_equal(np.asarray(picture), np.asarray(model.paint("a blue car", seed=3)))
    assert picture.info["parameters"].startswith("a big Tree\n")
    assert 'Read as: "a blue car"' in picture.info["parameters"]
    assert picture.info["unknown"] == "Tree"
    assert [one.message.unknown for one in warned if isinstance(one.message, edgevlo.PromptWarning)] == [("Tree",)]
    with pytest.warns(edgevlo.PromptWarning):
        edited = reads.edit(picture, "a tree", seed=3)
    assert np.array_equal(np.asarray(edited), np.asarray(model.edit(picture, "a blue car", seed=3)))


def test_a_record_without_the_prompt_does_not_say_either_how_it_was_read(reads: Model) -> None:
    with pytest.warns(edgevlo.PromptWarning):
        picture = without_prompt(reads.paint("a big Tree", seed=3))

    assert picture.info["parameters"].endswith(", Model: toy")
    assert not any(word in edgevlo.png_bytes(picture) for word in (b"Tree", b"blue", b"car"))


def test_a_reading_with_quotes_is_left_out_whole(model: Model) -> None:
    picture = model.paint("a", seed=3)
    read = json.dumps('a sign "no", a \\, "Model: x"')
    picture.info["parameters"] = f"a\nSeed: 3, Read as: {read}, Model: toy"

    assert without_prompt(picture).info["parameters"] == "Seed: 3, Model: toy"


def test_more_pictures_than_it_reads_are_edited_as_asked(model: Model, reads: Model) -> None:
    pictures = [model.paint("a red car", seed=seed) for seed in (1, 2)]
    with warnings.catch_warnings():
        warnings.simplefilter("error", edgevlo.PromptWarning)
        edited = reads.edit(pictures, "a tree", seed=3)
    assert np.array_equal(np.asarray(edited), np.asarray(model.edit(pictures, "a tree", seed=3)))


def test_a_bundle_without_the_ability_notes_nothing(model: Model) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", edgevlo.PromptWarning)
        picture = model.paint("a big tree", seed=3)
    assert "Read as" not in picture.info["parameters"]
    assert "unknown" not in picture.info


def test_the_model_itself_reads(folder: Path) -> None:
    """The toy's own answer is gibberish; it is painted from without an error, and the same every time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", edgevlo.PromptWarning)
        one, other = (Model.open(folder).paint("a red car", seed=1) for _ in range(2))
    assert np.array_equal(np.asarray(one), np.asarray(other))


def test_json_and_notes_name_what_is_not_known(reads: Model, folder: Path, tmp_path: Path) -> None:
    assert "understand" in reads.manifest.abilities
    command = ["paint", "a big Tree", "-o", str(tmp_path / "a.png"), "--model", str(folder), "--json"]
    with pytest.warns(edgevlo.PromptWarning, match="'Tree'"):
        result = CliRunner().invoke(main, command)
    assert json.loads(result.stdout)["unknown"] == ["Tree"]


def test_other_abilities_know_no_mark(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="only understand names what the model does not know"):
        Model.open(rewritten(toy, tmp_path / "wrong", lambda tree: tree["abilities"]["ask"].update(unknown="?")))


def test_the_pictures_of_one_request_are_read_for_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(_self: Answering, _ability: object, text: str, _sources: object) -> Answered:
        asked.append(text)
        return Answered(f"not {text}", 3, is_whole=True)

    monkeypatch.setattr(Answering, "answer", answer)
    model = Model.open(folder)

    seeds = [model.paint("a car", seed=seed).info["parameters"] for seed in (1, 2, 3)]
    assert asked == ["a car"]
    assert all('Read as: "not a car"' in parameters for parameters in seeds)
    shown = model.paint("a boat", seed=1)
    for _ in range(2):
        model.edit(shown, "a boat", seed=1)  # the same words, about a picture
    model.edit(model.paint("a tree", seed=5), "a boat", seed=1)  # about another picture
    assert asked == ["a car", "a boat", "a boat", "a tree", "a boat"]
