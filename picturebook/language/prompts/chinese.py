"""Chinese prompts of the training: many orders of the same parts, many ways to say each."""

from __future__ import annotations

from random import Random

from ...world.scene import Scene
from ..naming import Said, chinese_thing, grouped, pick, position
from ..words import COLOUR, KIND, MEASURE, NUMBER, PLACE, PLACE_NOUN, TIME
from .parts import Parts, spoken

# Where an object stands, {0}, and the object, {1}; one order within a sentence, so that it has one reading.
_AFTER = ("{1}，{0}", "{1}在{0}", "{1}在{0}", "{1}，在{0}", "{1}位于{0}", "{1}放在{0}", "{1}出现在{0}", "{1}（{0}）")
_BEFORE = ("{0}有{1}", "{0}的{1}", "在{0}，{1}", "{0}是{1}", "{0}：{1}", "{0}画{1}", "{0}有{1}")
_PLAIN = (*_AFTER[:4], *_BEFORE[:2])
_KEYWORD = ("{1}，{0}", "{0}{1}", "{0}：{1}")
_JOINTS = ("和", "，", "，", "，还有", "；", "，以及", "，再加上", "，另外", "、")

_LEADS = (
    "", "", "", "", "", "", "画", "画一张图：", "请画", "生成一张图片：", "一幅画，", "帮我画", "我想要", "请生成",
    "给我画", "创作一幅画：", "我要", "我要一张图：", "想看", "请画一幅画：", "来一张图：", "图片：", "画面：",
    "场景：",
    "能不能画", "麻烦画", "图里有", "图中有", "有", "这里有", "一张图，", "一张图片，画着", "画一幅", "画一个场景：",
    "希望有", "我想看到", "制作一张图：", "一幅插画：", "插图：", "想象", "展示", "绘制", "描绘", "画出", "给孩子画",
    "请帮我画", "可以画", "做一张图片：", "需要一张图：", "画中有", "照这样画：", "显示",
)  # fmt: skip
_SCOPES = ("全部", "整个画面", "一切都是", "整个场景", "整张图", "都是", "画面", "场景是", "而且是")

_TIMES = {
    "day": ("时间是白天", "现在是白天", "时间：白天", "是白天", "天亮着"),
    "sunset": ("时间是日落", "现在是日落", "时间：日落", "是黄昏", "太阳正在落下", "现在是傍晚", "太阳下山了"),
    "night": ("时间是夜晚", "现在是夜晚", "时间：夜晚", "是晚上", "天黑了", "现在是晚上", "已经是深夜"),
}
_WEATHERS = {
    "clear": ("天气晴朗", "天气：晴", "天气是晴天", "天空晴朗", "是晴天"),
    "cloudy": ("天气多云", "天气：多云", "天气是阴天", "天空多云", "是阴天", "天上有云", "云很多"),
    "rain": ("天气是下雨", "天气：下雨", "正下着雨", "在下雨", "是雨天", "让它下雨", "雨在下"),
    "snowfall": ("天气是下雪", "天气：下雪", "正下着雪", "在下雪", "是下雪天", "让它下雪", "雪花在飘"),
}
_STYLES = {
    "flat": ("风格是扁平风格", "风格：扁平", "用扁平风格", "采用扁平风格", "画成扁平风格"),
    "line": ("风格是线稿", "风格：线稿", "用线稿画", "采用线稿", "画成线稿", "用线条画"),
    "retro": ("风格是复古风格", "风格：复古", "用复古风格", "采用复古风格", "画成复古风格", "要复古的风格"),
    "oil": ("风格是油画", "风格：油画", "用油画风格", "画成油画", "采用油画风格", "要油画的风格"),
    "watercolour": ("风格是水彩", "风格：水彩", "用水彩画", "画成水彩画", "采用水彩风格", "要水彩的风格"),
    "pixel": ("风格是像素风", "风格：像素", "用像素风格", "画成像素画", "采用像素风格", "要像素风的"),
}
_PLACES = ("背景是{noun}", "地点：{noun}", "地点是{noun}", "场景在{spot}", "背景：{noun}", "在{spot}", "背景画{noun}",
           "用{noun}做背景", "背后是{noun}", "这是{spot}", "地方是{noun}")  # fmt: skip


