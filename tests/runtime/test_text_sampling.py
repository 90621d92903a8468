import numpy as np
import pytest

from edgevlo.runtime.generate.text_sampling import TextOptions

LOGITS = np.log(np.array([0.1, 0.6, 0.3], dtype=np.float32))


def shares(logits: np.ndarray, **options: float) -> list[float]:
    """Return how often each token is drawn."""
    draw = TextOptions(seed=0, **options).drawing()  # type: ignore[arg-type]
    return [float(share) for share in np.bincount([draw(logits) for _ in range(4000)], minlength=3) / 4000]


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    assert shares(LOGITS, temperature=1.0) == pytest.approx([0.1, 0.6, 0.3], abs=0.03)


def test_temperature_sharpens() -> None:
    assert shares(LOGITS, temperature=0.5) == pytest.approx([0.01 / 0.46, 0.36 / 0.46, 0.09 / 0.46], abs=0.03)


@pytest.mark.parametrize(("top_p", "expected"), [
    (0.5, [0, 1, 0]), (0.6, [0, 1, 0]), (0.7, [0, 2 / 3, 1 / 3]), (0.95, [0.1, 0.6, 0.3]),
])  # fmt: skip
def test_as_few_tokens_are_drawn_from_as_have_the_probability(top_p: float, expected: list[float]) -> None:
    assert shares(LOGITS, temperature=1.0, top_p=top_p) == pytest.approx(expected, abs=0.03)


def test_what_may_not_be_chosen_never_is() -> None:
    assert shares(np.array([-np.inf, 0.0, -np.inf], dtype=np.float32), temperature=2.0) == [0, 1, 0]
