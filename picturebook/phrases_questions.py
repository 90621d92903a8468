"""How people ask about a picture, or about what differs between two. Forms as in `request.py`."""

from __future__ import annotations

from . import held_out
from .request import request

DESCRIBE = request(
    held_out.DESCRIBE,
    en="""
    [summarise|summarize|sum up|outline] [the picture|this image|the scene] [for me|in words|briefly|]
    [could|can] you put [the picture|this scene] into words?
    what would you tell somebody about [this picture|it]? / [walk|talk] me through the [picture|image|scene]
    what does one see on this [picture|image|drawing]? / [say|write] in a few words what [the picture|it] shows
    please tell me everything that is shown in this picture / can you summarise this image in a sentence?
    i need a caption for this picture / how would you describe this image in words?
    give me a short description of the whole scene
    [describe|caption|explain|summarise|summarize] [the|this] [picture|image|scene]
    what is in [the|this] [picture|image|scene|drawing]?
    what [do|can] you see[| here| there| in the picture| in this image]?
    what does [the|this] [picture|image|drawing] [show|contain|depict|tell us]? / describe [it|this]
    [describe|tell me|say|write down|list] what you see
    [tell me|say|explain] what is [here|in the picture|in this image|shown here|to be seen]
    what is [this|here|shown|drawn here]? / what [can|may] be [seen|found] [here|in it|in this picture]?
    what is to be seen? / what is [depicted|visible|pictured|going on] here?
    [write|give me|make|i want|i need] a [caption|description]
    [write|give me] a [caption|description] [of|for] [the|this] [picture|image] / a [description|caption], please
    [can|could|would] you describe [the picture|what is there|this image|it]?
    can you tell me what is [shown|here|in the picture]? / what has been [drawn|painted] here?
    what did [somebody|the painter] [draw|paint] here? / what can the picture show us? / put the picture into words
    i cannot see the picture, [describe it|what does it show]? / [i want|i would like] to know what is in the picture
    describe everything you see / in [one sentence|words]: what does it show?
    [tell me|say something] about [the|this] [picture|image] / what is [the|this] picture [of|about]?
    how would you describe [it|this picture]? / read the picture to me / [picture|image] description
    describe in words / let me know what the picture shows
    """,
    zh="""
    用[文字|语言|几句话|自己的话|一段话][描述|讲述|说明|介绍|写写|讲一下|写一下]这[张图|幅画|张图片]
    把这[张图|幅画]讲给我听
    [讲述|叙述|概括|总结|解说]这[张图|幅画|张图片][的内容|]
    [整张图|整幅画|画中|图中][有些什么|都有什么|都画了什么]？
    [请|]把图里的[内容|东西|一切][写出来|说一遍|讲一讲] / 这[张图|幅画][展示|表现|描绘]了什么？
    我想[听|看]这张图的[描述|说明]
    这幅画都画了些什么？ / 请用一句话概括这张图 / 能给这张图写一段说明吗？ / 我想知道画面里的全部内容
    用文字讲讲这幅图
    [描述|说明|介绍][这张图|图片|一下图片|一下这张图片|这幅画|画面|图里的内容] / [这张图|图|图片|画|画面]里有什么？
    [图|图片|画]上[有什么|是什么|画了什么|画着什么]？ / [说说|说一说|讲讲|讲一讲|谈谈]这[张图|幅画]
    [说说|说一说]图片里有什么 / 请[描述|说一说|介绍]这张图 / 请说一说图片里有什么 / [你|你能|能]看到[了|]什么？
    [这张图|图|这幅画]里能看到什么？ / 这[是什么图|张图画的是什么|幅画画了什么]？
    给[这张图|图片][写一句话|写个说明|写一段描述|配一句话] / 你[看见|看到]了什么？
    [能不能|可以|能]描述[一下|]这张图[吗|]？ / 告诉我[图里有什么|你看到什么|这张图的内容] / 我想知道图里有什么
    我看不到图，[说说有什么|描述一下] / 用一句话描述这张图 / [麻烦|帮我]描述一下[图片|这张图]
    这里[有什么|画了什么|能看到什么]？ / 图片[的内容|内容]是什么？ / 图片描述 / 这张图[讲|说|表现]的是什么？
    画面上能看到什么？ / 把你看到的[说出来|写下来|告诉我] / 怎么描述这张图？ / 图里都有[些|]什么？ / 写出图片的内容
    看图说话 / 这张图片是什么样的？ / 描述一下 / 看看图里有什么
    """,
)
COUNT = request(
    held_out.COUNT,
    en="""
    how many {noun} can you see? / could you count the {noun} for me?
    what is the number of {noun} in this picture? / i want to know how many {noun} there are here
    please tell me the total number of {noun}
    how many {noun} [are there|are here|are in the picture|are in this image|are shown|exist|have been drawn]?
    how many {noun} [do you see|can you see|can you find|can be seen]? / how many {noun}?
    [count|please count|count up] the {noun} / [count|number] of {noun}? / the number of {noun}?
    [count|please count] the {noun} in the [picture|image|scene]
    [tell me|say|find out|i want to know|do you know] how many {noun} [there are|you see|are in the picture]
    [tell|give] me the number of {noun} / how many {noun} does the [picture|image|scene] [show|have|contain]?
    [can|could] you count the {noun}? / what is the number of {noun} [here|in the picture|]? / {noun}: how many?
    {noun}, how many are there? / in this [picture|image], how many {noun} are there?
    how many of the things are {noun}? / [could|can|would] you [tell|show] me how many {noun} there are?
    i [want|would like] to know the number of {noun} / what number of {noun} do you see?
    there are how many {noun} here? / how large is the number of {noun}? / please tell me the number of {noun}
    how often do you see {noun}? / do count the {noun} / what is the [count|total] of {noun}?
    the {noun}, how many are they? / with how many {noun} was this drawn?
    """,
    zh="""
    这里一共有几{measure}{noun}？ / 请数一数{noun} / 画面中{noun}的数量是多少？ / 我想知道有多少{measure}{noun}
    帮我数数图里的{noun}有几{measure}
    [有|图里有|这里有|一共有|画里有|图上有|总共有|请问有|能看到|你看到|能找到|看得到]几{measure}{noun}？
    [有|图里有|这里有|一共有|共有|能看到]多少[|{measure}]{noun}？ / [数一数|数数|请数|数一下|请数一数|帮我数]{noun}
    [数一数|数数|数一下|请数一数]有[几{measure}|多少]{noun}
    {noun}[有|一共有|总共有][几{measure}|多少{measure}|多少]？ / {noun}的[数量|数目]是多少？ / {noun}[数量|有多少]？
    告诉我[有|图里有][几{measure}|多少]{noun} / 我想知道[有|图里有][几{measure}|多少]{noun}
    这张图里有[几{measure}|多少{measure}|多少]{noun}？ / [能不能|可以|能]数[一下|一数]{noun}吗？
    图里{noun}[有|是]几{measure}？ / 图中的{noun}有多少？ / 说说有几{measure}{noun} / {noun}：几{measure}？
    你[数一数|数到|能数出]几{measure}{noun}？ / 画了[几{measure}|多少]{noun}？ / 麻烦数一下{noun}
    图片上有[几{measure}|多少]{noun}？ / 出现了几{measure}{noun}？ / {noun}一共多少{measure}？
    """,
)
WHERE = request(
    held_out.WHERE,
    en="""
    in which part of the picture is the {noun}? / i can't find the {noun}, where is it?
    please tell me the position of the {noun} / where in the image do you see the {noun}?
    could you tell me where to look for the {noun}?
    where is the {noun}[| in the picture| in this image| standing| now| located| placed| to be found]?
    where [can|do|could] [i|you|we] [see|find] the {noun}?
    [tell me|say|show me in words|i want to know|do you know] where the {noun} is
    [can|could] you [tell me where the {noun} is|find the {noun} for me]? / where does the {noun} stand?
    the {noun}, where is it? / {noun}: where? / where has the {noun} been [put|placed|drawn|painted]?
    where is the {noun}'s place? / [in|at] which [place|spot|position] is the {noun}?
    in [which|what] part of the [picture|image] is the {noun}? / on which side is the {noun}?
    what is the [position|location|place] of the {noun}? / the [position|location|place] of the {noun}?
    [tell|give] me the [position|location] of the {noun} / i cannot find the {noun}, where is it?
    i am looking for the {noun}, where is it? / where did [they|you|somebody] [put|place|draw] the {noun}?
    where should i look for the {noun}? / where to find the {noun}? / where about is the {noun}?
    which place has the {noun}? / [name|describe] the place of the {noun} / the {noun} is where?
    the {noun} stands where? / where exactly is the {noun}? / at what place does the {noun} stand?
    where would you look for the {noun}? / is the {noun} on the left or on the right? / say where you see the {noun}
    """,
    zh="""
    {noun}的位置在哪儿？ / 我找不到{noun}，它在哪？ / 请告诉我{noun}在图里的哪个位置
    能说说{noun}处于画面的什么地方吗？ / 在图中的什么位置能看到{noun}？
    [|请问|图里|图里的|画里的|你看到|图片里的]{noun}在[哪里|哪儿|什么地方|什么位置]？
    {noun}[在哪边|站在哪里|放在哪里|画在哪里|位于哪里|处在什么位置]？ / {noun}的位置[在哪里|是哪里|是什么]？
    {noun}在[图|图片|画面]的[哪里|哪边|什么位置|什么地方]？ / [能|能不能|可以]告诉我{noun}在哪里吗？
    告诉我{noun}在[哪里|什么位置] / [哪里|哪边|什么地方][有|能看到|能找到]{noun}？ / 我找不到{noun}，[在哪里|它在哪]？
    说说{noun}[在哪里|的位置] / 我想知道{noun}在哪里 / 图里{noun}在哪？
    [在哪里|从哪里|到哪里][能|可以][看到|找到]{noun}？ / {noun}在左边还是右边？ / {noun}，在哪里？ / {noun}：在哪？
    你[知道|看看]{noun}在哪里[吗|]？ / {noun}被[放|画]在[哪里|什么地方]？ / {noun}在画面中[哪里|什么位置]？
    麻烦告诉我{noun}的位置 / 图中{noun}的位置[在哪里|是什么]？ / 应该去哪里找{noun}？
    """,
)
THERE = request(
    held_out.THERE,
    en="""
    which object can you see {spot}? / please tell me what has been drawn {spot} / can you name the thing {spot}?
    i'd like to know what is {spot} of the picture / what kind of object is the one {spot}?
    what is {spot}[| of the picture| in the picture| here]? / what [do|can|could] you see {spot}?
    what [stands|is standing|is there|can be seen|is shown|has been drawn|is to be seen] {spot}?
    [tell me|say|describe|i want to know] what is {spot} / {spot}, what [do you see|is there|can be seen]?
    [which|what] [object|thing] is {spot}? / [can|could] you tell me what is {spot}?
    name [the object|the thing|what is|what you see] {spot} / [who|who or what] is {spot}? / what object stands {spot}?
    what does the picture show {spot}? / what can be found {spot}? / what was [put|placed|drawn] {spot}?
    what do we have {spot}? / {spot}: what is it? / describe [the object|the thing|what you see] {spot}
    what kind of thing is {spot}? / there is something {spot}, what is it? / which things are {spot}?
    look {spot}, what is there? / what did the painter put {spot}? / [the thing|the object] {spot} is what?
    is there something {spot}? what?
    """,
    zh="""
    你在{spot}看到了什么？ / 请说出{spot}是哪种物体 / 能告诉我{spot}画的是什么吗？ / 我想知道{spot}的东西是什么
    {spot}的那个物体叫什么？
    {spot}[是什么|有什么|能看到什么|画了什么|放了什么|站着什么|画的是什么|有什么东西|是什么东西]？
    图[的|里|片的|中]{spot}[是|有]什么？ / [你看到|图里|请问|画面]{spot}有什么？ / 请问{spot}是什么？
    [说说|告诉我|说一说|描述]{spot}[有什么|是什么] / 在{spot}的是什么？ / 在{spot}[有|能看到|看到]什么？
    [能|能不能|可以]告诉我{spot}[是|有]什么吗？ / 我想知道{spot}[是|有]什么 / {spot}的东西是什么？ / {spot}：有什么？
    看看{spot}，有什么？ / {spot}那个是什么？ / {spot}的物体是什么？ / 画面{spot}[出现了|能看见]什么？ / 什么在{spot}？
    [什么东西|哪个东西|哪个物体]在{spot}？ / 说出{spot}的物体 / 往{spot}看，有什么？ / {spot}有东西，是什么？
    """,
)
COLOUR = request(
    held_out.COLOUR,
    en="""
    which colour does the {noun} have? / can you tell me the color of the {noun}?
    i'd like to know what colour the {noun} is / please name the color of the {noun}
    in which color is the {noun} painted?
    [what|which] [colour|color] [is|has] the {noun}? / what [colour|color] does the {noun} have?
    what is the [colour|color] of the {noun}? / the {noun} has [which|what] [colour|color]?
    [tell|give] me the [colour|color] of the {noun} / name the [colour|color] of the {noun}
    the {noun}, what [colour|color] is it? / [in|of] which [colour|color] is the {noun}?
    the [colour|color] of the {noun}? / {noun}: what [colour|color]?
    [can|could|would] you tell me [the colour of the {noun}|what colour the {noun} is]?
    which [colour|color] does the {noun} have?
    [tell me|say|i want to know|do you know] [what|which] [colour|color] the {noun} [is|has]
    how is the {noun} coloured? / what [colour|color] do you see on the {noun}?
    in what [colour|color] was the {noun} [painted|drawn]?
    what [colour|color] did [they|you|somebody] give the {noun}? / the {noun} is what [colour|color]?
    look at the {noun}, what [colour|color] is it? / what [colour|color] would you say the {noun} is?
    [describe|read] the [colour|color] of the {noun} / which paint was used for the {noun}?
    with which [colour|color] was the {noun} painted? / i cannot see the [colour|color] of the {noun}, what is it?
    """,
    zh="""
    {noun}的颜色是哪一种？ / 请说出{noun}的颜色 / 能告诉我{noun}是什么色的吗？ / 我想知道{noun}是哪种颜色
    图中{noun}涂的是什么颜色？
    [|请问|图里的|图里|画里的|你看到的]{noun}是[什么颜色|什么颜色的|哪种颜色|哪种颜色的|什么色]？
    {noun}[什么颜色|的颜色|是什么颜色呢|有什么颜色]？ / [|图里|图里的|请问]{noun}的颜色是[什么|哪种]？
    [说说|告诉我|说出|说一说|描述]{noun}的颜色 / [能|能不能|可以]告诉我{noun}的颜色吗？ / 告诉我{noun}是什么颜色
    我想知道{noun}[的颜色|是什么颜色] / {noun}[用了|用的是|涂的是|涂了|画成了]什么颜色？ / {noun}：什么颜色？
    看看{noun}，是什么颜色？ / {noun}看起来是什么颜色？ / 什么颜色的{noun}？ / 你觉得{noun}是什么颜色？
    {noun}被[画|涂]成什么颜色？ / {noun}的颜色呢？ / 图中{noun}是[什么|哪种]颜色？ / 麻烦告诉我{noun}的颜色
    哪种颜色是{noun}的？
    """,
)
YES_NO = request(
    held_out.YES_NO,
    en="""
    [tell me|say|check|see] [whether|if] there is {name}[| here| in the picture]
    is it [true|right] that there is {name}?
    do we have {name} [here|in this picture]? / does {name} [appear|show up|occur] [here|in the picture|anywhere]?
    can you see {name} in this picture? / does this image contain {name}?
    i want to know whether there is {name} here / please tell me if {name} appears in the picture, yes or no
    has {name} been drawn here?
    is there {name}[| in the picture| here| in this image| in it| anywhere| to be seen]?
    [do|can|could] you see {name}[| here| in the picture]? / do you [find|spot] {name}[| here| in the picture]?
    does [the|this] [picture|image|scene] [show|have|contain|include] {name}?
    is {name} [there|in this picture|in it|here|to be seen|shown|visible]? / {name}, is there one? / {name}: yes or no?
    yes or no: is there {name}? / has the [picture|image] {name}?
    [tell me|say|i want to know] [if|whether] there is {name} / is there any sign of {name}? / could there be {name}?
    [can|could] you tell me [if|whether] there is {name}? / have you seen {name}?
    does {name} [appear|occur|exist] [here|in the picture]? / was {name} [drawn|painted|put] [here|in the picture]?
    is it true that there is {name}? / there is {name}, [right|is there not|true or not]?
    do we have {name} [here|in the picture]? / can {name} be [seen|found]? / i am looking for {name}, is there one?
    did [somebody|the painter] [draw|paint] {name}? / are you able to see {name}? / does it show {name}?
    i wonder if there is {name} / is one of the things {name}?
    """,
    zh="""
    [图里|画里|图中|画中|这里]是否[有|出现了|能看到]{name}？ / [请|]判断[图里|图中|画中|]有没有{name}
    {name}出现了吗？
    [请|]看看[图里|图中|画中|这里]有没有{name} / [存在|出现了]{name}吗？ / [图中|画中|画面上]有{name}吗？
    告诉我有没有{name}
    画面里能看到{name}吗？ / 请判断图中是否出现了{name} / 这张图包含{name}吗？ / 我想知道画里有没有{name}
    {name}在这幅画里出现了吗？
    [|图里|这里|画里|请问|图片里|图上|这张图里]有{name}吗？ / [图里|图片上|画里|这里|这张图里|]有没有{name}？
    [图里|这里|画面里|]是不是有{name}？ / [你|你能|能|]看到{name}[了|]吗？ / [你|]有没有看到{name}？
    [能|能不能|可以|可不可以]看到{name}？ / {name}在[图里|画里|这里]吗？ / 图里[出现|画]了{name}吗？
    有{name}，[对吗|是吗]？ / 告诉我有没有{name} / 我想知道有没有{name} / [看看|看一看|说说]有没有{name}
    {name}，有吗？ / {name}有没有？ / 存在{name}吗？ / 图中[有|是否有|有没有]{name}？ / 是否有{name}？
    [找得到|看得到|看得见]{name}吗？ / 画[了|的有]{name}吗？ / 这张图[画了|包含|包括]{name}吗？ / 有还是没有：{name}？
    我在找{name}，有吗？
    """,
)
SIGN_READ = request(
    held_out.SIGN_READ,
    en="""
    which word can you read on the sign? / please read the sign to me / i can't make out the sign, what does it say?
    can you tell me what word the sign shows? / what text is on the sign?
    what [does|did] the sign say? / what is [written|printed|to be read] on the sign?
    [read|spell|copy|decipher] the [sign|word on the sign] / [which|what] word is on the sign?
    [tell me|say|i want to know] what the sign says / what can [you|i|we|be] read on the sign?
    what word do you see on the sign? / what is on the sign? / [can|could|would] you read the sign[| to me| for me]?
    the sign says what? / the [word|text] on the sign? / what is the [word|text] on the sign?
    [give|tell] me the [word|text] on the sign / what letters are on the sign? / what do you read on the sign?
    sign: what does it say? / there is a sign, what does it say? / read aloud what is on the sign
    what [text|word] does the sign show? / which word has been written on the sign?
    what did somebody write on the sign? / please read [the sign|what is written] / what can be read here?
    i cannot read the sign, what does it say? / what is the sign saying? / name the word on the sign
    what stands on the sign? / what [text|word] is written in the picture?
    """,
    zh="""
    请念一下牌子上的字 / 牌子上是哪个词？ / 能读出牌子上的内容吗？ / 我看不清牌子，上面写的是什么？
    牌子上面的文字是什么？
    [牌子|招牌|牌子上|招牌上][写着|写了|写的是|是|有]什么？ / [牌子|招牌]上[是|有|写着]什么字？
    牌子上的[字|文字|词]是什么？ / [读一下|念一下|读读|读出|念出|看看]牌子[|上的字] / 请问牌子[上|]写着什么？
    图里的牌子上[有什么字|写着什么] / [告诉我|说说|说出]牌子[上写着什么|上的字|写了什么]
    [能|能不能|可以]读一下牌子吗？ / 看看牌子写了什么 / 我看不清牌子，写的是什么？ / 我想知道牌子写了什么
    图里[写着|写了|有]什么[字|文字]？ / 牌子：写着什么？ / 牌子上能[读到|看到]什么？ / 牌子上面[写的是|是]什么？
    有块牌子，写着什么？ / 把牌子上的字[读|念|写]出来 / 图中的文字是什么？ / 牌子写的什么？ / 请[读|念]牌子
    """,
)
PLACE_ASKED = request(
    held_out.PLACE_ASKED,
    en="""
    is it [the beach, the city, the snow or a meadow|a city, a meadow, a beach or snow][| here]?
    beach, city, meadow or snow?
    which place is shown in the background? / what kind of place is this? / can you tell me what the background is?
    please name the place where this scene is set / is this a meadow, a city, a beach or a snowy landscape?
    [what|which] [place|landscape|background|setting|scenery] is [it|this]?
    what is the [place|background|setting|landscape|scenery]?
    [tell me|name|describe|say] the [place|background|landscape] / where is this?
    where [are we|was this drawn|does this take place|does it take place|does the scene play|is the scene set]?
    in [which|what] [place|landscape] is [this|it|the scene]?
    what [kind|sort|type] of [place|landscape|background] is it?
    [what|which] [place|background|landscape] do you see? / which background [has|does] the picture[| have]?
    [can|could] you tell me [what place this is|where this is|the place]?
    what [place|background|landscape] does the [picture|image] show? / [tell me|say|i want to know] where this is
    what do you see in the background? / what is behind the things? / the [place|background]? / place: which?
    at which place are we? / [guess|find out] the place / what is it like there: which place? / what ground is it on?
    what surroundings are these? / in what surroundings is this? / which place does the picture show?
    where did the painter stand?
    """,
    zh="""
    [这里|图里|画里|画中]是[海边、城市、草地还是雪地|草地、雪地、城市还是海边]？
    [图中|画中|画面上]是[什么地方|哪里]？
    背景里是什么地方？ / 请说出这幅画的地点 / 能告诉我背景画的是哪种环境吗？ / 我想知道这一幕发生在什么地方
    这是草地、城市、海滩还是雪地？
    这是[什么地方|哪里|在哪里|什么场景|在什么地方|哪儿]？
    [|图片的|图里的|这张图的|画面的]背景是[什么|哪里|什么地方]？ / 图里[是什么地方|的地方是哪里|是哪里|画的是哪里]？
    [请问|]这是什么地方呢？ / [说说|告诉我|说出][这是什么地方|背景|地点|这是哪里] / [地点|场景|地方]是[什么|哪里]？
    我们在[哪里|什么地方]？ / [能|能不能|可以]告诉我这是哪里吗？ / 画的是[哪里|什么地方]？
    我想知道这是[哪里|什么地方] / 在什么样的地方？ / 场景在[哪里|什么地方]？ / 看看背景，是哪里？ / 地点：哪里？
    图[上|中]是什么[地方|场景]？ / 周围是什么样的环境？ / 发生在[哪里|什么地方]？ / 这里是[什么地方|哪里]？
    是什么背景？ / 这个地方是哪里？ / 背景里是什么？ / 什么样的背景？ / 请问背景是什么？
    """,
)
TIME_ASKED = request(
    held_out.TIME_ASKED,
    en="""
    is it [day, sunset or night|night, day or sunset|sunset, night or day][| here| in this picture]?
    day, sunset or night?
    at which time of day does this scene take place? / is it day, sunset or night in this picture?
    please tell me what time of day it is here / i'd like to know the time of day in this image
    which part of the day is shown here?
    what time [|of day] is it[| here| in the picture]? / [which|what] time [|of day] is [it|this|shown]?
    when is [this|it]? / what is the time [|of day]? / is it day or night?
    [tell me|name|say|guess] the time [|of day] / what time of day do you see?
    [which|what] time does the [picture|image] show? / at [what|which] time [|of day] is this?
    [can|could] you tell me [the time of day|what time it is|when this is]?
    [tell me|say|i want to know|do you know] [what time it is|when this is]
    when does [this|it|the scene] [play|take place|happen]? / [when|at what time] was this [drawn|painted|seen]?
    is it [day, sunset or night|night or day|day or night or sunset]? / the time of day? / time: which?
    what part of the day is it? / how late is it? / which part of the day is [it|this|shown]?
    [look at the sky|look at the light], what time is it? / during which time of day is this?
    what hour does it look like?
    """,
    zh="""
    [这里|图里|画里|画中]是[白天、日落还是夜晚|夜晚、白天还是日落|日落还是夜晚]？
    [图中|画中|画面上]是什么[时间|时候]？
    图里是一天中的什么时段？ / 画面里是白天、日落还是夜晚？ / 请说出这幅画的时间 / 能看出这是一天里的什么时候吗？
    我想知道图中是哪个时间段
    [这|现在|图里|图片上|画里|图中]是什么[时候|时间|时刻]？ / 是[白天还是夜晚|白天还是晚上|白天、日落还是夜晚]？
    [请问|]这是什么时间呢？ / [什么时候|什么时间]的[景色|画面|场景]？
    [说说|告诉我|说出][时间|这是什么时候|这是什么时间] / 时间是[什么|什么时候]？
    [能|能不能|可以]告诉我这是什么时候吗？ / 我想知道这是什么[时候|时间] / 几点了的样子，什么时间？
    画的是什么[时候|时间]？ / 一天中的什么时[候|间]？ / 现在是[一天中的|]什么时候呢？ / 看看天色，是什么时候？
    时间：什么时候？ / 这是一天里的什么时候？ / 发生在什么时候？ / 天色是什么时候的？ / 图里的时间是什么？
    请问是什么时候？ / 什么时间？
    """,
)
WEATHER_ASKED = request(
    held_out.WEATHER_ASKED,
    en="""
    is it [clear, cloudy, rainy or snowing|sunny, cloudy, raining or snowing|raining, snowing, cloudy or clear][| here]?
    rain, snow, clouds or sun?
    how is the weather in this picture? / can you tell me what weather is shown here?
    which kind of weather do you see? / please name the weather in this scene
    is it clear, cloudy, raining or snowing here?
    [what|which] weather is [it|this|shown|there]? / what is the weather[| like| in the picture| here| there]?
    how is the weather[| in the picture| here| there]? / [tell me|name|describe|say] the weather
    [what|which] weather [do you see|does the picture show|does the picture have]?
    [can|could] you tell me [the weather|about the weather|how the weather is]?
    [say|tell me|i want to know] how the weather is / what [kind|sort|type] of weather is [it|this]?
    how does the sky look? / what does the sky look like? / is the weather good? how is it? / the weather?
    weather: which? / give me [the weather|a weather report] / what is the weather doing?
    [in|under] [what|which] weather is this? / look at the sky, how is the weather?
    should i take an umbrella? what is the weather? / what would a weather report say? / what weather have we got?
    what weather was [drawn|painted] here? / does it rain, snow or neither: what is the weather?
    """,
    zh="""
    [这里|图里|画里|画中]是[晴天、多云、下雨还是下雪|下雨、下雪还是晴天|晴、阴、雨还是雪]？
    [图中|画中|画面上]的天气[如何|怎样]？
    这幅图里天气怎么样？ / 请说出画面中的天气 / 能告诉我图里是哪种天气吗？ / 我想知道这里的天气如何
    画里是晴天、多云、下雨还是下雪？
    [|图里|图里的|今天|现在|请问|画里]天气[怎么样|如何|是什么|怎样]？
    [是|这是|图里是|图片上是|画里是|图中是]什么天气？ / [说说|告诉我|描述|说出|说一说]天气 / 什么天气？
    [能|能不能|可以]告诉我天气吗？ / 我想知道天气[怎么样|如何] / 天空是什么样的？ / 天空[怎么样|看起来怎么样]？
    看看天空，天气怎么样？ / 天气：怎么样？ / 画的是什么天气？ / [图里的|画面上的]天气是哪种？
    天气是[哪种|什么样]的？ / 天气[好不好|好吗]？是什么天气？ / 今天是什么天气？ / 要带伞吗？天气怎么样？
    告诉我天气怎么样 / 外面天气如何？ / 哪种天气？
    """,
)
STYLE_ASKED = request(
    held_out.STYLE_ASKED,
    en="""
    is [it|this|the picture] [flat, line art or retro|retro, flat or line art|line art, flat or retro][| style]?
    flat, line art or retro?
    in which style is this picture drawn? / can you tell me the drawing style?
    i'd like to know what art style this is / please name the style of this image
    is this drawn in flat, line art or retro style?
    [what|which] style is [it|this|the picture|the image|used]? / what style [has|do you see in] the picture?
    what is the style[| of the picture| of this image| here]? / [tell me|name|describe|say] the style
    in [which|what] style is [it|this|the picture] [|drawn|painted|made]? / [what|which] style do you see?
    [can|could] you tell me [the style|which style it is|how it is drawn]?
    how [is it|was it|is this] [drawn|painted|made]? / what [kind|sort|type] of [style|drawing] is [it|this]?
    the style? / style: which? / which style was [used|chosen]? / what style did the painter [use|choose]?
    [say|tell me|i want to know] [which|what] style it is
    [look at the lines and colours|look closely], which style is it? / what drawing style is [it|this]?
    what style does the [picture|image] [have|show]? / how would you call the style?
    in which manner is it [drawn|painted]? / what does the style look like? / guess the style
    what art style is [it|this]?
    """,
    zh="""
    [这|图里|画里|这幅画]是[扁平、线稿还是复古|复古、扁平还是线稿|线稿还是复古][|风格]？
    这张图是用哪种画风画的？ / 请说出这幅画的风格 / 能告诉我画风吗？ / 我想知道它用了什么绘画风格
    这是扁平风格、线描还是复古风格？
    [|图片|图里|这|这张图|画的|图中]是[什么|哪种]风格？ / [|图片的|图里的|画的|这张图的]风格是[什么|哪种]？
    [说说|告诉我|说出|描述|说一说][风格|图片的风格|画风] / 什么风格？ / 请问这是什么风格？
    [用的是|用了|采用的是]什么风格？ / 画风[是什么|怎么样|如何]？ / [能|能不能|可以]告诉我风格吗？
    我想知道这是什么风格 / 怎么画的，什么风格？ / 风格：什么？ / 看看画法，是什么风格？
    这幅画是[什么|哪种]风格[的|]？ / 用什么风格画的？ / 以什么风格画成？ / 属于[什么|哪种]风格？ / 是什么样的风格？
    哪种风格？ / 画家用了什么风格？
    """,
)
COMPARE = request(
    held_out.COMPARE,
    en="""
    how do these two pictures differ? / what has changed from the first image to the second?
    please list the differences between both pictures / can you spot what is different in these two images?
    tell me what is not the same in the two pictures
    [compare|please compare|contrast] [the|these|the two|these two|both] [pictures|images]
    what is [different|the difference|not the same|new|changed]?
    what [changed|differs|has changed|is different] between the [two|two pictures|pictures|images]? / what has changed?
    what changed? / what differs? / [tell|show] me the difference / [find|name|spot|describe|state|say] the difference
    [find|name|spot|describe|say] what [changed|is different|has changed|was changed]
    how do [the|these|the two] [pictures|images] differ?
    how is the second [picture|image|one] different[| from the first]?
    what is different in the second [picture|image]? / is there a difference? / are they the same? what changed?
    are the two [pictures|images] the same? / [can|could] you [tell me|find] the difference?
    [can|could] you tell me what changed? / what is the difference between [the|these] [|two] [pictures|images]?
    in what do the pictures differ? / where do the two pictures differ? / where is the difference?
    from the first to the second, what changed? / first and second picture: what differs? / what did somebody change?
    what happened between the [two|pictures]? / what is the change?
    look at both pictures, what [is different|changed]? / [i want|i would like] to know what changed
    before and after: what changed? / what does the second picture show differently?
    """,
    zh="""
    这两幅图差在哪里？ / 请找出两张图的不同之处 / 能说说第二张图和第一张图有什么区别吗？
    从第一张图到第二张图，哪里变了？ / 我想知道这两张图哪里不一样
    比较[两张图|这两张图片|这两张图|一下两张图|两张图片|前后两张图] / 请比较[两张图片|这两张图]
    [两张图|这两张图|它们|图片|前后]有什么[不同|区别|变化|不一样|差别|两样]？ / 有什么[不同|变化|区别|不一样]？
    [什么|哪里|哪儿|什么东西][变了|不同|不一样|变化了|改变了]？ / 两张图[哪里|什么地方][不同|不一样|变了]？
    [找出|说出|指出|找到|找找|说说]不同[|之处] / 变化[是什么|在哪里]？ / [说说|告诉我|找找]有什么[不同|变化|区别]
    [两张图的|]区别[是什么|在哪里]？ / [第二张图|后一张图][变了什么|有什么不同|有什么变化]？
    [能|能不能|可以]找出不同吗？ / 两张图一样吗？ / 两张图相同吗？[哪里变了？|] / 从第一张图到第二张图，什么变了？
    第一张图和第二张图有什么[不同|区别]？ / 我想知道[什么变了|有什么不同] / 看看两张图，哪里[不同|变了]？
    [告诉我|说说|看看][哪里变了|什么变了|哪里不同] / 改了什么？ / 改变了什么？ / 前后对比，变了什么？
    两张图的[不同|差别][是什么|在哪里]？ / 麻烦比较这两张图
    """,
)
