"""Sentence forms kept for judging: training never uses them."""

from __future__ import annotations

Forms = dict[str, tuple[str, ...]]  # language -> forms with gaps

RECOLOUR: Forms = {
    "en": (
        "would it be possible to see {name} in {word}?",
        "{name} could use some {word} paint",
        "instead of its present colour, {name} should get {word}",
        "my son says {name} has to be {word}",
        "try {word} on {name}",
    ),
    "zh": (
        "{name}改用{word}好了",
        "麻烦你把{name}弄成{word}的样子",
        "我觉得{name}用{word}会更好看",
        "{name}的颜色能不能变为{word}？",
        "请重新上色：{name}用{word}",
    ),
}
ADD: Forms = {
    "en": (
        "one more thing: {thing} {where}",
        "would you mind adding {thing} {where}?",
        "next to what is there already, i want {thing} {where}",
        "we are still missing {thing} {where}",
        "make room for {thing} {where}",
    ),
    "zh": (
        "{in_where}多放{thing}吧",
        "如果{in_where}能有{thing}就更好了",
        "请你{in_where}添一下{thing}",
        "{in_where}还缺{thing}，补上吧",
        "{in_where}请给我再安排{thing}",
    ),
}
REMOVE: Forms = {
    "en": (
        "would you mind taking {name} out of the scene?",
        "{name} does not belong here, please remove it",
        "i have seen enough of {name}, delete it",
        "wipe {name} off the picture",
        "the same picture, just without {name}",
    ),
    "zh": (
        "请你把{name}从画面中抹掉",
        "{name}不应该在这里，删掉它",
        "麻烦让{name}离开这张图",
        "同样的图，但是没有{name}",
        "把{name}清除掉吧",
    ),
}
HAT_OFF: Forms = {
    "en": (
        "would you take the hat away from {name}?",
        "{name} looks better with no hat",
        "pull the hat off the head of {name}",
        "from now on {name} goes without a hat",
        "please get the hat of {name} out of the picture",
    ),
    "zh": (
        "{name}不戴帽子更好看",
        "请帮{name}把帽子取下来",
        "从现在起{name}不戴帽子",
        "我要看没有帽子的{name}",
        "把{name}戴的帽子拿走",
    ),
}
HAT_COLOUR: Forms = {
    "en": (
        "would you mind painting the hat of {name} {word}?",
        "{name} should keep its hat, but in {word}",
        "let the hat that {name} has on become {word}",
        "as for the hat of {name}, i prefer it {word}",
        "a new colour for the hat of {name}: {word}",
    ),
    "zh": (
        "{name}头上的帽子改涂{word}",
        "请让{name}的帽子成为{word}",
        "{name}的帽子用{word}会更好看",
        "能不能把{name}的帽子染成{word}？",
        "{name}的帽子换个颜色：{word}",
    ),
}
HAT_ON: Forms = {
    "en": (
        "would you put {a_word} hat on the head of {name}?",
        "{name} looks cold, give it {a_word} hat",
        "what {name} lacks is {a_word} hat",
        "for {name} i would pick {a_word} hat to wear",
        "get {name} {a_word} hat to wear",
    ),
    "zh": (
        "请安排一顶{word}帽子给{name}戴",
        "{name}头上请加一顶{word}的帽子",
        "请帮{name}戴好{word}的帽子",
        "{name}少了一顶{word}帽子，加上",
        "送给{name}一顶{word}帽子戴",
    ),
}
MOVE: Forms = {
    "en": (
        "would you mind moving {name} over to the {where}?",
        "{name} is in the wrong place, it belongs {spot}",
        "let us have {name} {spot} from now on",
        "take {name} and set it down {spot}",
        "the {where} is a better place for {name}",
    ),
    "zh": (
        "{name}挪到{where}去吧",
        "请给{name}换个位置：{where}",
        "{name}站到{where}更好",
        "把{name}安排在{where}",
        "能不能让{name}换到{where}？",
    ),
}
PLACE: Forms = {
    "en": (
        "would you mind setting this {spot}?",
        "let us go to {a_noun} instead",
        "i would love to see the same thing {spot}",
        "give the picture {a_noun} for a background",
        "everything stays, only the place changes: {a_noun}",
    ),
    "zh": (
        "请把地点改到{noun}",
        "其他不变，背景变成{noun}",
        "让我们去{noun}吧",
        "我更喜欢{noun}做背景",
        "能不能以{noun}为背景？",
    ),
}
TIME: Forms = {
    "en": (
        "would you mind making it {word}?",
        "everything stays, only the time changes: {word}",
        "what would this look like {spot}?",
        "let us see the picture {spot}",
        "please have it happen {spot}",
    ),
    "zh": (
        "让时间来到{word}",
        "其他不变，时间变成{word}",
        "我更喜欢{word}的样子",
        "能不能改为{word}？",
        "让画面进入{word}",
    ),
}
PLACE_AND_TIME: Forms = {
    "en": (
        "would you mind setting this {spot} {time}?",
        "let us go to {a_noun} {time}",
        "everything stays, but it is {spot} {time} now",
        "i would love to see the same thing {spot} {time}",
        "give the picture {a_noun} {time} for a background",
    ),
    "zh": (
        "其他不变，背景变成{time}的{noun}",
        "让我们去{time}的{noun}吧",
        "我更喜欢{time}的{noun}",
        "能不能以{time}的{noun}为背景？",
        "请把地点改到{time}的{noun}",
    ),
}
WEATHER: Forms = {
    "en": (
        "everything stays, only the weather changes: {word}",
        "the weather report says {word}, so change it",
        "would you mind changing the weather, to {word}?",
        "for today's weather take {word}",
        "please update the weather to {word}",
    ),
    "zh": (
        "其他不变，天气变成{word}",
        "天气预报说{word}，请改一下",
        "我更喜欢{word}的天气",
        "能不能把天气变为{word}？",
        "请让天空{word}",
    ),
}
STYLE: Forms = {
    "en": (
        "would you mind redrawing this in {word}?",
        "everything stays, only the style changes: {word}",
        "what would this look like in {word}?",
        "give the whole picture the look of {word}",
        "let us try {word} for this picture",
    ),
    "zh": (
        "其他不变，风格变成{word}",
        "我更喜欢{word}",
        "请以{word}的方式重新画",
        "请让整个画面呈现{word}",
        "能不能画成{word}的？",
    ),
}
SIGN_OFF: Forms = {
    "en": (
        "would you mind taking the sign down?",
        "the sign does not belong here, remove it",
        "everything stays, only the sign goes",
        "wipe the sign off the picture",
        "the same picture, just without the sign",
    ),
    "zh": (
        "请你把牌子抹掉",
        "牌子不应该在这里，删掉它",
        "其他不变，只去掉牌子",
        "同样的图，但是没有牌子",
        "把那块牌子清除掉吧",
    ),
}
SIGN_WORD: Forms = {
    "en": (
        'would you mind changing the sign so that it reads "{word}"?',
        'the sign is wrong, it has to say "{word}"',
        'swap what the sign says for "{word}"',
        'everything stays, only the sign says "{word}" now',
        'let "{word}" be what is written on the sign',
    ),
    "zh": (
        '牌子上现在的字不对，请写成"{word}"',
        '请更换牌子上的文字："{word}"',
        '其他不变，牌子改写"{word}"',
        '牌子上面请写"{word}"',
        '能不能让牌子上写着"{word}"？',
    ),
}
SIGN_ON: Forms = {
    "en": (
        'would you mind adding a sign with "{word}" on it?',
        'a sign would be great, it should read "{word}"',
        'we need a sign here: "{word}"',
        'please set up a sign and write "{word}" on it',
        'i would love to see a sign saying "{word}"',
    ),
    "zh": (
        '请在上面挂一块牌子，写着"{word}"',
        '我们需要一块牌子："{word}"',
        '能不能多一块写着"{word}"的牌子？',
        '麻烦添一块牌子，内容是"{word}"',
        '竖起一块牌子，上面是"{word}"',
    ),
}
DESCRIBE: Forms = {
    "en": (
        "would you mind telling me what this picture shows?",
        "fill me in on what the picture has in it",
        "please sum up everything in the picture",
        "i need one sentence about this scene",
        "look at the picture and describe it to a friend",
    ),
    "zh": (
        "我眼睛不好，图上有什么？",
        "请把这幅图说给朋友听",
        "给我讲一下这张图的内容",
        "这一幕都有什么？",
        "请为图片写一句介绍",
    ),
}
COUNT: Forms = {
    "en": (
        "would you count all {noun} in this picture?",
        "i would love to know the number of {noun}",
        "{noun}, how many of them are in the scene?",
        "give me a count of the {noun}",
        "are there any {noun}, and how many?",
    ),
    "zh": (
        "请告诉我{noun}的数目",
        "这幅画里有几{measure}{noun}？",
        "请帮我把{noun}数清楚，有多少？",
        "帮忙算一下有几{measure}{noun}",
        "这张图能数到几{measure}{noun}？",
    ),
}
WHERE: Forms = {
    "en": (
        "would you tell me the place of the {noun}?",
        "i am looking for the {noun}, where does it stand?",
        "on which side do you see the {noun}?",
        "please point out where the {noun} is",
        "whereabouts is the {noun}?",
    ),
    "zh": (
        "我在找{noun}，它站在哪里？",
        "能不能指给我看{noun}在哪里？",
        "{noun}在这幅画的哪一边？",
        "你能看出{noun}在哪儿吗？",
        "{noun}位于图中什么地方？",
    ),
}
THERE: Forms = {
    "en": (
        "would you tell me which thing stands {spot}?",
        "i am looking {spot}, what is it?",
        "please say what there is {spot}",
        "the object {spot}, what is it?",
        "do you know what we see {spot}?",
    ),
    "zh": (
        "请说说{spot}站着什么",
        "我在看{spot}，那是什么？",
        "位于{spot}的是哪样东西？",
        "你知道{spot}是什么吗？",
        "画面{spot}有什么东西？",
    ),
}
COLOUR: Forms = {
    "en": (
        "would you tell me which colour the {noun} is?",
        "i would love to know the colour of the {noun}",
        "please say what colour the {noun} has been given",
        "look at the {noun}, what colour do you see?",
        "what is the {noun} painted in, which colour?",
    ),
    "zh": (
        "请看看{noun}是什么颜色",
        "{noun}被画成了什么颜色？",
        "{noun}用的是哪种颜色？",
        "你知道{noun}的颜色吗？",
        "看一下{noun}，颜色是什么？",
    ),
}
YES_NO: Forms = {
    "en": (
        "would you check whether there is {name}?",
        "i am looking for {name}, is it in the picture?",
        "please say yes or no: is there {name}?",
        "does one see {name} anywhere in this scene?",
        "do you notice {name} in the picture?",
    ),
    "zh": (
        "请回答有还是没有：{name}",
        "我在找{name}，图里有吗？",
        "这幅画中有没有{name}？",
        "你有没有看见{name}？",
        "画面当中有{name}吗？",
    ),
}
SIGN_READ: Forms = {
    "en": (
        "would you read out what the sign says?",
        "i cannot read the sign, what is written there?",
        "spell out for me what stands on the sign",
        "do you know what is on the sign?",
        "the sign, what does it tell us?",
    ),
    "zh": (
        "牌子上那几个字念什么？",
        "我看不清牌子写了什么",
        "牌子上的内容是什么？",
        "你能看清牌子上写着什么吗？",
        "那块牌子写的是什么？",
    ),
}
PLACE_ASKED: Forms = {
    "en": (
        "would you tell me which place this is?",
        "do you know where we are here?",
        "please say what the background shows",
        "look at the background, which place is it?",
        "i would love to know the place",
    ),
    "zh": (
        "请看看这是什么地方",
        "你知道我们在哪里吗？",
        "看一下背景，是什么地方？",
        "这幅画的背景是什么？",
        "画中的地点是哪里？",
    ),
}
TIME_ASKED: Forms = {
    "en": (
        "would you tell me the time of day here?",
        "do you know what time of day it is?",
        "look at the sky, which time of day is it?",
        "please say what time of day is shown",
        "i would love to know the time of day",
    ),
    "zh": (
        "请看看这是什么时间",
        "你知道现在是什么时候吗？",
        "看一下天空，是什么时间？",
        "这幅画的时间是什么时候？",
        "画中的时间是什么？",
    ),
}
WEATHER_ASKED: Forms = {
    "en": (
        "would you tell me how the weather is here?",
        "do you know what the weather is like?",
        "looking at the sky, what weather do we have?",
        "please say what weather is shown",
        "i would love to know the weather",
    ),
    "zh": (
        "请看看天气怎么样",
        "你知道图里的天气吗？",
        "看一下天空，天气怎么样？",
        "这幅画的天气如何？",
        "画中的天气是什么？",
    ),
}
STYLE_ASKED: Forms = {
    "en": (
        "would you tell me which style this is?",
        "do you know in what style it was drawn?",
        "look at the lines, which drawing style is it?",
        "please say what style is used",
        "i would love to know the drawing style",
    ),
    "zh": (
        "请看看这是什么风格",
        "你知道这张图的风格吗？",
        "看一下线条，是什么风格？",
        "这幅画用的是什么风格？",
        "这幅作品是哪种风格？",
    ),
}
DETECT: Forms = {
    "en": (
        "would you locate {names} and give me the boxes?",
        "i am looking for {names}, tell me the boxes",
        "please return a box for each of these: {names}",
        "run a detector for {names}",
        "the boxes around {names}, as numbers",
    ),
    "zh": (
        "我在找{names}，请给方框",
        "请定位{names}并给出方框",
        "{names}的框在什么位置？检测一下",
        "请给每个都标方框：{names}",
        "用检测找到{names}",
    ),
}
SEGMENT: Forms = {
    "en": (
        "would you segment this picture for me?",
        "i have to have this picture segmented",
        "i would love to see the segments of the picture",
        "show every segment of the scene in its own colour",
        "let me look at a segmentation of all this",
    ),
    "zh": (
        "请把这张图分割给我看",
        "请把图变成分割图",
        "我更想看分割的结果",
        "分割图是什么样的？",
        "我需要这张图的分割结果",
    ),
}
EDGES: Forms = {
    "en": (
        "would you draw the edges of this picture for me?",
        "all i need of this picture are its edges",
        "i would love to see only the edges",
        "let me look at the edges of all this",
        "trace the edges of everything in the scene",
    ),
    "zh": (
        "请把这张图的边缘画给我看",
        "请把图变成边缘图",
        "我更想看边缘的结果",
        "边缘图是什么样的？",
        "麻烦把所有边缘描出来",
    ),
}
BOXES: Forms = {
    "en": (
        "would you draw boxes around all objects for me?",
        "please put every object into a box and draw it",
        "i would love to see boxes around the objects",
        "draw a bounding box around each thing",
        "what does it look like with boxes around everything?",
    ),
    "zh": (
        "请给我画出所有物体的方框",
        "请把每个物体都画上方框",
        "我更想看画出来的方框",
        "所有东西都用方框画出来",
        "我需要画有方框的图",
    ),
}
COMPARE: Forms = {
    "en": (
        "would you compare the two pictures for me?",
        "please look at both pictures and say what differs",
        "i would love to know the difference between the two",
        "which thing is different in the second picture?",
        "do you notice what has changed?",
    ),
    "zh": (
        "这两张图你比较一下，差在哪儿？",
        "看一下两张图，哪里不一样？",
        "你发现什么变了吗？",
        "两张图之间差别是什么？",
        "第二张图和第一张图有什么不一样？",
    ),
}
FETCH: Forms = {
    "en": (
        "would you take {name} out of the {source} picture and put it into the {into} one?",
        "i would love to see {name} of the {source} picture in the {into} picture",
        "the {into} picture should get {name} of the {source} picture",
        "please carry {name} over from the {source} picture to the {into} picture",
        "paste {name} of the {source} picture into the {into} picture",
    ),
    "zh": (
        "请把{source}的{name}搬进{into}",
        "我更想在{into}里看到{source}的{name}",
        "{into}应该得到{source}的{name}",
        "能不能把{source}里的{name}贴到{into}？",
        "请安排{source}里的{name}到{into}中去",
    ),
}
PROMPT: Forms = {
    "en": (
        "would you mind painting {things} {place}[, {rest}]?",
        "today i would love to see {things} {place}[, {rest}]",
        "here is my wish[, {rest}]: {things} {place}",
        "we find ourselves {place}[, {rest}], where there is {things}",
        "please come up with a picture of {things}, {place}[, {rest}]",
        "{things}, that should be it, {place}[, {rest}]",
        "a nice little picture {place}[, {rest}], with {things} in it",
        "show us how {things} {place} would look[, {rest}]",
    ),
    "zh": (
        "麻烦你画一下：{things}，{place}[，{rest}]",
        "今天我想看{place}[，{rest}]，{things}",
        "这是我的愿望：{things}，{place}[，{rest}]",
        "我们来到了{place}[，{rest}]，{things}",
        "请构思一张图，{things}，{place}[，{rest}]",
        "一张好看的小图，{place}[，{rest}]，{things}",
        "画面上应该是{things}，{place}[，{rest}]",
        "给我展示一下{place}[，{rest}]，{things}",
    ),
}
