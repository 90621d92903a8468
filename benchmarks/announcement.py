"""The requests with which Qwen VLo was announced, tried with picturebook and judged: how many of the twelve are met.

    python benchmarks/announcement.py [--model BUNDLE] [--seeds 5] [--write]

A request counts if it is met with more than half of the seeds. The concrete words of the last requests (which place,
what is added) are this file's; the announcement names sorts of changes there. The requests were known while picturebook
was trained: some of their sentences are heard in training, so this shows that they work, not how others fare.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image
from record import write

import edgevlo
from edgevlo.picturebook.judging import judge
from edgevlo.picturebook.world import atlas, scene_to_codes
from edgevlo.picturebook.world.scene import HATTED, Scene, Thing

CAR = Scene((Thing("car", "purple", 2, 1),))
PERSON = Scene((Thing("person", "red", 1, 1),))
DOG = Scene((Thing("dog", "brown", 1, 1),), place="beach")
Attempt = Callable[[edgevlo.Model, int], bool]


def shown(scene: Scene) -> Image.Image:
    """The world's own picture of a scene."""
    return Image.fromarray(atlas.pixels(scene_to_codes.paint(scene)))


def read(picture: Image.Image) -> Scene:
    """The scene that a picture shows."""
    return judge.read(np.asarray(picture.convert("RGB"))).scene


def edited(given: Scene, text: str, right: Callable[[Scene], bool]) -> Attempt:
    """An edit of a picture, and whether the result is right."""

    def attempt(model: edgevlo.Model, seed: int) -> bool:
        return right(read(model.edit(shown(given), text, seed=seed)))

    return attempt


def same(given: Scene, **changed: Any) -> Callable[[Scene], bool]:
    """Nothing but these attributes has changed."""
    return lambda made: made == replace(given, **changed)


def shiba(model: edgevlo.Model, seed: int) -> bool:
    """One dog, and nothing else."""
    return [thing.kind for thing in read(model.paint("画一个可爱的柴犬", seed=seed)).things] == ["dog"]


def hatted(model: edgevlo.Model, seed: int) -> bool:
    """The dog that was painted before, with a hat; the rest is kept."""
    first = model.paint("画一个可爱的柴犬", seed=seed)
    old, new = read(first), read(model.edit(first, "给它戴顶帽子", seed=seed))
    return (
        len(new.things) == len(old.things) == 1
        and new.things[0].kind in HATTED
        and new.things[0].hat is not None
        and replace(new, things=(replace(new.things[0], hat=None),)) == old
    )


def perceived(model: edgevlo.Model, seed: int) -> bool:
    """Boxes, segments and edges of a picture that it painted itself."""
    picture = model.paint("左边一只狗，右边一辆红色的汽车", seed=seed)
    scene = read(picture)
    boxes = judge.box_scores(judge.true_boxes(scene), judge.drawn_boxes(np.asarray(model.boxes(picture))))
    segments = judge.segment_score(atlas.pixels(scene_to_codes.segmentation(scene)), np.asarray(model.segment(picture)))
    edges = judge.edge_f1(atlas.pixels(scene_to_codes.edges(scene)), np.asarray(model.edges(picture)))
    return boxes["all"] == [1.0] and segments > 0.95 and edges > 0.95


def fetched(model: edgevlo.Model, seed: int) -> bool:
    """An object of the first picture stands in the second."""
    giver, taker = Scene((Thing("cat", "orange", 0, 1),)), Scene((Thing("tree", "green", 2, 1),), place="city")
    made = read(model.edit([shown(giver), shown(taker)], "把第一张图的猫放到第二张图里", seed=seed))
    kinds = {(thing.kind, thing.colour) for thing in made.things}
    return kinds == {("cat", "orange"), ("tree", "green")} and made.place == "city"


def strips(model: edgevlo.Model, seed: int) -> bool:
    """Long pictures, 3:1 and 1:3."""
    wide = read(model.paint("海边，左边一艘红色的船，右边一只蓝色的鸟，日落", size="3:1", seed=seed))
    tall = read(model.paint("城市里一座黄色的房子，夜晚", size="1:3", seed=seed))
    found = [(thing.kind, thing.colour) for thing in wide.things]
    return (
        found == [("boat", "red"), ("bird", "blue")]
        and (wide.place, wide.time) == ("beach", "sunset")
        and [(thing.kind, thing.colour) for thing in tall.things] == [("house", "yellow")]
        and (tall.place, tall.time) == ("city", "night")
    )


RAIN = replace(CAR, place="city", weather="rain")
REQUESTS: dict[str, Attempt] = {
    "画一个可爱的柴犬": shiba,
    "给它戴顶帽子": hatted,
    "把颜色换成蓝色": edited(CAR, "把颜色换成蓝色", same(CAR, things=(replace(CAR.things[0], colour="blue"),))),
    "让天空变得晴朗": edited(RAIN, "让天空变得晴朗", same(RAIN, weather="clear")),
    "让人物背景变成城市夜景": edited(PERSON, "让人物背景变成城市夜景", same(PERSON, place="city", time="night")),
    "把这张照片改成19世纪油画风格": edited(
        DOG, "把这张照片改成19世纪油画风格", lambda made: made.style == "oil" and made.things == DOG.things
    ),
    "做成复古风格、换背景、添加文字": edited(
        DOG,
        "做成复古风格、换背景、添加文字",
        lambda made: made.style == "retro" and made.place != DOG.place and bool(made.sign),
    ),
    '做成复古风格、背景换成海边、添加文字"HELLO"': edited(
        PERSON,
        '做成复古风格、背景换成海边、添加文字"HELLO"',
        same(PERSON, style="retro", place="beach", sign="hello"),
    ),
    "背景换成雪地，做成线稿，再加一只小鸟": edited(
        DOG,
        "背景换成雪地，做成线稿，再加一只小鸟",
        lambda made: (
            (made.place, made.style) == ("snow", "line") and sorted(one.kind for one in made.things) == ["bird", "dog"]
        ),
    ),
    "boxes, segments and edges": perceived,
    "an object of one picture into another": fetched,
    "long pictures": strips,
}


def main() -> None:
    """Try every request; print and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="bundle to judge, without it the embedded one")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write results/announcement.json")
    arguments = parser.parse_args()
    model = edgevlo.load(arguments.model)
    found = {name: [attempt(model, seed) for seed in range(arguments.seeds)] for name, attempt in REQUESTS.items()}
    for name, right in found.items():
        print(f"{sum(right)} of {len(right)}  {name}")
    met = sum(2 * sum(right) > len(right) for right in found.values())
    print(f"{met} of {len(found)} requests are met")
    requests = {name: {"right": sum(right), "of": len(right)} for name, right in found.items()}
    if arguments.write:
        write("announcement", {"met": met, "of": len(found), "requests": requests})


if __name__ == "__main__":
    main()
