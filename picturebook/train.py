"""Train the decoder: `python -m edgevlo.picturebook.train --out DIR --until 23:05`.

Samples are drawn endlessly from a seed, so nothing is read but the checkpoint to resume from. The plan is a list of
stages; a stage ends when its gate is passed or its share of the time is used. Progress is measured in wall-clock time,
so a run always ends at its deadline, learning rate and all. The same code runs on a CPU and on an accelerator.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import signal
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from . import text
from .model import checkpoint_weights, new_model
from .sequence import Encoder, Sequence
from .tasks import Mix, judged_paint, sample
from .words import meaningful_words

EVERYTHING = {
    "paint": 0.88, "edit": 0.05, "segmentation": 0.015, "edges": 0.015, "boxes": 0.01, "detect": 0.015, "ask": 0.015,
}  # fmt: skip


STREWN = 0.35  # share of exercises with strange tokens in their instruction


@dataclass(frozen=True)
class Stage:
    """A mix of samples, the latest progress at which it ends, and the gate that ends it before."""

    name: str
    mix: Mix
    until: float
    gate: float  # held-out one-object cells right, teacher-forced


STAGES = (
    Stage("one object", Mix({"paint": 1.0}, (0.02, 0.98), 0.85), 0.38, 0.955),
    Stage("everything, mostly painting", Mix(EVERYTHING, (0.01, 0.93, 0.06), 0.85), 1.0, 2.0),
)


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    tokens: int = 1100  # per step
    rate: float = 2e-3
    warmup: int = 100  # steps
    decay: float = 0.55  # share of the time, at the end
    seed: int = 0


def device_of(name: str) -> torch.device:
    """`auto` takes an accelerator when there is one."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Feed:
    """Endless batches: enough samples for one step, in two groups of similar length."""

    def __init__(self, encoder: Encoder, seed: int, tokens: int) -> None:
        self.encoder, self.tokens = encoder, tokens
        self.rng = Random(seed)
        known = {token for word in meaningful_words() for token in (*encoder.text(word), *encoder.text(f" {word}"))}
        self.strangers = [token for token in range(len(text.SPECIALS), text.TEXT_TOKENS) if token not in known]

    def strewn(self, sequence: Sequence) -> Sequence:
        """The same exercise with a few tokens in its instruction that mean nothing: unknown words are to be ignored."""
        ids = sequence.ids.tolist()
        end = next(place for place, token in enumerate(ids) if token in (text.IMAGE_START, text.ANSWER))
        place = 1 if self.rng.random() < 0.5 else self.rng.randint(1, end)
        strangers = self.rng.choices(self.strangers, k=self.rng.randint(1, 4))
        weights = np.insert(sequence.weights, place, np.zeros(len(strangers), np.float32))
        return Sequence(np.insert(sequence.ids, place, strangers), weights, sequence.task)

    def __call__(self, mix: Mix) -> list[list[Sequence]]:
        """The groups of the next step."""
        drawn: list[Sequence] = []
        while sum(len(sequence.ids) for sequence in drawn) < self.tokens:
            sequence = self.encoder(sample(self.rng, mix))
            drawn.append(self.strewn(sequence) if self.rng.random() < STREWN else sequence)
        drawn.sort(key=lambda sequence: len(sequence.ids))
        lengths = [len(sequence.ids) for sequence in drawn]
        costs = [lengths[cut - 1] * cut + lengths[-1] * (len(drawn) - cut) for cut in range(1, len(drawn))]
        whole = lengths[-1] * len(drawn)
        if not costs or min(costs) > 0.85 * whole:  # not worth a second pass
            return [drawn]
        cut = costs.index(min(costs)) + 1
        return [drawn[:cut], drawn[cut:]]


