"""SimpleAR: Qwen2, whose vocabulary goes on with Cosmos' image codes. Facts of github.com/wdrink/SimpleAR.

The pixel decoder is that of NVIDIA's Cosmos tokenizer, a file of its own. It paints squares and reads no pictures.
"""

from edgevlo.runtime.manifest.abilities import Ability, Answer
from edgevlo.runtime.manifest.guidance import Branch, Guidance, Sampling
from edgevlo.runtime.manifest.pictures import Grid, Postprocess, Preprocess
from edgevlo.runtime.manifest.prompts import Piece

from ..checkpoint.card import Card
from ..checkpoint.folder import Checkpoint
from ..export_plan import ExportPlan
from .cosmos.decoder import CosmosPictures
from .one_vocabulary import QWEN2, OneVocabulary, plan_as

BEGIN = Piece(token="<|t2i|>")
SIDES = (16, 64)  # cells

SIMPLEAR = OneVocabulary(
    name="simplear",
    architecture="Qwen2ForCausalLM",
    decoder=QWEN2,
    pictures=CosmosPictures,
    open=("<|soi|>",),
    weights_licence=(
        "not stated for the decoder (its code is MIT); the NVIDIA Open Model License for the image tokenizer "
        "(https://www.nvidia.com/en-us/agreements/enterprise-software/nvidia-open-model-license)"
    ),
    defaults=Card(
        grid=Grid(
            rows=SIDES,
            columns=SIDES,
            cells=(SIDES[0] ** 2, SIDES[1] ** 2),
            default=(SIDES[1], SIDES[1]),
            max_ratio=1.0,
        ),
        guidance=Guidance(
            branches=(
                Branch(kind="prompt", constant=0.0, scale=1.0),
                Branch(
                    kind="template",
                    constant=1.0,
                    scale=-1.0,
                    prompt=(BEGIN, Piece(text="An image of "), Piece(field="text")),
                ),
            ),
            default_scale=6.0,
            negative_text=(
                "aerial view, overexposed, low quality, deformation, a poor composition, bad hands, bad teeth, "
                "bad eyes, bad limbs, distortion"
            ),
        ),
        sampling=Sampling(temperature=1.0, top_k=0),
        answer=Answer(stop=("<|soi|>",), text_only=True),  # it answers nothing
        preprocess=Preprocess(min_pixels=256 * 256, max_pixels=1024 * 1024),
        postprocess=Postprocess(),
        abilities={
            "paint": Ability(
                prompt=(BEGIN, Piece(text="A highly realistic image of "), Piece(field="text")), output="image"
            )
        },
    ),
)


def export_plan(checkpoint: Checkpoint) -> ExportPlan:
    """Return what the exporter needs to know about a SimpleAR checkpoint."""
    return plan_as(checkpoint, SIMPLEAR)
