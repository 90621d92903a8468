"""Damage: bytes and JSON trees changed at random, each from a seed."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any, Final

NASTY: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2, 255, 4096, 65_536, 2**31 - 1, 2**31, 2**53, 2**63, 2**64, 2**200, -(2**63), 0.5,
    1e-300, 1e300, "", " ", "a", "\x00", "\x1b[2J", "\u202e", "\ud800", "../../x", "/etc/passwd", "a" * 5000,
    "{objects}", "(a+)+$", "<eos>", [], {}, [[]], [None] * 3, {"a": 1},
    {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"},
)  # fmt: skip


def damaged_bytes(content: bytes, rng: random.Random) -> bytes:
    """Return bytes after one to eight changes: bits, numbers, cuts, repeats, noise."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        if not data:
            data += rng.randbytes(8)
        at = rng.randrange(len(data))
        change = rng.randrange(7)
        if change == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif change == 1:
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif change == 2:
            data[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", rng.randbytes(4)))
        elif change == 3:
            del data[at : at + rng.randint(1, 64)]
        elif change == 4:
            data[at:at] = data[at : at + rng.randint(1, 64)] * rng.randint(1, 4)
        elif change == 5:
            data[at:at] = rng.randbytes(rng.randint(1, 16))
        else:
            del data[at:]
    return bytes(data)


def damaged_tree(tree: Any, rng: random.Random) -> Any:
    """Return a tree after one to four changes of a value, a key or a list somewhere in it."""
    root = [copy.deepcopy(tree)]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        if not root:
            return None
        holder, key = _place(root, rng)
        rng.choice(_CHANGES)(holder, key, rng)
    return root[0] if root else None


def damaged_json(content: bytes, rng: random.Random) -> bytes:
    """Return JSON whose tree was damaged, or whose bytes were, or that is nested deeply."""
    kind = rng.randrange(10)
    if kind == 0:
        return damaged_bytes(content, rng)
    if kind == 1:
        return rng.choice((b"[", b'{"a":')) * 100_000
    return json.dumps(damaged_tree(json.loads(content), rng)).encode(errors="surrogatepass")


def _place(root: list[Any], rng: random.Random) -> tuple[Any, Any]:
    """Return a place of a value: what holds it, and its key or index there.

    A walk from the root takes every branch equally often: so a vocabulary of 20,000 words does not hide the rest.
    """
    holder, key = root, 0
    while isinstance(holder[key], dict | list) and holder[key] and rng.randrange(8):
        holder = holder[key]
        key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    return holder, key


def _replace(holder: Any, key: Any, rng: random.Random) -> None:
    holder[key] = copy.deepcopy(rng.choice(NASTY))


def _alike(holder: Any, key: Any, rng: random.Random) -> None:
    """Put something of the same type there, so that it comes past a check of types."""
    value = holder[key]
    kinds = [one for one in NASTY if type(one) is type(value)]
    if isinstance(value, list) and len(value) > 1:
        holder[key] = rng.choice((value[:-1], value[::-1], value + value[:1]))
    elif isinstance(value, dict) and value:
        first, last = rng.choice(list(value)), rng.choice(list(value))
        value[first], value[last] = value[last], value[first]
    else:
        holder[key] = copy.deepcopy(rng.choice(kinds or NASTY))


def _nudge(holder: Any, key: Any, rng: random.Random) -> None:
    value = holder[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        _replace(holder, key, rng)
    else:
        holder[key] = rng.choice((value + 1, value - 1, -value, value * 2, value * 1000))


def _remove(holder: Any, key: Any, _rng: random.Random) -> None:
    del holder[key]


def _repeat(holder: Any, key: Any, rng: random.Random) -> None:
    value = holder[key]
    if isinstance(value, list | str):
        holder[key] = value * rng.choice((0, 2, 100))
    else:
        holder[key] = [value]


def _add(holder: Any, key: Any, rng: random.Random) -> None:
    if isinstance(holder, dict):
        holder[f"{key}x"] = copy.deepcopy(rng.choice(NASTY))
    else:
        holder.insert(key, copy.deepcopy(rng.choice(NASTY)))


_CHANGES: Final[tuple[Callable[[Any, Any, random.Random], None], ...]] = (
    _replace, _alike, _alike, _alike, _nudge, _nudge, _nudge, _remove, _repeat, _add,
)  # fmt: skip
