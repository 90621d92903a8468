"""What this installation can do: versions, devices, and whether the embedded model paints."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import edgevlo
from edgevlo.models.find import EMBEDDED_MODEL, MODEL_VARIABLE, default, find
from edgevlo.runtime.bundle import EMBEDDED
from edgevlo.runtime.graphs.threads import most_threads, usable_cpus


def _default_model() -> str:
    """Return which model is used where none is named, and why if it cannot be found."""
    name = default()
    if name is None:
        return f"{EMBEDDED_MODEL} (embedded; ${MODEL_VARIABLE} names another)"
    try:
        return f"{find(name)} (${MODEL_VARIABLE})"
    except edgevlo.EdgevloError as error:
        return f"{name} (${MODEL_VARIABLE}): {error}"


def diagnose() -> tuple[dict[str, str], bool]:
    """Return versions and devices, and whether the embedded model paints."""
    facts = {
        "edgevlo": edgevlo.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    try:
        facts["threads"] = f"{most_threads()} for large graphs, of {usable_cpus()} usable CPUs"
    except edgevlo.EdgevloError as error:
        facts["threads"] = f"fails: {error}"
        return facts, False
    for package in ("onnxruntime", "onnxruntime-gpu", "numpy", "tokenizers", "pillow", "torch", "transformers"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    facts["default model"] = _default_model()
    if "not installed" not in (facts["onnxruntime"], facts["onnxruntime-gpu"]):
        facts["warning"] = (
            "onnxruntime and onnxruntime-gpu overwrite each other's files: keep one, in a new environment"
        )
    try:
        import onnxruntime as ort

        facts["providers"] = ", ".join(ort.get_available_providers())
        picture = edgevlo.load(EMBEDDED / EMBEDDED_MODEL).paint("a red car", seed=0)
        facts["picturebook"] = f"paints {picture.width}x{picture.height}"
    except (ImportError, edgevlo.EdgevloError) as error:
        facts["picturebook"] = f"fails: {error}"
        return facts, False
    return facts, True
