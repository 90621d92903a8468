"""What bundles for GPUs do to pictures and answers, each graph computed on a CPU with every rounding that it states.

`asked` is the form as requested, `made` what `quantize` makes of it: an image decoder that alone misses its limits is
in its fallback precision. The reference is the float32 bundle, at the requests of `edgevlo evaluate`.

    python benchmarks/emulation.py [--checkpoint picturebook/checkpoint] [--requests 24]
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any, Final

import record

from edgevlo.calibration import calibrate
from edgevlo.calibration.evaluation.gate import judge, reference_of
from edgevlo.calibration.evaluation.reference import Reference
from edgevlo.export import export_checkpoint
from edgevlo.quantization import QuantizeRequest, Static, open_emulated, quantize, run
from edgevlo.runtime.bundle import open_bundle

FORMS: Final[dict[str, dict[str, Any]]] = {
    "fp16": {"weights": "fp16"},
    "bf16": {"weights": "bf16"},
    "weights int8": {"weights": "int8"},
    "weights int4": {"weights": "int4"},
    "weights fp8": {"weights": "fp8"},
    "activations int8": {"weights": "fp16", "static": Static(activations="int8")},
    "activations fp8": {"weights": "fp16", "static": Static(activations="fp8")},
    "int8 KV cache": {"target": "cuda", "weights": "fp16", "static": Static(cache="int8")},
    "activations fp8, smoothed": {"weights": "fp16", "static": Static(activations="fp8", smoothing=0.5)},
}
FIGURES: Final = ("decided_agreement", "kl_mean", "answer_decided_agreement", "decoder_psnr_db",
                  "decoder_ciede2000_median", "decoder_ciede2000_p95")  # fmt: skip


def judged(reference: Reference, folder: Path) -> dict[str, Any]:
    """Return a bundle's figures, and whether it passed."""
    with open_emulated(folder) as subject:
        found = judge(reference, subject)
    return {"passed": found.passed} | {name: found.figures[name] for name in FIGURES if name in found.figures}


def main() -> None:
    """Measure and write `results/emulation.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=24)
    parser.add_argument("--checkpoint", type=Path, default=Path(__file__).parent.parent / "picturebook" / "checkpoint")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        portable, ranges = Path(name) / "portable", Path(name) / "ranges.calib"
        export_checkpoint(arguments.checkpoint, portable)
        calibrate(portable, ranges)
        reference = reference_of(open_bundle(portable), count=arguments.requests)
        forms = {}
        for number, (form, options) in enumerate(FORMS.items()):
            asked, made = Path(name) / f"asked-{number}", Path(name) / f"made-{number}"
            given = {"target": "tensorrt", **options} | ({"calibration": ranges} if "static" in options else {})
            quantize(portable, asked, requests=0, **given)
            request = QuantizeRequest(bundle=portable, output=made, requests=arguments.requests, **given)
            fallbacks = {module: one.precision for module, one in run(request).fallbacks.items()}
            forms[form] = {
                "asked": judged(reference, asked),
                "made": judged(reference, made) | {"more_precise": fallbacks},
            }
    print(record.write("emulation", {"requests": arguments.requests, "forms": forms}))


if __name__ == "__main__":
    main()
