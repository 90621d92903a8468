"""Sentence forms that are kept for judging how free sentences are understood; nothing is ever trained on them."""

from __future__ import annotations

Forms = dict[str, tuple[str, ...]]

# Changes of one object.

RECOLOUR: Forms = {
    "en": (
        "could you paint {name} {word}?",
        "i would like {name} to be {word}",
        "please switch the colour of {name} to {word}",
        "repaint {name} in {word}",
        "{name} should have a different color: {word}",
    ),
    "zh": (
        "能把{name}涂成{word}吗？",
        "我希望{name}是{word}的",
        "{name}的颜色改为{word}吧",
        "麻烦给{name}换个颜色，换成{word}",
        "我想看到{name}变为{word}的样子",
    ),
}

ADD: Forms = {
    "en": (
        "i would also like to see {thing} {where}",
        "{where}, there should also be {thing}",
        "please draw in {thing} as well, {where}",
        "the picture still needs {thing} {where}",
        "let's include {thing} too, {where}",
    ),
    "zh": (
        "请{in_where}再放上{thing}",
        "我还想{in_where}看到{thing}",
        "能不能{in_where}补上{thing}？",
        "{in_where}最好还有{thing}",
        "麻烦{in_where}画上{thing}，其他的都不变",
    ),
}

REMOVE: Forms = {
    "en": (
        "i don't want {name} in the picture anymore",
        "can you get rid of {name}?",
        "please make {name} disappear",
        "the picture would look better without {name}",
        "leave {name} out of the image",
    ),
    "zh": (
        "我不想要{name}了",
        "可以把{name}擦掉吗？",
        "请让{name}消失",
        "画面里不要有{name}",
        "{name}是多余的，请拿走",
    ),
}

HAT_OFF: Forms = {
    "en": (
        "{name} should not wear a hat",
        "could you remove the hat from {name}?",
        "i want to see {name} without a hat",
        "get rid of the hat that {name} is wearing",
        "no more hat for {name}, please",
    ),
    "zh": (
        "请把{name}头上的帽子去掉",
        "{name}不要戴帽子了",
        "能让{name}摘下帽子吗？",
        "我不想看到{name}戴着帽子",
        "麻烦帮{name}把帽子脱掉",
    ),
}

HAT_COLOUR: Forms = {
    "en": (
        "the hat of {name} should be {word}",
        "could you make the hat on {name} {word}?",
        "swap the hat of {name} for {a_word} one",
        "please paint the hat that {name} is wearing {word}",
        "i want {name} to wear {a_word} hat instead of the current one",
    ),
    "zh": (
        "{name}的帽子应该是{word}的",
        "请给{name}的帽子换个颜色，改成{word}",
        "能把{name}头上的帽子变成{word}吗？",
        "我想要{name}戴的那顶帽子变为{word}",
        "帮{name}把现在的帽子换成{word}的",
    ),
}

HAT_ON: Forms = {
    "en": (
        "{name} needs {a_word} hat",
        "let {name} wear {a_word} hat",
        "could {name} have {a_word} hat on?",
        "i would like {name} to get {a_word} hat",
        "please place {a_word} hat on the head of {name}",
    ),
    "zh": (
        "让{name}戴一顶{word}的帽子",
        "{name}需要一顶{word}的帽子",
        "能给{name}戴个{word}的帽子吗？",
        "请在{name}头上放一顶{word}的帽子",
        "我想看{name}戴上{word}的帽子",
    ),
}

MOVE: Forms = {
    "en": (
        "could you shift {name} to the {where}?",
        "{name} should be {spot} instead",
        "please bring {name} to the {where}",
        "i would rather have {name} {spot}",
        "change the position of {name} to the {where}",
    ),
    "zh": (
        "能把{name}挪到{where}吗？",
        "{name}应该在{spot}",
        "请让{name}到{where}去",
        "我想把{name}摆在{spot}",
        "{name}的位置换到{where}吧",
    ),
}

# Changes of the whole picture.

PLACE: Forms = {
    "en": (
        "i'd like the background to be {a_noun}",
        "could the whole scene take place {spot} instead?",
        "swap the background for {a_noun}",
        "please use the {noun} as the new background",
        "let all of this happen {spot}",
    ),
    "zh": (
        "背景请用{noun}",
        "我想让这一切发生在{noun}",
        "能把整个场景搬到{noun}吗？",
        "画面的地点应该是{noun}",
        "将背景替换为{noun}",
    ),
}

