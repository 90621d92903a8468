"""Limits of a server: of one request and its connection, of the queue, of what is kept, and of dialogues.

What one picture may hold is limited where pictures are read, in `runtime/pictures/limits.py`.
"""

from dataclasses import dataclass, field
from typing import Final

HEADER_BYTES: Final = 32 * 1024  # of a request line and its headers together


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """The size, the pieces and the seconds of one request, and how many connections there may be at a time.

    `bodies_bytes` is what the bodies of all requests hold together that are not answered yet.
    """

    body_bytes: int = 64 * 2**20
    bodies_bytes: int = 256 * 2**20
    body_pieces: int = 65_536
    body_s: float = 60.0
    header_s: float = 15.0
    connections: int = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """`idle_s` is how long nobody uses a session before it is deleted, `bytes` what all of them hold together."""

    sessions: int = 256
    turns: int = 100
    bytes: int = 128 * 2**20
    idle_s: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """What the engine takes at most, and how long it keeps what it made.

    `queue_bytes` is what the pictures of all waiting requests may hold together.
    """

    queue: int = 64
    queue_each: int = 32
    queue_bytes: int = 256 * 2**20
    deadline_s: float = 600.0
    parallel: int = 1
    keep_s: float = 600.0
    keep_jobs: int = 200
    keep_bytes: int = 128 * 2**20
    dialogue: SessionLimits = field(default_factory=SessionLimits)
