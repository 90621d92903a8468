"""The manifest's guidance branches and sampling: how the next code is drawn."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from .prompts import Pieces
from .values import Finite, Index, Record, ShortText

Temperature: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
TopP: TypeAlias = Annotated[float, Meta(gt=0, le=1)]
GuidanceScale: TypeAlias = Annotated[float, Meta(ge=0, le=100)]


class Branch(Record, frozen=True, kw_only=True):
    """One guidance branch and its weight, `constant + scale * guidance_scale + image_scale * image_guidance_scale`.

    `prompt` is the ability's own prompt; `negative` is the same with the text replaced by the negative prompt;
    `template` is a prompt of its own, in which `text` is the negative prompt; `pad_codes` is the ability's prompt with
    `Guidance.pad` for every code of a picture that it shows; `pad_middle` is that prompt with every token but the first
    and the last replaced by it. The pads are read and attended to like any token.
    """

    kind: Literal["prompt", "negative", "template", "pad_codes", "pad_middle"]
    constant: Finite
    scale: Finite
    image_scale: Finite = 0.0
    prompt: Pieces = ()  # for template

    @property
    def reads_negative(self) -> bool:
        """Whether the negative prompt stands in this branch."""
        return self.kind == "negative" or any(piece.field == "text" for piece in self.prompt)


class Guidance(Record, frozen=True, kw_only=True):
    """The guided logits are the weighted sum of the branches' logits; the first branch alone is without guidance.

    Branches whose prompts are the same, as those are that differ in pictures where none is shown, count as one.
    """

    branches: Annotated[tuple[Branch, ...], Meta(min_length=1, max_length=16)]
    default_scale: GuidanceScale = 1.0
    default_image_scale: GuidanceScale | None = None  # given where a branch has an image_scale
    negative_text: ShortText = ""
    pad: ShortText | None = None  # a token; for pad_codes and pad_middle


class Sampling(Record, frozen=True, kw_only=True):
    """How codes are drawn: temperature 0 is greedy, top-k 0 and top-p 1 keep every code.

    In this order, as in transformers: divided by the temperature, the `top_k` likeliest, of those the fewest that have
    `top_p` of the probability together.
    """

    temperature: Temperature = 1.0
    top_k: Index = 0
    top_p: TopP = 1.0
