"""Levels and errors are also said in the data's units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.results import a_result
from untaught.image.image import image_of_array
from untaught.noise import Correlated, Gaussian, PoissonGaussian
from untaught.noise.estimation.measure import measure
from untaught.results.display import Pair
from untaught.results.noise_spectrum import spectrum_of
from untaught.results.page import page
from untaught.results.residual_patches import patch_strips
from untaught.results.text import noise_sentence, quality, verdict, with_units


def test_levels_are_said_in_both_units() -> None:
    assert "units" not in noise_sentence(Gaussian(0.1), (0.0, 255.0))
    assert "Level 409.5 (in the data's units)." in noise_sentence(Gaussian(0.1), (0.0, 4095.0))
    said = noise_sentence(PoissonGaussian(0.01, 0.02), (100.0, 1100.0))
    assert "Level 20 at 100 and 102 at 1100 (in the data's units)." in said


def test_texts_of_255_get_the_other_numbers() -> None:
    assert (
        with_units("levels 1.0, 2.5 (of 255)", (0.0, 2550.0))
        == "levels 1.0, 2.5 (of 255; 10, 25 in the data's units)"
    )
    text = "from 1.0 to 2.0 (of 255)"
    assert with_units(text, (0.0, 255.0)) == text
    assert with_units("3 of 4 planes", (0.0, 1.0)) == "3 of 4 planes"


def test_rmse_stands_beside_psnr_in_texts_and_page() -> None:
    before = image_of_array(np.random.default_rng(0).integers(300, 4000, (40, 50)).astype(np.uint16))
    result = a_result(before, before.array)
    low, high = before.value_range
    rmse = (high - low) * 10 ** (-30.5 / 20)
    assert result.rmse is not None
    assert result.rmse.value == pytest.approx(rmse)
    assert result.rmse.low < rmse < result.rmse.high
    for text in (quality(result), verdict(result), page(result)):
        assert f"RMSE {result.rmse}" in text


def test_the_spectrum_of_noise_that_neighbours_share_falls() -> None:
    rng = np.random.default_rng(0)
    report = measure((0.5 + 0.05 * rng.standard_normal((128, 128, 1))).astype(np.float32))
    white = spectrum_of(report, 1)
    assert white.measured is not None
    np.testing.assert_allclose(white.measured, 1, atol=0.25)
    np.testing.assert_allclose(white.laws["brightness"], 1, atol=1e-9)
    kernel = ((1.0, 2.0, 1.0), (2.0, 4.0, 2.0), (1.0, 2.0, 1.0))
    fall = spectrum_of(replace(report, model=Correlated(0.05, kernel)), 3).laws["all colours"]
    assert (np.diff(fall) < 0).all()
    assert fall[0] > 2
    assert fall[-1] < 0.1


def test_strips_hold_the_flattest_and_the_busiest_patches() -> None:
    after = np.full((48, 96, 1), 0.5, np.float32)
    after[:, 72:, 0] += 0.3 * np.sin(np.arange(24)).astype(np.float32)
    rng = np.random.default_rng(0)
    before = after + 0.01 * rng.standard_normal(after.shape).astype(np.float32)
    before[:, 72:] += 0.1  # what was taken out amid detail is bright
    strips = patch_strips(Pair("", before, after, np.zeros((48, 96), bool)))
    assert strips is not None
    flat, busy = strips
    assert busy[:, :72].mean() > flat[:, :72].mean() + 40
    assert patch_strips(Pair("", after, after, np.zeros((48, 96), bool))) is None
