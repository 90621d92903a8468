"""A self-check record for a bundle that was just made: its outputs, as a CPU computes them, and their limits.

A GPU bundle is computed by its emulation. The limits come from the portable bundle, which replays the record; where
that does not fit into memory beside the rest, they are the defaults of the number formats.
"""

import gc

from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.bundle import Bundle, with_self_check
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.errors import EdgevloError, MemoryShortError, RoomError
from edgevlo.runtime.self_check.make import make_record, with_limits
from edgevlo.runtime.self_check.record import FILE, SelfCheck, encode_record
from edgevlo.runtime.self_check.replay import replay

from .emulation import emulated


def record_outputs(bundle: Bundle, reference: Bundle | None, progress: Progress) -> Bundle:
    """Write a bundle's self-check record into it, or why it has none; return the bundle.

    `reference` is the bundle that it was made from, or None to take default limits.
    """
    progress("self-check", 0, 1)
    gc.collect()  # engines of the quality check: their painters refer to them in circles
    try:
        record = _made(bundle)
    except EdgevloError as error:
        return with_self_check(bundle, FILE, _reason(error, bundle))
    gc.collect()
    return with_self_check(bundle, FILE, encode_record(_limited(record, bundle, reference)))


class SparingEngine(Engine):
    """Closes the graphs that paint and answer before those open that read and show pictures.

    Nobody waits for a request here, and quantising takes less memory than the bundle will.
    """

    def forget_painters(self) -> None:
        """Give back the memory of the graphs, too."""
        self.forget_graphs()


def _made(bundle: Bundle) -> SelfCheck:
    with emulated(bundle, bundle.folder.with_name("emulated")) as subject:
        return make_record(subject.form, SparingEngine(subject.form))


def _limited(record: SelfCheck, bundle: Bundle, reference: Bundle | None) -> SelfCheck:
    measured = None
    if reference is not None:
        try:
            measured = replay(SparingEngine(reference), reference.manifest, record)
        except (MemoryShortError, RoomError):
            measured = None
    return with_limits(record, bundle.manifest, measured)


def _reason(error: EdgevloError, bundle: Bundle) -> str:
    """Return an error as a manifest may hold it: one line, without the folders that the bundle was made in."""
    text = str(error)
    for folder in (bundle.folder, bundle.folder.with_name("emulated")):
        text = text.replace(str(folder), bundle.manifest.name)
    return " ".join(text.split())[:400]
