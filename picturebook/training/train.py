"""Train the decoder: `python -m edgevlo.picturebook.training.train --out RUN --minutes 60`.

Exercises are drawn endlessly from a seed, so nothing is read but the run to resume. Progress is measured in wall-clock
time: a run ends at its deadline, learning rate and all. The same code runs on CPUs, best as one process a core
(`crew.py`), and on an accelerator.
"""

from __future__ import annotations

import argparse
import json
import time
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from ..exercises import text_tokenizer
from ..exercises.pack import on, packed
from ..exercises.sequence import Encoder
from ..judging import trials
from ..language.words import LANGUAGES
from ..model.decoder import FAST_HALF, Decoder
from ..model.heads import Heads
from ..model.new_model import HEAD, decoder_weights, new_model, shape_of, with_words
from ..model.parts import SharedParts, with_codes
from . import crew
from .crew import Crew
from .curriculum import STAGES, Recipe
from .feed import Feed, stream
from .learning_rate import rate_at
from .losses import Contest, losses
from .muon import Muon

PROBES = ("paint1", "paint2", "paint3", "edit", "compound", "ask", "describe", "detect", "compare", "fetch", "boxes",
          "edges")  # fmt: skip
BETAS = (0.9, 0.98)
HEADS_PREFIX = "auxiliary."  # of names among the decoder's
HEADS_FILE = "heads.pt"
PROBE_EVERY, SAVE_EVERY = 1200.0, 300.0  # seconds
PROBES_A_RUN, SAVES_A_RUN, SHORTEST = 20, 5, 20.0  # of a run too short for these; seconds between probes


def device_of(name: str) -> torch.device:
    """`auto` takes an accelerator when there is one."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@torch.no_grad()
def probe(core: Decoder, encoder: Encoder, device: torch.device, count: int = 24) -> dict[str, float]:
    """Share of held-out samples whose every weighty token is right, teacher-forced, by task."""
    found: dict[str, float] = {}
    for task in PROBES:
        samples = [trials.draw(task, language, n, seed=1).samples[0] for language in LANGUAGES for n in range(count)]
        good = 0
        for start in range(0, len(samples), 24):
            sequences = [encoder(sample) for sample in samples[start : start + 24]]
            pack = on(packed(sequences), device)
            wrong = set[int]()
            for asked, _, right in losses(core, core(pack)[-1], pack):
                places = asked.at[(asked.weight > 1) & ~right]
                wrong |= set(torch.searchsorted(pack.starts, places, right=True, out_int32=True).tolist())
            good += len(sequences) - len(wrong)
        found[task] = round(good / len(samples), 3)
    return found


def make_optimisers(parameters: dict[str, nn.Parameter], recipe: Recipe) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or Muon for the matrices of the layers and AdamW for the rest."""
    matrices = [p for name, p in parameters.items() if p.ndim == 2 and name.startswith("layers")]
    table = [p for name, p in parameters.items() if p.ndim == 2 and not name.startswith("layers")]
    vectors = [p for p in parameters.values() if p.ndim != 2]
    groups = [{"params": table, "weight_decay": 0.02}, {"params": vectors, "weight_decay": 0.0}]
    if not recipe.muon:
        groups.append({"params": matrices, "weight_decay": 0.02})
    adamw = torch.optim.AdamW(groups, recipe.rate, BETAS, fused=True)
    return [Muon(matrices, recipe.rate, 0.02), adamw] if recipe.muon else [adamw]


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


