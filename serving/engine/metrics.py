"""What is counted and timed, and how Prometheus reads it."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from ..log import Log
from .job import Job
from .messages import Done

_SECONDS: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


class Counter:
    """A number that only grows."""

    def __init__(self) -> None:
        self.value = 0

    def add(self, amount: int = 1) -> None:
        """Count."""
        self.value += amount


class Histogram:
    """How often a time was how long."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_SECONDS) + 1)
        self.sum = 0.0

    @property
    def count(self) -> int:
        """How many times were observed."""
        return sum(self.counts)

    def observe(self, seconds: float) -> None:
        """Add a time."""
        self.counts[bisect_left(_SECONDS, seconds)] += 1
        self.sum += seconds

    def lines(self, name: str) -> Iterator[str]:
        """Yield the histogram in Prometheus's text format."""
        total = 0
        for bound, count in zip((*_SECONDS, "+Inf"), self.counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self.sum:.6f}"
        yield f"{name}_count {total}"


class Metrics:
    """Everything that the engine measures; and its log, which hears of every finished job."""

    def __init__(self, log: Log | None = None) -> None:
        self.log = log or Log(quiet=True)
        self.refused = Counter()
        self.lost = Counter()
        self.pictures = Counter()
        self.rows = Counter()
        self.codes = Counter()
        self.ends: dict[str, Counter] = {end: Counter() for end in ("done", "failed", "cancelled")}
        self.queued = Histogram()
        self.first_row = Histogram()
        self.each_row = Histogram()
        self.each_job = Histogram()
        self._last_row: dict[str, float] = {}

    def seconds_each(self) -> float:
        """Return how long a job takes on average, 1 before there was any."""
        return self.each_job.sum / self.each_job.count if self.each_job.count else 1.0

    def row(self, job: Job, now: float) -> None:
        """Note a finished row."""
        self.rows.add()
        before = self._last_row.get(job.id)
        if before is not None:
            self.each_row.observe(now - before)
        elif job.started_at is not None:
            self.first_row.observe(now - job.started_at)
        self._last_row[job.id] = now

    def finished(self, job: Job) -> None:
        """Note the end of a job, once."""
        self._last_row.pop(job.id, None)
        if job.end is None or job.is_counted:
            return
        job.is_counted = True
        self.ends[job.state].add()
        self.pictures.add(len(job.pictures))
        self.codes.add(sum(picture.rows * picture.columns for picture in job.pictures))
        seconds = job.end.seconds if isinstance(job.end, Done) else None
        queued = (job.started_at or job.finished_at or job.queued_at) - job.queued_at
        self.queued.observe(queued)
        if seconds is not None:
            self.each_job.observe(seconds)
        self.log.info(
            "job", job=job.id, model=job.model, ability=job.task.ability, state=job.state,
            queued_s=round(queued, 4), seconds=None if seconds is None else round(seconds, 4),
            pictures=len(job.pictures), error=None if isinstance(job.end, Done) else job.end.kind,
        )  # fmt: skip
