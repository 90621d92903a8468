"""The two tables of tokens that BAAI ships, against tiktoken, which BAAI's own tokenizer uses."""

import base64
import json
import random
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiktoken
from emu3_checkpoints import Shape, make_checkpoint
from emu3_original import write_original
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from edgevlo.export import export_checkpoint
from edgevlo.export.checkpoint.folder import Checkpoint
from edgevlo.export.families.emu3.tiktoken_tables import read_tables
from edgevlo.export.families.recognise import plan_export
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.model import Model
from edgevlo.runtime.tokenizer.text_tokenizer import TextTokenizer

# As Emu3Tokenizer passes it to tiktoken (github.com/baaivision/Emu3).
PATTERN = (
    r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"""
    r"""|\s*[\r\n]+|\s+(?!\S)|\s+"""
)
NAMED = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *(f"<|extra_{number}|>" for number in range(205))]
SHAPE = Shape(name="tables", multipliers=(1,), attention_levels=(), layers=2, codes=64, seed=24)
PICTURES = ["<|image token|>", "<|image start|>", "<|image end|>", *(f"<|visual token {c:06d}|>" for c in range(64))]

TEXTS = (
    "a portrait of young girl, masterpiece, film grained, best quality.",
    "Please describe the image. You are a helpful assistant. USER: what's there? ASSISTANT:",
    "I'm sure we'll see they'VE DON'T I'D it'S you're  ' s 'x",
    "一只红色的猫坐在蓝色的沙发上，看着窗外的雪。图像生成：请画一幅画！",
    "12*34 2026 3.14159 ١٢٣ ½ Ⅷ x1y2",
    "tabs\tand  two   spaces    \n\n  lines \r\n\r\n end \u3000\u00a0 wide   ",
    "emoji 😀👩‍👩‍👧🇨🇳 and ❤️, signs ≠ ∑ €—…",
    "cafe\u0301 café Å A\u030a ﬁ İ ſ'ſ 한글 각",
    "aaaaaaaaaaaaaaa ababababab banana bananas",
    "def f(x):\n    return {'a': x[1:]}  # no\n",
)
SPECIALS = (
    "<|extra_203|>a cat<|image start|>12*34<|image token|><|visual token 000007|><|extra_200|><|extra_201|>"
    "<|image end|><|extra_204|>",
    "<|endoftext|><|im_start|>user\n<|im_end|> <|extra_205|> <|visual token 000064|> <| image start|>",
)


@dataclass(frozen=True)
class Trained:
    """A small byte pair encoding, learnt from the texts; `tokenizer` is the one that learnt it."""

    ranks: dict[bytes, int]
    tokenizer: Tokenizer

    @property
    def names(self) -> dict[str, int]:
        return {name: len(self.ranks) + place for place, name in enumerate([*NAMED, *PICTURES])}

    def tiktoken(self) -> tiktoken.Encoding:
        return tiktoken.Encoding("Emu3", pat_str=PATTERN, mergeable_ranks=self.ranks, special_tokens=self.names)


@pytest.fixture(scope="module")
def trained() -> Trained:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=700, initial_alphabet=alphabet, show_progress=False)
    )
    visible = {letter: byte for byte, letter in _letters().items()}
    ranks = {bytes(visible[letter] for letter in token): rank for token, rank in tokenizer.get_vocab().items()}
    ranks = dict(sorted(ranks.items(), key=lambda item: item[1]))
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in [*NAMED, *PICTURES]])
    assert len(ranks) > 500
    return Trained(ranks, tokenizer)


def _letters() -> dict[int, str]:
    """Return the visible letter of each byte, as GPT-2 published them: printable ones stand for themselves."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + place) for place, byte in enumerate(others)}


def write_tables(folder: Path, trained: Trained) -> Path:
    """Write what lies in BAAI's repositories in place of tokenizer.json."""
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").unlink(missing_ok=True)
    lines = (base64.b64encode(token) + f" {rank}\n".encode() for token, rank in trained.ranks.items())
    (folder / "emu3.tiktoken").write_bytes(b"".join(lines))
    (folder / "emu3_vision_tokens.txt").write_text("\n".join(PICTURES) + "\n")
    named = {"bos_token": "<|extra_203|>", "eos_token": {"content": "<|extra_204|>"}, "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "Emu3Tokenizer", **named}))
    (folder / "special_tokens_map.json").write_text(json.dumps(named))
    path = folder / "config.json"
    config = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(config | special_ids(trained)))
    return folder


def special_ids(trained: Trained) -> dict[str, int]:
    roles = {"pad": "<|endoftext|>", "bos": "<|extra_203|>", "eos": "<|extra_204|>"}
    roles |= {"img": "<|image token|>", "boi": "<|image start|>", "eoi": "<|image end|>"}
    roles |= {"eol": "<|extra_200|>", "eof": "<|extra_201|>"}
    return {f"{role}_token_id": trained.names[name] for role, name in roles.items()}


@pytest.fixture(scope="module")
def tables(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("tables"), trained)


@pytest.mark.parametrize("text", [*TEXTS, *SPECIALS, "", " ", "\x00\x7f never learnt: Ωmega żółć"])
def test_text_gets_the_ids_of_tiktoken(trained: Trained, tables: Path, text: str) -> None:
    ours, theirs = read_tables(Checkpoint(tables), SHAPE.codes), trained.tiktoken()
    ids = theirs.encode(unicodedata.normalize("NFC", text), allowed_special="all")
    assert ours.encode(text, add_special_tokens=False).ids == ids
    assert ours.decode(ids, skip_special_tokens=False) == theirs.decode(ids)


def test_any_mixture_gets_the_ids_of_tiktoken(trained: Trained, tables: Path) -> None:
    ours, theirs = read_tables(Checkpoint(tables), SHAPE.codes), trained.tiktoken()
    rng = random.Random(0)
    pieces = [
        *("".join(TEXTS)),
        *(token.decode(errors="ignore") for token in trained.ranks),
        *NAMED[-5:],
        *PICTURES[:5],
    ]
    texts = ["".join(rng.choices(pieces, k=40)) for _ in range(2000)]
    ids = [theirs.encode(unicodedata.normalize("NFC", text), allowed_special="all") for text in texts]
    assert [found.ids for found in ours.encode_batch(texts, add_special_tokens=False)] == ids
    assert len({token for found in ids for token in found}) > 400


def test_every_token_has_the_id_of_tiktoken(trained: Trained, tables: Path) -> None:
    ours, theirs = read_tables(Checkpoint(tables), SHAPE.codes), trained.tiktoken()
    assert ours.get_vocab_size(with_added_tokens=True) == theirs.n_vocab
    assert {name: ours.token_to_id(name) for name in trained.names} == trained.names
    assert {token.content for token in ours.get_added_tokens_decoder().values() if token.special} == {*trained.names}
    assert all(ours.decode([rank]) == theirs.decode([rank]) for rank in range(len(trained.ranks)))


def test_the_bundle_takes_what_is_typed_as_text(trained: Trained, tables: Path, tmp_path: Path) -> None:
    read_tables(Checkpoint(tables), SHAPE.codes).save(str(tmp_path / "tokenizer.json"))
    tokenizer = TextTokenizer(tmp_path / "tokenizer.json")
    for text in SPECIALS:
        assert tokenizer.encode(text) == trained.tiktoken().encode_ordinary(text)


def test_a_whole_export_paints_what_the_same_vocabulary_as_tokenizer_json_paints(
    trained: Trained, tmp_path: Path
) -> None:
    vocabulary = trained.tokenizer.get_vocab(with_added_tokens=True)
    source = make_checkpoint(tmp_path / "transformers", SHAPE, vocabulary)
    with_tables = write_tables(write_original(source, tmp_path / "tables"), trained)
    with_json = Path(shutil.copytree(with_tables, tmp_path / "json"))
    for name in ("emu3.tiktoken", "emu3_vision_tokens.txt"):
        (with_json / name).unlink()
    trained.tokenizer.save(str(with_json / "tokenizer.json"))
    ours, theirs = map(plan_export, (with_tables, with_json))
    assert (ours.decoder, ours.codes, ours.image_block) == (theirs.decoder, theirs.codes, theirs.image_block)
    assert (ours.defaults, ours.config.to_dict()) == (theirs.defaults, theirs.config.to_dict())

    manifest = export_checkpoint(with_tables, tmp_path / "bundle")
    assert manifest.codes.first_token == trained.names["<|visual token 000000|>"]
    assert manifest.abilities["paint"].prompt[0].token == "<|extra_203|>"
    assert not [name for name in manifest.files if name.startswith("emu3")]
    other = Path(shutil.copytree(tmp_path / "bundle", tmp_path / "other"))  # the same but for its tokenizer
    shutil.copy(with_json / "tokenizer.json", other)
    opened = [Model.open(tmp_path / "bundle"), Model(Bundle(folder=other, manifest=manifest, digest=""))]
    painted = [[_codes(model, text) for text in ("a red cat", "红色的猫 cafe\u0301", TEXTS[2])] for model in opened]
    for one, other in zip(*painted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({one.tobytes() for one in painted[0]}) == 3  # a prompt that is not read would paint one picture


def _codes(model: Model, text: str) -> Any:
    return [stroke.codes for stroke in model.paint_rows(text, size="8x8", seed=3)][-1]


def test_tokenizer_json_wins(trained: Trained, tmp_path: Path) -> None:
    source = make_checkpoint(tmp_path / "transformers", SHAPE, trained.tokenizer.get_vocab(with_added_tokens=True))
    folder = write_tables(write_original(source, tmp_path / "baai"), trained)
    made = plan_export(folder).tokenizer
    assert made is not None
    assert made.get_vocab_size() == len(trained.ranks) + len(trained.names)

    trained.tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "emu3.tiktoken").write_text("nothing that can be read")
    assert plan_export(folder).tokenizer is None


Edit = Callable[[Path], None]


def replaced(name: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return edit


def stated(name: str, **values: Any) -> Edit:
    def edit(folder: Path) -> None:
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | values))

    return edit


