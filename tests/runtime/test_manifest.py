import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.schema import MAX_MANIFEST_BYTES, Manifest, encode_manifest, read_manifest

Tree = dict[str, Any]


def edited(toy: Path, folder: Path, edit: Callable[[Tree], object]) -> Path:
    """Copy the toy's manifest with an edit; `edit` changes the tree."""
    tree = json.loads((toy / "manifest.json").read_text())
    edit(tree)
    (folder / "manifest.json").write_text(json.dumps(tree))
    return folder


def put(path: str, value: object) -> Callable[[Tree], None]:
    """Return an edit that sets `a.b.c`."""

    def edit(tree: Tree) -> None:
        *way, last = path.split(".")
        for key in way:
            tree = tree[key]
        tree[int(last) if isinstance(tree, list) else last] = value

    return edit


def drop(path: str) -> Callable[[Tree], None]:
    """Return an edit that removes `a.b.c`."""

    def edit(tree: Tree) -> None:
        *way, last = path.split(".")
        for key in way:
            tree = tree[key]
        del tree[last]

    return edit


# The table of tokens serves as one of codes here: its size is checked when it is opened, not when it is named.
OWN_CODES = {"file": "token_embedding.bin", "dtype": "float32", "shape": [27, 16]}
SQUARE = {"side": 32, "min_side": 4, "color": [127, 127, 127]}


def square(**changes: object) -> Callable[[Tree], None]:
    """Return an edit that fits pictures into a square, with changes to the rule."""

    def edit(tree: Tree) -> None:
        tree["preprocess"] |= {"min_pixels": 1024, "max_pixels": 1024, "fit_pad_square": SQUARE | changes}

    return edit


def seeing(*more: Callable[[Tree], None]) -> Callable[[Tree], None]:
    """Return an edit that reads pictures through a vision encoder, and more edits after it."""

    def edit(tree: Tree) -> None:
        tree["image_block"] |= {"features": "vision_encoder", "row_suffix": []}
        for one in more:
            one(tree)

    return edit


def plain(*more: Callable[[Tree], None]) -> Callable[[Tree], None]:
    """Return an edit that takes rows and columns out of the image block, and more edits after it."""

    def edit(tree: Tree) -> None:
        tree["image_block"] |= {"open": [{"token": "<image>"}], "row_suffix": []}
        for one in more:
            one(tree)

    return edit


INTERLEAVE = {"prompt": [{"token": "<bos>"}, {"field": "text"}], "output": "interleaved"}


def without_top_p(*more: Callable[[Tree], None]) -> Callable[[Tree], None]:
    """Return an edit that takes top_p from the image head's inputs, and more edits after it."""

    def edit(tree: Tree) -> None:
        head = tree["graphs"]["image_head"]
        head["inputs"] = [one for one in head["inputs"] if one["name"] != "top_p"]
        for one in more:
            one(tree)

    return edit


def test_a_manifest_is_read_as_it_was_written(toy: Path, tmp_path: Path) -> None:
    manifest = read_manifest(toy)
    (tmp_path / "manifest.json").write_bytes(encode_manifest(manifest))

    assert isinstance(manifest, Manifest)
    assert read_manifest(tmp_path) == manifest
    assert manifest.abilities["edit"].images == (1, 2)


