"""What a bundle is calibrated on: requests to its own abilities, from a file of prompts and a folder of pictures.

Without pictures, those that the model itself paints are edited and asked about. Runs nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count as counted
from itertools import islice
from pathlib import Path
from typing import Final, get_args

import msgspec

from edgevlo.runtime.errors import PictureError, RequestError
from edgevlo.runtime.manifest import AbilityName, Guidance, Manifest
from edgevlo.runtime.pictures import load_picture

SHIPPED: Final = Path(__file__).parent / "prompts.txt"
_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_NAMES: Final[tuple[AbilityName, ...]] = get_args(AbilityName)
_TEXT: Final[tuple[AbilityName, ...]] = ("paint", "edit", "ask")  # the others may go without words
_GUIDED: Final = 3.0  # where a model's default leaves its other branches without weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request. A picture is a file, or the number of the case that paints it."""

    ability: AbilityName
    text: str
    pictures: tuple[Path | int, ...] = ()
    seed: int
    guidance_scale: float | None = None


def cases(manifest: Manifest, prompts: Path | None, pictures: Path | None, count: int) -> list[Case]:
    """Return `count` requests, the abilities in turn; raise `RequestError` or `PictureError` for data it cannot use."""
    if count < 1:
        raise RequestError(f"--count is {count}; calibration needs one case at least.")
    lines = list(_lines(SHIPPED if prompts is None else prompts))
    if prompts is None:
        lines = [(ability, text) for ability, text in lines if ability in manifest.abilities]
    elif lacking := [ability for ability, _ in lines if ability not in manifest.abilities]:
        raise RequestError(f"{prompts} asks to {lacking[0]}, which {manifest.name} cannot; remove those lines.")
    if not lines:
        raise RequestError(f"{prompts or manifest.name} has no prompts to calibrate on; give a file with --prompts.")
    files = [] if pictures is None else _pictures(pictures)
    paints = any(ability == "paint" for ability, _ in lines)
    if not files and not paints and any(manifest.abilities[ability].images[0] for ability, _ in lines):
        raise RequestError("nothing here paints a picture to read; name a folder of them with --pictures.")
    return list(islice(_cases(manifest, lines, files), count))


def digest(listed: Sequence[Case]) -> str:
    """Return the SHA-256 of everything that decides what is calibrated on, the pictures' content included."""
    parts = [
        [case.ability, case.text, list(map(_fingerprint, case.pictures)), case.seed, case.guidance_scale]
        for case in listed
    ]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _fingerprint(picture: Path | int) -> str | int:
    return picture if isinstance(picture, int) else hashlib.sha256(picture.read_bytes()).hexdigest()


def _lines(path: Path) -> Iterator[tuple[AbilityName, str]]:
    """Yield ability and words of every line that is not empty and no comment."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RequestError(
            f"{path} cannot be read as prompts ({reason}); name a text file, one prompt a line."
        ) from error
    for number, line in enumerate(map(str.strip, content.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        head, colon, rest = line.partition(":")
        ability = next((name for name in _NAMES if colon and name == head.strip()), None)
        text = line if ability is None else rest.strip()
        if not text and (ability or "paint") in _TEXT:
            raise RequestError(f"{path}, line {number}: {ability} has no words; write `{ability}: WORDS`.")
        yield ability or "paint", text


def _pictures(folder: Path) -> list[Path]:
    """Return the pictures of a folder by name, each of which was read once."""
    if not folder.is_dir():
        raise PictureError(f"{folder} is no folder; --pictures takes a folder of pictures.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise PictureError(f"{folder} holds no pictures ({', '.join(_SUFFIXES)}).")
    for path in files:
        load_picture(path)  # what cannot be read is said now and not an hour later
    return files


def _cases(manifest: Manifest, lines: Sequence[tuple[AbilityName, str]], files: Sequence[Path]) -> Iterator[Case]:
    """Yield one case of every ability in turn, without end; every ability's own prompts follow each other."""
    texts: dict[AbilityName, list[str]] = {}
    for ability, text in lines:
        texts.setdefault(ability, []).append(text)
    turns = sorted(texts, key=_NAMES.index)  # painting first: the others read what it paints
    painted: list[int] = []
    seed = 0
    for turn in counted():
        for ability in turns:
            low, high = manifest.abilities[ability].images
            pool: Sequence[Path | int] = files or painted
            wanted = 2 if high >= 2 and turn % 2 and len(pool) > 1 else 1
            sources = tuple(pool[(turn + offset) % len(pool)] for offset in range(wanted)) if pool and high else ()
            yield Case(
                ability=ability,
                text=texts[ability][turn % len(texts[ability])],
                pictures=sources if len(sources) >= low else tuple(pool[index % len(pool)] for index in range(low)),
                seed=seed,
                guidance_scale=_scale(manifest.guidance, turn) if _paints(manifest, ability) else None,
            )
            if ability == "paint":
                painted.append(seed)
            seed += 1


def _paints(manifest: Manifest, ability: AbilityName) -> bool:
    return manifest.abilities[ability].output == "image"


def _scale(guidance: Guidance, turn: int) -> float | None:
    """Return None for the model's own scale; every second turn one that gives each branch weight if that does not."""
    return _GUIDED if turn % 2 and len(guidance.branches) > 1 and guidance.default_scale == 1.0 else None
