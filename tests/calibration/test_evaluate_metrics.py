"""Metrics against published values and against the same mathematics written out in float64."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgevlo.calibration.evaluation.metrics import (
    FAR,
    Energies,
    PictureDifferences,
    colour_differences,
    divergence,
    similarity,
)

Lab = npt.NDArray[np.float64]

# Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", 2005, table 1: two CIELAB colours, their difference.
PUBLISHED = (
    ((50.0000, 2.6772, -79.7751), (50.0000, 0.0000, -82.7485), 2.0425),
    ((50.0000, 3.1571, -77.2803), (50.0000, 0.0000, -82.7485), 2.8615),
    ((50.0000, -1.3802, -84.2814), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, 0.0000, 0.0000), (50.0000, -1.0000, 2.0000), 2.3669),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0009), 7.1792),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0011), 7.2195),
    ((50.0000, 2.5000, 0.0000), (73.0000, 25.0000, -18.0000), 27.1492),
    ((50.0000, 2.5000, 0.0000), (56.0000, -27.0000, -3.0000), 31.9030),
    ((50.0000, 2.5000, 0.0000), (50.0000, 3.1736, 0.5854), 1.0000),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
)


def ciede2000(first: Lab, second: Lab) -> float:
    """Return the difference of two colours, by the paper."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = h2 - h1
    turn -= 360 * (turn > 180) - 360 * (turn < -180)
    turn = 0.0 if c1 * c2 == 0 else turn
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = h1 + h2
    if c1 * c2 != 0:
        hue = hue / 2 if abs(h1 - h2) <= 180 else (hue + 360) / 2 if hue < 360 else (hue - 360) / 2
    t = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    sl = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    spread = 30 * np.exp(-(((hue - 275) / 25) ** 2))
    rt = -np.sin(np.radians(2 * spread)) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    parts = (dl / sl, dc / sc, dh / sh)
    return float(np.sqrt(sum(part**2 for part in parts) + rt * parts[1] * parts[2]))


def lab(colour: npt.NDArray[np.uint8]) -> Lab:
    """Return an sRGB colour in CIELAB under D65, by the standards."""
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
    xyz = matrix @ linear / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize(("first", "second", "difference"), PUBLISHED)
def test_the_formula_of_this_test_gives_the_published_differences(
    first: tuple[float, ...], second: tuple[float, ...], difference: float
) -> None:
    assert ciede2000(np.array(first), np.array(second)) == pytest.approx(difference, abs=5e-5)


def test_red_in_cielab_is_what_it_is_known_to_be() -> None:
    assert lab(np.array([255, 0, 0], dtype=np.uint8)) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)


def test_colour_differences_of_pictures_are_those_of_the_formula() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 256, (2, 6, 9, 3), dtype=np.uint8)
    second[:3, :4] = first[:3, :4]
    second[3] = np.clip(first[3].astype(int) + 2, 0, 255).astype(np.uint8)

    found = colour_differences(first, second)

    expected = [[ciede2000(lab(first[y, x]), lab(second[y, x])) for x in range(9)] for y in range(6)]
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert np.all(found[:3, :4] == 0)


def test_a_picture_is_similar_to_itself() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (16, 20, 3), dtype=np.uint8)
    assert similarity(picture, picture) == 1.0
    assert similarity(picture[:4, :5], picture[:4, :5]) == 1.0  # smaller than the usual window


@pytest.mark.parametrize(("first", "second"), [(100, 110), (0, 255), (7, 7)])
def test_similarity_of_two_even_pictures_is_that_of_their_means(first: int, second: int) -> None:
    ours, theirs = (np.full((16, 16, 3), level, dtype=np.uint8) for level in (first, second))
    c1 = (0.01 * 255) ** 2
    assert similarity(ours, theirs) == pytest.approx((2 * first * second + c1) / (first**2 + second**2 + c1))


def test_a_difference_of_one_level_everywhere_is_48_decibels() -> None:
    differences = PictureDifferences()
    assert differences.figures() is None
    differences.add(Image.new("RGB", (16, 16), (10, 20, 30)), Image.new("RGB", (16, 16), (11, 21, 31)))
    figures = differences.figures()
    assert figures is not None
    assert figures["psnr_db"] == pytest.approx(20 * np.log10(255))


def test_the_same_picture_has_no_ratio_and_no_difference() -> None:
    differences, picture = PictureDifferences(), Image.new("RGB", (16, 16), (10, 20, 30))
    differences.add(picture, picture)
    assert differences.figures() == {"psnr_db": None, "ssim": 1.0, "ciede2000_median": 0.0, "ciede2000_p95": 0.0}


def test_median_and_percentile_are_over_the_pixels_of_all_pictures() -> None:
    differences, black = PictureDifferences(), Image.new("RGB", (10, 10))
    for changed in (0, 40, 100):
        other = black.copy()
        other.putdata([(255, 255, 255)] * changed + [(0, 0, 0)] * (100 - changed))
        differences.add(black, other)
    figures = differences.figures()
    assert figures is not None
    assert figures["ciede2000_median"] == 0.0  # 140 of 300
    assert figures["ciede2000_p95"] == pytest.approx(100.0, abs=0.01)  # black and white


def test_divergence_is_that_of_float64() -> None:
    random = np.random.default_rng(2)
    for scale in (0.01, 1, 30):
        first, second = random.normal(0, scale, (2, 50))
        p, q = (np.exp(x - x.max()) / np.exp(x - x.max()).sum() for x in (first, second))
        found = divergence(first.astype(np.float32), second.astype(np.float32))
        assert found == pytest.approx(min(np.sum(p * np.log(p / q)), FAR), rel=1e-3, abs=1e-9)


def test_divergence_ignores_what_all_logits_have_in_common() -> None:
    logits = np.random.default_rng(3).normal(0, 1, 20)
    assert divergence(logits, logits) == 0
    assert divergence(logits, logits + 50) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_far(broken: float) -> None:
    logits = np.zeros(4)
    assert divergence(logits, np.array([0, 0, broken, 0])) == FAR
    energies = Energies()
    energies.add(logits + 1, np.array([0, 0, broken, 0]))
    assert energies.decibels == -FAR


def test_an_error_of_a_tenth_is_twenty_decibels() -> None:
    signal, energies = np.random.default_rng(4).normal(0, 3, 1000), Energies()
    energies.add(signal[:400], signal[:400] * 1.1)
    energies.add(signal[400:], signal[400:] * 0.9)
    assert energies.decibels == pytest.approx(20.0)
    same = Energies()
    same.add(signal, signal)
    assert same.decibels is None
