"""How people ask for edits of a whole scene: place, time, weather, style and the sign. Forms as in `request.py`."""

from __future__ import annotations

from . import held_out
from .request import Words, request

PLACE = request(
    held_out.PLACE,
    en="""
    i'd like the background to be {a_noun} / could the whole scene take place {spot} instead?
    swap the background for {a_noun} / please use the {noun} as the new background / let all of this happen {spot}
    [change|switch|set|swap|convert] the background to [{a_noun}|the {noun}]
    [change|switch|set] the [place|scene|scenery] to {a_noun} / [put|set|place|show|move|relocate] it {spot}
    [put|set|place|show] [everything|all|all of it|the scene|the whole scene] {spot} / [make|have] it {a_noun}
    [move|shift|take|bring] [the scene|it|everything] to the {noun}
    the background [should|must|has to|needs to] be {a_noun} / let it [be|take place|happen|play] {spot}
    turn the [background|scene|place] into {a_noun} / use {a_noun} as the background
    i [want|need|would like|prefer] the background to be {a_noun} / [please|] show it {spot}
    {a_noun} as the background[|, please] / i [want|would like|need|would love] it {spot}
    i [want|would like] to [see|have] it {spot} / the place should be {a_noun}
    it [should|must|has to|could] be {spot} / the scene [should|must|has to] be {spot}
    the [scene|picture] should [play|take place] {spot} / i [want|would like] [everything|the scene|all of this] {spot}
    replace the background [by|with] {a_noun} / new [background|place]: {a_noun}
    [could|can|would] [it|this|the scene] be {spot}? / [could|can] you [put|show|move] it {spot}?
    could the background be {a_noun}? / why not put it {spot}? / how about {a_noun} as the background?
    what about [having|showing] it {spot}? / what if it was {spot}?
    [draw|paint|redraw] {a_noun} [behind it|in the background|as the background] / {spot}, please
    background: {a_noun} / place: {noun} / the [place|background|scenery] is {a_noun} now / now it is {spot}
    [it|all|everything] is {spot} now / from now on it is {spot} / keep the [things|objects] but [put|show] them {spot}
    the same things {spot} / the same [scene|picture], but {spot} / i wish it was {spot} / let us go to the {noun}
    let us be {spot} / another [place|background]: the {noun} / go to the {noun} / give it {a_noun} as background
    i would rather have it {spot} / it would be nice to have it {spot} / the setting should be {a_noun}
    change the setting to {a_noun} / transport [everything|it] to the {noun}
    [exchange|swap] the background for {a_noun}
    """,
    zh="""
    背景请用{noun} / 我想让这一切发生在{noun} / 能把整个场景搬到{noun}吗？ / 画面的地点应该是{noun}
    将背景替换为{noun}
    把背景[换成|改成|变成|改为|换到|画成]{noun} / 将背景[改成|换成|变成|改为]{noun}
    背景[换成|改为|改成|变成|是|要|用|应该是|最好是]{noun} / 把[场景|地点|地方][换成|改成|换到|变成|移到]{noun}
    [场景|地点|地方][改成|换成|换到|变成|是|应该是]{noun} / 让[背景|场景]变[成|为]{noun}
    [换到|放到|移到|搬到|改到|去|来到]{noun} / 我[想要|要|希望|想让]背景是{noun} / 我[想|要|希望]在{noun}
    [请|麻烦|帮我]把背景[变成|换成|改成]{noun} / 用{noun}[做|作|当]背景 / 希望在{noun} / 希望背景是{noun}
    以{noun}[为|作]背景 / [把|将]这一切[放到|搬到|移到]{noun} / 把它们[放到|搬到|移到]{noun}
    [能不能|可不可以|能否|可以]把背景[换成|改成|变成]{noun}？ / 背景[能不能|可以]是{noun}？ / [能不能|可以]换到{noun}？
    让这一切[在|发生在]{noun} / 为什么不[换到|放在]{noun}？ / 如果[在|背景是]{noun}就好了 / 背景：{noun} / 地点：{noun}
    新的背景是{noun} / 换[个|一个]背景：{noun} / 换个地方，[去|到|在]{noun} / 在{noun}[更好|会更好|好看]
    我[想|要]看{noun}的[背景|景色] / 我们去{noun} / 背景画{noun} / 东西不变，背景[换成|改成]{noun}
    别的不变，[场景|背景]换成{noun} / 把它[放|画]在{noun} / 应该在{noun} / 最好在{noun} / 画面[应该|要]在{noun}
    我不喜欢这个背景，[换成|改成]{noun}
    """,
)
TIME = request(
    held_out.TIME,
    en="""
    could this scene be {spot}? / the time of day should be {word} / i would rather see this picture {spot}
    please switch the time of day to {word} / now show the same scene {spot}
    [make|have] it {word} / [change|switch|set|turn|shift] the time [|of day] to {word}
    [turn|change|convert|switch] it [into|to] {word} / [show|draw|paint|put|set] it {spot}
    let it [be|become|turn] {word} / make the [scene|picture] {spot} / it [should|must|has to|could] be {word}
    the time [|of day] [should|must|has to] be {word} / i [want|would like|need|prefer] it to be {word}
    [please|] let it be {spot} / i [want|would like|would love] it {spot} / i [want|would like] to [see|have] it {spot}
    i [want|need] {word} / switch to {word} / now it [is|becomes|turns] {word} / [could|can] it be {word}?
    [could|can|would] you make it {word}? / why not make it {word}? / [could|can] it be {spot}? / how about {word}?
    what about {word}? / what if it was {word}? / what would it look like {spot}? show me / time [|of day]: {word}
    {word}, please / {spot}, please / {word} now / the same [scene|picture], but {spot} / the same {spot}
    [everything|all|the whole scene|the scene] {spot}, please / [everything|the scene|the picture] should be {spot}
    it is {word} now / i wish it was {word} / from now on it is {word} / i would rather have it {spot}
    keep all, but make it {word} / {word} instead / i [want|would like] the [scene|picture] {spot}
    [move|shift] the [scene|time] to {word} / it should [take place|happen|play] {spot}
    [let|make] the light be as {spot} / the light should be as {spot} / paint the sky as {spot}
    the sky should look as {spot} / it would be nice to have it {spot} / let {word} come
    i [like|love] {word}, [change it to that|make it so] / redraw it {spot}
    """,
    zh="""
    时间请换成{word} / 我想看到{word}时的景色 / 能让画面里的时间变成{word}吗？ / 这幅画的时间应该是{word}
    将时段改为{word}
    [改成|变成|换成|改为|调成|换到|画成]{word} / 把时间[换成|改成|变成|调到|改为|设为]{word}
    将时间[改成|换成|调到]{word} / 时间[改成|换成|变成|要|是|应该是|最好是]{word} / 让时间[变成|到]{word}
    我[想要|要|想看|希望是]{word} / [请|麻烦|帮我]把时间[改成|换成]{word} / 希望是{word} / 应该是{word}
    [让|把]它变成{word} / [能不能|可不可以|能否|可以][改成|变成|换成]{word}？ / [能不能|可以]是{word}？ / 现在是{word}
    现在[变成|到了]{word} / 让[画面|场景|这一切]变成{word} / 把[画面|场景][改成|变成]{word} / 画面[要|应该]是{word}
    我想看{word}的[样子|景色|画面] / 画成{word}的[样子|景色] / 如果是{word}就好了 / 是{word}的话[更好|会更好]
    为什么不是{word}？改一下 / 时间：{word} / 换个时间：{word} / 别的不变，[时间改成|变成]{word} / 同样的场景，{word}
    我[喜欢|更喜欢]{word}，改一下 / 请变成{word} / 天色[改成|变成|应该是]{word} / 把天色[改成|变成]{word}
    一切都在{word} / 光线要像{word} / 从现在起是{word} / 给我{word}的[景色|样子]
    """,
)
PLACE_AND_TIME = request(
    held_out.PLACE_AND_TIME,
    en="""
    move the whole scene to {a_noun} {time} / i want all of this to be {spot} {time}
    could the background be {a_noun} {time}? / please show the same things {spot} {time}
    let the scene take place {spot} {time} instead
    [change|switch|set] the background to {a_noun} {time} / [put|set|show|place|draw] it {spot} {time}
    make it {a_noun} {time} / the scene [should|must|has to] be {spot} {time}
    the background [should|must] be {a_noun} {time} / use {a_noun} {time} as the background
    i [want|need|would like] the background to be {a_noun} {time}
    i [want|would like|would love|need] [|to have|to see] it {spot} {time}
    [move|take|bring] the scene to the {noun} {time} / turn the background into {a_noun} {time}
    [everything|the scene] {spot} {time}, please / it [should|must|could] be {spot} {time}
    let it [be|happen|play] {spot} {time} / [could|can] it be {spot} {time}? / {time} {spot}, please
    [could|can] you [show|put] it {spot} {time}? / how about {a_noun} {time} as the background?
    replace the background by {a_noun} {time} / now it is {spot} {time} / the same [picture|scene], but {spot} {time}
    background: {a_noun} {time} / why not put it {spot} {time}? / i wish it was {spot} {time}
    a new background: {a_noun} {time} / {a_noun} {time} as the background / i would rather have it {spot} {time}
    change the [place|setting] to {a_noun} {time} / change place and time: {spot}, {time}
    the setting should be {a_noun} {time}
    """,
    zh="""
    背景请换为{time}的{noun} / 我想让整个场景变成{time}的{noun} / 能把地点改成{noun}、时间改成{time}吗？
    画面的场景应该是{time}的{noun} / 请让这一切发生在{noun}，时间是{time}
    把背景[换成|改成|变成]{noun}{time} / 把背景[换成|改成|变成|画成]{time}的{noun}
    背景[换成|改成|是|应该是|要]{time}的{noun} / 将背景[改成|换成]{time}的{noun} / [换到|移到|放到|来到]{time}的{noun}
    场景[改成|换成|是|变成]{time}的{noun} / 我[想要|要|希望]背景是{time}的{noun} / 我[要|想要|想看]{time}的{noun}
    希望是{time}的{noun} / 希望背景是{time}的{noun} / [请|麻烦|帮我]把背景[变成|换成]{noun}{time}
    请把背景换成{time}的{noun} / 用{time}的{noun}[做|当]背景 / [能不能|可不可以|可以]把背景换成{time}的{noun}？
    让背景变成{time}的{noun} / 现在是{time}的{noun} / 背景：{time}的{noun} / 应该是{time}的{noun}
    把[场景|画面][换成|改成|变成]{time}的{noun} / 以{time}的{noun}为背景 / 如果是{time}的{noun}就好了
    把这一切[放到|移到]{time}的{noun} / 换个背景：{time}的{noun}
    """,
)
WEATHER = request(
    held_out.WEATHER,
    en="""
    the weather in the picture should be {word} / could you switch the weather to {word}?
    i would like different weather: {word} / for the weather, please use {word} / let the weather be {word} instead
    [change|switch|set|turn] the weather to {word} / [make|have] it {state} / let it be {state} / let it {do}
    it should {do} / it should be {state} / the weather [should|must|has to] be {word} / make the weather {state}
    [i want|i would like] the weather to be {word} / show it {spot} / i [want|would like|need|would love] it {spot}
    i [want|would like] to see it {spot} / i [want|would like] it to {do}
    i [want|need|would like|would love|wish for] {noun} / [give|get] me {noun}
    [add|bring|show|paint|draw|put in] {noun} / there should be {noun} / let there be {noun} / [could|can] it {do}?
    [could|can] there be {noun}? / [could|can|would] you make it {state}? / why not make it {state}?
    why not let it {do}? / how about {noun}? / what about {noun}? / what if it was {state}? / weather: {noun}
    new weather: {noun} / {noun}, please / the weather is {word} now / now it is {state} / it is {state} now
    from now on it is {state} / the sky should be {state} / {noun} instead / we need {noun} / the picture needs {noun}
    the [scene|picture] should have {noun} / the same [scene|picture], but {spot} / the same with {noun}
    i wish it was {state} / i would rather have {noun} / [turn|change|convert] it to {noun} / switch to {noun}
    [paint|draw|redraw] it {spot} / it has to {do} / it must {do} / it ought to {do} / everything {spot}, please
    [everything|the scene|all of it] should be {spot} / please let it {do} / keep all, but let it {do}
    keep all, but make it {state} / the forecast says {noun} / [the weather forecast|the forecast]: {noun}
    it would be nice to have {noun} / i like {noun}, let it {do} / another weather: {noun}
    the weather has to be {word} / i want {noun} in the picture / make it {do}
    """,
    zh="""
    天气请改为{word} / 我希望天气是{word} / 能不能让天气变成{word}？ / 画里的天气应该是{word} / 把天气调成{word}吧
    天气[改成|换成|变成|要|应该|应该是|是|最好是]{word} / 把天气[换成|改成|变成|改为|画成]{word}
    将天气[改成|换成|变成]{word} / 让天气变[成|为]{word} / [变成|改成|换成|改为|画成]{word}
    我[想要|要|想看|希望]{word} / [请|麻烦|帮我]把天气[改成|换成|变成]{word} / 希望是{word} / 应该是{word}
    [能不能|可不可以|能否|可以]把天气[换成|改成|变成]{word}？ / 天气[能不能|可以]是{word}？
    [能不能|可以][变成|改成]{word}？ / 现在{word} / 现在是{word} / 如果{word}就好了 / {word}的话[更好|会更好]
    为什么不{word}？改一下 / 天气：{word} / 换个天气：{word} / 别的不变，[天气改成|变成]{word} / 最好是{word}
    我想看{word}的[样子|景色|画面] / 让[画面|场景|它]变成{word} / 把[画面|场景][改成|变成]{word}
    我希望[天气|现在]{word} / 天气预报说{word} / 同样的场景，{word} / 请变成{word} / 画成{word}的[样子|景色]
    从现在起是{word} / 天空[要|应该]是{word}的样子 / 给我{word}的[天气|景色] / 我更喜欢{word}，改一下 / 让它变成{word}
    """,
)
# for the gaps of WEATHER: the word, and in English an adjective, a noun and a verb
WEATHER_WORDS: dict[str, Words] = {
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
WEATHER_STATES: Words = {
    "clear": ("clear", "sunny"),
    "cloudy": ("cloudy", "overcast"),
    "rain": ("rainy", "raining"),
    "snowfall": ("snowing",),
}
WEATHER_NOUNS: Words = {
    "clear": ("clear weather", "a clear sky", "sunny weather", "fine weather"),
    "cloudy": ("clouds", "cloudy weather", "a cloudy sky"),
    "rain": ("rain", "rainy weather", "rainfall"),
    "snowfall": ("snowfall", "falling snow", "snowflakes"),
}
WEATHER_VERBS: Words = {
    "clear": ("be clear", "be sunny", "clear up"),
    "cloudy": ("be cloudy", "be overcast", "become cloudy"),
    "rain": ("rain", "be raining", "start to rain"),
    "snowfall": ("snow", "be snowing", "start to snow"),
}
STYLE = request(
    held_out.STYLE,
    en="""
    could you redo this picture in {word}? / i'd like everything to be drawn in {word}
    please switch the drawing style to {word} / the style of this picture should be {word} instead
    use {word} as the drawing style
    [change|switch|set|convert|alter] the style to {word} / [turn|change|convert|transform] it [into|to] {word}
    [make|render] it {word} / [draw|redraw|paint|repaint|show|do|render|make] it [in|as] {word}
    [paint|draw] it again in {word} / use {word} / switch to {word} / the style [should|must|has to] be {word}
    the picture should be in {word} / i want it [in|as] {word} / i [would like|want|need|prefer] {word}
    i would like [it|the picture] [in|as] {word} / i [want|would like] to [see|have] it [in|as] {word}
    [please|] turn the [picture|image] into {word} / [could|can] it be in {word}?
    [could|can|would] you [draw|redraw|paint] it in {word}? / could the style be {word}? / why not draw it in {word}?
    how about {word}? / what about {word}? / what would it look like in {word}? show me / what if it was {word}?
    in {word}, please / {word}, please / style: {word} / new style: {word} / another style: {word}
    the same [scene|picture], but in {word} / the same in {word} / [apply|choose|take] {word}
    [everything|all|the whole picture] in {word}, please / [everything|the picture|it] should be in {word}
    let it be in {word} / let it look like {word} / make it look like {word} / it should look like {word}
    now in {word} / i wish it was in {word} / i would rather have it in {word} / {word} instead
    the picture is [to be|now] in {word} / give it the look of {word} / give the picture another style: {word}
    keep the [objects|things], but use {word} / the drawing should be {word} / it has to be {word}
    repeat it in {word} / [transfer|translate] it into {word} / render the [scene|picture] in {word}
    """,
    zh="""
    请用{word}重画这幅画 / 我想要{word}的画风 / 能不能改用{word}来画？ / 画风请换成{word} / 整张图的画风应该是{word}
    把风格[换成|改成|变成|改为]{word} / 将风格[改成|换成|变成]{word}
    风格[改成|换成|变成|要|是|应该是|最好是|用]{word} / 用{word}[|重画|画|来画|再画一次]
    [变成|改成|换成|改用|转换为|转成|画成|改为]{word} / 我[想要|要|想看|希望是|喜欢]{word}
    [请|麻烦|帮我]把[图片|这张图|画面][变成|改成|转成|画成]{word}
    [能不能|可不可以|能否|可以][用|改用|换成|改成]{word}？ / [能不能|可以]画成{word}？ / 希望是{word} / 应该是{word}
    把[图片|这张图|它][画成|变成|转换为|改成]{word} / 让[图片|画面|它]变成{word} / 风格：{word}
    换[个|一种]风格：{word} / 别的不变，[风格改成|改用|画成]{word} / 现在用{word} / 以{word}[画|重画|表现]
    如果是{word}就好了 / 是{word}的话[更好|会更好] / 我想看{word}的[样子|画面] / 为什么不用{word}？改一下
    整张图都用{word} / 采用{word} / 给我{word}的图 / 重画，用{word} / 同样的画面，{word} / 画面[要|应该]是{word}
    请[改用|换成|使用]{word} / 改一下风格，用{word} / 使用{word} / 我更喜欢{word}，改一下
    """,
)
# for the gap of STYLE
STYLE_WORDS: dict[str, Words] = {
    "en": {
        "flat": ("flat style", "flat design"),
        "line": ("line art", "line art style"),
        "retro": ("retro style", "vintage style", "old-fashioned style"),
    },
    "zh": {
        "flat": ("扁平风格", "平面风格"),
        "line": ("线稿", "线稿风格", "线条画"),
        "retro": ("复古风格", "怀旧风格"),
    },
}
SIGN_OFF = request(
    held_out.SIGN_OFF,
    en="""
    i don't need the sign anymore / could you get rid of the sign? / please make the sign disappear
    there should be no sign in the picture / leave the sign out of the image
    [remove|delete|erase|take down|take away|get rid of|drop|cut out|pull down|discard|wipe out] the sign
    [take|throw] the sign [away|out|down] / [without|no] [the|a] sign, please / no sign / without the sign
    the sign [should|must|has to|can] [be gone|go|disappear|be removed|vanish]
    [let|make] the sign [disappear|vanish|go away] / i [do not|no longer] [need|want|like] the sign
    i do not want the sign[, remove it| any more]
    i [want|would like] the sign [removed|gone|deleted|to disappear|taken down]
    [please|] remove the sign from the [picture|image] / [could|can|would] you [remove|delete|take down] the sign?
    can the sign go? / could the sign be removed? / why not remove the sign? / there should be no sign
    [do not|don't] [show|draw|paint] the sign / the sign is [not needed|superfluous|in the way], remove it
    the picture does not need the sign / the sign does not belong here / away with the sign / sign: remove
    how about [removing|deleting] the sign? / [remove|delete|erase] the [word|text|writing]
    there should be no [word|text] in the picture / i want no [word|text|sign] in the picture
    [take away|wipe off] the [word|writing] / keep all but the sign / all but the sign
    it would be better without the sign / lose the sign / hide the sign / leave the sign out
    the sign is to be [removed|deleted|taken away] / i wish the sign was not there / show it without the sign
    """,
    zh="""
    我不想再看到那块牌子 / 能让牌子消失吗？ / 画面里不要有牌子 / 麻烦把牌子拿走 / 牌子是多余的，请擦掉
    [去掉|删除|移除|擦掉|不要|拿掉|删掉|拆掉|去除|拿走|取下|抹掉]牌子
    把[牌子|招牌][去掉|删掉|拿走|拆掉|移走|擦掉|取下|删除] / 将[牌子|招牌][去掉|移除|删除]
    我不[要|想要|需要|喜欢]牌子[|了] / 我不想要牌子，[去掉|拿走] / 牌子[不要了|去掉|拿走|删掉|不需要了]
    让牌子[消失|不见] / 我想让牌子[消失|不见] / 我[想|要|希望][去掉|删掉]牌子 / [请|麻烦|帮我][去掉|删掉|拿走]牌子
    [请|麻烦|帮我]把牌子[去掉|删掉|拿走] / [能不能|可不可以|可以][去掉|拿掉]牌子？ / [能不能|可以]把牌子[去掉|拿走]？
    图里不[要|需要|该]有牌子 / 没有牌子[更好|就好了] / 牌子[多余|碍眼]，去掉 / 别[画|放]牌子[|了] / 希望牌子[消失|不见]
    [去掉|删除|擦掉|不要][图里的文字|牌子上的字|文字] / 把[文字|字][去掉|擦掉|删掉] / 别的都留下，[只|]去掉牌子
    牌子不该在这里 / 去掉招牌 / 不要招牌
    """,
)
SIGN_WORD = request(
    held_out.SIGN_WORD,
    en="""
    the sign should read "{word}" instead / could you rewrite the sign so that it says "{word}"?
    please replace the word on the sign with "{word}" / i want a different word on the sign: "{word}"
    swap the text of the sign for "{word}"
    [change|switch|set] the [word|text|writing] on the sign to "{word}" / change the sign to "{word}"
    [make|let|have] the sign say "{word}" / the sign [should|must|has to|shall] [say|read|show] "{word}"
    [write|put|print|paint] "{word}" on the sign / i [want|would like] the sign to [say|read|show] "{word}"
    [please|] change the [word|text] to "{word}" / i want "{word}" on the sign / the [word|text] should be "{word}"
    change the word on it to "{word}" / [replace|exchange] the word on the sign [by|with] "{word}"
    [could|can] the sign [say|read] "{word}"? / [could|can|would] you write "{word}" on the sign?
    [rewrite|relabel|edit] the sign: "{word}" / the sign: "{word}" / new [word|text] [for|on] the sign: "{word}"
    the new word is "{word}" / why not write "{word}" on the sign? / how about "{word}" on the sign?
    the sign says "{word}" now / "{word}" should be on the sign / "{word}" on the sign, please
    the sign [needs|gets] the word "{word}" / the [word|text] on the sign [should|must] be "{word}"
    the sign is wrong, it should say "{word}" / give the sign the [word|text] "{word}" / i wish the sign said "{word}"
    let me read "{word}" on the sign / the sign should have the word "{word}" / let the sign read "{word}"
    the writing on the sign should be "{word}" / turn the [word|writing] on the sign into "{word}"
    """,
    zh="""
    请将牌子上的字换为"{word}" / 能把牌子上的文字改写成"{word}"吗？ / 我想让牌子上的字变成"{word}"
    牌子上原来的字不要了，改写"{word}" / 牌子上的内容请更新为"{word}"
    把牌子上的[字|文字|词][改成|换成|变成|改为]"{word}" / 将牌子上的[字|文字][改成|换成]"{word}"
    牌子[改成|换成|上写|写|写着]"{word}" / 把牌子[换成|改成|改为]"{word}" / 把[字|文字][改成|换成]"{word}"
    牌子[的|上的]字[换成|改成|应该是|是|要是]"{word}" / 让牌子[写|写着|显示]"{word}"
    我[想让|要|希望|想要]牌子[写着|上写|写]"{word}" / [请|麻烦|帮我]把牌子上的字[改成|换成]"{word}"
    [请|麻烦]在牌子上[改写|写]"{word}" / 牌子[应该|要|必须][写|写着]"{word}"
    [能不能|可不可以|可以]把牌子[改成|换成]"{word}"？ / [能不能|可以]在牌子上写"{word}"？ / 牌子：[改成|]"{word}"
    牌子的新字："{word}" / 招牌[改成|换成|上写]"{word}" / 把招牌[改成|换成]"{word}" / 希望牌子上[写着|是]"{word}"
    重写牌子："{word}" / 牌子写错了，[应该是|改成]"{word}" / 牌子上要写"{word}" / 给牌子换个字："{word}"
    牌子上最好[是|写]"{word}" / 新的文字是"{word}"
    """,
)
SIGN_ON = request(
    held_out.SIGN_ON,
    en="""
    could you put up a sign that says "{word}"? / i would like to have a sign reading "{word}"
    there should also be a sign with the word "{word}"
    please place a sign in the picture, with "{word}" written on it
    the scene still needs a sign that reads "{word}"
    [add|put up|draw|place|paint|insert|hang up|set up|show|give me] a sign that [says|reads|shows] "{word}"
    [add|put up|draw|show] a sign [|saying|reading|with] "{word}" / add the [word|text|writing] "{word}"
    write "{word}" on a sign / put up a sign with the [word|text] "{word}"
    there should be a sign [|saying|with] "{word}" / i [want|need|would like] a sign [that says|saying|with|] "{word}"
    [please|] put up a sign "{word}" / it needs a sign [|that says] "{word}"
    a sign [with|saying|that says] "{word}"[|, please] / i would like the word "{word}" on a sign
    [could|can|would] you [add|put up] a sign [saying|with] "{word}"? / [could|can] there be a sign "{word}"?
    why not add a sign "{word}"? / how about a sign that says "{word}"? / let there be a sign "{word}"
    the picture [needs|should have|should show] a sign [|that says|with] "{word}"
    i [want|would like] to [read|see] "{word}" on a sign / sign: "{word}"
    [print|put|place] the word "{word}" in the picture / "{word}" should be [written|printed] on a sign
    something to read: a sign "{word}" / a sign is missing: "{word}" / a sign should say "{word}"
    have a sign "{word}" / hang up the word "{word}" / a sign with the word "{word}" should [appear|be there]
    i wish there was a sign "{word}" / let a sign say "{word}" / label the picture "{word}"
    complete it with a sign "{word}" / write the word "{word}"
    """,
    zh="""
    请立一块写着"{word}"的牌子 / 我还想要一块牌子，上面写"{word}" / 能放一块牌子，写上"{word}"吗？
    画面里还缺一块牌子，上面要写"{word}" / 麻烦竖一块带有"{word}"字样的牌子
    [加|放|画|添|立|挂|来|要]一块[写着|写有]"{word}"的[牌子|招牌] / [加上|添加|放上|画上|挂上][牌子|招牌]"{word}"
    [加上|添加|写上|加]文字"{word}" / 写上"{word}" / [加|放|立|挂]一块牌子[|，写着|，上面写]"{word}"
    在牌子上写"{word}" / [请|麻烦|帮我][加上|放上|画上]牌子"{word}" / 请[加|放|立]一块[写着|]"{word}"的牌子
    我[想要|要|需要|希望有]一块[写着|]"{word}"的牌子 / 我想加[文字|牌子]"{word}"
    [能不能|可不可以|可以]加[一块|]牌子"{word}"？ / [能不能|可以]写上"{word}"？ / 要有牌子"{word}"
    图里[要|应该|还要]有[牌子|一块牌子]"{word}" / 希望有[牌子|招牌|一块牌子]"{word}" / 缺[一块|]牌子"{word}"，加上
    最好有[牌子|一块牌子]"{word}" / 让图里出现牌子"{word}" / 图上[写|写上|要写]"{word}" / 牌子："{word}"
    立牌子，写"{word}" / 挂[一块|]招牌，写着"{word}" / 图里需要一块牌子，写着"{word}" / 想看到写着"{word}"的牌子
    再加一块牌子："{word}" / 为什么不[加|放]一块牌子"{word}"？ / 把"{word}"写在牌子上 / 在图里写"{word}"
    新牌子："{word}"
    """,
)
