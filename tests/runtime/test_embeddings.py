import numpy as np

from edgevlo.runtime.graphs.embeddings import Embeddings

TOKENS = np.arange(12, dtype=np.float32).reshape(4, 3)
CODES = 100 + np.arange(6, dtype=np.float16).reshape(2, 3)
FEATURES = -np.arange(6, dtype=np.float32).reshape(2, 3)


def test_every_id_has_the_row_of_its_table() -> None:
    embeddings = Embeddings(TOKENS, CODES)
    out = np.full((5, 3), np.nan, dtype=np.float32)

    embeddings.write([3, 4, -2, 0, 5], FEATURES, out)

    np.testing.assert_array_equal(out, [TOKENS[3], CODES[0], FEATURES[1], TOKENS[0], CODES[1]])
    np.testing.assert_array_equal(embeddings.row(2), TOKENS[2])
    np.testing.assert_array_equal(embeddings.row(5), CODES[1])


def test_without_a_table_of_their_own_codes_are_tokens() -> None:
    out = np.zeros((2, 3), dtype=np.float32)

    Embeddings(TOKENS).write([1, 3], None, out)

    np.testing.assert_array_equal(out, TOKENS[[1, 3]])
