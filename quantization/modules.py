"""The modules and linear layers of a bundle whose precision can be chosen one by one. Quantises nothing."""

from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import onnx_ir as ir

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import Manifest

from .fallbacks import FALLBACK_ROLES, Names
from .passes._graph import matmuls
from .precision_recipes import Blocks, Float8, Float32, Half, Module, TargetHalf, Weights, is_quantised
from .requested_precisions import Choice, Override


def linear_layer_names(bundle: Path, manifest: Manifest) -> Names:
    """Return the names of every graph's linear layers."""
    return {
        role: tuple(str(node.name) for node in matmuls(ir.load(bundle / graph.file).graph))
        for role, graph in manifest.graphs.items()
    }


def by_weights(names: Iterable[str], role: GraphRole, choice: Choice) -> dict[Weights, frozenset[str]]:
    """Return the linear layers of a graph by their precision; those that stay float are left out."""
    found: dict[Weights, set[str]] = defaultdict(set)
    for name in names:
        weights = choice.of(role, name)
        if not isinstance(weights, Float32 | TargetHalf):
            found[weights].add(name)
    return {weights: frozenset(members) for weights, members in found.items()}


def quantised_blocks(names: Names, choice: Choice) -> dict[str, frozenset[str]]:
    """Return the linear layers that a choice quantises, in groups: the attention or the MLP of a layer, or one alone.

    A group is called by what its layers' names have in common, `model.layers.3.mlp`; one alone by its own name.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for role, members in names.items():
        for name in members:
            if is_quantised(choice.of(role, name)):
                found[name.rpartition(".")[0] or name].add(name)
    return {group if len(members) > 1 else min(members): frozenset(members) for group, members in found.items()}


def check_overrides(choice: Choice, names: Names, target: str = "cpu") -> None:
    """Raise `RequestError` for an override that matches nothing or changes nothing in a bundle."""
    modules: list[Module] = ["tables", *names]
    known = [*modules, *(name for members in names.values() for name in members)]
    for place, one in enumerate(choice.overrides):
        if not any(map(one.fits, known)):
            near = get_close_matches(one.pattern.strip("*."), known, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"modules are {', '.join(modules)}."
            raise RequestError(f"`overrides` names {one.pattern!r}, which matches no module and no layer; {hint}")
        pairs = [(role, name) for role, members in names.items() for name in members]
        taken = [(role, name) for role, name in pairs if one.fits(role) or one.fits(name)]
        if isinstance(one.weights, Blocks | Float8) and not taken and not one.fits("tables"):
            raise RequestError(f"{one.pattern!r} has no linear layers to become {one.weights.precision}; choose fp16.")
        if isinstance(one.weights, Float32) and target != "cpu":
            _check_whole(one, names)
        pinned = one.fits("tables") or any(one.fits(role) for role in FALLBACK_ROLES if role in names)
        before = Choice(choice.recipe, choice.overrides[:place], choice.default)
        if (
            isinstance(one.weights, TargetHalf)
            and not pinned
            and all(isinstance(before.of(*pair), TargetHalf) for pair in taken)
        ):
            raise RequestError(f"{one.pattern!r} is not quantised for {target} anyway; leave it out of `overrides`.")


def _check_whole(one: Override, names: Names) -> None:
    """Raise `RequestError` unless an override to float32 means whole modules that can be float32 on a GPU."""
    if one.fits("backbone") or one.fits("tables") or not any(map(one.fits, names)):
        able = [role for role in names if role != "backbone"]
        raise RequestError(
            f"{one.pattern!r} cannot be fp32 on a GPU; only whole modules can, without backbone and tables: "
            f"{', '.join(able)}."
        )


def check_tables(choice: Choice) -> None:
    """Raise `RequestError` for a precision that embeddings cannot have."""
    weights = choice.of("tables")
    if isinstance(weights, Float8) or (isinstance(weights, Half) and weights.precision != "fp16"):
        raise RequestError(
            f"tables cannot be {weights.precision}, only fp32, fp16, int8 or int4; choose one, such as "
            "`overrides='tables=fp16'`."
        )
