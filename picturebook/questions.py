"""Questions about one picture or two, with their one right answer, in English and Chinese."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from .language import Said, caption, position, thing_name
from .layout import box_of
from .scene import COLOURS, KINDS, PLACES, STYLES, TIMES, WEATHERS, Scene, column_name
from .words import COLOUR, COLUMN, KIND, MEASURE, NONE, NUMBER, PLACE, STYLE, TIME, WEATHER, plural

Question = tuple[str, str]  # instruction, answer


def describe(rng: Random, scene: Scene, language: str) -> Question:
    """The canonical sentence."""
    forms = (
        (
            "describe the picture",
            "describe this picture",
            "what is in the picture?",
            "what do you see?",
            "caption the picture",
        )
        if language == "en"
        else ("描述这张图", "描述图片", "图里有什么？", "你看到了什么？", "描述一下这张图片")
    )
    return rng.choice(forms), caption(scene, language)


def count(rng: Random, scene: Scene, language: str) -> Question:
    """How many of a kind, or how many objects."""
    kinds = [thing.kind for thing in scene.things]
    kind = rng.choice(kinds) if kinds and rng.random() < 0.65 else rng.choice((*KINDS, "object"))
    number = len(kinds) if kind == "object" else kinds.count(kind)
    if language == "en":
        noun = plural(kind)
        forms = (
            f"how many {noun} are there?",
            f"how many {noun}?",
            f"count the {noun}",
            f"how many {noun} are in the picture?",
        )
        return rng.choice(forms), ("none", "one", "two", "three", "four")[number]
    noun, measure = ("物体", "个") if kind == "object" else (KIND["zh"][kind][0], MEASURE[kind])
    forms = (f"有几{measure}{noun}？", f"图里有几{measure}{noun}？", f"有多少{noun}？", f"数一数{noun}")
    return rng.choice(forms), NUMBER["zh"][number] + (measure if number else "")


def where(rng: Random, scene: Scene, language: str) -> Question | None:
    """Where an object stands."""
    unique = [thing for thing in scene.things if sum(other.kind == thing.kind for other in scene.things) == 1]
    if not unique:
        return None
    thing = rng.choice(unique)
    noun = KIND[language][thing.kind][0]
    forms = (
        (f"where is the {noun}?", f"where is the {noun} in the picture?", f"where can i see the {noun}?")
        if language == "en"
        else (f"{noun}在哪里？", f"{noun}在什么地方？", f"{noun}在图的哪里？")
    )
    return rng.choice(forms), position(scene, thing, language, Said())


def what_is_there(rng: Random, scene: Scene, language: str) -> Question | None:
    """What stands on the left, in the middle or on the right."""
    columns = sorted({column_name(scene, thing) for thing in scene.things})
    if not columns:
        return None
    name = rng.choice(columns)
    there = [thing for thing in scene.things if column_name(scene, thing) == name]
    spot = COLUMN[language][name][0]
    forms = (
        (f"what is {spot}?", f"what do you see {spot}?") if language == "en" else (f"{spot}是什么？", f"{spot}有什么？")
    )
    joint = " and " if language == "en" else "和"
    return rng.choice(forms), joint.join(thing_name(thing, language) for thing in there)


def colour(rng: Random, scene: Scene, language: str) -> Question | None:
    """What colour an object or a hat has."""
    unique = [thing for thing in scene.things if sum(other.kind == thing.kind for other in scene.things) == 1]
    if not unique:
        return None
    thing = rng.choice(unique)
    noun = KIND[language][thing.kind][0]
    asked = thing.colour
    if thing.hat and rng.random() < 0.5:
        asked = thing.hat
        noun = f"hat of the {noun}" if language == "en" else f"{noun}的帽子"
    forms = (
        (f"what colour is the {noun}?", f"what color is the {noun}?", f"which colour has the {noun}?")
        if language == "en"
        else (f"{noun}是什么颜色？", f"{noun}是什么颜色的？", f"{noun}的颜色是什么？")
    )
    return rng.choice(forms), COLOUR[language][asked][0]


def yes_no(rng: Random, scene: Scene, language: str) -> Question:
    """Is there such an object?"""
    kind, hue = rng.choice(KINDS), rng.choice(COLOURS)
    if scene.things and rng.random() < 0.6:
        thing = rng.choice(scene.things)
        kind = thing.kind
        hue = thing.colour if rng.random() < 0.65 else hue
    coloured = rng.random() < 0.6
    there = any(thing.kind == kind and (not coloured or thing.colour == hue) for thing in scene.things)
    if language == "en":
        name = f"{hue} {kind}" if coloured else kind
        name = f"an {name}" if name[0] in "aeiou" else f"a {name}"
        return rng.choice(
            (f"is there {name}?", f"is there {name} in the picture?", f"do you see {name}?")
        ), "yes" if there else "no"
    name = (COLOUR["zh"][hue][0] + rng.choice(("的", "")) if coloured else "") + KIND["zh"][kind][0]
    return rng.choice((f"有{name}吗？", f"图里有{name}吗？", f"有没有{name}？")), "有" if there else "没有"


def setting(rng: Random, scene: Scene, language: str) -> Question:
    """Place, time, weather, style or the word on the sign."""
    english = language == "en"
    if scene.sign and rng.random() < 0.5:
        forms = (
            ("what does the sign say?", "what is written on the sign?")
            if english
            else ("牌子上写着什么？", "牌子上的字是什么？")
        )
        return rng.choice(forms), scene.sign
    questions = (
        ((("what place is it?", "what is the background?"), PLACE["en"][scene.place][0]),
         (("what time is it?", "what time of day is it?"), TIME["en"][scene.time][0]),
         (("what is the weather?", "how is the weather?"), WEATHER["en"][scene.weather][0]),
         (("what style is it?", "which style is the picture?"), STYLE["en"][scene.style][0]))
        if english
        else ((("这是什么地方？", "背景是什么？"), PLACE["zh"][scene.place][0]),
              (("这是什么时候？", "这是什么时间？"), TIME["zh"][scene.time][0]),
              (("天气怎么样？", "天气如何？"), WEATHER["zh"][scene.weather][0]),
              (("这是什么风格？", "图片是什么风格？"), STYLE["zh"][scene.style][0]))
    )  # fmt: skip
    forms, answer = rng.choice(questions)
    return rng.choice(forms), answer


QUESTIONS = {
    "describe": describe,
    "count": count,
    "where": where,
    "what_is_there": what_is_there,
    "colour": colour,
    "yes_no": yes_no,
    "setting": setting,
}


def detect(rng: Random, scene: Scene, language: str) -> tuple[str, str, frozenset[str] | None]:
    """Boxes as text: `name x0 y0 x1 y1; ...` in cells, reading order; the kinds asked for, or None for all."""
    english = language == "en"
    kinds: frozenset[str] | None = None
    if rng.random() < 0.4:
        forms = (
            ("detect everything", "detect all objects", "find all objects")
            if english
            else ("检测全部", "检测所有物体", "找出所有物体")
        )
        instruction = forms[0] if rng.random() < 0.6 else rng.choice(forms)
    else:
        pool = [thing.kind for thing in scene.things]
        asked = {
            rng.choice(pool) if pool and rng.random() < 0.75 else rng.choice(KINDS) for _ in range(rng.randint(1, 3))
        }
        kinds = frozenset(asked)
        listed = sorted(asked)
        rng.shuffle(listed)
        names = (", " if english else "、").join(KIND[language][kind][0] for kind in listed)
        verb = (
            rng.choice(("detect", "detect", "find", "locate"))
            if english
            else rng.choice(("检测", "检测", "找出", "定位"))
        )
        instruction = f"{verb} {names}" if english else f"{verb}{names}"
    return instruction, detection(scene, language, kinds), kinds


def detection(scene: Scene, language: str, kinds: frozenset[str] | None = None) -> str:
    """The right answer to `detect`."""
    found = [
        f"{KIND[language][thing.kind][0]} {' '.join(map(str, box_of(scene, thing)))}"
        for thing in scene.things
        if kinds is None or thing.kind in kinds
    ]
    return "; ".join(found) or NONE[language]


def compare(rng: Random, scene: Scene, language: str) -> tuple[Scene, str, str]:
    """A second scene that differs in one point, the question, and the sentence that names it."""
    english = language == "en"
    forms = (
        (
            "compare the two pictures",
            "what is different?",
            "what changed between the pictures?",
            "what is the difference?",
        )
        if english
        else ("比较两张图", "两张图有什么不同？", "有什么变化？", "比较这两张图片")
    )
    question = rng.choice(forms)
    if rng.random() < 0.12:
        return scene, question, "the same" if english else "相同"
    if scene.things and rng.random() < 0.6:
        index = rng.randrange(len(scene.things))
        thing = scene.things[index]
        rest = scene.things[:index] + scene.things[index + 1 :]
        noun = KIND[language][thing.kind][0]
        if rng.random() < 0.4:
            answer = f"the {thing.colour} {noun} is gone" if english else f"{COLOUR['zh'][thing.colour][0]}{noun}不见了"
            return replace(scene, things=rest), question, answer
        new = rng.choice([name for name in COLOURS if name != thing.colour])
        changed = replace(scene, things=(*scene.things[:index], replace(thing, colour=new), *scene.things[index + 1 :]))
        before, after = COLOUR[language][thing.colour][0], COLOUR[language][new][0]
        return changed, question, f"the {noun} was {before}, now {after}" if english else f"{noun}从{before}变成{after}"
    field, names, table = rng.choice(
        (("place", PLACES, PLACE), ("time", TIMES, TIME), ("weather", WEATHERS, WEATHER), ("style", STYLES, STYLE))
    )
    value = rng.choice([name for name in names if name != getattr(scene, field)])
    before, after = table[language][getattr(scene, field)][0], table[language][value][0]
    answer = f"it was {before}, now {after}" if english else f"从{before}变成{after}"
    changes: dict[str, str] = {field: value}
    return replace(scene, **changes), question, answer  # type: ignore[arg-type]


PERCEPTION = {
    "segmentation": {
        "en": ("segment the picture", "draw the segmentation", "show the segments", "segment this image"),
        "zh": ("分割图片", "画出分割图", "分割这张图", "把图片分割"),
    },
    "edges": {
        "en": ("draw the edges", "show the edges", "draw the edge map", "find the edges"),
        "zh": ("画出边缘", "显示边缘", "画边缘图", "提取边缘"),
    },
    "boxes": {
        "en": ("draw boxes", "draw boxes around the objects", "draw the boxes", "show bounding boxes"),
        "zh": ("画出方框", "画出所有方框", "用方框标出物体", "显示方框"),
    },
}
