"""The cases that bundles are compared at: requests to their abilities, from the file that ships or a user's own.

Pictures to edit and to ask about are those of a folder, or the ones that the reference paints; for a model that paints
none, some that picturebook painted. Compares nothing.
"""

import codecs
import hashlib
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import msgspec
from PIL import Image

from edgevlo.runtime.errors import PictureError, RequestError, remedy
from edgevlo.runtime.generate.stroke import Stroke
from edgevlo.runtime.manifest.abilities import AbilityName
from edgevlo.runtime.manifest.guidance import Guidance
from edgevlo.runtime.manifest.schema import Manifest
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import load_picture

SHIPPED: Final = Path(__file__).parents[1] / "data" / "evaluation.txt"
PICTURES: Final = SHIPPED.parent
PICTURE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
# Reading a request is a part of painting and editing, not something to ask for.
_NAMES: Final[tuple[AbilityName, ...]] = tuple(name for name in get_args(AbilityName) if name != "understand")
_WITH_WORDS: Final[tuple[AbilityName, ...]] = ("paint", "edit", "ask")  # the others may go without
_MAX_BYTES: Final = 16_000_000  # of a file of requests
_GLOSS: Final = "  # "
_HEAD: Final = re.compile(r"([A-Za-z]+)\s*[:\uff1a](.*)")  # the second colon is that of Chinese keyboards
_LINES: Final = re.compile(r"\r\n|\r|\n")  # what editors count as lines
_SPACE: Final = string.whitespace + "\ufeff\u00a0\u3000"  # the mark of a file stands within one that was put together
# Used where a model's own scale gives its other branches no weight. Low: far from the scale that a model was trained
# for, its pictures say nothing about it (picturebook, trained for 1, paints fragments at 3).
_GUIDED: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request. A picture is a file, or the number of the case whose painting is shown."""

    number: int
    ability: AbilityName
    text: str
    pictures: tuple[Path | int, ...] = ()
    seed: int
    guidance_scale: float | None = None  # None: the model's own
    gloss: str = ""  # the words in English, where the file of requests translates them

    @property
    def labels(self) -> list[str]:
        """The objects that a request to detect or segment names."""
        return [word.strip() for word in self.text.split(",") if word.strip()]

    @property
    def caption(self) -> str:
        """The request as it is written in a file of requests."""
        return self._line(self.text)

    @property
    def english(self) -> str:
        """The request with its words in English; empty where the file of requests has no translation."""
        return self._line(self.gloss) if self.gloss else ""

    def _line(self, words: str) -> str:
        return words if self.ability == "paint" else f"{self.ability}: {words}".rstrip(": ")


@dataclass(frozen=True, slots=True)
class Request:
    """A line of a file of requests."""

    ability: AbilityName
    text: str
    gloss: str = ""


def cases(manifest: Manifest, requests: Path | None, pictures: Path | None, count: int) -> list[Case]:
    """Return the first `count` requests, or all if there are fewer, that a model supports.

    Requests that ship are skipped where the model lacks their ability. Raises `RequestError` for a file that cannot be
    read, is empty or has requests for such an ability, `PictureError` for a folder without pictures.
    """
    if count < 1:
        raise RequestError(f"`count={count}` is too small; at least one request is needed.")
    lines = list(read_requests(SHIPPED if requests is None else requests))
    files = [] if pictures is None else picture_files(pictures)
    lacking = [line.ability for line in lines if line.ability not in manifest.abilities]
    if requests is None:
        lines = [line for line in lines if line.ability in manifest.abilities]
    elif lacking:
        raise RequestError(f"{requests} has requests to {lacking[0]}, which {manifest.name} lacks; remove them.")
    elif any(line.ability == "interleave" for line in lines):
        raise RequestError(f"{requests} has requests to interleave, which are not compared; remove them.")
    lines = lines[:count]
    if not lines:
        raise RequestError(f"{requests or manifest.name} has no requests; write one per line.")
    if not files and all(line.ability != "paint" for line in lines):
        files = sorted(PICTURES.glob("picture-*.png"))
    return list(_numbered(manifest, lines, files))


def read_requests(path: Path) -> Iterator[Request]:
    """Yield every line that is neither empty nor a comment; a line without an ability is to be painted.

    Raises `RequestError` naming file, line and reason.
    """
    try:
        with path.open("rb") as file:  # a pipe, too; a device that never ends is one line that is too long
            read = file.read(_MAX_BYTES + 1)
        if len(read) > _MAX_BYTES:
            raise RequestError(f"{path} has more than the {_MAX_BYTES // 10**6} MB of requests that are read.")
        content = text_of(read)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        advice = remedy(error, "Name a text file in UTF-8, one request per line")
        raise RequestError(f"{path} cannot be read as requests ({reason}). {advice}") from error
    for number, line in enumerate(_LINES.split(content), start=1):
        line = line.strip(_SPACE)
        if not line or line.startswith("#"):
            continue
        words, _, gloss = line.partition(_GLOSS)
        head, rest = found.groups() if (found := _HEAD.match(words)) else ("", "")
        ability = next((name for name in _NAMES if name == head.lower()), None)
        text = (words if ability is None else rest).strip()
        if not text and ability in _WITH_WORDS:
            raise RequestError(f"{path}, line {number}: {ability} needs words; write `{ability}: WORDS`.")
        yield Request(ability or "paint", text, gloss.strip())


def text_of(content: bytes) -> str:
    """Return a text file's text: in UTF-8, or in UTF-16 if it begins as Windows' editors and shells write that."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if b"\0" in content:
        raise UnicodeDecodeError("utf-8", content, content.index(b"\0"), content.index(b"\0") + 1, "no text has it")
    return content.decode("utf-8-sig")


