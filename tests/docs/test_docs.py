"""The documentation is true: links lead somewhere, named files exist, commands parse, Python compiles and runs."""

import re
import shlex
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from doc_pages import PAGES, ROOT, anchors, blocks, commands, inline, links, name, prose, read
from syntax import strings_of

from edgevlo.cli import main
from edgevlo.cli.parameters import in_options

SOURCES = ("benchmarks", "calibration", "export", "picturebook", "quantization", "runtime", "serving", "src", "tests")
INVENTED = {"export/families/sketchpad.py"}  # by docs/adding-a-family.md, as an example
BANNED = [
    r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b)\w+",
    r"cannot be had",
    r"as it was asked for",
    r"(?:else|as) it is said",
    r"which it says",
    r"\bgo(?:es)? by\b",
    r"what .{1,20} becomes? of",
    r"is not to be\b",
]
MACHINE = r"(?<![\w.])/(?:work|farm|root|home|tmp)/"

every_page = pytest.mark.parametrize("page", PAGES, ids=name)


@cache
def files() -> frozenset[str]:
    """Return every file and folder of the repository that documentation may name."""
    found = {path for top in (*SOURCES, "docs") for path in (ROOT / top).rglob("*") if "__pycache__" not in path.parts}
    found |= set(ROOT.iterdir())
    return frozenset(path.relative_to(ROOT).as_posix() + "/" * path.is_dir() for path in found)


@every_page
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    text = read(page)
    for target in links(text):
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{target}: there is no {there}"
        if anchor:
            assert anchor in anchors(read(there)), f"{target}: {there.name} has no such heading"


def exists(path: str) -> bool:
    """Whether a file has this path, or this end of a path; `*` stands for anything."""
    ending = re.compile(r"(?:.*/)?" + re.escape(path).replace(r"\*", "[^/]*") + "/?")
    return any(ending.fullmatch(file) for file in files())


@every_page
def test_files_that_are_named_exist(page: Path) -> None:
    named = {code for code in inline(read(page)) if re.fullmatch(r"[\w./*-]+", code)}
    paths = {code for code in named if code.endswith(".py") or code.startswith(tuple(f"{top}/" for top in SOURCES))}
    assert [path for path in sorted(paths - INVENTED) if not exists(path.rstrip("/"))] == []


def defined(dotted: str) -> bool:
    """Whether a module is there, or a module that has the last name."""
    parts = dotted.split(".")
    for end in (len(parts), len(parts) - 1):
        place = ROOT / "src" / Path(*parts[:end])
        modules = [path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()]
        if modules:
            rest = parts[end:]
            return not rest or re.search(rf"\b{rest[0]}\b", modules[0].read_text(encoding="utf-8")) is not None
    return False


@every_page
def test_names_of_python_exist(page: Path) -> None:
    text = read(page)
    named = {code.split("(")[0] for code in inline(text) if re.fullmatch(r"edgevlo(\.\w+)+(\(.*\))?", code)}
    for line in "\n".join(blocks(text, "python")).splitlines():
        if found := re.match(r"from (edgevlo[\w.]*) import (.+)", line):
            named |= {f"{found[1]}.{one.strip()}" for one in found[2].split(",")}
    assert [one for one in sorted(named) if not defined(one) and one != "edgevlo.json"] == []


@every_page
def test_commands_parse(page: Path) -> None:
    for line in commands(read(page)):
        called, *arguments = shlex.split(line)[1:]
        if called.startswith("-"):
            continue
        assert called in main.commands, line
        command = main.commands[called]
        try:
            command.make_context(
                called, arguments, parent=click.Context(main, info_name="edgevlo", **main.context_settings)
            )
        except click.exceptions.Exit:
            pass  # --list and --help end the command themselves
        except click.ClickException as error:
            pytest.fail(f"{line}: {error.format_message()}")


@cache
def known_options() -> frozenset[str]:
    """Return the options of every command, and those of the scripts."""
    found = {
        name
        for command in main.commands.values()
        for one in command.params
        for name in (*one.opts, *one.secondary_opts)
    }
    for top in ("benchmarks", "picturebook"):
        for path in (ROOT / top).rglob("*.py"):
            found |= set(re.findall(r"\"(--[a-z][\w-]*)\"", path.read_text(encoding="utf-8")))
    return frozenset(found | {"--help", "--version", "-c", "-e"})


