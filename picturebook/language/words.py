"""The lexicon: how each thing of the world is called, English and Chinese; the first name is the canonical one."""

from __future__ import annotations

from ..world.scene import CLIPART
from .nouns import article as article
from .nouns import measures, nouns
from .nouns import plural as plural
from .nouns import with_article as with_article

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

for _language, _kinds in KIND.items():  # of clip art, the two names that the lexicon has first
    _kinds.update((kind, tuple(noun.text for noun in nouns(_language)[kind][:2])) for kind in CLIPART)

MEASURE = {kind: words[0] for kind, words in measures().items()}

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
        "meadow": ("in the meadow", "in a meadow", "on the grass", "in a field", "in the countryside", "on a meadow",
                   "in the fields", "on a grassy field", "in the grass", "out in the country"),
        "city": ("in the city", "in a city", "in town", "downtown", "in front of a city skyline", "in the big city",
                 "in a town", "in the streets of a city", "in front of tall buildings", "on a city street"),
        "beach": ("on the beach", "at the beach", "by the sea", "on the sand", "at the seaside", "on a beach",
                  "on a sandy beach", "by the ocean", "at the sea", "on the shore", "at the coast"),
        "snow": ("in the snow", "on the snow", "in a snowy landscape", "in a winter landscape", "on snowy ground",
                 "in a snow-covered landscape", "in deep snow", "in a land of snow"),
        "forest": ("in the forest", "in a forest", "in the woods", "in the wood", "among the trees", "in the jungle",
                   "in a dark forest", "deep in the forest", "in a pine forest", "in the rainforest"),
        "mountains": ("in the mountains", "in front of mountains", "up in the mountains", "in the alps",
                      "among the mountains", "on a mountain", "in front of high mountains", "at the foot of a mountain",
                      "in the high mountains", "in a mountain landscape"),
        "park": ("in the park", "in a park", "in the garden", "in a city park", "at the playground", "in a garden",
                 "at the park", "in the public park", "on the playground", "in the botanical garden"),
        "desert": ("in the desert", "in a desert", "among the dunes", "in the sahara", "in a sandy desert",
                   "in the dunes", "on desert sand", "in a dry desert", "in the hot desert", "in a desert landscape"),
    },
    "zh": {
        "meadow": ("草地上", "草地", "田野里", "草原上", "郊外", "原野上", "草坪上", "乡间"),
        "city": ("城市里", "城里", "都市里", "城市", "街上", "街道上", "大城市里", "高楼前"),
        "beach": ("海边", "沙滩上", "海滩上", "沙滩", "海滩", "大海边", "海岸边", "海岸上"),
        "snow": ("雪地里", "雪地上", "雪地", "雪中", "雪原上", "雪景中", "雪景里", "冰天雪地里"),
        "forest": ("森林里", "树林里", "森林中", "林子里", "丛林里", "森林", "树林中", "密林里"),
        "mountains": ("山里", "大山里", "山上", "群山中", "高山上", "山脚下", "山间", "群山前"),
        "park": ("公园里", "花园里", "公园", "游乐场里", "公园草坪上", "植物园里", "花园中", "公园中"),
        "desert": ("沙漠里", "沙漠中", "沙漠", "沙丘上", "大漠里", "戈壁滩上", "荒漠里", "大沙漠里"),
    },
}  # fmt: skip
PLACE_NOUN: dict[str, Names] = {
    "en": {
        "meadow": ("meadow", "field", "grassland", "grassy field"),
        "city": ("city", "town", "big city", "city street"),
        "beach": ("beach", "seaside", "sandy beach", "seashore", "coast"),
        "snow": ("snowy landscape", "winter landscape", "snow-covered landscape", "snow landscape"),
        "forest": ("forest", "wood", "woodland", "jungle", "pine forest"),
        "mountains": ("mountain landscape", "mountain range", "mountain view", "alpine landscape"),
        "park": ("park", "garden", "playground", "city park"),
        "desert": ("desert", "sandy desert", "desert landscape", "dune landscape"),
    },
    "zh": {
        "meadow": ("草地", "草原", "田野", "草坪"),
        "city": ("城市", "都市", "大城市"),
        "beach": ("海边", "沙滩", "海滩", "海岸"),
        "snow": ("雪地", "雪景", "雪原"),
        "forest": ("森林", "树林", "丛林", "林地"),
        "mountains": ("群山", "大山", "高山", "山景"),
        "park": ("公园", "花园", "游乐场"),
        "desert": ("沙漠", "大漠", "戈壁"),
    },
}

