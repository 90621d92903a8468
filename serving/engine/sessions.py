"""Dialogues: what a visitor said, and the pictures that came of it, so that the next words can be about them.

A session is a list of turns and nothing else; the work is the engine's. Sessions are bounded in number, in turns, in
bytes and in the time that nobody uses them, and what they hold is gone when they end.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from ..limits import SessionLimits
from .errors import SessionFullError
from .job import Job
from .messages import Answer
from .random_names import new_name

Map: TypeAlias = Literal["segment", "edges", "depth", "normals", "pose"]
TurnAbility: TypeAlias = Literal["show", "paint", "edit", "ask", "deleted"] | Map

MAPS: Final = frozenset(get_args(Map))

_PARTS: Final = 4  # of the bytes of all sessions, one may hold one part


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Something that was said, or shown: `about` are the numbers of the turns whose pictures it is about.

    `echo` is what whoever asked is to be told of the request again.
    """

    number: int
    ability: TurnAbility
    say: str = ""
    about: tuple[int, ...] = ()
    shown: bytes = b""
    job: Job | None = None
    echo: bytes = b""

    @property
    def picture(self) -> bytes | None:
        """The picture that it ended with, if it has."""
        if self.job is None:
            return self.shown
        return self.job.pictures[-1].image or None if self.job.pictures else None

    @property
    def answer(self) -> str | None:
        """The answer to a question."""
        events = [] if self.job is None else self.job.events
        return next((event.text for event in events if isinstance(event, Answer)), None)

    @property
    def bytes(self) -> int:
        """About how much memory it holds."""
        return len(self.shown) + len(self.say) + len(self.echo) + (0 if self.job is None else self.job.bytes)


@dataclass(slots=True, kw_only=True)
class Session:
    """One dialogue with one model."""

    model: str
    id: str
    created: float = field(default_factory=time.time)
    used_at: float = field(default_factory=time.monotonic)
    turns: list[Turn] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """About how much memory it holds."""
        return sum(turn.bytes for turn in self.turns)

    @property
    def last_picture(self) -> int | None:
        """The turn that ended with a picture last; the maps of one are not what the next words are about."""
        turns = (turn for turn in reversed(self.turns) if turn.ability not in MAPS)
        return next((turn.number for turn in turns if turn.picture), None)


class Sessions:
    """The sessions of a server; `forget` deletes what a turn had painted."""

    def __init__(self, limits: SessionLimits, forget: Callable[[Job], None], owner: str = "") -> None:
        self.limits = limits
        self._owner = owner
        self._forget = forget
        self._open: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, model: str) -> Session:
        """Return a new session; without a place for it the one that was not used for the longest time ends."""
        while len(self._open) >= self.limits.sessions:
            self._end_longest_unused()
        session = Session(model=model, id=new_name(self._owner))
        self._open[session.id] = session
        return session

    def find(self, name: str) -> Session | None:
        """Return a session, which is in use from now on again."""
        session = self._open.get(name)
        if session is not None:
            session.used_at = time.monotonic()
        return session

    def add(
        self,
        session: Session,
        ability: TurnAbility,
        *,
        say: str = "",
        about: tuple[int, ...] = (),
        shown: bytes = b"",
        job: Job | None = None,
        echo: bytes = b"",
    ) -> Turn:
        """Return another turn of a session."""
        turn = Turn(number=len(session.turns), ability=ability, say=say, about=about, shown=shown, job=job, echo=echo)
        session.turns.append(turn)
        while len(self._open) > 1 and sum(one.bytes for one in self._open.values()) > self.limits.bytes:
            session.used_at = time.monotonic()
            self._end_longest_unused()
        return turn

    def check_room(self, session: Session, turns: int, more: int) -> None:
        """Raise `SessionFullError` unless there is a place for so many turns that bring so many bytes."""
        limit = self.limits.bytes // _PARTS
        if len(session.turns) + turns > self.limits.turns or session.bytes + more > limit:
            raise SessionFullError(
                f"a session has at most {self.limits.turns} turns and {limit // 2**20} MB; begin another one."
            )

    def turn_of(self, job: str) -> Turn | None:
        """Return the turn that a job is of; its session is in use from now on again."""
        for session in self._open.values():
            for turn in session.turns:
                if turn.job is not None and turn.job.id == job:
                    session.used_at = time.monotonic()
                    return turn
        return None

    def delete(self, session: Session, number: int) -> None:
        """Delete a turn and what was shown for it; a session of which nothing is left ends."""
        first = number
        while session.turns[first - 1 : first] and session.turns[first - 1].ability == "show":
            first -= 1
        for turn in session.turns[first : number + 1]:  # none where the session has ended meanwhile
            if turn.job is not None:
                self._forget(turn.job)
            session.turns[turn.number] = Turn(number=turn.number, ability="deleted")
        if all(turn.ability == "deleted" for turn in session.turns):
            self.end(session)

    def end(self, session: Session) -> None:
        """Delete a session and all that it holds; what it is painting stops."""
        self._open.pop(session.id, None)
        for turn in session.turns:
            if turn.job is not None:
                self._forget(turn.job)
        session.turns.clear()

    def end_unused(self) -> None:
        """Delete the sessions that nobody used for too long."""
        now = time.monotonic()
        for session in list(self._open.values()):
            if now - session.used_at > self.limits.idle_s:
                self.end(session)

    def _end_longest_unused(self) -> None:
        self.end(min(self._open.values(), key=lambda one: one.used_at))
