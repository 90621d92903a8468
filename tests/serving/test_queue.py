"""The queue between clients: bounded, and nobody waits for somebody else's many."""

import pytest

from edgevlo.serving.engine.queue import FairQueue, NoPlaceError


def all_of(queue: FairQueue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


def test_clients_take_turns_and_each_ones_items_keep_their_order() -> None:
    queue = FairQueue[str](10, 10)
    for client, item in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("b", "b2")]:
        queue.push(client, item)

    assert all_of(queue) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_who_comes_late_with_little_waits_for_one_item_of_who_came_with_much() -> None:
    queue = FairQueue[str](100, 100)
    for number in range(50):
        queue.push("much", f"m{number}")
    assert queue.pop() == "m0"
    queue.push("little", "l0")

    assert [queue.pop(), queue.pop()] == ["m1", "l0"]


def test_a_full_queue_takes_nothing_more_until_something_leaves() -> None:
    queue = FairQueue[str](2, 2)
    queue.push("a", "a1")
    queue.push("b", "b1")
    with pytest.raises(NoPlaceError):
        queue.push("c", "c1")
    queue.pop()
    queue.push("c", "c1")

    assert all_of(queue) == ["b1", "c1"]


def test_one_client_cannot_fill_the_queue() -> None:
    queue = FairQueue[str](10, 2)
    queue.push("a", "a1")
    queue.push("a", "a2")
    with pytest.raises(NoPlaceError):
        queue.push("a", "a3")
    queue.push("b", "b1")

    assert len(queue) == 3


def test_what_is_removed_is_not_taken() -> None:
    queue = FairQueue[str](10, 10)
    queue.push("a", "a1")
    queue.push("b", "b1")

    assert queue.remove("a", "a1")
    assert not queue.remove("a", "a1")
    assert all_of(queue) == ["b1"]
    with pytest.raises(KeyError):
        queue.pop()


def test_the_place_in_the_queue_is_how_many_are_really_taken_before() -> None:
    items = [("a", "a1"), ("a", "a2"), ("b", "b1"), ("c", "c1"), ("c", "c2"), ("c", "c3"), ("b", "b2")]
    queue = FairQueue[str](10, 10)
    for client, item in items:
        queue.push(client, item)
    places = {item: queue.ahead_of(client, item) for client, item in items}

    assert [places[item] for item in all_of(queue)] == list(range(len(items)))
