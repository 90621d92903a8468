"""The cases that a bundle is calibrated on: requests to its own abilities, in turn and without end.

Without pictures, the model edits and answers about those that it paints itself. Runs nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import count as counted
from itertools import islice
from pathlib import Path
from typing import Final, get_args

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.abilities import AbilityName
from edgevlo.runtime.manifest.schema import Manifest

from .evaluation.cases import Case, Request, picture_files, read_requests, scale_of

SHIPPED: Final = Path(__file__).parent / "data" / "prompts.txt"
_NAMES: Final[tuple[AbilityName, ...]] = get_args(AbilityName)


def cases(manifest: Manifest, prompts: Path | None, pictures: Path | None, count: int) -> list[Case]:
    """Return `count` cases, the abilities in turn; raise `RequestError` or `PictureError` for files it cannot use."""
    if count < 1:
        raise RequestError(f"`count={count}` is too small; calibration needs at least one case.")
    lines = list(read_requests(SHIPPED if prompts is None else prompts))
    if prompts is None:
        lines = [line for line in lines if line.ability in manifest.abilities and line.ability != "interleave"]
    elif lacking := [line.ability for line in lines if line.ability not in manifest.abilities]:
        raise RequestError(f"{prompts} has requests to {lacking[0]}, which {manifest.name} lacks; remove them.")
    elif any(line.ability == "interleave" for line in lines):
        raise RequestError(f"{prompts} has requests to interleave, which calibration does not run; remove them.")
    if not lines:
        raise RequestError(f"{prompts or manifest.name} has no requests to calibrate on; give a file with `prompts`.")
    files = [] if pictures is None else picture_files(pictures)
    paints = any(line.ability == "paint" for line in lines)
    if not files and not paints and any(manifest.abilities[line.ability].images[0] for line in lines):
        raise RequestError("no request paints a picture for the others to show; name a folder of them with `pictures`.")
    return list(islice(_cases(manifest, lines, files), count))


def _cases(manifest: Manifest, lines: Sequence[Request], files: Sequence[Path]) -> Iterator[Case]:
    """Yield one case of every ability in turn, without end; each ability goes through its own prompts."""
    texts: dict[AbilityName, list[str]] = {}
    for line in lines:
        texts.setdefault(line.ability, []).append(line.text)
    turns = sorted(texts, key=_NAMES.index)  # painting first: the others show what it paints
    painted: list[int] = []
    seed = 0
    for turn in counted():
        for ability in turns:
            low, high = manifest.abilities[ability].images
            pool: Sequence[Path | int] = files or painted
            wanted = 2 if high >= 2 and turn % 2 and len(pool) > 1 else 1
            sources = tuple(pool[(turn + offset) % len(pool)] for offset in range(wanted)) if pool and high else ()
            yield Case(
                number=seed,
                ability=ability,
                text=texts[ability][turn % len(texts[ability])],
                pictures=sources if len(sources) >= low else tuple(pool[index % len(pool)] for index in range(low)),
                seed=seed,
                guidance_scale=scale_of(manifest.guidance, turn) if _paints(manifest, ability) else None,
            )
            if ability == "paint":
                painted.append(seed)
            seed += 1


def _paints(manifest: Manifest, ability: AbilityName) -> bool:
    return manifest.abilities[ability].output == "image"
