"""Checkpoint -> portable bundle. Needs the `export` extra (torch, transformers, onnx); nothing else does.

What needs torch is imported when it is asked for, so that the list of families can be read without.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgevlo.runtime.arrays import Progress

    from .checkpoint_to_bundle import export_checkpoint

__all__ = ["Progress", "export_checkpoint"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import checkpoint_to_bundle

    return getattr(checkpoint_to_bundle, name)
