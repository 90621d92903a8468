"""A bounded queue that is fair between clients: whoever asks for much waits behind everyone who asks for little."""

import itertools
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class NoPlaceError(Exception):
    """The queue is full, or holds as many of a client's items as it may have."""


class FairQueue(Generic[Item]):
    """Clients take turns; each client's own items are taken in the order in which they came."""

    def __init__(self, places: int, places_each: int) -> None:
        self._places = places
        self._places_each = places_each
        self._waiting: OrderedDict[str, deque[Item]] = OrderedDict()  # the client whose turn it is stands first

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def __iter__(self) -> Iterator[Item]:
        return itertools.chain.from_iterable(self._waiting.values())

    def push(self, client: str, item: Item, *, taken: bool = False) -> None:
        """Put an item behind the client's others; raise `NoPlaceError` when there is no place for it.

        One that was `taken` before has its place.
        """
        own = self._waiting.get(client, ())
        if not taken and (len(self) >= self._places or len(own) >= self._places_each):
            raise NoPlaceError
        self._waiting.setdefault(client, deque()).append(item)

    def pop(self) -> Item:
        """Take the next item; its client is last in turn from now on. Raises `KeyError` when there is none."""
        client, own = self._waiting.popitem(last=False)
        item = own.popleft()
        if own:
            self._waiting[client] = own
        return item

    def remove(self, client: str, item: Item) -> bool:
        """Take an item out of turn; return whether it was there."""
        own = self._waiting.get(client)
        if own is None or item not in own:
            return False
        own.remove(item)
        if not own:
            del self._waiting[client]
        return True

    def ahead_of(self, client: str, item: Item) -> int:
        """Return how many items are taken before this one if nothing else comes."""
        if client not in self._waiting:
            return 0
        place = self._waiting[client].index(item)
        clients = list(self._waiting)
        before = clients.index(client)
        return place + sum(
            min(len(self._waiting[other]), place + (number < before))
            for number, other in enumerate(clients)
            if other != client
        )
