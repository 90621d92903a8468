"""The promises of the layout and the packaging: one import package over folders at the root."""

import ast
import functools
import graphlib
import importlib
import re
import statistics
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from syntax import imports_of, parsed

import edgevlo

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]
FOLDERS = {name: path for name, path in SETUPTOOLS["package-dir"].items() if name != "edgevlo"}

# Data that stands beside the code but is no part of the wheel.
NOT_SHIPPED = {"edgevlo.picturebook.checkpoint"}


def folders_with_files(top: Path, name: str) -> set[str]:
    """Return the dotted names of the folders under `top` that hold files; links to other folders are not followed."""
    files = (path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {".".join([name, *path.parent.relative_to(top).parts]) for path in files}


def test_every_folder_is_listed_as_a_package() -> None:
    found = folders_with_files(ROOT / "src" / "edgevlo", "edgevlo")
    for name, path in FOLDERS.items():
        found -= {one for one in found if one == name or one.startswith(f"{name}.")}
        found |= folders_with_files(ROOT / path, name)

    packages = set(SETUPTOOLS["packages"])
    data = {
        ".".join([package, *Path(pattern).parent.parts])
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
    }
    assert found - packages - data - NOT_SHIPPED == set(), "folders that the wheel would leave out"
    missing = packages - found
    assert missing == set(), "packages without a folder"


def test_what_is_not_shipped_is_no_package() -> None:
    assert not NOT_SHIPPED & set(SETUPTOOLS["packages"])
    patterns = SETUPTOOLS["package-data"].get("edgevlo.picturebook", [])
    assert not any("checkpoint" in pattern or "safetensors" in pattern for pattern in patterns)


def test_links_mirror_the_mapping() -> None:
    for name, path in FOLDERS.items():
        link = ROOT / "src" / Path(*name.split("."))
        if link.is_file():
            pytest.skip("git made no symbolic links here")
        assert link.resolve() == (ROOT / path).resolve(), f"{name}: {link} does not lead to {path}/"


MAY_IMPORT = {
    "runtime": set[str](),
    "serving": {"runtime"},
    "quantization": {"runtime", "calibration"},  # it reads calibrations, and measures what it made
    "calibration": {"runtime"},
    "export": {"runtime"},
    "picturebook": {"runtime", "export", "calibration", "quantization"},
}

# Single files that may do more: the evaluation that needs the world of the embedded model.
MAY_ALSO_IMPORT = {"calibration/evaluation/picturebook_tasks.py": {"picturebook"}}


def imported(file: Path) -> Iterator[str]:
    """Yield the folders of edgevlo that a module imports from; a relative import that climbs out counts too."""
    for node in imports_of(file).all:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif node.level == 0:
            module = str(node.module)
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "edgevlo" else [module]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "edgevlo":
                yield parts[1] if len(parts) > 1 else "the front door"


def climbs(file: Path, depth: int) -> bool:
    """Whether a relative import leaves the folder of a module that stands `depth` folders below the folder's root."""
    return any(isinstance(node, ast.ImportFrom) and node.level > depth + 1 for node in imports_of(file).all)


def test_the_rules_cover_every_folder() -> None:
    assert {f"edgevlo.{folder}" for folder in MAY_IMPORT} == set(FOLDERS)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_folders_depend_one_way(folder: str) -> None:
    for file in (ROOT / folder).rglob("*.py"):
        where = file.relative_to(ROOT)
        depth = len(file.relative_to(ROOT / folder).parts) - 1
        allowed = {folder} | MAY_IMPORT[folder] | MAY_ALSO_IMPORT.get(where.as_posix(), set())
        for used in imported(file):
            assert used in allowed, f"{where}: {folder}/ must not import {used}/"
            assert used != folder, f"{where}: import neighbours relatively, or a class has two names"
        assert not climbs(file, depth), f"{where}: a relative import leaves {folder}/"


def rooms_used(folder: str) -> dict[str, set[str]]:
    """Return which rooms (subfolders and modules of a folder) each room imports; types alone make no dependency."""
    used: dict[str, set[str]] = {}
    for file in (ROOT / folder).rglob("*.py"):
        parts = file.relative_to(ROOT / folder).with_suffix("").parts
        imports = imports_of(file)
        for node in imports.all:
            if not isinstance(node, ast.ImportFrom) or not node.level or node in imports.for_types:
                continue
            base = parts[: len(parts) - node.level]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            rooms = {(*base, *name.split("."))[0] for name in names}
            used.setdefault(parts[0], set()).update(rooms - {parts[0]})
    return used


@pytest.mark.parametrize("folder", [*MAY_IMPORT, "src/edgevlo/cli", "src/edgevlo/models"])
def test_rooms_inside_a_folder_depend_one_way(folder: str) -> None:
    graphlib.TopologicalSorter(rooms_used(folder)).prepare()  # raises CycleError, which names the circle


def test_modules_are_short_and_folders_hold_few() -> None:
    modules = [path for top in (*FOLDERS.values(), "src/edgevlo") for path in (ROOT / top).rglob("*.py")]
    lengths = {path: path.read_bytes().count(b"\n") for path in modules}
    folders = Counter(path.parent for path in modules if path.name != "__init__.py")
    assert [path for path, length in lengths.items() if length > 400] == []
    assert statistics.median(lengths.values()) <= 120
    assert [folder for folder, count in folders.items() if count > 14] == []


def test_the_front_door_does_not_import_the_training_tools() -> None:
    door = ROOT / "src" / "edgevlo"
    for file in [*door.glob("*.py"), *door.glob("cli/**/*.py"), *door.glob("models/*.py")]:
        assert "picturebook" not in set(imported(file)), file.name


def defined_aliases(file: Path) -> set[str]:
    """Return the names that a module gives to types of arrays and callbacks."""
    text = file.read_text(encoding="utf-8")
    lines = parsed(file).body if re.search(r"^\w.* = .*(?:NDArray\[|Callable\[\[)", text, re.MULTILINE) else []
    named = [node for node in lines if isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None]
    types = [node for node in named if "NDArray[" in ast.unparse(node) or "Callable[[" in ast.unparse(node)]
    return {ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0]) for node in types}


