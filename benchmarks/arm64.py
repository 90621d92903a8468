"""Whether 64-bit ARM paints and answers as x86-64 does: `make arm64`, as root, with debootstrap and qemu-user-static.

Debian's packages for arm64 are unpacked into a folder, the wheel of this tree and the aarch64 wheels of what it needs
are installed there by the folder's own pip, and its `edgevlo` is run under qemu-aarch64. The same commands run here.
Nothing is registered with the kernel: qemu is given each program by name, and mounts are seen by these commands alone.

An emulator computes what the instructions say, so what is equal here is equal on such a CPU; its seconds mean nothing.
Which instructions the libraries choose depends on the CPU: here a Cortex-A76, the core of a Raspberry Pi 5. ONNX
Runtime reads it from /proc/cpuinfo, where qemu shows this machine's, so a file of that core stands in its place.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from record import write

ROOT: Final = Path(__file__).resolve().parent.parent
SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"
PYTHON = "3.11"  # of that suite
PACKAGES: Final = "python3,python3-pip-whl,libgomp1,libstdc++6"
PLATFORMS: Final = tuple(f"manylinux{name}_aarch64" for name in ("2014", "_2_17", "_2_26", "_2_27", "_2_28"))
QEMU: Final = "qemu-aarch64-static"
CPU: Final = "cortex-a76"
_CPUINFO: Final = """\
processor\t: 0
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

"""
PLACE: Final = "/opt/edgevlo"  # in the root
# A trial starts a program of its own, for which the kernel would have to know the emulator.
ENVIRONMENT: Final = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": "/root", "OMP_NUM_THREADS": "1", "EDGEVLO_TRIAL": "0"}

PAINTED: Final = ("a red car on the beach at sunset", "一只戴帽子的猫在森林里", "two owls", "海边的蓝色房子")
CHANGED: Final = ("make it night", "把车的颜色换成蓝色")
ASKED: Final = ("what colour is the car?", "how many cars are there?", "图里有什么？", "车是什么颜色的？")
SOURCE: Final = "source.png"  # what is changed and asked about: painted here, read on both sides

_ENTERED: Final = """
set -e
mount -t proc proc "$0/proc"
mount --bind "$0/tmp/cpuinfo" "$0/proc/cpuinfo"
mount -t sysfs -o ro sysfs "$0/sys"
exec chroot "$0" "$@"
"""
_IN_TMP: Final = "import os, runpy; os.chdir('/tmp'); runpy.run_module('edgevlo', run_name='__main__', alter_sys=True)"
# `edgevlo verify --run` without its trials, which start programs of their own.
_SELF_CHECK: Final = """
import json
from edgevlo.cli.self_check import facts
from edgevlo.models.find import find
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.self_check.first_opening import replayed
bundle = open_bundle(find(None))
print(json.dumps(facts(replayed(bundle, Engine(bundle)))))
"""
_ABOUT: Final = """
import importlib.metadata, json, platform
names = ("edgevlo", "numpy", "onnxruntime", "tokenizers", "pillow")
versions = {name: importlib.metadata.version(name) for name in names}
print(json.dumps({"machine": platform.machine(), "python": platform.python_version(), "versions": versions}))
"""


class Arm64:
    """A Debian for arm64 in a folder, with this tree's wheel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Unpack Debian's packages, unless they are there, and install the wheel of the tree as it is now."""
        if not (self.folder / "usr/bin/python3").exists():
            _run("debootstrap", "--arch=arm64", "--foreign", "--variant=minbase", f"--include={PACKAGES}", SUITE,
                 str(self.folder), MIRROR)  # fmt: skip
            # Instead of the second stage, whose scripts take many minutes when they are emulated.
            for package in sorted((self.folder / "var/cache/apt/archives").glob("*.deb")):
                _run("dpkg-deb", "--extract", str(package), str(self.folder))
        shutil.copy(_found(QEMU), self.folder / "usr/bin")
        wheels = self.folder / "wheels"
        for old in wheels.glob("edgevlo-*.whl"):
            old.unlink()
        _pip("wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT))
        (wheel,) = wheels.glob("edgevlo-*.whl")
        platforms = [f"--platform={name}" for name in PLATFORMS]
        _pip("download", "--only-binary=:all:", *platforms, f"--python-version={PYTHON}", "--implementation=cp",
             "--constraint", str(ROOT / "constraints.txt"), "--find-links", str(wheels), "--dest", str(wheels),
             str(wheel))  # fmt: skip
        shutil.rmtree(self.folder / PLACE[1:], ignore_errors=True)
        pip = next(self.folder.glob("usr/share/python-wheels/pip-*.whl")).relative_to(self.folder)
        self.python("-m", "pip", "install", "--quiet", "--no-index", "--find-links=/wheels", "--no-compile",
                    "--root-user-action=ignore", f"--target={PLACE}", "edgevlo", path=f"/{pip}")  # fmt: skip

    def python(self, *words: str, path: str = PLACE) -> str:
        """Run the folder's Python; /proc and /sys are mounted for it and for nothing else."""
        (self.folder / "tmp/cpuinfo").write_text(_CPUINFO)
        python = [f"/usr/bin/{QEMU}", "-cpu", CPU, "/usr/bin/python3"]
        command = ["unshare", "--mount", "sh", "-c", _ENTERED, str(self.folder), *python]
        return _run(*command, *words, environment={**ENVIRONMENT, "PYTHONPATH": path})

    def edgevlo(self, *words: str) -> str:
        """Run the command line there, in its /tmp."""
        return self.python("-c", _IN_TMP, *words)


