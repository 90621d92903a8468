"""The lexicon: how each thing of the world is called, English and Chinese; the first name is the canonical one."""

from __future__ import annotations

LANGUAGES = ("en", "zh")

Names = dict[str, tuple[str, ...]]

KIND: dict[str, Names] = {
    "en": {
        "car": ("car", "automobile", "auto"),
        "house": ("house", "home", "cottage"),
        "tree": ("tree",),
        "flower": ("flower", "blossom"),
        "dog": ("dog", "puppy"),
        "cat": ("cat", "kitten"),
        "person": ("person", "man", "woman"),
        "boat": ("boat", "ship", "sailboat"),
        "bus": ("bus", "coach"),
        "bird": ("bird", "sparrow"),
        "balloon": ("balloon", "hot-air balloon"),
        "mushroom": ("mushroom", "toadstool"),
    },
    "zh": {
        "car": ("汽车", "小汽车", "轿车"),
        "house": ("房子", "房屋", "小屋"),
        "tree": ("树", "大树"),
        "flower": ("花", "花朵"),
        "dog": ("狗", "小狗"),
        "cat": ("猫", "小猫"),
        "person": ("人", "人物"),
        "boat": ("船", "小船", "帆船"),
        "bus": ("公交车", "巴士", "大巴"),
        "bird": ("鸟", "小鸟", "鸟儿"),
        "balloon": ("气球", "热气球"),
        "mushroom": ("蘑菇", "小蘑菇"),
    },
}

PLURAL = {
    "person": "people", "man": "men", "woman": "women", "puppy": "puppies", "bus": "buses", "coach": "coaches",
}  # fmt: skip
MEASURE = {
    "car": "辆",
    "house": "座",
    "tree": "棵",
    "flower": "朵",
    "dog": "只",
    "cat": "只",
    "person": "个",
    "boat": "艘",
    "bus": "辆",
    "bird": "只",
    "balloon": "个",
    "mushroom": "朵",
}

COLOUR: dict[str, Names] = {
    "en": {
        "red": ("red", "crimson", "scarlet"),
        "orange": ("orange",),
        "yellow": ("yellow", "golden"),
        "green": ("green",),
        "blue": ("blue",),
        "purple": ("purple", "violet"),
        "pink": ("pink",),
        "brown": ("brown",),
    },
    "zh": {
        "red": ("红色", "红"),
        "orange": ("橙色", "橙", "橘色"),
        "yellow": ("黄色", "黄"),
        "green": ("绿色", "绿"),
        "blue": ("蓝色", "蓝"),
        "purple": ("紫色", "紫"),
        "pink": ("粉色", "粉"),
        "brown": ("棕色", "棕", "咖啡色"),
    },
}

PLACE: dict[str, Names] = {
    "en": {
        "meadow": ("in the meadow", "in a meadow", "on the grass", "in a field", "in the countryside", "on a meadow"),
        "city": ("in the city", "in a city", "in town", "downtown", "in front of a city skyline"),
        "beach": ("on the beach", "at the beach", "by the sea", "on the sand", "at the seaside"),
        "snow": ("in the snow", "on the snow", "in a snowy landscape", "in a winter landscape"),
    },
    "zh": {
        "meadow": ("草地上", "草地", "田野里", "草原上", "郊外"),
        "city": ("城市里", "城里", "都市里", "城市", "街上"),
        "beach": ("海边", "沙滩上", "海滩上", "沙滩", "海滩"),
        "snow": ("雪地里", "雪地上", "雪地", "雪中"),
    },
}
PLACE_NOUN: dict[str, Names] = {
    "en": {
        "meadow": ("meadow", "field"),
        "city": ("city", "town"),
        "beach": ("beach", "seaside"),
        "snow": ("snowy landscape", "winter landscape"),
    },
    "zh": {
        "meadow": ("草地", "草原"),
        "city": ("城市", "都市"),
        "beach": ("海边", "沙滩", "海滩"),
        "snow": ("雪地", "雪景"),
    },
}

TIME: dict[str, Names] = {
    "en": {
        "day": ("by day", "during the day", "in daylight", "in the daytime", "at noon"),
        "sunset": ("at sunset", "at dusk", "in the evening", "at sundown", "sunset"),
        "night": ("at night", "by night", "in the dark", "at midnight", "under the moon"),
    },
    "zh": {
        "day": ("白天", "日间", "中午"),
        "sunset": ("日落", "日落时", "黄昏", "傍晚", "夕阳下"),
        "night": ("夜晚", "晚上", "夜里", "夜景", "夜间"),
    },
}