def test_a_shared_type_alias_is_defined_in_one_place() -> None:
    home = ROOT / "runtime" / "arrays.py"
    shared = defined_aliases(home)
    assert {"Array", "Codes", "Floats", "Logits", "Pixels", "Progress"} <= shared

    for folder in [*FOLDERS.values(), "src/edgevlo/cli", "src/edgevlo/models", "tests", "benchmarks"]:
        for file in (ROOT / folder).rglob("*.py"):
            again = defined_aliases(file) & shared if file != home else set[str]()
            assert not again, f"{file.relative_to(ROOT)} defines {again} again: import it from edgevlo.runtime.arrays"


TOOLCHAIN = ["torch", "transformers", "safetensors", "onnx", "onnx_ir", "onnxscript", "optimum"]


@functools.cache
def python(program: str) -> str:
    """Run a program in a fresh interpreter, away from the checkout; return what it printed. Once for each program."""
    ran = subprocess.run([sys.executable, "-c", program], cwd="/", capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_runtime_works_without_its_build_time_libraries(toy: Path) -> None:
    paths = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "runtime").rglob("*.py"))
    modules = ", ".join(sorted(".".join(["edgevlo", *path.parts]) for path in paths if path.name != "__init__"))

    python(f"""
import sys
sys.modules.update(dict.fromkeys({TOOLCHAIN}))  # importing any of them is an ImportError now
import {modules}
import edgevlo, edgevlo.cli, edgevlo.cli.describe, edgevlo.cli.code_files, edgevlo.cli.terminal
assert edgevlo.load({str(toy)!r}).paint("a red car", seed=1).size == (20, 16)
""")


def test_the_families_are_listed_without_the_toolchain() -> None:
    printed = python(f"""
import sys
sys.modules.update(dict.fromkeys({TOOLCHAIN}))
from edgevlo.cli import run
run(["export", "--list"])
""")
    assert "Emu3ForConditionalGeneration" in printed


