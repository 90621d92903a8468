"""Self-check records on the toy bundle: what they hold, what damages them, and what a device is refused for."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from command_line import Run
from toy_bundle import rewritten

from edgevlo.runtime.arrays import Array
from edgevlo.runtime.backends import open_runner
from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.errors import BundleError, DeviceError
from edgevlo.runtime.gpu.identity import machine_facts
from edgevlo.runtime.graphs.protocols import Runner
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.self_check.first_opening import refuse_wrong, replayed
from edgevlo.runtime.self_check.limits import limits_for
from edgevlo.runtime.self_check.make import make_record
from edgevlo.runtime.self_check.record import FILE, SelfCheck, encode_record, read_record
from edgevlo.runtime.self_check.report import findings
from edgevlo.runtime.self_check.sketch import largest, size, sketch

ROLES: tuple[GraphRole, ...] = ("image_head", "text_head", "image_decoder", "image_tokenizer")
MOST_BYTES = 64 * 1024


@pytest.fixture(scope="module")
def record(toy: Path) -> SelfCheck:
    bundle = open_bundle(toy)
    return make_record(bundle, Engine(bundle))


def with_record(toy: Path, folder: Path, content: bytes) -> Path:
    """Copy the toy with a record, its manifest sealed again."""
    return rewritten(toy, folder, lambda tree: tree.update(self_check={"file": FILE}), files={FILE: content})


@pytest.fixture
def checked(toy: Path, record: SelfCheck, tmp_path: Path) -> Bundle:
    return open_bundle(with_record(toy, tmp_path / "toy", encode_record(record)))


def test_a_bundle_gives_again_what_was_recorded_of_it(checked: Bundle) -> None:
    found = {one.name: one for one in replayed(checked, Engine(checked))}
    assert set(found) == {
        "hidden_error",
        "image_logits",
        "codes_equal",
        "text_logits",
        "tokens_equal",
        "pixels",
        "read_codes_equal",
    }
    assert found["hidden_error"].value < 1e-4  # five digits were recorded
    assert found["pixels"].value == 0
    assert all(one.is_within for one in found.values())
    assert checked.path(FILE).stat().st_size < MOST_BYTES


def test_draws_are_recorded_with_guidance_without_and_in_an_answer(record: SelfCheck) -> None:
    guided, alone, answer = record.sequences
    assert (guided.head, len(guided.prompts), guided.weights) == ("image_head", 2, (1.5, -0.5))
    assert (alone.head, len(alone.prompts), alone.weights) == ("image_head", 1, (1.0,))
    assert (answer.head, len(answer.prompts)) == ("text_head", 1)
    assert guided.prompts[0] == alone.prompts[0]
    assert max(map(len, guided.fed)) > 1  # the end of a row, with what the grid forces there


class Changed:
    """A session whose outputs, copied to the host, are changed."""

    def __init__(self, runner: Any, change: Callable[[Array], Array]) -> None:
        self._runner, self._change = runner, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array], *options: Any) -> list[Array]:
        return [self._change(np.asarray(one)) for one in self._runner.run(outputs, feeds, *options)]


def garbage(values: Array) -> Array:
    random = np.random.default_rng(5)
    if values.dtype == np.int64:
        return values + random.integers(1, 4, values.shape)
    return np.asarray(values.std() * random.standard_normal(values.shape), dtype=values.dtype)


def nothing(values: Array) -> Array:
    return np.full_like(values, np.nan) if values.dtype != np.int64 else np.full_like(values, -1)


def rolled(values: Array) -> Array:
    return np.roll(values, 3, axis=-1)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("change", [garbage, nothing, rolled])
def test_a_backend_with_other_results_is_refused_by_graph_and_figure(
    checked: Bundle, role: GraphRole, change: Callable[[Array], Array]
) -> None:
    def opener(bundle: Bundle, opened: GraphRole) -> Runner:
        runner: Any = open_runner(bundle, opened)
        return Changed(runner, change) if opened == role else runner

    found = replayed(checked, Engine(checked, opener))

    with pytest.raises(DeviceError, match=rf"^{checked.folder} .*: {role} is wrong \([a-z ]+: \S+, at (most|least) "):
        refuse_wrong(checked, found)
    assert {one.graph for one in found if not one.is_within} == {role}


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def edit(content: bytes) -> bytes:
        tree = json.loads(content)
        change(tree)
        return json.dumps(tree).encode()

    return edit


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[:-200],
    "too long": lambda content: content + b" " * 2**20,
    "not text": lambda content: b"\xff" + content,
    "an unknown key": edited(lambda tree: tree.update(more=1)),
    "not a number": edited(lambda tree: tree["sequences"][0]["draws"][0]["logits"].__setitem__(0, None)),
    "a token too many": edited(lambda tree: tree["sequences"][0]["prompts"].append([1])),
    "a token that is none": edited(lambda tree: tree["sequences"][0]["fed"].__setitem__(0, [10**6])),
    "a code that is none": edited(lambda tree: tree["decoded"]["codes"][0].__setitem__(0, 10**6)),
    "a choice that is none": edited(lambda tree: tree["sequences"][2]["draws"][0]["top"].__setitem__(0, [10**6, 1.0])),
    "a short sketch": edited(lambda tree: tree["sequences"][0]["draws"][0]["hidden"].pop()),
    "a step too few": edited(lambda tree: tree["sequences"][0]["fed"].pop()),
    "another stride": edited(lambda tree: tree["decoded"].update(stride=3)),
    "no limit": edited(lambda tree: tree["limits"].pop("pixels")),
    "features of nothing": edited(lambda tree: tree.update(features=[1.0])),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_no_bad_device(toy: Path, record: SelfCheck, tmp_path: Path, damage: str) -> None:
    bundle = open_bundle(with_record(toy, tmp_path / "toy", DAMAGES[damage](encode_record(record))))
    with pytest.raises(BundleError, match=rf"{FILE}: the self-check record is damaged: .*again\.$") as caught:
        replayed(bundle, Engine(bundle))
    assert "\n" not in str(caught.value)


def test_hashes_cover_the_record(checked: Bundle) -> None:
    content = bytearray(checked.path(FILE).read_bytes())
    content[100] ^= 1
    checked.path(FILE).write_bytes(content)
    with pytest.raises(BundleError, match=f"{FILE} was changed"):
        open_bundle(checked.folder)


def test_a_manifest_names_a_listed_file_or_says_why_there_is_none(toy: Path, tmp_path: Path) -> None:
    for number, (entry, reason) in enumerate(
        [
            ({"file": "other.json"}, "not listed"),
            ({}, "a file or the reason"),
            ({"file": FILE, "absent": "why"}, "a file or the reason"),
        ]
    ):
        with pytest.raises((BundleError, msgspec.ValidationError), match=reason):
            open_bundle(rewritten(toy, tmp_path / str(number), partial(dict.update, self_check=entry)))
    older = open_bundle(toy)
    assert read_record(older) is None
    assert replayed(older, Engine(older)) == []


def test_limits_follow_the_number_format_and_what_was_measured(record: SelfCheck, toy: Path) -> None:
    manifest = open_bundle(toy).manifest
    coarse = msgspec.structs.replace(
        manifest,
        graphs={role: msgspec.structs.replace(graph, precision="int4") for role, graph in manifest.graphs.items()},
    )
    usual, wide = limits_for(record, manifest), limits_for(record, coarse)
    assert usual["hidden_error"] == 0.02
    assert wide["hidden_error"] == 0.2
    assert usual["image_logits"] < wide["image_logits"]
    measured = limits_for(record, manifest, {"hidden_error": 0.1, "pixels": 1000.0, "image_logits": float("nan")})
    assert measured["hidden_error"] == 0.2  # twice
    assert measured["pixels"] == 16  # no more than this, whatever was measured
    assert measured["image_logits"] == usual["image_logits"]


def test_what_is_not_a_number_is_outside_every_limit() -> None:
    nothing = float("nan")
    for one in findings({"hidden_error": nothing, "codes_equal": nothing}, {"hidden_error": 0.5, "codes_equal": 0.5}):
        assert not one.is_within


@pytest.mark.parametrize("length", [1, 7, 16, 48, 49, 1000, 18139])
def test_a_sketch_sees_every_column(length: int) -> None:
    values = np.random.default_rng(length).standard_normal(length)
    before = sketch(values)
    assert len(before) == size(length)
    for column in {0, length // 2, length - 1}:
        other = values.copy()
        other[column] += 100 * np.sqrt(length)
        assert np.abs(sketch(other) - before).max() > 10
    assert largest(values)[0] == (int(values.argmax()), values.max())


def test_verify_runs_a_bundle_and_prints_every_figure(edgevlo_run: Run, toy: Path, record: SelfCheck) -> None:
    with_record(toy, Path("good"), encode_record(record))
    ran = edgevlo_run("verify", "good", "--run")
    assert ran.code == 0
    assert "good is whole" in ran.out
    for part in ("backbone         relative error of hidden states: ", "image_head       equal codes: 100%"):
        assert part in ran.out
    facts = json.loads(edgevlo_run("verify", "good", "--run", "--json").out)
    assert {one["graph"] for one in facts["self_check"]} == {"backbone", *ROLES}
    assert all(one["within"] for one in facts["self_check"])

    other = msgspec.json.decode(encode_record(record), type=SelfCheck)
    pixels = msgspec.structs.replace(other.decoded, pixels=bytes(len(record.decoded.pixels)))  # type: ignore
    with_record(toy, Path("bad"), encode_record(msgspec.structs.replace(other, decoded=pixels)))
    ran = edgevlo_run("verify", "bad", "--run")
    assert ran.code == 1
    assert "image_decoder is wrong (mean pixel difference in levels:" in ran.err
    assert len(ran.err.splitlines()) == 1

    none = edgevlo_run("verify", "toy", "--run")
    assert none.code == 0
    assert "self-check: the bundle has no record of its outputs; edgevlo quantize makes one." in none.out


def test_verify_tells_a_damaged_record_without_running_it(edgevlo_run: Run, toy: Path) -> None:
    with_record(toy, Path("bad"), b"{}")
    ran = edgevlo_run("verify", "bad")
    assert ran.code == 1
    assert "the self-check record is damaged" in ran.err


def test_a_machine_is_known_by_the_files_of_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert machine_facts(tmp_path) == ()
    card = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0"
    card.mkdir(parents=True)
    (card / "information").write_text("Model: \t\t NVIDIA H200\nIRQ:   \t\t 27\n")
    (tmp_path / "proc/driver/nvidia/version").write_text("NVRM version: NVIDIA  580.65.06\nGCC version:  12\n")
    assert machine_facts(tmp_path) == ("NVIDIA H200", "NVRM version: NVIDIA 580.65.06")

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    board = tmp_path / "proc/device-tree"
    board.mkdir()
    (board / "model").write_bytes(b"NVIDIA Jetson AGX Orin\0")
    assert machine_facts(tmp_path)[2:] == ("NVIDIA Jetson AGX Orin", "CUDA_VISIBLE_DEVICES=1")