@pytest.mark.parametrize(
    ("edit", "field", "reason"),
    [
        (put("surprise", 1), "unknown field `surprise`", ""),
        (put("backbone.rope", "x"), "unknown field `rope`", "$.backbone"),
        (put("abilities.paint.command", "rm"), "unknown field `command`", "$.abilities"),
        (put("abilities.fly", {}), "Invalid enum value 'fly'", "$.abilities"),
        (put("graphs.engine", {}), "Invalid enum value 'engine'", "$.graphs"),
        (drop("codes"), "missing required field `codes`", ""),
        (drop("backbone.layers"), "missing required field `layers`", "$.backbone"),
        (put("backbone.layers", "2"), "Expected `int`, got `str`", "$.backbone.layers"),
        (put("backbone.layers", 2.5), "Expected `int`, got `float`", "$.backbone.layers"),
        (put("backbone.layers", True), "Expected `int`, got `bool`", "$.backbone.layers"),
        (put("backbone.layers", None), "Expected `int`, got `null`", "$.backbone.layers"),
        (put("backbone.layers", 0), "Expected `int` >= 1", "$.backbone.layers"),
        (put("backbone.layers", 5000), "Expected `int` <= 1024", "$.backbone.layers"),
        (put("backbone.max_positions", 10**30), "", "$.backbone.max_positions"),
        (put("backbone.positions", "mrope"), "Invalid enum value 'mrope'", "$.backbone.positions"),
        (put("codes.cell", 100_000), "Expected `int` <= 256", "$.codes.cell"),
        (put("codes.count", -1), "Expected `int` >= 2", "$.codes.count"),
        (put("grid.rows", [1]), "Expected `array` of length 2", "$.grid.rows"),
        (put("grid.kind", "buckets"), "Invalid enum value 'buckets'", "$.grid.kind"),
        (put("image_block.features", "both"), "Invalid enum value 'both'", "$.image_block.features"),
        (put("preprocess.fit_pad_square", {"side": 8}), "missing required field `color`", "$.preprocess"),
        (put("preprocess.fit_pad_square", {"side": 8, "color": [0, 0, 256]}), "Expected `int` <= 255", "$.preprocess"),
        (put("grid.max_ratio", 0), "Expected `float` >= 1", "$.grid.max_ratio"),
        (put("sampling.temperature", -1), "Expected `float` >= 0", "$.sampling.temperature"),
        (put("sampling.temperature", 1e9), "Expected `float` <= 100", "$.sampling.temperature"),
        (put("sampling.top_p", 0), "Expected `float` > 0", "$.sampling.top_p"),
        (put("sampling.top_p", 1.5), "Expected `float` <= 1", "$.sampling.top_p"),
        (put("preprocess.std", [0.5, 0, 0.5]), "Expected `float` > 0", "$.preprocess.std[1]"),
        (put("domain", {"name": "w"}), "missing required field `tolerance`", "$.domain"),
        (put("domain", {"name": "w", "tolerance": -1}), "Expected `float` >= 0", "$.domain.tolerance"),
        (put("domain", {"name": "\x1b[2J", "tolerance": 1}), "matching regex", "$.domain.name"),
        (put("domain", {"name": "two\nlines", "tolerance": 1}), "matching regex", "$.domain.name"),
        (put("domain", {"name": "w", "tolerance": 1, "see": "x" * 81}), "matching regex", "$.domain.see"),
        (put("guidance.branches", []), "length >= 1", "$.guidance.branches"),
        (put("answer.stop", []), "length >= 1", "$.answer.stop"),
        (put("target", "toaster"), "Invalid enum value 'toaster'", "$.target"),
        (put("name", "../evil"), "matching regex", "$.name"),
        (put("name", "two words"), "matching regex", "$.name"),
        (put("name", "line\n"), "matching regex", "$.name"),
        (put("family", "Emu 3"), "matching regex", "$.family"),
        (put("source.id", "x" * 5000), "length <= 4096", "$.source.id"),
        (put("image_block.open.0", {"token": "<image>", "text": "both"}), "exactly one of token, text and field", ""),
        (put("image_block.open.0", {}), "exactly one of token, text and field", ""),
        (put("image_block.open", "<image>"), "Expected `array`, got `str`", "$.image_block.open"),
        (put("files.LICENCE.txt", {"bytes": 1}), "missing required field `sha256`", "$.files"),
        (put("files", {"a": {"bytes": -1, "sha256": "0" * 64}}), "Expected `int` >= 0", "$.files"),
        (put("files", {"a": {"bytes": 1, "sha256": "0" * 63}}), "matching regex", "$.files"),
    ],
)  # fmt: skip
def test_a_manifest_out_of_schema_names_file_field_and_reason(
    toy: Path, tmp_path: Path, edit: Callable[[Tree], None], field: str, reason: str
) -> None:
    if field.startswith("missing required field `sha256`"):
        edit = lambda tree: tree["files"].update({"LICENCE.txt": {"bytes": 1}})  # noqa: E731  (the name has a dot)
    folder = edited(toy, tmp_path, edit)

    with pytest.raises(BundleError, match=rf"^{tmp_path}/manifest\.json: .*Export or download") as caught:
        read_manifest(folder)

    assert field in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (put("token_embedding.file", "none.bin"), "token_embedding.file names 'none.bin', which is not listed"),
        (put("tokenizer", "none.json"), "tokenizer names 'none.json', which is not listed"),
        (put("graphs.backbone.file", "../b.onnx"), "graphs.backbone.file names '../b.onnx', which is not listed"),
        (put("token_embedding.shape", [73, 17]), "token_embedding.shape is not (tokens, 16)"),
        (put("codes.first_token", 10_000), "codes ends after the last of"),
        (put("grid.rows", [9, 3]), "grid.rows has its lower bound 9 above its upper bound 3"),
        (put("grid.columns", [9, 3]), "grid.columns has its lower bound 9 above its upper bound 3"),
        (put("grid.cells", [9, 3]), "grid.cells has its lower bound 9 above its upper bound 3"),
        (put("grid.default", [1, 12]), "grid.default"),
        (put("grid.default", [40, 40]), "grid.default"),
        (drop("graphs.image_head"), "needs the graph image_head, which the bundle lacks"),
        (drop("graphs.text_head"), "abilities.ask needs the graph text_head, which the bundle lacks"),
        (drop("graphs.image_tokenizer"), "needs the graph image_tokenizer, which the bundle lacks"),
        (put("abilities.edit.images", [0, 0]), "abilities.edit takes pictures if and only if its prompt has a field"),
        (put("abilities.edit.prompt", [{"field": "text"}]), "abilities.edit takes pictures if and only if"),
        (put("abilities.edit.images", [3, 1]), "abilities.edit.images has its lower bound above its upper bound"),
        (put("abilities.paint.output", "text"), "abilities.paint.output is text; paint gives image"),
        (put("abilities.ask.output", "image"), "abilities.ask.output is image; ask gives text"),
        (put("abilities.detect.output", "text"), "abilities.detect.output is text; detect gives detections"),
        (
            put("abilities.interleave", INTERLEAVE | {"output": "text"}),
            "abilities.interleave.output is text; interleave",
        ),
        (
            put("abilities.interleave", INTERLEAVE),
            "image_block.open is not one token, at which a picture of interleave",
        ),
        (plain(put("abilities.interleave", INTERLEAVE)), "abilities.interleave needs a fixed grid, pictures read as"),
        (without_top_p(put("sampling.top_p", 0.9)), "sampling.top_p is 0.9, but the graph image_head has no input"),
        (
            without_top_p(put("abilities.segment.sampling", {"top_p": 0.5})),
            "abilities.segment.sampling.top_p is 0.5, but the graph image_head has no input",
        ),
        (put("abilities.paint.prompt.1", {"field": "rows"}), "abilities.paint.prompt"),
        (put("image_block.open.1", {"field": "text"}), "image_block.open"),
        (put("preprocess.min_pixels", 10_000), "preprocess"),
        (put("grid.kind", "fixed"), "grid.default is not the only grid within the bounds"),
        (put("guidance.pad", "<bos>"), "guidance.pad is given if and only if a branch is of kind pad_codes"),
        (
            put("guidance.branches.1", {"kind": "pad_middle", "constant": 1, "scale": -1}),
            "guidance.pad is given if and only if",
        ),
        (
            put("guidance.branches.1", {"kind": "pad_codes", "constant": 1, "scale": -1}),
            "guidance.pad is given if and only if",
        ),
        (put("guidance.default_image_scale", 1.0), "default_image_scale is given if and only if a branch has an"),
        (
            put("guidance.branches.0", {"kind": "prompt", "constant": 1, "scale": 0, "image_scale": 1}),
            "default_image_scale is given if and only if a branch has an",
        ),
        (put("code_embedding", {"file": "none.bin", "dtype": "float32", "shape": [27, 16]}), "code_embedding.file"),
        (put("code_embedding", OWN_CODES | {"shape": [27, 17]}), "code_embedding.shape is not (27, 16)"),
        (put("code_embedding", OWN_CODES), "codes.first_token is not"),
        (put("preprocess.fit_pad_square", SQUARE), "preprocess has other limits than the 1024 pixels"),
        (square(min_side=33), "preprocess.fit_pad_square.min_side is above side"),
        (put("image_block.features", "vision_encoder"), "image_block.row_suffix stands between rows"),
        (seeing(), "image_block.features is vision_encoder, which needs preprocess.fit_pad_square"),
        (seeing(square()), "image_block.open names rows or columns"),
        (seeing(square(), put("image_block.open", [])), "needs the graph vision_encoder"),
        (put("abilities.ask.reads", "both"), "image_block.row_suffix stands between rows"),
        (
            plain(put("abilities.ask.reads", "both")),
            "abilities.ask.reads is both, which needs preprocess.fit_pad_square",
        ),
        (plain(square(), put("abilities.ask.reads", "both")), "abilities.ask needs the graph vision_encoder"),
        (plain(square(), put("abilities.detect.reads", "vision_encoder")), "needs the graph vision_encoder"),
    ],
)
def test_parts_that_disagree_are_named(toy: Path, tmp_path: Path, edit: Callable[[Tree], None], message: str) -> None:
    folder = edited(toy, tmp_path, edit)

    with pytest.raises(BundleError, match=rf"^{tmp_path}/manifest\.json: .*{re.escape(message)}"):
        read_manifest(folder)


