"""What the documentation states that can be checked: links, headings, names in code, commands and Python blocks."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "benchmarks" / "results" / "README.md",
    ROOT / "picturebook" / "checkpoint" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]

_FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED: Final = re.compile(r"(?:(?<=\n\n)|^)(?:(?: {4,}\S[^\n]*)?\n)+", re.MULTILINE)
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


def name(page: Path) -> str:
    """Return a page's path in the repository, for the names of tests."""
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    """Return a page without its invisible comments."""
    return _COMMENT.sub("", page.read_text(encoding="utf-8"))


def prose(text: str) -> str:
    """Return a page without its code blocks."""
    return _INDENTED.sub("\n", _FENCED.sub("", text))


def links(text: str) -> Iterator[str]:
    """Yield the targets of links to other files or headings of the repository."""
    found = _LINK.findall(_INLINE.sub("", prose(text)))
    yield from (target for target in found if not re.match(r"[a-z]+:", target))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    titles = (_INLINE.sub(r"\1", title) for title in _HEADING.findall(_FENCED.sub("", text)))
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"\[(.+?)\]\(.+?\)", r"\1", title)) for title in titles)
    return {title.strip().lower().replace(" ", "-") for title in plain}


def inline(text: str) -> Iterator[str]:
    """Yield what stands between backticks outside code blocks."""
    yield from _INLINE.findall(prose(text))


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language; those indented by four spaces count as without one."""
    found = [code for kind, code in _FENCED.findall(text) if kind == language]
    if not language:
        found += [textwrap.dedent(block) for block in _INDENTED.findall(_FENCED.sub("", text)) if block.strip()]
    return found


def commands(text: str) -> Iterator[str]:
    """Yield the `edgevlo` commands of a page's code blocks, several of a line one by one."""
    for language in ("", "bash", "sh", "console"):
        for block in blocks(text, language):
            for line in block.replace("\\\n", " ").splitlines():
                parts = re.split(r"\s+;\s+|\s+&&\s+|\s+\|\s+", re.sub(r"\s# .*", "", line).strip())
                yield from (part for part in parts if part.startswith("edgevlo "))
