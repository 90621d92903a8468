"""How people ask for edits, perception and answers: sentence forms, English and Chinese.

The last `HELD_OUT` forms of every request are never trained on; the judge asks in nothing else. What joins several
requests (`JOINTS`) and the names of all things (`EVERYTHING`) are common to both; what wraps a request (`BEFORE`,
`AFTER`) is of the training only.
"""

from __future__ import annotations

Forms = dict[str, tuple[str, ...]]
HELD_OUT = 2

RECOLOUR: Forms = {
    "en": (
        "i would like {name} in {word}", "{name} has to become {word}", "let me see {name} in {word}",
        "i need {name} to become {word}", "the colour of {name} should be {word}", "{word} for {name}",
        "use {word} for {name}", "dye {name} {word}", "i want to have {name} {word}", "i wish {name} was {word}",
        "make {name} {word}", "change the colour of {name} to {word}", "turn {name} {word}",
        "change the color of {name} to {word}", "paint {name} {word}", "recolour {name} to {word}",
        "{name} should be {word}", "i want {name} in {word}", "give {name} the colour {word}", "let {name} be {word}",
        "change {name} to {word}", "colour {name} {word}", "turn {name} into a {word} one",
        "i want {name} to be {word}", "please change {name} so that it is {word}",
    ),
    "zh": (
        "我要{name}是{word}", "希望{name}是{word}", "{name}要{word}的", "我想要{word}的{name}", "用{word}画{name}",
        "给{name}涂上{word}", "把{name}换成{word}", "把{name}的颜色换成{word}", "把{name}变成{word}",
        "将{name}改成{word}", "把{name}涂成{word}", "让{name}变成{word}", "{name}改为{word}", "把{name}画成{word}的",
        "{name}的颜色改成{word}", "{name}应该是{word}", "我想让{name}变成{word}", "请将{name}的颜色改为{word}",
    ),
}  # fmt: skip
ADD: Forms = {
    "en": (
        "i need {thing} {where}", "can we have {thing} {where}", "i would like {thing} {where}",
        "we need {thing} {where}", "give me {thing} {where}", "show {thing} {where}", "it needs {thing} {where}",
        "have {thing} {where}", "add {thing} {where}", "put {thing} {where}", "place {thing} {where}",
        "insert {thing} {where}", "draw {thing} {where}", "i want {thing} {where}", "there should be {thing} {where}",
        "let there be {thing} {where}", "also show {thing} {where}", "i would like to have {thing} {where}",
        "please insert {thing} {where}, thanks",
    ),
    "zh": (
        "我想要{thing}，{where}", "{where}出现{thing}", "{in_where}要{thing}", "{in_where}放{thing}",
        "希望{where}有{thing}", "{in_where}加{thing}", "{in_where}添加{thing}", "{where}加上{thing}",
        "{in_where}画{thing}", "{where}放{thing}", "{where}要有{thing}", "{in_where}再加{thing}",
        "添加{thing}，{where}", "我想{in_where}看到{thing}", "请{in_where}放上{thing}",
    ),
}  # fmt: skip
REMOVE: Forms = {
    "en": (
        "i want {name} removed", "i want {name} to disappear", "{name} has to go", "let {name} disappear",
        "make {name} go away", "i do not need {name}", "drop {name}", "i would like {name} to be gone",
        "throw {name} out", "do not show {name}", "remove {name}", "take away {name}", "delete {name}",
        "erase {name}", "remove {name} from the picture", "take {name} out", "get rid of {name}", "no {name}",
        "without {name}", "{name} should be gone", "please take {name} away",
        "i do not want {name} in the picture, remove it",
    ),
    "zh": (
        "让{name}消失", "我不要{name}", "请不要画{name}", "我想去掉{name}", "{name}不要了", "不想看到{name}",
        "去掉{name}", "删除{name}", "把{name}去掉", "移除{name}", "把{name}删掉", "不要{name}", "把{name}移走",
        "擦掉{name}", "将{name}从图里去掉", "我不想要{name}，去掉",
    ),
}  # fmt: skip
HAT_OFF: Forms = {
    "en": (
        "i want {name} without a hat", "no hat for {name}", "{name} needs no hat", "i do not want the hat of {name}",
        "let {name} take the hat off", "take off the hat of {name}", "remove the hat of {name}",
        "take the hat off {name}", "{name} should wear no hat", "delete the hat of {name}", "{name} without a hat",
        "please remove the hat from {name}", "take away the hat of {name}",
    ),
    "zh": (
        "我想让{name}不戴帽子", "{name}的帽子去掉", "{name}不需要帽子", "摘掉{name}的帽子", "去掉{name}的帽子",
        "把{name}的帽子摘掉", "{name}不要戴帽子", "把{name}的帽子去掉", "将{name}的帽子摘掉", "不要{name}的帽子",
    ),
}  # fmt: skip
HAT_COLOUR: Forms = {
    "en": (
        "{word} for the hat of {name}", "i would like the hat of {name} in {word}",
        "recolour the hat of {name} to {word}", "let the hat of {name} be {word}", "i need the hat of {name} {word}",
        "make the hat of {name} {word}", "change the hat of {name} to {word}", "turn the hat of {name} {word}",
        "the hat of {name} should be {word}", "paint the hat of {name} {word}", "give {name} {a_word} hat",
        "i want the hat of {name} to be {word}", "change the colour of the hat of {name} to {word}",
    ),
    "zh": (
        "我想要{name}的帽子是{word}", "{name}的帽子要{word}的", "把{name}的帽子涂成{word}",
        "把{name}的帽子换成{word}", "把{name}的帽子变成{word}", "将{name}的帽子改成{word}", "{name}的帽子改为{word}",
        "给{name}换上{word}的帽子", "让{name}的帽子变成{word}", "请把{name}的帽子改成{word}",
    ),
}  # fmt: skip
HAT_ON: Forms = {
    "en": (
        "{name} needs {a_word} hat", "{a_word} hat for {name}", "i want {a_word} hat on {name}",
        "let {name} have {a_word} hat", "i want {name} with {a_word} hat", "give {name} {a_word} hat",
        "put {a_word} hat on {name}", "let {name} wear {a_word} hat", "{name} should wear {a_word} hat",
        "add {a_word} hat to {name}", "{name} with {a_word} hat", "make {name} wear {a_word} hat",
        "i want {name} to have {a_word} hat", "i would like {name} to wear {a_word} hat",
    ),
    "zh": (
        "我想要{name}戴{word}的帽子", "{name}需要{word}帽子", "给{name}一顶{word}帽子", "给{name}戴上{word}帽子",
        "给{name}戴一顶{word}的帽子", "让{name}戴上{word}的帽子", "{name}要戴{word}帽子", "给{name}加{word}帽子",
        "把{word}帽子戴在{name}上", "我想让{name}戴{word}帽子", "请给{name}戴上{word}的帽子",
    ),
}  # fmt: skip
MOVE: Forms = {
    "en": (
        "i want {name} to be {spot}", "{name} has to go to the {where}", "bring {name} to the {where}",
        "i would like {name} {spot}", "let {name} go to the {where}", "show {name} {spot}",
        "the new place of {name} is {spot}", "move {name} so that it stands {spot}",
        "i want {name} to move to the {where}", "change where {name} is: {spot}", "move {name} to the {where}",
        "put {name} {spot}", "shift {name} to the {where}", "{name} should be {spot}", "place {name} {spot}",
        "let {name} stand {spot}", "i want {name} {spot}", "please move {name} so that it is {spot}",
        "change the place of {name}: {spot}",
    ),
    "zh": (
        "我要{name}在{where}", "{name}去{where}", "{name}要在{where}", "我想把{name}移到{where}",
        "希望{name}在{where}", "把{name}移到{where}", "将{name}移动到{where}", "把{name}放到{where}",
        "让{name}在{where}", "{name}移到{where}", "{name}应该在{where}", "我想让{name}在{where}",
        "请把{name}移动到{where}",
    ),
}  # fmt: skip
PLACE: Forms = {
    "en": (
        "i would like it {spot}", "i want it {spot}", "the place should be {a_noun}", "{a_noun} as the background",
        "take it to the {noun}", "use {a_noun} as the background", "i want to see it {spot}", "it should be {spot}",
        "the scene should be {spot}", "change the background to {a_noun}", "change the background to the {noun}",
        "put it {spot}", "make it {a_noun}", "move the scene to the {noun}", "the background should be {a_noun}",
        "set it {spot}", "change the place to {a_noun}", "let it be {spot}", "turn the background into {a_noun}",
        "i want the background to be {a_noun}", "please show it {spot}",
    ),
    "zh": (
        "我要背景是{noun}", "希望在{noun}", "用{noun}做背景", "我想在{noun}", "场景改成{noun}", "把背景换成{noun}",
        "背景换成{noun}", "将背景改成{noun}", "换到{noun}", "背景改为{noun}", "把场景换成{noun}", "让背景变成{noun}",
        "放到{noun}", "我想要背景是{noun}", "请把背景变成{noun}",
    ),
}  # fmt: skip
TIME: Forms = {
    "en": (
        "i would like it {spot}", "i want to see it {spot}", "i want {word}", "the time should be {word}",
        "switch to {word}", "i want it {spot}", "now it is {word}", "make it {word}", "change the time to {word}",
        "turn it into {word}", "show it {spot}", "let it be {word}", "make the scene {spot}",
        "set the time to {word}", "it should be {word}", "change it to {word}", "i want it to be {word}",
        "please let it be {spot}",
    ),
    "zh": (
        "我要{word}", "希望是{word}", "时间要{word}", "应该是{word}", "我想看{word}", "改成{word}", "变成{word}",
        "把时间换成{word}", "时间改成{word}", "让时间变成{word}", "换成{word}", "我想要{word}", "请把时间改成{word}",
    ),
}  # fmt: skip
PLACE_AND_TIME: Forms = {
    "en": (
        "i want it {spot} {time}", "i would like it {spot} {time}", "use {a_noun} {time} as the background",
        "show it {spot} {time}", "the scene should be {spot} {time}", "change the background to {a_noun} {time}",
        "put it {spot} {time}", "make it {a_noun} {time}", "set it {spot} {time}",
        "the background should be {a_noun} {time}", "i want the background to be {a_noun} {time}",
        "i would love to have it {spot} {time}",
    ),
    "zh": (
        "我要{time}的{noun}", "希望是{time}的{noun}", "场景改成{time}的{noun}", "把背景换成{noun}{time}",
        "背景换成{time}的{noun}", "将背景改成{time}的{noun}", "换到{time}的{noun}", "我想要背景是{time}的{noun}",
        "请把背景变成{noun}{time}",
    ),
}  # fmt: skip
WEATHER: Forms = {
    "en": (
        "i would like it {word}", "i want it {word}", "the sky should be {word}", "it should be {word}",
        "i want it {spot}", "switch the weather to {word}", "i would like the weather {word}",
        "change the weather to {word}", "make it {word}", "let it be {word}", "the weather should be {word}",
        "set the weather to {word}", "make the weather {word}", "turn the weather to {word}", "show it {spot}",
        "i want the weather to be {word}", "i want to see it {word}",
    ),
    "zh": (
        "我要{word}", "希望{word}", "天气要{word}", "应该{word}", "我想看{word}", "天气应该{word}", "天气改成{word}",
        "把天气换成{word}", "让天气变成{word}", "变成{word}", "天气换成{word}", "改成{word}", "我想要{word}",
        "请把天气改成{word}",
    ),
}  # fmt: skip
WEATHER_WORDS = {
    "clear": ("clear", "sunny"),
    "cloudy": ("cloudy",),
    "rain": ("rain", "rainy", "raining"),
    "snowfall": ("snowfall", "snowing", "snow"),
}
STYLE: Forms = {
    "en": (
        "i would like {word}", "i want {word}", "use {word}", "do it in {word}", "i want to see it as {word}",
        "the picture should be in {word}", "i would like it as {word}", "change the style to {word}",
        "turn it into {word}", "make it {word}", "redraw it as {word}", "draw it in {word}", "show it as {word}",
        "the style should be {word}", "paint it again in {word}", "convert it to {word}", "i want it in {word}",
        "please turn the picture into {word}",
    ),
    "zh": (
        "我要{word}", "希望是{word}", "用{word}", "风格要{word}", "我想看{word}", "改用{word}", "变成{word}",
        "改成{word}", "把风格换成{word}", "转换为{word}", "风格改成{word}", "画成{word}", "用{word}重画",
        "我想要{word}", "请把图片变成{word}",
    ),
}  # fmt: skip
SIGN_OFF: Forms = {
    "en": (
        "i want the sign removed", "the sign should be gone", "no sign", "i do not need the sign",
        "let the sign disappear", "get rid of the sign", "remove the sign", "take down the sign", "delete the sign",
        "without the sign", "take the sign away", "please remove the sign from the picture",
        "i do not want the sign, remove it",
    ),
    "zh": (
        "我不要牌子", "牌子不要了", "让牌子不见", "我想去掉牌子", "擦掉牌子", "去掉牌子", "把牌子去掉", "删除牌子",
        "不要牌子", "移除牌子", "我想让牌子消失", "我不想要牌子，去掉",
    ),
}  # fmt: skip
SIGN_WORD: Forms = {
    "en": (
        'i want "{word}" on the sign', 'let the sign say "{word}"', 'the word should be "{word}"',
        'change the word on it to "{word}"', 'i would like the sign to read "{word}"',
        'change the word on the sign to "{word}"', 'change the sign to "{word}"', 'make the sign say "{word}"',
        'the sign should say "{word}"', 'write "{word}" on the sign', 'i want the sign to say "{word}"',
        'please change the word to "{word}"',
    ),
    "zh": (
        '我要牌子写"{word}"', '牌子应该写"{word}"', '让牌子写"{word}"', '牌子的字换成"{word}"',
        '把牌子上的字换成"{word}"', '牌子改成"{word}"', '把牌子换成"{word}"', '牌子上写"{word}"', '把字改成"{word}"',
        '我想让牌子写着"{word}"', '请把牌子上的字改成"{word}"',
    ),
}  # fmt: skip
SIGN_ON: Forms = {
    "en": (
        'i need a sign "{word}"', 'it needs a sign that says "{word}"', 'show a sign saying "{word}"',
        'a sign with "{word}"', 'i would like the word "{word}" on a sign', 'add a sign that says "{word}"',
        'add the word "{word}"', 'write "{word}" on a sign', 'add a sign "{word}"',
        'put up a sign with the word "{word}"', 'there should be a sign "{word}"', 'add a sign saying "{word}"',
        'i want a sign that says "{word}"', 'please put up a sign "{word}"',
    ),
    "zh": (
        '我要一块牌子"{word}"', '要有牌子"{word}"', '放一块写着"{word}"的招牌', '我想加文字"{word}"',
        '加一块写着"{word}"的牌子', '加上文字"{word}"', '在牌子上写"{word}"', '添加招牌"{word}"',
        '加一块牌子"{word}"', '写上"{word}"', '我想要一块写着"{word}"的牌子', '请加上牌子"{word}"',
    ),
}  # fmt: skip