def test_a_file_may_be_larger_than_2_gigabytes(toy: Path, tmp_path: Path) -> None:
    """Janus-Pro-1B's backbone has 4,941,291,520 bytes of weights in float32."""

    def edit(tree: Tree) -> None:
        tree["files"]["backbone.onnx.data"]["bytes"] = 4_941_291_520

    assert read_manifest(edited(toy, tmp_path, edit)).files["backbone.onnx.data"].bytes == 4_941_291_520


@pytest.mark.parametrize("role", ["image_tokenizer", "image_decoder"])
def test_a_domain_needs_the_graphs_that_find_it(toy: Path, tmp_path: Path, role: str) -> None:
    def edit(tree: Tree) -> None:
        tree["abilities"] = {"ask": {"prompt": [{"field": "text"}], "output": "text"}}
        del tree["graphs"][role]

    assert read_manifest(edited(toy, tmp_path, edit)).domain is None

    def with_domain(tree: Tree) -> None:
        edit(tree)
        tree["domain"] = {"name": "a small world", "tolerance": 3}

    with pytest.raises(BundleError, match=f"domain needs the graph {role}, which the bundle lacks"):
        read_manifest(edited(toy, tmp_path, with_domain))


@pytest.mark.parametrize(
    "name",
    ["../outside", "/etc/passwd", "a/../../b", "a//b", "./a", "a/", "a\\b", "C:\\a", "C:a", ".hidden", "a/.git/b", "",
     "a\n", "a\0b", "manifest.json"],
)  # fmt: skip
def test_a_path_that_leaves_the_bundle_is_refused(toy: Path, tmp_path: Path, name: str) -> None:
    entry = {"bytes": 1, "sha256": "0" * 64}
    folder = edited(toy, tmp_path, lambda tree: tree["files"].update({name: entry}))

    with pytest.raises(BundleError, match=r"files has .* is not a plain path inside the bundle"):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"not json", "malformed"),
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
        (b"\xff\xfe{\0}\0", "malformed"),
        (b'{"format": "\xff"}', "edgevlo-bundle/1"),
        (b"[" * 100_000, "Expected `object`"),
        (b'{"a": ' * 100_000, ""),
        (b"{}", "missing required field `format`"),
        (b'{"format": "edgevlo-bundle/3", "new": true}', 'format is "edgevlo-bundle/3"; this edgevlo reads'),
        (b'{"format": 7}', "format is 7; this edgevlo reads"),
    ],
)
def test_a_file_that_is_no_manifest_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "manifest.json").write_bytes(content)

    with pytest.raises(BundleError, match=rf"^{tmp_path}/manifest\.json: ") as caught:
        read_manifest(tmp_path)

    assert reason in str(caught.value)


def test_a_manifest_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b" " * (10 * 2**20))

    with pytest.raises(BundleError, match=f"has 10485760 bytes; a manifest has at most {MAX_MANIFEST_BYTES}"):
        read_manifest(tmp_path)


def test_a_missing_manifest_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json cannot be read \(No such file.*\)\. Name a bundle folder; "):
        read_manifest(tmp_path)


def test_a_manifest_that_is_a_link_is_refused(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").symlink_to(toy / "manifest.json")

    with pytest.raises(BundleError, match="is a link; a bundle may contain only regular files"):
        read_manifest(tmp_path)


def test_a_manifest_that_is_no_file_is_refused(toy: Path, tmp_path: Path) -> None:
    shutil.copytree(toy, tmp_path / "manifest.json")

    with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
        read_manifest(tmp_path)