def things(
    scene: Scene, rng: Random, said: Said, forms: tuple[str, ...] = _PLAIN, joint: str = "，", counted: float = 0.6
) -> str:
    """The objects and where they stand, as one phrase."""
    group = grouped(scene)
    if group and rng.random() < 0.5:
        colour = pick(rng, COLOUR["zh"][group[1]]) + rng.choice(("的", "")) if group[1] else ""
        noun = pick(rng, KIND["zh"][group[0]])
        return f"{NUMBER['zh'][len(scene.things)]}{MEASURE[group[0]]}{colour}{noun}"
    phrases, form = [], rng.choice(forms)
    for thing in scene.things:
        phrase = chinese_thing(thing, rng, said, counted=rng.random() < counted)
        where = position(scene, thing, "zh", said, rng)
        phrases.append(form.format(where, phrase) if where else phrase)
    return joint.join(phrases) or rng.choice(("空旷的风景", "空旷的风景", "没有物体", "什么都没有"))


def written(scene: Scene, rng: Random, said: Said) -> str:
    """One way to ask for the scene."""
    if rng.random() < 0.1:
        return _keywords(scene, rng, said)
    text = things(scene, rng, said, _BEFORE if rng.random() < 0.45 else _AFTER, rng.choice(_JOINTS))
    place = pick(rng, PLACE["zh"][scene.place]) if said.place else ""
    parts, lead = Parts.of(scene, "zh", rng, text, place), rng.choice(_LEADS)
    if rng.random() < 0.3:
        return _sentences(scene, rng, parts, lead)
    if place and rng.random() < 0.5:
        return _placed_first(scene, rng, parts, lead)
    return _ordered(rng, parts, lead)


def _keywords(scene: Scene, rng: Random, said: Said) -> str:
    """`红色汽车，左边，海边，夜晚`."""
    comma = rng.choice(("，", "，", "，", "；", "\n", "、", " "))
    first = things(scene, rng, said, _KEYWORD, comma, counted=0.0)
    place = pick(rng, PLACE_NOUN["zh"][scene.place]) if said.place else ""
    parts = Parts.of(scene, "zh", rng, first, place)
    tail = [part for part in (parts.place, *parts.rest, parts.sign) if part]
    rng.shuffle(tail)
    return comma.join([*tail, first] if rng.random() < 0.25 else [first, *tail])


def _sentences(scene: Scene, rng: Random, parts: Parts, lead: str) -> str:
    """Each setting on its own, before or after the objects: `背景是海边，时间是夜晚`."""
    settings = [pick(rng, names, 0.2) for names in spoken(scene, rng, (_TIMES, _WEATHERS, _STYLES))]
    if parts.place:
        noun = pick(rng, PLACE_NOUN["zh"][scene.place])
        settings.append(rng.choice(_PLACES).format(spot=parts.place, noun=noun))
    rng.shuffle(settings)
    joint, sign = rng.choice(("，", "，", "，", "。", "；", "\n")), [parts.sign] if parts.sign else []
    if rng.random() < 0.35:
        return joint.join([*settings, lead + parts.things, *sign])
    return joint.join([lead + parts.things, *settings, *sign])


def _placed_first(scene: Scene, rng: Random, parts: Parts, lead: str) -> str:
    """`海边有一辆红色汽车`, `夜晚的海边，一辆红色汽车`."""
    rest, sign, place = list(parts.rest), [parts.sign] if parts.sign else [], parts.place
    if len(scene.things) == 1 and not {"，", "有", "："} & set(parts.things) and rng.random() < 0.3:
        return "，".join([f"{lead}{place}的{parts.things}", *rest, *sign])
    if rng.random() < 0.2 and (scene.time != "day" or rest):
        when = pick(rng, TIME["zh"][scene.time][:4])
        noun = pick(rng, PLACE_NOUN["zh"][scene.place])
        rest = rest if scene.time == "day" else rest[1:]
        return "，".join([f"{lead}{when}的{noun}{rng.choice(('，', '，有', '，画着'))}{parts.things}", *rest, *sign])
    middle = f"{rng.choice(('在', ''))}{place}{rng.choice(('，', '有', '', '画着', '，有'))}{parts.things}"
    if rng.random() < 0.35:
        return "，".join([*rest, lead + middle, *sign])
    return lead + "，".join([middle, *rest, *sign])


def _ordered(rng: Random, parts: Parts, lead: str) -> str:
    """The parts one after the other, settings mostly behind the objects."""
    rest, sign = list(parts.rest), [parts.sign] if parts.sign else []
    place = [parts.place] if parts.place else []
    if rng.random() < 0.25:
        return "，".join([*rest, lead + parts.things, *place, *sign])
    if rest and rng.random() < 0.25:
        rest[0] = rng.choice(_SCOPES) + rest[0]
    elif place and rng.random() < 0.2:
        rng.shuffle(rest)
        return lead + "，".join([parts.things, *rest, *place, *sign])
    return lead + "，".join([parts.things, *place, *rest, *sign])
