"""Attributes that are made once, by the first thread that reads them, while the others wait."""

from collections.abc import Callable
from functools import cached_property
from threading import RLock
from typing import Any, Self, TypeVar, overload

T = TypeVar("T")


class once(cached_property[T]):
    """A cached property that threads do not make twice: from Python 3.12 on its base lets them.

    Each object has a lock of its own, so that opening one model does not wait for another.
    """

    def __init__(self, func: Callable[[Any], T]) -> None:
        super().__init__(func)

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> T: ...
    def __get__(self, instance: object | None, owner: type[Any] | None = None) -> Self | T:
        """Return the attribute of an object, made now if nobody made it yet."""
        if instance is None:
            return self
        with vars(instance).setdefault("_once", RLock()):
            return super().__get__(instance, owner)
