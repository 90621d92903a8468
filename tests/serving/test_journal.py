"""Paintings that outlive their worker and their server: the same picture, once, and deleted when it should be."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving_fixtures import Server, copied, data_uri, opened, png, serving, streaming
from toy_bundle import rewritten

from edgevlo.runtime.model import Model
from edgevlo.serving.engine.journal import Begun, Journals, Painting, Resumed
from edgevlo.serving.engine.messages import Done, Failed, Picture, Row, Strip, Task
from edgevlo.serving.engine.resumed_job import taken_up
from edgevlo.serving.log import Log

LARGE = {"prompt": "a red car", "size": "40x40", "seed": 7}  # 100 cells, 10 rows
TASK = Task(ability="paint", text="a red car", options={"seed": 7})
ROW = Row(job="one", picture=0, row=0, rows=4, codes=bytes(20))


def rows_of(server: Server, job: str, count: int, after: int | None = None) -> list[Any]:
    """Watch a painting until so many rows are finished; return the last event."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with streaming(server, "GET", f"/v1/paintings/{job}/events", headers=headers) as events:
        rows = (event for event in events if event.name == "row")
        return [next(rows) for _ in range(count)]


def finished(server: Server, job: str) -> list[Any]:
    with streaming(server, "GET", f"/v1/paintings/{job}/events") as events:
        return list(events)


@pytest.fixture
def begin(tmp_path: Path) -> Callable[..., Any]:
    """Return a function that begins a server of a model with the journals of this test."""
    numbers = iter(range(9))

    def server(model: Path, *more: str) -> Any:
        return serving(
            tmp_path / f"server-{next(numbers)}", "-m", str(model), "--journal", str(tmp_path / "kept"), *more
        )

    return server


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.stem for path in (tmp_path / "kept").glob("*.journal"))


def kill(server: Server) -> None:
    """End a server as a power cut does, its worker with it."""
    (worker,) = (model["pid"] for model in server.health()["models"])
    server.process.kill()
    server.process.wait()
    os.kill(worker, signal.SIGKILL)


def test_the_next_server_goes_on_where_a_killed_one_ended(
    slow_toy: Path, tmp_path: Path, model: Model, begin: Callable[..., Any]
) -> None:
    with begin(slow_toy) as first:
        body = {"prompt": "blue", "image": data_uri(png()), "seed": 3, "n": 2, "size": "40x40"}
        edit = first.post("/v1/paintings", LARGE).json["id"]
        waiting = first.post("/v1/paintings", body).json["id"]
        *_, seen = rows_of(first, edit, 4)
        kill(first)
    assert kept(tmp_path) == sorted([edit, waiting])

    with begin(slow_toy) as second:
        taken = {line["job"]: line["rows"] for line in second.logged("taken_up")}
        events = finished(second, edit)
        again = rows_of(second, edit, 10, after=seen.number)  # the numbers of another server: all of it again
        other = finished(second, waiting)

        assert taken.keys() == {edit, waiting}
        *_, last = model.paint_rows("a red car", seed=7, size="40x40")
        rows = [event.data["codes"] for event in events if event.name == "row"]
        assert rows == [event.data["codes"] for event in again] == last.codes.tolist()
        picture = opened(second.get(f"/v1/paintings/{edit}/pictures/0").body)
        assert np.array_equal(np.asarray(picture), np.asarray(last.preview))
        assert next(event.data["row"] for event in events if event.name == "strip") == 0
        assert [event.name for event in other if event.name in ("picture", "done")] == ["picture", "picture", "done"]
        *_, last = model.edit_rows(opened(png()), "blue", seed=4, size="40x40")
        codes = [one.data["codes"] for one in other if one.name == "row" and one.data["picture"] == 1]
        assert codes == last.codes.tolist()


def test_a_finished_painting_is_there_after_a_restart_and_gone_when_it_is_deleted(
    toy: Path, tmp_path: Path, begin: Callable[..., Any]
) -> None:
    with begin(toy) as first:
        job = first.post("/v1/paintings", {"prompt": "a red car"}).json["id"]
        finished(first, job)
        before = first.get(f"/v1/paintings/{job}/pictures/0").body
        openai = first.post("/v1/images/generations", {"prompt": "a red car"})
        assert openai.status == 200
        assert kept(tmp_path) == [job]  # whoever waits for an answer is gone when the server is
        kill(first)

    with begin(toy) as second:
        assert second.get(f"/v1/paintings/{job}/pictures/0").body == before
        assert second.get(f"/v1/paintings/{job}").json["status"] == "done"
        assert second.request("DELETE", f"/v1/paintings/{job}").status == 204
        assert kept(tmp_path) == []


