"""What serving costs, and what it survives: `chrt -r 20 python benchmarks/serving.py`, ahead of a machine's other work.

With `--only streaming`, or other names, these are measured alone and written beside what is there.

A server of the embedded model in a process of its own, asked over the loopback address by threads of this one. Every
picture that comes back is held against the one that this process paints with the same seed: a picture of somebody else,
or a wrong one, would be seen. The physics: one worker paints one picture after the other, so 500 requests take 500
times a picture; what HTTP, the queue and streaming add is measured with one client, where nothing hides it.
"""

import argparse
import base64
import functools
import hashlib
import http.client
import io
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image
from record import spread, write_beside

import edgevlo

PROMPT = "a red car on the beach"
SEEDS = 40  # different pictures among the requests
ROUNDS = 30
PICTURES = 100  # of each way, when their seconds are compared
LARGE, LARGE_PICTURES = "192x192", 50  # long enough for several strips
CLIENTS, REQUESTS = 64, 500
PATIENCE_S = 120


class Server:
    """A running server and how it is asked."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, str], bytes]:
        """Send one request; return status, headers and the whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def health(self) -> Any:
        """Return what the server says of itself."""
        return json.loads(self.ask("GET", "/health")[2])

    def workers(self) -> list[int]:
        """Return the process numbers of its workers."""
        return [model["pid"] for model in self.health()["models"] if model["pid"]]


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[Server, float]]:
    """Give a server that is ready, and how many seconds that took."""
    with tempfile.TemporaryDirectory() as home, (Path(home) / "log").open("wb") as log:
        command = [sys.executable, "-m", "edgevlo", "serve", "--port", "0", *arguments]
        began = time.perf_counter()
        process = subprocess.Popen(command, stderr=log, env={**os.environ, "EDGEVLO_HOME": home})
        try:
            server = Server(process, _port(Path(home) / "log"))
            while server.ask("GET", "/ready")[0] != 200:
                time.sleep(0.005)
            yield server, time.perf_counter() - began
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _port(log: Path) -> int:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for line in log.read_text().splitlines():
            with suppress(ValueError):
                if (said := json.loads(line)).get("event") == "serving":
                    return int(said["port"])
        time.sleep(0.002)
    raise TimeoutError(log.read_text())


def resident(process: int, field: str = "VmRSS") -> float:
    """Return a process's megabytes: VmRSS, or Pss, which shares out what several map."""
    name = "smaps_rollup" if field == "Pss" else "status"
    for line in Path(f"/proc/{process}/{name}").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def memory(server: Server, field: str) -> float:
    """Return the megabytes of a server and its workers."""
    return sum(resident(process, field) for process in (server.process.pid, *server.workers()))


def fingerprint(picture: Image.Image) -> str:
    """Return a picture's pixels in short."""
    return hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()


def body(seed: int) -> dict[str, Any]:
    """Return a request for a picture of a seed, by a user of its own."""
    return {"prompt": PROMPT, "seed": seed, "user": f"client {seed}"}


