"""torch's Muon, all matrices of one shape at once: a hundred small products in a row keep an accelerator waiting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch

from ..model.decoder import FAST_HALF


def orthogonalised(
    matrices: torch.Tensor, coefficients: tuple[float, float, float], steps: int, epsilon: float
) -> torch.Tensor:
    """Newton-Schulz iteration on each of some matrices, (matrices, rows, columns) (Jordan et al., 2024).

    In bfloat16, but on a CPU that only emulates it: there a product of float32 takes a sixth of the time.
    """
    a, b, c = coefficients
    flat = matrices.shape[1] <= matrices.shape[2]
    x = matrices.bfloat16() if matrices.is_cuda or FAST_HALF else matrices
    x = x if flat else x.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=epsilon)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    made: torch.Tensor = x if flat else x.mT
    return made


class Muon(torch.optim.Muon):
    """The same steps and the same state as `torch.optim.Muon` with `match_rms_adamw` and Nesterov momentum."""

    def __init__(self, matrices: Iterable[torch.nn.Parameter], rate: float, decay: float) -> None:
        super().__init__(matrices, rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step of every matrix that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            alike: dict[torch.Size, list[torch.Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for shape, parameters in alike.items():
                self._step(parameters, group, 0.2 * max(shape) ** 0.5)

    def _step(self, parameters: list[torch.Tensor], group: dict[str, Any], scale: float) -> None:
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        moving = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        torch._foreach_lerp_(moving, gradients, 1 - group["momentum"])
        ahead = torch.stack(torch._foreach_lerp(gradients, moving, group["momentum"]))
        steps = orthogonalised(ahead, group["ns_coefficients"], group["ns_steps"], group["eps"])
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(parameters, list(steps.to(ahead.dtype).unbind()), alpha=-group["lr"] * scale)
