"""Bundles of strangers: what their graphs, tokenizers and numbers may do to a process."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onnx import helper, load
from strangers import PICTUREBOOK, image_tokenizer, numbers, strangers
from tokenizers import Tokenizer

from edgevlo.runtime.bundle import (
    known_bundles,
    open_bundle,
    read_bundle,
    staged_folder,
    trial,
    verify_bundle,
    verify_files,
)
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.pictures import Grid
from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.pictures.sizes import GridRule
from edgevlo.runtime.tokenizer.text_tokenizer import TextTokenizer
from edgevlo.runtime.tokenizer.tokenizer_rules import broken_rule, check_tokenizer, endless


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("EDGEVLO_TRIAL", raising=False)


def dividing() -> bytes:
    """Return an image tokenizer in which int64's least number is divided by -1 while constants are folded."""
    return image_tokenizer(
        [helper.make_node("Div", ["a", "z"], ["q"]), helper.make_node("Expand", ["q", "s"], ["codes"])],
        [numbers("a", [-(2**63)]), numbers("z", [-1]), numbers("s", [1, 6, 8])],
    )


def many_heads() -> bytes:
    """Return a backbone whose heads are far more than its channels."""
    model = load(PICTUREBOOK / "backbone.onnx", load_external_data=False)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "num_heads":
                attribute.i = 2**40
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("name", "graph", "said"),
    [
        ("image_tokenizer__onnx", dividing, r"evil: opening it ended the process that tried it \(SIGFPE\)"),
        ("backbone__onnx", many_heads, r"evil/backbone\.onnx cannot be opened"),
    ],
)
def test_a_harmful_graph_costs_one_line(tmp_path: Path, name: str, graph: Callable[[], bytes], said: str) -> None:
    bundle = strangers(tmp_path / "evil", **{name: graph()})

    for _ in range(2):  # what failed is not trusted the second time
        with pytest.raises(BundleError, match=said):
            open_bundle(bundle)


def test_a_strangers_bundle_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = strangers(tmp_path / "kind")
    tried: list[Path] = []
    monkeypatch.setattr(trial, "try_out", lambda folder, _size: tried.append(folder))

    open_bundle(bundle)
    open_bundle(bundle)
    open_bundle(Path(shutil.copytree(bundle, tmp_path / "elsewhere")))

    assert tried == [bundle]


def test_a_bundle_that_was_opened_without_its_trial_is_tried_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = strangers(tmp_path / "kind")
    tried: list[Path] = []
    monkeypatch.setattr(trial, "try_out", lambda folder, *_: tried.append(folder))

    with monkeypatch.context() as patch:
        patch.setenv("EDGEVLO_TRIAL", "0")
        open_bundle(bundle)
    open_bundle(bundle)

    assert tried == [bundle]


def test_picturebook_needs_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "try_out", lambda *_: pytest.fail("tried"))

    open_bundle(PICTUREBOOK)


def test_files_are_hashed_once_until_one_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = strangers(tmp_path / "copy")
    known_bundles.trust(hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest())
    open_bundle(bundle)
    path = bundle / "tokenizer.json"
    content = bytearray(path.read_bytes())
    content[100] ^= 1

    with monkeypatch.context() as patch:
        patch.setattr("edgevlo.runtime.bundle.open.verify_files", lambda *_: pytest.fail("hashed again"))
        open_bundle(bundle)
    path.write_bytes(content)

    with pytest.raises(BundleError, match="was changed"):
        open_bundle(bundle)


def test_a_bundle_is_hashed_once_by_whatever_path_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = strangers(tmp_path / "copy")
    known_bundles.trust(hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest())
    (tmp_path / "link").symlink_to(bundle)
    monkeypatch.chdir(tmp_path)
    open_bundle(bundle)

    monkeypatch.setattr("edgevlo.runtime.bundle.open.verify_files", lambda *_: pytest.fail("hashed again"))
    for name in ("copy", "./copy", "link", "copy/../copy", str(tmp_path / "link")):
        open_bundle(Path(name))


