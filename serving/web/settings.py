"""What the server lets in, and how much of it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from edgevlo.runtime.errors import OutputError, RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Hosts and origins that are answered, keys that are asked for, and the limits of one request.

    `hosts` are names without a port, lower case; an address that is an IP literal is answered where `any_address`.
    `keys` are SHA-256 digests; none: nobody is asked.
    """

    hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    any_address: bool = False
    origins: frozenset[str] = frozenset()
    keys: tuple[bytes, ...] = ()
    body_bytes: int = 64 * 2**20
    body_pieces: int = 65_536
    body_s: float = 60.0
    header_s: float = 15.0
    connections: int = 512
    keepalive_s: float = 10.0  # between comments of a stream in which nothing happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Kiosk:
    """How the page behaves: seconds until an unused one is reset, a visible label, presets, and its own address."""

    idle_s: float = 90.0
    label: bool = True
    presets: Path | None = None
    share: str | None = None


def read_keys(path: Path) -> tuple[bytes, ...]:
    """Return the keys of a file, one a line; raise `OutputError` or `RequestError` where there are none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path} cannot be read ({error}); it holds keys, one a line.") from error
    if not lines:
        raise RequestError(f"{path} holds no key; write one a line into it.")
    return tuple(hashlib.sha256(line.encode()).digest() for line in lines)
