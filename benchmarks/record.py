"""Results on disk: figures with the machine, the versions and the date they were measured with."""

import datetime
import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("edgevlo", "numpy", "onnxruntime", "tokenizers", "pillow", "torch", "transformers")


def spread(samples: Sequence[float]) -> dict[str, float]:
    """Return median, minimum and maximum, rounded to four significant digits."""
    figures = {"median": statistics.median(samples), "min": min(samples), "max": max(samples)}
    return {name: float(f"{value:.4g}") for name, value in figures.items()} | {"runs": len(samples)}


def write(name: str, figures: dict[str, Any]) -> Path:
    """Write `results/NAME.json`, print the figures as its last line, and return the path."""
    result = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python", *map(_shown, sys.argv)]),
        "machine": {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "versions": {package: _version(package) for package in _PACKAGES},
        "figures": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return path


def write_beside(name: str, figures: dict[str, Any]) -> Path:
    """Write figures beside the others of `results/NAME.json`, each with the date that it was measured at."""
    path = RESULTS / f"{name}.json"
    before = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return write(name, {**before, **figures, "dates": {**before.get("dates", {}), **dict.fromkeys(figures, now)}})


def _shown(argument: str) -> str:
    """Return an argument without the folders of this machine."""
    option, equals, value = argument.rpartition("=")
    return option + equals + Path(value).name if Path(value).is_absolute() else argument


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