def padded(group: list[Sequence], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and weights, (sequences, tokens), padded on the right: causal attention never sees the padding."""
    length = max(len(sequence.ids) for sequence in group)
    ids = torch.full((len(group), length), text.PAD, dtype=torch.long)
    weights = torch.zeros(len(group), length)
    for row, sequence in enumerate(group):
        ids[row, : len(sequence.ids)] = torch.from_numpy(sequence.ids)
        weights[row, : len(sequence.ids)] = torch.from_numpy(sequence.weights)
    return ids.to(device), weights.to(device)


def losses(model: Any, ids: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Loss per predicted token, its weight, and whether it is right; codes compete with codes only, (predicted,)."""
    hidden = model.model.text_model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    chosen = weights[:, 1:] > 0
    targets, states = ids[:, 1:][chosen], hidden[chosen]
    table = model.get_input_embeddings().weight
    is_code = targets >= text.TEXT_TOKENS
    loss = hidden.new_zeros(len(targets))
    right = torch.zeros_like(is_code)
    for where, rows, first in ((is_code, table[text.TEXT_TOKENS :], text.TEXT_TOKENS), (~is_code, table, 0)):
        if where.any():
            logits = (states[where] @ rows.T).float()
            loss[where] = functional.cross_entropy(logits, targets[where] - first, reduction="none")
            right[where] = logits.argmax(-1) == targets[where] - first
    return loss, weights[:, 1:][chosen], right


def rate_at(recipe: Recipe, progress: float, steps_since_start: int) -> float:
    """Warm-up after every start, then constant, then linear decay to 4 %."""
    warm = min(1.0, (steps_since_start + 1) / recipe.warmup)
    left = min(1.0, (1.0 - progress) / recipe.decay)
    return recipe.rate * warm * max(left, 0.04)


def next_clock(clock: str) -> float:
    """Seconds since the epoch of the next HH:MM."""
    hour, minute = map(int, clock.split(":"))
    now = datetime.now()
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (then if then > now else then + timedelta(days=1)).timestamp()


@torch.no_grad()
def probe(model: Any, encoder: Encoder, device: torch.device, count: int = 48) -> dict[str, float]:
    """Held-out one-object prompts, teacher-forced: object cells right, and the loss gap of a wrong prompt."""
    found: dict[str, float] = {}
    rng = Random(987_654)
    for language in ("en", "zh"):
        samples = [judged_paint(rng, language) for _ in range(count)]
        scores = []
        for shift in (0, 1):
            sequences = []
            for index, item in enumerate(samples):
                other = samples[(index + shift) % count]
                made = encoder(type(item)(item.task, language, other.instruction, (), item.target, None, item.scenes))
                sequences.append(made)
            loss, weight, right = losses(model, *padded(sequences, device))
            inside = weight > 1.5
            scores.append(
                (loss[inside].mean().item(), right[inside].float().mean().item(), right[~inside].float().mean().item())
            )
        found |= {
            f"{language}_object": scores[0][1],
            f"{language}_rest": scores[0][2],
            f"{language}_gap": scores[1][0] - scores[0][0],
        }
    return found


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def run(
    out: Path, until: float, recipe: Recipe, device: torch.device, start: Path | None, shape: dict[str, int]
) -> None:
    """Train until the deadline; resumes from `out` when it holds a state, else starts from `start` or from nothing.

    `start` is a checkpoint folder; its tokenizer comes along, since its embeddings belong to those ids.
    """
    out.mkdir(parents=True, exist_ok=True)
    tokenizer_file = out / "tokenizer.json"
    if start and not tokenizer_file.exists():
        shutil.copyfile(start / "tokenizer.json", tokenizer_file)
    if not tokenizer_file.exists():
        text.train().save(str(tokenizer_file))
    encoder = Encoder(text.load(out))
    model = new_model(encoder.tokenizer, 32, recipe.seed, **shape).to(device).train()
    core = model.model.text_model
    matrices = [p for p in core.parameters() if p.ndim == 2]
    vectors = [p for p in core.parameters() if p.ndim != 2]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.02}, {"params": vectors, "weight_decay": 0.0}], recipe.rate, (0.9, 0.98)
    )
    step, stage, done, average = 0, 0, 0.0, {}  # type: int, int, float, dict[str, float]
    feed = Feed(encoder, recipe.seed + 1, recipe.tokens)
    state_file = out / "state.pt"
    if state_file.exists():
        state = torch.load(state_file, map_location=device, weights_only=True)
        core.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        step, stage, done = state["step"], state["stage"], state["progress"]
        version, internal, gauss = json.loads(state["rng"])
        feed.rng.setstate((version, tuple(internal), gauss))
    elif start:
        core.load_state_dict(checkpoint_weights(start))
    first_step, begun = step, time.time()

    def keep(progress: float) -> None:
        weights = {name: value.detach().cpu().clone() for name, value in core.state_dict().items()}
        save(out / "decoder.pt", weights)
        save(state_file, {"model": weights, "optimiser": optimiser.state_dict(), "step": step, "stage": stage,
                          "progress": progress, "rng": json.dumps(feed.rng.getstate())})  # fmt: skip

    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked_to_stop.append(number))
    progress = done
    bar = tqdm(unit="step", initial=step, mininterval=10.0)
    saved = probed = time.time()
    tokens = 0
    while (now := time.time()) < until and not asked_to_stop:
        progress = done + (1 - done) * (now - begun) / (until - begun)
        while stage < len(STAGES) - 1 and progress >= STAGES[stage].until:
            stage += 1
        for parameters in optimiser.param_groups:
            parameters["lr"] = rate_at(recipe, progress, step - first_step)
        groups = feed(STAGES[stage].mix)
        total_weight = sum(float(sequence.weights.sum()) for group in groups for sequence in group)
        counted: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for group in groups:
            ids, weights = padded(group, device)
            loss, weight, right = losses(model, ids, weights)
            torch.autograd.backward((loss * weight).sum() / total_weight)
            names = [sequence.task.split(":")[0] for sequence in group]
            owner = (weights[:, 1:] > 0).nonzero()[:, 0].tolist()
            for name, value, good, heavy in zip(
                [names[row] for row in owner], loss.tolist(), right.tolist(), (weight > 1.5).tolist(), strict=True
            ):
                if heavy:
                    entry = counted[name]
                    entry[0], entry[1], entry[2] = entry[0] + value, entry[1] + good, entry[2] + 1
            tokens += ids.numel()
        torch.nn.utils.clip_grad_norm_(core.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        step += 1
        for name, (_, good, number) in counted.items():
            average[name] = average.get(name, 0.0) * 0.97 + 0.03 * good / number if name in average else good / number
        bar.update()
        if step % 20 == 0:
            speed = tokens / max(time.time() - begun, 1e-9)
            bar.set_postfix_str(
                f"{STAGES[stage].name} {progress:.0%} {speed:.0f} tok/s paint {average.get('paint', math.nan):.3f}"
            )
        if time.time() - probed > 120:
            model.eval()
            numbers = probe(model, encoder, device)
            model.train()
            line = {"step": step, "minutes": round((time.time() - begun) / 60, 2), "progress": round(progress, 4),
                    "stage": STAGES[stage].name, "rate": optimiser.param_groups[0]["lr"], "tokens": tokens,
                    **{key: round(value, 4) for key, value in numbers.items()},
                    **{f"train_{key}": round(value, 4) for key, value in sorted(average.items())}}  # fmt: skip
            with (out / "curve.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
            bar.write(json.dumps(line))
            if min(numbers["en_object"], numbers["zh_object"]) >= STAGES[stage].gate:
                stage = min(stage + 1, len(STAGES) - 1)
            probed = time.time()
        if time.time() - saved > 180:
            keep(progress)
            saved = time.time()
    keep(progress if asked_to_stop else 1.0)
    bar.close()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; a run found there is resumed")
    parser.add_argument("--until", default=None, help="end at this time of day, HH:MM")
    parser.add_argument("--minutes", type=float, default=60.0, help="end after so many minutes (without --until)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start", type=Path, help="checkpoint folder to start from")
    parser.add_argument("--tokens", type=int, default=Recipe.tokens, help="tokens per step")
    parser.add_argument("--rate", type=float, default=Recipe.rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=192)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    until = next_clock(arguments.until) if arguments.until else time.time() + 60 * arguments.minutes
    recipe = Recipe(tokens=arguments.tokens, rate=arguments.rate, seed=arguments.seed)
    heads = arguments.width // 32
    shape = {"num_hidden_layers": arguments.layers, "hidden_size": arguments.width,
             "num_attention_heads": heads, "num_key_value_heads": heads // 3 if heads % 3 == 0 else heads}  # fmt: skip
    run(arguments.out, until, recipe, device_of(arguments.device), arguments.start, shape)


if __name__ == "__main__":
    main()
