"""Arguments of public functions: one of a wrong type is refused under its parameter's name, before any work."""

import os
import reprlib
from collections.abc import Collection
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import ArgumentError

Named = TypeVar("Named")

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# What an annotation takes: numpy's numbers for ours, and whole numbers for any; how to ask for it.
_TAKEN: Final[dict[type, tuple[type, str]]] = {
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "text"),
    bool: (bool, "True or False"),
    Path: (Path, "a path"),
    tuple: (tuple, "a list"),
}


def as_path(parameter: str, value: str | os.PathLike[str], wanted: str = "a path") -> Path:
    """Return a path; raise `ArgumentError` for what cannot be one."""
    if not isinstance(value, str | os.PathLike):
        raise wrong_type(parameter, value, wanted)
    return Path(value)


def as_names(parameter: str, value: str | Collection[Named]) -> Collection[str | Named]:
    """Return names that were given as a list, or one that was given alone."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Collection):
        raise wrong_type(parameter, value, "a list of names")
    return value


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, also one of numpy."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_whole(parameter: str, value: int) -> None:
    """Raise `ArgumentError` unless a value is a whole number."""
    if not is_whole(value):
        raise wrong_type(parameter, value, "a whole number")


def check_number(parameter: str, value: float) -> None:
    """Raise `ArgumentError` unless a value is a number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise wrong_type(parameter, value, "a number")


def check_fields(arguments: "DataclassInstance") -> None:
    """Raise `ArgumentError` for a field of another type than its annotation, where that is of a type in `_TAKEN`."""
    hints = get_type_hints(type(arguments))
    for field in fields(arguments):
        allowed, value = _types(hints[field.name]), getattr(arguments, field.name)
        known = [_TAKEN[one] for one in allowed if one in _TAKEN]
        if value is None and type(None) in allowed:
            continue
        if not known or (isinstance(value, bool) and bool not in allowed):
            taken = not known
        else:
            taken = isinstance(value, tuple(one for one, _ in known))
        if not taken:
            raise wrong_type(field.name, value, " or ".join(words for _, words in known))


def wrong_type(parameter: str, value: object, wanted: str) -> ArgumentError:
    """Return the error of an argument that is of another type than its parameter."""
    return ArgumentError(f"{parameter} is {shown(value)}; give {wanted}.")


def shown(value: object) -> str:
    """Return a value as an error shows it: one line, and not every digit of a number that has thousands."""
    try:
        return " ".join(reprlib.repr(value).split())
    except ValueError:  # Python does not write them at all
        return "a number of more digits than can be shown"


def _types(hint: Any) -> set[Any]:
    """Return the classes that an annotation stands for, without those of what is in them."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return set().union(*map(_types, get_args(hint)))
    if origin is Literal:
        return {type(one) for one in get_args(hint)}
    return {origin or hint}
