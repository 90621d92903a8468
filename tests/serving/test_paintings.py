"""Our own API: paintings watched row by row, left, found again, and stopped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving_fixtures import Server, Told, data_uri, opened, png, streaming
from toy_reference import CELL

from edgevlo.runtime.model import Model

LARGE = {"prompt": "a red car", "size": "40x40", "seed": 7}  # 100 cells, 10 rows


@pytest.fixture(scope="module")
def slow(slow_toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from serving_fixtures import serving

    with serving(tmp_path_factory.mktemp("slow-server") / "one", "-m", str(slow_toy)) as server:
        yield server


def events_of(server: Server, job: str, after: int | None = None) -> list[Told]:
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with streaming(server, "GET", f"/v1/paintings/{job}/events", headers=headers) as events:
        return list(events)


def test_rows_are_told_with_their_codes_and_a_picture_of_each(server: Server, model: Model) -> None:
    job = server.post("/v1/paintings", {"prompt": "a red car", "seed": 7})
    assert job.status == 202
    assert job.headers["location"] == f"/v1/paintings/{job.json['id']}"

    started, *shown, picture, done = events_of(server, job.json["id"])

    *_, last = model.paint_rows("a red car", seed=7)
    assert (started.name, started.data) == ("started", {"text_tokens": 3, "image_tokens": 0})
    rows, strips = ([one for one in shown if one.name == name] for name in ("row", "strip"))
    assert [row.data["codes"] for row in rows] == last.codes.tolist()
    for number, row in enumerate(rows):
        assert (row.data["picture"], row.data["row"], row.data["rows"]) == (0, number, 4)
    assert strips[0].data["row"] == 0
    for strip in strips:
        image = opened(strip.data["image"].partition(",")[2])
        assert (image.format, image.size) == ("PNG", (strip.data["width"], strip.data["height"]))
        assert image.size == (20, strip.data["count"] * CELL)
    assert (picture.name, picture.data["seed"]) == ("picture", 7)
    assert done.name == "done"
    assert [event.number for event in (started, *shown, picture, done)] == list(range(3 + len(shown)))
    file = server.get(picture.data["url"])
    assert np.array_equal(np.asarray(opened(file.body)), np.asarray(last.preview))
    assert file.headers["content-type"] == "image/png"


def test_a_stream_goes_on_after_the_last_event_that_was_seen(server: Server) -> None:
    job = server.post("/v1/paintings", {"prompt": "a red car"}).json["id"]
    everything = events_of(server, job)

    for seen in range(len(everything) - 1):
        assert events_of(server, job, after=seen) == everything[seen + 1 :]
    last = str(everything[-1].number)
    assert server.get(f"/v1/paintings/{job}/events", **{"Last-Event-ID": last}).status == 204


def test_pictures_that_come_along_are_edited(server: Server, model: Model) -> None:
    job = server.post("/v1/paintings", {"prompt": "blue", "image": data_uri(png()), "seed": 3}).json
    assert job["ability"] == "edit"
    events = events_of(server, job["id"])

    *_, last = model.edit_rows(opened(png()), "blue", seed=3)
    assert [event.data["codes"] for event in events if event.name == "row"] == last.codes.tolist()


def test_what_is_perceived_is_painted_row_by_row_too(server: Server) -> None:
    job = server.post("/v1/paintings", {"ability": "segment", "image": data_uri(png())}).json["id"]

    names = [event.name for event in events_of(server, job) if event.name != "strip"]
    assert names == ["started", *["row"] * 3, "picture", "done"]


def test_the_state_of_a_painting(server: Server) -> None:
    job = server.post("/v1/paintings", {"prompt": "a", "n": 2, "seed": 1, "output_format": "webp"}).json["id"]
    events_of(server, job)
    state = server.get(f"/v1/paintings/{job}").json

    assert (state["status"], state["rows_done"], state["rows"], state["ahead"]) == ("done", 8, 8, 0)
    assert [one["seed"] for one in state["pictures"]] == [1, 2]
    assert server.get(state["pictures"][1]["url"]).headers["content-type"] == "image/webp"


def test_who_leaves_comes_back_to_a_finished_picture(slow: Server, model: Model) -> None:
    with streaming(slow, "POST", "/v1/paintings", {**LARGE, "stream": True}) as events:
        job = next(events).data["id"]
        seen = [next(events) for _ in range(3)]

    rest = events_of(slow, job, after=seen[-1].number)

    *_, last = model.paint_rows("a red car", seed=7, size="40x40")
    rows = [event.data["codes"] for event in [*seen, *rest] if event.name == "row"]
    assert rows == last.codes.tolist()
    assert rest[-1].name == "done"


def test_who_asked_to_be_followed_takes_the_painting_along(slow: Server) -> None:
    body = {**LARGE, "stream": True, "cancel_on_disconnect": True}
    with streaming(slow, "POST", "/v1/paintings", body) as events:
        job = next(events).data["id"]
        next(event for event in events if event.name == "row")
    slow.wait_until(lambda: slow.health()["queue"]["running"] == 0)

    assert slow.get(f"/v1/paintings/{job}").json["status"] == "cancelled"


def test_deleting_stops_the_painting_and_removes_it(slow: Server) -> None:
    job = slow.post("/v1/paintings", LARGE).json["id"]
    with streaming(slow, "GET", f"/v1/paintings/{job}/events") as events:
        rows = [next(event for event in events if event.name == "row")]
        assert slow.request("DELETE", f"/v1/paintings/{job}").status == 204
        *rest, last = list(events)
    slow.wait_until(lambda: slow.health()["queue"]["running"] == 0)

    assert len(rows) + sum(event.name == "row" for event in rest) < 9
    assert last.name == "error"
    assert last.data["error"]["code"] == "cancelled"
    assert slow.get(f"/v1/paintings/{job}").status == 404
    assert slow.request("DELETE", f"/v1/paintings/{job}").status == 404


def test_the_place_in_the_queue_is_told(slow: Server) -> None:
    jobs = [slow.post("/v1/paintings", LARGE).json for _ in range(3)]

    assert [job["ahead"] for job in jobs] in ([0, 1, 2], [1, 1, 2])
    for job in jobs:
        slow.request("DELETE", f"/v1/paintings/{job['id']}")


def test_a_finished_picture_is_not_there_before_it_is_finished(slow: Server) -> None:
    job = slow.post("/v1/paintings", LARGE).json["id"]

    assert slow.get(f"/v1/paintings/{job}/pictures/0").error["code"] == "picture_not_found"
    slow.request("DELETE", f"/v1/paintings/{job}")


@pytest.mark.parametrize(("body", "param"), [
    ({}, "prompt"), ({"prompt": " "}, "prompt"), ({"ability": "edit", "prompt": "a"}, "image"),
    ({"ability": "paint", "prompt": "a", "image": data_uri(png())}, "image"),
    ({"ability": "segment"}, "image"), ({"ability": "segment", "image": data_uri(png()), "prompt": "a"}, "prompt"),
    ({"ability": "segment", "image": data_uri(png()), "size": "4x4"}, "size"),
    ({"ability": "segment", "image": data_uri(png()), "objects": ["car"]}, "objects"),
    ({"ability": "pose", "image": data_uri(png())}, "model"), ({"ability": "dance", "prompt": "a"}, "ability"),
    ({"prompt": "a", "cancel_on_disconnect": True}, "cancel_on_disconnect"), ({"prompt": "a", "size": "1x1"}, "size"),
    ({"prompt": "a", "output_compression": 5}, "output_compression"), ({"prompt": "a", "wish": "b"}, "wish"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_name(server: Server, body: dict[str, Any], param: str) -> None:
    refused = server.post("/v1/paintings", body)

    assert (refused.status, refused.error["param"]) == (400, param)


@pytest.mark.parametrize("number", ["-1", "x", "1e3", "99999999999", "١"])
def test_a_last_event_that_is_no_number_is_refused(server: Server, number: str) -> None:
    job = server.post("/v1/paintings", {"prompt": "a"}).json["id"]

    refused = server.request(
        "GET", f"/v1/paintings/{job}/events", headers={"Last-Event-ID": number.encode().decode("latin-1")}
    )

    assert refused.status == 400
    assert refused.error["param"] == "last-event-id"


def test_names_of_paintings_are_not_guessed(server: Server) -> None:
    names = {server.post("/v1/paintings", {"prompt": "a"}).json["id"] for _ in range(3)}

    assert len(names) == 3
    assert all(len(name) >= 22 for name in names)
    assert server.get("/v1/paintings/../../etc/passwd").status == 404


def test_a_stopped_server_says_so_in_its_streams(start: Callable[..., Server], slow_toy: Path) -> None:
    server = start("-m", str(slow_toy), "--grace", "0")
    with streaming(server, "POST", "/v1/paintings", {**LARGE, "n": 10, "stream": True}) as events:
        next(event for event in events if event.name == "row")
        server.process.terminate()
        list(events)
    assert server.process.wait(10) == 0
