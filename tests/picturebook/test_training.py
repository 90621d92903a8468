"""Training steps, stops, resumes, and paints in the agreed form."""

from __future__ import annotations

import json
import time
from pathlib import Path
from random import Random

import pytest

torch = pytest.importorskip("torch")

from edgevlo.picturebook import painter, tasks, text, train  # noqa: E402
from edgevlo.picturebook.model import checkpoint_weights, new_model  # noqa: E402
from edgevlo.picturebook.sequence import Encoder  # noqa: E402

SHAPE = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 1, "num_key_value_heads": 1}
RECIPE = train.Recipe(tokens=300)


def test_training_resumes_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text.train(samples=500).save(str(tmp_path / "tokenizer.json"))
    cpu = torch.device("cpu")
    train.run(tmp_path, time.time() + 1.5, RECIPE, cpu, None, SHAPE)
    first = torch.load(tmp_path / "state.pt", weights_only=True)
    train.run(tmp_path, time.time() + 1.5, RECIPE, cpu, None, SHAPE)
    second = torch.load(tmp_path / "state.pt", weights_only=True)
    assert 0 < first["step"] < second["step"]
    assert json.loads(first["rng"]) != json.loads(second["rng"])


def test_training_starts_from_a_checkpoint_with_its_tokenizer(tmp_path: Path) -> None:
    checkpoint = Path(__file__).parents[2] / "picturebook" / "checkpoint"

    train.run(tmp_path, time.time() + 1.5, RECIPE, torch.device("cpu"), checkpoint, {})

    assert (tmp_path / "tokenizer.json").read_bytes() == (checkpoint / "tokenizer.json").read_bytes()
    trained = torch.load(tmp_path / "decoder.pt", weights_only=True)["embed_tokens.weight"]
    start = checkpoint_weights(checkpoint)["embed_tokens.weight"]
    assert 0 < float((trained - start).abs().max()) < 0.2  # a few small steps away, not a new model


def test_painting_gives_one_grid_per_prompt_and_greedy_ignores_the_batch(tmp_path: Path) -> None:
    encoder = Encoder(text.train(samples=500))
    model = new_model(encoder.tokenizer, 32, **SHAPE).eval()
    samples = tasks.judged_paint(Random(0), "en"), tasks.judged_paint(Random(1), "zh")
    together = painter.paint(model, encoder, list(samples))
    alone = [painter.paint(model, encoder, [sample])[0] for sample in samples]
    for one, other in zip(together, alone, strict=True):
        assert one.shape == (8, 8)
        assert (one == other).all()


def test_codes_compete_with_codes_only() -> None:
    encoder = Encoder(text.train(samples=500))
    model = new_model(encoder.tokenizer, 32, **SHAPE)
    sequence = encoder(tasks.judged_paint(Random(0), "en"))
    loss, weight, _ = train.losses(model, *train.padded([sequence], torch.device("cpu")))
    assert loss.shape == weight.shape == (64,)
    assert abs(loss.mean().item() - torch.log(torch.tensor(2048.0)).item()) < 1.0


def test_the_rate_warms_up_and_decays() -> None:
    assert train.rate_at(RECIPE, 0.0, 0) == pytest.approx(RECIPE.rate / RECIPE.warmup)
    assert train.rate_at(RECIPE, 0.4, 1000) == RECIPE.rate
    assert train.rate_at(RECIPE, 1.0, 1000) == pytest.approx(RECIPE.rate * 0.04)
