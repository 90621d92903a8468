"""How people ask for edits of objects: colour, hats, places; coming and going. Forms as in `request.py`."""

from __future__ import annotations

from . import held_out
from .request import request

RECOLOUR = request(
    held_out.RECOLOUR,
    en="""
    could you paint {name} {word}? / i would like {name} to be {word} / please switch the colour of {name} to {word}
    repaint {name} in {word} / {name} should have a different color: {word}
    [make|paint|colour|color|dye|turn|tint|repaint|recolour|recolor] {name} {word} / [make|have] {name} all {word}
    [change|set|switch|alter] the [colour|color] of {name} to {word} / turn {name} into a {word} one
    [change|recolour|recolor|switch|repaint|convert|turn] {name} to {word} / [give|lend] {name} the colour {word}
    [please|] change {name} so that it [is|becomes|turns|looks] {word} / {name} [should|must|shall|ought to] be {word}
    {name} [should|must|needs to|has to] [become|turn] {word} / [could|can|would] {name} be {word}[?|, please?]
    [could|can|would|will] you [make|paint|colour|turn] {name} {word}? / why not [make|paint] {name} {word}?
    how about [making|painting|colouring] {name} {word}? / what about {name} in {word}? / what if {name} were {word}?
    i [want|need|would like|would love] {name} [in|to be|to become|to turn|to look] {word}
    i [want|would like|prefer|would prefer] [to have|to see|] {name} in {word}
    i [wish|would rather] {name} was {word} / i wish {name} were {word} / let {name} [be|become|turn|appear] {word}
    let me see {name} in {word} / the [colour|color] of {name} [should|must|has to] [be|become] {word}
    {word} for {name} / [use|choose|take|apply] {word} [for|on] {name}
    [new|another] [colour|color] for {name}: {word} / {name} in {word}, please / {name}: {word}
    {name} [is|becomes] {word} now / from now on {name} is {word}
    {name} is to be [painted|coloured|recoloured|turned|dyed] {word} / [get|have] {name} [painted|coloured|dyed] {word}
    i want [to have|] {name} [painted|coloured|dyed|recoloured] {word}
    {name} would look [better|good|great] in {word} / show {name} in {word}
    [draw|redraw|render|paint] {name} in {word} / [fill|cover] {name} with {word} / put {word} paint on {name}
    give {name} [a|some] coat of {word} paint / i think {name} should be {word} / my wish is that {name} is {word}
    it would be nice if {name} were {word} / do {name} in {word} / {name}, but {word}
    keep all as it is, but [make|paint] {name} {word} / replace the [colour|color] of {name} by {word}
    {name} is the wrong [colour|color], make it {word} / i do not like the [colour|color] of {name}, make it {word}
    the right [colour|color] for {name} is {word} / paint over {name} with {word} / it is {name} that should be {word}
    swap the [colour|color] of {name} for {word} / [edit|adjust|modify] {name}: [make it|its colour becomes] {word}
    """,
    zh="""
    能把{name}涂成{word}吗？ / 我希望{name}是{word}的 / {name}的颜色改为{word}吧 / 麻烦给{name}换个颜色，换成{word}
    我想看到{name}变为{word}的样子
    把{name}[变成|改成|换成|涂成|染成|画成|改为|弄成|调成]{word}[|的] / 将{name}[变为|改成|变成|换成|涂成|染成]{word}
    [把|将]{name}的颜色[换成|改成|变成|调成|改为]{word} / {name}的颜色[改成|换成|变成|改为|要是|应该是|用]{word}
    [让|使]{name}变[成|为]{word} / {name}[改为|改成|换成|变成]{word} / {name}[应该|必须|得|要|最好]是{word}[|的]
    {name}要{word}的 / 我[想|要|希望]让{name}变成{word} / 我[希望|想要|想让|要]{name}是{word}[|的]
    请[将|把]{name}的颜色[改为|改成|换成]{word} / 请[把|将|让]{name}[变成|改成|涂成]{word}
    希望{name}[是|变成]{word}[|的] / 我[想要|要|想看]{word}的{name} / 用{word}[画|涂|表现]{name}
    给{name}[涂上|染上|换上|上]{word}[|颜色] / 给{name}换[个|成]{word} / 给{name}换个颜色，[换成|改成|要]{word}
    {name}[能不能|可不可以|能否]是{word}[|的]？ / [能不能|可不可以|能否|可以]把{name}[变成|改成|涂成|换成]{word}[|的]？
    {name}[改|换|变]{word} / {name}：{word} / 麻烦[把|将]{name}[改成|换成|涂成]{word} / 如果{name}是{word}的就好了
    {name}换个颜色：{word} / 要是{name}是{word}[|的]就[更好|好看]了 / {name}是{word}的[会|就]更好看
    为什么不把{name}[变成|画成]{word}？ / 我觉得{name}应该[是|用|换成]{word} / 别的不变，把{name}[改成|变成]{word}
    {name}的新颜色是{word} / 让{name}看起来是{word}的 / {name}的颜色不对，[改成|换成|应该是]{word}
    我不喜欢{name}的颜色，[换成|改成]{word} / 帮我把{name}[染成|涂成|改成]{word}
    {word}的{name}[更好|好看一些]，改一下 / {name}[现在|从现在起]是{word} / {name}涂{word} / {name}重新涂成{word}
    以{word}来画{name}
    """,
)
ADD = request(
    held_out.ADD,
    en="""
    [could|can] you [draw|paint|put|fit] in {thing} [too|as well|] {where}? / on top of that, {thing} {where}
    {thing} [too|as well], {where}
    i would also like to see {thing} {where} / {where}, there should also be {thing}
    please draw in {thing} as well, {where} / the picture still needs {thing} {where}
    let's include {thing} too, {where}
    [add|put|place|insert|draw|paint|include|set|create] {thing} {where} / [please|] insert {thing} {where}[|, thanks]
    [add|draw|put|place] {thing} {where}, please / [also|] [show|draw|paint] {thing} {where} / give me {thing} {where}
    i [want|need|would like|would love] {thing} {where} / i [want|would like] to [have|see|add] {thing} {where}
    i [miss|am missing] {thing} {where} / there [should|must|could|ought to] be {thing} {where}
    let there be {thing} {where} / there is {thing} missing {where} / it [needs|lacks|is missing] {thing} {where}
    [we|you] need {thing} {where} / [have|imagine] {thing} {where} / can [we|i] have {thing} {where}?
    [could|can|would|will] you [add|put|draw|place] {thing} {where}? / [could|can] there be {thing} {where}?
    [why not|how about] [add|adding] {thing} {where}? / what about {thing} {where}? / how about {thing} {where}?
    {thing} {where}, please / {where} {thing}, please / {where} add {thing} / something new: {thing} {where}
    in addition, {thing} {where} / new: {thing} {where}
    the picture [needs|should have|should show|should get] {thing} {where}
    {thing} should [appear|be added|be drawn] {where} / {thing} is to [appear|be added|be placed] {where}
    let {thing} [appear|show up|come in|join] {where} / make {thing} appear {where}
    [bring in|bring|fit in|place|sketch in|paint in] {thing} {where} / extend the picture with {thing} {where}
    it would be nice to [have|see] {thing} {where} / [something|what] is missing: {thing} {where}
    complete [it|the picture] with {thing} {where} / and now {thing} {where} / i think {thing} belongs {where}
    [add|put] to the picture: {thing} {where} / keep all and add {thing} {where} / get me {thing} {where}
    plus {thing} {where} / [the scene|this scene|it] should [also|] [contain|include|show] {thing} {where}
    i wish there was {thing} {where} / fill the empty place with {thing} {where}
    i would be glad to see {thing} {where}
    """,
    zh="""
    [图中|画中|画面上]{where}[还要有|应该有|添上|加上]{thing} / 除此之外，{in_where}[再有|还有|再画]{thing}
    {in_where}也[要|画]{thing}
    请{in_where}再放上{thing} / 我还想{in_where}看到{thing} / 能不能{in_where}补上{thing}？
    {in_where}最好还有{thing} / 麻烦{in_where}画上{thing}，其他的都不变
    {in_where}[加|添加|放|画|放上|加上|添上|画上|再加|再画|增加|摆|安排]{thing}
    {where}[加上|放|要有|再来|添|多画|应该有|还有]{thing} / [添加|加上|加|放|画|再来|增加]{thing}，{where}
    {in_where}要{thing} / 希望{where}[有|能有|出现|多]{thing} / {where}出现{thing}
    请{in_where}[放上|加上|画上|添加]{thing} / 请[加|画|添加]{thing}，{where} / 我想{in_where}[看到|加|放|画]{thing}
    我[想要|要|需要|希望有]{thing}，{where} / 我希望{where}[有|能有|多]{thing}
    [能不能|可不可以|能否|可以]{in_where}[加|放|画|添]{thing}？ / [给|为]这张图[加|添加|添上]{thing}，{where}
    麻烦{in_where}[加|画|放]{thing} / 帮我{in_where}[加上|画上|放]{thing}
    图里[还要|还缺|应该再有|要多]{thing}，{where} / {where}[少了|缺|缺少|还缺]{thing}，[加上|补上|画上]
    让{where}[有|出现|多]{thing} / 让{thing}出现，{where} / 让{thing}[出现|站]{in_where} / 最好{where}有{thing}
    {where}如果有{thing}就[好了|更好了] / {where}再[加|画|添|放]{thing} / 把{thing}[加|画|放|添]{in_where}
    {where}怎么没有{thing}？加上 / {where}需要{thing} / [新|多]加{thing}，{where} / [再|多]画{thing}，{where}
    {where}可以[有|加|放]{thing}吗？ / 还想{in_where}看到{thing} / [插入|补上|补画]{thing}，{where}
    {in_where}[插入|补上|补画]{thing} / 别的不变，{in_where}加{thing} / 我觉得{where}应该有{thing}
    """,
)
REMOVE = request(
    held_out.REMOVE,
    en="""
    i don't want {name} in the picture anymore / can you get rid of {name}? / please make {name} disappear
    the picture would look better without {name} / leave {name} out of the image
    [remove|delete|erase|drop|discard|cut out|wipe out|rub out|clear away|eliminate] {name}
    [take|throw|cut|leave] {name} out / [remove|delete|erase|take] {name} from the [picture|image|scene]
    take [away|out] {name} / take {name} [away|off the picture] / get rid of {name} / do away with {name}
    no {name}[| please| any more] / without {name}[|, please] / [please|] take {name} away
    {name} [should|must|has to|needs to|can] [go|disappear|vanish|leave|be removed] / {name} should be gone
    {name} is to be [removed|deleted|erased|taken away] / [make|let] {name} [go away|disappear|vanish]
    i do not want {name} [in the picture, remove it|here|any more|any longer] / i [do not|no longer] [need|want] {name}
    i [want|would like] {name} [removed|gone|deleted|to be gone|to disappear|to vanish|to go away|out of the picture]
    i [want|would like] to [remove|delete|see the picture without|have the picture without] {name}
    [do not|don't] [show|draw|paint] {name}
    [could|can|would|will] you [remove|delete|erase|take away|get rid of] {name}? / could {name} be removed?
    can {name} go? / [why not|how about] [remove|removing] {name}? / what about [removing|erasing] {name}?
    there should be no {name}
    the picture [should not have|should not show|does not need|is better without|would look better without] {name}
    {name}: [remove|delete|remove it|away with it]
    {name} is [not needed|in the way|too much|superfluous], [remove it|take it away]
    {name} does not [belong|fit] here[|, remove it] / i do not like {name}, [remove it|take it out]
    let {name} be gone / [show|paint|draw] the [picture|scene|same picture] without {name}
    leave everything but {name} / all but {name} / away with {name} / {name} away, please
    [hide|exclude|omit|skip] {name} / send {name} away / paint over {name} with the ground
    i wish {name} was not there / it would be better without {name} / there is no need for {name}[|, remove it]
    let us [remove|delete|lose] {name} / lose {name} / keep the rest, but [remove|delete|take out] {name}
    """,
    zh="""
    我不想要{name}了 / 可以把{name}擦掉吗？ / 请让{name}消失 / 画面里不要有{name} / {name}是多余的，请拿走
    [去掉|删除|移除|擦掉|不要|删掉|拿掉|去除|清除|除去|抹掉|拿走|移走]{name}
    把{name}[去掉|删掉|移走|擦掉|拿掉|删除|抹掉|清除|拿走|去除] / 将{name}[去掉|删除|移除|擦掉|抹去]
    将{name}从[图里|图片里|画面中]去掉 / 把{name}从[图里|画里|图片上][去掉|删除|拿走|移走]
    [请|麻烦|帮我][去掉|删掉|移除|擦掉]{name} / [请|麻烦|帮我]把{name}[去掉|删掉|拿走|擦掉] / [让|使]{name}消失[|不见]
    我不[要|想要|需要|喜欢]{name}[|了] / 我不想要{name}，[去掉|删掉|拿走] / 请不要[画|放]{name}
    我[想|要|希望][去掉|删掉|删除]{name} / {name}不要[了|画了] / 不想[看到|要]{name}[|了]
    {name}[去掉|删掉|拿走|擦掉|删除] / {name}[不需要|多余]了[|，去掉] / {name}[应该|最好|要][去掉|消失|不见|删掉]
    [能不能|可不可以|能否|可以][去掉|删掉|拿走|擦掉]{name}？ / [能不能|可不可以|可以]把{name}[去掉|删掉]？
    图里不[要|需要|应该|该]有{name} / 画面里[别|不]要{name} / 没有{name}[会|就]更好 / {name}太多余，[去掉|删掉]
    别[画|要|放]{name}了 / 别让我看到{name} / 我希望{name}[消失|不见|不在图里] / 希望{name}[消失|去掉|不见了]
    请让{name}[消失|不见] / {name}不该在这里[|，去掉] / [别的|其他的]都留下，只去掉{name}
    除了{name}[，别的都留下|都留下] / 为什么不[去掉|删掉]{name}？ / 如果没有{name}就好了
    给我一张没有{name}的[图|图片] / 图里[少了|没有]{name}更好看 / 不需要{name}[|，删除]
    """,
)
HAT_OFF = request(
    held_out.HAT_OFF,
    en="""
    {name} should not wear a hat / could you remove the hat from {name}? / i want to see {name} without a hat
    get rid of the hat that {name} is wearing / no more hat for {name}, please
    [take|get|pull] [off|away] the hat of {name} / [remove|delete|erase|drop|take away|get rid of] the hat of {name}
    [take|get|pull|lift] the hat off {name} / [remove|take|delete|erase] the hat from {name}
    take the hat [away from|from] {name} / {name} [should|must|shall] wear no hat / {name} without [a|its|the] hat
    no hat for {name} / {name} needs no hat / [please|] remove the hat from {name} / i want {name} without [a|the] hat
    i would like [to see|] {name} without [a|the] hat / i do not want the hat of {name}[| any more]
    i do not [want|like] the hat on {name} / let {name} [take the hat off|lose the hat|be without a hat]
    the hat of {name} [should|must|has to|can] [go|disappear|be removed|be gone|come off]
    {name} should [have|wear] no hat / {name} [should|must] not wear [a|the] hat
    {name} should be [bareheaded|hatless|without a hat] / make {name} [bareheaded|hatless]
    [could|can|would] you [remove|take away|take off] the hat of {name}? / can {name} be without a hat?
    could {name} take off the hat? / [do not|don't] [draw|show|paint] the hat of {name}
    [draw|show|paint] {name} without [a|the] hat / {name}, but without the hat / hat of {name}: remove
    {name} does not need [a|the] hat / why does {name} wear a hat? remove it / uncover the head of {name}
    [make|let] the hat of {name} [disappear|vanish|go away] / why not take the hat off {name}?
    how about {name} without a hat? / i [want|would like] the hat of {name} [gone|removed|taken off|to disappear]
    {name} has a hat, [take it off|remove it] / {name} looks better without [a|the] hat
    keep {name}, but [remove|take off|lose] the hat / hat off for {name} / {name}: no hat
    """,
    zh="""
    请把{name}头上的帽子去掉 / {name}不要戴帽子了 / 能让{name}摘下帽子吗？ / 我不想看到{name}戴着帽子
    麻烦帮{name}把帽子脱掉
    [摘掉|去掉|拿掉|脱掉|摘下|取下|删除|移除|擦掉|不要]{name}的帽子
    把{name}的帽子[摘掉|去掉|拿掉|脱掉|摘下|取下|拿走|删掉] / 将{name}的帽子[摘掉|去掉|取下|拿走|移除]
    {name}[不要|别|不用|不该|不应该]戴帽子[|了] / 让{name}[摘掉|脱掉|摘下]帽子 / [让|希望]{name}不戴帽子
    我[想让|希望|想要|要]{name}不戴帽子 / {name}的帽子[去掉|摘掉|不要了|拿走|不见了] / {name}不需要帽子[|了]
    [请|麻烦|帮我][摘掉|去掉|拿掉|取下]{name}的帽子 / [请|麻烦|帮我]把{name}的帽子[摘掉|去掉|拿走]
    {name}[应该|最好]不戴帽子 / [能不能|可不可以|能否|可以][摘掉|去掉|拿掉]{name}的帽子？
    [能不能|可不可以]让{name}不戴帽子？ / 我[不要|不喜欢|不想要|不想看到]{name}的帽子[|了] / 让{name}的帽子[消失|不见]
    我[想|要|希望][摘掉|去掉]{name}的帽子 / {name}不戴帽子[更好|好看|会更好] / {name}没有帽子[更好|就好了]
    给{name}[摘掉|脱掉|摘下|取下]帽子 / 画一个不戴帽子的{name}，[别的不变|其他一样] / 别给{name}戴帽子
    {name}戴着帽子，[摘掉|去掉|拿掉] / {name}的帽子[多余|不需要]，去掉 / 留下{name}，[去掉|摘掉|拿掉]帽子
    {name}：[去掉|摘掉]帽子
    """,
)
HAT_COLOUR = request(
    held_out.HAT_COLOUR,
    en="""
    the hat of {name} should be {word} / could you make the hat on {name} {word}?
    swap the hat of {name} for {a_word} one / please paint the hat that {name} is wearing {word}
    i want {name} to wear {a_word} hat instead of the current one
    [make|paint|turn|colour|dye|tint|recolour] the hat of {name} {word}
    [change|turn|recolour|switch|convert] the hat of {name} to {word}
    the hat of {name} [should|must|has to|needs to] [be|become|turn] {word} / [give|get] {name} {a_word} hat[| instead]
    i [want|would like|need|prefer] the hat of {name} [to be|to become|in|to turn] {word}
    let the hat of {name} be {word} / change the [colour|color] of the hat of {name} to {word}
    {word} for the hat of {name} / [use|choose|take] {word} for the hat of {name}
    the [colour|color] of the hat of {name} [should|must] be {word} / i wish the hat of {name} was {word}
    hat of {name}: {word} / [could|can|would] the hat of {name} be {word}?
    [could|can|would] you [make|paint|turn] the hat of {name} {word}? / let {name} [wear|have] {a_word} hat instead
    replace the hat of {name} [by|with] {a_word} one / swap the hat of {name} for {a_word} one
    [exchange|change|switch] the hat of {name} for {a_word} one / {name} [should|must] wear {a_word} hat [instead|now]
    [put|place] {a_word} hat on {name} instead / why not make the hat of {name} {word}?
    how about {a_word} hat for {name} instead? / [draw|redraw|show|paint] the hat of {name} in {word}
    the hat of {name} in {word}, please / the hat of {name} gets {word}
    new [colour|color] for the hat of {name}: {word} / the hat that {name} wears should be {word}
    the hat on {name} should be {word} / [make|turn|paint] the hat on {name} {word}
    change the hat on {name} to {word} / i do not like the hat of {name}, make it {word}
    the hat of {name} has the wrong [colour|color], make it {word}
    only the hat of {name} should [become|turn|be] {word} / give the hat of {name} the [colour|color] {word}
    the hat of {name} is to be [painted|dyed|coloured] {word} / let me see the hat of {name} in {word}
    """,
    zh="""
    {name}的帽子应该是{word}的 / 请给{name}的帽子换个颜色，改成{word} / 能把{name}头上的帽子变成{word}吗？
    我想要{name}戴的那顶帽子变为{word} / 帮{name}把现在的帽子换成{word}的
    把{name}的帽子[变成|改成|换成|涂成|染成|画成|改为|调成]{word}[|的] / 将{name}的帽子[改成|变成|换成|涂成|染成]{word}
    {name}的帽子[改为|改成|换成|变成|应该是|要是|最好是]{word}[|的] / 让{name}的帽子变[成|为]{word}
    {name}的帽子要{word}的 / [给|帮]{name}换[上|顶|一顶]{word}[|的]帽子
    [请|麻烦|帮我]把{name}的帽子[改成|换成|变成|涂成]{word} / 请将{name}的帽子[改为|变成]{word}
    把{name}帽子的颜色[改成|换成|变成]{word} / {name}帽子的颜色[改成|换成|应该是|要]{word}
    我[想要|希望|要|想让]{name}的帽子是{word}[|的] / [能不能|可不可以|能否|可以]把{name}的帽子[改成|换成|变成]{word}？
    {name}的帽子[能不能|可以]是{word}的？ / 希望{name}的帽子[是|变成]{word} / 用{word}[画|涂]{name}的帽子
    {name}的帽子[改|换|变|涂]{word} / 给{name}的帽子[涂上|换成|染上]{word} / 给{name}的帽子换个颜色：{word}
    {name}戴的帽子[应该|要|改]成{word} / 我不喜欢{name}帽子的颜色，[换成|改成]{word} / {name}的帽子：{word}
    只把{name}的帽子[改成|变成]{word} / 让{name}换一顶{word}[|的]帽子 / {name}应该换[一顶|上]{word}帽子
    要是{name}的帽子是{word}就好了 / {name}的帽子是{word}的[更好|更好看] / {name}帽子的新颜色是{word}
    我觉得{name}的帽子应该是{word} / 把{name}的帽子换一顶，要{word}的 / {name}的帽子颜色不对，[改成|应该是]{word}
    """,
)
HAT_ON = request(
    held_out.HAT_ON,
    en="""
    {name} needs {a_word} hat / let {name} wear {a_word} hat / could {name} have {a_word} hat on?
    i would like {name} to get {a_word} hat / please place {a_word} hat on the head of {name}
    [give|hand|get|offer|buy] {name} {a_word} hat / [put|set|place|draw|paint] {a_word} hat on {name}
    let {name} [wear|have|get|put on] {a_word} hat
    {name} [should|must|has to|could|shall] [wear|have|get|put on] {a_word} hat / [add|give] {a_word} hat to {name}
    {name} with {a_word} hat / make {name} wear {a_word} hat / i want {name} to [have|wear|get|put on] {a_word} hat
    i would like {name} to [wear|have] {a_word} hat / i [want|need|would like|would love] {a_word} hat [on|for] {name}
    i [want|would like] [to see|] {name} [with|in|wearing] {a_word} hat
    {name} [needs|wants|is missing|lacks] {a_word} hat / {a_word} hat [for|on] {name}[|, please]
    {a_word} hat should be on {name} / [could|can|would] you [give|draw] {name} {a_word} hat?
    can {name} [have|wear] {a_word} hat? / could you put {a_word} hat on {name}?
    [why not|how about] [give|giving] {name} {a_word} hat? / what about {a_word} hat for {name}?
    how about {a_word} hat on {name}? / [dress|show|draw|paint] {name} [with|in] {a_word} hat
    {name} would look [good|great|better] [in|with] {a_word} hat / {name}: {a_word} hat
    there should be {a_word} hat on {name} / {name} gets {a_word} hat / [top|crown] {name} with {a_word} hat
    {name} in {a_word} hat, please / [let|make] {a_word} hat [appear|sit] on {name}
    {name} should be [wearing|given] {a_word} hat / i wish {name} had {a_word} hat
    the head of {name} is bare, add {a_word} hat / {name} has no hat, [give it|add] {a_word} one
    on the head of {name}, put {a_word} hat / put {a_word} hat on the head of {name} / a hat for {name}, {word} please
    {name} deserves {a_word} hat
    """,
    zh="""
    让{name}戴一顶{word}的帽子 / {name}需要一顶{word}的帽子 / 能给{name}戴个{word}的帽子吗？
    请在{name}头上放一顶{word}的帽子 / 我想看{name}戴上{word}的帽子
    给{name}[戴上|戴|加|加上|画上|添上]{word}[|的]帽子 / 给{name}[戴|加|来|画|配]一顶{word}[|的]帽子
    给{name}[戴个|加个|来顶|配顶]{word}[|的]帽子 / 让{name}[戴上|戴|戴一顶|有一顶]{word}[|的]帽子
    {name}[要|应该|该|得|最好]戴{word}[|的]帽子 / {name}[需要|要|缺|缺少]一顶{word}[|的]帽子
    {name}[需要|想要]{word}[|的]帽子 / 把{word}[|的]帽子戴[在|到]{name}[上|头上]
    把一顶{word}[|的]帽子[戴|放]在{name}头上 / 我[想让|想要|希望|要]{name}戴[上|]{word}[|的]帽子
    [请|麻烦|帮我]给{name}[戴上|加上|画上]{word}[|的]帽子 / 请让{name}戴[上|一顶]{word}[|的]帽子
    [能不能|可不可以|能否|可以]给{name}[戴上|加|画]{word}[|的]帽子？ / {name}[能不能|可以]戴{word}帽子？
    {name}戴{word}[|的]帽子[更好|会更好看|就好了] / 希望{name}[戴着|戴上|有一顶]{word}[|的]帽子
    {name}头上[加|放|要有|应该有|戴]一顶{word}[|的]帽子 / 在{name}头上[加|放|画]一顶{word}[|的]帽子
    {name}没有帽子，[加|戴|画]一顶{word}的 / 给{name}[准备|买|送]一顶{word}[|的]帽子
    为{name}[戴上|加上|画上]{word}[|的]帽子 / {name}加{word}[|的]帽子 / 想看到{name}戴[着|上]{word}[|的]帽子
    为什么不给{name}戴[上|一顶]{word}帽子？ / {name}：戴{word}帽子 / 我觉得{name}应该戴{word}[|的]帽子
    一顶{word}[|的]帽子给{name}
    """,
)
MOVE = request(
    held_out.MOVE,
    en="""
    could you shift {name} to the {where}? / {name} should be {spot} instead / please bring {name} to the {where}
    i would rather have {name} {spot} / change the position of {name} to the {where}
    [move|shift|bring|take|push|drag|carry|send|pull|slide] {name} to the {where}
    [put|place|set|position|locate] {name} {spot} / {name} [should|must|has to|needs to] [be|stand] {spot}
    let {name} [stand|be|appear] {spot} / {name} should [go|move] to the {where}
    i [want|would like|need|prefer] {name} [|to be|to stand] {spot}
    i [want|would like] {name} to [go|move] to the {where} / [please|] move {name} so that it [is|stands] {spot}
    change the [place|position|spot] of {name}: {spot} / change where {name} is: {spot}
    {name} has to go to the {where} / let {name} [go|move|walk|come] to the {where} / show {name} {spot}
    the new place of {name} is {spot} / [could|can|would] you [move|shift|bring] {name} to the {where}?
    [could|can] {name} be {spot}? / could you put {name} {spot}? / why not [put|place|have] {name} {spot}?
    how about [moving|shifting] {name} to the {where}? / what about {name} {spot}? / {name} to the {where}[|, please]
    {name} {spot}, please / {spot} is [the right place|a better place|where i want] for {name}
    {name} [belongs|fits better|looks better|would be better] {spot}
    [new|another|other] [place|position] for {name}: {spot}
    {name} is in the wrong place, [put it|it should be|move it so that it is] {spot}
    the [place|position] of {name} should be {spot} / [relocate|transfer] {name} to the {where}
    {name} [is|moves] now {spot} / i wish {name} was {spot} / [draw|paint] {name} {spot} instead / have {name} {spot}
    from now on {name} [is|stands] {spot} / [make|let] {name} move to the {where} / get {name} to the {where}
    {name} is to be [moved|shifted|brought] to the {where} / {name}: move to the {where}
    [rearrange the scene|rearrange]: {name} {spot} / i would rather have {name} {spot}
    it would be better to have {name} {spot} / keep all else, but [put|place] {name} {spot}
    where {name} stands is wrong, it belongs {spot} / let me see {name} {spot}
    [change|alter] the position of {name} so that it is {spot}
    """,
    zh="""
    能把{name}挪到{where}吗？ / {name}应该在{spot} / 请让{name}到{where}去 / 我想把{name}摆在{spot}
    {name}的位置换到{where}吧
    把{name}[移到|移动到|放到|放在|挪到|搬到|移至|推到|带到|换到|拉到]{where}
    将{name}[移动到|移到|放到|放在|挪到|移至|搬到]{where} / 让{name}[在|到|去|移到|站在|待在]{where}
    {name}[移到|放到|去|到|挪到|改到|换到|移至|应该在|要在|应该移到|最好在|得在]{where}
    我[想让|希望|要|想要]{name}[在|到|去|站在]{where} / 我[想|要|希望]把{name}[移到|放到|挪到]{where}
    希望{name}[在|移到|去]{where} / [请|麻烦|帮我]把{name}[移动到|移到|放到|挪到|放在]{where}
    请将{name}[移到|放到]{where} / [能不能|可不可以|能否|可以]把{name}[移到|放到|挪到]{where}？
    {name}[能不能|可不可以|可以]在{where}？ / {name}的位置[改到|换到|改成|应该在|变成]{where}
    把{name}的位置[改到|换到|改成|移到]{where} / 给{name}换个位置，[放到|移到|到]{where}
    {name}换个地方，[去|到|放]{where} / {name}站[到|在]{where}[|去] / 让{name}换到{where}
    {name}在{where}[更好|会更好|就好了|好看] / {name}的新位置[在|是]{where}
    {name}的位置不对，[应该在|放到|移到]{where} / {name}往{where}[移|挪|走] / 把{name}往{where}[移|挪]
    我觉得{name}应该在{where} / 别的不动，把{name}[移到|放到]{where} / 为什么不把{name}放[到|在]{where}？
    {where}才是{name}的位置 / {name}：移到{where} / 要是{name}在{where}就好了 / {name}别在那里，[去|放到|移到]{where}
    现在{name}要[在|到]{where} / 把{name}[画|放]在{where}，不在原处
    """,
)
