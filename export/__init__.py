"""Checkpoint -> portable bundle. Needs the `export` extra (torch, transformers, onnx); nothing else does."""

from .exporter import Progress, export_checkpoint

__all__ = ["Progress", "export_checkpoint"]
