"""Prints, moire and streaks: taken off, never worse than before, and said where there is none."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage import data

import untaught
from tests.conftest import clean, psnr
from tests.helpers.prints import as_bytes, dots, rosettes, waves
from untaught.image.image import image_of_array
from untaught.image.tiling import Tiling
from untaught.pipeline.planes import Requests
from untaught.pipeline.request import request_of
from untaught.pipeline.tasks.descreen import NONE, descreen_planes

FACE = clean(160, 160, 1)[..., 0].astype(np.float64)


def error(image: NDArray[np.generic], x: NDArray[np.floating]) -> float:
    return psnr(np.asarray(image, np.float64), 255 * x, 255)


@pytest.mark.parametrize(("period", "degrees"), [(4, 0), (5, 45), (6.5, 15)])
def test_a_print_becomes_a_picture_better_than_any_blur(period: float, degrees: float) -> None:
    y = as_bytes(dots(FACE, period, degrees))
    result = untaught.descreen(y)
    blurred = max(error(gaussian_filter(y.astype(float), s), FACE) for s in (1, 1.5, 2, 2.5, 3))
    assert error(result.image, FACE) > blurred + 0.7
    assert result.psnr is None
    assert result.noise.kind == "pattern"
    assert "printed screen" in result.noise.describe()


def test_no_wave_of_a_print_stays_that_the_others_tell_of() -> None:
    rows, columns = np.indices((192, 192))
    screen = 0.5 + 0.5 * np.cos(2 * np.pi * rows / (5 * 2**0.5)) * np.cos(2 * np.pi * columns / (5 * 2**0.5))
    x = data.camera()[60:252, 170:362] / 255
    result = untaught.descreen(as_bytes(np.clip((x - screen) * 4 + 0.5, 0, 1)))
    left = np.abs(np.fft.rfft2(result.image - 255 * x)) / x.size
    assert 2 * left[:2, 53:56].max() < 2  # of 255: it was 11


def test_a_print_in_colours_becomes_a_picture() -> None:
    x = clean(160, 160).astype(np.float64)
    y = as_bytes(rosettes(x, 4.5))
    blurred = max(error(gaussian_filter(y.astype(float), (s, s, 0)), x) for s in (1, 1.5, 2, 2.5))
    assert error(untaught.descreen(y).image, x) > blurred + 0.5


@pytest.mark.parametrize(("period", "degrees", "least"), [(5.2, 60, 6), (7, 0, 6), (8.1, 110, 5)])
def test_waves_are_taken_off_and_nothing_else(period: float, degrees: float, least: float) -> None:
    y = as_bytes(waves(0.1 + 0.8 * FACE, period, degrees, 0.05))
    found = untaught.descreen(y).image
    assert error(found, 0.1 + 0.8 * FACE) > error(y, 0.1 + 0.8 * FACE) + least


def test_letters_beside_a_print_stay() -> None:
    page = np.full((232, 320), 0.95)
    page[:60], page[72:, :160] = data.page()[60:120, :320] / 255, dots(FACE, 4.5, 45)
    y = as_bytes(page)
    result = untaught.descreen(y)
    assert np.abs(result.image[:50].astype(int) - y[:50]).max() <= 1
    assert error(result.image[80:224, 8:150], FACE[8:152, 8:150]) > error(y[80:224, 8:150], FACE[8:152, 8:150]) + 8
    assert any("of the picture; the rest stays" in note for note in result.notes)


@pytest.mark.parametrize("name", ["grass", "brick", "page"])
def test_without_a_pattern_nothing_is_done_and_that_is_said(name: str) -> None:
    y = getattr(data, name)()[:160, :160]
    result = untaught.descreen(y)
    assert np.array_equal(result.image, y)
    assert any(NONE[1:] in note for note in result.notes)


def test_what_is_one_bit_deep_becomes_grey() -> None:
    y = dots(FACE, 6, 20) > 0.5
    result = untaught.descreen(y)
    assert result.image.dtype == np.uint8
    assert error(result.image, FACE) > error(255 * y, FACE) + 8


def test_denoise_keeps_a_pattern_says_what_it_is_and_states_no_error() -> None:
    y = as_bytes(dots(FACE, 5, 45))
    result = untaught.denoise(y, effort="quick")
    assert np.array_equal(result.image, y)
    assert result.psnr is None
    assert any(
        "5.0 pixels along 45 and 135 degrees" in note and "untaught descreen" in note for note in result.notes
    )
    x = 0.1 + 0.8 * FACE
    y = as_bytes(waves(x, 6.3, 30, 0.06), noise=6)
    result = untaught.denoise(y, effort="quick")
    wave = waves(0 * x, 6.3, 30, 1.0)
    kept = (result.image / 255 * wave).mean() / (y / 255 * wave).mean()
    assert kept > 0.8
    assert result.psnr is None
    assert any("6.3 pixels along 30 degrees" in note and "untaught descreen" in note for note in result.notes)


def test_in_parts_it_is_as_it_is_at_once() -> None:
    x = clean(224, 240, 1)[..., 0].astype(np.float64)
    y = image_of_array(as_bytes(dots(x, 5, 30)))
    whole, parts = (
        descreen_planes(Requests.of(y, replace(request_of({}), tiling=tiling), time.monotonic()))
        for tiling in (None, Tiling(160, 24))
    )
    assert any("parts of" in note for note in parts.notes)
    assert psnr(parts.image, whole.image, 255) > 34
    assert error(parts.image, x) > error(whole.image, x) - 0.3


def test_the_recipe_does_it_again(tmp_path: Path) -> None:
    y = as_bytes(dots(FACE[:96, :96], 5, 45))
    result = untaught.descreen(y)
    again = untaught.rerun(untaught.Recipe.model_validate_json(result.recipe.model_dump_json()), y)
    assert np.array_equal(again.image, result.image)


def test_planes_have_patterns_of_their_own() -> None:
    stack = np.stack([as_bytes(dots(FACE, 5, 45)), as_bytes(FACE), as_bytes(waves(FACE, 7, 60, 0.06))])
    result = untaught.descreen(stack, axes="TYX")
    assert error(result.image[0], FACE) > error(stack[0], FACE) + 8
    assert np.array_equal(result.image[1], stack[1])
    assert error(result.image[2], FACE) > error(stack[2], FACE) + 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"noise": "gaussian:5"}, "no noise"),
        ({"stripes": "rows"}, "denoise"),
        ({"method": "nlm"}, "cannot descreen"),
    ],
)
def test_what_it_does_not_take_is_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(untaught.InputError, match=said):
        untaught.descreen(as_bytes(FACE), **options)  # type: ignore[arg-type]


def test_gaps_are_refused_with_what_to_do() -> None:
    y = dots(FACE, 5, 45).astype(np.float32)
    y[3, 4] = np.nan
    with pytest.raises(untaught.InputError, match="inpaint"):
        untaught.descreen(y)