TIME: dict[str, Names] = {
    "en": {
        "day": ("by day", "during the day", "in daylight", "in the daytime", "at noon", "at midday", "in the daylight",
                "during daytime"),
        "sunset": ("at sunset", "at dusk", "in the evening", "at sundown", "sunset", "during sunset",
                   "in the evening light", "while the sun sets", "at twilight"),
        "night": ("at night", "by night", "in the dark", "at midnight", "under the moon", "during the night",
                  "in the night", "late at night", "in the moonlight", "under the stars"),
    },
    "zh": {
        "day": ("白天", "日间", "中午", "大白天", "正午", "白昼"),
        "sunset": ("日落", "日落时", "黄昏", "傍晚", "夕阳下", "日落时分", "黄昏时分", "落日下"),
        "night": ("夜晚", "晚上", "夜里", "夜景", "夜间", "深夜", "半夜", "月光下", "星空下", "夜色中"),
    },
}  # fmt: skip

WEATHER: dict[str, Names] = {
    "en": {
        "clear": ("in clear weather", "under a clear sky", "clear sky", "in fine weather", "with a clear sky",
                  "in good weather"),
        "cloudy": ("in cloudy weather", "under clouds", "with clouds in the sky", "cloudy", "with clouds",
                   "under a cloudy sky", "with a cloudy sky", "overcast", "under an overcast sky"),
        "rain": ("in the rain", "in rainy weather", "while it is raining", "rainy", "with rain", "with rain falling",
                 "in heavy rain", "while it rains", "during rain", "raining"),
        "snowfall": ("with snow falling", "while it is snowing", "with falling snow", "snowing", "during snowfall",
                     "while it snows", "with snowflakes falling", "with snowfall", "while snow is falling"),
    },
    "zh": {
        "clear": ("晴天", "晴朗", "天气晴朗", "好天气", "天晴", "晴朗的天气"),
        "cloudy": ("多云", "阴天", "有云", "天上有云", "多云的天气", "天气阴沉", "天空有云"),
        "rain": ("下雨", "下着雨", "雨中", "雨天", "下雨天", "正在下雨", "雨里"),
        "snowfall": ("下雪", "下着雪", "飘着雪", "下雪天", "正在下雪", "飘雪", "雪花飘落"),
    },
}  # fmt: skip

STYLE: dict[str, Names] = {
    "en": {
        "flat": ("flat style", "in flat style", "flat colours", "in a flat style", "flat design", "with flat colours"),
        "line": ("line art", "in line art style", "as line art", "as a line drawing", "line drawing", "in line art",
                 "drawn as line art", "as an outline drawing"),
        "retro": ("retro style", "in retro style", "retro", "in vintage style", "in a retro style", "vintage style",
                  "with a retro look", "in an old-fashioned style", "drawn in retro style"),
        "oil": ("oil painting", "as an oil painting", "in oils", "in oil painting style",
                "in the style of an oil painting", "painted in oils", "like an old oil painting",
                "as a 19th century oil painting", "in oil paint"),
        "watercolour": ("watercolour", "in watercolour", "as a watercolour", "watercolor", "in watercolours",
                        "watercolour style", "as a watercolour painting", "painted in watercolours", "in watercolor"),
        "pixel": ("pixel art", "as pixel art", "in pixel art style", "pixel style", "in pixel art", "in 8-bit style",
                  "pixelated", "as 8-bit pixel art", "in pixel style"),
    },
    "zh": {
        "flat": ("扁平风格", "平面风格", "扁平画风", "扁平化"),
        "line": ("线稿", "线稿风格", "线条画", "简笔画", "线描", "线条风格"),
        "retro": ("复古风格", "复古", "怀旧风格", "复古画风", "怀旧画风"),
        "oil": ("油画风格", "油画", "油画风", "古典油画", "19世纪油画风格", "油画质感"),
        "watercolour": ("水彩风格", "水彩画", "水彩", "水彩风", "水彩画风格", "水彩画风"),
        "pixel": ("像素风格", "像素风", "像素画", "像素", "像素艺术", "8位像素风"),
    },
}  # fmt: skip