def test_a_stopped_server_leaves_what_it_has_not_finished(
    slow_toy: Path, tmp_path: Path, model: Model, begin: Callable[..., Any]
) -> None:
    with begin(slow_toy) as first:
        job = first.post("/v1/paintings", LARGE).json["id"]
        rows_of(first, job, 2)
        first.process.send_signal(signal.SIGTERM)
        first.process.wait(20)
    assert kept(tmp_path) == [job]

    with begin(slow_toy) as second:
        rows = [event.data["codes"] for event in finished(second, job) if event.name == "row"]

    *_, last = model.paint_rows("a red car", seed=7, size="40x40")
    assert rows == last.codes.tolist()


def test_with_another_bundle_a_painting_ends_in_words(
    slow_toy: Path, tmp_path: Path, begin: Callable[..., Any]
) -> None:
    folder = copied(slow_toy, tmp_path / "model")
    with begin(folder) as first:
        job = first.post("/v1/paintings", LARGE).json["id"]
        rows_of(first, job, 2)
        kill(first)
    folder.rename(tmp_path / "old")
    rewritten(tmp_path / "old", folder, lambda tree: tree["source"].update(revision="another"))

    with begin(folder) as second:
        *_, last = finished(second, job)

        assert last.name == "error"
        assert last.data["error"]["code"] == "bundle_changed"
        assert "was changed since" in last.data["error"]["message"]
        assert kept(tmp_path) == []


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path / "kept", Log(quiet=True))


def written(journals: Journals, *entries: Any) -> Any:
    journal = journals.begin(Begun(id="one", model="toy", created=1.0, task=TASK))
    assert journal is not None
    for entry in entries:
        journal.write(entry)
    journal.close()
    ((left, found),) = journals.left()
    return taken_up(left, found)


def test_a_painting_that_no_server_survives_is_given_up(journals: Journals, tmp_path: Path) -> None:
    job = written(journals, ROW, *[Painting(bundle="a"), Resumed()] * 10)

    assert isinstance(job.end, Failed)
    assert "begun 10 times without a row" in job.end.text
    assert kept(tmp_path) == []


def test_rows_give_a_painting_another_chance(journals: Journals) -> None:
    job = written(journals, *[Painting(bundle="a"), Resumed()] * 9, ROW, *[Painting(bundle="a"), Resumed()] * 9)

    assert (job.state, job.painted, job.client) == ("queued", (ROW.codes,), "one")


def test_a_painting_that_only_waited_is_not_given_up(journals: Journals) -> None:
    assert written(journals, *[Resumed()] * 50).state == "queued"


def test_strips_and_failures_are_not_written_down(journals: Journals, tmp_path: Path) -> None:
    strip = Strip(job="one", picture=0, row=0, count=1, rows=4, image=b"png", width=1, height=1)
    journal = journals.begin(Begun(id="one", model="toy", created=1.0, task=TASK))
    assert journal is not None
    before = (tmp_path / "kept" / "one.journal").stat().st_size

    journal.note(strip)
    assert (tmp_path / "kept" / "one.journal").stat().st_size == before
    journal.note(Failed(job="one", kind="Cancelled", text=""))
    assert kept(tmp_path) == []
    journal.note(ROW)  # too late, and of no effect


def test_a_finished_painting_is_not_begun_anew(journals: Journals) -> None:
    picture = Picture(job="one", picture=0, image=b"png", width=1, height=1, rows=4, columns=5, codes=b"", seed=7)

    job = written(journals, ROW, picture, Done(job="one", seconds=1.5))

    assert (job.state, job.pictures) == ("done", [picture])


def test_files_that_are_no_journals_are_left_alone(journals: Journals, tmp_path: Path) -> None:
    letter = tmp_path / "kept" / "letter.journal"
    letter.write_text("dear reader")
    (tmp_path / "kept" / "empty.journal").touch()

    assert list(journals.left()) == []
    assert letter.read_text() == "dear reader"
    assert kept(tmp_path) == ["letter"]


def test_two_servers_do_not_paint_the_same_picture(journals: Journals) -> None:
    journal = journals.begin(Begun(id="one", model="toy", created=1.0, task=TASK))
    assert journal is not None

    assert list(journals.left()) == []
    journal.close()
    assert len(list(journals.left())) == 1
