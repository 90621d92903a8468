"""What bundles and installations are, in words. Changes nothing."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import edgevlo
from edgevlo.runtime.manifest import Manifest, Quality


def describe(manifest: Manifest, folder: Path) -> str:
    """Return a page about a bundle: where from, what for, how large, how exact, what it can do."""
    codes, grid = manifest.codes, manifest.grid
    width, height = grid.default[1] * codes.cell, grid.default[0] * codes.cell
    lines = [
        f"{manifest.name}  ({manifest.family}, target {manifest.target})",
        f"folder     {folder}",
        f"source     {manifest.source.id} {manifest.source.revision}".rstrip(),
        f"licence    {manifest.source.licence}",
        f"size       {sum(file.bytes for file in manifest.files.values()) / 1e6:.1f} MB in {len(manifest.files)} files",
        f"pictures   {width}x{height} by default, cells of {codes.cell} pixels, {codes.count} codes, "
        f"{grid.rows[0]}-{grid.rows[1]} rows, {grid.columns[0]}-{grid.columns[1]} columns",
        f"abilities  {', '.join(sorted(manifest.abilities))}",
        f"quality    {_quality(manifest.quality)}",
        "graphs",
    ]
    for role, graph in manifest.graphs.items():
        size = sum(file.bytes for name, file in manifest.files.items() if name.startswith(graph.file)) / 1e6
        parity = f"{graph.parity.metric} {graph.parity.error:.2g}" if graph.parity else ""
        lines.append(f"  {role:16} {graph.precision:5} {size:8.2f} MB  {parity}".rstrip())
    for name, ability in sorted(manifest.abilities.items()):
        if ability.labels:
            colours = (
                f"{label} #{red:02x}{green:02x}{blue:02x}" for label, (red, green, blue) in ability.labels.items()
            )
            lines.append(f"{name} colours: {', '.join(colours)}")
    return "\n".join(lines)


def _quality(quality: Quality | None) -> str:
    if quality is None:
        return "not measured (edgevlo evaluate BUNDLE --against BUNDLE)"
    if not quality.passed:
        return f"BELOW the limits of {quality.limits}, kept all the same: {'; '.join(quality.reasons)}"
    return f"within the limits of {quality.limits}, against {quality.reference[:10]} at {quality.requests} requests"


def diagnose() -> tuple[dict[str, str], bool]:
    """Return versions and devices, and whether the embedded model paints."""
    facts = {
        "edgevlo": edgevlo.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    for package in ("onnxruntime", "onnxruntime-gpu", "numpy", "tokenizers", "pillow", "torch", "transformers"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    if "not installed" not in (facts["onnxruntime"], facts["onnxruntime-gpu"]):
        facts["warning"] = (
            "onnxruntime and onnxruntime-gpu overwrite each other's files: keep one, in a new environment"
        )
    try:
        import onnxruntime as ort

        facts["providers"] = ", ".join(ort.get_available_providers())
        picture = edgevlo.load().paint("a red car", seed=0)
        facts["picturebook"] = f"paints {picture.width}x{picture.height}"
    except (ImportError, edgevlo.EdgevloError) as error:
        facts["picturebook"] = f"fails: {error}"
        return facts, False
    return facts, True
