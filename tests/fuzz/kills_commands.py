"""The commands that kills.py kills: what each writes where, and what of it would be half or left."""

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from edgevlo.calibration import store
from edgevlo.runtime.bundle import EMBEDDED, read_bundle, verify_files

SMALL: Final = ("--size", "64x80")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, the one after it, and where both write."""

    arguments: tuple[str, ...]
    next: tuple[str, ...]
    box: Path
    work: Path
    result: Path
    check: Callable[[Path], object]
    prepare: Callable[[], object] = bool
    always: bool = False  # whether a result was there before and has to be there at any time

    def half(self) -> list[str]:
        """Return what is wrong with the result, which is whole or not there."""
        if self.always and not self.result.exists():
            return ["half: what was there before is gone"]
        if self.result.exists():
            try:
                self.check(self.result)
            except Exception as error:
                return [f"half: {error}"]
        return []

    def left(self, usual: frozenset[str]) -> list[str]:
        """Return the files and folders, and the processes, that nobody asked for.

        `usual` names what libraries keep among the temporary files, as torch its cache.
        """
        home = [path for path in (self.box / "home").rglob("*") if path.name.startswith(".")]
        unfinished = (self.box / "hf").rglob("*.incomplete")
        given = [path for path in self.work.iterdir() if not path.name.startswith(("out", "next"))]
        temporary = [path for path in (self.box / "tmp").iterdir() if path.name not in usual]
        found: Iterable[Path] = (*home, *unfinished, *given, *temporary)
        files = [f"left: {path.relative_to(self.box)}" for path in found]
        return files + [f"runs on: {process}" for process in _processes_in(self.work)]


def commands(box: Path, work: Path) -> dict[str, Command]:
    """Return the commands that write into a folder, and into the home of a box."""
    portable, pulled = str(box / "portable"), box / "home" / "bundles" / "someone--model"

    def here(*arguments: str, check: Callable[[Path], object] = _bundle) -> Command:
        after = ("paint", "a red car", *SMALL, "-o", "next.png")
        return Command(arguments=arguments, next=after, box=box, work=work, result=work / "out", check=check)

    pull = ("pull", "someone/model")
    few = ("--count", "2")
    pictures = tuple(f"out-{number}.png" for number in range(1, 9))
    return {
        "export": here("export", str(box / "checkpoint"), "-o", "out"),
        "quantize": here("quantize", portable, "-o", "out", "--quality-requests", "2"),
        "calibrate": here("calibrate", portable, "-o", "out", *few, check=store.read),
        "pull": Command(arguments=pull, next=pull, box=box, work=work, result=pulled, check=_bundle),
        "update": Command(
            arguments=(*pull, "--revision", "main"), next=(*pull, "--revision", "main"), box=box, work=work,
            result=pulled, check=_bundle, prepare=lambda: _install_another(pulled), always=True,
        ),
        "paint": Command(
            arguments=("paint", "a red car", *SMALL, "-n", str(len(pictures)), "-o", "out.png"),
            next=("paint", "a red car", *SMALL, "-o", "next.png"), box=box, work=work, result=work, check=_pictures,
        ),
    }  # fmt: skip


def forget(box: Path) -> None:
    """Remove what was pulled, so that the next pull has work to do."""
    for folder in (box / "home" / "bundles", box / "home" / "verified", box / "hf"):
        shutil.rmtree(folder, ignore_errors=True)


def _install_another(destination: Path) -> None:
    """Install another revision of picturebook."""
    destination.mkdir(parents=True)
    for path in (EMBEDDED / "picturebook").iterdir():
        (destination / path.name).write_bytes(path.read_bytes())
    manifest = destination / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"edition", b"revision", 1))


def _bundle(folder: Path) -> None:
    verify_files(folder, read_bundle(folder).manifest)


def _pictures(folder: Path) -> None:
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            image.load()


def _processes_in(folder: Path) -> list[str]:
    """Return the processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder and int(process.name) != os.getpid():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
