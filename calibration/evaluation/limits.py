"""How far a bundle may be from its reference, by precision. Data; nothing else decides.

A figure that one module moves is judged by the precision of that module, the others by the coarsest in the bundle: a
decoder in half precision has no excuse in a backbone of four bits.
"""

from dataclasses import dataclass
from typing import Final, Literal

from edgevlo.runtime.manifest.graphs import GraphRole, Precision
from edgevlo.runtime.manifest.schema import Manifest


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that is judged: its name in words, whether more of it is better, and the one module that moves it."""

    text: str
    unit: Literal["share", "nats", "dB", "CIEDE2000", "SSIM"]
    better: Literal["more", "less"]
    module: GraphRole | None = None  # None: several do


FIGURES: Final[dict[str, Figure]] = {
    "code_agreement": Figure("codes that agree", "share", "more"),
    "decided_agreement": Figure("codes that agree where the reference was sure", "share", "more"),
    "kl_mean": Figure("divergence of the next code, mean", "nats", "less"),
    "kl_p99": Figure("divergence of the next code, 99 %", "nats", "less"),
    "hidden_sqnr_db": Figure("hidden states, signal to noise", "dB", "more"),
    "decoder_psnr_db": Figure("same codes decoded, PSNR", "dB", "more", "image_decoder"),
    "decoder_ssim": Figure("same codes decoded, SSIM", "SSIM", "more", "image_decoder"),
    "decoder_ciede2000_median": Figure("same codes decoded, colour, median", "CIEDE2000", "less", "image_decoder"),
    "decoder_ciede2000_p95": Figure("same codes decoded, colour, 95 %", "CIEDE2000", "less", "image_decoder"),
    "picture_ciede2000_median": Figure("teacher-forced pictures, colour, median", "CIEDE2000", "less"),
    "picture_ciede2000_p95": Figure("teacher-forced pictures, colour, 95 %", "CIEDE2000", "less"),
    "picture_ssim": Figure("teacher-forced pictures, SSIM", "SSIM", "more"),
    "answer_token_agreement": Figure("tokens of answers that agree", "share", "more"),
    "answer_decided_agreement": Figure("tokens of answers that agree where the reference was sure", "share", "more"),
    "answers_exact": Figure("answers that are the same", "share", "more"),
    "reading_agreement": Figure("codes read from pictures that agree", "share", "more"),
    "feature_sqnr_db": Figure("features of pictures, signal to noise", "dB", "more", "vision_encoder"),
}

# Decoded pictures: a CIEDE2000 of 1 is about what people see side by side, and 2 to 3 what they see at all; a decoder
# that does worse changes colours, whatever it saves. Codes and tokens are judged where the reference is sure, one being
# twice as likely as any other: where it is not, it could have taken another itself. For comparison, picturebook against
# float32 at 24 requests:
#     int8, blocks of 64:  decided codes 100 %, divergence 6e-6 nats,   answers' tokens 100 %
#     int4, blocks of 32:  decided codes 100 %, divergence 3.5e-4 nats, answers' tokens 100 %
_PICTURES: Final = {"decoder_ciede2000_median": 1.0, "decoder_ciede2000_p95": 3.0, "decoder_ssim": 0.95}
_EIGHT_BITS: Final = {
    **_PICTURES,
    "decided_agreement": 0.98,
    "kl_mean": 0.02,
    "picture_ciede2000_median": 1.0,
    "answer_decided_agreement": 0.97,
    "reading_agreement": 0.98,
    "feature_sqnr_db": 20.0,
}
_HALF: Final = {
    **_EIGHT_BITS,
    "decoder_ciede2000_median": 0.5,
    "decoder_ciede2000_p95": 1.0,
    "decided_agreement": 0.995,
    "kl_mean": 0.002,
    "answer_decided_agreement": 0.99,
    "reading_agreement": 0.99,
    "feature_sqnr_db": 30.0,
}
LIMITS: Final[dict[Precision, dict[str, float]]] = {
    "fp32": {
        **_HALF,
        "decoder_ciede2000_median": 0.1,
        "decoder_ciede2000_p95": 0.5,
        "decided_agreement": 0.999,
        "kl_mean": 1e-4,
        "answer_decided_agreement": 0.999,
        "reading_agreement": 0.999,
        "feature_sqnr_db": 60.0,
    },
    "fp16": _HALF,
    "bf16": _HALF,
    "fp8": _EIGHT_BITS,
    "int8": _EIGHT_BITS,
    "int4": {
        **_EIGHT_BITS,
        "decided_agreement": 0.96,
        "kl_mean": 0.1,
        "answer_decided_agreement": 0.94,
        "reading_agreement": 0.96,
        "feature_sqnr_db": 12.0,
    },
}

COARSEST_LAST: Final[tuple[Precision, ...]] = ("fp32", "fp16", "bf16", "fp8", "int8", "int4")
_STORED: Final[dict[str, Precision]] = {
    "float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "int8": "int8", "int4": "int4",
}  # fmt: skip


def limits_of(manifest: Manifest) -> dict[str, float]:
    """Return the limits of a bundle, by figure."""
    usual, graphs = LIMITS[coarsest(manifest)], manifest.graphs
    own = {name: graphs[module].precision for name, one in FIGURES.items() if (module := one.module) in graphs}
    return {name: LIMITS[own[name]][name] if name in own else bound for name, bound in usual.items()}


def coarsest(manifest: Manifest) -> Precision:
    """Return the coarsest precision of a bundle's graphs, its embeddings and its KV cache."""
    tables = (table for table in (manifest.token_embedding, manifest.code_embedding) if table is not None)
    stored = (*(table.dtype for table in tables), manifest.backbone.cache_dtype)
    found = (*(graph.precision for graph in manifest.graphs.values()), *(_STORED[dtype] for dtype in stored))
    return max(found, key=COARSEST_LAST.index)
