"""The law of a series: of how planes differ, unless they share a part of their noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from untaught import Image
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.find_series import find_series
from untaught.pipeline.stacks.survey_series import OVER_TIME, Survey, survey_series

PLANES = 5


def speckle(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the logarithm of fully developed speckle with variance 1 and mean 0."""
    return (np.log(rng.exponential(size=shape)) + np.euler_gamma) / (np.pi / 6**0.5)


def surveyed(shared: float) -> Survey:
    """Look at scans of a still scene, a share of whose noise variance, of deviation .1, is the same in all."""
    rng = np.random.default_rng(0)
    clean = 0.3 + 0.4 * np.asarray(data.camera()[100:228, 100:228]) / 255
    own, common = speckle(rng, (PLANES, 128, 128)), speckle(rng, (128, 128))
    y = clean + 0.1 * (shared**0.5 * common + (1 - shared) ** 0.5 * own)
    picture = Image.of(y.astype(np.float32), "TYX")
    [series] = find_series(picture, "T").series
    return survey_series(picture, series, Request())


def test_noise_that_scans_share_is_told_by_a_scan() -> None:
    found = surveyed(0.4)
    span = found.picture.value_range[1] - found.picture.value_range[0]
    assert found.noise.processed
    assert found.noise.level * span == pytest.approx(1.3**0.5 * 0.1, rel=0.12)  # what is said of one scan
    assert OVER_TIME not in found.notes
    assert any("logarithm" in note for note in found.notes)
