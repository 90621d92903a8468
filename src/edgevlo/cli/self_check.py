"""The figures of a self-check as the commands print them."""

import math
from typing import TYPE_CHECKING, Any

from .printing import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgevlo.runtime.manifest.schema import Manifest
    from edgevlo.runtime.self_check.report import Finding


def print_findings(manifest: "Manifest", found: "Sequence[Finding]", *, err: bool = False) -> None:
    """Print a figure a line, or why there are none."""
    if not found:
        say(f"self-check: {why_none(manifest)}.", err=err)
    for one in found:
        say(one.line, err=err)


def why_none(manifest: "Manifest") -> str:
    """Return why a bundle cannot be checked on a device."""
    entry = manifest.self_check
    if entry is not None:
        return f"no outputs were recorded when the bundle was made ({entry.absent})"
    return "the bundle has no record of its outputs; edgevlo quantize makes one"


def facts(found: "Sequence[Finding]") -> list[dict[str, Any]]:
    """Return the figures for JSON."""
    return [
        {
            "graph": one.graph,
            "figure": one.name,
            "value": one.value if math.isfinite(one.value) else None,  # JSON has no other numbers
            "limit": one.limit,
            "within": one.is_within,
        }
        for one in found
    ]
