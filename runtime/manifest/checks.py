"""Whether the parts of a manifest agree with each other. Every check tells `refuse` the field and the reason."""

from collections.abc import Callable
from typing import Final, TypeAlias

from .abilities import Ability, AbilityName, Reading
from .graphs import Graph, GraphRole, Table
from .guidance import Guidance, Sampling
from .pictures import Codes, Grid, Preprocess
from .prompts import ImageBlock

Refuse: TypeAlias = Callable[[str, str], None]  # called with the field and the reason; raises
Abilities: TypeAlias = dict[AbilityName, Ability]
Graphs: TypeAlias = dict[GraphRole, Graph]

MAX_PAINTED: Final = 2**26  # pixels

# What an ability gives, where that is not an image.
_GIVES: Final[dict[AbilityName, str]] = {
    "ask": "text",
    "interleave": "interleaved",
    "detect": "detections",
    "understand": "text",
}

# The graphs that read a picture, and those that give an ability's output.
_READERS: Final[dict[Reading, tuple[GraphRole, ...]]] = {
    "codes": ("image_tokenizer",),
    "vision_encoder": ("vision_encoder",),
    "both": ("vision_encoder", "image_tokenizer"),
}
_NEEDED: Final[dict[str, tuple[GraphRole, ...]]] = {
    "image": ("backbone", "image_head", "image_decoder"),
    "text": ("backbone", "text_head"),
    "interleaved": ("backbone", "text_head", "image_head", "image_decoder"),
    "detections": ("backbone", "text_head"),
}


def check_tables(
    token_embedding: Table, code_embedding: Table | None, hidden_size: int, codes: Codes, refuse: Refuse
) -> None:
    """Refuse tables without an embedding for every token and code."""
    if token_embedding.shape[1] != hidden_size:
        refuse("token_embedding.shape", f"is not (tokens, {hidden_size})")
    tokens = token_embedding.shape[0]
    if code_embedding is None:
        if codes.first_token + codes.count > tokens:
            refuse("codes", f"ends after the last of {tokens} tokens")
    elif code_embedding.shape != (codes.count, hidden_size):
        refuse("code_embedding.shape", f"is not ({codes.count}, {hidden_size})")
    elif codes.first_token != tokens:
        refuse("codes.first_token", f"is not {tokens}, the first after the tokens, though code_embedding is given")


def check_grid(grid: Grid, cell: int, refuse: Refuse) -> None:
    """Refuse bounds that allow no grid or pictures beyond measure, and a default outside of them."""
    if grid.cells[1] * cell**2 > MAX_PAINTED:
        refuse("grid.cells", f"allows pictures of {grid.cells[1] * cell**2} pixels; {MAX_PAINTED} are the most")
    for field, (low, high) in {"rows": grid.rows, "columns": grid.columns, "cells": grid.cells}.items():
        if low > high:
            refuse(f"grid.{field}", f"has its lower bound {low} above its upper bound {high}")
    rows, columns = grid.default
    inside = (
        grid.rows[0] <= rows <= grid.rows[1]
        and grid.columns[0] <= columns <= grid.columns[1]
        and grid.cells[0] <= rows * columns <= grid.cells[1]
        and max(rows, columns) <= min(rows, columns) * grid.max_ratio + 1e-9
        and rows % grid.step == columns % grid.step == 0
    )
    if not inside:
        refuse("grid.default", f"({rows} rows, {columns} columns) is outside the grid's own bounds")
    if grid.kind == "fixed" and (grid.rows, grid.columns, grid.cells) != (
        (rows, rows),
        (columns, columns),
        (rows * columns, rows * columns),
    ):
        refuse("grid.default", "is not the only grid within the bounds, though grid.kind is fixed")


def check_preprocess(preprocess: Preprocess, refuse: Refuse) -> None:
    """Refuse limits that allow no size, and two rules for the size at once."""
    if preprocess.min_pixels > preprocess.max_pixels:
        refuse("preprocess.min_pixels", "is above max_pixels")
    if (square := preprocess.fit_pad_square) is not None:
        if not preprocess.min_pixels == preprocess.max_pixels == square.side**2:
            refuse("preprocess", f"has other limits than the {square.side**2} pixels of fit_pad_square")
        if square.min_side > square.side:
            refuse("preprocess.fit_pad_square.min_side", "is above side")
        if preprocess.cover is not None:
            refuse("preprocess.cover", "stands beside fit_pad_square; a picture is cropped or padded")
    if preprocess.smart_resize and (square is not None or preprocess.cover is not None):
        refuse("preprocess.smart_resize", "stands beside cover or fit_pad_square, which have sizes of their own")