def picture_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder by name, all of them readable; raise `PictureError` if there are none."""
    if not folder.is_dir():
        raise PictureError(f"{folder} is not a folder; `pictures` takes a folder of pictures.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not files:
        raise PictureError(f"{folder} has no pictures ({', '.join(PICTURE_SUFFIXES)}).")
    for path in files:
        load_picture(path)  # an unreadable file is reported now and not an hour later
    return files


def strokes_of(
    model: Model, case: Case, pictures: Sequence[Path | Image.Image], *, codes_per_pass: int | None = None
) -> Iterator[Stroke]:
    """Return the strokes of a request that paints."""
    scale, seed, each = case.guidance_scale, case.seed, codes_per_pass
    if case.ability == "paint":
        return model.paint_rows(case.text, seed=seed, guidance_scale=scale, codes_per_pass=each)
    if case.ability == "edit":
        return model.edit_rows(list(pictures), case.text, seed=seed, guidance_scale=scale, codes_per_pass=each)
    names = case.labels
    return model.perceive_rows(case.ability, pictures[0], names, seed=seed, guidance_scale=scale, codes_per_pass=each)


def digest(listed: Sequence[Case]) -> str:
    """Return the SHA-256 of everything that defines the cases, the pictures' content included."""

    def fingerprint(picture: Path | int) -> str | int:
        return picture if isinstance(picture, int) else hashlib.sha256(picture.read_bytes()).hexdigest()

    parts = [
        [case.ability, case.text, list(map(fingerprint, case.pictures)), case.seed, case.guidance_scale]
        for case in listed
    ]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _numbered(manifest: Manifest, lines: Sequence[Request], files: Sequence[Path]) -> Iterator[Case]:
    """Yield paintings first, because other cases show them; pictures and guidance scales take turns."""
    painted = [line for line in lines if line.ability == "paint"]
    others = [line for line in lines if line.ability != "paint"]
    pool: Sequence[Path | int] = files or range(len(painted))
    for number, line in enumerate((*painted, *others)):
        ability = manifest.abilities[line.ability]
        shown = range(number, number + ability.images[0])
        yield Case(
            number=number,
            ability=line.ability,
            text=line.text,
            pictures=tuple(pool[index % len(pool)] for index in shown),
            seed=number,
            guidance_scale=scale_of(manifest.guidance, number) if ability.output == "image" else None,
            gloss=line.gloss,
        )


def scale_of(guidance: Guidance, number: int) -> float | None:
    """Return None for the model's own scale; for odd numbers one that weighs all branches, if the own does not."""
    return _GUIDED if number % 2 and len(guidance.branches) > 1 and guidance.default_scale == 1.0 else None
