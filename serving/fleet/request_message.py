"""A request as it travels from the door to an engine: whole, with its body, and whose it is."""

import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.types import Receive, Scope

from ..engine.engine import SEEDS

_NAMED: Final = re.compile(r"/v1/(?:paintings|sessions|responses)/(?:resp_|ig_|msg_)?(?P<name>[\w.-]+)")
_ITEM: Final = re.compile("ig_|msg_")


class _Item(msgspec.Struct):
    id: str | None = None
    result: str | None = None


class _GoesOn(msgspec.Struct):
    """All that is read of the body of a request to `/v1/responses` here."""

    input: str | list[_Item] = ""
    previous_response_id: str | None = None

    @property
    def about(self) -> str:
        """The response that it goes on from, or an item of one that it names."""
        named = (item.id or "" for item in self.input if isinstance(item, _Item) and item.result is None)
        return self.previous_response_id or next((one for one in named if _ITEM.match(one)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: `client` is whose it is where keys are asked for, `seed` that of a picture that brings none."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    address: tuple[str, int] | None
    client: str | None
    seed: int
    body: bytes

    @property
    def about(self) -> str | None:
        """The name of the painting or session that it is about, if it is about one that there is already."""
        path = self.path
        if path == "/v1/responses":
            try:
                about = msgspec.json.decode(self.body, type=_GoesOn).about
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return None  # the engine that gets it says what is wrong
            path = f"/v1/responses/{about}"
        found = _NAMED.match(path)
        return None if found is None else found["name"]

    @property
    def is_repeatable(self) -> bool:
        """Whether another engine gives the same stream: it begins with nothing, and leaves nothing behind."""
        return self.path.startswith(("/v1/images/", "/v1/chat/"))

    def scope(self) -> MutableMapping[str, Any]:
        """Return it as an application is called with it."""
        state: dict[str, Any] = {"seed": self.seed}
        if self.client is not None:
            state["client"] = self.client
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},  # a stream ends when receive says that the client left
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": self.query,
            "headers": list(self.headers),
            "client": self.address,
            "server": None,
            "state": state,
        }


async def read(scope: Scope, receive: Receive) -> Asked | None:
    """Return a request with its body, None if the client left before all of it was there."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    address = scope.get("client")
    return Asked(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"],
        headers=tuple((bytes(name), bytes(value)) for name, value in scope["headers"]),
        address=None if address is None else (str(address[0]), int(address[1])),
        client=scope["state"].get("client"),
        seed=secrets.randbelow(SEEDS),
        body=b"".join(parts),
    )
