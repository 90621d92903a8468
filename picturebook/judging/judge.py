"""Reads a picture back into a scene, segments, edges or boxes, and says what of a request came true.

It knows pixels and the world's geometry, not the tokenizer: a cell is the atlas tile nearest to its pixels.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from edgevlo.runtime.generate.detections import read_detections
from edgevlo.runtime.generate.text import AnswerWarning

from ..exercises.tasks import Sample
from ..language.naming import Said
from ..language.words import KIND
from ..world.atlas import CELL, CODE, PARTS, TILES, Name, pixels, tiles
from ..world.palette import SEGMENT_COLOURS
from ..world.scene import Scene, Thing, cell_of, column_name, depth_name, in_order, slots
from ..world.scene_to_codes import LIGHT_COLUMN, box_of, ground_of, paint

RgbArray = NDArray[np.uint8]  # (height, width, 3)
Scores = dict[str, list[float]]  # name of a figure -> its values, one a case or one an object; `all` is the headline


@dataclass(frozen=True)
class Reading:
    """What a picture shows, and how many of its cells belong to nothing that was recognised."""

    scene: Scene
    strays: int


@dataclass(frozen=True)
class Box:
    """Where something of a kind is: left, top, right, bottom in cells, the last two exclusive."""

    kind: str
    edges: tuple[int, int, int, int]


@cache
def _codes_by_bytes() -> dict[bytes, int]:
    return {tile.tobytes(): code for code, tile in enumerate(tiles())}


def cells(picture: RgbArray) -> NDArray[np.int32]:
    """The nearest tile of every cell, (rows, columns)."""
    rows, columns = picture.shape[0] // CELL, picture.shape[1] // CELL
    patches = picture.reshape(rows, CELL, columns, CELL, 3).swapaxes(1, 2).reshape(rows * columns, CELL, CELL, 3)
    codes = np.array([_codes_by_bytes().get(patch.tobytes(), -1) for patch in patches], np.int32)
    unknown = codes < 0
    if unknown.any():
        table = tiles().reshape(len(TILES), -1).astype(np.float64)
        distance = (table**2).sum(axis=1) - patches[unknown].reshape(-1, table.shape[1]) @ (2 * table).T
        codes[unknown] = distance.argmin(axis=1)
    return codes.reshape(rows, columns)


def _most(values: list[str], default: str) -> str:
    return Counter(values).most_common(1)[0][0] if values else default


def _weather(names: list[Name]) -> str:
    kinds = [name[-1].split("-")[0] for column, name in enumerate(names) if column != LIGHT_COLUMN and name[0] == "sky"]
    found = _most([kind for kind in kinds if kind in ("cloud", "rain", "snow")], "plain")
    return {"plain": "clear", "cloud": "cloudy", "rain": "rain", "snow": "snowfall"}[found]


def _sign(names: list[Name]) -> str | None:
    return "".join(name[1] for name in names if name[0] == "letter") or None


def read(picture: RgbArray) -> Reading:
    """The scene a picture shows."""
    return read_cells(cells(picture))


def read_cells(codes: NDArray[np.integer]) -> Reading:
    """The scene a grid of tiles shows; an object counts only when all four of its parts agree.

    What a picture of that scene would not have in a cell, sky, horizon and sign among them, is a stray.
    """
    names = [[TILES[code] if code < len(TILES) else ("none",) for code in row] for row in codes]
    rows, columns = codes.shape
    top = [name for name in names[0] if name[0] == "sky"]
    horizon = [name for name in names[1] if name[0] == "horizon"]
    style = _most([name[1] for name in [*top, *horizon]], "flat")
    place = _most([name[2] for name in horizon], "meadow")
    time = _most([name[2] for name in top] + [name[3] for name in horizon], "day")
    ground = ground_of(style, place)
    things = []
    empty = Scene(rows=rows, columns=columns)
    for depth, column in slots(rows, columns):
        row, first = cell_of(empty, Thing("car", "red", column, depth))
        block = [names[row + index // 2][first + index % 2] for index in range(4)]
        kind, colour = block[0][2:4] if block[0][0] == "object" else ("", "")
        if block != [("object", ground, kind, colour, part) for part in PARTS]:
            continue
        above = names[row - 1][first : first + 2]
        worn = above[0][2] if above[0][0] == "hat" else None
        hat = worn if above == [("hat", ground, worn, "l"), ("hat", ground, worn, "r")] else None
        things.append(Thing(kind, colour, column, depth, hat))
    scene = Scene(in_order(things), place, time, _weather(names[0]), style, _sign(names[1]), rows, columns)
    return Reading(scene, int((codes != paint(scene)).sum()))


def _spot(scene: Scene, thing: Thing, said: Said) -> tuple[str | None, str | None]:
    return (column_name(scene, thing) if said.column else None, depth_name(scene, thing))


def _profile(
    scene: Scene, said: Said, *, kind: bool = True, colour: bool = True, hat: bool = True, spot: bool = True
) -> list[str]:
    """The things as sorted words, as far as they are compared."""
    return sorted(
        str((thing.kind if kind else "", thing.colour if colour and said.colour else "", thing.hat if hat else "",
             _spot(scene, thing, said) if spot else ""))
        for thing in scene.things
    )  # fmt: skip


def judge_scene(wanted: Scene, reading: Reading, said: Said | None = None) -> dict[str, bool]:
    """Which attributes of the wanted scene the picture has; `all` is the headline."""
    said = said or Said()
    got = reading.scene
    alone = {"kind": False, "colour": False, "hat": False, "spot": False}
    verdict = {
        "number": len(got.things) == len(wanted.things) and reading.strays == 0,
        **{
            field: _profile(wanted, said, **{**alone, field: True}) == _profile(got, said, **{**alone, field: True})
            for field in alone
        },
        "bound": _profile(wanted, said) == _profile(got, said),
        "place": got.place == wanted.place or not said.place,
        "time": got.time == wanted.time,
        "weather": got.weather == wanted.weather,
        "style": got.style == wanted.style,
        "sign": got.sign == wanted.sign,
    }
    return verdict | {"all": all(verdict.values())}


def segment_score(wanted: RgbArray, got: RgbArray) -> float:
    """Mean intersection over union of the labels of two segmentation maps, by pixel."""
    want, have = nearest_segment(wanted), nearest_segment(got)
    labels = np.union1d(want, have)
    return float(np.mean([((want == n) & (have == n)).sum() / ((want == n) | (have == n)).sum() for n in labels]))


def nearest_segment(picture: RgbArray) -> NDArray[np.int64]:
    """Number of the nearest label in `palette.SEGMENT_COLOURS` of each pixel, (height, width)."""
    palette = np.asarray(list(SEGMENT_COLOURS.values()))
    # a map has few colours, a photo many: each is looked up once, some thousands at a time
    packed = picture.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    colours, where = np.unique(packed, return_inverse=True)
    rows = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=-1)
    nearest = [
        ((rows[start : start + 4096, None] - palette) ** 2).sum(axis=-1).argmin(axis=-1)
        for start in range(0, len(rows), 4096)
    ]
    return np.asarray(np.concatenate(nearest)[where].reshape(packed.shape))


def edge_f1(wanted: RgbArray, got: RgbArray) -> float:
    """F1 of white pixels of two edge maps."""
    want, have = (picture.mean(axis=-1) > 127 for picture in (wanted, got))
    both = float((want & have).sum())
    return 1.0 if not want.any() and not have.any() else 2 * both / max(1.0, float(want.sum() + have.sum()))


_KIND_OF = {name: kind for table in KIND.values() for kind, names in table.items() for name in names}


def told_boxes(text: str) -> list[Box]:
    """The boxes of an answer `name x0 y0 x1 y1; ...`, in cells; what is no box is left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnswerWarning)
        found = read_detections(text.lower(), (1, 1))
    return [Box(_KIND_OF.get(one.label, one.label), one.box) for one in found]


