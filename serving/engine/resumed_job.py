"""A painting as its journal tells it: a job that goes on where another server ended. Knows no queue."""

import time
from collections.abc import Sequence
from typing import Final

from .job import Job
from .journal import Begun, Entry, Journal, Painting, Resumed
from .messages import Done, Row

_NUMBERS: Final = 2**20  # of events that one server may have given a painting
_TRIES: Final = 10


def taken_up(journal: Journal, entries: Sequence[Entry]) -> Job | None:
    """Return the job of a journal, None where it does not begin as one."""
    begun, *happened = entries
    if not isinstance(begun, Begun):
        return None
    job = Job(begun.task, begun.model, begun.id)
    job.id, job.created = begun.id, begun.created
    servers, in_vain = 1, 0
    for entry in happened:
        match entry:
            case Painting():
                job.bundle = entry.bundle
                in_vain += 1
            case Resumed():
                servers += 1
            case Begun():
                return None
            case Done():
                job.finish(entry)
                job.finished_at = time.perf_counter() - journal.age_s
                job.is_counted = True
            case _:
                job.publish(entry)
                in_vain = 0 if isinstance(entry, Row) else in_vain
    job.first_number = servers * _NUMBERS
    job.journal = journal
    if not job.is_over:
        journal.write(Resumed())
        if in_vain >= _TRIES:
            text = f"this was begun {_TRIES} times without a row being finished; it is not tried again."
            job.fail("WorkerLost", text)
    return job
