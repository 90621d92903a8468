"""Graphs that can be stopped: before each run the job that runs it is asked whether it was cancelled."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from edgevlo.runtime.backends import open_runner
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.graphs.protocols import Runner
from edgevlo.runtime.manifest.graphs import GraphRole


class CancelledError(Exception):
    """The job that runs on this thread was cancelled."""


class Interrupts:
    """Which jobs are to stop, and how many graphs have run: the worker's sign that it is not stuck."""

    def __init__(self) -> None:
        self.runs = 0
        self._accepted: set[str] = set()
        self._stop: set[str] = set()
        self._here = threading.local()

    def accept(self, job: str) -> None:
        """Know a job from the moment it was asked for: it may be cancelled while it waits for a thread."""
        self._accepted.add(job)

    def begin(self, job: str) -> None:
        """Let this thread work for a job."""
        self._here.job = job

    def end(self) -> None:
        """Let this thread work for nobody."""
        self._accepted.discard(self._here.job)
        self._stop.discard(self._here.job)
        self._here.job = None

    def cancel(self, job: str) -> None:
        """Stop a job before its next graph runs; one that is over, or was never asked for, is nobody's."""
        self._stop.add(job)
        if job not in self._accepted:  # looked at last: the job's own thread may end it in this moment
            self._stop.discard(job)

    def check(self) -> None:
        """Count a run; raise `CancelledError` if the job of this thread is to stop."""
        self.runs += 1
        if self._stop and getattr(self._here, "job", None) in self._stop:
            raise CancelledError

    def open(self, bundle: Bundle, role: GraphRole) -> Runner:
        """Open a graph that checks before it runs."""
        return _Checked(open_runner(bundle, role), self.check)


class _Checked:
    """A graph of any backend; its ways to run are checked, everything else is its own."""

    def __init__(self, graph: Any, check: Callable[[], None]) -> None:
        self._graph = graph
        self._check = check

    def run(self, *arguments: Any) -> Sequence[Any]:
        self._check()
        ran: Sequence[Any] = self._graph.run(*arguments)
        return ran

    def run_with_iobinding(self, *arguments: Any) -> None:
        self._check()
        self._graph.run_with_iobinding(*arguments)

    def bind(self, *arguments: Any, **named: Any) -> Callable[[], None]:
        run = self._graph.bind(*arguments, **named)

        def checked() -> None:
            self._check()
            run()

        return checked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)
