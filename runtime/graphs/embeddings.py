"""The input embeddings of tokens, codes and features, by id. Knows tables, not what a token means."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np

from ..arrays import Floats
from .integer_table import IntegerTable

Table: TypeAlias = Floats | IntegerTable

_NO_ROWS: Final = np.zeros((0, 0), dtype=np.float32)


class Embeddings:
    """One row a token, over a table `(tokens, hidden_size)` and, where codes have their own, one that follows it.

    A negative id -1 - i stands for row i of the features that come with a prompt.
    """

    def __init__(self, tokens: Table, codes: Table | None = None) -> None:
        self._tokens = tokens
        self._codes = _NO_ROWS if codes is None else codes
        self._count = len(self._tokens)

    def row(self, token: int) -> Floats:
        """Return the embedding `(hidden_size,)` of a token or code."""
        row: Floats = self._tokens[token] if token < self._count else self._codes[token - self._count]
        return row

    def write(self, ids: Sequence[int], features: Floats | None, out: Floats) -> None:
        """Write the embeddings of ids into `out`, `(len(ids), hidden_size)`."""
        wanted = np.asarray(ids, dtype=np.int64)
        sources = [(self._tokens, wanted, (wanted >= 0) & (wanted < self._count))]
        sources.append((self._codes, wanted - self._count, wanted >= self._count))
        if features is not None:
            sources.append((features, -1 - wanted, wanted < 0))
        for rows, places, here in sources:
            if here.any():
                out[here] = rows[places[here]]
