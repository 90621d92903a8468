"""How people ask about the things in a picture. Forms as in `request.py`."""

from __future__ import annotations

from . import held_out
from .request import request

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
