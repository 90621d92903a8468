"""One model under eight threads gives what it gives alone, its notes included, and opens each graph once."""

import contextlib
import gc
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from edgevlo.runtime.backends import open_runner
from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.model import Model
from edgevlo.runtime.once import once

THREADS = 8


def test_an_attribute_is_made_once_for_all_threads() -> None:
    class Slow:
        made = 0

        @once
        def value(self) -> int:
            threading.Event().wait(0.05)
            self.made += 1
            return self.made

    slow = Slow()
    with ThreadPoolExecutor(THREADS) as threads:
        assert set(threads.map(lambda _: slow.value, range(THREADS))) == {1}


def state_of_the_process() -> dict[str, object]:
    mask = os.umask(0)
    os.umask(mask)
    return {
        "warnings": (list(warnings.filters), warnings.showwarning),
        "locale": locale.setlocale(locale.LC_ALL),
        "umask": mask,
        "folder": Path.cwd(),
        "signals": [signal.getsignal(one) for one in signal.valid_signals()],
        "logging": (logging.root.level, list(logging.root.handlers), logging.root.manager.disable),
        "numpy": (np.geterr(), np.get_printoptions()),
        "pillow": (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS),
        "random": (random.getstate(), np.random.get_state()[1].tobytes()),  # type: ignore[index]
        "python": (sys.getrecursionlimit(), sys.getswitchinterval(), gc.get_threshold(), sys.excepthook),
        "processors": os.sched_getaffinity(0),
        "environment": dict(os.environ),
        "threads": {one.name for one in threading.enumerate()},
        "files": len(list(Path("/proc/self/fd").iterdir())),
    }


def test_requests_leave_the_process_as_it_was(toy: Path, tmp_path: Path) -> None:
    model = Model.open(toy)
    for ending in ("png", "tif", "gif", "webp"):
        Image.new("RGB", (37, 41), "red").save(tmp_path / f"a.{ending}")
    (tmp_path / "bad.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:-200])

    def request_everything() -> None:
        for picture in sorted(tmp_path.iterdir()):
            with contextlib.suppress(ValueError), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.edit(picture, "on it", seed=1)
                model.ask(picture, "where?", temperature=1.0)
                model.detect(picture)
                model.segment(picture)
        with contextlib.suppress(ValueError):
            model.paint("a", top_p=0)
        next(iter(model.paint_rows("a red car")))  # and not gone on with

    request_everything()  # opens what is opened once
    before = state_of_the_process()
    request_everything()

    assert state_of_the_process() == before


def test_threads_give_the_serial_pictures_and_open_each_graph_once(toy: Path) -> None:
    opened: Counter[str] = Counter()

    def counted(bundle: Bundle, role: GraphRole) -> Any:
        opened[role] += 1
        return open_runner(bundle, role)

    bundle = open_bundle(toy)
    model = Model(bundle, Engine(bundle, counted))
    with ThreadPoolExecutor(THREADS) as threads:
        painted = list(threads.map(lambda seed: model.paint("a red car", seed=seed), range(24)))
    alone = Model.open(toy)

    assert [picture.tobytes() for picture in painted] == [
        alone.paint("a red car", seed=seed).tobytes() for seed in range(24)
    ]
    assert set(opened.values()) == {1}


def test_notes_of_all_threads_are_given_and_the_filter_stays(tmp_path: Path, toy: Path) -> None:
    model, seen, lock = Model.open(toy), list[str](), threading.Lock()
    names = [tmp_path / f"{number}.png" for number in range(24)]
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).integers(0, 256, (37, 41, 3), dtype=np.uint8)
        Image.fromarray(noise).save(name)

    def show(message: Warning | str, *_: object, **__: object) -> None:
        with lock:
            seen.append(str(message))

    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        patch.setattr(warnings, "showwarning", show)
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(model.tokenize, names))
        assert list(warnings.filters) == before

    assert len(seen) == len(names)