@pytest.mark.parametrize("replaces", [False, True])
def test_what_was_published_is_not_hashed_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaces: bool
) -> None:
    monkeypatch.setattr("edgevlo.runtime.bundle.open.try_out", lambda _: None)
    if replaces:
        strangers(tmp_path / "out")
    with staged_folder(tmp_path / "out", replaces=replaces) as staging:
        shutil.copytree(strangers(tmp_path / "copy"), staging, dirs_exist_ok=True)
        verify_files(staging, read_manifest(staging))

    with monkeypatch.context() as patch:
        patch.setattr("edgevlo.runtime.bundle.open.verify_files", lambda *_: pytest.fail("hashed again"))
        open_bundle(tmp_path / "out")

    content = (tmp_path / "out" / "tokenizer.json").read_bytes()
    (tmp_path / "out" / "tokenizer.json").write_bytes(content.replace(b"the", b"teh", 1))
    with pytest.raises(BundleError, match="was changed"):
        open_bundle(tmp_path / "out")


# Tokenizers.


def tokenizer(**changed: object) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads((PICTUREBOOK / "tokenizer.json").read_text())
    return {**tree, **changed}


def split(expression: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}


def test_an_expression_that_panics_is_refused_in_the_trial_and_told_in_one_line(tmp_path: Path) -> None:
    content = json.dumps(tokenizer(pre_tokenizer=split("(a+)+$"))).encode()
    bundle = strangers(tmp_path / "evil", tokenizer__json=content)

    with pytest.raises(BundleError, match=r"evil/tokenizer.json: the expression '\(a\+\)\+\$' repeats a group"):
        open_bundle(bundle)
    with pytest.raises(BundleError, match=r"evil/tokenizer.json cannot split these words .*retry-limit"):
        TextTokenizer(bundle / "tokenizer.json").encode("a" * 60 + "!")


@pytest.mark.parametrize(
    "expression",
    [
        "(a+)+$", "(a|aa)+$", "(a*)*b", "((a+))+", "(a{1,})+", "(?:a+b?)*c", r"(a)\1+", "(?:(?:a|b)?c)+",
        "a*a*a*a*a*b", "(a{0,100}){0,100}", "(?<x>a|\\g<x>)", "a+" + "a" * 5000, "a" * 70_000,
    ],
)  # fmt: skip
def test_expressions_that_could_take_for_ever_are_refused(expression: str) -> None:
    assert endless(expression)