def loaded_by_painting(toy: Path) -> list[str]:
    """Return the modules that opening a local bundle and painting with it import, in their order."""
    return python(f"""
import sys, edgevlo
edgevlo.load({str(toy)!r}).paint("a red car", seed=1)
print(*sys.modules)
""").split()


def test_painting_imports_no_build_time_library(toy: Path) -> None:
    assert set(loaded_by_painting(toy)) & set(TOOLCHAIN) == set()


def test_a_local_bundle_is_painted_without_the_other_rooms(toy: Path) -> None:
    ours = [name for name in loaded_by_painting(toy) if name.startswith("edgevlo.")]
    others = [name for name in ours if not name.startswith("edgevlo.runtime")]

    assert others == ["edgevlo.models", "edgevlo.models.places", "edgevlo.models.find"]


def test_importing_the_front_door_is_cheap() -> None:
    loaded = python("import sys, edgevlo; print(*sorted(sys.modules))").split()

    heavy = {"numpy", "onnxruntime", "PIL", "tokenizers", "msgspec", "click", "tqdm", "edgevlo.runtime"}
    assert heavy & set(loaded) == set()


def test_the_command_line_starts_without_the_libraries_of_the_runtime() -> None:
    loaded = python("import sys, edgevlo.cli; print(*sorted(sys.modules))").split()

    heavy = {"numpy", "onnxruntime", "PIL", "tokenizers", "msgspec", "tqdm", "edgevlo.runtime.model"}
    assert heavy & set(loaded) == set()


def test_importing_changes_nothing_in_the_process() -> None:
    printed = python("""
import os, sys, warnings, logging, signal
before = (dict(os.environ), warnings.filters[:], logging.root.handlers[:], signal.getsignal(signal.SIGINT))
import edgevlo.cli, edgevlo.runtime.model
after = (dict(os.environ), [f for f in warnings.filters if f in before[1]], logging.root.handlers[:],
         signal.getsignal(signal.SIGINT))
print(before == after)
""")

    assert printed == "True\n"


def test_all_is_what_can_be_imported() -> None:
    functions = ["load", "png_bytes", "save_png", "sign"]
    classes = ["Detection", "EdgevloError", "Model", "PictureWarning", "PromptWarning", "Stroke"]
    assert edgevlo.__all__ == [*classes, "__version__", *functions]
    for name in edgevlo.__all__:
        assert getattr(edgevlo, name) is not None
    with pytest.raises(AttributeError, match="module 'edgevlo' has no attribute 'lode'"):
        _ = edgevlo.lode  # type: ignore[attr-defined]


def test_public_names_are_those_of_their_homes() -> None:
    from edgevlo.runtime.errors import EdgevloError
    from edgevlo.runtime.model import Model

    assert edgevlo.Model is Model
    assert edgevlo.EdgevloError is EdgevloError


def test_there_is_one_version() -> None:
    assert PYPROJECT["project"]["version"] == edgevlo.__version__
    assert f"## {edgevlo.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_command_is_what_pyproject_names() -> None:
    module, function = PYPROJECT["project"]["scripts"]["edgevlo"].split(":")

    assert callable(getattr(importlib.import_module(module), function))


def test_only_the_toolchain_needs_torch_and_onnxruntime_stands_alone() -> None:
    dependencies = " ".join(PYPROJECT["project"]["dependencies"])
    assert not any(name in dependencies for name in ("torch", "transformers", "onnx>", "gpu"))
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert "torch==2.13.0" in extras["export"]


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "src" / "edgevlo" / "py.typed").is_file()
    assert "py.typed" in SETUPTOOLS["package-data"]["edgevlo"]


def test_no_folder_of_ours_is_importable_by_its_bare_name() -> None:
    names = sorted(FOLDERS.values())

    found = python(f"import importlib.util as u; print(*(name for name in {names} if u.find_spec(name)))")

    assert found == "\n"
