"""Which ability a request uses: whether the opened model supports it, and how many pictures it takes."""

from .arguments import wrong_type
from .errors import AbilityError, RequestError
from .manifest.abilities import PERCEIVED, Ability, AbilityName
from .manifest.schema import Manifest


def ability_of(manifest: Manifest, name: AbilityName) -> Ability:
    """Return an ability of a model; raise `AbilityError`, which lists the supported ones, if it lacks it."""
    if not isinstance(name, str):
        raise wrong_type("name", name, "the name of an ability")
    ability = manifest.abilities.get(name)
    if ability is None:
        supported = ", ".join(sorted(manifest.abilities)) or "nothing"
        raise AbilityError(
            f"{manifest.name} (family {manifest.family}) does not support {name!r}. Supported: {supported}."
        )
    return ability


def perceived(manifest: Manifest, name: AbilityName) -> Ability:
    """Return an ability that paints from a picture alone; raise `RequestError` for another one."""
    ability = ability_of(manifest, name)
    if name not in PERCEIVED:
        raise RequestError(f"{name} is not painted from a picture alone, as {', '.join(PERCEIVED)} are.")
    return ability


def check_count(manifest: Manifest, name: AbilityName, count: int) -> None:
    """Raise `RequestError` unless the ability takes so many pictures."""
    low, high = ability_of(manifest, name).images
    if not low <= count <= high:
        takes = str(low) if low == high else f"{low} to {high}"
        raise RequestError(f"{name} takes {takes} picture(s), {count} given.")
