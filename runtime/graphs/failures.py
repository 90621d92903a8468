"""What a graph's run may end with: one line that says which bundle failed, and numbers that are checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np

from ..arrays import Array
from ..bundle import Bundle
from ..errors import BundleError, MemoryShortError, remedy
from ..manifest.graphs import GraphRole

ADVICE: Final = "Export or download the bundle again."


@contextmanager
def one_line(bundle: Bundle, what: str) -> Iterator[None]:
    """Turn what ONNX Runtime raises while `what` runs into an error of ours; others pass."""
    try:
        yield
    except Exception as error:
        # With buffers that are bound, it raises what its statuses say as a RuntimeError of Python's own.
        if type(error) is not RuntimeError and not type(error).__module__.startswith("onnxruntime"):
            raise
        reason = str(error).strip().split("\n", 1)[0].removeprefix("Error in execution: ")[:300]
        if "allocate memory" in reason or "bad_alloc" in reason:
            raise MemoryShortError(
                f"{bundle.folder}: there is not enough memory for {what} ({reason}). End other programs, "
                "or use a smaller bundle or size."
            ) from error
        raise BundleError(f"{bundle.folder}: {what} failed ({reason}). {remedy(error, ADVICE)}") from error


class NotFiniteError(BundleError):
    """A graph gave infinities or what is not a number; `role` is the graph's."""

    def __init__(self, message: str, role: GraphRole) -> None:
        super().__init__(message)
        self.role = role


def check_finite(numbers: Array, bundle: Bundle, role: GraphRole) -> None:
    """Raise `NotFiniteError` for infinities and for what is not a number, from which nothing can be painted or read."""
    if not np.isfinite(numbers).all():
        raise NotFiniteError(f"{bundle.folder}: {role} gave numbers that are not finite. {ADVICE}", role)
