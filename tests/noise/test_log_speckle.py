"""Speckle after a logarithm is told by its skewness; noise that is cut off is not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.noise.test_measure import picture
from untaught.noise import Gaussian, measure


def test_the_logarithm_of_speckle_is_told_and_said() -> None:
    x = picture("camera")
    rng = np.random.default_rng(0)
    looks = rng.gamma(2.0, 0.5, x.shape)
    report = measure((0.2 + 0.5 * x + 0.12 * np.log(looks)).astype(np.float32))
    assert report.model.kind == "correlated"
    true = float(np.std(0.12 * np.log(looks)))
    assert report.sigma == pytest.approx(1.3**0.5 * true, rel=0.1)
    assert any("logarithm" in note for note in report.notes)


@pytest.mark.parametrize("ends", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("name", ["camera", "moon", "coins"])
def test_noise_that_was_cut_off_is_no_speckle(name: str, ends: tuple[bool, bool]) -> None:
    y = Gaussian(50 / 255, clip=ends).sample(picture(name), np.random.default_rng(0))
    assert measure(y).model.kind == "gaussian"
