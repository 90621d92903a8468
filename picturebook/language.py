"""What people type to have a scene painted, and the one canonical sentence that describes it; English and Chinese.

Phrasings for judging (`held_out=True`) are never trained on; nearly all of their words are, in other sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from . import words
from .scene import Scene, Thing, column_name, depth_name
from .words import (
    COLOUR,
    COLUMN,
    DEPTH,
    FILLER,
    KIND,
    MEASURE,
    NUMBER,
    PLACE,
    PLACE_NOUN,
    STYLE,
    TIME,
    WEATHER,
    article,
)


@dataclass(frozen=True)
class Said:
    """Which attributes a prompt speaks of.

    What is unsaid may come out anyhow, except for the defaults: day, clear, flat, at the front. `depth` tells whether
    the front is spoken of, too.
    """

    colour: bool = True
    column: bool = True
    depth: bool = True
    place: bool = True


def sample_said(rng: Random) -> Said:
    """What a training prompt says: mostly everything."""
    column = rng.random() < 0.85
    return Said(rng.random() < 0.97, column, column and rng.random() < 0.5, rng.random() < 0.95)


def _pick(rng: Random, names: tuple[str, ...], first: float = 0.5) -> str:
    return names[0] if rng.random() < first else rng.choice(names)


def english_thing(thing: Thing, rng: Random, said: Said, *, with_article: bool = True) -> str:
    """`a red car`, `a blue dog with a green hat`."""
    noun = _pick(rng, KIND["en"][thing.kind], 0.7)
    phrase = f"{_pick(rng, COLOUR['en'][thing.colour], 0.8)} {noun}" if said.colour else noun
    if with_article:
        phrase = article(phrase)
    if thing.hat:
        hat = f"{thing.hat} hat"
        forms = (f"with {article(hat)}", f"wearing {article(hat)}", f"in {article(hat)}", f"with {article(hat)} on")
        phrase += " " + _pick(rng, forms)
    return phrase


def chinese_thing(thing: Thing, rng: Random, said: Said, *, counted: bool = True) -> str:
    """`一辆红色的汽车`, `一只戴着绿色帽子的蓝色小狗`."""
    colour = _pick(rng, COLOUR["zh"][thing.colour], 0.7) if said.colour else ""
    if colour and (rng.random() < 0.5 or not colour.endswith("色")) and rng.random() < 0.75:
        colour += "的"
    phrase = colour + _pick(rng, KIND["zh"][thing.kind], 0.6)
    number = "一" + MEASURE[thing.kind] if counted else ""
    if not thing.hat:
        return number + phrase
    hat = _pick(rng, COLOUR["zh"][thing.hat]) + "帽子"
    if rng.random() < 0.5:
        return f"{number}{rng.choice(('戴着', '戴'))}{hat}的{phrase}"
    return f"{number}{phrase}{rng.choice(('戴着', '戴着一顶', '，戴着'))}{hat}"


def position(scene: Scene, thing: Thing, language: str, said: Said, rng: Random | None = None) -> str:
    """`on the left at the front`, `左边前面`; empty when nothing is said. Canonical without `rng`."""
    column, depth = column_name(scene, thing), depth_name(scene, thing)
    parts = []
    if said.column:
        names = COLUMN[language][column]
        parts.append(_pick(rng, names, 0.6) if rng else names[0])
    if depth and (said.depth or depth == "back"):
        names = DEPTH[language][depth]
        parts.append(_pick(rng, names, 0.6) if rng else names[0])
    if rng and rng.random() < 0.3:
        parts.reverse()
    return (" " if language == "en" else "").join(parts)


def surroundings(scene: Scene, language: str, rng: Random, said: Said) -> list[str]:
    """Phrases for time, weather and style; what is default is often left out."""
    phrases = []
    if scene.time != "day" or rng.random() < 0.3:
        phrases.append(_pick(rng, TIME[language][scene.time]))
    if scene.weather != "clear" or rng.random() < 0.12:
        phrases.append(_pick(rng, WEATHER[language][scene.weather]))
    if scene.style != "flat" or rng.random() < 0.1:
        phrases.append(_pick(rng, STYLE[language][scene.style]))
    return phrases


def sign_phrase(word: str, language: str, rng: Random) -> str:
    """The part that asks for a sign; the word stands in quotes."""
    forms: tuple[str, ...]
    if language == "en":
        forms = (
            'with a sign that says "{}"',
            'with the word "{}"',
            'and a sign "{}"',
            'with a sign saying "{}"',
            'sign "{}"',
        )
    else:
        forms = ('牌子上写着"{}"', '有一块写着"{}"的牌子', '招牌"{}"', '带有文字"{}"')
    return _pick(rng, forms, 0.3).format(word)


def prompt(scene: Scene, language: str, rng: Random, said: Said, *, held_out: bool = False) -> str:
    """An instruction that asks for the scene."""
    text = (_english if language == "en" else _chinese)(scene, rng, said, held_out)
    if not held_out:
        text = _loosened(text, language, rng, shuffle=len(scene.things) == 1)
    if language == "en" and rng.random() < 0.15:
        text = text[0].upper() + text[1:]
    if language == "zh" and rng.random() < 0.15:
        text = text.replace("，", ",")
    return text + (rng.choice((".", "!")) if language == "en" and rng.random() < 0.1 else "")


def _loosened(text: str, language: str, rng: Random, *, shuffle: bool) -> str:
    """Now and then put the parts of a sentence in another order, and words into it that mean nothing here."""
    comma = ", " if language == "en" else "，"
    parts = text.split(comma)
    if shuffle and rng.random() < 0.2:
        rng.shuffle(parts)
    if rng.random() < 0.3:
        filler = " ".join(rng.choice(FILLER["en"]) for _ in range(rng.randint(1, 3)))
        if language == "zh":
            filler = rng.choice(FILLER["zh"])
        elif rng.random() < 0.3:
            filler = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 7)))
        place = 0 if rng.random() < 0.6 else rng.randint(0, len(parts))
        if place < len(parts) and rng.random() < 0.7:
            parts[place] = filler + (" " if language == "en" else "") + parts[place]
        else:
            parts.insert(place, filler)
    return comma.join(parts)


def _grouped(scene: Scene) -> tuple[str, str | None] | None:
    """(kind, common colour) when several things of one kind can be counted in one phrase: `three red cars`."""
    kinds = {thing.kind for thing in scene.things}
    plain = all(not thing.hat and depth_name(scene, thing) != "back" for thing in scene.things)
    if len(scene.things) < 2 or len(kinds) > 1 or not plain:
        return None
    colours = {thing.colour for thing in scene.things}
    return kinds.pop(), colours.pop() if len(colours) == 1 else None


def _english(scene: Scene, rng: Random, said: Said, held_out: bool) -> str:
    keyword = not held_out and rng.random() < 0.12
    group = _grouped(scene)
    if group and rng.random() < 0.5:
        noun = words.plural(_pick(rng, KIND["en"][group[0]], 0.7))
        things = f"{NUMBER['en'][len(scene.things)]} {group[1] + ' ' if group[1] else ''}{noun}"
    else:
        phrases = []
        first = rng.random() < 0.12 and not keyword  # one order within a sentence, so that it has one reading
        comma = ", " if rng.random() < 0.25 or keyword else " "
        for thing in scene.things:
            phrase = english_thing(thing, rng, said, with_article=not keyword)
            where = position(scene, thing, "en", said, rng)
            phrases.append(f"{where} {phrase}" if first and where else f"{phrase}{comma}{where}" if where else phrase)
        joint = ", " if keyword else rng.choice((" and ", " and ", ", ", " and also "))
        things = joint.join(phrases) or "an empty landscape"
    rest = surroundings(scene, "en", rng, said)
    place = _pick(rng, PLACE["en"][scene.place]) if said.place else ""
    sign = [sign_phrase(scene.sign, "en", rng)] if scene.sign else []
    noun = article(_pick(rng, PLACE_NOUN["en"][scene.place]))
    if keyword:
        tail = ([_pick(rng, PLACE_NOUN["en"][scene.place])] if said.place else []) + rest + sign
        rng.shuffle(tail)
        return ", ".join([things, *tail])
    if held_out:
        shape = rng.randrange(4)
        if shape == 0:
            return ", ".join(["i would like to see " + things, *([place] if place else []), *rest, *sign])
        if shape == 1:
            return " ".join([*([place] if place else []), *rest, "we see", things, *sign])
        if shape == 2:
            return ", ".join([*rest, "please make me an image with " + things, *([place] if place else []), *sign])
        text = f"{things} {place}, and everything {', '.join(rest)}" if rest else f"{things}, placed {place}"
        return ", ".join([text, *sign])
    if said.place and rng.random() < 0.15:
        return " ".join([f"{noun}", *rest, "with", things, *sign])
    if rng.random() < 0.12:
        rest = [place, *rest] if place else rest
        return ". ".join([f"there is {things}", *(f"it is {phrase}" for phrase in rest), *sign])
    lead = rng.choice(
        (
            "",
            "",
            "",
            "",
            "paint ",
            "draw ",
            "a picture of ",
            "please paint ",
            "show me ",
            "create an image of ",
            "can you draw ",
            "generate ",
            "i want ",
            "an illustration of ",
            "picture: ",
            "a nice ",
        )
    )
    parts = [lead.strip() + " " + things if lead else things, *([place] if place else [])]
    if lead == "a nice ":
        parts[0] = "a nice picture, " + things
    if rng.random() < 0.2:
        rng.shuffle(rest)
        front = rest[:1]
        return ", ".join([*front, " ".join(parts), *rest[1:], *sign])
    if rest and rng.random() < 0.2:
        rest[0] = f"{rng.choice(('the whole scene', 'all of it', 'all', 'and it all', 'and the rest'))} {rest[0]}"
    joint = " " if rng.random() < 0.5 else ", "
    return joint.join([" ".join(parts), *rest, *sign])


def _chinese(scene: Scene, rng: Random, said: Said, held_out: bool) -> str:
    group = _grouped(scene)
    keyword = not held_out and rng.random() < 0.12
    place = _pick(rng, PLACE["zh"][scene.place]) if said.place else ""
    if group and rng.random() < 0.5:
        colour = _pick(rng, COLOUR["zh"][group[1]]) + rng.choice(("的", "")) if group[1] else ""
        noun = _pick(rng, KIND["zh"][group[0]])
        things = f"{NUMBER['zh'][len(scene.things)]}{MEASURE[group[0]]}{colour}{noun}"
    else:
        phrases = []
        forms = ("{0}有{1}", "{0}的{1}", "在{0}，{1}") if rng.random() < 0.5 else ("{1}，{0}", "{1}在{0}", "{1}，在{0}")
        form = "{1}，{0}" if keyword else rng.choice(forms)  # one order within a sentence, so that it has one reading
        for thing in scene.things:
            phrase = chinese_thing(thing, rng, said, counted=not keyword and rng.random() < 0.6)
            where = position(scene, thing, "zh", said, rng)
            phrases.append(form.format(where, phrase) if where else phrase)
        things = rng.choice(("和", "，", "，还有")).join(phrases) or "空旷的风景"
    rest = surroundings(scene, "zh", rng, said)
    if scene.sign:
        rest.append(sign_phrase(scene.sign, "zh", rng))
    if keyword:
        return "，".join([things, *([place] if place else []), *rest])
    if held_out:
        shape = rng.randrange(3)
        if shape == 0:
            return "，".join(["我想看到" + things, *([place] if place else []), *rest])
        if shape == 1:
            return "，".join([*rest, *([place] if place else []), "这里出现了" + things])
        return "，".join([*([place] if place else []), "请给我一张图片，里面是" + things, *rest])
    lead = rng.choice(("", "", "", "", "画", "画一张图：", "请画", "生成一张图片：", "一幅画，", "帮我画", "我想要"))
    if place and len(scene.things) == 1 and "，" not in things and "有" not in things and rng.random() < 0.35:
        return "，".join([f"{lead}{place}的{things}", *rest])
    if place and rng.random() < 0.5:
        middle = f"{rng.choice(('在', ''))}{place}{rng.choice(('，', '有', ''))}{things}"
        if rng.random() < 0.3:
            return lead + "，".join([*rest, middle])
        return lead + "，".join([middle, *rest])
    if rng.random() < 0.25:
        return lead + "，".join([*rest, things, *([place] if place else [])])
    return lead + "，".join([things, *([place] if place else []), *rest])


def thing_name(thing: Thing, language: str) -> str:
    """Canonical name with colour and hat."""
    if language == "en":
        hat = f" with {article(thing.hat)} hat" if thing.hat else ""
        return f"{article(thing.colour)} {thing.kind}{hat}"
    hat = f"戴{COLOUR['zh'][thing.hat][0]}帽子的" if thing.hat else ""
    return f"一{MEASURE[thing.kind]}{hat}{COLOUR['zh'][thing.colour][0]}{KIND['zh'][thing.kind][0]}"


def clause(scene: Scene, thing: Thing, language: str) -> str:
    """An object and its place, as the caption tells them."""
    where, name = position(scene, thing, language, Said()), thing_name(thing, language)
    return f"{name} {where}" if language == "en" else f"{where}有{name}"


def caption(scene: Scene, language: str) -> str:
    """The one sentence that describes a scene."""
    english = language == "en"
    things = [clause(scene, thing, language) for thing in scene.things]
    parts = [
        (" and " if english else "，").join(things) or ("nothing" if english else "没有物体"),
        PLACE[language][scene.place][0],
        TIME[language][scene.time][0],
        WEATHER[language][scene.weather][0],
        STYLE[language][scene.style][0],
    ]
    if scene.sign:
        parts.append(f'sign "{scene.sign}"' if english else f'牌子"{scene.sign}"')
    return (", " if english else "，").join(parts)
