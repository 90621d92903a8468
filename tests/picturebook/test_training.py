"""Training steps, stops, resumes, and paints in the agreed form."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch

from edgevlo.picturebook.exercises import auxiliary, tasks, text_tokenizer
from edgevlo.picturebook.exercises.pack import Pack, on, packed
from edgevlo.picturebook.exercises.sequence import Encoder, Sequence
from edgevlo.picturebook.model import painter
from edgevlo.picturebook.model.decoder import Decoder
from edgevlo.picturebook.model.heads import Heads
from edgevlo.picturebook.model.new_model import decoder_weights, new_model, shape_of
from edgevlo.picturebook.training import crew, train
from edgevlo.picturebook.training.curriculum import STAGES, Recipe
from edgevlo.picturebook.training.learning_rate import rate_at
from edgevlo.picturebook.training.losses import Contest, losses
from edgevlo.picturebook.training.muon import Muon
from edgevlo.picturebook.world.atlas import CODES
from edgevlo.picturebook.world.scene import Scene

SHAPE = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 1, "num_key_value_heads": 1}
RECIPE = Recipe(tokens=300)
CHECKPOINT = Path(__file__).parents[2] / "picturebook" / "checkpoint"


def alone(weights: dict[str, Any], stage: int) -> crew.Crew:
    return crew.Crew(0, 1, weights, torch.tensor([stage]), torch.tensor([False]))


def train_briefly(out: Path, recipe: Recipe = RECIPE) -> dict[str, Any]:
    weights, stage = train.beginning(out, None, recipe, SHAPE)
    train.run(train.Trainer(out, recipe, torch.device("cpu"), alone(weights, stage)), time.time() + 1.5)
    state: dict[str, Any] = torch.load(out / "state.pt", weights_only=True)
    return state


@pytest.mark.parametrize("muon", [False, True])
def test_training_resumes_where_it_stopped(tmp_path: Path, muon: bool) -> None:
    text_tokenizer.train(samples=500).save(str(tmp_path / "tokenizer.json"))
    recipe = Recipe(tokens=300, muon=muon)
    first = train_briefly(tmp_path, recipe)
    second = train_briefly(tmp_path, recipe)
    assert 0 < first["step"] < second["step"]
    assert second["progress"] == 1.0
    weights, stage = train.beginning(tmp_path, None, recipe, SHAPE)
    again = train.Trainer(tmp_path, recipe, torch.device("cpu"), alone(weights, stage))
    again.learn()
    moved = (again.smooth["norm.weight"] - second["smooth"]["norm.weight"]).abs().max()
    apart = (second["model"]["norm.weight"] - second["smooth"]["norm.weight"]).abs().max()
    assert moved < 0.5 * apart + 1e-3  # averages go on, too


def test_training_starts_from_a_checkpoint_with_its_tokenizer(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgevlo.picturebook.training.train", "--out", str(tmp_path),
               "--start", str(CHECKPOINT),
               "--minutes", "0.03", "--processes", "2", "--tokens", "300"]  # fmt: skip

    subprocess.run(command, check=True, capture_output=True)

    assert (tmp_path / "tokenizer.json").read_bytes() == (CHECKPOINT / "tokenizer.json").read_bytes()
    trained, start = (
        decoder_weights(tmp_path)["embed_tokens.weight"],
        decoder_weights(CHECKPOINT)["embed_tokens.weight"],
    )
    assert 0 < float((trained - start).abs().max()) < 0.2  # a few small steps away, not a new model


def test_a_run_of_two_processes_keeps_its_state_when_asked_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgevlo.picturebook.training.train", "--out", str(tmp_path), "--processes", "2",
               "--layers", "1", "--width", "32", "--tokens", "300"]  # fmt: skip
    text_tokenizer.train(samples=500).save(str(tmp_path / "tokenizer.json"))
    with subprocess.Popen(command, stderr=subprocess.PIPE) as training:
        assert training.stderr
        while b"step" not in (shown := os.read(training.stderr.fileno(), 4096)):
            assert shown, "ended early"
        training.send_signal(signal.SIGTERM)
        training.wait(60)
    assert torch.load(tmp_path / "state.pt", weights_only=True)["progress"] < 1
    assert (tmp_path / "state1.pt").exists()
    assert (tmp_path / "decoder.pt").exists()


def _member(member: crew.Crew) -> None:
    member.weights["sum"].add_(member.rank + 1)
    if member.chief:
        member.stage.add_(1)


def test_a_crew_works_on_the_same_weights() -> None:
    weights = {"sum": torch.zeros(3)}
    crew.run(1, weights, 0, _member)
    assert weights["sum"].tolist() == [1.0] * 3
    assert crew.run(2, weights, 0, _member)["sum"].tolist() == [4.0] * 3


def test_the_decoder_says_of_a_pack_what_transformers_says_of_its_exercises() -> None:
    weights, encoder = decoder_weights(CHECKPOINT), Encoder(text_tokenizer.load(CHECKPOINT))
    decoder = Decoder.of(weights)
    decoder.load_state_dict(weights)
    reference = new_model(encoder.tokenizer, 32, **shape_of(weights)).eval().model.text_model
    reference.load_state_dict(weights)
    drawn = [encoder(tasks.sample(Random(seed), STAGES[1].mix)) for seed in range(4)]
    with torch.no_grad():
        states, start = decoder(on(packed(drawn, 1000), torch.device("cpu"))), 0
        for one in drawn:
            said = reference(input_ids=torch.from_numpy(one.ids)[None], output_hidden_states=True)
            part = slice(start, start + len(one.ids))
            for number in (0, 1, 3):
                scale = said.hidden_states[number].abs().max()
                assert (states[number][part] - said.hidden_states[number][0]).abs().max() < 1e-5 * scale
            scale = said.last_hidden_state.abs().max()
            assert (states[-1][part] - said.last_hidden_state[0]).abs().max() < 1e-4 * scale
            start += len(one.ids)


def test_muon_takes_the_steps_of_torchs() -> None:
    shapes = [(8, 8), (24, 8), (8, 24), (8, 8)]
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    theirs = [torch.nn.Parameter(one.detach().clone()) for one in ours]
    still = torch.nn.Parameter(torch.ones(8, 8))  # has no gradient
    mine = Muon([*ours, still], 0.01, 0.1)
    reference = torch.optim.Muon(theirs, 0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        mine.step()
        reference.step()  # type: ignore[no-untyped-call]
    for one, other in zip(ours, theirs, strict=True):
        assert (one - other).abs().max() < 3e-3  # bfloat16, in another order; a step is 0.01
        assert (one - other).abs().mean() < 5e-4
    assert (still == 1).all()
    reference.load_state_dict(mine.state_dict() | {"param_groups": reference.state_dict()["param_groups"]})


def asking(**kinds: list[tuple[int, int]]) -> Pack[Any]:
    """A pack of eight tokens that asks nothing but this of the heads: (token, answer) by kind."""
    told = np.full((8, len(auxiliary.KINDS)), auxiliary.NONE)
    for kind, pairs in kinds.items():
        for at, answer in pairs:
            told[at, auxiliary.PLACE[kind]] = answer
    exercise = Sequence(np.zeros(8, np.int64), np.zeros(8, np.float32), told, "")
    return on(packed([exercise]), torch.device("cpu"))


def test_heads_learn_from_the_states_and_start_without_saying_anything() -> None:
    heads = Heads(16, 3)
    states = [torch.randn(8, 16, requires_grad=True) for _ in range(4)]
    codes = torch.randn(5, 16)
    assert heads(states, asking(), codes) == 0
    pack = asking(column=[(place, place) for place in range(8)], result=[(2, 3)])
    first = heads(states, pack, codes)
    log = torch.log
    assert first.item() == pytest.approx(
        0.1 * log(torch.tensor(24.0)).item() + auxiliary.KINDS["result"].weight * log(torch.tensor(5.0)).item(),
        rel=1e-5,
    )
    optimiser = torch.optim.Adam(heads.parameters(), 0.1)
    for _ in range(100):
        optimiser.zero_grad()
        heads(states, pack, codes).backward()
        optimiser.step()
    assert heads(states, pack, codes) < 0.1 * first


def test_painting_gives_one_grid_per_prompt_and_greedy_ignores_the_batch(tmp_path: Path) -> None:
    encoder = Encoder(text_tokenizer.train(samples=500))
    model = new_model(encoder.tokenizer, 32, **SHAPE).eval()
    samples = tasks.judged_paint(Random(0), "en"), tasks.judged_paint(Random(1), "zh")
    together = painter.paint(model, encoder, list(samples))
    alone = [painter.paint(model, encoder, [sample])[0] for sample in samples]
    for one, other in zip(together, alone, strict=True):
        assert one.shape == (8, 8)
        assert (one == other).all()


def test_codes_compete_with_codes_only() -> None:
    encoder = Encoder(text_tokenizer.train(samples=500))
    decoder = Decoder.of(new_model(encoder.tokenizer, 32, **SHAPE).model.text_model.state_dict())
    torch.nn.init.normal_(decoder.embed_tokens.weight, std=0.02)
    pack = on(packed([encoder(tasks.judged_paint(Random(0), "en"))]), torch.device("cpu"))
    (codes, loss, right), (words, *_) = losses(decoder, decoder(pack)[-1], pack)
    assert loss.shape == codes.weight.shape == right.shape == (64,)
    assert len(words.at) == 0
    assert abs(loss.mean().item() - np.log(CODES)) < 1.0


def test_a_sample_of_words_stands_for_the_whole_vocabulary() -> None:
    encoder = Encoder(text_tokenizer.train(samples=500))
    decoder = Decoder.of(new_model(encoder.tokenizer, 32, **SHAPE).model.text_model.state_dict())
    torch.manual_seed(0)
    torch.nn.init.normal_(decoder.embed_tokens.weight, std=0.1)
    sample = tasks.Sample("read:paint", "en", "a red car", (), None, "red car", (Scene(),))
    pack = on(packed([encoder(sample)]), torch.device("cpu"))
    states, contest = decoder(pack)[-1], Contest(len(decoder.embed_tokens.weight), torch.device("cpu"))
    _, (words, whole, right) = losses(decoder, states, pack)
    rivals = [contest.rivals(pack) for _ in range(20)]
    assert all(set(words.answer.tolist()) <= set(one.rows.tolist()) for one in rivals)
    assert all(len(one.rows) < len(decoder.embed_tokens.weight) / 4 for one in rivals)
    sampled = torch.stack([losses(decoder, states, pack, one)[1][1] for one in rivals]).mean(0)
    assert torch.allclose(sampled, whole, rtol=0.01)
    assert not right.all()


def test_the_rate_warms_up_and_decays() -> None:
    assert rate_at(RECIPE, 0.0, 0) == pytest.approx(RECIPE.rate / RECIPE.warmup)
    assert rate_at(RECIPE, 0.2, 1000) == RECIPE.rate
    assert rate_at(RECIPE, 1.0, 1000) == pytest.approx(RECIPE.rate * 0.02)
    assert rate_at(replace(RECIPE, decay=0.0), 1.0, 1000) == RECIPE.rate
