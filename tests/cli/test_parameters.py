"""Errors name the parameter that the caller knows: Python's in Python, the option on the command line."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Run, files

from edgevlo.cli import main
from edgevlo.cli.parameters import FIELDS, in_options

ROOT = Path(__file__).parents[2]
LIBRARY = ("calibration", "export", "quantization", "runtime")


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("`block_size=48` is not supported", "--block-size 48 is not supported"),
        ("remove `requests=0`.", "remove --quality-requests 0."),
        ("accept it with `accept_loss=True`", "accept it with --accept-quality-loss"),
        ("`overrides` and `activations`", "--module and --activations"),
        ("`overrides='*.q_proj=int8'`", "--module '*.q_proj=int8'"),
        ("`overrides=('a=fp16', 'b=fp16')`", "--module a=fp16 --module b=fp16"),
        ("`method='hqq'` needs torch", "--method hqq needs torch"),
        ("write `edit: WORDS` or `nothing=1`", "write `edit: WORDS` or `nothing=1`"),
    ],
)
def test_parameters_are_written_as_options(said: str, written: str) -> None:
    assert in_options(said, main.commands["quantize"]) == written
    assert in_options(said, None) == said


def strings(folder: str) -> Iterator[tuple[str, str]]:
    """Yield every string of the modules of a folder that is not a docstring, an f-string's parts joined."""
    for file in (ROOT / folder).rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                texts = [str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values]
                yield file.name, "".join(texts)
            elif isinstance(node, ast.Constant) and node not in statements and id(node) not in inside:
                yield file.name, str(node.value)


@pytest.mark.parametrize("folder", LIBRARY)
def test_the_library_names_no_option_but_in_a_whole_command(folder: str) -> None:
    for file, text in strings(folder):
        for option in re.finditer(r"--[a-z][a-z-]+", text):
            assert "edgevlo " in text[: option.start()], f"{file}: {text!r} names an option; name the parameter"


def test_the_parameters_that_messages_name_are_those_of_a_command() -> None:
    known = {*FIELDS, *(str(one.name) for command in main.commands.values() for one in command.params)}
    named = {
        (file, found)
        for folder in ("calibration", "quantization")
        for file, text in strings(folder)
        for found in re.findall(r"`(\w+)(?:=[^`]*)?`", text)
    }
    assert len(named) > 20
    assert {(file, name) for file, name in named if name not in known} == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("paint", "a", "--codes", "-"),
        ("export", "a", "-o", "-"),
        ("quantize", "a", "-o", "-"),
        ("calibrate", "a", "-o", "-"),
        ("evaluate", "a", "--against", "a", "--sheet", "-"),
        ("paint", "a", "-o", "-", "-n", "2"),
        ("detect", "a.png", "-o", "-"),
        ("interleave", "a", "-o", "-"),
    ],
    ids=" ".join,
)
def test_what_cannot_go_to_standard_output_is_refused(edgevlo_run: Run, arguments: tuple[str, ...]) -> None:
    ran = edgevlo_run(*arguments)

    assert ran.code == 2
    assert re.search(r"- (is standard output|writes one picture)", ran.err)
    assert files() == []


@pytest.mark.parametrize("command", ["ask", "edit", "interleave"])
def test_words_without_quotes_are_told_from_pictures(edgevlo_run: Run, command: str) -> None:
    Path("photo.png").touch()
    word = {"ask": "question", "edit": "instruction", "interleave": "prompt"}[command]

    ran = edgevlo_run(command, "photo.png", "what", "is", "this?")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"edgevlo: there is no picture what; put the {word} in quotes: edgevlo {command} photo.png 'what is this?'\n"
    )
