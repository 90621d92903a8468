"""The model families that can be exported, a record each: what `edgevlo export --list` prints. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from edgevlo.runtime.manifest.abilities import AbilityName


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family; its module here has a function `export_plan(checkpoint)`."""

    name: str  # in manifests
    module: str
    architectures: tuple[str, ...]  # in a config's `architectures`
    checkpoints: tuple[str, ...]  # hub ids of released checkpoints of these classes
    abilities: tuple[AbilityName, ...]  # of the released checkpoints; a task card may say more
    grid: str
    licence: str  # of the released checkpoints
    verified: str  # what was run, and against what
    tokens: tuple[str, ...] = ()  # special tokens that tell it from others of the same class
    files: tuple[str, ...] = ()  # beside the weights, any one of which may hold what they lack
    instead: Mapping[str, str] = field(default_factory=dict)  # class, hub id or file that is not taken -> what to take


_CHAMELEON: Final = "Chameleon Research License, NON-COMMERCIAL"
_TINY: Final = (
    "tiny random weights: every graph against transformers, answers token for token against its generate, painting "
    "token for token against a loop over its modules; no released checkpoint was at hand"
)
VQGAN_FILES: Final = ("vqgan.ckpt", "vqgan.safetensors", "tokenizer/vqgan.ckpt")
COSMOS_FILES: Final = ("decoder.safetensors",)
_CONVERTED: Final = "facebook/chameleon-7b, facebook/chameleon-30b or leloy/Anole-7b-v0.1-hf, in transformers' format"
_DEEPSEEK: Final = "DeepSeek License Agreement, with use restrictions; the code's is mit"

