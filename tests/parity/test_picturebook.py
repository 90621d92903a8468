"""The embedded bundle beside its checkpoint in transformers, and before the world's own judge."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

import edgevlo
from edgevlo.cli import run
from edgevlo.export import export_checkpoint
from edgevlo.picturebook.exercises.sequence import Encoder
from edgevlo.picturebook.exercises.tasks import Sample
from edgevlo.picturebook.exercises.text_tokenizer import load
from edgevlo.picturebook.judging import judge, trials
from edgevlo.picturebook.model.painter import paint
from edgevlo.picturebook.world import atlas, scene_to_codes
from edgevlo.runtime.bundle import open_bundle

CHECKPOINT = Path(__file__).parents[2] / "picturebook" / "checkpoint"


def judged(count: int, language: str, seed: int) -> list[Sample]:
    return [trials.draw("paint1", language, number, seed).samples[0] for number in range(count)]


def painted_from(picture: Image.Image, request: str) -> str:
    """Return the words that a picture was painted from: the request, or what was read in it."""
    found = re.search(r'Read as: ("(?:[^"\\]|\\.)*")', picture.info["parameters"])
    words: str = json.loads(found[1]) if found else request
    return words


@pytest.fixture(scope="module")
def embedded() -> edgevlo.Model:
    return edgevlo.load()


def test_true_pictures_come_back_pixel_for_pixel(embedded: edgevlo.Model) -> None:
    for sample in judged(20, "en", 7):
        true = atlas.pixels(scene_to_codes.paint(sample.scenes[0]))

        codes = embedded.tokenize(Image.fromarray(true))

        np.testing.assert_array_equal(codes, scene_to_codes.paint(sample.scenes[0]))
        np.testing.assert_array_equal(np.asarray(embedded.decode(codes)), true)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_int8_paints_what_the_checkpoint_paints(embedded: edgevlo.Model, language: str) -> None:
    library: Any = transformers
    reference = library.Emu3ForConditionalGeneration.from_pretrained(CHECKPOINT).eval()
    made = []
    for sample in judged(24, language, 3):
        *_, last = embedded.paint_rows(sample.instruction, temperature=0.0, guidance_scale=1.0)
        made.append((replace(sample, instruction=painted_from(last.preview, sample.instruction)), last.codes))
    with torch.no_grad():
        expected = paint(reference, Encoder(load(CHECKPOINT)), [sample for sample, _ in made])

    same = [np.mean(painted == codes) for (_, painted), codes in zip(made, expected, strict=True)]

    assert np.mean(same) > 0.98


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_object_is_painted_as_asked(embedded: edgevlo.Model, language: str) -> None:
    samples = judged(40, language, 11)

    right = 0
    for seed, sample in enumerate(samples):
        picture = embedded.paint(sample.instruction, seed=seed)
        right += judge.judge_scene(sample.scenes[0], judge.read(np.asarray(picture)), sample.said)["all"]

    assert right >= 34  # 0.85: three standard errors under what 100 prompts give


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::edgevlo.export.checkpoint.folder.CheckpointWarning")
def test_the_embedded_bundle_is_what_its_checkpoint_becomes_its_record_of_quality_included(tmp_path: Path) -> None:
    export_checkpoint(CHECKPOINT, tmp_path / "portable")
    assert run(["quantize", str(tmp_path / "portable"), "--weights", "int8", "-o", str(tmp_path / "int8")]) == 0

    made, embedded = (open_bundle(folder).manifest for folder in (tmp_path / "int8", edgevlo.load().bundle.folder))
    assert made.files == embedded.files  # size and SHA-256 of each
    assert made.quality is not None
    assert embedded.quality is not None
    assert (made.quality.reference, made.quality.data) == (embedded.quality.reference, embedded.quality.data)
    assert made.quality.figures == pytest.approx(embedded.quality.figures, rel=0.05, abs=1e-6)
