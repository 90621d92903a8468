"""Dialogues: painting, changing and asking about the pictures of earlier turns, bounded, and deleted for good."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving_fixtures import Server, data_uri, opened, png, serving, streaming

from edgevlo.runtime.model import Model
from edgevlo.serving.engine.errors import SessionFullError
from edgevlo.serving.engine.job import Job
from edgevlo.serving.engine.messages import Picture, Task
from edgevlo.serving.engine.sessions import Sessions, Turn
from edgevlo.serving.limits import SessionLimits


def begin(server: Server) -> str:
    answer = server.post("/v1/sessions", {})
    assert answer.status == 201
    assert answer.headers["location"] == f"/v1/sessions/{answer.json['id']}"
    return str(answer.json["id"])


def turn(server: Server, session: str, **body: Any) -> Any:
    return server.post(f"/v1/sessions/{session}/turns", body)


def painted(server: Server, session: str, **body: Any) -> Any:
    """Say something that paints, wait for the picture, and return the turn."""
    answer = turn(server, session, **body)
    assert answer.status == 202, answer.json
    with streaming(server, "GET", f"/v1/paintings/{answer.json['painting']['id']}/events") as events:
        assert [event.name for event in events][-1] == "done"
    return server.get(f"/v1/sessions/{session}").json["turns"][answer.json["turn"]]


def pixels(server: Server, told: Any) -> Any:
    return np.asarray(opened(server.get(told["picture"]).body))


def test_a_dialogue_paints_changes_and_answers(server: Server, model: Model) -> None:
    session = begin(server)

    first = painted(server, session, say="a red car", seed=7)
    second = painted(server, session, say="再加一顶帽子", seed=8)
    answer = turn(server, session, say="what colour is it?").json
    anew = painted(server, session, say="another picture: a blue tree", seed=9)
    third = painted(server, session, say="now make it night", seed=10, about=[first["turn"]])

    one = model.paint("a red car", seed=7)
    two = model.edit(opened(server.get(first["picture"]).body), "再加一顶帽子", seed=8)
    assert np.array_equal(pixels(server, first), np.asarray(one))
    assert np.array_equal(pixels(server, second), np.asarray(two))
    assert answer["answer"] == model.ask(two, "what colour is it?")
    assert np.array_equal(pixels(server, third), np.asarray(model.edit(one, "now make it night", seed=10)))
    told = server.get(f"/v1/sessions/{session}").json["turns"]
    assert [one["ability"] for one in told] == ["paint", "edit", "ask", "paint", "edit"]
    assert [one["about"] for one in told] == [[], [0], [1], [], [0]]
    assert told[2] == answer
    assert anew["picture"].endswith("/turns/3/picture")


def test_pictures_are_shown_and_spoken_about(server: Server, model: Model) -> None:
    session = begin(server)
    red, blue = (opened(png(colour=colour)) for colour in ((255, 0, 0), (0, 0, 255)))

    shown = turn(server, session, image=data_uri(png(colour=(255, 0, 0))))
    assert (shown.status, shown.json["ability"]) == (201, "show")
    both = painted(server, session, say="both", image=data_uri(png(colour=(0, 0, 255))), about=[0], seed=1)
    again = painted(server, session, say="both", about=[0, 1], seed=1)

    assert server.get(shown.json["picture"]).body == png(colour=(255, 0, 0))
    assert both["about"] == [0]
    assert np.array_equal(pixels(server, again), np.asarray(model.edit([red, blue], "both", seed=1)))


def test_an_ability_may_be_named(server: Server) -> None:
    session = begin(server)
    painted(server, session, say="is it night?", ability="paint")

    assert painted(server, session, say="how many?", ability="edit")["ability"] == "edit"
    assert turn(server, session, say="make it blue", ability="ask").json["ability"] == "ask"


def test_a_turn_is_streamed_like_any_painting(server: Server) -> None:
    session = begin(server)

    with streaming(server, "POST", f"/v1/sessions/{session}/turns", {"say": "a car", "stream": True}) as events:
        first, *rest = list(events)

    assert (first.name, first.data["turn"]) == ("painting", 0)
    assert [event.name for event in rest if event.name != "strip"] == ["started", *["row"] * 4, "picture", "done"]


def test_a_map_is_a_turn_that_is_not_spoken_about(server: Server, model: Model) -> None:
    session = begin(server)
    first = painted(server, session, say="a red car", seed=7)

    seen = painted(server, session, ability="segment", seed=8)

    picture = model.paint("a red car", seed=7)
    assert (seen["ability"], seen["about"], seen["say"]) == ("segment", [0], "")
    assert np.array_equal(
        pixels(server, seen), np.asarray(list(model.perceive_rows("segment", picture, seed=8))[-1].preview)
    )
    assert painted(server, session, say="make it blue", ability="edit")["about"] == [first["turn"]]


def test_a_map_of_a_picture_that_comes_along(server: Server) -> None:
    session = begin(server)

    seen = painted(server, session, ability="segment", image=data_uri(png()))

    told = server.get(f"/v1/sessions/{session}").json["turns"]
    assert [one["ability"] for one in told] == ["show", "segment"]
    assert seen["about"] == [0]


def test_reset_leaves_nothing_of_a_visitor_on_the_disk(toy: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "one", "-m", str(toy), "--journal", "journal") as server:
        session = begin(server)
        painted(server, session, say="a red car", seed=7)
        told = painted(server, session, ability="segment")
        assert list((tmp_path / "one" / "journal").iterdir()) == [], "dialogues are in memory alone"

        server.request("DELETE", f"/v1/sessions/{session}")

        assert server.get(f"/v1/paintings/{told['painting']['id']}").status == 404
        assert list((tmp_path / "one" / "journal").iterdir()) == []


def test_reset_deletes_everything(server: Server) -> None:
    session = begin(server)
    told = painted(server, session, say="a red car")
    turn(server, session, image=data_uri(png()))

    assert server.request("DELETE", f"/v1/sessions/{session}").status == 204

    for path in (f"/v1/sessions/{session}", told["picture"], f"/v1/paintings/{told['painting']['id']}",
                 f"/v1/paintings/{told['painting']['id']}/pictures/0"):  # fmt: skip
        assert server.get(path).status == 404
    assert turn(server, session, say="a car").error["code"] == "session_not_found"


def test_reset_stops_what_is_being_painted(slow_toy: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "one", "-m", str(slow_toy)) as server:
        session = begin(server)
        turn(server, session, say="a red car", size="40x40")
        assert turn(server, session, say="bluer", ability="edit").error["param"] == "about"  # nothing is finished

        server.request("DELETE", f"/v1/sessions/{session}")

        server.wait_until(lambda: server.health()["queue"]["running"] == 0)
        assert len(server.logged("job")) == 1
        assert server.logged("job")[0]["state"] == "cancelled"


@pytest.mark.parametrize(("body", "param"), [
    ({}, "say"), ({"say": ""}, "say"), ({"say": "x", "ability": "edit"}, "about"),
    ({"say": "x", "ability": "ask"}, "about"), ({"say": "x", "ability": "dance"}, "ability"),
    ({"say": "x", "about": [5]}, "about"), ({"say": "x", "about": []}, "about"),
    ({"say": "x", "about": [-1]}, "about[0]"), ({"say": "x", "size": "1x1"}, "size"),
    ({"say": "x", "ability": "segment"}, "about"), ({"ability": "segment"}, "about"), ({"ability": "edit"}, "say"),
    ({"say": "x", "ability": "segment", "image": data_uri(png())}, "say"),
    ({"ability": "segment", "image": data_uri(png()), "size": "20x16"}, "size"),
    ({"ability": "edges", "image": data_uri(png())}, "model"),
    ({"say": "x", "wish": 1}, "wish"), ({"image": "http://other/a.png"}, "image"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_name(server: Server, body: dict[str, Any], param: str) -> None:
    refused = turn(server, begin(server), **body)

    assert (refused.status, refused.error["param"]) == (400, param)


def test_a_new_picture_is_about_no_other_one(server: Server) -> None:
    session = begin(server)
    turn(server, session, image=data_uri(png()))

    refused = turn(server, session, say="a house", ability="paint", about=[0])

    assert (refused.status, refused.error["param"]) == (400, "about")


def test_a_question_takes_nothing_that_is_for_painting(server: Server) -> None:
    session = begin(server)
    turn(server, session, image=data_uri(png()))

    for extra in ({"seed": 1}, {"size": "20x16"}, {"stream": True}, {"output_format": "webp"}):
        assert turn(server, session, say="what is it?", **extra).error["param"] == "ability"


def test_an_unknown_model_is_refused(server: Server) -> None:
    assert server.post("/v1/sessions", {"model": "x"}).status == 404


def sessions(**limits: Any) -> tuple[Sessions, list[Job]]:
    forgotten: list[Job] = []
    return Sessions(SessionLimits(**limits), forgotten.append), forgotten


def test_with_too_many_sessions_the_one_longest_unused_ends() -> None:
    kept, _ = sessions(sessions=2)
    first, second = kept.begin("toy"), kept.begin("toy")
    kept.find(first.id)

    third = kept.begin("toy")

    assert [kept.find(one.id) for one in (first, second, third)] == [first, None, third]


def test_a_session_has_only_so_many_turns_and_bytes() -> None:
    kept, _ = sessions(turns=2, bytes=4000)
    one, other = kept.begin("toy"), kept.begin("toy")
    kept.add(one, "show", shown=b"a" * 600)
    kept.check_room(one, 1, 400)
    with pytest.raises(SessionFullError, match="at most 2 turns"):
        kept.check_room(one, 1, 401)
    kept.add(other, "show")
    kept.add(other, "show")
    with pytest.raises(SessionFullError, match="begin another one"):
        kept.check_room(other, 1, 0)


def test_all_sessions_together_hold_only_so_much() -> None:
    kept, forgotten = sessions(bytes=1000)
    old, new = kept.begin("toy"), kept.begin("toy")
    job = Job(Task(ability="paint"), "toy", "somebody")
    kept.add(old, "paint", job=job)
    kept.add(old, "show", shown=b"a" * 900)

    kept.add(new, "show", shown=b"a" * 200)

    assert (kept.find(old.id), forgotten, old.turns) == (None, [job], [])
    assert kept.find(new.id) is new


def test_a_session_that_nobody_uses_ends() -> None:
    kept, _ = sessions(idle_s=0)
    session = kept.begin("toy")

    kept.end_unused()

    assert kept.find(session.id) is None


def test_a_turn_that_is_forgotten_has_no_picture_any_more() -> None:
    painted = Picture(job="a", picture=0, image=b"x", width=1, height=1, rows=1, columns=1, codes=b"", seed=1)
    job = Job(Task(ability="paint", text="a red car"), "toy", "somebody")
    job.publish(painted)
    turn = Turn(number=0, ability="paint", job=job)
    assert turn.picture == b"x"
    job.wipe()
    assert turn.picture is None


def test_a_session_takes_no_more_pictures_at_once_than_turns_are_left() -> None:
    kept, _ = sessions(turns=2, bytes=4000)
    with pytest.raises(SessionFullError):
        kept.check_room(kept.begin("toy"), 3, 0)
