"""What is faster on a CPU and coarser, and taken without being asked for where the quality check lets it.

Weights of four bits begin in blocks of 128 and with an int8 KV cache. A result that misses its limits is made again in
blocks of 32, then with a float cache as well. Whatever the request names stays as it is named, and a result that nobody
checks is made in the finer form. benchmarks/results/levers.json has what each of the two gains and costs.
"""

import dataclasses
from typing import Final

from edgevlo.runtime.manifest.graphs import Backbone

from .fallbacks import Finer, PrecisionPlan
from .passes.group_query_attention import HEAD_SIZE_STEP
from .precision_recipes import INT4, LARGE_BLOCK
from .request import QuantizeRequest

_WEIGHTS: Final = "int4"


def with_defaults(plan: PrecisionPlan, request: QuantizeRequest, shape: Backbone) -> PrecisionPlan:
    """Return the plan to begin with, which knows the finer ones to go on with."""
    if plan.target != "cpu" or request.weights != _WEIGHTS or plan.static is not None or not request.requests:
        return plan
    fused = shape.head_dim % HEAD_SIZE_STEP == 0  # or the whole cache would be dequantised at every step
    if request.kv_cache is None and fused:
        cached = dataclasses.replace(plan, int8_cache=True)
        plan = dataclasses.replace(cached, finer=Finer(plan, "with a float KV cache", "an int8 KV cache"))
    if request.block_size is None:
        large = dataclasses.replace(plan, choice=plan.choice.in_large_blocks())
        small = Finer(plan, f"in blocks of {INT4.block_size}", f"blocks of {LARGE_BLOCK}")
        plan = dataclasses.replace(large, finer=small)
    return plan
