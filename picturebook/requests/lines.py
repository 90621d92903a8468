"""What people wrote: requests with what each demands, as the files `language/forms/people*.txt` have them.

A line has a task, tags, a text, what is given and what must come out; `docs/picturebook.md` says how they are written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..language.forms import FOLDER
from ..language.plain import ANY, COLUMNS, NO, Wanted, Wish
from ..world.scene import COLOURS, KINDS, PLACES, STYLES, TIMES, WEATHERS

SETTINGS = {"place": PLACES, "time": TIMES, "weather": WEATHERS, "style": STYLES}


@dataclass(frozen=True)
class Line:
    """One request: `source` is what is given (None: nothing), `result` what must be, and the words for what is not."""

    task: str
    tags: frozenset[str]
    text: str
    source: Wish | None
    result: Wish
    forbidden: tuple[str, ...] = ()
    answer: str = ""
    unknown: tuple[str, ...] = ()


def thing(words: str) -> Wanted:
    """`car red +hat=any @left ^back`; a kind has `_` for a space."""
    found: dict[str, str] = {}
    kind, *rest = words.split()
    kind = kind.replace("_", " ")
    if kind not in KINDS:
        raise ValueError(f"no kind: {words}")
    for word in rest:
        if word in COLOURS:
            found["colour"] = word
        elif word.startswith("@") and word[1:] in COLUMNS:
            found["column"] = word[1:]
        elif word in ("^front", "^back"):
            found["row"] = word[1:]
        elif word.startswith("+hat=") and word[5:] in (*COLOURS, ANY):
            found["hat"] = word[5:]
        elif word == "-hat":
            found["hat"] = NO
        else:
            raise ValueError(f"what is {word}?")
    return Wanted(kind, **found)


def wish(written: str) -> tuple[Wish, tuple[str, ...]]:
    """Things, settings and relations, and what must not be there."""
    things, told, relations, forbidden = list[Wanted](), dict[str, str](), list[tuple[int, str, int]](), list[str]()
    for part in filter(None, (part.strip() for part in written.split(";"))):
        relation = re.fullmatch(r"(\d)\s*([<~>])\s*(\d)", part)
        if relation:
            first, sign, second = int(relation[1]), relation[2], int(relation[3])
            relations.append((second, "<", first) if sign == ">" else (first, sign, second))
        elif part.startswith("!"):
            forbidden += [word.lstrip("!") for word in part.split()]
        elif "=" in part.split()[0]:
            for word in part.split():
                name, _, value = word.partition("=")
                if word.startswith("!"):
                    forbidden.append(word[1:])
                elif name == "sign" or value in SETTINGS[name]:
                    told[name] = value
                else:
                    raise ValueError(f"no {name}: {value}")
        elif part != "-":
            things.append(thing(part))
    if any(max(first, second) >= len(things) for first, _, second in relations):
        raise ValueError(f"a relation of nothing: {written}")
    return Wish(tuple(things), **told, relations=tuple(relations)), tuple(forbidden)


def parsed(written: str) -> Line:
    """A line of the files."""
    task, tags, text, *rest = (part.strip() for part in written.split(" | "))
    tagged = frozenset(tag.strip() for tag in tags.split(","))
    if task == "paint" and len(rest) == 1:
        result, forbidden = wish(rest[0])
        return Line(task, tagged, text, None, result, forbidden)
    if task in ("edit", "ask") and len(rest) == 2:
        given = wish(rest[0])[0]
        if task == "ask":
            return Line(task, tagged, text, given, given, (), rest[1])
        result, forbidden = wish(rest[1])
        return Line(task, tagged, text, given, result, forbidden)
    if task == "outside" and len(rest) == 3:
        source = None if rest[0] == "-" else wish(rest[0])[0]
        result, forbidden = wish(rest[1]) if rest[1] != "-" else (source or Wish(), ())
        unknown = tuple(word.strip() for word in re.split("[,，]", rest[2]) if word.strip())
        return Line(task, tagged, text, source, result, forbidden, "", unknown)
    raise ValueError(f"not a line: {written}")


def read(file: str, language: str) -> list[Line]:
    """The lines of a file of `forms/`."""
    text = (FOLDER / f"{file}.{language}.txt").read_text(encoding="utf-8")
    return [parsed(line) for line in text.splitlines() if line and not line.startswith("#")]


def bare(text: str) -> str:
    """A text without spaces, marks and capitals, to tell whether two are the same."""
    return re.sub(r"\W+", "", text).lower() or text.strip()
