"""Commands about bundles: show, verify, doctor, and how a model is found or refused."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import Run, fails, files
from toy_bundle import rewritten

import edgevlo


def test_the_families_are_listed_without_a_checkpoint(edgevlo_run: Run) -> None:
    ran = edgevlo_run("export", "--list")
    assert ran.code == 0
    for fact in (
        "Emu3ForConditionalGeneration",
        "BAAI/Emu3-Gen-hf",
        "paint, ask",
        "cells of 8",
        "JanusForConditionalGeneration",
        "MultiModalityCausalLM",
        "DeepSeek License Agreement",
        "apache-2.0",
        "verified",
    ):
        assert fact in ran.out


def test_the_families_are_listed_as_json(edgevlo_run: Run) -> None:
    families = json.loads(edgevlo_run("export", "--list", "--json").out)

    (emu3,) = (one for one in families if "Emu3ForConditionalGeneration" in one["classes"])
    assert {"paint", "ask"} <= set(emu3["abilities"])
    assert "BAAI/Emu3-Gen-hf" in emu3["checkpoints"]
    assert all(one["name"] and one["verified"] and one["licence"] for one in families)


def test_list_shows_bundles_of_the_current_folder_by_the_name_that_opens_them(edgevlo_run: Run, toy: Path) -> None:
    shutil.copytree(toy, "mine")
    Path("empty").mkdir()

    listed = {one["name"]: one for one in json.loads(edgevlo_run("list", "--json").out)}

    assert set(listed) == {"picturebook", "toy", "mine"}
    assert listed["mine"]["kind"] == "folder"
    assert "mine is whole" in edgevlo_run("verify", "mine").out


def test_verify_says_in_json_whether_a_bundle_is_whole(edgevlo_run: Run, toy: Path) -> None:
    manifest = json.loads((toy / "manifest.json").read_text())
    whole = json.loads(edgevlo_run("verify", "toy", "--json").out)
    assert whole.pop("folder").endswith("bundles/toy")
    size = sum(file["bytes"] for file in manifest["files"].values())
    assert whole == {"whole": True, "files": len(manifest["files"]), "bytes": size, "graphs_run": True}

    shutil.copytree(toy, "damaged")
    (Path("damaged") / manifest["tokenizer"]).write_text("{}")
    ran = edgevlo_run("verify", "damaged", "--json")
    assert ran.code == 1
    facts = json.loads(ran.out)
    assert facts["whole"] is False
    assert "manifest.json says" in facts["reason"]


def test_show_and_verify_describe_a_bundle(edgevlo_run: Run, toy: Path) -> None:
    shown = edgevlo_run("show", str(toy))
    assert shown.code == 0
    assert "toy  (toy, target cpu)" in shown.out
    assert "abilities  ask, detect, edit, paint, segment" in shown.out
    assert "segment colours: car #ff0000" in shown.out

    as_json = edgevlo_run("show", str(toy), "--json")
    facts = json.loads(as_json.out)
    taken = facts.pop("memory")
    assert facts == json.loads((toy / "manifest.json").read_text())
    size = sum(path.stat().st_size for path in toy.glob("backbone.onnx*"))
    assert taken["modules"]["backbone"] == {"precision": "fp32", "bytes": size, "shared": 0}
    assert f"backbone         fp32  {size / 1e6:8.2f} MB" in shown.out
    cache = 2 * 2 * 2 * 2 * 256 * 8 * 4  # sides, layers, branches, heads, tokens, numbers a head, bytes
    assert taken["kv_cache"] == {"bytes": cache, "rows": 2, "capacity": 256, "dtype": "float32"}
    assert f"KV cache   {cache / 1e6:.2f} MB: 2 rows of 256 tokens, float32" in shown.out
    assert taken["peak"]["bytes"] == sum(taken["peak"]["parts"].values())
    assert f"about {taken['peak']['bytes'] / 1e6:.0f} MB at the peak" in shown.out

    verified = edgevlo_run("verify", "toy")
    assert verified.code == 0
    assert re.search(r"toy is whole: 1\d files, 0\.1 MB, graphs run\.\n$", verified.out)


def test_a_folder_that_is_no_bundle_does_not_hide_an_installed_one(edgevlo_run: Run) -> None:
    Path("toy").mkdir()

    assert edgevlo_run("verify", "toy").code == 0


@pytest.mark.usefixtures("embedded_is_open")
def test_doctor_says_how_many_threads_there_will_be_and_leaves_the_environment_alone(edgevlo_run: Run) -> None:
    before = dict(os.environ)

    facts = json.loads(edgevlo_run("doctor", "--threads", "1", "--json").out)

    assert facts["threads"].startswith("1 for large graphs, of ")
    assert dict(os.environ) == before
    assert edgevlo_run("doctor", "--threads", "-1").code == 2


def test_doctor_names_versions(edgevlo_run: Run) -> None:
    facts = json.loads(edgevlo_run("doctor", "--json").out)

    assert facts["edgevlo"] == edgevlo.__version__
    assert facts["numpy"] == np.__version__
    assert "CPUExecutionProvider" in facts["providers"]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("none", "there is no bundle 'none': no such folder, and none installed in .*/home/bundles"),
        ("x" * 300, "there is no bundle"),
        ("/none/at/all", "/none/at/all is not a bundle: it has no manifest.json"),
        ("empty", "empty is not a bundle: it has no manifest.json"),
        ("checkpoint", "It looks like a checkpoint; export it first: edgevlo export checkpoint -o BUNDLE"),
        ("none/such", "none/such is not a local folder, and downloading it from the Hub failed"),
        ("../home", r"home is not a bundle"),
    ],
)
@pytest.mark.parametrize("command", ["paint", "show", "verify"])
def test_a_model_that_is_not_there_is_named(edgevlo_run: Run, command: str, name: str, pattern: str) -> None:
    Path("empty").mkdir()
    Path("checkpoint").mkdir()
    Path("checkpoint/config.json").touch()

    fails(edgevlo_run(command, *(["a car", "-m"] if command == "paint" else []), name), pattern)
    assert files() == ["checkpoint", "empty"]


@pytest.mark.parametrize("command", ["paint", "verify"])
def test_a_damaged_bundle_is_one_line(edgevlo_run: Run, toy: Path, command: str) -> None:
    shutil.copytree(toy, "copy")
    Path("copy/backbone.onnx.data").write_bytes(b"short")

    arguments = ["a car", "-m", "copy"] if command == "paint" else ["copy"]

    fails(edgevlo_run(command, *arguments), r"copy/backbone\.onnx\.data has 5 bytes, manifest\.json says \d+")
    assert files() == ["copy"]


def test_verify_opens_tokenizer_and_table_too(edgevlo_run: Run, toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEVLO_TRIAL")  # which opens them
    rewritten(toy, Path("one"), files={"tokenizer.json": b"{}"})
    rewritten(toy, Path("two"), files={"token_embedding.bin": b"1234"})
    rewritten(toy, Path("three"), lambda tree: tree["image_block"].update(close=["<nope>"]))

    fails(edgevlo_run("verify", "one"), r"one/tokenizer\.json is not a tokenizer")
    fails(edgevlo_run("verify", "two"), r"two/token_embedding\.bin is not the size of")
    fails(edgevlo_run("verify", "three"), r"three/tokenizer\.json lacks the token '<nope>'")
