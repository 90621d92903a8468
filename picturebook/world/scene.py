"""The scene graph of the little world: what a picture shows, sampled by seed.

It knows names and rules of the world only; `scene_to_codes.py` turns it into codes, `atlas.py` those into pixels, and
`language/` into words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from random import Random

COLOURABLE = (
    "car", "house", "tree", "flower", "dog", "cat", "person", "boat", "bus", "bird", "balloon", "mushroom",
)  # fmt: skip
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
OWN = "own"  # colour of what is drawn in colours of its own, which nobody can choose
PLACES = ("meadow", "city", "beach", "snow", "forest", "mountains", "park", "desert")
TIMES = ("day", "sunset", "night")
WEATHERS = ("clear", "cloudy", "rain", "snowfall")
STYLES = ("flat", "line", "retro", "oil", "watercolour", "pixel")


@dataclass(frozen=True)
class Clipart:
    """A kind that is drawn in colours of its own.

    `drawing` is its name in Fluent Emoji Flat, `general` the recolourable kind that it is one of (empty: none),
    `colours` are those that it may be said to have.
    """

    name: str
    drawing: str
    general: str
    hatted: bool
    colours: tuple[str, ...]


def _clipart() -> Iterator[Clipart]:
    for line in (Path(__file__).parent / "clipart.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(": ")
            drawing, general, hat, colours = (part.strip() for part in rest.split(";"))
            yield Clipart(name, drawing, general.strip("-"), hat == "hat", tuple(colours.strip("-").split()))


CLIPARTS = {one.name: one for one in _clipart()}
CLIPART = tuple(CLIPARTS)
DRAWINGS = {one.name: one.drawing for one in CLIPARTS.values()}
KINDS = COLOURABLE + CLIPART
IS_A = {one.name: one.general for one in CLIPARTS.values() if one.general}  # `owl` is one sort of `bird`
HATTED = ("dog", "cat", "person", *(one.name for one in CLIPARTS.values() if one.hatted))
CLIPART_SHARE = 0.45  # of the things in training pictures

SIGN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
MAX_SIGN = 6

DEFAULT_GRID = (8, 8)
# (rows, columns); between 1:3 and 3:1 around 64 cells, large squares, and long strips
GRIDS = (
    (8, 8), (6, 10), (10, 6), (5, 12), (12, 5), (12, 4), (5, 15), (15, 5), (8, 6), (6, 8),
    (8, 10), (10, 8), (6, 6), (5, 8), (8, 5), (7, 9), (9, 7), (5, 24), (24, 5), (8, 12), (11, 6), (8, 16), (16, 8),
    (10, 10), (12, 12), (10, 12), (12, 10), (9, 12), (12, 9), (9, 16), (16, 9),
)  # fmt: skip
# little room around the objects: most to learn per token
DENSE_GRIDS = ((5, 6), (5, 6), (8, 6))
# never trained on, only judged
HELD_OUT_GRIDS = (
    (7, 7), (9, 9), (11, 11), (6, 12), (12, 6), (5, 10), (10, 5), (6, 9), (9, 6), (7, 12), (8, 14), (14, 7),
)  # fmt: skip
MIN_ROWS, MIN_COLUMNS, MAX_SIDE, MAX_CELLS, MAX_RATIO = 5, 4, 24, 160, 5
ANY_GRIDS = tuple(
    (rows, columns)
    for rows in range(MIN_ROWS, MAX_SIDE + 1)
    for columns in range(MIN_COLUMNS, MAX_SIDE + 1)
    if rows * columns <= MAX_CELLS
    and max(rows, columns) <= MAX_RATIO * min(rows, columns)
    and (rows, columns) not in HELD_OUT_GRIDS
)
_ANY_GRIDS_SHARES = tuple(accumulate(1 / (rows * columns) for rows, columns in ANY_GRIDS))


@dataclass(frozen=True)
class Thing:
    """One object: 2x2 cells, standing in a column slot at a depth (0 is farthest back); clip art's colour is `OWN`."""

    kind: str
    colour: str
    column: int
    depth: int
    hat: str | None = None


