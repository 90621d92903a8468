"""The parts that a prompt is put together from, in words."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ...world.scene import Scene
from ..naming import pick
from ..words import STYLE, TIME, WEATHER, Names

_SIGNS = {
    "en": (
        'with a sign that says "{}"', 'with the word "{}"', 'and a sign "{}"', 'with a sign saying "{}"', 'sign "{}"',
        'with a sign "{}"', 'a sign says "{}"', 'there is a sign that says "{}"', 'with a sign reading "{}"',
        'and the word "{}" on a sign', 'the sign reads "{}"', 'sign: "{}"', 'the sign says "{}"', 'text "{}"',
        'with the text "{}"', 'plus a sign "{}"', 'a sign with the word "{}"', 'on a sign it says "{}"',
    ),
    "zh": (
        '牌子上写着"{}"', '有一块写着"{}"的牌子', '招牌"{}"', '带有文字"{}"', '牌子写着"{}"', '还有牌子"{}"',
        '一块写着"{}"的招牌', '牌子上的字是"{}"', '牌子："{}"', '文字"{}"', '立着一块牌子，写着"{}"', '牌子"{}"',
        '带一块牌子"{}"', '上面写着"{}"',
    ),
}  # fmt: skip


def signs(language: str, word: str, rng: Random) -> str:
    """The part that asks for a sign; the word stands in quotes."""
    return pick(rng, _SIGNS[language], 0.15).format(word)


@dataclass(frozen=True)
class Parts:
    """What a prompt says: of the objects, the place, time, weather and style, and the sign (empty: nothing)."""

    things: str
    place: str
    rest: list[str]
    sign: str

    @classmethod
    def of(cls, scene: Scene, language: str, rng: Random, things: str, place: str) -> Parts:
        """The parts with their settings as phrases."""
        rest = [pick(rng, names) for names in spoken(scene, rng, (TIME[language], WEATHER[language], STYLE[language]))]
        return cls(things, place, rest, signs(language, scene.sign, rng) if scene.sign else "")


def spoken(scene: Scene, rng: Random, tables: tuple[Names, Names, Names]) -> list[tuple[str, ...]]:
    """From tables for time, weather and style the names of what is spoken of; what is default is often left out."""
    time, weather, style = tables
    names = []
    if scene.time != "day" or rng.random() < 0.3:
        names.append(time[scene.time])
    if scene.weather != "clear" or rng.random() < 0.12:
        names.append(weather[scene.weather])
    if scene.style != "flat" or rng.random() < 0.1:
        names.append(style[scene.style])
    return names
