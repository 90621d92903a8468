"""Notes of running servers, when another program has the port by now, or a proxy is set."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgevlo.serving.running_servers import Note, ask, noted, notes


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Give the port of a program that answers everybody the same."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9.6\r\n", b"", b"\xff" * 99, response(b"[]"), response(b'"ok"'), response(b"[" * 99_999)],
    ids=["ssh", "nothing", "noise", "list", "text", "deep"],
)
def test_another_program_on_a_servers_port_is_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path))
    with answering(answer) as port:
        note = Note(instance="it", host="127.0.0.1", port=port)
        with noted(note):
            assert ask(note, "/health") == {}
            assert list(notes()) == []


def test_a_proxy_is_not_asked_about_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path))
    monkeypatch.delenv("no_proxy", raising=False)
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with answering(response(b'{"instance": "it"}')) as port:
        note = Note(instance="it", host="127.0.0.1", port=port)
        with noted(note):
            assert list(notes()) == [note]


@pytest.mark.parametrize("damage", [b"[" * 99_999, b"[]", b"{}", b"\xff", json.dumps({"pid": 2**70}).encode()])
def test_damaged_notes_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes) -> None:
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path))
    (tmp_path / "servers").mkdir()
    (tmp_path / "servers" / "a.json").write_bytes(damage)
    whole = {"instance": "it", "host": "127.0.0.1", "port": 9, "pid": 2**70, "started": 0.0}
    (tmp_path / "servers" / "b.json").write_text(json.dumps(whole))

    assert list(notes()) == []


def test_a_server_that_ended_leaves_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path))
    (tmp_path / "servers").mkdir()
    gone = {"instance": "it", "host": "127.0.0.1", "port": 9, "pid": 2**22 + os.getpid(), "started": 0.0}
    (tmp_path / "servers" / "it.json").write_text(json.dumps(gone))

    assert list(notes()) == []
    assert list((tmp_path / "servers").iterdir()) == []
