"""Liquid: Gemma, whose vocabulary goes on with Chameleon's image codes. Facts of github.com/FoundationVision/Liquid.

The image tokenizer is Chameleon's VQGAN, a file of its own.
"""

from edgevlo.runtime.manifest.abilities import Ability, Answer
from edgevlo.runtime.manifest.guidance import Branch, Guidance, Sampling
from edgevlo.runtime.manifest.pictures import FitPadSquare, Grid, Postprocess, Preprocess
from edgevlo.runtime.manifest.prompts import Piece

from ..checkpoint.card import Card
from ..checkpoint.folder import Checkpoint
from ..export_plan import ExportPlan
from .one_vocabulary import GEMMA, OneVocabulary, plan_as
from .vqgan import VqganPictures

SIDE = 32  # cells
PIXELS = 512
BEGIN = Piece(token="<bos>")

LIQUID = OneVocabulary(
    name="liquid",
    architecture="GemmaForCausalLM",
    decoder=GEMMA,
    pictures=VqganPictures,
    open=("<boi>",),
    close=("<eoi>",),
    weights_licence=(
        "Gemma Terms of Use (https://ai.google.dev/gemma/terms) for the decoder, and Chameleon Research License, "
        "NON-COMMERCIAL research use only, for the image tokenizer"
    ),
    licence_binds=True,
    defaults=Card(
        grid=Grid(
            kind="fixed",
            rows=(SIDE, SIDE),
            columns=(SIDE, SIDE),
            cells=(SIDE * SIDE, SIDE * SIDE),
            default=(SIDE, SIDE),
        ),
        guidance=Guidance(
            branches=(
                Branch(kind="prompt", constant=0.0, scale=1.0),
                Branch(kind="template", constant=1.0, scale=-1.0, prompt=(BEGIN, Piece(text="<unconditional>"))),
            ),
            default_scale=7.0,
        ),
        sampling=Sampling(temperature=0.99, top_k=4096, top_p=0.96),
        answer=Answer(stop=("<eos>", "<end_of_turn>"), max_tokens=512, text_only=True),
        preprocess=Preprocess(
            min_pixels=PIXELS * PIXELS,
            max_pixels=PIXELS * PIXELS,
            resample="lanczos",
            fit_pad_square=FitPadSquare(side=PIXELS, color=(122, 116, 104), pad_first=True),
        ),
        postprocess=Postprocess(),
        abilities={
            "paint": Ability(
                prompt=(BEGIN, Piece(field="text"), Piece(text=" Generate an image based on this description.")),
                output="image",
            ),
            "ask": Ability(
                prompt=(
                    BEGIN,
                    Piece(token="<start_of_turn>"),
                    Piece(text="user\n"),
                    Piece(field="images"),
                    Piece(text="\n"),
                    Piece(field="text"),
                    Piece(token="<end_of_turn>"),
                    Piece(text="\n"),
                    Piece(token="<start_of_turn>"),
                    Piece(text="model\n"),
                ),
                output="text",
                images=(1, 1),
            ),
        },
    ),
)


def export_plan(checkpoint: Checkpoint) -> ExportPlan:
    """Return what the exporter needs to know about a Liquid checkpoint."""
    return plan_as(checkpoint, LIQUID)
