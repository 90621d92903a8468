"""How near the predicted peak of memory is to the measured one.

Each bundle paints one picture of its default size with default guidance, in a process of its own; its peak is the
largest resident set that Linux noted (`VmHWM`). Beside it stands what `edgevlo show` predicts, part by part.

    python benchmarks/memory.py BUNDLE...
    python benchmarks/memory.py --name memory_forms BUNDLE...    # another file in results
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import record
from export_memory import status

from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.memory.predict import predict
from edgevlo.runtime.memory.refuse import IGNORE

PROMPT = "a red car"


def measured(bundle: Path) -> float:
    """Return the peak in MB of a process that paints one default picture."""
    command = [sys.executable, __file__, "--child", str(bundle)]
    environment = {**os.environ, IGNORE: "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return float(done.stdout.splitlines()[-1])


def paint(bundle: Path) -> float:
    """Paint in this process; return its peak in MB."""
    import edgevlo

    edgevlo.load(bundle).paint(PROMPT, seed=0)
    return status("VmHWM") * 1e3


def compare(bundle: Path) -> dict[str, Any]:
    """Return both peaks in MB, the parts of the predicted one, and predicted over measured."""
    manifest = read_manifest(bundle)
    predicted = predict(bundle, manifest)
    if predicted is None:
        sys.exit(f"{bundle}: the peak of this bundle is not predicted")
    peak = measured(bundle)
    return {
        "target": manifest.target,
        "backbone": manifest.graphs["backbone"].precision,
        "disk_mb": round(sum(file.bytes for file in manifest.files.values()) / 1e6, 1),
        "predicted_mb": round(predicted.peak / 1e6, 1),
        "measured_mb": round(peak, 1),
        "ratio": round(predicted.peak / 1e6 / peak, 3),
        "parts_mb": {name: round(size / 1e6, 1) for name, size in asdict(predicted).items()},
    }


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("bundles", nargs="*", type=Path)
    parser.add_argument("--name", default="memory", help="of the file in results")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(paint(arguments.child))
        return
    figures = {"/".join(bundle.parts[-2:]): compare(bundle) for bundle in arguments.bundles}
    print(json.dumps(figures, indent=1))
    record.write(arguments.name, figures)


if __name__ == "__main__":
    main()
