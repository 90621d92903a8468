"""An int8 KV cache for a finished CPU bundle, by ranges that the bundle itself fills while it carries out requests.

The bundle is run as it will be, with its weights rounded, which takes a fraction of the time of the portable one; what
AWQ does to values is in the ranges, too. Only the backbone's graph is written again: its weights stay where they are.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import onnx_ir as ir

from edgevlo.calibration.cache_ranges import cache_ranges
from edgevlo.runtime.arrays import Floats, Progress
from edgevlo.runtime.bundle import Bundle, sealed_bundle
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.schema import Manifest

from .passes.int8_kv_cache import QuantizedCachePass
from .static_quantization import with_int8_cache


def quantise_cache(bundle: Bundle, prompts: Path | None, progress: Progress) -> Bundle:
    """Measure the ranges of a CPU bundle's cache and quantise it in place; return the bundle, sealed again.

    It is measured at the requests of the file `prompts`, by default at requests that ship and that the quality check
    does not use. Raises `RequestError` for requests that the model cannot use.
    """
    try:
        peaks = cache_ranges(bundle, prompts=prompts, progress=progress)
    except RequestError as error:
        raise RequestError(f"the KV cache's ranges cannot be measured: {error} Or use `kv_cache='float'`.") from error
    _rewrite(bundle, peaks)
    return sealed_bundle(bundle.folder, _described(bundle.manifest))


def _rewrite(bundle: Bundle, peaks: Mapping[str, Floats]) -> None:
    path = bundle.path(bundle.manifest.graphs["backbone"].file)
    model = ir.load(path)
    QuantizedCachePass("int8", peaks, head_dim=bundle.manifest.backbone.head_dim)(model)
    ir.save(model, path)  # tensors in the file beside it are named, not written


def _described(manifest: Manifest) -> Manifest:
    backbone = with_int8_cache(manifest.graphs["backbone"])
    return msgspec.structs.replace(
        manifest,
        backbone=msgspec.structs.replace(manifest.backbone, cache_dtype="int8"),
        graphs={**manifest.graphs, "backbone": backbone},
    )
