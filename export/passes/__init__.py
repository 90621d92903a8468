"""Clean-up of exported graphs: each rule is one file, exact on any model, and worth something on sparse ones."""

from .known_shapes import KnownShapesPass
from .zero_branches import ZeroBranchesPass
from .zero_taps import ZeroTapsPass

__all__ = ["KnownShapesPass", "ZeroBranchesPass", "ZeroTapsPass"]
