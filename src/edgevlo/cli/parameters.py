"""Messages of the API, which name its parameters in backticks, in the words of the command line.

`block_size=48` is not supported        --block-size 48 is not supported
skip the check with `requests=0`        skip the check with --quality-requests 0
"""

import ast
import re
import shlex
from typing import Any, Final

import click

FIELDS: Final = {"cache": "kv_cache"}  # of `Static`, by the parameter that is the option
_NAMED: Final = re.compile(r"`(\w+)(?:=([^`]+))?`")


def in_options(message: str, command: click.Command | None) -> str:
    """Return a message with the parameters that a command has too as its options; others stay as they are."""
    parameters = {} if command is None else {str(one.name): one for one in command.params}

    def option(found: re.Match[str]) -> str:
        parameter = parameters.get(FIELDS.get(found[1], found[1]))
        return found[0] if parameter is None else _written(parameter, found[2])

    return _NAMED.sub(option, message)


def _written(parameter: click.Parameter, value: str | None) -> str:
    name = max(parameter.opts, key=len) if isinstance(parameter, click.Option) else parameter.human_readable_name
    if value is None or (isinstance(parameter, click.Option) and parameter.is_flag):
        return name
    literal = _literal(value)
    values = literal if isinstance(literal, tuple) else (literal,)
    return " ".join(f"{name} {shlex.quote(str(one))}" for one in values)


def _literal(value: str) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
