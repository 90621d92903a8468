"""The parts of a bundle whose weights can be chosen apart from each other. Quantises nothing."""

from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import onnx_ir as ir

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import Manifest

from .passes.matmul_nbits import products
from .recipes import Blocks, Choice, Float8, Float32, Half, Module, Override, Weights, changes_numbers

# What is made more precise for a bundle's limits to hold, unless an override says what it is to be.
RAISED: Final[tuple[GraphRole, ...]] = ("image_decoder", "vision_encoder")


def named_products(bundle: Path, manifest: Manifest) -> dict[GraphRole, tuple[str, ...]]:
    """Return the names of every graph's products with weights."""
    return {
        role: tuple(str(node.name) for node in products(ir.load(bundle / graph.file).graph))
        for role, graph in manifest.graphs.items()
    }


def chosen(names: Iterable[str], role: GraphRole, choice: Choice) -> dict[Weights, frozenset[str]]:
    """Return which products of a graph become what; those that stay float are left out."""
    found: dict[Weights, set[str]] = defaultdict(set)
    for name in names:
        weights = choice.of(role, name)
        if weights is not None:
            found[weights].add(name)
    return {weights: frozenset(members) for weights, members in found.items()}


def layers(names: dict[GraphRole, tuple[str, ...]], choice: Choice) -> dict[str, frozenset[str]]:
    """Return what a choice would quantise, by products: together as the attention or the MLP of a layer, or alone.

    A layer is called what its products' names have in common, `model.layers.3.mlp`; a product alone has its own name.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for role, members in names.items():
        for name in members:
            if changes_numbers(choice.of(role, name)):
                found[name.rpartition(".")[0] or name].add(name)
    return {layer if len(members) > 1 else min(members): frozenset(members) for layer, members in found.items()}


def check(choice: Choice, names: dict[GraphRole, tuple[str, ...]], target: str = "cpu") -> None:
    """Raise `RequestError` for an override that means nothing here."""
    modules: list[Module] = ["tables", *names]
    known = [*modules, *(name for members in names.values() for name in members)]
    for place, one in enumerate(choice.overrides):
        if not any(map(one.fits, known)):
            near = get_close_matches(one.pattern.strip("*."), known, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"modules are {', '.join(modules)}."
            raise RequestError(f"no module and no product is called {one.pattern!r}; {hint}")
        pairs = [(role, name) for role, members in names.items() for name in members]
        taken = [(role, name) for role, name in pairs if one.fits(role) or one.fits(name)]
        if isinstance(one.weights, Blocks | Float8) and not taken and not one.fits("tables"):
            raise RequestError(
                f"{one.pattern!r} holds no linear layers, which alone become {one.weights.precision}; fp16 is possible."
            )
        if isinstance(one.weights, Float32):
            _check_whole(one, names)
        pinned = any(one.fits(role) for role in RAISED if role in names)
        before = Choice(choice.recipe, choice.overrides[:place])
        if target != "cpu" and one.weights is None and not pinned and not any(before.of(*pair) for pair in taken):
            raise RequestError(f"{one.pattern!r} is not quantised for {target}, so it cannot be left out of it.")


def _check_whole(one: Override, names: dict[GraphRole, tuple[str, ...]]) -> None:
    """Raise `RequestError` unless an override to float32 means whole modules that a GPU can have in it."""
    if one.fits("backbone") or one.fits("tables") or not any(map(one.fits, names)):
        able = [role for role in names if role != "backbone"]
        raise RequestError(
            f"{one.pattern!r} cannot be fp32 on a GPU, where whole modules can, but the backbone and the tables: "
            f"{', '.join(able)}."
        )


def check_tables(choice: Choice) -> None:
    """Raise `RequestError` for a kind of weights that tables cannot have."""
    weights = choice.of("tables")
    if isinstance(weights, Float8 | Float32) or (isinstance(weights, Half) and weights.precision != "fp16"):
        raise RequestError(
            f"tables cannot be {weights.precision}, only fp32, fp16, int8 or int4; say which: --module tables=fp16."
        )
