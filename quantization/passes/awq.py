"""Activation-aware scaling of weights before they are rounded to blocks (Lin et al., "AWQ", 2023, arXiv:2306.00978).

    x / s ─► MatMul(s W)   is   x ─► MatMul(W)   with   s_j = rms(x_j) ** alpha

What a layer reads is large in few channels, and an error in their weights is an error of what it gives. Weights of such
channels are made larger, so that they take more steps of their block, and what comes before is divided: the folds of
`smoothing.py`. Of eleven values of alpha, 0 among them, the one is taken with which rounding to the nearest moves least
of what the fold's products give, by the mean squares of what they read.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.errors import BundleError

from ..recipes import Blocks
from ._constants import read_constant
from .blocks import nearest
from .qdq import Product
from .smoothquant import Fold, apply_fold, current_weight, folds, shared, spread

ALPHAS: Final = tuple(float(alpha) for alpha in np.linspace(0, 1, 11))
_FLATTEST: Final = 1e-4  # of the largest: a channel that is smaller counts as this, or its divisor would be none


class ActivationAwarePass(ir.passes.InPlacePass):
    """Scale what the products in `chosen` read.

    `squares` are the mean squares (K,) of it, or their multiples. Both by the products' names.
    """

    def __init__(self, chosen: Mapping[str, Blocks], squares: Mapping[str, Floats]) -> None:
        super().__init__()
        self.chosen, self.squares = chosen, squares

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Rewrite constants; no operator is added or removed."""
        modified = False
        for fold in folds(model.graph):
            readers = [reader for reader in fold.readers if reader.node.name in self.chosen]
            if readers:
                modified |= self._scale(model.graph, fold, readers)
        return ir.passes.PassResult(model, modified=modified)

    def _scale(self, graph: ir.Graph, fold: Fold, readers: list[Product]) -> bool:
        squares = self.squares[str(readers[0].node.name)]
        matrices = [(_by_input(reader), self.chosen[str(reader.node.name)]) for reader in readers]
        sizes = shared(np.sqrt(np.maximum(squares, _FLATTEST**2 * squares.max())), fold.repeats)
        if not np.isfinite(sizes).all() or not sizes.any():
            return False  # nothing but zeros was seen; what is not finite is named where it is rounded
        divisors = [(sizes**alpha / np.exp(np.mean(np.log(sizes**alpha)))).astype(np.float32) for alpha in ALPHAS]

        def lost(divisor: Floats) -> float:
            scale = spread(divisor, fold.repeats)[:, None]
            errors = (matrix - nearest(matrix * scale, weights) / scale for matrix, weights in matrices)
            return sum(float(squares @ np.square(error).sum(axis=1)) for error in errors)

        best = int(np.argmin([lost(divisor) for divisor in divisors]))
        if ALPHAS[best] == 0:
            return False
        apply_fold(graph, fold, divisors[best])
        return True


def _by_input(product: Product) -> Floats:
    """Return the matrix (K, N) of a product."""
    tensor = current_weight(product)
    matrix: Floats = read_constant(tensor).astype(np.float32, copy=False)
    if not np.isfinite(matrix).all():
        raise BundleError(f"{tensor.name} holds NaN or infinity; export the checkpoint again from sound weights.")
    return matrix if product.axis == 1 else matrix.T
