"""Text of others as a terminal may show it: names in bundles, answers of models, errors that repeat either."""

import json
import re
from typing import Any, Final

import click

# Control characters but tab and line feed, separators of lines and paragraphs, and what turns the writing direction.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def shown(text: object) -> str:
    """Return the text with control characters written out, so that none reaches the terminal."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def say(text: object, *, err: bool = False) -> None:
    """Print a text of others."""
    click.echo(shown(text), err=err)


def say_json(facts: Any, indent: int | None = None) -> None:
    """Print facts as JSON, in which control characters stand as the escapes that JSON has for them."""
    text = json.dumps(facts, ensure_ascii=False, indent=indent)
    click.echo(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
