"""What becomes of an image decoder or vision encoder that alone keeps a bundle below its limits: it is more precise.

First it goes without quantised activations, then, on a GPU, to float32; never against what was asked for by name.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from edgevlo.calibration.evaluation.gate import Verdict
from edgevlo.calibration.evaluation.limits import FIGURES
from edgevlo.runtime.manifest.graphs import GraphRole

from . import Override, Static, override
from .modules import RAISED
from .recipes import Choice
from .static import ROLES

_FOLLOWING: Final = "picture_"  # figures that the decoder moves, and the codes too


@dataclass(frozen=True, slots=True)
class Raised:
    """Modules that are more precise than was asked for; what was asked for is where it begins."""

    target: str
    choice: Choice
    static: Static | None
    names: Mapping[GraphRole, tuple[str, ...]]  # of the modules' products
    whole: tuple[Override, ...] = ()
    now: dict[GraphRole, str] = field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """What is more precise, as part of a sentence."""
        return " and ".join(f"{module} is {now}" for module, now in self.now.items())

    def check(self, found: Verdict, *, certainly: bool) -> None:
        """Raise `MorePreciseError` where a module misses its limits and can be more precise.

        Unless it is wanted `certainly`, not where a limit is missed that no such module has to do with.
        """
        guilty = [FIGURES[name].module for name in found.missed if not name.startswith(_FOLLOWING)]
        if None in guilty and not certainly:
            return
        for module in guilty:
            if module in RAISED and (higher := self._higher(module)) is not None:
                raise MorePreciseError(higher)

    def _higher(self, module: GraphRole) -> "Raised | None":
        if any(one.fits(name) for one in self.choice.overrides for name in (module, *self.names[module])):
            return None  # it is what it was asked to be
        static = self.static
        if static is not None and static.activations is not None and module in static.among(ROLES[self.target]):
            kept = dataclasses.replace(static, keep=(*static.keep, module))
            return dataclasses.replace(self, static=kept, now=self.now | {module: "without quantised activations"})
        if self.target == "cpu" or any(one.fits(module) for one in self.whole):
            return None
        whole = (*self.whole, override(f"{module}=fp32", self.target))
        return dataclasses.replace(self, whole=whole, now=self.now | {module: "fp32"})


class MorePreciseError(Exception):
    """A bundle was below its limits, and a more precise one is to be made instead."""

    def __init__(self, raised: Raised) -> None:
        super().__init__(raised.in_words)
        self.raised = raised