TIME: Forms = {
    "en": (
        "could this scene be {spot}?",
        "the time of day should be {word}",
        "i would rather see this picture {spot}",
        "please switch the time of day to {word}",
        "now show the same scene {spot}",
    ),
    "zh": (
        "时间请换成{word}",
        "我想看到{word}时的景色",
        "能让画面里的时间变成{word}吗？",
        "这幅画的时间应该是{word}",
        "将时段改为{word}",
    ),
}

PLACE_AND_TIME: Forms = {
    "en": (
        "move the whole scene to {a_noun} {time}",
        "i want all of this to be {spot} {time}",
        "could the background be {a_noun} {time}?",
        "please show the same things {spot} {time}",
        "let the scene take place {spot} {time} instead",
    ),
    "zh": (
        "背景请换为{time}的{noun}",
        "我想让整个场景变成{time}的{noun}",
        "能把地点改成{noun}、时间改成{time}吗？",
        "画面的场景应该是{time}的{noun}",
        "请让这一切发生在{noun}，时间是{time}",
    ),
}

WEATHER: Forms = {
    "en": (
        "the weather in the picture should be {word}",
        "could you switch the weather to {word}?",
        "i would like different weather: {word}",
        "for the weather, please use {word}",
        "let the weather be {word} instead",
    ),
    "zh": (
        "天气请改为{word}",
        "我希望天气是{word}",
        "能不能让天气变成{word}？",
        "画里的天气应该是{word}",
        "把天气调成{word}吧",
    ),
}

STYLE: Forms = {
    "en": (
        "could you redo this picture in {word} style?",
        "i'd like everything to be drawn in the {word} style",
        "please switch the drawing style to {word}",
        "the style of this picture should be {word} instead",
        "use {word} as the drawing style",
    ),
    "zh": (
        "请用{word}重画这幅画",
        "我想要{word}的画风",
        "能不能改用{word}来画？",
        "画风请换成{word}",
        "整张图的画风应该是{word}",
    ),
}

# The sign.

SIGN_OFF: Forms = {
    "en": (
        "i don't need the sign anymore",
        "could you get rid of the sign?",
        "please make the sign disappear",
        "there should be no sign in the picture",
        "leave the sign out of the image",
    ),
    "zh": (
        "我不想再看到那块牌子",
        "能让牌子消失吗？",
        "画面里不要有牌子",
        "麻烦把牌子拿走",
        "牌子是多余的，请擦掉",
    ),
}

SIGN_WORD: Forms = {
    "en": (
        'the sign should read "{word}" instead',
        'could you rewrite the sign so that it says "{word}"?',
        'please replace the word on the sign with "{word}"',
        'i want a different word on the sign: "{word}"',
        'swap the text of the sign for "{word}"',
    ),
    "zh": (
        '请将牌子上的字换为"{word}"',
        '能把牌子上的文字改写成"{word}"吗？',
        '我想让牌子上的字变成"{word}"',
        '牌子上原来的字不要了，改写"{word}"',
        '牌子上的内容请更新为"{word}"',
    ),
}

SIGN_ON: Forms = {
    "en": (
        'could you put up a sign that says "{word}"?',
        'i would like to have a sign reading "{word}"',
        'there should also be a sign with the word "{word}"',
        'please place a sign in the picture, with "{word}" written on it',
        'the scene still needs a sign that reads "{word}"',
    ),
    "zh": (
        '请立一块写着"{word}"的牌子',
        '我还想要一块牌子，上面写"{word}"',
        '能放一块牌子，写上"{word}"吗？',
        '画面里还缺一块牌子，上面要写"{word}"',
        '麻烦竖一块带有"{word}"字样的牌子',
    ),
}

# Questions about one picture.

DESCRIBE: Forms = {
    "en": (
        "please tell me everything that is shown in this picture",
        "can you summarise this image in a sentence?",
        "i need a caption for this picture",
        "how would you describe this image in words?",
        "give me a short description of the whole scene",
    ),
    "zh": (
        "这幅画都画了些什么？",
        "请用一句话概括这张图",
        "能给这张图写一段说明吗？",
        "我想知道画面里的全部内容",
        "用文字讲讲这幅图",
    ),
}

COUNT: Forms = {
    "en": (
        "how many {noun} can you see?",
        "could you count the {noun} for me?",
        "what is the number of {noun} in this picture?",
        "i want to know how many {noun} there are here",
        "please tell me the total number of {noun}",
    ),
    "zh": (
        "这里一共有几{measure}{noun}？",
        "请数一数{noun}",
        "画面中{noun}的数量是多少？",
        "我想知道有多少{measure}{noun}",
        "帮我数数图里的{noun}有几{measure}",
    ),
}

