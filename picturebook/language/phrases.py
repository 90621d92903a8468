"""What people say around and in requests: openings, endings, joints, names of everything.

The requests themselves stand in `forms/`. What joins several requests (`JOINTS`) and the names of all things
(`EVERYTHING`) are common to training and judging; what wraps a request (`BEFORE`, `AFTER`) is of the training only.
"""

from __future__ import annotations

from .forms import Forms

# What people wrap a request in; changes nothing.
BEFORE: Forms = {
    "en": (
        "my glasses are broken,", "i do not see well,", "i am tired,", "a short question,", "my phone is old,",
        "please", "can you", "could you", "now", "i want you to", "and now", "next,", "ok,", "then", "would you",
        "let us", "hey,", "you must", "help me to", "hello,", "hi,", "hi there,", "good,", "well,", "so,", "right,",
        "great,", "thanks,", "very nice,", "fine,", "alright,", "okay,", "and", "but", "also,", "kindly", "just",
        "simply", "quickly", "would you please", "could you please", "can you please", "will you", "i ask you to",
        "i would like you to", "i want to", "i need to", "it is time to", "do me a favour:", "a wish:", "my wish:",
        "my request:", "a request:", "your task:", "task:", "instruction:", "question:", "user:", "listen,", "look,",
        "for my daughter:", "for my son,", "for the kids:", "for a friend,", "for our book:", "for school:",
        "dear painter,", "dear model,", "if possible,", "if you can,", "if you do not mind,", "when you are ready,",
        "as a last step,", "first of all,", "to begin with,", "excuse me,", "sorry,", "hmm,", "oh,",
        "wow,", "i have an idea:", "my idea:", "my friend says:", "the teacher says:", "they ask:", "she asks:",
        "he says:", "we want you to", "try to", "go ahead and", "be so kind and", "would you mind to", "be nice,",
        "i was wondering,", "let me ask:", "tell me,", "you know,", "i think,", "maybe", "perhaps", "actually,",
        "in this picture,", "for this picture:", "here,", "about this picture:", "let me try this:", "this time,",
    ),
    "zh": (
        "我没戴眼镜，", "我看不清，", "我有点累，", "请问一下，",
        "请", "帮我", "麻烦", "能不能", "现在", "然后", "接着", "好，", "可以", "给我", "快", "你来", "你好，",
        "您好，",
        "嗨，", "嘿，", "好的，", "那么，", "下一步，", "请你", "请您", "麻烦你", "麻烦您", "拜托，", "劳驾，",
        "请帮我",
        "请帮忙", "能否", "可不可以", "我想请你", "我要你", "我的要求：", "我的愿望：", "任务：", "问题：", "要求：",
        "给女儿的，", "给孩子的，", "为了朋友，", "老师说，", "朋友说，", "他说，", "她问，", "亲爱的画家，",
        "如果可以，", "如果方便，", "有空的话，", "首先，", "再来一次，", "对不起，", "嗯，", "哇，", "我有个主意：",
        "我在想，", "我们需要你", "试试", "试着", "那就", "还有，", "也许", "其实，", "听我说，", "这次，", "这里，",
        "对这张图，", "关于这张图，", "很好，", "真不错，", "谢谢，", "不好意思，", "等一下，", "来，", "直接",
    ),
}  # fmt: skip
AFTER: Forms = {
    "en": (
        "please", "now", "thanks", "for me", "in this picture", "in the image", "if you can", "today", ", thanks",
        ", thank you", ", please", ", thank you very much", ", many thanks", ", if possible", ", if you like", ", ok",
        ", would you", ", will you", ", could you", ", for my daughter", ", for the kids", ", for a friend",
        ", for our book", ", for school", ", it is a present", ", it is for a card", ", i am curious", ", as i said",
        ", that is all", ", you know", ", i think", ", i guess", ", my dear", ", quickly", ", it is important",
        ", that would be great", ", that would be nice", ", so that it is nicer", ", because i like it so",
        ", because it is prettier", ", right away", ", at once", "once more", "again", "for us", ", friend",
    ),
    "zh": (
        "吧", "谢谢", "好吗", "可以吗", "，谢谢", "，谢谢你", "，谢谢您", "，多谢", "，拜托", "，拜托了", "，麻烦了",
        "，好吗", "，行吗", "，可以吗", "，如果可以的话", "，给孩子的", "，给女儿看", "，给朋友的", "，这很重要",
        "，我很好奇", "，就这样", "，我想", "，那样更好看", "，这样好看", "，因为我喜欢", "，快一点", "，马上",
        "，辛苦了", "，就可以了", "，这是礼物", "，上课用",
    ),
}  # fmt: skip
JOINTS: Forms = {
    "en": (
        " and ", ", ", ", then ", ", and ", " and then ", "; ", " and also ", ". then ", ", and also ", ". also, ",
        ". ", "; then ", ", after that ", ". after that, ", ", next ", ", and finally ", " plus ", " & ", ". besides, ",
    ),
    "zh": (
        "，", "，然后", "，再", "，并且", "，同时", "；", "，接着", "，还要", "，并", "，而且", "。然后", "。",
        "，还有，",
        "，另外", "。另外，", "；然后", "，最后", "，之后", "，也",
    ),
}  # fmt: skip

# What `detect` is asked for when no kinds are named.
EVERYTHING: Forms = {
    "en": ("everything", "all objects", "all things", "all the objects", "every object", "everything you see"),
    "zh": ("全部", "所有物体", "全部物体", "所有东西", "一切", "每个物体"),
}

# The requests that tools send, word for word as the checkpoint's card has them.
USUAL = {
    "detect": "detect {names}",
    "segmentation": "segment the picture",
    "edges": "draw the edges",
    "boxes": "draw boxes",
}
