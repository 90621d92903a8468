"""How many codes a pass reads: the most right ones in the least time, by costs that are measured once."""

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgevlo.runtime.graphs.codes_per_pass import WIDTHS, Pace, best_width

# A 1B model's passes on a CPU, in steps (2/4/8 codes: 1.4/2.3/3.6), and a GPU's, which cost the same.
CPU = {1: 1.0, 2: 1.4, 4: 2.3, 8: 3.6}
GPU = {1: 1.0, 2: 1.0, 4: 1.0, 8: 1.0}


@pytest.mark.parametrize(
    ("costs", "right", "width"),
    [
        (CPU, [], 1),
        (CPU, [0.3, 0.09, 0.03], 1),  # 1.3 codes in 1.4 steps
        (CPU, [0.5, 0.25], 1),  # 1.5 in 1.4: too little to be sure of
        (CPU, [0.8, 0.5], 2),
        (CPU, [0.9, 0.8, 0.7, 0.2, 0.1, 0.0, 0.0], 4),  # 3.4 in 2.3
        (CPU, [0.9, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5], 8),  # 5.8 in 3.6
        (CPU, [1.0] * 6, 4),
        (GPU, [0.1] * 7, 8),
    ],
)
def test_the_width_gives_most_right_codes_in_least_time(
    costs: dict[int, float], right: list[float], width: int
) -> None:
    assert best_width(costs, right) == width


def guesses(chance: float) -> Iterator[tuple[int, float]]:
    return ((code, chance) for code in itertools.count())


def width(pace: Pace, chance: float, most: int) -> int:
    chosen = pace.choose(guesses(chance), most - 1)
    assert chosen == list(range(len(chosen)))
    return 1 + len(chosen)


class Reader:
    """A device on which a pass takes a second, and a fifth more for every further code."""

    now = 0.0

    def __init__(self) -> None:
        self.read: list[int] = []

    def __call__(self, width: int) -> None:
        self.read.append(width)
        Reader.now += 1 + 0.2 * (width - 1)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "perf_counter", lambda: Reader.now)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_nothing_is_measured_before_guesses_look_worth_it(home: Path) -> None:
    read = Reader()

    assert width(Pace(read, "a"), 0.2, 99) == 1
    assert width(Pace(read, "a"), 1.0, 5) == 1  # too little is left to measure all widths with
    assert read.read == []
    assert not home.exists()


def test_costs_are_measured_once_for_a_device_and_kept(home: Path) -> None:
    read = Reader()
    pace = Pace(read, "a")

    assert width(pace, 1.0, 99) == 12
    assert width(pace, 0.0, 99) == 1
    assert set(read.read) == set(WIDTHS)
    assert [*json.loads((home / "pace" / "a.json").read_text())] == list(map(str, WIDTHS))
    again = Reader()
    assert width(Pace(again, "a"), 1.0, 99) == 12
    assert again.read == []
    other = Reader()
    width(Pace(other, "b"), 1.0, 99)
    assert other.read != []


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"1": 0.1}', '{"one": 2}', "null"])
def test_what_cannot_be_read_is_measured_again(home: Path, content: str) -> None:
    (home / "pace").mkdir(parents=True)
    (home / "pace" / "a.json").write_text(content)
    read = Reader()

    width(Pace(read, "a"), 1.0, 99)

    assert read.read != []
    assert len(json.loads((home / "pace" / "a.json").read_text())) == len(WIDTHS)
