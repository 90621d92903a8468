"""From the precision that a plan gives each layer of a graph to the passes that write it so."""

from collections.abc import Collection

import numpy as np
import onnx_ir as ir

from edgevlo.calibration.evaluation.limits import COARSEST_LAST
from edgevlo.runtime.manifest.graphs import GraphRole, Precision

from .modules import by_weights
from .passes.half_storage import HalfStoragePass
from .passes.int16_storage import Int16StoragePass
from .precision_recipes import Blocks, Float8, Half, is_quantised
from .requested_precisions import Choice
from .weight_only.awq import ActivationAwarePass
from .weight_only.float8_weights import Float8WeightsPass
from .weight_only.int4_int8_matmul_nbits import MatMulNBitsPass, Moments


def awq_pass(role: GraphRole, names: Collection[str], choice: Choice, moments: Moments) -> ActivationAwarePass | None:
    """Return the pass that scales the weights of a graph's AWQ layers; None if it has none."""
    chosen = {
        name: weights
        for name in names
        if isinstance(weights := choice.of(role, name), Blocks) and weights.method == "awq"
    }
    if not chosen:
        return None
    diagonals = {name: moments[name] if moments[name].ndim == 1 else moments[name].diagonal() for name in chosen}
    return ActivationAwarePass(chosen, {name: np.ascontiguousarray(one) for name, one in diagonals.items()})


def weight_passes(
    role: GraphRole, names: Collection[str], choice: Choice, moments: Moments
) -> tuple[list[ir.passes.PassBase], Precision | None]:
    """Return the passes that give a graph's weights their precision, and the coarsest of these; None if all stay.

    `names` are the graph's linear layers; its other weights become half precision if the module does.
    """
    passes: list[ir.passes.PassBase] = []
    found: list[Precision] = []
    for weights, members in by_weights(names, role, choice).items():
        match weights:
            case Blocks():
                passes.append(MatMulNBitsPass(weights, only=members, moments=moments))
                found.append(weights.precision)
            case Float8():
                passes.append(Float8WeightsPass(members))
                found.append(weights.precision)
            case Half():
                passes.append(HalfStoragePass(weights, only=members))
                if is_quantised(weights):
                    found.append(weights.precision)
    module = choice.of(role)
    if isinstance(module, Half):
        passes.append(HalfStoragePass(module, other=names))
        if module.lossless:
            passes.append(Int16StoragePass())  # of what is not exact in half precision
        if is_quantised(module):
            found.append(module.precision)
    return passes, max(found, key=COARSEST_LAST.index) if found else None
