"""The distance of the grey levels: of integers, and of floats that were integers."""

from __future__ import annotations

import numpy as np
import pytest

from untaught.image.grey_levels import step_of
from untaught.image.image import image_of_array

RNG = np.random.default_rng(0)
EIGHT = RNG.integers(0, 256, (40, 40))
TWELVE = RNG.integers(0, 4096, (150, 150))


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (EIGHT.astype(np.uint8), 1),
        ((16 * TWELVE).astype(np.uint16), 16),
        (EIGHT.astype(np.int64) * 2**40, 2**40),
        (np.array([0, 4, 10] * 9), 2),
        (np.array([-3, 4] * 9, np.int8), 7),
        (np.array([-100, 100] * 9, np.int8), 200),
        (EIGHT > 100, 1),
        ((EIGHT / 255).astype(np.float32), 1 / 255),
        (EIGHT / 255, 1 / 255),
        ((TWELVE / 4095).astype(np.float32), 1 / 4095),
        (RNG.poisson(30, (40, 40)).astype(np.float32), 1),
        ((1e6 * EIGHT - 3e7).astype(np.float32), 1e6),
        (1e-6 * EIGHT + 3.3, 1e-6),
        (np.array([0, 0.4, 1.0] * 9), 0.2),
    ],
)
def test_it_is_the_greatest_common_divisor_of_the_differences(values: np.ndarray, step: float) -> None:
    assert step_of(values) == pytest.approx(step, rel=1e-3)


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=(40, 40)),
        RNG.random((40, 40)).astype(np.float32),
        np.repeat(RNG.normal(size=300), 8),
        np.full((9, 9), 3),
        np.empty(0),
        np.array([0, np.pi, 4.0, 5.1, 10.7] * 9),
    ],
)
def test_continuous_values_have_none(values: np.ndarray) -> None:
    assert step_of(values) == 0


def test_a_plane_has_it_on_its_own_range() -> None:
    levels = (20 + EIGHT // 4).astype(np.uint8)
    levels[3, 3] = 255  # a hot pixel is no level
    (plane,) = image_of_array(levels).planes()
    assert plane.working.step == pytest.approx(1 / 63)
    hot = np.where(np.eye(40) > 0, np.nan, 3.0 * EIGHT)
    (plane,) = image_of_array(hot).planes()
    assert plane.working.step == pytest.approx(1 / 255)
