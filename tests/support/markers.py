"""Which kind of tests a module holds.

Units need the runtime and pytest alone and take seconds in all. Parity is with transformers or with a model's own
program, golden with what was recorded; everything else that needs the toolchain, or more time and memory, is
integration.
"""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

UNIT, PARITY, GOLDEN, INTEGRATION = "unit", "parity", "golden", "integration"
KINDS: Final = (UNIT, PARITY, GOLDEN, INTEGRATION)

# A folder's kind, and that of the modules in it that are of another.
TABLE: Final = {
    "calibration": INTEGRATION,
    "cli": UNIT,
    "cli/test_calibrate_command.py": INTEGRATION,
    "cli/test_completion.py": INTEGRATION,  # a process for each question of a shell
    "cli/test_defaults.py": INTEGRATION,
    "cli/test_links_and_permissions.py": INTEGRATION,
    "cli/test_pipes_and_places.py": INTEGRATION,  # quantize and export among the commands
    "cli/test_foreign_pictures.py": INTEGRATION,  # pictures of every kind, up to 2500x2500, each edited twice
    "cli/test_hub.py": INTEGRATION,
    "cli/test_parameters.py": INTEGRATION,
    "cli/test_processes.py": INTEGRATION,  # a process for each test
    "cli/test_remedies.py": INTEGRATION,  # a process without /proc
    "cli/test_signals_and_streams.py": INTEGRATION,  # signals and streams of real processes
    "cli/test_streams.py": INTEGRATION,  # processes with real pipes
    "cli/test_unknown_words.py": INTEGRATION,  # twenty pictures of the embedded model
    "docs": UNIT,
    "export": INTEGRATION,
    "golden": GOLDEN,
    "parity": PARITY,
    "picturebook": INTEGRATION,
    "quantization": INTEGRATION,
    "runtime": UNIT,
    "runtime/test_c2pa.py": INTEGRATION,
    "runtime/test_lossless_webp.py": INTEGRATION,  # peaks of processes that read harmful pictures
    "runtime/test_not_finite.py": INTEGRATION,
    "runtime/test_onnx_shapes.py": INTEGRATION,
    "runtime/test_orphans.py": INTEGRATION,  # processes whose parents are killed
    "runtime/test_ort_device.py": INTEGRATION,
    "runtime/test_picture_limits.py": INTEGRATION,  # peaks of processes that read pictures of 100 megapixels
    "runtime/test_picture_features.py": INTEGRATION,
    "runtime/test_tensorrt.py": INTEGRATION,
    "runtime/test_tensorrt_engines.py": INTEGRATION,
    "runtime/test_tensorrt_profiles.py": INTEGRATION,
    "runtime/test_tensorrt_requirements.py": INTEGRATION,
    "runtime/test_tensorrt_surface.py": GOLDEN,
    "runtime/test_trial.py": INTEGRATION,
    "runtime/test_threads_share_a_model.py": UNIT,
    "runtime/test_unmet_options.py": INTEGRATION,
    "serving": INTEGRATION,
    "test_families.py": INTEGRATION,
    "test_figures.py": GOLDEN,
    "test_fuzz_smoke.py": INTEGRATION,
    "test_markers.py": UNIT,
    "test_packaging.py": UNIT,
    "test_peers.py": GOLDEN,
    "test_shared_folders.py": UNIT,
}


def kind_of(module: Path) -> str:
    """Return the kind of a test module: its own line of the table, or its folder's."""
    name = module.relative_to(ROOT)
    kind = TABLE.get(name.as_posix()) or TABLE.get(name.parts[0])
    if kind is None:
        raise LookupError(f"tests/{name} has no kind: name its folder in {Path(__file__).name}")
    return kind