DESCRIBE: Forms = {
    "en": (
        "what is to be seen?", "what can be found in this picture?", "what is here?", "what can you see here?",
        "tell me what is here", "what may be seen in it?", "what has been drawn here?", "what is this?",
        "what is shown?", "what can the picture show us?", "give me a caption", "say what is in the picture",
        "what can you see?",
        "what is in this picture?", "a description, please", "can you describe what is there?",
        "describe what you see", "describe the picture", "describe this picture", "what is in the picture?",
        "what do you see?", "caption the picture", "what does the picture show?", "tell me what you see",
        "describe it", "write a caption", "give me a description of the picture", "what can be seen here?",
    ),
    "zh": (
        "这是什么图？", "图里能看到什么？", "说说图片里有什么", "这张图里有什么？", "给这张图写一句话",
        "图上画了什么？", "描述这张图", "描述图片", "图里有什么？", "你看到了什么？", "描述一下这张图片",
        "说说这张图", "图片上是什么？", "这张图里能看到什么？", "请说一说图片里有什么",
    ),
}  # fmt: skip
COUNT: Forms = {
    "en": (
        "can you count the {noun}?", "how many {noun} can you find?", "how many {noun} does the picture show?",
        "what is the number of {noun} here?", "please tell me the number of {noun}", "{noun}: how many?",
        "how many {noun} are there?", "how many {noun}?", "count the {noun}", "how many {noun} are in the picture?",
        "how many {noun} do you see?", "the number of {noun}?", "tell me how many {noun} there are",
        "how many {noun} can you see here?", "please count the {noun} in the picture",
    ),
    "zh": (
        "请问有几{measure}{noun}？", "能看到几{measure}{noun}？", "这里有多少{noun}？", "数数有几{measure}{noun}",
        "{noun}的数量是多少？", "有几{measure}{noun}？", "图里有几{measure}{noun}？", "有多少{noun}？",
        "数一数{noun}", "{noun}有几{measure}？", "你看到几{measure}{noun}？", "这张图里有多少{measure}{noun}？",
        "请数一数有几{measure}{noun}",
    ),
}  # fmt: skip
WHERE: Forms = {
    "en": (
        "can you tell me where the {noun} is?", "where has the {noun} been put?", "where is the {noun} standing?",
        "at which spot is the {noun}?", "in which part of the picture is the {noun}?",
        "what is the position of the {noun}?", "the position of the {noun}?",
        "i cannot find the {noun}, where is it?", "where is the {noun}?", "where is the {noun} in the picture?",
        "where can i see the {noun}?", "where do you see the {noun}?", "tell me where the {noun} is",
        "where does the {noun} stand?", "the {noun}, where is it?", "in which place is the {noun}?",
    ),
    "zh": (
        "{noun}站在哪里？", "{noun}在图片的什么位置？", "能告诉我{noun}在哪里吗？", "图里{noun}在哪？",
        "{noun}在哪边？", "{noun}在哪里？", "{noun}在什么地方？", "{noun}在图的哪里？", "你看到{noun}在哪里？",
        "{noun}的位置在哪里？", "请问{noun}在哪里？", "图里的{noun}在什么地方？",
    ),
}  # fmt: skip
THERE: Forms = {
    "en": (
        "what object is {spot}?", "can you tell me what is {spot}?", "which thing is {spot}?",
        "what can you see {spot}?", "name the object {spot}", "who or what is {spot}?", "what is {spot}?",
        "what do you see {spot}?", "what stands {spot}?", "what is there {spot}?", "tell me what is {spot}",
        "{spot}, what do you see?", "which object is {spot}?",
    ),
    "zh": (
        "{spot}能看到什么？", "说说{spot}有什么", "在{spot}的是什么？", "{spot}画了什么？", "{spot}是什么？",
        "{spot}有什么？", "图的{spot}是什么？", "你看到{spot}有什么？", "图里{spot}有什么？", "请问{spot}是什么？",
    ),
}  # fmt: skip
COLOUR: Forms = {
    "en": (
        "can you tell me the colour of the {noun}?", "what colour does the {noun} have?",
        "in which colour is the {noun}?", "which colour does the {noun} have?", "the colour of the {noun}?",
        "name the colour of the {noun}", "what colour has the {noun}?", "what colour is the {noun}?",
        "what color is the {noun}?", "which colour has the {noun}?", "what is the colour of the {noun}?",
        "the {noun} has which colour?", "tell me the colour of the {noun}", "which colour is the {noun}?",
        "the {noun}, what colour is it?",
    ),
    "zh": (
        "{noun}有什么颜色？", "图里{noun}的颜色是什么？", "{noun}是哪种颜色？", "能告诉我{noun}的颜色吗？",
        "{noun}是什么颜色？", "{noun}是什么颜色的？", "{noun}的颜色是什么？", "{noun}什么颜色？", "说说{noun}的颜色",
        "请问{noun}是什么颜色？", "图里的{noun}是什么颜色的？",
    ),
}  # fmt: skip
YES_NO: Forms = {
    "en": (
        "is there any sign of {name}?", "can you find {name}?", "is {name} there?", "do you find {name} here?",
        "does this picture have {name}?", "has the picture {name}?", "could there be {name}?", "is there {name}?",
        "is there {name} in the picture?", "do you see {name}?", "can you see {name}?",
        "does the picture show {name}?", "{name}, is there one?", "is {name} in this picture?",
    ),
    "zh": (
        "能看到{name}吗？", "图里是不是有{name}？", "有没有看到{name}？", "画里有{name}吗？", "有{name}吗？",
        "图里有{name}吗？", "有没有{name}？", "你看到{name}了吗？", "这里有{name}吗？", "图片上有没有{name}？",
        "请问有{name}吗？",
    ),
}  # fmt: skip
SIGN_READ: Forms = {
    "en": (
        "what word is on the sign?", "what is on the sign?", "can you read the sign?",
        "which word do you see on the sign?", "what does the sign say?", "what is written on the sign?",
        "read the sign", "which word is on the sign?", "tell me what the sign says", "what can you read on the sign?",
    ),
    "zh": (
        "牌子上是什么？", "牌子上有什么字？", "看看牌子写了什么", "招牌上写着什么？", "牌子上写着什么？",
        "牌子上的字是什么？", "读一下牌子", "牌子写了什么？", "请问牌子上写着什么？", "图里的牌子上有什么字？",
    ),
}  # fmt: skip
PLACE_ASKED: Forms = {
    "en": (
        "what is the place?", "in which place is this?", "name the place", "what kind of place is it?",
        "can you tell me what place this is?", "which landscape is it?", "what background do you see?",
        "what place is it?", "what is the background?", "which place is it?", "where is this?", "tell me the place",
        "what place do you see?", "which background has the picture?",
    ),
    "zh": (
        "图里的地方是哪里？", "这是在哪里？", "背景是哪里？", "说说这是什么地方", "这是什么地方？", "背景是什么？",
        "图里是什么地方？", "这是哪里？", "请问这是什么地方？", "图片的背景是什么？",
    ),
}  # fmt: skip
TIME_ASKED: Forms = {
    "en": (
        "what is the time of day?", "which time is it?", "can you tell me the time of day?", "name the time of day",
        "at what time is this?", "when is this?", "what time is it?", "what time of day is it?",
        "which time of day is it?", "is it day or night?", "tell me the time of day", "what time of day do you see?",
        "which time does the picture show?",
    ),
    "zh": (
        "图里是什么时间？", "现在是什么时候？", "说说这是什么时间", "什么时候的景色？", "这是什么时候？",
        "这是什么时间？", "图里是什么时候？", "是白天还是夜晚？", "请问这是什么时间？", "图片上是什么时候？",
    ),
}  # fmt: skip
WEATHER_ASKED: Forms = {
    "en": (
        "can you tell me about the weather?", "name the weather", "which weather is it?",
        "what kind of weather is it?", "what is the weather in the picture?", "say how the weather is",
        "how does the sky look?", "what is the weather?", "how is the weather?", "what weather is it?",
        "which weather do you see?", "what is the weather like?", "tell me the weather",
        "how is the weather in the picture?",
    ),
    "zh": (
        "图里是什么天气？", "说说天气", "天气是什么？", "今天天气怎么样？", "天气怎么样？", "天气如何？",
        "是什么天气？", "图里天气怎么样？", "请问天气怎么样？", "图片上是什么天气？",
    ),
}  # fmt: skip
STYLE_ASKED: Forms = {
    "en": (
        "name the style", "which style is it?", "can you tell me the style?", "how is it drawn?",
        "what kind of style is it?", "in what style is the picture?", "which style do you see?", "what style is it?",
        "which style is the picture?", "what style has the picture?", "what is the style?", "tell me the style",
        "in which style is it drawn?", "what style do you see?",
    ),
    "zh": (
        "说说风格", "图里是哪种风格？", "画的是什么风格？", "风格是什么？", "这是什么风格？", "图片是什么风格？",
        "什么风格？", "图里是什么风格？", "请问这是什么风格？", "图片的风格是什么？",
    ),
}  # fmt: skip
DETECT: Forms = {
    "en": (
        "in which boxes are {names}?", "what are the boxes of {names}?", "name the boxes of {names}",
        "which boxes belong to {names}?", "tell me the boxes of {names}", "can you show me the boxes of {names}?",
        "{names}: which boxes?", "what boxes do you see for {names}?", "show where {names} are",
        "i need boxes of {names}", "boxes for {names}", "i want the boxes around {names}",
        "find the boxes of {names}", "look for {names} and detect", "give the positions of {names}", "detect {names}",
        "find {names}", "locate {names}", "detect {names} in the picture", "boxes of {names}",
        "where are {names}? detect", "which boxes have {names}?", "give me the boxes of {names}",
    ),
    "zh": (
        "{names}的方框在哪里？", "请问{names}的方框是什么？", "给我{names}的方框位置", "找{names}", "检测一下{names}",
        "{names}在哪里，检测", "标出{names}的位置", "检测{names}", "定位{names}", "找出{names}", "检测图里的{names}",
        "找到{names}", "给出{names}的位置", "把{names}找出来",
    ),
}  # fmt: skip
EVERYTHING: Forms = {
    "en": (
        "everything", "all objects", "all things",
    ),
    "zh": (
        "全部", "所有物体", "全部物体",
    ),
}  # fmt: skip
SEGMENT: Forms = {
    "en": (
        "i want the segments", "make a segmentation", "give me the segmentation map", "a segmentation of the picture",
        "show it as segments", "segmentation map", "segment the picture", "draw the segmentation",
        "show the segments", "segment this image", "segment it", "draw the segmentation map",
        "i want a segmentation of it", "show me the segmentation of this image",
    ),
    "zh": (
        "我要分割图", "做一张分割图", "给我分割图", "分割一下", "分割图片", "画出分割图", "分割这张图", "把图片分割",
        "显示分割图", "请分割这张图片", "请画出图片的分割图",
    ),
}  # fmt: skip
EDGES: Forms = {
    "en": (
        "i want the edges", "give me the edge map", "make an edge map", "show the edge map",
        "an edge map of the picture", "draw the edges", "show the edges", "draw the edge map", "find the edges",
        "edge map", "detect the edges", "i want to see the edges", "show me the edges of this image",
    ),
    "zh": (
        "我要边缘图", "给我边缘图", "做一张边缘图", "看边缘", "画出边缘", "显示边缘", "画边缘图", "提取边缘",
        "边缘图", "我想看边缘", "请提取图片的边缘",
    ),
}  # fmt: skip
BOXES: Forms = {
    "en": (
        "i want boxes", "give me boxes", "put boxes around the objects", "show where the objects are with boxes",
        "boxes around everything", "draw boxes", "draw boxes around the objects", "draw the boxes",
        "show bounding boxes", "show the boxes", "draw the bounding boxes", "please draw boxes around everything",
        "show me boxes around the objects",
    ),
    "zh": (
        "我要方框", "给我方框", "显示所有方框", "看方框", "画出方框", "画出所有方框", "用方框标出物体", "显示方框",
        "画方框", "我想看方框", "请用方框标出所有物体",
    ),
}  # fmt: skip
COMPARE: Forms = {
    "en": (
        "what is not the same?", "how do the pictures differ?", "find the difference", "what differs?",
        "is there a difference?", "what has changed between the two?", "name the difference", "say what changed",
        "compare the two pictures", "what is different?", "what changed between the pictures?",
        "what is the difference?", "compare the pictures", "what has changed?", "tell me the difference",
        "what is different between the two pictures?", "please compare these two pictures",
    ),
    "zh": (
        "两张图哪里不同？", "找出不同", "变化是什么？", "哪里变了？", "说说有什么不同", "两张图的区别是什么？",
        "比较两张图", "两张图有什么不同？", "有什么变化？", "比较这两张图片", "有什么不同？", "什么变了？",
        "这两张图有什么不同？", "请比较两张图片",
    ),
}  # fmt: skip
FETCH: Forms = {
    "en": (
        "{name} of the {source} picture should be in the {into}",
        "i would like {name} of the {source} picture in the {into}",
        "let {name} of the {source} picture stand in the {into}",
        "bring {name} from the {source} picture to the {into} picture",
        "use {name} of the {source} picture in the {into} picture",
        "put {name} of the {source} picture into the {into}", "take {name} from the {source} picture into the {into}",
        "add {name} of the {source} picture to the {into} picture",
        "copy {name} of the {source} picture into the {into} picture",
        "move {name} from the {source} to the {into} picture", "{name} of the {source} into the {into} picture",
        "i want {name} of the {source} picture in the {into} picture",
        "please put {name} from the {source} picture into the {into} picture",
    ),
    "zh": (
        "我要把{source}的{name}放到{into}", "让{source}的{name}出现在{into}", "把{name}从{source}移到{into}",
        "{into}里要有{source}的{name}", "把{source}的{name}放到{into}", "把{source}里的{name}加到{into}里",
        "将{source}的{name}放进{into}", "把{source}的{name}画到{into}里", "{source}的{name}放到{into}",
        "我想把{source}的{name}放到{into}里", "请将{source}里的{name}加到{into}",
    ),
}  # fmt: skip

