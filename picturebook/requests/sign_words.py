"""Words for signs as people wish for them; each is to be copied letter by letter, whatever its tokens."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from ..language.common_words import ENGLISH, SIGNS
from ..world.scene import KINDS, MAX_SIGN, sample_word

COMMON = 0.5  # share of words that people write on signs; else those of the template exercises


@lru_cache
def _words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of signs, and of other sorts."""
    others = (*ENGLISH.split(), *(kind for kind in KINDS if kind.isalnum()))
    return tuple(SIGNS.split()), tuple(word for word in others if len(word) <= MAX_SIGN)


def sign_word(rng: Random) -> str:
    """A word of at most `MAX_SIGN` characters."""
    if rng.random() > COMMON:
        return sample_word(rng, 0.5)
    signs, others = _words()
    return rng.choice(signs if rng.random() < 0.7 else others)