COLUMN: dict[str, Names] = {
    "en": {
        "left": ("on the left", "on the left side", "to the left", "left", "at the left", "on the left-hand side"),
        "middle": ("in the middle", "in the centre", "in the center", "middle", "at the centre", "in the very middle"),
        "right": ("on the right", "on the right side", "to the right", "right", "at the right",
                  "on the right-hand side"),
    },
    "zh": {
        "left": ("左边", "左侧", "左面", "左方", "左手边"),
        "middle": ("中间", "中央", "正中", "正中间", "中部"),
        "right": ("右边", "右侧", "右面", "右方", "右手边"),
    },
}  # fmt: skip
DEPTH: dict[str, Names] = {
    "en": {
        "back": ("at the back", "in the back", "far away", "in the background", "in the distance", "further back"),
        "front": ("at the front", "in the front", "close up", "in the foreground", "up front", "nearby"),
    },
    "zh": {"back": ("后面", "后方", "远处", "后边", "远方"), "front": ("前面", "前方", "近处", "前边")},
}

NUMBER = {
    "en": ("none", "one", "two", "three", "four", "five", "six"),
    "zh": ("没有", "一", "两", "三", "四", "五", "六"),
}
NONE = {"en": "none", "zh": "没有"}


# Words that a request may be wrapped in and that change nothing.
FILLER: dict[str, tuple[str, ...]] = {
    "en": (
        "hello", "hey", "so", "now", "today", "just", "really", "nice", "beautiful", "could you", "kindly",
        "let us have", "think of", "imagine", "there should be", "once more", "the scene shows", "my wish:",
        "as a postcard", "thanks", "for the kids", "cute", "lovely", "simple", "ok", "what about", "how about",
        "maybe", "i dream of", "it shows", "you know", "for my friend", "my favourite", "here comes", "look",
        "one", "this is", "it has", "they", "he", "she", "our", "your", "some", "happy", "big", "fun", "wow",
        "and then", "also", "try", "do", "can", "will", "must", "need", "would", "should", "may", "please do",
        "for my daughter", "for my son", "for my mother", "for school", "for a birthday", "as a present", "greetings",
        "good", "great", "fine", "wonderful", "pretty", "funny", "friendly", "tiny", "little", "sweet", "quick",
        "let me see", "i would like", "i wish for", "give us", "get me", "make", "design", "produce", "compose",
        "render", "invent", "sketch", "we want", "they want", "people like", "my idea:", "idea:", "task:", "request:",
        "prompt:", "scene:", "image:", "somebody", "something like", "kind of", "a bit", "very", "quite", "always",
        "again", "soon", "yes", "well", "oh", "hm", "if possible", "if you can", "as you like", "thank you", "cheers",
        "dear friend", "the story begins", "once upon a time", "in my dream", "in this story", "the page shows",
        "there it is", "which", "that", "who", "what", "why", "because", "with love", "for everybody", "for us",
        "visible", "standing there", "to be seen", "being", "having", "wish", "hope", "love", "like", "see", "use",
        "put", "place", "add", "want", "paint it so", "just for fun", "surprise me", "let it be", "be creative",
    ),
    "zh": (
        "你好", "麻烦", "帮忙", "今天", "给孩子", "可爱的", "漂亮", "谢谢", "再来一次", "我梦见",
        "想象一下", "能不能", "应该有", "场景里有", "看", "拜托", "好吗", "简单地", "朋友想要", "明信片",
        "要", "如果", "有没有", "我们需要", "他说", "那边", "这", "来", "它是", "快", "好看的", "一起",
        "喜欢", "希望", "得到", "新的", "老师说", "给你", "可以", "能够", "就是", "还要", "作品是",
        "您好", "嗨", "请您", "麻烦您", "为了女儿", "给儿子的", "给妈妈的", "生日礼物", "上课用", "我的想法是",
        "故事里", "梦里", "从前", "画家朋友", "大家都喜欢", "让我看看", "给我们", "设计", "制作", "创作", "构思",
        "绘制", "描绘", "呈现", "展示", "表现", "试试", "也许", "非常", "有点", "真", "好", "很棒", "有趣的",
        "任务：", "要求：", "提示：", "主题：", "内容：", "辛苦了", "多谢", "如果可以", "随便", "因为", "那么",
        "我心中的", "应当", "必须", "需要", "想看", "愿望是", "请出现", "其中", "并且", "而且", "同时",
    ),
}  # fmt: skip

