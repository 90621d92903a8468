"""The door of a fleet before engines that are lost, gone elsewhere or busy. The engines here are made up, and obey."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import pytest
from starlette.types import Message

from edgevlo.serving.fleet.door import BusyError, ReplicaLostError, make_door
from edgevlo.serving.fleet.metrics import joined
from edgevlo.serving.fleet.request_message import Asked
from edgevlo.serving.web.access import Access

LOST = "lost"
Part = bytes | str  # of an answer: a body, or the engine's end


class Engines:
    """Engines by name: each answers from what it was given, a list of parts for every request it gets."""

    def __init__(self, answers: Mapping[str, list[list[Part]]], moved: Mapping[str, str] | None = None) -> None:
        self.answers = {name: list(parts) for name, parts in answers.items()}
        self.moved = dict(moved or {})
        self.asked: list[tuple[str, Asked]] = []
        self.left = 0

    async def ask(self, asked: Asked, owner: str | None) -> AsyncGenerator[Message]:
        there = [name for name, parts in self.answers.items() if parts]
        name = owner if owner in there else there[0]
        self.asked.append((name, asked))
        head, *parts = self.answers[name].pop(0)
        if head == "busy":
            raise BusyError
        if head == LOST:
            raise ReplicaLostError
        status, _, kind = str(head).partition(" ")
        headers = [(b"content-type", kind.encode()), (b"x-edgevlo-replica", name.encode())]
        yield {"type": "http.response.start", "status": int(status), "headers": headers}
        try:
            for part in parts:
                if part == LOST:
                    raise ReplicaLostError
                if part == "wait":
                    await asyncio.Event().wait()
                yield {"type": "http.response.body", "body": part, "more_body": True}
            yield {"type": "http.response.body", "body": b"", "more_body": False}
        except (GeneratorExit, asyncio.CancelledError):
            self.left += 1
            raise

    async def holder(self, name: str) -> str | None:
        return self.moved.get(name)

    async def health(self) -> list[dict[str, Any]]:
        return [{"instance": name, "ready": name != "b"} for name in self.answers]

    async def metrics(self) -> Mapping[str, str]:
        return {}


class Told:
    """What a client got."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert self.status == 0, "an answer begins once"
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        self.body += message.get("body", b"")

    @property
    def error(self) -> Any:
        return json.loads(self.body)["error"]


def ask(
    engines: Engines, method: str, path: str, body: bytes = b"{}", leaves: Callable[[Told], bool] | None = None
) -> Told:
    """Send a request through a door; the client leaves as soon as `leaves` says so."""
    told = Told()
    parts = [body]

    async def receive() -> Message:
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": False}
        while leaves is None or not leaves(told):
            await asyncio.sleep(0.001)
        return {"type": "http.disconnect"}

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 5), "server": ("localhost", 80), "scheme": "http",
        "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(make_door(engines, Access())(scope, receive, told.send), 10))
    return told


STREAM = "200 text/event-stream"


def test_an_answer_whose_engine_was_lost_comes_from_another_with_the_same_seed() -> None:
    engines = Engines({"a": [[LOST], ["200 image/png", b"half", LOST]], "b": [["200 application/json", b"whole"]]})
    told = ask(engines, "POST", "/v1/images/generations")

    assert (told.status, told.body) == (200, b"whole")
    assert [name for name, _ in engines.asked] == ["a", "a", "b"]
    assert len({asked.seed for _, asked in engines.asked}) == 1


def test_a_stream_goes_on_with_the_event_that_comes_next() -> None:
    engines = Engines(
        {"a": [[STREAM, b"data: 0\n\n", b": still here\n\n", b"data: 1\n\n", LOST]],
         "b": [[STREAM, b": still here\n\n", b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]]}
    )  # fmt: skip
    told = ask(engines, "POST", "/v1/images/generations")

    assert told.body.replace(b": still here\n\n", b"") == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"


def test_a_stream_that_another_engine_could_not_go_on_with_breaks_off() -> None:
    engines = Engines({"a": [[STREAM, b"data: 0\n\n", LOST]], "b": [[STREAM, b"data: 0\n\n"]]})
    with pytest.raises(ReplicaLostError):
        ask(engines, "POST", "/v1/paintings")
    assert len(engines.asked) == 1


