"""Text with pictures in it, as Anole writes it, against a loop over transformers' modules without a cache.

The loop follows github.com/GAIR-NLP/anole: text is the likeliest token that is no code; at the opener a picture is
painted from three branches, all so far, its pictures alone, and neither; behind its closer the text goes on.
"""

import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
import transformers
from chameleon_checkpoints import CLOSE, END, OPEN, TURN, ChameleonShape, make_chameleon
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from edgevlo.cli import main
from edgevlo.export import export_checkpoint
from edgevlo.quantization import quantize
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import AbilityError, RequestError
from edgevlo.runtime.generate.stroke import Stroke
from edgevlo.runtime.generate.text import AnswerWarning
from edgevlo.runtime.model import Model

library: Any = transformers
SHAPES = (
    ChameleonShape(name="mha", side=3, seed=11),
    ChameleonShape(name="gqa-swin-odd", layers=3, kv_heads=2, swin_norm=True, side=4, decoder="file", seed=16),
)
IMAGE_SCALE = 1.2
pytestmark = pytest.mark.filterwarnings("ignore::edgevlo.runtime.pictures.load.PictureWarning")


@dataclass(frozen=True)
class Pair:
    """One checkpoint in transformers and, exported, in the runtime."""

    shape: ChameleonShape
    reference: Any
    tokenizer: Tokenizer
    folder: Path

    @property
    def model(self) -> Model:
        return Model.open(self.folder)

    def ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    @property
    def codes(self) -> torch.Tensor:
        return torch.tensor(self.reference.model.vocabulary_mapping.image_tokens)


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: shape.name)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    shape, folder = request.param, tmp_path_factory.mktemp("interleave")
    checkpoint = make_chameleon(folder / "checkpoint", shape)
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    weights = load_file(checkpoint / "model.safetensors")
    head = weights["lm_head.weight"]
    head[tokenizer.token_to_id(OPEN)] *= 4  # so that it begins pictures, and comes to an end
    head[tokenizer.token_to_id(TURN)] *= 1.5
    save_file(weights, checkpoint / "model.safetensors", metadata={"format": "pt"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export_checkpoint(checkpoint, folder / "portable")
    quantize(folder / "portable", folder / "cpu", target="cpu", weights="fp32", requests=0)
    reference = library.ChameleonForConditionalGeneration.from_pretrained(checkpoint).eval()
    return Pair(shape, reference, tokenizer, folder / "cpu")


def limited(model: Model, *, max_tokens: int, max_positions: int = 512) -> Model:
    """Return the model with less room."""
    manifest = model.manifest
    answer = msgspec.structs.replace(manifest.answer, max_tokens=max_tokens)
    backbone = msgspec.structs.replace(manifest.backbone, max_positions=max_positions)
    changed = msgspec.structs.replace(manifest, answer=answer, backbone=backbone)
    return Model(Bundle(folder=model.bundle.folder, manifest=changed, digest=model.bundle.digest))


@torch.no_grad()
def logits(pair: Pair, ids: Sequence[int]) -> torch.Tensor:
    hidden = pair.reference.model(input_ids=torch.tensor([list(ids)]), use_cache=False).last_hidden_state[:, -1]
    found: torch.Tensor = pair.reference.lm_head(hidden)[0]
    return found


def looped(pair: Pair, prompt: list[int], shown: list[list[int]], scale: float, left: int) -> list[list[int]]:
    """Return text and pictures in turn as tokens, at most `left` of text; `shown` are the pictures in the prompt."""
    room = 512 - len(pair.ids(OPEN + CLOSE)) - pair.shape.side**2
    begin, opener, closer = pair.ids("<s>"), pair.ids(OPEN), pair.ids(CLOSE)
    stop = {*pair.ids(TURN), *pair.ids(END)}
    sequence, pictures = list(prompt), list(shown)
    parts, text = list[list[int]](), list[int]()
    while left:
        scores = logits(pair, sequence)
        scores[pair.codes] = -torch.inf
        token = int(scores.argmax())
        if token in stop:
            break
        if [token] == opener and len(sequence) > room:
            break
        sequence.append(token)
        if [token] != opener:
            text.append(token)
            left -= 1
            continue
        parts, text = [*parts, text], []
        blocks = [part for picture in pictures for part in (*opener, *picture, *closer)]
        branches = [sequence, begin + blocks + opener, begin + opener]
        weights = [scale, IMAGE_SCALE - scale, 1 - IMAGE_SCALE]
        picture = list[int]()
        for _ in range(pair.shape.side**2):
            each = [logits(pair, branch + picture)[pair.codes] for branch in branches]
            mixed = sum(weight * one for weight, one in zip(weights, each, strict=True))
            assert isinstance(mixed, torch.Tensor)
            picture.append(int(pair.codes[mixed.argmax()]))
        pictures.append(picture)
        parts.append(picture)
        sequence += picture + closer
    return [*parts, text]


def told(pair: Pair, model: Model, words: str, pictures: Sequence[Image.Image], **options: Any) -> list[Any]:
    """Return what the runtime writes: text, and the tokens of the pictures."""
    first = int(pair.codes[0])
    rows = model.interleave_rows(words, pictures, temperature=0.0, **options)
    whole = [part for part in rows if isinstance(part, str) or part.rows_done == part.rows]
    return [part if isinstance(part, str) else (part.codes.ravel() + first).tolist() for part in whole]


def picture_of(pair: Pair, seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((pair.shape.pixels,) * 2, Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("words", "given", "scale"), [("a red car on the beach", 0, 3.0), ("the tree", 1, 1.7), ("what is it?", 2, 3.0)]
)
def test_text_and_pictures_equal_a_loop(pair: Pair, words: str, given: int, scale: float) -> None:
    model = limited(pair.model, max_tokens=16)
    pictures = [picture_of(pair, seed) for seed in range(given)]
    first = int(pair.codes[0])
    shown = [(model.tokenize(picture).ravel() + first).tolist() for picture in pictures]
    blocks = [part for codes in shown for part in (*pair.ids(OPEN), *codes, *pair.ids(CLOSE))]
    prompt = pair.ids(f"<s>{words}") + blocks + pair.ids(TURN)
    expected = [
        pair.tokenizer.decode(part).strip() if place % 2 == 0 else part
        for place, part in enumerate(looped(pair, prompt, shown, scale, 16))
    ]

    found = told(pair, model, words, pictures, guidance_scale=scale)

    assert found == [part for part in expected if part]
    assert sum(isinstance(part, list) for part in found) >= 2
    assert sum(isinstance(part, str) for part in found) >= 2


@pytest.mark.filterwarnings("ignore::edgevlo.runtime.generate.text.AnswerWarning")
def test_pictures_have_seeds_of_their_own_and_say_how_they_were_made(pair: Pair) -> None:
    model = limited(pair.model, max_tokens=16)
    parts = [part for part in model.interleave("a red car on the beach", seed=2**32 - 1) if not isinstance(part, str)]
    again = [part for part in model.interleave("a red car on the beach", seed=2**32 - 1) if not isinstance(part, str)]

    seeds = [re.findall(r"Seed: (\d+)", part.info["parameters"]) for part in parts]
    assert seeds == [[str((2**32 - 1 + place) % 2**32)] for place in range(len(parts))]
    assert all(part.info["parameters"].startswith("a red car on the beach\n") for part in parts)
    assert [part.tobytes() for part in parts] == [part.tobytes() for part in again]
    assert len(parts) >= 1


def test_a_picture_that_no_longer_fits_ends_the_answer(pair: Pair) -> None:
    prompt = len(pair.ids(f"<s>a red car on the beach{TURN}"))
    model = limited(pair.model, max_tokens=16, max_positions=prompt + pair.shape.side**2 + 1)
    with pytest.warns(AnswerWarning, match="no room for the model's next picture"):
        parts = [*model.interleave("a red car on the beach", temperature=0.0)]
    assert all(isinstance(part, str) for part in parts)


def test_what_cannot_be_asked_is_refused_before_anything_runs(pair: Pair) -> None:
    model = limited(pair.model, max_tokens=16)
    most = model.manifest.abilities["interleave"].images[1]
    pictures = [picture_of(pair, 0)] * (most + 1)
    with pytest.raises(RequestError, match=f"interleave takes 0 to {most} picture"):
        model.interleave("what is it?", pictures)
    with pytest.raises(RequestError, match="the prompt is empty"):
        model.interleave(" ")
    with pytest.raises(RequestError, match=r"top-p 0 is out of range; it is above 0"):
        model.interleave("what is it?", top_p=0)
    with pytest.raises(RequestError, match="this model holds 512"):
        model.interleave("car " * 600)


def test_a_model_that_lacks_it_says_what_it_can() -> None:
    import edgevlo

    with pytest.raises(AbilityError, match=r"\(family emu3\) does not support 'interleave'\. Supported: ask"):
        edgevlo.load().interleave("a story")


@pytest.mark.filterwarnings("ignore::edgevlo.runtime.generate.text.AnswerWarning")
def test_rows_of_a_picture_come_one_by_one(pair: Pair) -> None:
    parts = [*limited(pair.model, max_tokens=16).interleave_rows("a red car on the beach", temperature=0.0)]
    strokes = [part for part in parts if isinstance(part, Stroke)]
    rows = [stroke.rows_done for stroke in strokes]
    assert rows == [*range(1, pair.shape.side + 1)] * (len(rows) // pair.shape.side)


@pytest.mark.filterwarnings("ignore::edgevlo.runtime.generate.text.AnswerWarning")
def test_the_command_prints_text_and_names_pictures_where_they_stand(pair: Pair, tmp_path: Path) -> None:
    expected = [*pair.model.interleave("a red car on the beach", temperature=0.0)]
    command = ["interleave", "a red car on the beach", "-m", str(pair.folder), "--temperature", "0"]
    plain = CliRunner().invoke(main, [*command, "-o", str(tmp_path / "story.png")])
    lines = CliRunner().invoke(main, [*command, "-o", str(tmp_path / "again.png"), "--json"])

    numbers = iter(range(1, 100))
    told = [part if isinstance(part, str) else str(tmp_path / f"story-{next(numbers)}.png") for part in expected]
    assert plain.exit_code == lines.exit_code == 0
    assert plain.stdout.splitlines() == "\n".join(told).splitlines()
    listed = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [next(iter(line)) for line in listed] == [
        "text" if isinstance(part, str) else "picture" for part in expected
    ]
    pictures = [part for part in expected if not isinstance(part, str)]
    for number, picture in enumerate(pictures, start=1):
        with Image.open(tmp_path / f"story-{number}.png") as saved:
            assert saved.tobytes() == picture.tobytes()
            assert "AIGC" in saved.info["XML:com.adobe.xmp"]
    assert pictures


def test_a_file_in_place_of_the_prompt_is_a_usage_error(pair: Pair, tmp_path: Path) -> None:
    picture_of(pair, 0).save(tmp_path / "car.png")
    done = CliRunner().invoke(main, ["interleave", str(tmp_path / "car.png"), "-m", str(pair.folder)])
    assert done.exit_code == 2
    assert "takes its prompt after the picture" in done.stderr