def painted(answer: bytes) -> str:
    """Return the fingerprint of an answer's picture."""
    (picture,) = json.loads(answer)["data"]
    return fingerprint(Image.open(io.BytesIO(base64.b64decode(picture["b64_json"]))))


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return the seconds of some rounds of work, the first left out."""
    work()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds


def costs(server: Server, model: edgevlo.Model, size: str, pictures: int) -> dict[str, Any]:
    """Return seconds of one picture: painted here, asked for, with every row, and with three pictures on the way.

    One of each way after the other, in an order by lot, so that what the machine does meanwhile meets all of them.
    """
    chance = random.Random(1)
    asked = {**body(1), "size": size}
    *_, last = model.paint_rows(PROMPT, seed=1, size=size)

    def streamed() -> None:
        status, _, answer = server.ask("POST", "/v1/paintings", {**asked, "stream": True})
        assert status == 200
        assert answer.count(b"event: row") == last.rows

    def partials() -> None:
        sent = {**asked, "stream": True, "partial_images": 3}
        _, _, answer = server.ask("POST", "/v1/images/generations", sent)
        assert answer.count(b"partial_image_index") == 3

    ways: dict[str, Callable[[], object]] = {
        "python": lambda: model.paint(PROMPT, seed=1, size=size, codes_per_pass=1),
        "whole": lambda: server.ask("POST", "/v1/images/generations", asked),
        "streamed": streamed,
        "partials": partials,
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for work in ways.values():
        work()
    for _ in range(pictures):
        for name, work in chance.sample(list(ways.items()), len(ways)):
            began = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - began)

    def over_whole(name: str) -> float:
        ratios = [one / whole_s for one, whole_s in zip(seconds[name], seconds["whole"], strict=True)]
        return round(statistics.median(ratios) - 1, 4)

    return {
        "size": size,
        "seconds": {name: spread(samples) for name, samples in seconds.items()},
        "streaming_costs": over_whole("streamed"),
        "partials_cost": over_whole("partials"),
    }


def load(server: Server, expected: list[str], kill: bool = False) -> dict[str, Any]:
    """Ask for many pictures by many clients at once; with `kill` end the worker in the middle."""
    ends: Counter[str] = Counter()
    seconds: list[float] = []
    lock = threading.Lock()
    finished: list[float] = []

    def one(number: int) -> None:
        seed = number % SEEDS
        began = time.perf_counter()
        try:
            status, headers, answer = server.ask("POST", "/v1/images/generations", body(seed))
        except OSError:
            end = "lost"
        else:
            end = str(status)
            if status == 200:
                end = "right" if painted(answer) == expected[seed] else "wrong"
            elif status == 429:
                assert int(headers["retry-after"]) > 0
        with lock:
            ends[end] += 1
            if end == "right":
                seconds.append(time.perf_counter() - began)
                finished.append(time.perf_counter())

    back = None
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        asked = [clients.submit(one, number) for number in range(REQUESTS)]
        if kill:
            while len(finished) < REQUESTS // 10:
                time.sleep(0.01)
            (worker,) = server.workers()
            killed = time.perf_counter()
            os.kill(worker, signal.SIGKILL)
            while not [moment for moment in finished if moment > killed + 0.05]:
                time.sleep(0.005)
            back = time.perf_counter() - killed
        for answer in asked:
            answer.result()
    seconds.sort()
    figures: dict[str, Any] = {
        "clients": CLIENTS,
        "requests": REQUESTS,
        "ends": dict(ends),
        "seconds": round(time.perf_counter() - began, 2),
        "latency_s": {"p50": round(seconds[len(seconds) // 2], 3), "p99": round(seconds[int(len(seconds) * 0.99)], 3)},
    }
    return figures if back is None else {**figures, "back_after_s": round(back, 3)}


def leaving(server: Server, model: edgevlo.Model) -> dict[str, Any]:
    """Return how long the engine stays busy after its only client left in mid-picture."""
    step_s = statistics.median(timed(lambda: model.paint(PROMPT, seed=1, size=LARGE), 5)) / 144
    freed = []
    for number in range(ROUNDS):
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        sent = {**body(number), "size": LARGE, "stream": True, "cancel_on_disconnect": True}
        connection.request("POST", "/v1/paintings", json.dumps(sent), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        while not answer.readline().startswith(b"event: row"):
            pass
        answer.close()
        connection.close()
        began = time.perf_counter()
        while server.health()["queue"]["running"]:
            pass
        freed.append(time.perf_counter() - began)
    return {"step_s": round(step_s, 5), "freed_after_s": spread(freed)}


def third_leaves(server: Server, expected: list[str]) -> dict[str, Any]:
    """Ask from many clients of whom a third leaves at random; the others get their own pictures."""
    ends: Counter[str] = Counter()
    chance = random.Random(1)

    def one(number: int, *, leaves_after: float | None) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=leaves_after or PATIENCE_S)
        try:
            connection.request(
                "POST",
                "/v1/images/generations",
                json.dumps(body(number % SEEDS)),
                {"Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            content = answer.read()
            right = answer.status == 200 and painted(content) == expected[number % SEEDS]
            ends["right" if right else str(answer.status)] += 1
        except TimeoutError:
            ends["left"] += 1
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS // 2) as clients:
        asked = [
            clients.submit(one, number, leaves_after=chance.uniform(0.02, 0.3) if number % 3 == 0 else None)
            for number in range(REQUESTS // 2)
        ]
        for answer in asked:
            answer.result()
    return {"requests": REQUESTS // 2, "ends": dict(ends), "running_after": server.health()["queue"]["running"]}


def starts() -> dict[str, Any]:
    """Return how long a server takes to be ready, and what an idle one holds."""
    taken = []
    for _ in range(5):
        with serving() as (server, seconds):
            taken.append(seconds)
            time.sleep(0.7)
            idle = {field: round(memory(server, field), 1) for field in ("VmRSS", "Pss")}
    return {"ready_s": spread(taken), "idle_mb": idle}


def streaming(server: Server, model: edgevlo.Model) -> dict[str, Any]:
    """Return what streaming costs with one client, in pictures of the usual size and in long ones."""
    (rows, columns), cell = model.manifest.grid.default, model.manifest.codes.cell
    usual = f"{columns * cell}x{rows * cell}"
    return {
        "one_client": costs(server, model, usual, PICTURES),
        "one_client_large": costs(server, model, LARGE, LARGE_PICTURES),
    }


def main() -> None:
    """Measure everything, or some of it, and write `results/serving.json`."""
    model = edgevlo.load()
    pictures = functools.cache(lambda: _pictures(model))
    parts: dict[str, Callable[[Server], dict[str, Any]]] = {
        "streaming": lambda server: streaming(server, model),
        "leaving": lambda server: {"leaving": leaving(server, model)},
        "load": lambda server: {"load": load(server, pictures())},
        "a_third_leaves": lambda server: {"a_third_leaves": third_leaves(server, pictures())},
        "worker_killed": lambda server: {
            "worker_killed": load(server, pictures(), kill=True),
            "idle_again_mb": {field: round(memory(server, field), 1) for field in ("VmRSS", "Pss")},
        },
    }
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="+", choices=("starts", *parts), default=["starts", *parts])
    ahead = os.sched_getscheduler(0) in (os.SCHED_RR, os.SCHED_FIFO)
    figures: dict[str, Any] = {"scheduling": "ahead of other work" if ahead else "like other work"}
    chosen = options.parse_args().only

    def note(name: str, figure: dict[str, Any]) -> None:
        figures.update(figure)
        print(name, json.dumps(figure), file=sys.stderr, flush=True)

    if "starts" in chosen:
        note("starts", starts())
    with serving() as (server, _):
        for name in (one for one in chosen if one in parts):
            note(name, parts[name](server))
    write_beside("serving", figures)


def _pictures(model: edgevlo.Model) -> list[str]:
    return [fingerprint(model.paint(PROMPT, seed=seed, codes_per_pass=1)) for seed in range(SEEDS)]


if __name__ == "__main__":
    main()
