"""A command and the function behind it take the same parameters with the same defaults."""

import inspect
from collections.abc import Callable
from typing import Any

import click
import pytest

from edgevlo.calibration import calibrate
from edgevlo.calibration.evaluation.evaluate import evaluate
from edgevlo.cli import main
from edgevlo.export import export_checkpoint
from edgevlo.quantization import QuantizeRequest, Static, quantize
from edgevlo.runtime.model import Model

# What is typed with no option but those that must be given, the function, which of its parameters no option sets, and
# what of the command is no parameter.
PAINTING = {"output", "model", "count", "codes", "watch", "resume", "c2pa", "fingerprint"}
PAIRS: list[tuple[str, Callable[..., Any], set[str], set[str]]] = [
    ("paint X", Model.paint, {"self", "image_guidance_scale"}, PAINTING),
    ("edit A.png X", Model.edit, {"self"}, PAINTING),
    ("interleave X", Model.interleave, {"self"}, {"output", "model", "watch", "c2pa"}),
    ("ask A.png X", Model.ask, {"self"}, {"model"}),
    ("export A -o B", export_checkpoint, {"progress"}, set()),
    ("quantize A -o B", quantize, {"progress", "moments", "static"}, {*inspect.signature(Static).parameters}),
    ("calibrate A", calibrate, {"progress"}, set()),
    ("evaluate A --against B", evaluate, {"progress", "candidate", "reference"},
     {"bundle", "against", "document", "sheet"}),
]  # fmt: skip
OF_THE_COMMAND_LINE = {"as_json", "no_prompt", "check", "emulate"}


def typed(words: str) -> dict[str, Any]:
    """Return what a command is called with."""
    name, *arguments = words.split()
    context = main.commands[name].make_context(name, arguments, parent=click.Context(main, **main.context_settings))
    return context.params


@pytest.mark.parametrize(
    ("words", "function", "python_only", "command_only"), PAIRS, ids=[words for words, *_ in PAIRS]
)
def test_a_command_has_the_parameters_and_defaults_of_its_function(
    words: str, function: Callable[..., Any], python_only: set[str], command_only: set[str]
) -> None:
    given = typed(words)
    parameters = inspect.signature(function).parameters

    assert {*parameters} - python_only == {*given} - command_only - OF_THE_COMMAND_LINE
    defaults = {name: one.default for name, one in parameters.items() if one.default is not inspect.Parameter.empty}
    assert {name: given[name] for name in defaults if name in given} == {
        name: default for name, default in defaults.items() if name in given
    }


def test_the_function_and_the_request_of_quantize_have_the_same_defaults() -> None:
    function, request = (inspect.signature(one).parameters for one in (quantize, QuantizeRequest))
    assert {name: one.default for name, one in function.items() if name != "progress"} == {
        name: one.default for name, one in request.items()
    }


def test_static_quantisation_has_the_defaults_of_its_options() -> None:
    given = typed("quantize A -o B")
    for name, parameter in inspect.signature(Static).parameters.items():
        wanted = "float" if name == "activations" else parameter.default  # None: not quantised
        assert given["kv_cache" if name == "cache" else name] == wanted, name
