"""Plain facts about the task that the toolchain and people need: prompts, palettes, sizes, sampling."""

from __future__ import annotations

RGB = tuple[float, float, float]

SEGMENT_COLOURS: dict[str, RGB] = {
    "car": (230, 25, 75),
    "house": (245, 130, 48),
    "tree": (60, 180, 75),
    "flower": (240, 50, 230),
    "dog": (145, 30, 180),
    "cat": (70, 240, 240),
    "person": (255, 225, 25),
    "boat": (0, 90, 230),
    "hat": (170, 110, 40),
    "sign": (255, 250, 200),
    "sky": (170, 200, 255),
    "backdrop": (128, 128, 128),
    "ground": (50, 60, 40),
}
BACKGROUND = ("sign", "sky", "backdrop", "ground")  # segments that are no objects

PROMPTS: dict[str, dict[str, str]] = {
    "segment": {"en": "segment the picture", "zh": "分割图片"},
    "edges": {"en": "draw the edges", "zh": "画出边缘"},
    "boxes": {"en": "draw boxes", "zh": "画出方框"},
    "detect": {"en": "detect {objects}", "zh": "检测{objects}"},
    "detect_all": {"en": "detect everything", "zh": "检测全部"},
    "describe": {"en": "describe the picture", "zh": "描述图片"},
    "compare": {"en": "compare the two pictures", "zh": "比较两张图"},
}
OBJECT_SEPARATOR = {"en": ", ", "zh": "、"}
CELL = 16  # px
DEFAULT_SIZE = (128, 128)  # width, height in px
SMALLEST_GRID = (5, 4)  # rows, columns
SAMPLING = {"temperature": 0.6, "top_k": 20, "guidance": 1.5}
EMPTY_PROMPT_SHARE = 0.09
