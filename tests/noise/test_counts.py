"""Photons counted one by one: told by their variance, however many are none."""

from __future__ import annotations

import numpy as np
import pytest

from tests.noise.test_measure import picture
from untaught.noise import PoissonGaussian, measure
from untaught.noise.estimation.counts import counted


def counts(name: str, photons: float) -> tuple[np.ndarray, float]:
    """Return counts on [0, 1], and what one of them is there."""
    k = np.random.default_rng(0).poisson(photons * picture(name)).astype(np.float32)
    return k / k.max(), 1 / float(k.max())


@pytest.mark.parametrize("photons", [0.5, 2, 10])
@pytest.mark.parametrize("name", ["camera", "coffee", "brick"])
def test_few_counts_are_told_with_nothing_cut_off(name: str, photons: float) -> None:
    y, step = counts(name, photons)
    law = measure(y, step=step).model
    assert isinstance(law, PoissonGaussian)
    assert (law.gain, law.read, law.offset) == (step, 0.0, 0.0)
    assert law.clip == (False, False)


def test_counts_are_told_wherever_their_zero_lies() -> None:
    y, step = counts("camera", 10)
    law = counted(y - 3 * np.float32(step), None, step, -3 * step)
    assert law is not None
    assert law.offset == pytest.approx(-3 * step)


def test_few_grey_levels_without_photon_noise_are_no_counts() -> None:
    x = picture("camera")
    rng = np.random.default_rng(0)
    for y in (np.rint(12 * x), np.clip(np.rint(12 * x + 1.5 * rng.standard_normal(x.shape)), 0, 12)):
        assert counted((y / 12).astype(np.float32), None, 1 / 12, 0.0) is None
    assert counted(counts("camera", 10)[0], None, 0.0, 0.0) is None


def test_holes_do_not_count() -> None:
    y, step = counts("coffee", 10)
    hole = np.zeros(y.shape[:2], bool)
    hole[:, :60] = True
    y[:, :60] = np.rint(np.random.default_rng(1).random((y.shape[0], 60, y.shape[2])) / step) * step
    assert counted(y, None, step, 0.0) is None
    assert counted(y, hole, step, 0.0) is not None
