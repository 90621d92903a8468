"""Running servers for tests: the command itself in a process of its own, spoken to over the loopback address."""

import base64
import http.client
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from toy_bundle import rewritten
from toy_reference import CELL

ROOT = Path(__file__).resolve().parent.parent.parent
START_S = 60
SLOW_SIDE = 512  # of the matrices that a slow step multiplies: about 10 ms


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """Return the error object, which is all there is in an error of OpenAI's form."""
        assert self.headers["content-type"] == "application/json"
        assert set(self.json) == {"error"}
        error: dict[str, Any] = self.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert "Traceback" not in error["message"]
        return error


class Server(NamedTuple):
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """Send one request and read the whole answer."""
        sent = dict(headers or {})
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            sent = {"Content-Type": "application/json"} | sent
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answered:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: dict[str, Any], **headers: str) -> Answered:
        return self.request("POST", path, body, headers)

    def health(self) -> Any:
        return self.get("/health").json

    def wait_until(self, holds: Callable[[], object], seconds: float = 30) -> None:
        """Wait until something holds; fail when it never does."""
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)

    def wait_until_ready(self) -> None:
        self.wait_until(lambda: self.get("/ready").status == 200)

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]


@contextmanager
def serving(folder: Path, *arguments: str, ready: bool = True) -> Iterator[Server]:
    """Run `edgevlo serve` with these arguments at a free port; its home is in `folder`."""
    folder.mkdir(exist_ok=True)
    log = folder / "log.jsonl"
    environment = {
        **os.environ,
        "EDGEVLO_HOME": str(folder / "home"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT / "src"),
    }
    command = [sys.executable, "-m", "edgevlo", "serve", "--port", "0", *arguments]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stderr=stream, env=environment, cwd=folder)
    server = Server(process, 0, log)
    try:
        server.wait_until(lambda: server.logged("serving") or process.poll() is not None, START_S)
        assert process.poll() is None, log.read_text()
        server = server._replace(port=server.logged("serving")[0]["port"])
        if ready:
            server.wait_until_ready()
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def server(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server of the toy bundle that many tests share; none of them stops it."""
    with serving(tmp_path_factory.mktemp("serving") / "shared", "-m", str(toy), "--alias", "gpt-image-1") as running:
        yield running


@pytest.fixture(scope="session")
def slow_toy(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the toy with a backbone whose every run takes some milliseconds and gives the same numbers."""
    graph = onnx.load(toy / "backbone.onnx")
    noise = np.random.default_rng(0).normal(size=(SLOW_SIDE, SLOW_SIDE)).astype(np.float32) / SLOW_SIDE
    graph.graph.initializer.extend(
        [numpy_helper.from_array(noise, "slow_noise"), numpy_helper.from_array(np.zeros((), np.float32), "slow_zero")]
    )
    body = graph.graph
    last = next(node for node in body.node if "hidden" in node.output)
    last.output[0] = "slow_hidden"
    work = [
        helper.make_node("Cast", ["past_lengths"], ["slow_lengths"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["slow_lengths"], ["slow_length"], keepdims=0),
        helper.make_node("Add", ["slow_noise", "slow_length"], ["slow_0"]),
        *(helper.make_node("MatMul", [f"slow_{i}", "slow_noise"], [f"slow_{i + 1}"]) for i in range(3)),
        helper.make_node("ReduceMean", ["slow_3"], ["slow_mean"], keepdims=0),
        helper.make_node("Mul", ["slow_mean", "slow_zero"], ["slow_nothing"]),
        helper.make_node("Add", ["slow_hidden", "slow_nothing"], ["hidden"]),
    ]
    place = list(body.node).index(last) + 1
    nodes = [*body.node[:place], *work, *body.node[place:]]
    del body.node[:]
    body.node.extend(nodes)
    files = tmp_path_factory.mktemp("slow")
    onnx.save(graph, files / "backbone.onnx", save_as_external_data=True, location="backbone.onnx.data",
              size_threshold=512)  # fmt: skip
    content = {name: (files / name).read_bytes() for name in ("backbone.onnx", "backbone.onnx.data")}
    return rewritten(toy, files / "slow", lambda tree: tree.update(name="slow"), files=content)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server for one test."""
    with ExitStack() as stack:
        numbers = iter(range(100))

        def begin(*arguments: str, ready: bool = True) -> Server:
            return stack.enter_context(serving(tmp_path / f"server-{next(numbers)}", *arguments, ready=ready))

        yield begin


def png(width: int = 4 * CELL, height: int = 3 * CELL, colour: tuple[int, int, int] = (255, 0, 0)) -> bytes:
    """Return a picture file of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def opened(content: str | bytes) -> Image.Image:
    """Open a picture given as base64 or as bytes."""
    raw = base64.b64decode(content) if isinstance(content, str) else content
    image = Image.open(io.BytesIO(raw))
    image.load()
    return image


def copied(toy: Path, folder: Path) -> Path:
    return Path(shutil.copytree(toy, folder))


class Told(NamedTuple):
    """One server-sent event."""

    number: int | None
    name: str | None
    data: Any


def told(stream: IO[bytes]) -> Iterator[Told]:
    """Yield the events of a stream as they come, by the rules of the HTML standard."""
    fields: dict[str, str] = {}
    for raw in stream:
        line = raw.decode().rstrip("\n")
        if not line:
            if "data" in fields:
                number = fields.get("id")
                yield Told(None if number is None else int(number), fields.get("event"), json.loads(fields["data"]))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


@contextmanager
def streaming(
    server: Server,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Iterator[Told]]:
    """Give the events of a request, and leave in the middle of them when the block ends."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        yield told(answer)
        answer.close()
    finally:
        connection.close()
