"""Help, and how wrong usage ends: exit code 2, nothing printed, nothing left on the disk."""

import pytest
from command_line import Run, files

import edgevlo


def test_help_and_version(edgevlo_run: Run) -> None:
    assert edgevlo_run("--version") == (0, f"edgevlo, version {edgevlo.__version__}\n", "")
    assert edgevlo_run("--help").code == 0
    for command in ("paint", "edit", "ask", "detect", "segment", "edges", "depth", "normals", "pose", "export",
                    "quantize", "show", "verify", "doctor", "decode"):  # fmt: skip
        ran = edgevlo_run(command, "-h")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith(f"Usage: edgevlo {command} ")


# Usage errors.


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["paint"],
        ["paint", "a", "--speed", "9"],
        ["paint", "a", "--seed", "x"],
        ["paint", "a", "--seed", "1.5"],
        ["paint", "a", "--top-k", "many"],
        ["paint", "a", "-n", "0"],
        ["paint", "a", "-n", "101"],
        ["edit"],
        ["ask"],
        ["segment"],
        ["export", "a"],
        ["quantize", "a"],
        ["decode"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_two_and_leaves_nothing(edgevlo_run: Run, arguments: list[str]) -> None:
    ran = edgevlo_run(*arguments)

    assert ran.code == 2
    assert ran.out == ""
    assert "Usage: edgevlo" in ran.err
    assert "Traceback" not in ran.err
    assert files() == []


@pytest.mark.parametrize("options", [[], ["-o", "x.png"], ["--seed", "7"]], ids=str)
def test_a_prompt_without_quotes_is_shown_with_them(edgevlo_run: Run, options: list[str]) -> None:
    for words in (["paint", *options, "a", "red", "car"], ["paint", "a", "red", "car", *options]):
        ran = edgevlo_run(*words)

        assert ran == (2, "", "edgevlo: put the prompt in quotes: edgevlo paint 'a red car'\n")
        assert files() == []
