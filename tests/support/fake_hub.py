"""A hub on this machine: the few endpoints that huggingface_hub asks when it downloads a model.

Files up to `SMALL` bytes are git's (their ETag is git's hash), larger ones LFS (SHA-256), as on the real one.
"""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

SMALL = 10_000
COMMIT = "c0ffee" + "0" * 34


class FakeHub:
    """Repositories by name, each a mapping from file to content; what was asked for stands in `asked`."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []
        self.stalls = threading.Event()  # while set, a large file stops half-way
        self.stalled = threading.Event()
        self.spoilt: set[str] = set()  # files that come with other content than their hash says
        self.gated: set[str] = set()
        self.url = ""


def etag(content: bytes) -> str:
    if len(content) > SMALL:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """Serve on a free port of the loopback address."""
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).strip("/")
            hub.asked.append(f"{self.command} {path}")
            if path.startswith("api/models/"):
                self._api(path.removeprefix("api/models/").split("/"))
            else:
                self._file(path.split("/"))

        def _api(self, parts: list[str]) -> None:
            name, rest = "/".join(parts[:2]), parts[2:]
            if name not in hub.repositories:
                return self._refuse(401, "RepoNotFound")
            files = hub.repositories[name]
            if rest[:1] == ["tree"]:
                tree = [
                    {"type": "file", "path": file, "size": len(content), "oid": etag(content)}
                    | (
                        {"lfs": {"oid": etag(content), "size": len(content), "pointerSize": 130}}
                        if len(content) > SMALL
                        else {}
                    )
                    for file, content in files.items()
                ]
                return self._json(tree)
            if rest[:1] == ["revision"] and rest[1] not in ("main", COMMIT):
                return self._refuse(404, "RevisionNotFound")
            siblings = [{"rfilename": file} for file in files]
            return self._json({"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings, "private": False,
                               "tags": [], "downloads": 0, "likes": 0})  # fmt: skip

        def _file(self, parts: list[str]) -> None:
            name, file = "/".join(parts[:2]), "/".join(parts[4:])
            content = hub.repositories.get(name, {}).get(file)
            if content is None:
                return self._refuse(404, "EntryNotFound")
            if name in hub.gated:
                return self._refuse(403, "GatedRepo")
            tag = etag(content)
            if file in hub.spoilt:
                content = content[:-1] + bytes([content[-1] ^ 1])
            start = 0
            if asked := self.headers.get("Range"):
                start = int(asked.removeprefix("bytes=").split("-")[0])
            self.send_response(206 if asked else 200)
            self.send_header("ETag", f'"{tag}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(content) - start))
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if self.command == "GET":
                body = content[start:]
                half = len(body) // 2
                self.wfile.write(body[:half])
                if hub.stalls.is_set() and len(content) > SMALL:
                    self.wfile.flush()
                    hub.stalled.set()
                    while hub.stalls.is_set():
                        time.sleep(0.05)
                self.wfile.write(body[half:])
            return None

        def _json(self, content: Any) -> None:
            encoded = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(encoded)

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the class's own name)
            pass

    return Handler
