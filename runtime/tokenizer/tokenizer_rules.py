"""What a tokenizer file may ask of the tokenizers library: expressions that end, and text that does not grow.

The library's expressions backtrack: `(a+)+$` takes twice as long for each `a` more, and panics in the end. Its
replacements may each double a text. Both are bounded here, by the file alone.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ..errors import BundleError, remedy

MAX_BYTES: Final = 64 * 2**20
MAX_GROWTH: Final = 64  # times that replacements may lengthen a text, all of them together
MAX_STEPS: Final = 1024  # normalizers, pre-tokenizers and decoders
MAX_EXPRESSION: Final = 4096  # characters
MAX_WORDS: Final = 2**16  # characters of an expression that repeats nothing, such as a list of words
_MAX_REPEATS: Final = 4  # without bound in one alternative: each multiplies the time by the length of the text
_MANY: Final = 64  # a bounded repetition of more counts as unbounded
_PARTS: Final = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\(\?[<!=:>~i#a-z-]*|.", re.DOTALL)
_REPEAT: Final = re.compile(r"([*+?])|\{(\d*)(,?)(\d*)\}")
_REPEATING: Final = re.compile(r"[*+]|(?<!\\[pP])\{")
_REFUSED: Final = re.compile(r"\\[1-9]|\\[kg]<|\(\?~|\(\?\(")  # back references, calls, absence, conditions


def check_tokenizer(path: Path) -> None:
    """Raise `BundleError` naming the file and the reason unless it keeps to the rules."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BundleError(f"{path} has more than {MAX_BYTES >> 20} MiB. Export or download it again.")
        tree = json.loads(path.read_bytes())
        reason = broken_rule(tree)
    except (OSError, ValueError, RecursionError) as error:
        advice = remedy(error, "Export or download it again")
        raise BundleError(f"{path} is not a tokenizer ({str(error)[:200]}). {advice}") from error
    if reason:
        raise BundleError(f"{path}: {reason}. Take a tokenizer without it.")


def broken_rule(tree: Any) -> str | None:
    """Return in words what a tokenizer may not ask for, None where there is nothing."""
    if not isinstance(tree, dict):
        return "it holds no JSON object"
    steps = [step for part in _PARTS for step in _steps(tree.get(part))]
    if len(steps) > MAX_STEPS:
        return f"it takes more than {MAX_STEPS} steps"
    growth = 1.0
    for step in steps:
        for kind, expression in _patterns(step.get("pattern")):
            if kind == "Regex" and (reason := endless(expression)):
                return reason
            content = step.get("content")
            if isinstance(content, str):
                # what matches no character puts its content before every one of them
                between = kind == "Regex" or not expression
                growth *= 1 + len(content) if between else max(1.0, len(content) / len(expression))
    return f"its replacements lengthen a text more than {MAX_GROWTH} times" if growth > MAX_GROWTH else None


def _steps(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the steps of a part, those within sequences too."""
    if isinstance(part, dict):
        if "type" in part:
            yield part
        for value in part.values():
            yield from _steps(value)
    elif isinstance(part, list):
        for value in part:
            yield from _steps(value)


def _patterns(pattern: Any) -> Iterator[tuple[str, str]]:
    if isinstance(pattern, dict):
        yield from ((kind, text) for kind, text in pattern.items() if isinstance(text, str))


def endless(expression: str) -> str | None:
    """Return in words why an expression could take for ever, None where it cannot.

    Refused is a repetition of a group that itself repeats or chooses, which can match one text in ever more ways.
    """
    shown = repr(expression[:60])
    repeating = _REPEATING.search(expression) is not None
    most = MAX_EXPRESSION if repeating else MAX_WORDS
    if len(expression) > most:
        return f"the expression {shown} has more than {most} characters"
    if _REFUSED.search(expression):
        return f"the expression {shown} refers to what it matched, calls itself or depends on it"
    if not repeating:
        return None
    choices, repeats, position = [False], [0], 0  # of each open group: whether it chooses, how often it repeats
    closed = False  # whether the last item is a group that repeats or chooses
    while position < len(expression):
        repeat = _REPEAT.match(expression, position)
        if repeat is not None:
            position = repeat.end()
            if _unbounded(repeat):
                if closed:
                    return f"the expression {shown} repeats a group that repeats or chooses"
                repeats[-1] += 1
            else:
                choices[-1] = choices[-1] or closed
            if max(repeats) > _MAX_REPEATS:
                return f"the expression {shown} has too many repetitions in a row"
            continue
        token = _TOKEN.match(expression, position)
        assert token is not None
        position, closed = token.end(), False
        if token[0].startswith("("):
            choices.append(False)
            repeats.append(0)
        elif token[0] == "|":
            choices[-1], repeats[-1] = True, 0
        elif token[0] == ")" and len(repeats) > 1:
            inner = repeats.pop()
            closed = choices.pop() or inner > 0
            repeats[-1] += inner
    return None


def _unbounded(repeat: "re.Match[str]") -> bool:
    if repeat[1]:
        return repeat[1] in "*+"
    least, most = int(repeat[2] or 0), repeat[4]
    return bool(repeat[3] and not most) or max(least, int(most or 0)) > _MANY