WEATHER: dict[str, Names] = {
    "en": {
        "clear": ("in clear weather", "under a clear sky", "clear sky"),
        "cloudy": ("in cloudy weather", "under clouds", "with clouds in the sky", "cloudy"),
        "rain": ("in the rain", "in rainy weather", "while it is raining", "rainy", "with rain"),
        "snowfall": ("with snow falling", "while it is snowing", "with falling snow", "snowing"),
    },
    "zh": {
        "clear": ("晴天", "晴朗", "天气晴朗"),
        "cloudy": ("多云", "阴天", "有云"),
        "rain": ("下雨", "下着雨", "雨中", "雨天"),
        "snowfall": ("下雪", "下着雪", "飘着雪"),
    },
}

STYLE: dict[str, Names] = {
    "en": {
        "flat": ("flat style", "in flat style", "flat colours"),
        "line": ("line art", "in line art style", "as line art", "as a line drawing"),
        "retro": ("retro style", "in retro style", "retro", "in vintage style"),
    },
    "zh": {
        "flat": ("扁平风格", "平面风格"),
        "line": ("线稿", "线稿风格", "线条画", "简笔画"),
        "retro": ("复古风格", "复古", "怀旧风格"),
    },
}

COLUMN: dict[str, Names] = {
    "en": {
        "left": ("on the left", "on the left side", "to the left", "left"),
        "middle": ("in the middle", "in the centre", "in the center", "middle"),
        "right": ("on the right", "on the right side", "to the right", "right"),
    },
    "zh": {"left": ("左边", "左侧", "左面"), "middle": ("中间", "中央"), "right": ("右边", "右侧", "右面")},
}
DEPTH: dict[str, Names] = {
    "en": {
        "back": ("at the back", "in the back", "far away", "in the background"),
        "front": ("at the front", "in the front", "close up", "in the foreground"),
    },
    "zh": {"back": ("后面", "后方", "远处"), "front": ("前面", "前方", "近处")},
}

NUMBER = {
    "en": ("none", "one", "two", "three", "four", "five", "six"),
    "zh": ("没有", "一", "两", "三", "四", "五", "六"),
}
NONE = {"en": "none", "zh": "没有"}


def article(word: str) -> str:
    """`a` or `an` before an English word."""
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def plural(noun: str) -> str:
    """The English plural."""
    return PLURAL.get(noun, f"{noun}s")


# Words that a request may be wrapped in and that change nothing.
FILLER: dict[str, tuple[str, ...]] = {
    "en": (
        "hello", "hey", "so", "now", "today", "just", "really", "nice", "beautiful", "could you", "kindly",
        "let us have", "think of", "imagine", "there should be", "once more", "the scene shows", "my wish:",
        "as a postcard", "thanks", "for the kids", "cute", "lovely", "simple", "ok", "what about", "how about",
        "maybe", "i dream of", "it shows", "you know", "for my friend", "my favourite", "here comes", "look",
        "one", "this is", "it has", "they", "he", "she", "our", "your", "some", "happy", "big", "fun", "wow",
        "and then", "also", "try", "do", "can", "will", "must", "need",
    ),
    "zh": (
        "你好", "麻烦", "帮忙", "今天", "给孩子", "可爱的", "漂亮", "谢谢", "再来一次", "我梦见",
        "想象一下", "能不能", "应该有", "场景里有", "看", "拜托", "好吗", "简单地", "朋友想要", "明信片",
        "要", "如果", "有没有", "我们需要", "他说", "那边", "这", "来", "它是", "快", "好看的", "一起",
        "喜欢", "希望", "得到", "新的", "老师说", "给你", "可以", "能够", "就是", "还要", "作品是",
    ),
}  # fmt: skip


def meaningful_words() -> list[str]:
    """Every phrase that says something about a picture or about what to do with one."""
    tables = (KIND, COLOUR, PLACE, PLACE_NOUN, TIME, WEATHER, STYLE, COLUMN, DEPTH)
    phrases = [name for table in tables for names in table.values() for group in names.values() for name in group]
    phrases += ["empty landscape", "空旷的风景", "and", "和", "、", "first", "second", "第一张图", "第二张图"]
    phrases += [*NUMBER["en"], *NUMBER["zh"], *MEASURE.values(), *map(plural, KIND["en"])]
    tasks = "segment detect draw edges boxes everything describe compare hat with wearing sign word add remove change"
    return [*phrases, *tasks.split(), *"分割检测画出边缘方框全部描述比较帽子戴着牌写加去掉换"]
