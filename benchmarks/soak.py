"""Whether a server's memory grows under mixed clients: `python benchmarks/soak.py --minutes 30`, beside other work.

Four clients each do one thing after the other, chosen by lot: pictures as a whole, streamed with unfinished pictures
or row by row, edits, answers, boxes, maps, dialogues that end with a reset, and clients that leave in the middle.
Every few seconds the memory that the server and its worker have to themselves (RssAnon) is sampled; pages of files, as
of weights and libraries, come and go with what the rest of the machine needs.

The physics: finished paintings are kept for ten minutes, so memory grows until they leave as fast as they come. The
slope is therefore that of the time after, by a line through the means of its minutes; samples a few seconds apart
repeat each other, and their own interval would be too narrow.
"""

import argparse
import base64
import http.client
import json
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from record import write
from serving import PATIENCE_S, PROMPT, Server, body, fingerprint, memory, painted, resident, serving

import edgevlo

CLIENTS = 4
SEEDS = 20
SETTLES_AFTER_S = 600.0  # as long as paintings are kept
SAMPLE_S = 5.0
PAUSE_S = 0.3
SLOWEST_S = 60.0
# Two-sided 95 % of Student's t, by degrees of freedom.
T95 = {8: 2.306, 13: 2.160, 18: 2.101, 23: 2.069, 28: 2.048, 48: 2.011}


class Clients:
    """Mixed clients of one server. `ends` counts what they did and how it ended."""

    def __init__(self, server: Server, expected: list[str], source: bytes) -> None:
        self.server = server
        self.expected = expected
        self.shown = {"image": "data:image/png;base64," + base64.b64encode(source).decode()}
        self.ends: Counter[str] = Counter()
        self.over = threading.Event()
        self._lock = threading.Lock()

    def one(self, number: int) -> None:
        """Do one thing after the other until it is over."""
        chance = random.Random(number)
        things: list[Callable[[random.Random], str]] = [
            self.whole, self.partials, self.rows, self.edit, self.ask, self.look, self.dialogue, self.leave,
            self.leave_behind,
        ]  # fmt: skip
        while not self.over.is_set():
            thing = chance.choice(things)
            try:
                end = thing(chance)
            except (OSError, http.client.HTTPException, AssertionError) as error:
                end = f"failed: {type(error).__name__} {error}"[:120]
            with self._lock:
                self.ends[f"{thing.__name__} {end}"] += 1
            self.over.wait(chance.uniform(0, 2 * PAUSE_S))

    def whole(self, chance: random.Random) -> str:
        """Ask for a picture and compare it with that of its seed."""
        seed = chance.randrange(SEEDS)
        status, _, answer = self.server.ask("POST", "/v1/images/generations", body(seed))
        assert status == 200, answer
        return "right" if painted(answer) == self.expected[seed] else "wrong"

    def partials(self, chance: random.Random) -> str:
        """Stream a picture with three unfinished ones."""
        sent = {**body(chance.randrange(SEEDS)), "stream": True, "partial_images": 3}
        return self._streamed("/v1/images/generations", sent, b"image_generation.completed")

    def rows(self, chance: random.Random) -> str:
        """Stream a painting row by row, and delete some."""
        sent = {**body(chance.randrange(SEEDS)), "stream": True}
        return self._streamed("/v1/paintings", sent, b"event: done")

    def edit(self, chance: random.Random) -> str:
        """Change a picture."""
        sent = {**self.shown, "prompt": "make it night", "seed": chance.randrange(SEEDS)}
        return self._answered("/v1/images/edits", sent)

    def ask(self, _: random.Random) -> str:
        """Ask about a picture, as chat clients do."""
        parts = [
            {"type": "text", "text": "what colour is the car?"},
            {"type": "image_url", "image_url": {"url": self.shown["image"]}},
        ]
        return self._answered("/v1/chat/completions", {"messages": [{"role": "user", "content": parts}]})

    def look(self, chance: random.Random) -> str:
        """Find objects, or paint what is perceived."""
        return self._answered(chance.choice(["/v1/detect", "/v1/segment", "/v1/edges"]), self.shown)

    def dialogue(self, chance: random.Random) -> str:
        """Paint, change, map and ask in a session, and delete it."""
        status, _, answer = self.server.ask("POST", "/v1/sessions", {})
        assert status == 201, answer
        address = f"/v1/sessions/{json.loads(answer)['id']}"
        for turn in ({"say": PROMPT, "stream": True}, {"say": "make it night", "stream": True},
                     {"ability": "segment", "stream": True}, {"say": "what colour is the car?"}):  # fmt: skip
            status, _, answer = self.server.ask("POST", f"{address}/turns", turn)
            assert status == 200, answer
            if chance.random() < 0.05:
                break  # reset in the middle
        assert self.server.ask("DELETE", address)[0] == 204
        assert self.server.ask("GET", address)[0] == 404
        return "reset"

    def leave(self, chance: random.Random) -> str:
        """Leave a picture that nobody wants any more."""
        kind = chance.choice(["/v1/images/generations", "/v1/paintings"])
        more = {"cancel_on_disconnect": True} if kind == "/v1/paintings" else {"partial_images": 3}
        return self._left(kind, {**body(chance.randrange(SEEDS)), "stream": True, **more}, chance)

    def leave_behind(self, chance: random.Random) -> str:
        """Leave a painting that is finished and kept."""
        return self._left("/v1/paintings", {**body(chance.randrange(SEEDS)), "stream": True}, chance)

    def _answered(self, path: str, sent: dict[str, Any]) -> str:
        status, _, answer = self.server.ask("POST", path, sent)
        assert status == 200, answer
        return "answered"

    def _streamed(self, path: str, sent: dict[str, Any], last: bytes) -> str:
        status, _, answer = self.server.ask("POST", path, sent)
        assert status == 200, answer
        assert last in answer, answer[-200:]
        return "streamed"

    def _left(self, path: str, sent: dict[str, Any], chance: random.Random) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE_S)
        connection.request("POST", path, json.dumps(sent), {"Content-Type": "application/json"})
        if chance.random() < 0.5:
            answer = connection.getresponse()
            answer.readline()
            answer.close()
        connection.close()
        return "left"