def here(*words: str) -> str:
    """Run the same command line here, in the current folder, with one thread too."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    return _run(sys.executable, "-m", "edgevlo", *words, environment=environment)


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        sys.exit(f"{program} is not installed; as root: apt install debootstrap qemu-user-static")
    return path


def _pip(*words: str) -> None:
    _run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words)


def _run(program: str, *words: str, environment: dict[str, str] | None = None) -> str:
    """Return what a command printed; end with its last lines if it fails."""
    command = [_found(program), *words]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{program} failed with {ran.returncode}: {' '.join(words)}\n{(ran.stdout + ran.stderr)[-2000:]}")
    return ran.stdout


def painted(arm64: Arm64, name: str, words: Sequence[str], count: int) -> dict[str, Any]:
    """Paint on both sides; return how many of each picture's codes are equal, and how far its pixels differ."""
    command = [*words, "-n", str(count), "--seed", "1", "--codes", f"{name}.npy", "-o", f"{name}.png"]
    here(*command)
    arm64.edgevlo(*command)
    pictures = []
    for number in [""] if count == 1 else [f"-{number}" for number in range(1, count + 1)]:
        codes, pixels = [], []
        for folder in (Path(), arm64.folder / "tmp"):
            codes.append(np.load(folder / f"{name}{number}.npy"))
            pixels.append(np.asarray(Image.open(folder / f"{name}{number}.png"), np.int16))
        equal = codes[0] == codes[1]
        pictures.append({
            "equal_codes": int(equal.sum()),
            "codes": equal.size,
            "first_difference": None if equal.all() else int(np.argmin(equal)),
            "largest_pixel_difference": int(abs(pixels[0] - pixels[1]).max()),
        })  # fmt: skip
    return {"command": " ".join(command), "pictures": pictures}


def asked(arm64: Arm64, question: str) -> dict[str, Any]:
    """Ask on both sides; return both answers."""
    command = ["ask", SOURCE, question]
    answers = [side(*command).strip() for side in (here, arm64.edgevlo)]
    return {"command": " ".join(command), "x86_64": answers[0], "aarch64": answers[1], "equal": len(set(answers)) == 1}


def compared(arm64: Arm64, count: int) -> dict[str, Any]:
    """Paint, change and ask on both sides, in the current folder and in the root's /tmp."""
    here("paint", PAINTED[0], "--seed", "1", "-o", SOURCE)
    shutil.copy(SOURCE, arm64.folder / "tmp")
    x86_64, aarch64 = json.loads(_run(sys.executable, "-c", _SELF_CHECK)), json.loads(arm64.python("-c", _SELF_CHECK))
    commands = [["paint", prompt] for prompt in PAINTED] + [["edit", SOURCE, change] for change in CHANGED]
    runs = []
    for number, words in enumerate(commands):
        runs.append(painted(arm64, f"drawn-{number}", words, count))
        runs.append(painted(arm64, f"greedy-{number}", [*words, "--temperature", "0"], 1))
    answers = [asked(arm64, question) for question in ASKED]
    pictures = [one for run in runs for one in run["pictures"]]
    return {
        "emulator": _run(QEMU, "--version").splitlines()[0],
        "emulated_cpu": CPU,
        "aarch64": json.loads(arm64.python("-c", _ABOUT)),
        "self_check": [{**theirs, "x86_64": ours["value"]} for ours, theirs in zip(x86_64, aarch64, strict=True)],
        "pictures": len(pictures),
        "pictures_with_equal_codes": sum(one["first_difference"] is None for one in pictures),
        "equal_codes": round(sum(one["equal_codes"] for one in pictures) / sum(one["codes"] for one in pictures), 4),
        "answers": len(answers),
        "equal_answers": sum(one["equal"] for one in answers),
        "painted": runs,
        "asked": answers,
    }


def main() -> None:
    """Make the root, run everything on both sides and write `results/arm64.json`."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--root", type=Path, default=ROOT / "build" / "arm64", help="the folder of the root")
    options.add_argument("--count", type=int, default=4, help="drawn pictures of each request, beside a greedy one")
    options.add_argument("--installed", action="store_true", help="the root has the wheel: only compare")
    arguments = options.parse_args()
    if os.geteuid() != 0:
        sys.exit("making a root and entering it needs root's rights: sudo make arm64")
    arm64 = Arm64(arguments.root.resolve())
    if not arguments.installed:
        arm64.make()
    with tempfile.TemporaryDirectory() as work, contextlib.chdir(work):
        figures = compared(arm64, arguments.count)
    write("arm64", figures)


if __name__ == "__main__":
    main()
