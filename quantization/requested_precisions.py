"""What `--module PATTERN=KIND` says: other precisions for modules and layers, and the choice that comes of it."""

import dataclasses
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from edgevlo.runtime.arguments import wrong_type
from edgevlo.runtime.errors import RequestError

from .precision_recipes import (
    BFLOAT,
    FLOAT32,
    FP8,
    FP8_TARGETS,
    GPU_INT8,
    HALF,
    INT4,
    INT8,
    LARGE_BLOCK,
    TARGET_HALF,
    Blocks,
    Method,
    Module,
    Recipe,
    Weights,
)

# What an override can give one module or layer instead of its recipe.
KINDS: Final[dict[str, Weights]] = {
    "fp32": FLOAT32, "fp16": HALF, "bf16": BFLOAT, "fp8": FP8, "int8": INT8, "int4": INT4,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Override:
    """The precision of modules or layers whose names fit `pattern` (`*` is anything), instead of the recipe's."""

    pattern: str
    weights: Weights

    def fits(self, name: str) -> bool:
        """Whether the pattern matches this module or layer."""
        return fnmatchcase(name, self.pattern)


@dataclass(frozen=True, slots=True)
class Choice:
    """A recipe and the overrides of it; of two that match, the later wins. `default` is what neither names."""

    recipe: Recipe
    overrides: tuple[Override, ...] = ()
    default: Weights = FLOAT32

    def of(self, module: Module, layer: str = "") -> Weights:
        """Return the precision of a module, or of one linear layer in it."""
        for override in reversed(self.overrides):
            if override.fits(module) or (layer and override.fits(layer)):
                return override.weights
        return self.recipe.get(module, self.default)

    @property
    def blocks(self) -> frozenset[Blocks]:
        """Every way in which weights are quantised in blocks."""
        found = (*self.recipe.values(), *(one.weights for one in self.overrides))
        return frozenset(weights for weights in found if isinstance(weights, Blocks))

    def with_blocks(self, method: Method | None, block_size: int | None) -> "Choice":
        """Return the same with another method or block size wherever weights are quantised in blocks."""
        changes = {"method": method, "block_size": block_size}
        given = {name: value for name, value in changes.items() if value is not None}

        def changed(weights: Weights) -> Weights:
            return dataclasses.replace(weights, **given) if isinstance(weights, Blocks) else weights  # type: ignore[arg-type]

        recipe = {module: changed(weights) for module, weights in self.recipe.items()}
        overrides = tuple(Override(one.pattern, changed(one.weights)) for one in self.overrides)
        return Choice(recipe, overrides, self.default)

    def in_large_blocks(self) -> "Choice":
        """Return the same with the modules that the recipe gives four bits in blocks of `LARGE_BLOCK`."""

        def changed(weights: Weights) -> Weights:
            if isinstance(weights, Blocks) and weights.bits == 4:
                return dataclasses.replace(weights, block_size=LARGE_BLOCK)
            return weights

        return dataclasses.replace(self, recipe={module: changed(weights) for module, weights in self.recipe.items()})

    def overridden(self, *overrides: Override) -> "Choice":
        """Return the same with further overrides."""
        return dataclasses.replace(self, overrides=(*self.overrides, *overrides))


def override(text: str, target: str) -> Override:
    """Read `PATTERN=KIND`, such as `*.down_proj=int8`; raise `RequestError` for anything else."""
    if not isinstance(text, str):
        raise wrong_type("overrides", text, "PATTERN=KIND")
    pattern, _, kind = text.rpartition("=")
    if not pattern or kind not in KINDS:
        raise RequestError(f"`overrides={text!r}` is not of the form PATTERN={'|'.join(KINDS)}.")
    if kind == "fp8" and target not in FP8_TARGETS:
        raise RequestError(f"`overrides={text!r}`: only targets {' and '.join(FP8_TARGETS)} support fp8 weights.")
    if target == "cpu":
        return Override(pattern, KINDS[kind])
    if kind == "bf16":
        raise RequestError(f"`overrides={text!r}`: on {target} the half precision is that of `weights`; write fp16.")
    on_gpus: dict[str, Weights] = {"fp16": TARGET_HALF, "int8": GPU_INT8}
    return Override(pattern, on_gpus.get(kind, KINDS[kind]))
