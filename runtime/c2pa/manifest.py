"""What a manifest says of a picture: how it was made and of which pictures. Knows neither keys nor the library."""

import datetime
from typing import Any, Final, Literal, TypeAlias

from ..pictures.origin import Origin
from ..pictures.write_marks import PRODUCER, SOURCE_TYPES

# Painted from words; an edit of the first source, with the others placed in it; a new picture of what is seen in them.
How: TypeAlias = Literal["painted", "edited", "perceived"]

_CLOCK_IS_SET: Final = 2026  # before this year the device's clock was never set, and its time is left out


def definition(how: How, source_type: str, sources: int, version: str, now: datetime.datetime) -> dict[str, Any]:
    """Return the manifest of a picture, without its ingredients, which are labelled as `ingredient` does."""
    labels = [_label(number) for number in range(sources)]
    kind = {"digitalSourceType": f"{SOURCE_TYPES}/{source_type}"}
    actions: list[dict[str, Any]]
    if how == "edited":
        actions = [
            {"action": "c2pa.opened", "parameters": {"ingredientIds": labels[:1]}},
            *({"action": "c2pa.placed", "parameters": {"ingredientIds": [label]}} for label in labels[1:]),
            {"action": "c2pa.edited", **kind},
        ]
    else:
        used = {"parameters": {"ingredientIds": labels}} if labels else {}
        actions = [{"action": "c2pa.created", **kind, **used}]
    if now.year >= _CLOCK_IS_SET:
        actions[-1]["when"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "claim_generator_info": [{"name": PRODUCER, "version": version}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def ingredient(number: int, how: How, origin: Origin) -> dict[str, str]:
    """Return what is said of a source beside its own manifest, which the library copies: nothing of its pixels."""
    relationship = "inputTo" if how == "perceived" else "parentOf" if number == 0 else "componentOf"
    said = {"title": f"picture {number + 1}", "relationship": relationship, "label": _label(number)}
    marks = [] if origin.source_type is None else [f"digital source type {origin.source_type}"]
    if origin.label is not None:
        marks.append("AIGC label " + ", ".join(f"{name} {value}" for name, value in origin.label.items())[:1000])
    return said | ({"description": "; ".join(marks)} if marks else {})


def _label(number: int) -> str:
    return f"source-{number + 1}"