class Trainer:
    """One process's model, on the crew's weights, and its optimisers; the chief's holds the averaged weights, too."""

    def __init__(self, out: Path, recipe: Recipe, device: torch.device, crew: Crew) -> None:
        self.out, self.recipe, self.device, self.crew = out, recipe, device, crew
        self.encoder = Encoder(text_tokenizer.load(out))
        self.core = Decoder.of(crew.weights, compiled=device.type == "cuda")
        self.core.in_half = FAST_HALF
        self.heads = Heads(self.core.norm.weight.numel(), len(self.core.layers))
        self.parameters = dict(self.core.named_parameters())
        self.parameters |= {HEADS_PREFIX + name: value for name, value in self.heads.named_parameters()}
        for name, parameter in self.parameters.items():
            parameter.data = crew.weights[name].to(device)
        self.optimisers = make_optimisers(self.parameters, recipe)
        self.parts = SharedParts(self.parameters["embed_tokens.weight"], text_tokenizer.TEXT_TOKENS, BETAS)
        self.contest = Contest(len(self.core.embed_tokens.weight), device)
        self.step, self.progress = 0, 0.0
        self.smooth = {name: value.detach().clone() for name, value in self.core.named_parameters()}
        self.state_file = out / f"state{crew.rank or ''}.pt"
        if (out / "state.pt").exists():
            self._resume()
        self.first_step = self.step
        # other exercises in every process and after every start
        feed = Feed(self.encoder, hash((recipe.seed, self.step, crew.rank)), recipe.tokens)
        self.steps = stream(feed, crew.stage, recipe.feeders)

    def _resume(self) -> None:
        """Step, progress and averages are the chief's; the optimisers are each process's own, if it was there."""
        state = torch.load(self.out / "state.pt", map_location="cpu", weights_only=True)
        self.step, self.progress = state["step"], state["progress"]
        self.smooth = {name: value.to(self.device) for name, value in state["smooth"].items()}
        if self.state_file.exists():
            own = torch.load(self.state_file, map_location="cpu", weights_only=True)
            for optimiser, kept in zip(self.optimisers, own["optimisers"], strict=True):
                optimiser.load_state_dict(kept)

    def keep(self) -> None:
        """Save all that resuming needs; the chief also saves the averaged decoder."""
        state: dict[str, Any] = {"optimisers": [optimiser.state_dict() for optimiser in self.optimisers]}
        if self.crew.chief:
            save(self.out / "decoder.pt", {name: value.cpu() for name, value in self.smooth.items()})
            save(self.out / HEADS_FILE, {name: value.cpu() for name, value in self.heads.state_dict().items()})
            weights = {name: value.detach() for name, value in self.parameters.items()}
            state |= {"model": weights, "smooth": self.smooth, "stage": int(self.crew.stage), "step": self.step,
                      "progress": self.progress}  # fmt: skip
        save(self.state_file, state)

    def learn(self) -> int:
        """One step; the number of tokens."""
        rate = rate_at(self.recipe, self.progress, self.step - self.first_step)
        for optimiser in self.optimisers:
            for parameters in optimiser.param_groups:
                parameters["lr"] = rate
        pack = on(next(self.steps), self.device)
        states = self.core(pack)
        found = losses(self.core, states[-1], pack, self.contest.rivals(pack))
        total = torch.cat([loss * asked.weight for asked, loss, _ in found]).sum()
        total = total / torch.cat([asked.weight for asked, _, _ in found]).sum()
        aside = self.heads(states, pack, self.core.embed_tokens.weight[text_tokenizer.TEXT_TOKENS :])
        torch.autograd.backward(total + aside)
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.parts.step(rate)
        for parameter in self.parameters.values():
            parameter.grad = None
        self.step += 1
        if self.crew.chief:
            share = 1 - min(self.recipe.smoothing, self.step / (self.step + 10))
            with torch.no_grad():
                torch._foreach_lerp_(list(self.smooth.values()), list(self.core.parameters()), share)
        return len(pack.ids)

    def judge(self) -> dict[str, float]:
        """Probe the averaged weights."""
        core = deepcopy(self.core)
        core.load_state_dict(self.smooth)
        return probe(core, self.encoder, self.device)