@dataclass(frozen=True)
class Scene:
    """Everything one picture shows; `things` are in reading order."""

    things: tuple[Thing, ...] = ()
    place: str = "meadow"
    time: str = "day"
    weather: str = "clear"
    style: str = "flat"
    sign: str | None = None
    rows: int = 8
    columns: int = 8

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns


def depth_slots(rows: int) -> int:
    """How many depths a picture of `rows` rows has: two rows of sky, then three rows each."""
    return (rows - 2) // 3


def column_slots(columns: int) -> dict[str, int]:
    """Name of each column slot -> its first cell column."""
    if columns >= 6:
        return {"left": 0, "middle": (columns - 2) // 2, "right": columns - 2}
    if columns >= MIN_COLUMNS:
        return {"left": 0, "right": columns - 2}
    raise ValueError(f"a picture needs at least {MIN_COLUMNS} columns, got {columns}")


def slots(rows: int, columns: int) -> list[tuple[int, int]]:
    """All (depth, column slot index) of a grid, in reading order."""
    if rows < MIN_ROWS:
        raise ValueError(f"a picture needs at least {MIN_ROWS} rows, got {rows}")
    return [(depth, column) for depth in range(depth_slots(rows)) for column in range(len(column_slots(columns)))]


def column_name(scene: Scene, thing: Thing) -> str:
    """`left`, `middle` or `right`."""
    return list(column_slots(scene.columns))[thing.column]


def depth_of(rows: int, depth: int) -> str | None:
    """`back` or `front`; None when a picture of so many rows has only one depth."""
    depths = depth_slots(rows)
    if depths == 1:
        return None
    return "back" if depth < depths / 2 else "front"


def depth_name(scene: Scene, thing: Thing) -> str | None:
    """`back` or `front`; None when the picture has only one depth."""
    return depth_of(scene.rows, thing.depth)


def cell_of(scene: Scene, thing: Thing) -> tuple[int, int]:
    """Top left cell (row, column) of the object's 2x2 cells; a hat stands in the row above."""
    return 3 + 3 * thing.depth, list(column_slots(scene.columns).values())[thing.column]


def in_order(things: list[Thing]) -> tuple[Thing, ...]:
    """The things in reading order: back to front, left to right."""
    return tuple(sorted(things, key=lambda thing: (thing.depth, thing.column)))


def free_slots(scene: Scene) -> list[tuple[int, int]]:
    """Slots (depth, column) where nothing stands."""
    taken = {(thing.depth, thing.column) for thing in scene.things}
    return [slot for slot in slots(*scene.grid) if slot not in taken]


def default_slot(scene: Scene, column: int | None = None) -> tuple[int, int] | None:
    """Where a new object goes when nothing more is said: the first free slot (of a column), front before back."""
    free = [slot for slot in free_slots(scene) if column in (None, slot[1])]
    return min(free, key=lambda slot: (-slot[0], slot[1])) if free else None


def with_thing(scene: Scene, old: Thing | None, new: Thing | None) -> Scene:
    """The scene with `old` taken out and `new` put in."""
    things = [thing for thing in scene.things if thing != old]
    return replace(scene, things=in_order([*things, *([new] if new else [])]))


_KIND_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
_COLOUR_NUMBER = {colour: number for number, colour in enumerate((*COLOURS, OWN))}


def is_held_out(scene: Scene) -> bool:
    """True for one in eight combinations of kind, colour, place and time: never trained on, only judged."""
    place, time = PLACES.index(scene.place), TIMES.index(scene.time)
    return any(
        (_KIND_NUMBER[thing.kind] * 3 + _COLOUR_NUMBER[thing.colour] * 5 + place * 2 + time * 7) % 8 == 0
        for thing in scene.things
    )


def is_a(thing: Thing, kind: str) -> bool:
    """Whether a thing is of a kind, or of one of its sorts: an owl is a bird."""
    return kind in (thing.kind, IS_A.get(thing.kind))


def sample_kind(rng: Random, clipart: float = CLIPART_SHARE) -> str:
    """Any kind; clip art in this share of the cases."""
    return rng.choice(CLIPART if rng.random() < clipart else COLOURABLE)


def sample_colour(rng: Random, kind: str) -> str:
    """A colour that a kind may have."""
    return OWN if kind in DRAWINGS else rng.choice(COLOURS)


def longest_sign(columns: int) -> int:
    """Characters a sign may have: some horizon must stay in sight on both sides."""
    return min(MAX_SIGN, columns - 2)


def sample_word(rng: Random, real: float = 0.3) -> str:
    """A word for the sign: a real one in a share of the cases, else a made-up one."""
    words = ("cafe", "shop", "open", "hello", "hotel", "zoo", "park", "sale", "taxi", "stop", "love", "bar", "home",
             "book", "milk", "tea", "fish", "exit", "go", "hi", "vlo", "edge", "music", "pizza", "school", "happy",
             "2024", "2026", "24", "100")  # fmt: skip
    if rng.random() < real:
        return rng.choice(words)
    return "".join(rng.choice(SIGN_CHARACTERS) for _ in range(rng.randint(2, MAX_SIGN)))


def sample_any_grid(rng: Random) -> tuple[int, int]:
    """Any grid that is not held out; the smaller its area, the likelier."""
    return rng.choices(ANY_GRIDS, cum_weights=_ANY_GRIDS_SHARES)[0]


def sample_grid(rng: Random, default: float, dense: float) -> tuple[int, int]:
    """The default grid, a dense one, each in a share of the cases, else half of the time an ordinary one, else any."""
    other = (1 - default - dense) / 2
    return rng.choices(
        (DEFAULT_GRID, rng.choice(DENSE_GRIDS), rng.choice(GRIDS), sample_any_grid(rng)), (default, dense, other, other)
    )[0]


def sample_scene(
    rng: Random,
    things: int,
    grid: tuple[int, int] = DEFAULT_GRID,
    *,
    free_style: float = 0.35,
    sign: float = 0.06,
    distinct_kinds: float = 0.85,
    hats: float = 0.3,
    real_words: float = 0.3,
    clipart: float = 0.0,
) -> Scene:
    """A random scene with `things` objects (fewer where the grid has no room); `clipart` is the share of those."""
    distinct = rng.random() < distinct_kinds
    alike = not distinct and rng.random() < 0.4  # `three red cars`, all at the front
    standing = [slot for slot in slots(*grid) if not alike or depth_of(grid[0], slot[0]) != "back"]
    places = rng.sample(standing, min(things, len(standing)))
    kinds = rng.sample(COLOURABLE, len(places)) if distinct else rng.choices(COLOURABLE, k=len(places))
    kinds = [rng.choice(CLIPART) if clipart and rng.random() < clipart else kind for kind in kinds]
    colours = [sample_colour(rng, kind) for kind in kinds]
    if alike:
        kinds, colours = kinds[:1] * len(places), colours[:1] * len(places)
    made = []
    for kind, hue, (depth, column) in zip(kinds, colours, places, strict=True):
        hat = rng.choice(COLOURS) if kind in HATTED and not alike and rng.random() < hats else None
        made.append(Thing(kind, hue, column, depth, hat))
    word = sample_word(rng, real_words)[: longest_sign(grid[1])] if rng.random() < sign else None
    return Scene(
        things=in_order(made),
        place=rng.choice(PLACES),
        time=rng.choice(TIMES) if rng.random() < 0.7 else "day",
        weather=rng.choice(WEATHERS) if rng.random() < 0.6 else "clear",
        style=rng.choice(STYLES) if rng.random() < free_style else "flat",
        sign=word,
        rows=grid[0],
        columns=grid[1],
    )