RANKS, NAMES = "emu3.tiktoken", "emu3_vision_tokens.txt"


def special_among_text(folder: Path) -> None:
    lines = (folder / RANKS).read_bytes().split(b"\n")
    lines = [line for line in lines if line]
    (folder / RANKS).write_bytes(b"\n".join([*lines, base64.b64encode(b"<|im_start|>") + f" {len(lines)}".encode()]))


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda folder: (folder / RANKS).unlink(), r"emu3\.tiktoken is missing, the table of its text tokens: put it"),
        (lambda folder: (folder / NAMES).unlink(), r"emu3_vision_tokens\.txt is missing, the names of its picture"),
        (replaced(RANKS, "Ig== 1\n", "Ig==\n"), r"emu3\.tiktoken, line 2: no token in base64 and its rank"),
        (replaced(RANKS, "Iw== 2\n", "Iw= 2\n"), r"emu3\.tiktoken, line 3: no token in base64 and its rank"),
        (replaced(RANKS, "Iw== 2\n", "Iw== two\n"), r"emu3\.tiktoken, line 3: no token in base64 and its rank"),
        (replaced(RANKS, "Iw== 2\n", "Iw== 1\n"), r"emu3\.tiktoken, line 3: rank 1 again, which line 2 has"),
        (replaced(RANKS, "Iw== 2\n", "Ig== 2\n"), r"emu3\.tiktoken, line 3: the token of line 2 again"),
        (replaced(RANKS, "IQ== 0\n", "\n"), r"emu3\.tiktoken has \d+ tokens, but none of rank 0"),
        (replaced(RANKS, "Iw== 2\n", "IyMjIyMj 2\n"), r"emu3\.tiktoken has no token for the byte 0x23"),
        (replaced(NAMES, "visual token 000002|>", "visual tok"), r"txt, line 6: '<\|visual tok', no <\|name\|>"),
        (replaced(NAMES, "000002", "000001"), r"tokens\.txt, line 6: <\|visual token 000001\|> again, as line 5"),
        (replaced(NAMES, "image end", "extra_7"), r"tokens\.txt, line 3: <\|extra_7\|> again; download"),
        (replaced(NAMES, "<|image start|>", "\n"), r"txt gives <\|image start\|> the id None .* boi_token_id is"),
        (replaced(NAMES, "<|visual token 000063|>", ""), r"txt gives <\|visual token 000063\|> the id None, but"),
        (replaced(NAMES, "000003", "100003"), r"txt gives <\|visual token 000003\|> the id None, but code 0 has"),
        (stated("config.json", eol_token_id=7), r"tiktoken gives <\|extra_200\|> the id \d+ .* eol_token_id is 7;"),
        (stated("config.json", eoi_token_id=9), r"tokens\.txt gives <\|image end\|> the id \d+ .* eoi_token_id is 9;"),
        (stated("config.json", bos_token_id=None), r"<\|extra_203\|> the id \d+ .* bos_token_id is 151849;"),
        (stated("special_tokens_map.json", bos_token="<|im_start|>"), r"<\|im_start\|> the id \d+ .* bos_token_id is"),
        (stated("special_tokens_map.json", bos_token={"lstrip": False}), r"gives None the id None .* bos_token_id is"),
        (special_among_text, r"tiktoken has <\|im_start\|> among its text tokens"),
        (lambda folder: (folder / RANKS).write_bytes(b""), r"emu3\.tiktoken has no token for the byte 0x00"),
        (lambda folder: (folder / RANKS).write_bytes(b"\xef\xbb\xbfIQ== 0\n"), r"emu3\.tiktoken, line 1: no token in"),
        (lambda folder: (folder / RANKS).write_bytes(bytes(range(256))), r"tiktoken, line \d: no token in base64"),
    ],
)  # fmt: skip
def test_damaged_tables_are_refused(tables: Path, tmp_path: Path, edit: Edit, match: str) -> None:
    folder = Path(shutil.copytree(tables, tmp_path / "copy"))
    edit(folder)
    with pytest.raises(CheckpointError, match=match) as refused:
        read_tables(Checkpoint(folder), SHAPE.codes)
    assert "\n" not in str(refused.value)
    assert str(folder) in str(refused.value)


def test_ends_of_lines_make_no_difference(tables: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tables, tmp_path / "copy"))
    for name in (RANKS, NAMES):
        (folder / name).write_bytes((folder / name).read_bytes().rstrip(b"\n").replace(b"\n", b"\r\n"))
    found, expected = (read_tables(Checkpoint(one), SHAPE.codes).get_vocab() for one in (folder, tables))
    assert found == expected


def test_names_that_are_no_text_are_refused(tables: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tables, tmp_path / "copy"))
    (folder / NAMES).write_bytes(b"<|image token|>\n\xff\xfe\n")
    with pytest.raises(CheckpointError, match=r"tokens\.txt, line 2: no UTF-8"):
        read_tables(Checkpoint(folder), SHAPE.codes)
