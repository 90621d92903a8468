"""A fleet on a cluster of two nodes, and what it survives: `python benchmarks/fleet.py`, where `.[fleet]` is installed.

Two nodes of Ray on this machine, an engine on each, one door. Many clients ask at once, whole pictures and streams in
turn, and paintings that are only looked at later; in the middle an engine is killed. Every picture is held
against the one that this process paints with the same seed, every stream must have each of its events once. The
physics: the machine's cores are shared by both nodes, so two engines are no faster here than one; what is measured is
what is lost, how much the way through Ray adds, and when another engine is there.
"""

import argparse
import base64
import hashlib
import http.client
import io
import json
import logging
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import ray
from PIL import Image
from ray import serve
from ray.cluster_utils import Cluster
from record import spread, write

import edgevlo
from edgevlo.fleet import build

PROMPT = "a red car on the beach"
SEEDS = 40  # different pictures among the requests
CLIENTS = 16
PATIENCE_S = 180
PARTIALS = 3


class Fleet:
    """A running fleet and how it is asked."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
        """Send one request; return the status and the whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def engines(self) -> list[dict[str, Any]]:
        """Return what the engines say that are there."""
        status, answer = self.ask("GET", "/health")
        engines: list[dict[str, Any]] = json.loads(answer)["replicas"] if status == 200 else []
        return engines

    def wait_for(self, engines: int) -> float:
        """Wait until so many engines are there; return the seconds."""
        return wait_until(lambda: len(self.engines()) == engines)


def wait_until(holds: Callable[[], object]) -> float:
    """Wait until something holds; return the seconds."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > PATIENCE_S:
            raise TimeoutError("it does not come about")
        time.sleep(0.1)
    return time.monotonic() - began


@contextmanager
def cluster(nodes: int) -> Iterator[None]:
    """Give a cluster of Ray on this machine, a core for each node, and be connected to it."""
    running = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(nodes - 1):
            running.add_node(num_cpus=1)
        ray.init(address=running.address, logging_level=logging.ERROR, log_to_driver=False)
        yield
    finally:
        ray.shutdown()
        running.shutdown()


@contextmanager
def fleet(**arguments: object) -> Iterator[Fleet]:
    """Give a fleet of picturebook whose first engine is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port, "location": "HeadOnly"})
    try:
        serve.run(build({"models": "picturebook", "engines_each_node": 1, **arguments}), name="edgevlo")
        running = Fleet(port)
        wait_until(lambda: running.ask("GET", "/ready")[0] == 200)
        yield running
    finally:
        serve.shutdown()


def fingerprint(picture: str | bytes) -> str:
    """Return a picture file's pixels in short."""
    content = base64.b64decode(picture) if isinstance(picture, str) else picture
    return hashlib.sha256(Image.open(io.BytesIO(content)).convert("RGB").tobytes()).hexdigest()


def whole(fleet: Fleet, seed: int) -> str:
    """Ask for a picture; return its fingerprint, or the status of what came instead."""
    status, answer = fleet.ask("POST", "/v1/images/generations", {"prompt": PROMPT, "seed": seed, "user": f"{seed}"})
    return fingerprint(json.loads(answer)["data"][0]["b64_json"]) if status == 200 else str(status)


def streamed(fleet: Fleet, seed: int) -> str:
    """Ask for a picture with pictures on the way, each of which must come once and in turn; return its fingerprint."""
    body = {"prompt": PROMPT, "seed": seed, "user": f"{seed}", "stream": True, "partial_images": PARTIALS}
    status, answer = fleet.ask("POST", "/v1/images/generations", body)
    if status != 200:
        return str(status)
    events = [json.loads(line[6:]) for line in answer.decode().splitlines() if line.startswith("data: ")]
    if [one.get("partial_image_index") for one in events] != [*range(PARTIALS), None]:
        return "events lost or doubled"
    return fingerprint(events[-1]["b64_json"]) if "b64_json" in events[-1] else "error in the stream"


def kept(fleet: Fleet, seed: int) -> str:
    """Ask for a painting and come back until it is done; return its fingerprint."""
    status, answer = fleet.ask("POST", "/v1/paintings", {"prompt": PROMPT, "seed": seed, "user": f"{seed}"})
    if status != 202:
        return str(status)
    name = json.loads(answer)["id"]
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        status, answer = fleet.ask("GET", f"/v1/paintings/{name}")
        state = json.loads(answer).get("status")
        if status == 200 and state == "done":
            return fingerprint(fleet.ask("GET", f"/v1/paintings/{name}/pictures/0")[1])
        if status != 200 or state in ("failed", "cancelled"):
            return f"{status} {state}"
        time.sleep(0.1)
    return "never done"