@every_page
def test_options_and_commands_in_the_text_exist(page: Path) -> None:
    for code in inline(read(page)):
        if code.startswith("edgevlo ") and not code.split()[1].startswith("-"):
            assert code.split()[1] in main.commands, code
        if code.startswith(("-", "edgevlo ")):
            options = re.findall(r"(?<!\S)--?[a-z][\w-]*", code)
            assert set(options) <= known_options(), code


@every_page
def test_python_compiles(page: Path) -> None:
    for number, block in enumerate(blocks(read(page), "python")):
        compile(block, f"{page.name}, block {number}", "exec")


@pytest.mark.usefixtures("embedded_is_open")
@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md", "docs/python-api.md"])
def test_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runtime_only = [block for block in blocks(read(ROOT / page), "python") if "edgevlo.export" not in block]
    assert runtime_only
    for block in runtime_only:
        exec(compile(block, page, "exec"), {})
    assert list(tmp_path.glob("*.png"))


@every_page
def test_installing_works_without_an_index(page: Path) -> None:
    assert re.search(r"install [\"']?edgevlo\b(?!-)", read(page)) is None, (
        "edgevlo is on no index: '.[extra]' or a wheel"
    )


@every_page
def test_the_english_is_plain_and_no_page_knows_one_machine(page: Path) -> None:
    text = read(page)
    found = [match[0] for pattern in BANNED for match in re.finditer(pattern, prose(text), re.IGNORECASE)]
    assert found == []
    assert re.search(MACHINE, text) is None


def test_every_family_that_can_be_exported_is_in_the_table_of_models() -> None:
    listed = CliRunner().invoke(main, ["export", "--list"]).output
    names = [
        name
        for line in re.findall(r"^  (?:class|checkpoints) +(.+)$", listed, re.MULTILINE)
        for name in line.split(", ")
    ]
    assert len(names) > 20
    table = read(ROOT / "docs" / "models.md")
    assert [name for name in names if name not in table] == []


@cache
def messages() -> str:
    """Return every string of the shipped code, and what make prints."""
    found = [(ROOT / "Makefile").read_text(encoding="utf-8")]
    door = ("src/edgevlo", "src/edgevlo/cli", "src/edgevlo/models")
    for top in ("calibration", "export", "quantization", "runtime", "serving", *door):
        for path in (ROOT / top).glob("*.py") if top == "src/edgevlo" else (ROOT / top).rglob("*.py"):
            found += strings_of(path)
    named = [text for text in found if "`" in text]  # parameters, which commands print as options
    found += [in_options(text, main.commands[name]) for name in ("quantize", "calibrate", "evaluate") for text in named]
    return "\n".join(found)


def test_messages_of_the_troubleshooting_page_are_those_of_the_code() -> None:
    text = read(ROOT / "docs" / "troubleshooting.md")
    firsts = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    quoted = [code for first in firsts if "(pip)" not in first for code in inline(first)]
    parts = [part.strip() for code in quoted for part in code.split("...")]
    assert len(parts) > 30
    assert [part for part in parts if part not in messages()] == []


WRONG = """
# A page `with` code

[gone](nowhere.md) and [far](#no-such-heading), `runtime/gone.py`, `edgevlo.gone`

    edgevlo paint "a car" --no-such-option ; edgevlo show

```python
print("
```
"""


def test_what_is_wrong_on_a_page_is_found() -> None:
    assert list(links(WRONG)) == ["nowhere.md", "#no-such-heading"]
    assert anchors(WRONG) == {"a-page-with-code"}
    assert list(commands(WRONG)) == ['edgevlo paint "a car" --no-such-option', "edgevlo show"]
    assert blocks(WRONG, "python") == ['print("\n']
    assert not exists("runtime/gone.py")
    assert not defined("edgevlo.gone")
    assert exists("runtime/bundle/open.py")
    assert defined("edgevlo.runtime.errors.BundleError")