def test_engines_lost_again_and_again_end_in_an_error_of_openai_s_form() -> None:
    told = ask(Engines({"a": [[LOST]] * 4}), "POST", "/v1/images/generations")
    assert (told.status, told.error["code"]) == (503, "replica_lost")
    assert told.headers["retry-after"] == "5"

    told = ask(Engines({"a": [[STREAM, b"data: 0\n\n", LOST]] * 4}), "POST", "/v1/chat/completions")
    events = told.body.split(b"\n\n")
    assert (told.status, events[0]) == (200, b"data: 0")
    assert json.loads(events[1].removeprefix(b"data: "))["error"]["code"] == "replica_lost"


def test_a_full_fleet_answers_429_with_retry_after() -> None:
    told = ask(Engines({"a": [["busy"]]}), "POST", "/v1/images/generations")
    assert (told.status, told.error["code"], told.headers["retry-after"]) == (429, "queue_full", "5")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/paintings/b.x-_", b""),
        ("/v1/paintings/b.x-_/events", b""),
        ("/v1/sessions/b.x-_/turns", b"{}"),
        ("/v1/responses/resp_b.x-_-3", b""),
        ("/v1/responses", b'{"input": "a", "previous_response_id": "resp_b.x-_-3"}'),
        ("/v1/responses", b'{"input": [{"role": "user", "id": null}], "previous_response_id": "resp_b.x-_-3"}'),
        ("/v1/responses", b'{"input": [{"role": "user"}, {"type": "image_generation_call", "id": "ig_b.x-_"}]}'),
    ],
)
def test_what_is_about_something_goes_to_the_engine_that_has_it(path: str, body: bytes) -> None:
    engines = Engines({"a": [["200 a/a", b"a"]], "b": [["200 a/a", b"b"]]})
    assert ask(engines, "POST", path, body).body == b"b"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"previous_response_id": 5}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_none_goes_to_any_engine_which_says_so(body: bytes) -> None:
    engines = Engines({"a": [["400 application/json", b"a"]]})
    assert ask(engines, "POST", "/v1/responses", body).status == 400


def test_a_painting_whose_engine_is_gone_is_found_at_the_one_that_took_it_up() -> None:
    missing: list[Part] = ["404 application/json", b"no"]
    engines = Engines({"a": [missing], "b": [["200 a/a", b"b"]]}, moved={"gone.x": "b"})
    assert ask(engines, "GET", "/v1/paintings/gone.x").body == b"b"

    engines = Engines({"a": [missing, ["200 a/a", b"a"]]}, moved={"gone.x": "a"})
    assert ask(engines, "GET", "/v1/paintings/gone.x").body == b"a", "the engine that was asked took it up itself"

    told = ask(Engines({"a": [missing]}), "GET", "/v1/paintings/gone.x")
    assert (told.status, told.body) == (404, b"no")


def test_a_client_that_leaves_leaves_its_engine() -> None:
    engines = Engines({"a": [[STREAM, b"data: 0\n\n", "wait"]]})
    told = ask(engines, "POST", "/v1/images/generations", leaves=lambda told: bool(told.body))

    assert told.body == b"data: 0\n\n"
    assert engines.left == 1


def test_the_door_is_guarded_and_says_how_its_engines_are() -> None:
    engines = Engines({"a": [], "b": []})
    told = ask(engines, "GET", "/ready")
    assert (told.status, told.body) == (200, b'{"ready":true}')
    assert ask(Engines({"b": []}), "GET", "/ready").status == 503
    assert json.loads(ask(engines, "GET", "/health").body)["replicas"][1] == {"instance": "b", "ready": False}


def test_metrics_of_engines_stand_together_with_their_names() -> None:
    page = '# HELP edgevlo_rows_total Rows.\n# TYPE edgevlo_rows_total counter\nedgevlo_rows_total 3\n'  # fmt: skip
    page += '# HELP edgevlo_x X.\n# TYPE edgevlo_x histogram\nedgevlo_x_bucket{le="+Inf"} 1\n'
    assert joined({"a": page, "b": page}).splitlines() == [
        "# HELP edgevlo_rows_total Rows.",
        "# TYPE edgevlo_rows_total counter",
        'edgevlo_rows_total{replica="a"} 3',
        'edgevlo_rows_total{replica="b"} 3',
        "# HELP edgevlo_x X.",
        "# TYPE edgevlo_x histogram",
        'edgevlo_x_bucket{replica="a",le="+Inf"} 1',
        'edgevlo_x_bucket{replica="b",le="+Inf"} 1',
    ]
