"""Which NVIDIA GPUs, driver and board this machine has, by the system's own files. Loads no library of theirs."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/")
_FILES: Final = ("proc/driver/nvidia/version", "proc/device-tree/model", "etc/nv_tegra_release")
_MODEL: Final = "Model:"


def machine_facts(root: Path = _ROOT) -> tuple[str, ...]:
    """Return the models of the GPUs, then driver, board and system image, each in a line; empty without any.

    `root` holds `proc` and `etc`.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    chosen = () if visible is None else (f"CUDA_VISIBLE_DEVICES={visible}",)
    return (*_models(root), *filter(None, (_first_line(root / name) for name in _FILES)), *chosen)


def _models(root: Path) -> Iterator[str]:
    for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        for line in _read(path).splitlines():
            if line.startswith(_MODEL):
                yield line.removeprefix(_MODEL).strip()


def _first_line(path: Path) -> str:
    return " ".join(_read(path).split("\n", 1)[0].strip("\0").split())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
