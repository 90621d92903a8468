"""`edgevlo serve`, `ps` and `stop`: started, found, and ended with nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from serving_fixtures import ROOT, Server, copied

from edgevlo.cli import run


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EDGEVLO_HOME": str(server.log.parent / "home"), "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, "-m", "edgevlo", *arguments], capture_output=True, text=True, check=False, env=environment
    )


def test_a_server_is_listed_and_stopped(start: Callable[..., Server], toy: Path) -> None:
    server = start("-m", str(toy))
    worker = server.health()["models"][0]["pid"]

    listed = command(server, "ps", "--json")
    (found,) = json.loads(listed.stdout)
    assert (found["url"], found["pid"]) == (server.url, server.process.pid)
    assert found["models"][0]["name"] == "toy"
    assert f"{server.url}  pid {server.process.pid}  0 running, 0 waiting\n  toy  " in command(server, "ps").stdout

    stopped = command(server, "stop")
    assert (stopped.returncode, stopped.stdout) == (0, f"{server.url} stopped\n")
    assert server.process.wait(5) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert command(server, "ps").stdout == ""
    again = command(server, "stop")
    assert (again.returncode, again.stderr[:24]) == (1, "edgevlo: no server runs ")


def test_stopping_finishes_what_is_painted(start: Callable[..., Server], slow_toy: Path) -> None:
    server = start("-m", str(slow_toy))
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(server.post, "/v1/images/generations", {"prompt": "a", "size": "40x40"})
        server.wait_until(lambda: server.health()["queue"]["running"] == 1)
        server.process.send_signal(signal.SIGTERM)
        assert answer.result().status == 200
    assert server.process.wait(10) == 0


def test_a_server_that_was_killed_leaves_neither_worker_nor_note(start: Callable[..., Server], toy: Path) -> None:
    server = start("-m", str(toy))
    worker = server.health()["models"][0]["pid"]
    server.process.kill()
    server.process.wait(5)

    def gone() -> bool:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

    server.wait_until(gone, 10)
    assert command(server, "ps").stdout == ""
    assert list((server.log.parent / "home" / "servers").iterdir()) == []


def test_models_are_named_by_their_folders_and_the_first_is_the_default(
    start: Callable[..., Server], toy: Path, tmp_path: Path
) -> None:
    other = copied(toy, tmp_path / "other")
    server = start("-m", str(other), "-m", str(toy), "--alias", "dall-e-3", "--alias", "mine=toy")

    listed = {one["id"]: one["alias_of"] for one in server.get("/v1/models").json["data"]}
    assert listed == {"other": None, "toy": None, "dall-e-3": "other", "mine": "toy"}
    assert [model["loaded"] for model in server.health()["models"]] == [True, False]
    assert server.post("/v1/images/generations", {"prompt": "a", "model": "mine"}).status == 200
    assert [model["loaded"] for model in server.health()["models"]] == [True, True]


def test_readiness_is_said_when_the_model_is_open(start: Callable[..., Server], toy: Path) -> None:
    server = start("-m", str(toy), ready=False)

    assert server.get("/health").json["status"] == "ok"
    server.wait_until_ready()
    assert server.health()["models"][0]["loaded"] is True


@pytest.mark.parametrize(("arguments", "message"), [
    (("-m", "nothing-of-the-kind"), "there is no bundle 'nothing-of-the-kind'"),
    (("--alias", "a=b"), "--alias a=b names a model that is not served"),
    (("--memory-budget", "much"), "'much' is not a size"),
    (("--api-key-file", "missing.txt"), "missing.txt cannot be read"),
])  # fmt: skip
def test_what_cannot_be_served_is_said_in_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)

    assert run(["serve", "--port", "0", *arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"edgevlo: {message}")
    assert said.count("\n") == 1


def test_a_port_that_is_taken_is_said_in_one_line(
    server: Server, toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", "--port", str(server.port), "-m", str(toy)]) == 1
    assert capsys.readouterr().err.startswith(f"edgevlo: 127.0.0.1:{server.port} cannot be served (")
