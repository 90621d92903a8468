"""pull, list and rm, with huggingface_hub itself against a hub on this machine; each command is a process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_hub import FakeHub, fake_hub

from edgevlo.models.unfinished import remove_unfinished

CONFIG = json.dumps({"architectures": ["JanusForConditionalGeneration"]}).encode()
WEIGHTS = bytes(range(256)) * 100
SHARDS = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}


@dataclass(frozen=True)
class Shell:
    """A user's machine: a home, a hub's cache, and a hub."""

    folder: Path
    hub: FakeHub

    @property
    def bundles(self) -> Path:
        return self.folder / "home" / "bundles"

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        ours = {"HF_ENDPOINT": self.hub.url, "HF_HOME": str(self.folder / "hf"),
                "EDGEVLO_HOME": str(self.folder / "home")}  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        return subprocess.Popen(
            [sys.executable, "-m", "edgevlo", *arguments],
            env=kept | ours | variables,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def fails(self, *arguments: str, **variables: str) -> str:
        """Return the one line of an error."""
        code, out, err = self.run(*arguments, **variables)
        assert (code, out) == (1, ""), err
        assert err.startswith("edgevlo: "), err
        assert err.count("\n") == 1, err
        return err

    def names(self) -> dict[str, str]:
        code, out, _ = self.run("list", "--json")
        assert code == 0
        return {one["name"]: one["kind"] for one in json.loads(out)}


@pytest.fixture
def shell(tmp_path: Path, toy: Path) -> Iterator[Shell]:
    with fake_hub() as hub:
        files = {path.name: path.read_bytes() for path in toy.iterdir()}
        hub.repositories["owner/toy"] = files | {"README.md": b"words", "model.py": b"raise SystemExit"}
        yield Shell(tmp_path, hub)
        hub.stalls.clear()


def test_a_bundle_is_pulled_listed_used_offline_and_removed(shell: Shell) -> None:
    code, out, err = shell.run("pull", "owner/toy")

    folder = shell.bundles / "owner--toy"
    assert (code, out, err) == (0, f"{folder}\n", "")
    assert {path.name for path in folder.iterdir()} == set(shell.hub.repositories["owner/toy"]) - {
        "README.md",
        "model.py",
    }
    assert not any(path.is_symlink() for path in folder.iterdir())
    assert not any("model.py" in asked for asked in shell.hub.asked)
    assert shell.names() == {"picturebook": "embedded", "owner/toy": "bundle"}
    _, listed, _ = shell.run("list")
    assert "owner/toy    bundle            0.1 MB  toy cpu fp32  Apache-2.0\n" in listed

    shell.hub.asked.clear()
    assert shell.run("paint", "a red car", "-m", "owner/toy", HF_HUB_OFFLINE="1")[0] == 0
    assert shell.run("pull", "owner/toy", HF_HUB_OFFLINE="1")[:2] == (0, f"{folder}\n")
    assert shell.hub.asked == []

    code, out, _ = shell.run("rm", "owner/toy")
    assert (code, out[:18]) == (0, "owner/toy removed,")
    assert shell.names() == {"picturebook": "embedded"}
    assert list(shell.bundles.iterdir()) == []
    assert not list((shell.folder / "hf").rglob("*.onnx"))
    assert "HF_HUB_OFFLINE is set; unset it to download" in shell.fails("pull", "owner/toy", HF_HUB_OFFLINE="1")


def test_a_name_of_the_hub_is_fetched_when_it_is_used(shell: Shell) -> None:
    assert shell.run("paint", "a red car", "-m", "owner/toy")[0] == 0
    assert shell.names()["owner/toy"] == "bundle"


def test_what_was_interrupted_leaves_nothing_under_its_name_and_can_be_pulled_again(shell: Shell) -> None:
    shell.hub.stalls.set()
    process = shell.start("pull", "owner/toy")
    assert shell.hub.stalled.wait(60)
    process.send_signal(signal.SIGINT)
    shell.hub.stalls.clear()
    process.communicate(timeout=60)

    assert process.returncode == 130
    assert not shell.bundles.exists() or list(shell.bundles.iterdir()) == []
    assert shell.names() == {"picturebook": "embedded"}

    assert shell.run("pull", "owner/toy")[0] == 0
    assert shell.run("verify", "owner/toy")[0] == 0


def unfinished(shell: Shell, name: str) -> set[str]:
    blobs = shell.folder / "hf" / "hub" / f"models--{name.replace('/', '--')}" / "blobs"
    return {path.name for path in blobs.glob("*.incomplete")}


def test_what_a_killed_process_did_not_finish_is_removed_by_the_next_pull_and_nothing_that_another_writes(
    shell: Shell,
) -> None:
    def stopped_half_way(name: str) -> subprocess.Popen[str]:
        shell.hub.stalled.clear()
        process = shell.start("pull", name)
        assert shell.hub.stalled.wait(60)
        time.sleep(1)  # what is not stopped ends
        return process

    shell.hub.repositories["owner/other"] = shell.hub.repositories["owner/toy"]
    shell.hub.stalls.set()
    killed, other = stopped_half_way("owner/toy"), stopped_half_way("owner/other")
    killed.kill()
    killed.communicate(timeout=60)
    left, written = unfinished(shell, "owner/toy"), unfinished(shell, "owner/other")
    again = stopped_half_way("owner/toy")
    sweep = "import sys; from edgevlo.models.unfinished import remove_unfinished; remove_unfinished(sys.argv[1])"
    for name in ("owner/toy", "owner/other"):
        here = {**os.environ, "HF_HOME": str(shell.folder / "hf")}
        subprocess.run([sys.executable, "-c", sweep, name], env=here, check=True)
    now = unfinished(shell, "owner/toy")

    assert left
    assert now
    assert not left & now
    assert written
    assert unfinished(shell, "owner/other") == written
    shell.hub.stalls.clear()
    assert (again.communicate(timeout=60)[1], again.returncode) == ("", 0)
    assert (other.communicate(timeout=60)[1], other.returncode) == ("", 0)
    assert unfinished(shell, "owner/toy") == unfinished(shell, "owner/other") == set()


def test_where_locks_do_not_work_only_old_downloads_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("edgevlo.models.unfinished._is_locked", lambda _: False)
    blobs = tmp_path / "models--owner--toy" / "blobs"
    blobs.mkdir(parents=True)
    old, young = blobs / "00ff.1234abcd.incomplete", blobs / "00fe.1234abcd.incomplete"
    for path in (old, young, blobs / "00ff"):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))

    remove_unfinished("owner/toy")

    assert sorted(path.name for path in blobs.iterdir()) == ["00fe.1234abcd.incomplete", "00ff"]


def test_a_file_that_is_not_the_one_that_the_hub_names_is_not_installed(shell: Shell) -> None:
    shell.hub.spoilt.add("backbone.onnx.data")

    line = shell.fails("pull", "owner/toy")

    assert "backbone.onnx.data of owner/toy is damaged; download it again: edgevlo rm owner/toy" in line
    assert shell.names() == {"picturebook": "embedded"}
    shell.hub.spoilt.clear()
    assert shell.run("rm", "owner/toy")[0] == 0
    assert shell.run("pull", "owner/toy")[0] == 0


def test_a_bundle_that_is_not_as_its_manifest_says_is_not_installed(shell: Shell) -> None:
    shell.hub.repositories["owner/toy"]["token_embedding.bin"] = b"half"
    assert "token_embedding.bin has 4 bytes, manifest.json says" in shell.fails("pull", "owner/toy")
    shell.hub.repositories["owner/lacking"] = {"manifest.json": shell.hub.repositories["owner/toy"]["manifest.json"]}
    assert "owner/lacking on the Hub lacks " in shell.fails("pull", "owner/lacking")
    shell.hub.repositories["owner/strange"] = {"manifest.json": b'{"format": "edgevlo-bundle/9"}'}
    assert 'format is "edgevlo-bundle/9"; this edgevlo reads' in shell.fails("pull", "owner/strange")
    assert list(shell.bundles.iterdir()) == []


def test_a_checkpoint_is_pulled_without_its_code_and_pickles(shell: Shell) -> None:
    files = {"config.json": CONFIG, "tokenizer.json": b"{}", "emu3.tiktoken": b"", "model.safetensors": WEIGHTS}
    more = {"pytorch_model.bin": WEIGHTS, "modeling.py": b"import os", "onnx/config.json": b"{}"}
    shell.hub.repositories["owner/janus"] = files | more
    line = shell.fails("paint", "a", "-m", "owner/janus")
    assert "owner/janus is a checkpoint, not a bundle; export it first" in line
    assert not any(".safetensors" in asked for asked in shell.hub.asked)

    code, out, err = shell.run("pull", "owner/janus")

    folder = Path(out.strip())
    assert (code, err) == (
        0,
        "owner/janus is a checkpoint; make a bundle of it: edgevlo export owner/janus -o BUNDLE\n",
    )
    assert {path.name for path in folder.iterdir()} == set(files)
    assert shell.names() == {"picturebook": "embedded", "owner/janus": "checkpoint"}
    assert shell.run("rm", "owner/janus")[0] == 0
    assert shell.names() == {"picturebook": "embedded"}


def test_a_model_of_text_alone_is_not_listed(shell: Shell) -> None:
    tokenizer = shell.hub.repositories["owner/toy"]["tokenizer.json"]
    files = {"config.json": b'{"architectures": ["Qwen2ForCausalLM"]}', "model.safetensors": WEIGHTS}
    shell.hub.repositories |= {"owner/words": files | {"tokenizer.json": tokenizer}, "owner/bare": files}
    assert [shell.run("pull", name)[0] for name in ("owner/words", "owner/bare")] == [0, 0]
    assert shell.names() == {"picturebook": "embedded"}


def test_pickles_are_taken_when_they_are_asked_for(shell: Shell) -> None:
    shell.hub.repositories["owner/old"] = {"config.json": CONFIG, "pytorch_model.bin": WEIGHTS}
    assert "has no safetensors" in shell.fails("pull", "owner/old")

    code, out, _ = shell.run("pull", "--pickle", "owner/old")

    assert code == 0
    assert (Path(out.strip()) / "pytorch_model.bin").read_bytes() == WEIGHTS


def test_a_pixel_decoder_of_its_own_comes_with_the_pickles(shell: Shell) -> None:
    files = {"config.json": CONFIG, "model.safetensors": WEIGHTS, "tokenizer/vqgan.ckpt": WEIGHTS[:20_000]}
    more = {"optimizer.ckpt": WEIGHTS, "pytorch_model.bin": WEIGHTS, "tokenizer/other.json": b"{}"}
    shell.hub.repositories["owner/anole"] = files | more
    folder = Path(shell.run("pull", "owner/anole")[1].strip())
    assert not (folder / "tokenizer").exists()

    assert shell.run("pull", "--pickle", "owner/anole")[0] == 0

    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == set(files)


def test_a_pixel_decoder_alone_is_no_checkpoint(shell: Shell) -> None:
    shell.hub.repositories["owner/vq"] = {"config.json": CONFIG, "vqgan.safetensors": WEIGHTS}
    assert "owner/vq on the Hub has no safetensors" in shell.fails("pull", "owner/vq")
    assert "owner/vq on the Hub has no weights" in shell.fails("pull", "--pickle", "owner/vq")


def test_another_format_says_what_to_take(shell: Shell) -> None:
    shell.hub.repositories["GAIR/Anole-7b-v0.1"] = {"README.md": b"words", "models/7b/params.json": b"{}"}
    line = shell.fails("pull", "GAIR/Anole-7b-v0.1")
    assert "(config.json). Take facebook/chameleon-7b, facebook/chameleon-30b or leloy/Anole-7b-v0.1-hf, in" in line


def test_a_checkpoint_that_is_not_whole_is_refused(shell: Shell) -> None:
    index = json.dumps(SHARDS).encode()
    shell.hub.repositories["owner/sharded"] = {
        "config.json": CONFIG, "model.safetensors.index.json": index, "model-1.safetensors": WEIGHTS,
    }  # fmt: skip
    line = shell.fails("pull", "owner/sharded")
    assert "owner/sharded lacks model-2.safetensors, which its model.safetensors.index.json names" in line
    shell.hub.repositories["owner/nothing"] = {"README.md": b"words"}
    assert "owner/nothing on the Hub is neither a bundle (manifest.json) nor" in shell.fails("pull", "owner/nothing")
    shell.hub.repositories["owner/broken"] = {
        "config.json": CONFIG, "model.safetensors.index.json": b"[]", "model-1.safetensors": WEIGHTS,
    }  # fmt: skip
    assert "owner/broken on the Hub has a damaged model.safetensors.index.json" in shell.fails("pull", "owner/broken")


def test_a_bundle_is_no_checkpoint_to_export(shell: Shell) -> None:
    line = shell.fails("export", "owner/toy", "-o", "out")
    assert "owner/toy is a bundle, not a checkpoint; use it: -m owner/toy" in line


def test_what_the_hub_does_not_give_is_one_line(shell: Shell) -> None:
    assert "there is no such model, or it is private" in shell.fails("pull", "owner/none")
    assert "it has no revision 'nope'" in shell.fails("pull", "owner/toy", "--revision", "nope")
    assert "'toy' is not a hub id; those have the form OWNER/NAME" in shell.fails("pull", "toy")
    shell.hub.gated.add("owner/toy")
    assert "its licence must be accepted first, at " in shell.fails("pull", "owner/toy")
    line = shell.fails("pull", "owner/other", HF_ENDPOINT="http://127.0.0.1:9")
    assert line.endswith(
        "Connection refused. Check the network, then run the command again; finished files are kept.\n"
    )


@pytest.mark.parametrize("name", ["none", "owner/none", "..", "", "a/../..", "/"])
def test_what_is_not_there_cannot_be_removed(shell: Shell, name: str) -> None:
    shell.bundles.mkdir(parents=True)
    (shell.folder / "manifest.json").touch()
    assert "to remove; `edgevlo list` prints the installed ones" in shell.fails("rm", name)
    assert shell.bundles.is_dir()


def test_an_embedded_model_stays_and_an_installed_one_of_its_name_goes(shell: Shell, toy: Path) -> None:
    assert "picturebook is embedded in edgevlo and cannot be removed" in shell.fails("rm", "picturebook")
    shutil.copytree(toy, shell.bundles / "picturebook")
    assert shell.run("rm", "picturebook")[0] == 0
    assert shell.names() == {"picturebook": "embedded"}


def test_a_bundle_that_cannot_be_read_is_listed_as_such(shell: Shell) -> None:
    (shell.bundles / "broken").mkdir(parents=True)
    (shell.bundles / "broken" / "manifest.json").write_text("{}")
    _, listed, _ = shell.run("list")
    assert "unusable: " in listed
    assert shell.run("rm", "broken")[0] == 0