def run(trainer: Trainer, until: float) -> None:
    """Train until the deadline or until asked to stop (SIGTERM); the state is kept either way."""
    crew, done, begun = trainer.crew, trainer.progress, time.time()
    bar = tqdm(unit="step", initial=trainer.step, mininterval=10.0, disable=not crew.chief)
    saved = probed = begun
    probe_every = min(PROBE_EVERY, max(SHORTEST, (until - begun) / PROBES_A_RUN))
    tokens, passed = 0, 0.0
    while (now := time.time()) < until and not crew.stop:
        trainer.progress = done + (1 - done) * (now - begun) / (until - begun)
        number, stage = int(crew.stage), STAGES[int(crew.stage)]
        if crew.chief and number < len(STAGES) - 1 and (trainer.progress >= stage.until or passed >= stage.gate):
            crew.stage.add_(1)
        tokens += trainer.learn()
        bar.update()
        if crew.chief and now - probed > probe_every:
            numbers = trainer.judge()
            passed = numbers["paint1"]
            line = {"step": trainer.step, "minutes": round((now - begun) / 60, 2), "stage": stage.name,
                    "progress": round(trainer.progress, 4), "tokens": tokens * crew.size,
                    "tokens_per_second": round(tokens * crew.size / (now - begun)), "probe": numbers}  # fmt: skip
            with (trainer.out / "curve.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
            bar.write(json.dumps(line))
            probed = time.time()
        if now - saved > min(SAVE_EVERY, (until - begun) / SAVES_A_RUN):
            trainer.keep()
            saved = time.time()
    if not crew.stop:
        trainer.progress = 1.0
    trainer.keep()
    bar.close()


def beginning(
    out: Path, start: Path | None, recipe: Recipe, shape: dict[str, int]
) -> tuple[dict[str, torch.Tensor], int]:
    """Weights and stage to train on from: those of `out` if it is a run, else of `start`, else new ones."""
    if (out / "state.pt").exists():
        state = torch.load(out / "state.pt", map_location="cpu", weights_only=True)
        return state["model"], state["stage"]
    if start:
        weights = with_words(decoder_weights(start), text_tokenizer.load(start), text_tokenizer.load(out), recipe.seed)
        text = text_tokenizer.load(out).get_vocab_size()
        weights["embed_tokens.weight"] = with_codes(weights["embed_tokens.weight"], text, recipe.seed)
    else:
        weights = new_model(text_tokenizer.load(out), 32, recipe.seed, **shape).model.text_model.state_dict()
    found = shape_of(weights)
    heads = Heads(found["hidden_size"], found["num_hidden_layers"]).state_dict()
    if start and (start / HEADS_FILE).exists():
        heads = torch.load(start / HEADS_FILE, map_location="cpu", weights_only=True)
    return weights | {HEADS_PREFIX + name: value for name, value in heads.items()}, 0


def next_clock(clock: str) -> float:
    """Seconds since the epoch of the next HH:MM."""
    hour, minute = map(int, clock.split(":"))
    now = datetime.now()
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (then if then > now else then + timedelta(days=1)).timestamp()


def work(crew: Crew, arguments: argparse.Namespace, recipe: Recipe) -> None:
    """What each process does."""
    torch.set_num_threads(arguments.threads)
    torch.set_float32_matmul_precision("high")  # of accelerators
    device = torch.device("cpu") if crew.size > 1 else device_of(arguments.device)
    trainer = Trainer(arguments.out, recipe, device, crew)
    run(trainer, next_clock(arguments.until) if arguments.until else time.time() + 60 * arguments.minutes)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; a run found there is resumed")
    parser.add_argument("--until", default=None, help="end at this time of day, HH:MM")
    parser.add_argument("--minutes", type=float, default=60.0, help="end after so many minutes (without --until)")
    parser.add_argument("--start", type=Path, help="checkpoint or run folder to start from; its tokenizer comes along")
    parser.add_argument("--stage", type=int, default=0, choices=range(len(STAGES)), help="first stage, if not further")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--processes", type=int, default=1, help="train in so many processes (CPU)")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    parser.add_argument("--feeders", type=int, default=0, help="processes that draw exercises (for an accelerator)")
    parser.add_argument("--tokens", type=int, default=Recipe.tokens, help="tokens per step of a process")
    parser.add_argument("--rate", type=float, default=Recipe.rate)
    parser.add_argument(
        "--decay", type=float, default=Recipe.decay, help="share of the time at whose end the rate is 0"
    )
    parser.add_argument("--muon", action="store_true", help="Muon for the layers' matrices")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, default=6, help="of a model made from nothing, as is --width")
    parser.add_argument("--width", type=int, default=192)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    tokenizer_file = arguments.out / "tokenizer.json"
    if not tokenizer_file.exists():
        start = text_tokenizer.load(arguments.start) if arguments.start else text_tokenizer.train()
        text_tokenizer.widened(start).save(str(tokenizer_file))
    recipe = Recipe(
        arguments.tokens,
        arguments.rate,
        decay=arguments.decay,
        muon=arguments.muon,
        feeders=arguments.feeders,
        seed=arguments.seed,
    )
    if arguments.processes > 1 and arguments.device not in ("auto", "cpu"):
        parser.error("several processes share weights in memory: on an accelerator, use one and --feeders")
    if arguments.width % HEAD:
        parser.error(f"--width must be a multiple of {HEAD}, the channels of an attention head")
    heads = arguments.width // HEAD
    shape = {"num_hidden_layers": arguments.layers, "hidden_size": arguments.width, "num_attention_heads": heads,
             "num_key_value_heads": heads, "intermediate_size": -(-8 * arguments.width // 96) * 32}  # fmt: skip
    weights, stage = beginning(arguments.out, arguments.start, recipe, shape)
    crew.run(arguments.processes, weights, max(stage, arguments.stage), work, arguments, recipe)


if __name__ == "__main__":
    main()
