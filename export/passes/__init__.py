"""Clean-up of exported graphs: each rule is one file, exact on any model, and worth something on sparse ones."""

from .zero_branches import ZeroBranchesPass
from .zero_taps import ZeroTapsPass

__all__ = ["ZeroBranchesPass", "ZeroTapsPass"]
