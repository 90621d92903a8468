"""A bundle described in words, as `edgevlo show` prints it. Changes nothing."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgevlo.runtime.manifest.schema import Manifest
from edgevlo.runtime.memory.predict import default_work, kv_bytes, modules, on_cpu, predict


def describe(manifest: Manifest, folder: Path) -> str:
    """Return a page about a bundle: source, target, size, quality, abilities."""
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
        f"quality    {_quality(manifest)}",
        "modules, on disk",
    ]
    parities = {role: graph.parity for role, graph in manifest.graphs.items() if graph.parity}
    for name, module in modules(manifest).items():
        parity = f"{parities[name].metric} {parities[name].error:.2g}" if name in parities else ""
        shared = f"and {module.shared / 1e6:.2f} MB shared" if module.shared else ""
        about = "; ".join(filter(None, (shared, parity)))
        lines.append(f"  {name:16} {module.precision:5} {module.bytes / 1e6:8.2f} MB  {about}".rstrip())
    lines += _memory(manifest, folder)
    for name, ability in sorted(manifest.abilities.items()):
        if ability.labels:
            colours = (
                f"{label} #{red:02x}{green:02x}{blue:02x}" for label, (red, green, blue) in ability.labels.items()
            )
            lines.append(f"{name} colours: {', '.join(colours)}")
    return "\n".join(lines)


def memory_facts(manifest: Manifest, folder: Path) -> dict[str, Any]:
    """Return bytes: of every module on disk, of the KV cache, and of the peak of painting a picture with its parts.

    The peak is None where it is not predicted: on GPUs, and of models that do not paint.
    """
    work, predicted = default_work(manifest), predict(folder, manifest)
    shape = manifest.backbone
    parts = None if predicted is None else asdict(predicted)
    return {
        "modules": {name: asdict(module) for name, module in modules(manifest).items()},
        "kv_cache": {"bytes": kv_bytes(shape, work.rows, work.capacity), "rows": work.rows,
                     "capacity": work.capacity, "dtype": shape.cache_dtype},
        "peak": None if predicted is None else {"bytes": predicted.peak, "parts": parts},
    }  # fmt: skip


def _memory(manifest: Manifest, folder: Path) -> list[str]:
    facts = memory_facts(manifest, folder)
    cache, peak = facts["kv_cache"], facts["peak"]
    rows = f"{cache['rows']} row{'s' * (cache['rows'] > 1)}"
    lines = [
        f"KV cache   {cache['bytes'] / 1e6:.2f} MB: {rows} of {cache['capacity']} tokens, {cache['dtype']}",
    ]
    if peak is None:
        return lines
    parts = ", ".join(f"{name.replace('_', ' ')} {size / 1e6:.1f}" for name, size in peak["parts"].items())
    return [*lines, f"memory     about {peak['bytes'] / 1e6:.0f} MB at the peak of painting a default picture: {parts}"]


def _quality(manifest: Manifest) -> str:
    quality = manifest.quality
    if quality is None:
        return f"not measured (edgevlo evaluate BUNDLE --against BUNDLE{'' if on_cpu(manifest) else ' --emulate'})"
    if not quality.passed:
        return f"BELOW the limits of {quality.limits}, kept with --accept-quality-loss: {'; '.join(quality.reasons)}"
    emulated = " (GPU graphs as a CPU computes them)" if not on_cpu(manifest) else ""
    against = f"against {quality.reference[:10]} at {quality.requests} requests"
    return f"within the limits of {quality.limits}, {against}{emulated}"