WHERE: Forms = {
    "en": (
        "in which part of the picture is the {noun}?",
        "i can't find the {noun}, where is it?",
        "please tell me the position of the {noun}",
        "where in the image do you see the {noun}?",
        "could you tell me where to look for the {noun}?",
    ),
    "zh": (
        "{noun}的位置在哪儿？",
        "我找不到{noun}，它在哪？",
        "请告诉我{noun}在图里的哪个位置",
        "能说说{noun}处于画面的什么地方吗？",
        "在图中的什么位置能看到{noun}？",
    ),
}

THERE: Forms = {
    "en": (
        "which object can you see {spot}?",
        "please tell me what has been drawn {spot}",
        "can you name the thing {spot}?",
        "i'd like to know what is {spot} of the picture",
        "what kind of object is the one {spot}?",
    ),
    "zh": (
        "你在{spot}看到了什么？",
        "请说出{spot}是哪种物体",
        "能告诉我{spot}画的是什么吗？",
        "我想知道{spot}的东西是什么",
        "{spot}的那个物体叫什么？",
    ),
}

COLOUR: Forms = {
    "en": (
        "which colour does the {noun} have?",
        "can you tell me the color of the {noun}?",
        "i'd like to know what colour the {noun} is",
        "please name the color of the {noun}",
        "in which color is the {noun} painted?",
    ),
    "zh": (
        "{noun}的颜色是哪一种？",
        "请说出{noun}的颜色",
        "能告诉我{noun}是什么色的吗？",
        "我想知道{noun}是哪种颜色",
        "图中{noun}涂的是什么颜色？",
    ),
}

YES_NO: Forms = {
    "en": (
        "can you see {name} in this picture?",
        "does this image contain {name}?",
        "i want to know whether there is {name} here",
        "please tell me if {name} appears in the picture, yes or no",
        "has {name} been drawn here?",
    ),
    "zh": (
        "画面里能看到{name}吗？",
        "请判断图中是否出现了{name}",
        "这张图包含{name}吗？",
        "我想知道画里有没有{name}",
        "{name}在这幅画里出现了吗？",
    ),
}

SIGN_READ: Forms = {
    "en": (
        "which word can you read on the sign?",
        "please read the sign to me",
        "i can't make out the sign, what does it say?",
        "can you tell me what word the sign shows?",
        "what text is on the sign?",
    ),
    "zh": (
        "请念一下牌子上的字",
        "牌子上是哪个词？",
        "能读出牌子上的内容吗？",
        "我看不清牌子，上面写的是什么？",
        "牌子上面的文字是什么？",
    ),
}

PLACE_ASKED: Forms = {
    "en": (
        "which place is shown in the background?",
        "what kind of place is this?",
        "can you tell me what the background is?",
        "please name the place where this scene is set",
        "is this a meadow, a city, a beach or a snowy landscape?",
    ),
    "zh": (
        "背景里是什么地方？",
        "请说出这幅画的地点",
        "能告诉我背景画的是哪种环境吗？",
        "我想知道这一幕发生在什么地方",
        "这是草地、城市、海滩还是雪地？",
    ),
}

TIME_ASKED: Forms = {
    "en": (
        "at which time of day does this scene take place?",
        "is it day, sunset or night in this picture?",
        "please tell me what time of day it is here",
        "i'd like to know the time of day in this image",
        "which part of the day is shown here?",
    ),
    "zh": (
        "图里是一天中的什么时段？",
        "画面里是白天、日落还是夜晚？",
        "请说出这幅画的时间",
        "能看出这是一天里的什么时候吗？",
        "我想知道图中是哪个时间段",
    ),
}

WEATHER_ASKED: Forms = {
    "en": (
        "how is the weather in this picture?",
        "can you tell me what weather is shown here?",
        "which kind of weather do you see?",
        "please name the weather in this scene",
        "is it clear, cloudy, raining or snowing here?",
    ),
    "zh": (
        "这幅图里天气怎么样？",
        "请说出画面中的天气",
        "能告诉我图里是哪种天气吗？",
        "我想知道这里的天气如何",
        "画里是晴天、多云、下雨还是下雪？",
    ),
}

STYLE_ASKED: Forms = {
    "en": (
        "in which style is this picture drawn?",
        "can you tell me the drawing style?",
        "i'd like to know what art style this is",
        "please name the style of this image",
        "is this drawn in flat, line art or retro style?",
    ),
    "zh": (
        "这张图是用哪种画风画的？",
        "请说出这幅画的风格",
        "能告诉我画风吗？",
        "我想知道它用了什么绘画风格",
        "这是扁平风格、线描还是复古风格？",
    ),
}