# What people wrap a request in; changes nothing.
BEFORE: Forms = {
    "en": (
        "please", "can you", "could you", "now", "i want you to", "and now", "next,", "ok,", "then", "would you",
        "let us", "hey,", "you must", "help me to",
    ),
    "zh": (
        "请", "帮我", "麻烦", "能不能", "现在", "然后", "接着", "好，", "可以", "给我", "快", "你来",
    ),
}  # fmt: skip
AFTER: Forms = {
    "en": (
        "please", "now", "thanks", "for me", "in this picture", "in the image", "if you can", "today",
    ),
    "zh": (
        "吧", "谢谢", "好吗", "可以吗", "，谢谢", "一下",
    ),
}  # fmt: skip
JOINTS: Forms = {
    "en": (
        " and ", ", ", ", then ", ", and ", " and then ", "; ", " and also ", ". then ",
    ),
    "zh": (
        "，", "，然后", "，再", "，并且", "，同时", "；", "，接着", "，还要",
    ),
}  # fmt: skip

# Every table whose words say what to do or what is asked.
REQUESTS: tuple[Forms, ...] = (
    RECOLOUR, ADD, REMOVE, HAT_OFF, HAT_COLOUR, HAT_ON, MOVE, PLACE, TIME, PLACE_AND_TIME, WEATHER, STYLE,
    SIGN_OFF, SIGN_WORD, SIGN_ON, DESCRIBE, COUNT, WHERE, THERE, COLOUR, YES_NO, SIGN_READ, PLACE_ASKED,
    TIME_ASKED, WEATHER_ASKED, STYLE_ASKED, DETECT, EVERYTHING, SEGMENT, EDGES, BOXES, COMPARE, FETCH,
)  # fmt: skip