FAMILIES: Final = (
    Family(
        name="emu3",
        module="emu3.family",
        architectures=("Emu3ForConditionalGeneration",),
        checkpoints=("BAAI/Emu3-Chat-hf", "BAAI/Emu3-Gen-hf"),
        abilities=("paint", "ask"),
        grid="any rows x columns that the positions hold, cells of 8 pixels",
        licence="apache-2.0",
        verified="every graph against transformers, pictures, edits and answers token for token against its generate, "
        "on small random checkpoints of the class; exported once at Emu3-Gen 8B's shape; no released checkpoint was at "
        "hand",
    ),
    Family(
        name="emu3",
        module="emu3.original",
        architectures=("Emu3ForCausalLM",),
        checkpoints=("BAAI/Emu3-Stage1", "BAAI/Emu3-Chat", "BAAI/Emu3-Gen"),
        abilities=("paint", "ask"),
        grid="any rows x columns that the positions hold, cells of 8 pixels",
        licence="apache-2.0",
        verified="the same tensors as from transformers' format, and the same graphs byte for byte, on small random "
        "checkpoints written in BAAI's format; ids of text against the package tiktoken; no released checkpoint "
        "was at hand, and BAAI's code was not run. Needs BAAI/Emu3-VisionTokenizer beside it (docs/export.md)",
    ),
    Family(
        name="janus",
        module="janus.family",
        architectures=("JanusForConditionalGeneration",),
        checkpoints=("deepseek-community/Janus-Pro-1B", "deepseek-community/Janus-Pro-7B"),
        abilities=("paint", "ask"),
        grid="one square of cells of 16 pixels, 24 x 24 in the released models",
        licence=_DEEPSEEK,
        verified="every graph and the table of codes against transformers, pictures and answers token for token "
        "against its generate, on small random checkpoints of the class; exported once at Janus-Pro-1B's shape; no "
        "released checkpoint was at hand",
    ),
    Family(
        name="janus",
        module="janus.original",
        architectures=("MultiModalityCausalLM",),
        checkpoints=("deepseek-ai/Janus-1.3B", "deepseek-ai/Janus-Pro-1B", "deepseek-ai/Janus-Pro-7B"),
        abilities=("paint", "ask"),
        grid="one square of cells of 16 pixels, 24 x 24 in the released models",
        licence=_DEEPSEEK,
        verified="the same graphs, byte for byte, as from transformers' format, on small random checkpoints written in "
        "deepseek-ai's format; no released checkpoint was at hand, and deepseek-ai's code was not run",
    ),
    Family(
        name="janus",
        module="janus.original",
        architectures=("MultiModalityCausalLM",),
        checkpoints=("FreedomIntelligence/Janus-4o-7B",),
        abilities=("paint", "edit", "ask"),
        grid="one square of cells of 16 pixels, 24 x 24 in the released model",
        licence=_DEEPSEEK,
        verified="edits token for token against a loop over transformers' modules, which has no such loop itself, on "
        "small random checkpoints; no released checkpoint was at hand",
    ),
    Family(
        name="chameleon",
        module="chameleon.family",
        architectures=("ChameleonForConditionalGeneration",),
        checkpoints=("facebook/chameleon-7b", "facebook/chameleon-30b", "leloy/Anole-7b-v0.1-hf"),
        abilities=("ask", "paint", "interleave"),
        grid="one square of cells of 16 pixels, 32 x 32 in the released models",
        licence=_CHAMELEON,
        verified=f"{_TINY}, text with pictures in it likewise. Painting and interleave need a pixel decoder: in the "
        "checkpoint (Anole) or as vqgan.ckpt beside it",
        files=VQGAN_FILES,
        instead=dict.fromkeys(
            ("GAIR/Anole-7b-v0.1", "params.json", "models/7b/params.json", "models/30b/params.json"), _CONVERTED
        ),
    ),
    Family(
        name="lumina-mgpt",
        module="chameleon.family",
        architectures=("ChameleonXLLMXForConditionalGeneration",),
        checkpoints=(
            "Alpha-VLLM/Lumina-mGPT-7B-512",
            "Alpha-VLLM/Lumina-mGPT-7B-768",
            "Alpha-VLLM/Lumina-mGPT-7B-768-Omni",
            "Alpha-VLLM/Lumina-mGPT-7B-1024",
            "Alpha-VLLM/Lumina-mGPT-34B-512",
        ),
        abilities=("paint", "ask", "edit", "segment", "depth", "normals", "pose", "boxes"),
        grid="rows x columns in steps of 2 cells of 16 pixels, up to the release's square, ratio up to 4",
        licence=f"{_CHAMELEON}; its own repository states none",
        verified=f"{_TINY}. Its class may also be ChameleonForConditionalGeneration. All but paint and ask: Omni only. "
        "Needs vqgan.ckpt beside it",
        files=VQGAN_FILES,
    ),
    Family(
        name="liquid",
        module="liquid",
        architectures=("GemmaForCausalLM",),
        checkpoints=("Junfeng5/Liquid_V1_7B",),
        abilities=("paint", "ask"),
        grid="one square of 32 x 32 cells of 16 pixels",
        licence=f"Gemma Terms of Use; {_CHAMELEON}, for the image tokenizer",
        verified=f"{_TINY}. Needs vqgan.ckpt beside it",
        tokens=("<boi>", "<eoi>"),
        files=VQGAN_FILES,
    ),
    Family(
        name="simplear",
        module="simplear",
        architectures=("Qwen2ForCausalLM", "SimpARForCausalLM"),
        checkpoints=("Daniel0724/SimpleAR-0.5B-SFT", "Daniel0724/SimpleAR-1.5B-SFT"),
        abilities=("paint",),
        grid="squares of 16 to 64 cells of 16 pixels",
        licence="not stated for the weights; NVIDIA Open Model License for the image tokenizer",
        verified="tiny random weights: the decoder against transformers, painting token for token against a loop over "
        "its modules, the pixel decoder against its published layers written out in three dimensions; neither a "
        "released checkpoint nor NVIDIA's program was at hand. Needs decoder.safetensors beside it",
        tokens=("<|t2i|>", "<|soi|>"),
        files=COSMOS_FILES,
    ),
)


def supported() -> str:
    """Return every class with its checkpoints, for error messages."""
    checkpoints: dict[str, list[str]] = {}
    for family in FAMILIES:
        for architecture in family.architectures:
            checkpoints.setdefault(architecture, []).extend(family.checkpoints)
    return "; ".join(f"{architecture} ({', '.join(listed)})" for architecture, listed in checkpoints.items())


def instead_of(*names: str) -> str:
    """Return a sentence, and a space before it, on what to take instead of classes, hub ids or files; or nothing."""
    found = (what for family in FAMILIES for name, what in family.instead.items() if name in names)
    return "".join(f" Take {what}." for what in dict.fromkeys(found))


def table() -> str:
    """Return the families as text, a line for each fact."""
    return "\n".join(map(_described, FAMILIES))


def facts() -> list[dict[str, Any]]:
    """Return the families as data, an entry for each."""
    return [{"name": family.name, **_facts(family)} for family in FAMILIES]


def _facts(family: Family) -> dict[str, Any]:
    return {
        "classes": list(family.architectures),
        "checkpoints": list(family.checkpoints),
        "abilities": list(family.abilities),
        "grid": family.grid,
        "licence": family.licence,
        "verified": family.verified,
    }


def _described(family: Family) -> str:
    facts = {name: ", ".join(fact) if isinstance(fact, list) else fact for name, fact in _facts(family).items()}
    return "\n".join([family.name, *(f"  {name:12} {fact}" for name, fact in facts.items())]) + "\n"
