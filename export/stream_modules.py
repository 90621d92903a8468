"""transformers' own modules, one part at a time: a model on the meta device whose parts get their tensors for a call.

The forward pass stays the original's. A part on demand takes its tensors from the checkpoint when it is called and
gives them back when it returns, so a pass over a decoder needs memory for one layer.
"""

import functools
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from edgevlo.runtime.arrays import Floats

from .checkpoint.folder import BLOCK_BYTES, Checkpoint

META = torch.device("meta")


def load(module: nn.Module, prefix: str, checkpoint: Checkpoint) -> None:
    """Give a module on the meta device its tensors `prefix.*`, in float32."""
    state = {
        name: torch.tensor(0)  # BatchNorm's counters count training steps; nothing reads them
        if name.endswith("num_batches_tracked")
        else torch.from_numpy(checkpoint.tensor(f"{prefix}.{name}"))
        for name in module.state_dict()
    }
    module.load_state_dict(state, assign=True)


def on_demand(module: nn.Module, prefix: str, checkpoint: Checkpoint) -> None:
    """Load a module whenever it is called and drop its tensors when it returns, or raises.

    The module may hold nothing that is not in the checkpoint, as a buffer that is not persistent.
    """
    computed = {name for name, _ in module.named_buffers()} - set(module.state_dict())
    if computed:
        raise AssertionError(f"{prefix} holds {', '.join(sorted(computed))}, which no checkpoint can give back")
    module.register_forward_pre_hook(functools.partial(_load, prefix, checkpoint))
    module.register_forward_hook(_drop, always_call=True)


def leaves_on_demand(module: nn.Module, prefix: str, checkpoint: Checkpoint) -> None:
    """Load every innermost module with tensors on demand: for parts that compute buffers of their own."""
    for name, leaf in module.named_modules():
        if leaf.state_dict() and next(leaf.children(), None) is None:
            on_demand(leaf, f"{prefix}.{name}", checkpoint)


def linear(inputs: Floats, name: str, checkpoint: Checkpoint, rows: slice = slice(None)) -> Floats:
    """Return `(B, rows)`: torch's linear layer without bias on inputs `(B, D)`, some rows of its matrix at a time."""
    outputs, size = checkpoint.shapes[name]
    start, stop, _ = rows.indices(outputs)
    step = max(1, BLOCK_BYTES // (4 * size))
    parts = [
        functional.linear(
            torch.from_numpy(inputs), torch.from_numpy(checkpoint.tensor(name, slice(first, min(first + step, stop))))
        )
        for first in range(start, stop, step)
    ]
    result: Floats = torch.cat(parts, dim=1).numpy()
    return result


def _load(prefix: str, checkpoint: Checkpoint, module: nn.Module, _arguments: Any) -> None:
    load(module, prefix, checkpoint)


def _drop(module: nn.Module, _arguments: Any, _output: Any) -> None:
    module.to(META)