def check_guidance(guidance: Guidance, block: ImageBlock, refuse: Refuse) -> None:
    """Refuse branches that lack a field of their kind or have a field of another kind."""
    kinds = {branch.kind for branch in guidance.branches}
    if kinds.isdisjoint({"pad_codes", "pad_middle"}) != (guidance.pad is None):
        refuse("guidance.pad", "is given if and only if a branch is of kind pad_codes or pad_middle")
    if any(branch.image_scale for branch in guidance.branches) != (guidance.default_image_scale is not None):
        refuse("guidance.default_image_scale", "is given if and only if a branch has an image_scale")
    for branch in guidance.branches:
        if branch.prompt and branch.kind != "template":
            refuse("guidance.branches", f"gives a prompt to a branch of kind {branch.kind}; template has one")
        if branch.kind == "template" and not (branch.prompt or block.open):
            refuse("guidance.branches", "has a template without any token")
        if any(piece.field not in (None, "text", "images") for piece in branch.prompt):
            refuse("guidance.branches", "names a size, which only prompts and image_block.open may")


def check_opener(block: ImageBlock, refuse: Refuse) -> None:
    """Refuse an opener with fields that only a prompt can fill."""
    if any(piece.field not in (None, "rows", "columns") for piece in block.open):
        refuse("image_block.open", "names text, images or pixels, which only a prompt may")


def check_readings(abilities: Abilities, block: ImageBlock, preprocess: Preprocess, refuse: Refuse) -> None:
    """Refuse features of a vision encoder where pictures have rows or no square of their own."""
    for field, reads in {
        "image_block.features": block.features,
        **{f"abilities.{name}.reads": ability.reads for name, ability in abilities.items()},
    }.items():
        if reads not in ("vision_encoder", "both"):
            continue
        if block.row_suffix:
            refuse("image_block.row_suffix", "stands between rows, which features of vision_encoder do not have")
        if preprocess.fit_pad_square is None:
            refuse(field, f"is {reads}, which needs preprocess.fit_pad_square")
        if any(piece.field is not None for piece in block.open):
            refuse("image_block.open", "names rows or columns, which features of vision_encoder do not have")


def check_sampling(sampling: Sampling, abilities: Abilities, head: Graph | None, refuse: Refuse) -> None:
    """Refuse a top-p that the image head cannot apply."""
    for field, drawn in {
        "sampling": sampling,
        **{f"abilities.{name}.sampling": ability.sampling for name, ability in abilities.items()},
    }.items():
        if drawn is None or drawn.top_p == 1:
            continue
        if head is None or "top_p" not in {tensor.name for tensor in head.inputs}:
            refuse(f"{field}.top_p", f"is {drawn.top_p}, but the graph image_head has no input of that name")


def check_domain_graphs(graphs: Graphs, refuse: Refuse) -> None:
    """Refuse a domain without the graphs that encode and decode its pictures."""
    roles: tuple[GraphRole, ...] = ("image_tokenizer", "image_decoder")
    for role in roles:
        if role not in graphs:
            refuse("domain", f"needs the graph {role}, which the bundle lacks")


def check_ability(name: AbilityName, ability: Ability, graphs: Graphs, reading: Reading, refuse: Refuse) -> None:
    """Refuse an ability whose output does not match its name, or that lacks a graph or a field."""
    gives = _GIVES.get(name, "image")
    if ability.output != gives:
        refuse(f"abilities.{name}.output", f"is {ability.output}; {name} gives {gives}")
    for role in _NEEDED[ability.output] + (_READERS[reading] if ability.images[1] else ()):
        if role not in graphs:
            refuse(f"abilities.{name}", f"needs the graph {role}, which the bundle lacks")
    if any(piece.field in ("rows", "columns") for piece in ability.prompt):
        refuse(f"abilities.{name}.prompt", "names rows or columns, which only image_block.open may")
    if ability.output != "image" and any(piece.field in ("width", "height") for piece in ability.prompt):
        refuse(f"abilities.{name}.prompt", "names a width or height, but the ability gives no picture")
    if (ability.images[1] > 0) != any(piece.field == "images" for piece in ability.prompt):
        refuse(f"abilities.{name}", "takes pictures if and only if its prompt has a field images")
    if ability.images[0] > ability.images[1]:
        refuse(f"abilities.{name}.images", "has its lower bound above its upper bound")
    if ability.unknown is not None and name != "understand":
        refuse(f"abilities.{name}.unknown", "is given; only understand names what the model does not know")
    if ability.output == "detections" and reading != "codes":
        refuse(f"abilities.{name}", "gives boxes in cells of a picture's codes, which the model does not read")


def check_interleave(reading: Reading, block: ImageBlock, grid: Grid, guidance: Guidance, refuse: Refuse) -> None:
    """Refuse interleaving where the runtime could not paint a picture that the model begins."""
    if len(block.open) != 1 or block.open[0].token is None:
        refuse("image_block.open", "is not one token, at which a picture of interleave could begin")
    kinds = {branch.kind for branch in guidance.branches}
    if grid.kind != "fixed" or reading != "codes" or not kinds <= {"prompt", "template"}:
        refuse(
            "abilities.interleave",
            "needs a fixed grid, pictures read as codes, and branches of kind prompt or template alone",
        )