# Seeing tasks: lists of boxes, and pictures of segments, edges and boxes.

DETECT: Forms = {
    "en": (
        "i need the box coordinates of {names}",
        "could you list the bounding boxes for {names}?",
        "please detect {names} and report the positions",
        "run object detection on this image for {names}",
        "locate the following and give me the coordinates: {names}",
    ),
    "zh": (
        "我需要{names}的方框坐标",
        "能列出{names}的检测框吗？",
        "请检测出{names}，并给出坐标",
        "帮我定位图中的{names}，列出位置",
        "用方框坐标说明{names}的位置",
    ),
}

SEGMENT: Forms = {
    "en": (
        "i need the segmentation map of this picture",
        "could you segment this image for me?",
        "please produce a segmentation mask of the scene",
        "show this picture divided into coloured segments",
        "i want an image in which each segment gets its own color",
    ),
    "zh": (
        "我需要这张图的语义分割图",
        "能对画面做图像分割吗？",
        "请将画面按物体分割成色块",
        "想看看这幅画的分割结果图",
        "输出这张图片的分割掩码",
    ),
}

EDGES: Forms = {
    "en": (
        "i need the edge map of this image",
        "could you extract the edges from this picture?",
        "please produce an edge image of the scene",
        "show me only the edges of everything in this picture",
        "apply an edge filter to this image",
    ),
    "zh": (
        "我需要这张图的边缘图",
        "能提取出画面的边缘吗？",
        "请将图像的边缘单独画出来",
        "想看看这幅画只剩边缘的样子",
        "对这张图片做边缘提取",
    ),
}

BOXES: Forms = {
    "en": (
        "could you draw a box around each object?",
        "i want to see every object in the picture framed by a box",
        "show the image with boxes drawn around all the things in it",
        "please mark all the objects by drawing boxes on the picture",
        "put a drawn box around everything in this image",
    ),
    "zh": (
        "请在图上把每个物体都用框圈出来",
        "我想看到所有物体都画上方框的图",
        "能在画面里给每样东西画个框吗？",
        "将全部物体用方框标在图上",
        "输出一张图，每个物体外面都画着框",
    ),
}

# Requests about two pictures.

COMPARE: Forms = {
    "en": (
        "how do these two pictures differ?",
        "what has changed from the first image to the second?",
        "please list the differences between both pictures",
        "can you spot what is different in these two images?",
        "tell me what is not the same in the two pictures",
    ),
    "zh": (
        "这两幅图差在哪里？",
        "请找出两张图的不同之处",
        "能说说第二张图和第一张图有什么区别吗？",
        "从第一张图到第二张图，哪里变了？",
        "我想知道这两张图哪里不一样",
    ),
}

FETCH: Forms = {
    "en": (
        "could you copy {name} from the {source} picture to the {into} one?",
        "i want {name} of the {source} picture to appear in the {into} picture",
        "please bring {name} over from the {source} picture to the {into} picture",
        "the {into} picture should get {name} from the {source} picture",
        "insert {name} that you see in the {source} picture into the {into} one",
    ),
    "zh": (
        "能将{source}的{name}复制到{into}吗？",
        "我想让{source}中的{name}也出现在{into}里",
        "{into}里应该加上{source}里的{name}",
        "从{source}取出{name}，放入{into}",
        "麻烦把{name}从{source}搬到{into}",
    ),
}

# Whole pictures; a part in square brackets is dropped when no setting is left for {rest}.

PROMPT: Forms = {
    "en": (
        "i would like a picture with {things} {place}[, {rest}]",
        "can you create a scene {place} with {things}[, {rest}]",
        "{place} there should be {things}[, {rest}]",
        "i need an illustration set {place}[, {rest}], showing {things}",
        "generate an illustration of {things} {place}[, {rest}]",
        "new picture[, {rest}]: {things} {place}",
        "what i have in mind is {things} {place}[, {rest}]",
        "could you paint me {things} {place}[, {rest}]",
    ),
    "zh": (
        "请生成一张图：{place}，{things}[，{rest}]",
        "我想要这样一幅画，{things}，{place}[，{rest}]",
        "场景如下：{place}[，{rest}]，{things}",
        "能不能帮我画一张图，{things}，{place}[，{rest}]",
        "做一张{place}的插画，{things}[，{rest}]",
        "来一幅新的图[，{rest}]，{place}，{things}",
        "我脑海中的画面是{place}，{things}[，{rest}]",
        "想象一下：{things}，{place}[，{rest}]",
    ),
}
