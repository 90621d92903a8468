"""The engines of peers.py: the environment and the model of each, and how they are made outside the tree."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PROGRAMS: Final = Path(__file__).parent / "peer_programs"
_CHECKPOINT: Final = "checkpoint"


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine: its program, where its environment and model are, and what makes them."""

    name: str
    program: str
    environment_name: str  # empty: the environment that runs this
    model_name: str
    packages: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()  # packages that come with those and break them
    build: dict[str, str] = field(default_factory=dict)  # variables while they are installed
    make_model: Callable[[Path], None] = lambda _folder: None

    def python(self, folder: Path) -> Path:
        """Return the interpreter of the engine's environment."""
        if not self.environment_name:
            return Path(sys.executable)
        return folder / "environments" / self.environment_name / "bin" / "python"

    def model(self, folder: Path) -> Path:
        """Return the engine's model."""
        return folder / self.model_name

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the variables that its program needs: another environment must not see this one's packages."""
        return {"PYTHONPATH": ""} if self.environment_name else {}

    def absent(self, folder: Path, model: Path) -> str:
        """Return why the engine cannot run; empty if it can."""
        for what in (self.python(folder), model):
            if not what.exists():
                return f"{self.name} was left out: there is no {what.name}. Make it: --setup {self.name}"
        return ""


def make(folder: Path, names: Sequence[str]) -> None:
    """Make the environments and models of engines; what exists already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for engine in (ENGINES[name] for name in names):
        _make_environment(engine, folder)
        if not engine.model(folder).exists():
            engine.make_model(folder)
        print(f"{engine.name}: {engine.absent(folder, engine.model(folder)) or 'ready'}", flush=True)


def _make_environment(engine: Engine, folder: Path) -> None:
    if engine.python(folder).exists():
        return
    home = folder / "environments" / engine.environment_name
    run(sys.executable, "-m", "venv", home)
    pip = (home / "bin" / "python", "-m", "pip")
    try:
        run(*pip, "install", "--quiet", *engine.packages, **engine.build)
        for package in engine.unwanted:
            run(*pip, "uninstall", "--quiet", "--yes", package)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(home)
        raise SystemExit(f"{engine.name}: its packages could not be installed; see above.") from error


def run(*command: Any, **variables: str) -> None:
    """Run a command with further environment variables; raise `CalledProcessError` if it fails."""
    subprocess.run([str(part) for part in command], check=True, env={**os.environ, "PYTHONPATH": "", **variables})


def _checkpoint(folder: Path) -> Path:
    """Return the checkpoint that genai's and OpenVINO's models are made of, made if it is not there."""
    path = folder / _CHECKPOINT
    if not path.exists():
        _make_environment(ENGINES["genai"], folder)
        run(ENGINES["genai"].python(folder), PROGRAMS / "checkpoint.py", path)
    return path


def _genai_model(folder: Path) -> None:
    options = ("-p", "int4", "-e", "cpu", "-c", folder / "cache", "--extra_options", "int4_accuracy_level=4")
    builder = (ENGINES["genai"].python(folder), "-m", "onnxruntime_genai.models.builder")
    run(*builder, "-i", _checkpoint(folder), "-o", ENGINES["genai"].model(folder), *options)


def _gguf(folder: Path) -> None:
    run(ENGINES["llama.cpp"].python(folder), PROGRAMS / "gguf_file.py", ENGINES["llama.cpp"].model(folder))


def _openvino_model(folder: Path) -> None:
    python = ENGINES["openvino"].python(folder)
    task = ("--task", "text-generation-with-past", "--disable-convert-tokenizer")
    weights = ("--weight-format", "int4", "--group-size", "64", "--ratio", "1.0", "--sym")
    target = ENGINES["openvino"].model(folder)
    run(python.with_name("optimum-cli"), "export", "openvino", "-m", _checkpoint(folder), *task, *weights, target)


def _bundle(folder: Path) -> None:
    """Export and quantise Janus-Pro-1B's shape in this environment; what is in between takes 13 GB for a while."""
    import janus_pro_1b

    with tempfile.TemporaryDirectory(dir=folder) as work:
        checkpoint, portable = Path(work) / "checkpoint", Path(work) / "portable"
        checkpoint.mkdir()
        janus_pro_1b.make_checkpoint(checkpoint, janus_pro_1b.LAYERS)
        janus_pro_1b.export(checkpoint, portable)
        shutil.rmtree(checkpoint)
        made = janus_pro_1b.quantize("int4", block_size=128, kv_cache="int8")
        made(portable, ENGINES["edgevlo"].model(folder))


_LIBRARY_ALONE: Final = ("LLAMA_BUILD_COMMON", "LLAMA_BUILD_TOOLS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_SERVER")
_CMAKE: Final = " ".join(f"-D{option}=OFF" for option in (*_LIBRARY_ALONE, "LLAMA_BUILD_TESTS", "LLAVA_BUILD"))

_GENAI: Final = (
    "onnxruntime-genai==0.18.0",
    "onnxruntime==1.32.0",
    "torch==2.13.0",
    "transformers==5.23.0",
    "onnx",
    "onnx_ir",
)

ENGINES: Final = {
    engine.name: engine
    for engine in (
        Engine("edgevlo", "edge.py", "", "edgevlo", make_model=_bundle),
        Engine(
            "genai",
            "genai.py",
            "genai",
            "genai",
            _GENAI,
            make_model=_genai_model,
        ),
        Engine("ort", "plain_ort.py", "genai", "genai", _GENAI, make_model=_genai_model),
        Engine(
            "llama.cpp",
            "llama_cpp_loop.py",
            "llama_cpp",
            "q4_0.gguf",
            ("llama-cpp-python==0.3.36", "gguf"),
            build={"CMAKE_ARGS": f"-DGGML_NATIVE=ON {_CMAKE}"},
            make_model=_gguf,
        ),
        Engine(
            "openvino",
            "openvino_loop.py",
            "openvino",
            "openvino",
            ("openvino==2026.4.1", "optimum-intel==2.2.0", "nncf==3.4.0", "transformers==5.5.4", "torch==2.13.0"),
            unwanted=("torchvision",),  # its operators are of another torch
            make_model=_openvino_model,
        ),
    )
}