@pytest.mark.parametrize(
    "expression",
    [
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+""",
        r"\d{1,3}(?=(?:\d{3})*\b)",
    ],
    ids=["gpt2", "qwen2", "cl100k", "deepseek", "thousands"],
)
def test_the_expressions_of_the_families_are_taken(expression: str) -> None:
    assert endless(expression) is None


def test_replacements_that_double_a_text_again_and_again_are_refused() -> None:
    double = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}

    assert broken_rule(tokenizer(normalizer={"type": "Sequence", "normalizers": [double] * 5})) is None
    assert "more than 64 times" in str(
        broken_rule(tokenizer(normalizer={"type": "Sequence", "normalizers": [double] * 7}))
    )
    assert "steps" in str(broken_rule(tokenizer(decoder={"type": "Sequence", "decoders": [{"type": "Fuse"}] * 1030})))


@pytest.mark.parametrize("pattern", [{"Regex": "(?=.)"}, {"Regex": "x*"}, {"String": ""}])
def test_replacements_of_nothing_by_something_are_refused_where_they_lengthen_too_much(pattern: dict[str, str]) -> None:
    between = {"type": "Replace", "pattern": pattern, "content": "a"}
    steps = {"type": "Sequence", "normalizers": [between] * 7}

    library = Tokenizer.from_str(json.dumps(tokenizer(normalizer=steps)))

    assert broken_rule(tokenizer(normalizer={**steps, "normalizers": [between] * 6})) is None
    assert "more than 64 times" in str(broken_rule(tokenizer(normalizer=steps)))
    if pattern != {"String": ""}:  # of which the library does nothing
        assert len(library.normalizer.normalize_str("b" * 100)) > 6400


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{", b"[]", b"\xff\xfe"])
def test_a_tokenizer_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)

    with pytest.raises(BundleError, match=r"tokenizer.json"):
        check_tokenizer(tmp_path / "tokenizer.json")


# Manifests.


@pytest.mark.parametrize(
    "edit",
    [
        lambda tree: tree["grid"].update(rows=[1, 65_536], columns=[1, 65_536], cells=[1, 2**31 - 1]),
        lambda tree: tree["preprocess"].update(max_pixels=2**31 - 1),
        lambda tree: tree["backbone"].update(head_dim=2**30),
        lambda tree: tree["backbone"].update(max_positions=2**31 - 1),
        lambda tree: tree["answer"].update(max_tokens=2**31 - 1),
        lambda tree: tree["image_block"].update(row_suffix=["<eol>"] * 10_000),
        lambda tree: tree["abilities"]["paint"].update(prompt=[{"text": "x" * 4096}] * 900),
        lambda tree: tree["source"].update(licence="MIT\x1b[2J"),
        lambda tree: tree["graphs"]["backbone"]["inputs"][0].update(shape=[2**62]),
        lambda tree: tree["graphs"]["backbone"]["inputs"][0].update(shape=[1] * 999),
    ],
)
def test_numbers_and_lengths_of_a_manifest_are_bounded(tmp_path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    tree = json.loads((PICTUREBOOK / "manifest.json").read_text())
    edit(tree)
    (tmp_path / "manifest.json").write_text(json.dumps(tree))

    with pytest.raises(BundleError, match=r"manifest.json: .* Export or download the bundle again"):
        read_manifest(tmp_path)


def test_the_fullest_grid_of_many_is_found_row_by_row() -> None:
    grid = Grid(rows=(1, 65_536), columns=(1, 65_536), cells=(1, 2**20), default=(8, 8))
    rule = GridRule(grid=grid, cell=1)

    found = rule.fullest(3000, 1000)

    assert abs(found.columns / found.rows - 3) < 0.01
    assert (found.rows + 1) * (found.columns + 1) > 2**20


@pytest.mark.parametrize("size", [(200, 100), (100, 300), (7, 7), (1, 50), (640, 480)])
@pytest.mark.parametrize("step", [1, 2, 4])
def test_the_fullest_grid_is_that_of_trying_all(size: tuple[int, int], step: int) -> None:
    grid = Grid(rows=(4, 40), columns=(4, 48), cells=(16, 1024), default=(8, 8), max_ratio=6.0, step=step)
    rule, (width, height) = GridRule(grid=grid, cell=1), size
    from edgevlo.runtime.pictures.sizes import Shape

    every = [
        (min(c / width, r / height) / max(c / width, r / height), c, r)
        for r in range(step, 41, step)
        for c in range(step, 49, step)
        if (r + step) * (c + step) > 1024 and rule.allows(Shape(r, c))
    ]
    _, columns, rows = max(every)

    assert rule.fullest(width, height) == Shape(rows, columns)


def test_nothing_of_the_working_folder_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cd BUNDLE; edgevlo verify .` ran the bundle's own numpy.py in the trial."""
    evil = b"open(__file__ + '-ran', 'w').close()"
    names = ("numpy", "msgspec", "onnxruntime", "tokenizers", "resource", "json")
    folder = strangers(tmp_path / "evil", **{f"{name}__py": evil for name in names})
    monkeypatch.chdir(folder)

    verify_bundle(read_bundle(Path()))

    assert list(folder.glob("*-ran")) == []
