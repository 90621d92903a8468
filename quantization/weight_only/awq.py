"""AWQ: weights are scaled by what their inputs are like before they are rounded (Lin et al., 2023, arXiv:2306.00978).

    x / s ─► MatMul(s W)   is   x ─► MatMul(W)   with   s_j = rms(x_j) ** alpha

A layer's input is large in few channels, and an error in their weights is an error of its output. The weights of such
channels are made larger, so that they take more steps of their block, and the operator before the layer is divided: the
folds of `smoothquant.py`. Of eleven values of alpha, 0 among them, the one is taken whose rounding to nearest changes
the outputs of the fold's layers least, by the mean squares of their input.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Floats

from ..check_finite import check_finite
from ..passes._graph import LinearLayer, read_constant
from ..passes.smoothquant import Fold, apply_fold, current_weight, folds, per_source, spread
from ..precision_recipes import Blocks
from .rtn import rounded

ALPHAS: Final = tuple(float(alpha) for alpha in np.linspace(0, 1, 11))
_FLATTEST: Final = 1e-4  # of the largest: a smaller channel counts as this, or it would have no divisor


class ActivationAwarePass(ir.passes.InPlacePass):
    """Scale the inputs of the linear layers in `chosen`.

    `squares` are the mean squares (K,) of each input, or their multiples. Both by the layers' names.
    """

    def __init__(self, chosen: Mapping[str, Blocks], squares: Mapping[str, Floats]) -> None:
        super().__init__()
        self.chosen, self.squares = chosen, squares

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Rewrite constants; no operator is added or removed."""
        modified = False
        for fold in folds(model.graph):
            layers = [layer for layer in fold.layers if layer.name in self.chosen]
            if layers:
                modified |= self._scale(model.graph, fold, layers)
        return ir.passes.PassResult(model, modified=modified)

    def _scale(self, graph: ir.Graph, fold: Fold, layers: list[LinearLayer]) -> bool:
        squares = self.squares[layers[0].name]
        matrices = [(_by_input(layer), self.chosen[layer.name]) for layer in layers]
        sizes = per_source(np.sqrt(np.maximum(squares, _FLATTEST**2 * squares.max())), fold.repeats)
        if not np.isfinite(sizes).all() or not sizes.any():
            return False  # the input was always zero; one that is not finite is named where the weights are rounded
        divisors = [(sizes**alpha / np.exp(np.mean(np.log(sizes**alpha)))).astype(np.float32) for alpha in ALPHAS]

        def loss(divisor: Floats) -> float:
            scale = spread(divisor, fold.repeats)[:, None]
            errors = (matrix - rounded(matrix * scale, weights) / scale for matrix, weights in matrices)
            return sum(float(squares @ np.square(error).sum(axis=1)) for error in errors)

        best = int(np.argmin([loss(divisor) for divisor in divisors]))
        if ALPHAS[best] == 0:
            return False
        apply_fold(graph, fold, divisors[best])
        return True


def _by_input(layer: LinearLayer) -> Floats:
    """Return the matrix (K, N) of a layer."""
    tensor = current_weight(layer)
    matrix: Floats = read_constant(tensor).astype(np.float32, copy=False)
    check_finite(tensor.name, matrix)
    return matrix if layer.axis == 1 else matrix.T