@contextmanager
def at_work(clients: Clients) -> Iterator[None]:
    """Let the clients work."""
    threads = [threading.Thread(target=clients.one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        clients.over.set()
        for thread in threads:
            thread.join(SLOWEST_S)


def sampled(server: Server, seconds: float) -> list[dict[str, float]]:
    """Return times, the megabytes that server and worker have to themselves then, and those of all resident pages."""
    samples = []
    began = time.monotonic()
    (worker,) = server.workers()
    while (now := time.monotonic() - began) < seconds:
        sizes = {"server": resident(server.process.pid, "RssAnon"), "worker": resident(worker, "RssAnon")}
        samples.append({"s": now, **sizes, "resident": memory(server, "VmRSS")})
        time.sleep(SAMPLE_S)
    assert server.workers() == [worker], "the worker was replaced"
    return samples


def slope(samples: list[dict[str, float]], name: str) -> dict[str, Any]:
    """Return megabytes an hour of a process once it has settled, and their 95 % interval."""
    minutes: dict[int, list[float]] = {}
    for sample in samples:
        if sample["s"] >= SETTLES_AFTER_S:
            minutes.setdefault(int(sample["s"] // 60), []).append(sample[name])
    times = list(minutes)
    sizes = [statistics.mean(one) for one in minutes.values()]
    line = statistics.linear_regression(times, sizes)
    freedom = len(times) - 2
    rest = sum((size - line.intercept - line.slope * at) ** 2 for at, size in zip(times, sizes, strict=True))
    spread = sum((at - statistics.mean(times)) ** 2 for at in times)
    t95 = T95[max((known for known in T95 if known <= freedom), default=min(T95))]
    half = t95 * (rest / freedom / spread) ** 0.5
    return {
        "minutes": len(times),
        "mb_per_hour": round(line.slope * 60, 2),
        "interval_95": [round((line.slope - half) * 60, 2), round((line.slope + half) * 60, 2)],
    }


def main() -> None:
    """Let mixed clients work for some minutes; write `results/soak.json`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=30.0)
    minutes = options.parse_args().minutes
    if minutes * 60 < SETTLES_AFTER_S + 600:
        options.error("a slope needs twenty minutes or more")
    model = edgevlo.load()
    pictures = [model.paint(PROMPT, seed=seed, codes_per_pass=1) for seed in range(SEEDS)]
    with serving() as (server, _):
        _, _, answer = server.ask("POST", "/v1/images/generations", body(0))
        source = base64.b64decode(json.loads(answer)["data"][0]["b64_json"])
        clients = Clients(server, [fingerprint(picture) for picture in pictures], source)
        with at_work(clients):
            samples = sampled(server, minutes * 60)
        health = server.health()
    every_minute = [one for number, one in enumerate(samples) if number % round(60 / SAMPLE_S) == 0]
    write("soak", {
        "minutes": minutes,
        "clients": CLIENTS,
        "requests": sum(clients.ends.values()),
        "ends": dict(sorted(clients.ends.items())),
        "running_after": health["queue"]["running"],
        "settles_after_s": SETTLES_AFTER_S,
        "slope": {name: slope(samples, name) for name in ("server", "worker")},
        "megabytes": {name: [round(one[name], 1) for one in every_minute] for name in ("server", "worker", "resident")},
    })  # fmt: skip
    print(json.dumps(clients.ends), file=sys.stderr)


if __name__ == "__main__":
    main()