WAYS: dict[str, Callable[[Fleet, int], str]] = {"whole": whole, "streamed": streamed, "kept": kept}


def load(
    fleet: Fleet, expected: list[str], requests: int, lose: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Ask for many pictures at once, each way in turn; in the middle `lose` an engine that works on some."""
    ends: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    lock = threading.Lock()
    began = time.perf_counter()

    def one(number: int) -> None:
        way, seed = list(WAYS)[number % len(WAYS)], number % SEEDS
        try:
            end = WAYS[way](fleet, seed)
        except (OSError, http.client.HTTPException) as error:
            end = type(error).__name__
        with lock:
            ends[way]["right" if end == expected[seed] else f"wrong: {end}"] += 1

    def done() -> int:
        return sum(sum(counts.values()) for counts in ends.values())

    figures: dict[str, Any] = {"clients": CLIENTS, "requests": requests}
    with ThreadPoolExecutor(CLIENTS) as clients:
        asked = [clients.submit(one, number) for number in range(requests)]
        if lose is not None:
            wait_until(lambda: done() >= requests // 4)
            lost = max(fleet.engines(), key=lambda engine: engine["queue"]["waiting"] + engine["queue"]["running"])
            lose(lost)
            figures["had_taken"] = lost["queue"]["waiting"] + lost["queue"]["running"]
        for answer in asked:
            answer.result()
    return {
        **figures,
        "seconds": round(time.perf_counter() - began, 2),
        "right": sum(counts["right"] for counts in ends.values()),
        "ends": {way: dict(counts) for way, counts in ends.items()},
    }


def kill(engine: dict[str, Any]) -> None:
    """End an engine's process at once; its worker ends with it."""
    os.kill(engine["pid"], signal.SIGKILL)


def costs(fleet: Fleet, model: edgevlo.Model, rounds: int) -> dict[str, Any]:
    """Return seconds of a picture painted here and asked for, in turns: the way through Ray and two processes more."""
    seconds: dict[str, list[float]] = {"python": [], "fleet": []}
    for number in range(rounds + 1):
        for way, work in (
            ("python", lambda: model.paint(PROMPT, seed=1, codes_per_pass=1)),
            ("fleet", lambda: whole(fleet, 1)),
        ):
            began = time.perf_counter()
            work()
            if number:
                seconds[way].append(time.perf_counter() - began)
    added = [one - painted for one, painted in zip(seconds["fleet"], seconds["python"], strict=True)]
    return {
        **{way: spread(samples) for way, samples in seconds.items()},
        "fleet_over_python": round(statistics.median(seconds["fleet"]) / statistics.median(seconds["python"]), 2),
        "added_s": round(statistics.median(added), 4),
    }


def growth(fleet: Fleet) -> dict[str, Any]:
    """Ask more than one engine answers at once; return after how many seconds there are two, and then one again."""
    going = threading.Event()

    def keep_asking(seed: int) -> None:
        while not going.is_set():
            whole(fleet, seed)

    with ThreadPoolExecutor(CLIENTS) as clients:
        for seed in range(CLIENTS):
            clients.submit(keep_asking, seed)
        up = fleet.wait_for(2)
        going.set()
    return {"second_engine_after_s": round(up, 1), "one_again_after_s": round(fleet.wait_for(1), 1)}


def main() -> None:
    """Measure everything and write `results/fleet.json`; with `--requests` a small part, which is printed only."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, help="so many, an engine killed among them; nothing is written")
    requests = options.parse_args().requests
    model = edgevlo.load()
    pictures = [model.paint(PROMPT, seed=seed, codes_per_pass=1) for seed in range(SEEDS)]
    expected = [fingerprint(edgevlo.png_bytes(picture)) for picture in pictures]
    figures: dict[str, Any] = {"nodes": 2, "engines": 2, "ray": version("ray"), "scheduling": "beside other work"}

    def note(name: str, figure: Any) -> None:
        figures[name] = figure
        print(name, json.dumps(figure), file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as journal, cluster(2):
        with fleet(engines=2, engines_at_most=2, journal=journal, grace=20) as running:
            if requests:
                note("engine_killed", load(running, expected, requests, kill))
                print(json.dumps(figures))
                return
            note("one_client", costs(running, model, 20))
            note("load", load(running, expected, 150))
            note("engine_killed", load(running, expected, 300, kill))
            note("two_again_after_s", round(running.wait_for(2), 1))
        with fleet(engines=1, engines_at_most=2, calls_each=2, idle=2, grace=20) as running:
            note("growth", growth(running))
    write("fleet", figures)


if __name__ == "__main__":
    main()