# For the gaps of the request for weather: the word, and in English an adjective, a noun and a verb
WEATHER_WORDS: dict[str, Names] = {
    "en": {
        "clear": ("clear", "sunny"),
        "cloudy": ("cloudy",),
        "rain": ("rain", "rainy", "raining"),
        "snowfall": ("snowfall", "snowing", "snow"),
    },
    "zh": {
        "clear": ("晴天", "晴朗", "晴朗的天气"),
        "cloudy": ("多云", "阴天", "有云"),
        "rain": ("下雨", "雨天", "下雨天"),
        "snowfall": ("下雪", "下雪天", "飘雪"),
    },
}
WEATHER_STATES: Names = {
    "clear": ("clear", "sunny"),
    "cloudy": ("cloudy", "overcast"),
    "rain": ("rainy", "raining"),
    "snowfall": ("snowing",),
}
WEATHER_NOUNS: Names = {
    "clear": ("clear weather", "a clear sky", "sunny weather", "fine weather"),
    "cloudy": ("clouds", "cloudy weather", "a cloudy sky"),
    "rain": ("rain", "rainy weather", "rainfall"),
    "snowfall": ("snowfall", "falling snow", "snowflakes"),
}
WEATHER_VERBS: Names = {
    "clear": ("be clear", "be sunny", "clear up"),
    "cloudy": ("be cloudy", "be overcast", "become cloudy"),
    "rain": ("rain", "be raining", "start to rain"),
    "snowfall": ("snow", "be snowing", "start to snow"),
}

# For the gap of the request for a style.
STYLE_WORDS: dict[str, Names] = {
    "en": {
        "flat": ("flat style", "flat design"),
        "line": ("line art", "line art style"),
        "retro": ("retro style", "vintage style", "old-fashioned style"),
        "oil": ("oil painting", "oil painting style", "oil paint"),
        "watercolour": ("watercolour", "watercolour style", "watercolor"),
        "pixel": ("pixel art", "pixel art style", "8-bit pixel art"),
    },
    "zh": {
        "flat": ("扁平风格", "平面风格"),
        "line": ("线稿", "线稿风格", "线条画"),
        "retro": ("复古风格", "怀旧风格"),
        "oil": ("油画", "油画风格", "古典油画"),
        "watercolour": ("水彩", "水彩画", "水彩风格"),
        "pixel": ("像素风格", "像素画", "像素风"),
    },
}


def meaningful_words() -> list[str]:
    """Every phrase that says something about a picture or about what to do with one."""
    tables = (KIND, COLOUR, PLACE, PLACE_NOUN, TIME, WEATHER, STYLE, COLUMN, DEPTH)
    phrases = [name for table in tables for names in table.values() for group in names.values() for name in group]
    phrases += ["empty landscape", "空旷的风景", "and", "和", "、", "first", "second", "第一张图", "第二张图"]
    phrases += [*NUMBER["en"], *NUMBER["zh"], *MEASURE.values(), *map(plural, KIND["en"])]
    tasks = "segment detect draw edges boxes everything describe compare hat with wearing sign word add remove change"
    return [*phrases, *tasks.split(), *"分割检测画出边缘方框全部描述比较帽子戴着牌写加去掉换"]
