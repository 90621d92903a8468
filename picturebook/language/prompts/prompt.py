"""What people type to have a scene painted, English and Chinese.

Training puts a sentence together from its parts in many ways (`english.py`, `chinese.py`); judging uses
the forms of `language/forms/held_out.*` only. Nearly all of their words are trained on, in other sentences.
"""

from __future__ import annotations

import re
from random import Random

from ...world.scene import Scene
from ..common_words import CHINESE
from ..forms import Forms, both
from ..naming import Said, pick
from ..words import FILLER, PLACE, meaningful_words
from . import chinese, english
from .parts import Parts

_GRAMMAR = {"en": english, "zh": chinese}
_PAINT, _HELD_OUT = both("paint", "paint"), both("held_out", "paint")
WHOLE = 0.25  # share of training prompts that fill a form instead of being put together
_SAYING_NOTHING = sorted(set(CHINESE).difference(*meaningful_words()))
_COMMA = {"en": ", ", "zh": "，"}


def prompt(scene: Scene, language: str, rng: Random, said: Said, *, held_out: bool = False) -> str:
    """An instruction that asks for the scene."""
    if held_out:
        text = _filled(_HELD_OUT, scene, language, rng, said)
    elif rng.random() < WHOLE:
        text = _filled(_PAINT, scene, language, rng, said)
    else:
        text = _GRAMMAR[language].written(scene, rng, said)
        text = _loosened(text, language, rng, shuffle=len(scene.things) == 1)
    if language == "en" and rng.random() < 0.15:
        text = text[0].upper() + text[1:]
    if language == "zh" and rng.random() < 0.15:
        text = text.replace("，", ",")
    return text + (rng.choice((".", "!")) if language == "en" and text[-1] != "?" and rng.random() < 0.1 else "")


def _filled(forms: Forms, scene: Scene, language: str, rng: Random, said: Said) -> str:
    """One of some forms, filled; its part in brackets goes where there is nothing to say."""
    grammar, comma = _GRAMMAR[language], _COMMA[language]
    parts = Parts.of(scene, language, rng, grammar.things(scene, rng, said), pick(rng, PLACE[language][scene.place]))
    form = rng.choice(forms[language])
    form = re.sub(r"[\[\]]", "", form) if parts.rest else re.sub(r"\[[^\]]*\]", "", form)
    text = form.format(things=parts.things, place=parts.place, rest=comma.join(parts.rest)).strip()
    return comma.join([text, parts.sign] if parts.sign else [text])


def _loosened(text: str, language: str, rng: Random, *, shuffle: bool) -> str:
    """Now and then put the parts of a sentence in another order, and words into it that mean nothing here."""
    comma = _COMMA[language]
    parts = text.split(comma)
    if shuffle and rng.random() < 0.2:
        rng.shuffle(parts)
    if rng.random() < 0.35:
        filler = _filler(language, rng)
        place = 0 if rng.random() < 0.6 else rng.randint(0, len(parts))
        if place < len(parts) and rng.random() < 0.7:
            parts[place] = filler + (" " if language == "en" else "") + parts[place]
        else:
            parts.insert(place, filler)
    return comma.join(parts)


def _filler(language: str, rng: Random) -> str:
    if language == "zh" and rng.random() < 0.3:
        return "".join(rng.choices(_SAYING_NOTHING, k=rng.randint(2, 6)))
    if language == "zh":
        return "".join(rng.choice(FILLER["zh"]) for _ in range(rng.choice((1, 1, 2))))
    if rng.random() < 0.25:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 7)))
    return " ".join(rng.choice(FILLER["en"]) for _ in range(rng.randint(1, 3)))
