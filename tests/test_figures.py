"""Every figure of README and docs has a file in benchmarks/results, agrees with it, and is made by a named command."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sourced_figures import Figure, sourced, unsourced, value

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# Numbers that are set, bought or published by others, and not measured: versions, options, limits, units of a column.
GIVEN = re.compile(
    r"(?:Python|openai-python|torch(?:'s)?|TensorRT|JetPack|optimum|capability|Orin) \(?[\d.]+"
    r"|arXiv:[\d.]+"
    r"|95 %"
    r"|alpha: 0\.5|smoothed \(0\.5\)|scale 1\.5|image guidance scale of 1\.2"
    r"|(?:at most|less than|within) [\d.]+ (?:MB|GB|dB|s)\b"
    r"|1000 nats and -1000 dB|0\.0078\)"
    r"|0\.1 \(median\) and 0\.5 \(|0\.5 and 1\s+in half precision"
    r"|4\.3 GB for the shape"  # K x K x 4 bytes, added up
)


def by_name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_figures_are_those_of_their_files(page: Path) -> None:
    wrong = [figure for figure in sourced(page.read_text(encoding="utf-8")) if not figure.holds(RESULTS)]
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_measured_number_names_its_file(page: Path) -> None:
    without = list(unsourced(page.read_text(encoding="utf-8"), GIVEN))
    assert not without, f"{page.name} has figures without a source (docs/contributing.md): " + "; ".join(without)


def commands() -> Iterator[tuple[str, str]]:
    """Yield every results file and the command that benchmarks/results/README.md says made it."""
    for line in (RESULTS / "README.md").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\| \[(.+\.json)\]\(\1\) \| `(.+?)` \|", line):
            yield found[1], found[2]


def test_every_results_file_names_the_command_that_made_it() -> None:
    named = dict(commands())
    assert set(named) == {path.name for path in RESULTS.glob("*.json")}
    for file, command in named.items():
        recorded = json.loads((RESULTS / file).read_text(encoding="utf-8")).get("command", command)
        program = command.split()[1]
        assert Path(recorded.split()[1]).name == Path(program).name, f"{file} was made by {recorded!r}"
        assert program == "evaluate" or (ROOT / program).is_file()


def figures(page: str) -> list[tuple[str, str]]:
    return [(figure.shown, figure.place) for figure in sourced(page)]


def test_a_comment_is_about_the_numbers_in_front_of_it() -> None:
    assert figures("takes 4 s, 0.5 to 1.5<!-- a.json: low; high * 9 --> ms") == [("0.5", "low"), ("1.5", "high * 9")]
    assert figures("`0.5` 7<!-- a.json: x --> <!-- only a remark -->") == [("7", "x")]
    assert figures("    an example of 7<!-- a.json: x -->") == []


def test_what_is_given_is_no_figure() -> None:
    assert not list(unsourced("waits 3 s<!-- given -->, then", GIVEN))
    assert list(unsourced("waits 3 s, then 4 s<!-- given -->", GIVEN))
    table = "\n<!-- given -->\n| what | limit |\n| --- | --- |\n| file | 2 MB, 1 s |\n"
    assert not list(unsourced(table, GIVEN))
    assert list(unsourced(table + "\nbut 3 MB", GIVEN))


def test_a_comment_above_a_table_is_about_its_columns() -> None:
    page = """
<!-- a.json: {row}/s; -; {row}/low & {row}/high -->
| | s | note | range |
| --- | --- | --- | --- |
| int8 | 1.5 | 1.1 | 1; 2 |
| both<!-- row: int8, kv --> | 2 | | |

0.7 | 0.8
"""
    found = [("1.5", "int8/s"), ("1", "int8/low"), ("2", "int8/high"), ("2", "int8, kv/s")]
    assert figures(page) == found
    assert [line.rpartition(" ")[2] for line in unsourced(page, GIVEN)] == ["1.1", "0.7", "0.8"]


@pytest.mark.parametrize("line", ["0.48 s", "2 GB", "98.6 %", "5e-4 nats", "| 1.00 |", "12 dB"])
def test_a_number_that_somebody_measured_is_seen(line: str) -> None:
    assert list(unsourced(line, GIVEN))


@pytest.mark.parametrize(
    "line",
    ["128x128", "Janus-1.3B", "v1.2.3", "`0.5 s`", "three in 4 cases", "TensorRT 10.15", "waits 3 s<!-- given -->"],
)
def test_other_numbers_are_not(line: str) -> None:
    assert not list(unsourced(line, GIVEN))


TREE = {"figures": {"Q/DQ int8": {"error": 0.5}, "fp8": {"error": 0.25}, "runs": [{"s": 3}], "word": "x"}, "cores": 2}


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("cores", 2),
        ("Q/DQ int8/error", 0.5),
        ("runs/0/s", 3),
        ("fp8/error * 100", 25),
        ("runs/0/s / 1e3", 0.003),
        ("fp8/error * -1", -0.25),
        ("runs/0/s / fp8/error", 12),
        ("min */error", 0.25),
        ("max fp8/error | Q/DQ int8/error", 0.5),
    ],
)
def test_places(place: str, number: float) -> None:
    assert value(TREE, place) == pytest.approx(number)


@pytest.mark.parametrize("place", ["none", "fp8", "word", "fp8/error/more", "max none/*"])
def test_a_place_without_a_number_is_an_error(place: str) -> None:
    with pytest.raises(LookupError, match="no number at"):
        value(TREE, place)


@pytest.mark.parametrize(
    ("shown", "holds"),
    [("0.35", True), ("0.346", True), ("0.4", False), ("0.34", False), ("3.5e-1", True), ("0", True)],
)
def test_a_figure_is_rounded_as_it_is_shown(tmp_path: Path, shown: str, holds: bool) -> None:
    (tmp_path / "a.json").write_text('{"step": 0.3463}')
    assert Figure(shown, 0, "a.json", "step").holds(tmp_path) is holds
