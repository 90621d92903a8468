"""How people ask what a whole picture shows, and what sets it apart from another. Forms as in `request.py`."""

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
    what is there to see[| here| in it| in this picture]? / what [all |]is there[| in it| in the picture]?
    what things are there[| to see| in the picture]? / what is to be seen?
    what is [depicted|visible|pictured|going on] here?
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