def true_boxes(scene: Scene) -> list[Box]:
    """The boxes of a scene's objects, hats included."""
    return [Box(thing.kind, box_of(scene, thing)) for thing in scene.things]


def drawn_boxes(picture: RgbArray) -> list[Box]:
    """The frames of a picture, in reading order; a frame counts when it is closed and of one kind."""
    codes = cells(picture)
    starts = [at for at, code in np.ndenumerate(codes) if TILES[code][0] == "box" and TILES[code][2] == "tl"]
    return [box for row, column in starts if (box := _frame(codes[row:, column : column + 2], row, column))]


def _frame(codes: NDArray[np.int32], row: int, column: int) -> Box | None:
    """The frame that begins at the top of a strip two cells wide, if it is closed there."""
    kind = TILES[codes[0, 0]][1]
    top, side, end = ([CODE["box", kind, piece] for piece in pair] for pair in (("tl", "tr"), ("l", "r"), ("bl", "br")))
    sides = sum(1 for _ in takewhile(lambda pair: list(pair) == side, codes[1:]))
    if list(codes[0]) != top or 1 + sides == len(codes) or list(codes[1 + sides]) != end:
        return None
    return Box(kind, (column, row, column + 2, row + sides + 2))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes; 0 for boxes of different kinds."""
    left, top = (max(one.edges[side], other.edges[side]) for side in (0, 1))
    right, bottom = (min(one.edges[side], other.edges[side]) for side in (2, 3))
    both = max(0, right - left) * max(0, bottom - top)
    return both / (_area(one) + _area(other) - both) if both and one.kind == other.kind else 0.0


def _area(box: Box) -> int:
    left, top, right, bottom = box.edges
    return (right - left) * (bottom - top)


def box_scores(wanted: list[Box], got: list[Box]) -> Scores:
    """`iou` and `found` (IoU over 0.5) of each wanted box, greedily matched; `extra`: boxes that find nothing."""
    pairs = [(overlap(one, other), i, j) for i, one in enumerate(wanted) for j, other in enumerate(got)]
    scores, free_i, free_j = [0.0] * len(wanted), set(range(len(wanted))), set(range(len(got)))
    for score, i, j in sorted(pairs, key=lambda pair: -pair[0]):
        if i in free_i and j in free_j:
            scores[i] = score
            free_i.remove(i)
            free_j.remove(j)
    found = [float(score > 0.5) for score in scores]
    extra = len(got) - sum(found)
    return {"all": [float(all(found) and not extra)], "iou": scores, "found": found, "extra": [extra]}


def score(sample: Sample, made: RgbArray | str) -> Scores:
    """What the judge says of a picture or an answer that was made of a sample; figures are 0..1 except `extra`."""
    task = sample.task.split(":")[0]
    if isinstance(made, str):
        answer = sample.answer or ""
        right = {"all": [float(made.strip().lower() == answer.strip().lower())]}
        return (
            {"exact": right["all"], **box_scores(told_boxes(answer), told_boxes(made))} if task == "detect" else right
        )
    assert sample.target is not None
    same = cells(made) == sample.target
    scores = {"exact": [float(same.all())]}
    if task == "segmentation":
        return scores | {"all": [segment_score(pixels(sample.target), made)]}
    if task == "edges":
        return scores | {"all": [edge_f1(pixels(sample.target), made)]}
    if task == "boxes":
        return scores | box_scores(true_boxes(sample.scenes[-1]), drawn_boxes(made))
    verdict = judge_scene(sample.scenes[-1], read(made), sample.said)
    scores |= {name: [float(value)] for name, value in verdict.items()}
    kept = sample.target == sample.sources[0] if task in ("edit", "compound") else np.zeros_like(same)
    return scores | ({"kept": [float(same[kept].mean())]} if kept.any() else {})
