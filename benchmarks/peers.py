"""EdgeVLo beside other engines on this CPU: one picture of 576 codes with guidance at Janus-Pro-1B's shape.

Every engine runs as a process of its own, in turns, round after round, so that what else the machine does meets all of
them; read the ratios, not the milliseconds. The weights are random. What an engine does differs in EdgeVLo's disfavour:
it draws from 16,384 codes with guidance, top-k and top-p and decodes and saves the picture, the others take the
likeliest token and decode nothing.

    python benchmarks/peers.py --folder FOLDER --setup              # environments and models, 15 GB, most of an hour
    python benchmarks/peers.py --folder FOLDER --rounds 3

An engine whose environment or model is not in the folder is left out, with a note in the results. `--setup NAME...`
makes those of single engines. EdgeVLo itself runs in this environment; its bundle is that of `--bundle`, or
FOLDER/edgevlo, which `--setup edgevlo` makes in the form that `quantize --weights int4` takes where its check passes.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import peer_plot
import record
from peer_setup import ENGINES, Engine, make

from edgevlo.bench import memory_bandwidth, step_bytes
from edgevlo.runtime.graphs.threads import most_threads
from edgevlo.runtime.manifest.schema import read_manifest

Run: TypeAlias = dict[str, Any]

PROGRAMS: Final = Path(__file__).parent / "peer_programs"
OURS: Final = "edgevlo"
_FLAGS: Final = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "asimddp", "i8mm", "sve")


def run(engine: Engine, folder: Path, model: Path, threads: int) -> Run:
    """Run an engine's program once; return what it reported, with the process's seconds, peak and neighbours."""
    command = [str(engine.python(folder)), str(PROGRAMS / engine.program), str(model), str(threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), **engine.environment(folder)}
    before, ours, began = _busy(), _children(), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    out = process.stdout.read() if process.stdout is not None else ""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{engine.name}: {' '.join(command)} ended with {process.returncode}")
    others = max(0.0, _busy() - before - (_children() - ours)) / (seconds * (os.cpu_count() or 1))
    found: Run = json.loads(out.strip().splitlines()[-1])
    return {
        **found,
        "process_s": round(seconds, 2),
        "peak_gb": round(used.ru_maxrss * 1024 / 1e9, 3),
        "others_share_of_cpu": round(others, 3),
    }


def _busy() -> float:
    """Return the seconds that all CPUs have worked; 0 where the system does not say."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    ticks = [int(one) for one in stat.read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ratios(runs: dict[str, list[Run]], floor_ms: Sequence[float]) -> dict[str, float]:
    """Return EdgeVLo's figures over the others': the median over the rounds of what each round gave."""

    def middle(values: Sequence[float]) -> float:
        return float(f"{statistics.median(values):.3g}")

    found, ours = dict[str, float](), runs[OURS]
    for name, theirs in runs.items():
        if name != OURS:
            pairs = list(zip(ours, theirs, strict=True))
            found[f"step/{name}"] = middle([a["step_ms"] / b["step_ms"] for a, b in pairs])
            found[f"process/{name}"] = middle([a["process_s"] / b["process_s"] for a, b in pairs])
    found["step/floor"] = middle([one["step_ms"] / floor for one, floor in zip(ours, floor_ms, strict=True)])
    found["last_row/first_row"] = middle([one["rows_ms"][-1] / one["rows_ms"][1] for one in ours])
    found["peak_gb"] = middle([one["peak_gb"] for one in ours])
    return found


def measured(folder: Path, bundle: Path, names: Sequence[str], rounds: int, threads: int) -> dict[str, Any]:
    """Run the engines in turns; the order moves on by one each round."""
    models = {name: bundle if name == OURS else ENGINES[name].model(folder) for name in names}
    absent = {name: note for name in names if (note := ENGINES[name].absent(folder, models[name]))}
    for note in absent.values():
        print(note, file=sys.stderr)
    present = [name for name in names if name not in absent]
    if OURS not in present:
        raise SystemExit("without EdgeVLo there is nothing to compare.")
    runs: dict[str, list[Run]] = {name: [] for name in present}
    bandwidths, load = [], [os.getloadavg()[0]]
    for turn in range(rounds):
        bandwidths.append(memory_bandwidth(threads))
        for name in (*present[turn % len(present) :], *present[: turn % len(present)]):
            runs[name].append(run(ENGINES[name], folder, models[name], threads))
            print(f"{name}: {json.dumps(runs[name][-1])}", file=sys.stderr, flush=True)
        load.append(os.getloadavg()[0])
    floor = [1e3 * step_bytes(read_manifest(bundle)) / one for one in bandwidths]
    return {
        "ratios": ratios(runs, floor),
        "machine": {"cpu_flags": cpu_flags(), "kernel": platform.release(), "threads": threads},
        "load": [round(one, 2) for one in load],
        "bandwidth_gb_s": [round(one / 1e9, 1) for one in bandwidths],
        "floor_ms": [round(one, 2) for one in floor],
        "medians": {
            name: {key: statistics.median(one[key] for one in each) for key in ("step_ms", "process_s", "peak_gb")}
            for name, each in runs.items()
        },
        "rounds": runs,
        "absent": absent,
    }


def cpu_flags() -> list[str]:
    """Return the instruction sets of this CPU that engines of small integers use."""
    info = Path("/proc/cpuinfo")
    words = set(info.read_text().split()) if info.exists() else set()
    return [flag for flag in _FLAGS if flag in words]


def main() -> None:
    """Read the arguments; set up, or measure, write and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="environments and models, outside the tree")
    parser.add_argument("--setup", nargs="*", choices=list(ENGINES), help="make environments and models, and no more")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--bundle", type=Path, help="EdgeVLo's bundle, instead of FOLDER/edgevlo")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="of every engine; 0 is all CPUs of this process")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    if arguments.setup is not None:
        make(folder, arguments.setup or list(ENGINES))
        return
    bundle = arguments.bundle or ENGINES[OURS].model(folder)
    threads = most_threads(arguments.threads)
    figures = measured(folder, bundle.absolute(), arguments.engines, arguments.rounds, threads)
    path = record.write("peers", figures)
    path.with_suffix(".svg").write_text(peer_plot.plot(figures), encoding="utf-8")
    print(json.dumps(figures["ratios"]))


if __name__ == "__main__":
    main()
