"""How people ask for boxes, segments and edges, and for an object of another picture. Forms as in `request.py`."""

from __future__ import annotations

from . import held_out
from .request import Forms, request

DETECT = request(
    held_out.DETECT,
    en="""
    i need the box coordinates of {names} / could you list the bounding boxes for {names}?
    please detect {names} and report the positions / run object detection on this image for {names}
    locate the following and give me the coordinates: {names}
    [detect|find|locate|spot|localise|localize|search for|look for] {names}
    [detect|find|locate] {names} in [the|this] [picture|image|scene] / boxes [of|for|around] {names}
    [give|tell|show] me the boxes [of|for|around] {names} / give the [positions|boxes|coordinates] of {names}
    find the boxes [of|for] {names} / i [want|need|would like] [the|] boxes [of|around] {names}
    [in|at] which boxes are {names}? / where are {names}? [detect|give boxes|boxes, please]
    [which|what] boxes [have|hold|contain] {names}? / what are the boxes of {names}? / name the boxes of {names}
    which boxes belong to {names}? / [tell|give] me the [coordinates|positions] of {names}
    [can|could] you [detect|locate] {names}? / [can|could] you [show|give|tell] me the boxes of {names}?
    {names}: [which boxes|boxes|detect|find|coordinates][|, please] / what boxes do you see for {names}?
    show where {names} are / look for {names} and [detect|give boxes] / [list|write down|output] the boxes of {names}
    look for {names}, [then give|and tell me] the boxes / run detection for {names} / object detection: {names}
    detection of {names} / mark {names} by coordinates / boxes, please: {names}
    i am looking for {names}, give me the boxes / i [want|would like] to [detect|find|locate] {names}
    where exactly are {names}? [give|tell me] the boxes / [detect|find] these: {names}
    please [detect|find|locate] {names} / return [the|] bounding boxes [of|for] {names} / bounding boxes of {names}
    list {names} with [boxes|their boxes|coordinates] / [detect|find] all of these: {names}
    answer with the boxes of {names}
    """,
    zh="""
    我需要{names}的方框坐标 / 能列出{names}的检测框吗？ / 请检测出{names}，并给出坐标
    帮我定位图中的{names}，列出位置 / 用方框坐标说明{names}的位置
    [检测|定位|找出|找到|找|检测一下|标出|查找|寻找]{names} / 检测[图里|图中|图片里]的{names}
    [找出|找到|定位][图里|图中]的{names} / 把{names}[找出来|检测出来|标出来|定位出来]
    [给出|标出|告诉我|写出|说出|给我]{names}的[位置|方框|坐标] / {names}的[方框|坐标|位置框][在哪里|是什么|是多少]？
    请问{names}的方框是什么？ / 给我{names}的方框位置 / {names}在哪里，[检测|给出方框|定位]
    [请|麻烦|帮我][检测|定位|找出]{names} / [能|能不能|可以][检测|定位]{names}吗？ / 我[想|要][检测|定位|找]{names}
    我[想要|要|需要]{names}的[方框|坐标] / {names}：[检测|方框|坐标|定位] / 对{names}[进行检测|做检测|进行定位]
    列出{names}的[方框|坐标|位置] / [用坐标|用方框坐标][说明|给出]{names}在哪里 / 目标检测：{names}
    {names}[在哪些方框里|有哪些方框]？ / 将{names}[找出来|检测出来] / 检测以下物体：{names} / 寻找{names}，给出方框
    我在找{names}，给我方框 / 看看{names}在哪里，给出坐标 / 输出{names}的[方框|坐标]
    """,
)
EVERYTHING: Forms = {
    "en": ("everything", "all objects", "all things", "all the objects", "every object", "everything you see"),
    "zh": ("全部", "所有物体", "全部物体", "所有东西", "一切", "每个物体"),
}
SEGMENT = request(
    held_out.SEGMENT,
    en="""
    i need the segmentation map of this picture / could you segment this image for me?
    please produce a segmentation mask of the scene / show this picture divided into coloured segments
    i want an image in which each segment gets its own color
    segment [the|this] [picture|image|scene] / segment [it|everything|this|all objects]
    [draw|show|make|create|paint|produce|compute|give me] [the|a] segmentation [map|mask|]
    [a|the] segmentation of [the|this] [picture|image] / segmentation [map|mask], please / segmentation[| map| mask]
    [i want|i need|i would like] [a|the] segmentation [map|mask|of it]
    show [|me] the [segments|segmentation of this image|segmentation of the picture]
    [i want|i would like] to see the [segments|segmentation] / [show|draw] it as segments
    [divide|split|cut|break] [it|the picture|the image] into segments
    [turn|convert|change|transform] [it|the picture|this image] into a segmentation map
    [could|can|would] you segment [it|the picture|this image]? / [could|can] you [draw|show me] the segmentation?
    [do|perform|run] a segmentation / [do|run] semantic segmentation
    colour [every object|everything|each thing] by its [kind|class] / [draw|paint] every [kind|class] in its own colour
    semantic segmentation[|, please] / what does the segmentation look like?
    show which [cell|part] belongs to which [class|kind] / [label|mark] every [part|region|area] by class
    mask [the objects|everything] / why not segment it? / a map of the classes / [draw|make] segments
    """,
    zh="""
    我需要这张图的语义分割图 / 能对画面做图像分割吗？ / 请将画面按物体分割成色块 / 想看看这幅画的分割结果图
    输出这张图片的分割掩码
    分割[图片|这张图|这张图片|图像|画面|一下|一下图片|所有物体]
    [画出|画|给我|做一张|显示|生成|看|做|输出][分割图|图片的分割图|语义分割图]
    把[图片|这张图|画面|它][分割|分割一下|做成分割图|变成分割图|转成分割图]
    [请|麻烦|帮我][分割这张图片|分割图片|画出分割图|画出图片的分割图|做一张分割图]
    我[要|想要|想看|需要][分割图|图片的分割图] / 分割图[|，谢谢] / [能|能不能|可以][分割这张图|画出分割图]吗？
    语义分割 / 对[图片|这张图]进行分割 / 对图片做[分割|语义分割] / 将[图片|这张图]分割[|开来]
    用不同颜色[标出|画出][各类物体|每一类] / 按类别[上色|涂色|分割] / [进行|做]分割 / 把每一类[画成|标成]不同的颜色
    给这张图做分割 / 分割图是什么样的？画出来 / 希望看到分割图 / 变成分割图 / 换成分割图 / 按物体分割画面
    """,
)
EDGES = request(
    held_out.EDGES,
    en="""
    i need the edge map of this image / could you extract the edges from this picture?
    please produce an edge image of the scene / show me only the edges of everything in this picture
    apply an edge filter to this image
    [draw|show|find|detect|extract|trace|mark|compute|paint|give me] the [edges|edge map|outlines|contours]
    [draw|show|make|create|produce|give me] an edge map
    [draw|show|find] the [edges|outlines] of [the|this] [picture|image] / edge map[|, please] / edges[|, please]
    edge detection / [an|the] edge map of [the|this] [picture|image]
    [i want|i need|i would like] [the edges|an edge map|the outlines|to see the edges|to have the edges]
    show me [the edges of this image|the outlines|an edge map|where the edges are]
    [turn|convert|transform|change] [it|the picture|this image] into [edges|an edge map|outlines]
    [could|can|would] you [draw|show|find|detect] the edges? / [run|do|perform] edge detection
    [only|just] the [edges|outlines] / leave only the edges / keep only the outlines
    the [edges|outlines] of [everything|the objects|all things] / outline [everything|the objects|all things]
    [trace|outline] [the picture|it] / where are the edges? [draw|show] them / what does the edge map look like?
    [reduce|bring] it to its [edges|outlines] / why not draw the edges?
    draw the [contours|outlines] of [all|the] objects / [an|the] outline map / find and draw all edges
    """,
    zh="""
    我需要这张图的边缘图 / 能提取出画面的边缘吗？ / 请将图像的边缘单独画出来 / 想看看这幅画只剩边缘的样子
    对这张图片做边缘提取
    [画出|显示|提取|检测|看|找出|描出|画|给我|标出][边缘|边缘图|图片的边缘|物体的边缘|轮廓|所有边缘]
    [做|画|生成|要|给我]一张边缘图 / 边缘图[|，谢谢] / 边缘检测 / 我[要|想要|想看|需要][边缘图|边缘|图片的边缘|轮廓]
    [请|麻烦|帮我][提取图片的边缘|画出边缘|画出边缘图|检测边缘|画出轮廓]
    [能|能不能|可以][画出边缘|提取边缘|画出轮廓]吗？ / 把[图片|这张图|它][变成|转成|画成|换成]边缘图
    把边缘[画出来|提取出来|标出来|找出来] / 只[画|留|要|显示][边缘|轮廓] / 对[图片|这张图][进行|做]边缘检测
    将[图片|这张图][变成|转成]边缘图 / 将边缘[画|提取]出来 / 描[边|出轮廓] / 勾出[边缘|轮廓] / 边缘在哪里？画出来
    把轮廓[画出来|描出来|勾出来] / 这张图的[边缘|轮廓] / 希望看到边缘图 / 变成边缘图
    """,
)
BOXES = request(
    held_out.BOXES,
    en="""
    could you draw a box around each object? / i want to see every object in the picture framed by a box
    show the image with boxes drawn around all the things in it
    please mark all the objects by drawing boxes on the picture / put a drawn box around everything in this image
    draw [|the|all] [boxes|bounding boxes]
    [draw|put|paint|place] [boxes|frames|bounding boxes] around [the objects|everything|all things|all objects]
    [draw|put] a box around [every|each] object / show [|me] [the|all|] [boxes|bounding boxes]
    show [|me] boxes around [the objects|everything]
    [i want|i need|i would like] [boxes|the boxes drawn|to see the boxes|boxes around the objects] / boxes[|, please]
    bounding boxes[|, please] / boxes around [everything|the objects|all things]
    [frame|box|mark|surround] [the objects|everything|every object|all things] with [boxes|a box|frames]
    show where the [objects|things] are with boxes
    [could|can|would] you [draw|show|paint] [the boxes|boxes around the objects]?
    please draw [the|] boxes [around everything|around the objects|]
    [paint|make|create|give me] [boxes|a picture with boxes|the box map|a picture of the boxes]
    [turn|convert] [it|the picture] into boxes / every [object|thing] should [get|have] a box
    [put|enclose] every object in a box / [everything|all objects] in boxes, please / box map
    [draw|sketch] the frames of the objects / mark where [everything|each object] is with a box / why not draw boxes?
    how about boxes around the objects? / let me see [the boxes|boxes around everything]
    a box [for|around] every object[|, please] / [draw|show] rectangles around [the objects|everything|all things]
    visualise the boxes / there should be a box around every object
    """,
    zh="""
    请在图上把每个物体都用框圈出来 / 我想看到所有物体都画上方框的图 / 能在画面里给每样东西画个框吗？
    将全部物体用方框标在图上 / 输出一张图，每个物体外面都画着框
    [画出|画|显示|给我|看|添加|画上][方框|所有方框|物体的方框|边界框|框]
    用[方框|框][标出|框出|标记|圈出][物体|所有物体|每个物体|所有东西|全部物体]
    我[要|想看|想要|需要][方框|看方框|所有方框]
    [请|麻烦|帮我][画出方框|用方框标出所有物体|画出所有方框|显示方框|把物体框出来]
    [能|能不能|可以][画出方框|用方框标出物体|显示方框]吗？ / 把[物体|所有物体|每个物体|东西]框[出来|起来|住]
    把方框[画出来|显示出来|标出来] / 框出[物体|所有物体|每个物体] / [给|在][每个物体|所有物体][画上|加上]方框
    在[物体|每个物体]周围画[方框|框] / 将[物体|所有物体]用方框标出 / 每个物体[都|都要]有方框 / 方框图[|，谢谢]
    画[一张|]方框图 / 物体在哪里？画方框 / 把[图片|这张图]变成方框图 / 希望看到方框 / 物体的方框，画出来
    """,
)
FETCH = request(
    held_out.FETCH,
    en="""
    [insert|paste|drop|fit] {name} [that you see in|which is in|from] the {source} picture into the {into} one
    {name} that [is|you see] in the {source} picture [should|must] [go|come|move] into the {into} [one|picture]
    could you copy {name} from the {source} picture to the {into} one?
    i want {name} of the {source} picture to appear in the {into} picture
    please bring {name} over from the {source} picture to the {into} picture
    the {into} picture should get {name} from the {source} picture
    insert {name} that you see in the {source} picture into the {into} one
    [bring|take|move|copy|transfer|fetch|add] {name} from the {source} [picture|image] to the {into} [picture|one|]
    [insert|carry|put|copy] {name} of the {source} [picture|image] into the {into} [image|one|picture]
    [put|place|take|move|bring] {name} from the {source} into the {into} [picture|image|]
    {name} of the {source} picture should be in the {into} [picture|one|]
    use {name} of the {source} picture in the {into} [picture|]
    i [want|need|would like|would love] {name} [of|from] the {source} [picture|image] in the {into} [picture|one|image]
    {name} of the {source} into the {into} [picture|image], please
    [please|] put {name} from the {source} picture into the {into} picture
    let {name} of the {source} picture [stand|be|appear] in the {into} [picture|one]
    [could|can|would] you [put|bring|copy|move] {name} [of|from] the {source} picture into the {into} [picture|one]?
    the {into} picture [should have|should show|needs|gets] {name} of the {source} [picture|one]
    [add|give] to the {into} picture {name} of the {source} [picture|one]
    into the {into} picture, put {name} of the {source} [picture|one]
    from the {source} picture, [take|move|copy] {name} into the {into} [picture|one]
    take {name} out of the {source} picture and [put|place|add] it [into|to] the {into} [picture|one]
    show the {into} picture with {name} of the {source} [picture|one]
    combine them: {name} of the {source} picture in the {into} [picture|one]
    why not put {name} of the {source} picture into the {into} one?
    how about {name} of the {source} picture in the {into} one?
    what if {name} of the {source} picture was in the {into} one?
    [make|let] {name} of the {source} picture [go|come] to the {into} picture
    {name} of the {source} picture [belongs|should go|should come] into the {into} [picture|one]
    [borrow|get|pick] {name} from the {source} picture for the {into} [picture|one]
    draw the {into} picture again, with {name} of the {source} one
    the {into} picture, but with {name} of the {source} [picture|one]
    i [want|would like] to see {name} of the {source} picture in the {into} one
    {name}: from the {source} to the {into} picture
    """,
    zh="""
    [请|]把[你看到的|]{source}[中|上|里]的{name}[插入|贴到|画进|搬到|移进|加进]{into}[中|里|]
    {source}[中|上]有{name}，[把它|请把它|让它][放到|画到|移到|搬到]{into}[里|中|]
    能将{source}的{name}复制到{into}吗？ / 我想让{source}中的{name}也出现在{into}里
    {into}里应该加上{source}里的{name} / 从{source}取出{name}，放入{into} / 麻烦把{name}从{source}搬到{into}
    把{source}[|里|中|里面]的{name}[放到|加到|放进|画到|移到|搬到|带到|复制到|拿到|添加到|贴到]{into}[|里|中]
    将{source}[|里|中]的{name}[放到|放进|移到|加到|画到|复制到]{into}[|里|中]
    把{name}从{source}[移到|搬到|放到|拿到|带到|复制到]{into}[|里] / 将{name}从{source}[移到|放到|搬到]{into}
    {into}[里要有|里应该有|里要加上|需要|要有]{source}[|里]的{name}
    {source}的{name}[放到|加到|移到|放进|去|应该在]{into}[|里] / 让{source}的{name}[出现在|站到|来到|到]{into}[|里]
    我[想|要|希望][把|将]{source}的{name}[放到|加到|移到|画到]{into}[|里]
    [请|麻烦|帮我][把|将]{source}[|里]的{name}[放到|加到|放进|移到]{into}[|里]
    我[想要|要|想看到]{source}的{name}[出现|]在{into}里
    [能|能不能|可不可以|可以]把{source}的{name}[放到|加到|移到]{into}[|里]？
    在{into}[里加上|中加入|里放|里画]{source}[|里]的{name} / 给{into}[加上|添上]{source}[|里]的{name}
    从{source}[拿|取|搬]{name}[放到|到|放进]{into}[|里] / 从{source}把{name}[拿到|移到|放到]{into}
    用{source}的{name}，放在{into}里 / 希望{into}里有{source}的{name} / {into}里[加|放|画]{source}的{name}
    {name}：从{source}到{into} / {into}加上{source}的{name} / 把两张图合起来，{source}的{name}放进{into}
    画{into}，加上{source}的{name} / {source}里的{name}要放到{into}里 / 为什么不把{source}的{name}放到{into}？
    """,
)
# The requests that tools send, word for word as the checkpoint's card has them.
USUAL = {
    "detect": "detect {names}",
    "segmentation": "segment the picture",
    "edges": "draw the edges",
    "boxes": "draw boxes",
}
