"""What a person may ask for, or a picture be, at the edges: an answer of the right kind, or a sentence."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import clean, psnr
from tests.helpers.quick import DIP_FAST, crop, uncut
from tests.methods.test_impulse_fill import salted
from untaught import denoise, rerun
from untaught.methods.fusion import Fusion
from untaught.methods.plug_and_play import PlugAndPlay


def test_a_rule_that_cannot_watch_this_noise_gives_way_and_the_result_says_so() -> None:
    x, y = salted(size=32)
    result = denoise(y, method=DIP_FAST, noise="impulse:0.1", stop="recorrupted")
    assert result.stopped.rule != "recorrupted"
    assert any("recorrupted was asked for, but it needs noise of a known law" in note for note in result.notes)
    assert result.psnr is None or abs(result.psnr.value - psnr(result.image, x)) < 6


def test_what_is_missing_is_filled_in_where_nothing_else_changes() -> None:
    y = clean(32, 32, 1)[..., 0].copy()
    y[3:6, 7:10] = np.nan
    result = denoise(y, noise="gaussian:0")
    assert result.method == "none"
    assert np.isfinite(result.image).all()
    measured = np.isfinite(y)
    assert np.allclose(result.image[measured], y[measured], atol=1e-6)
    assert np.array_equal(rerun(result.recipe, y).image, result.image)


def test_a_hole_in_a_page_of_one_value_is_filled_in() -> None:
    y = np.stack([crop()[..., 0], np.full((32, 32), 0.5, np.float32)])
    y[1, 3, 4] = np.nan
    assert denoise(y, method="wavelet", noise="gaussian:25").image[1, 3, 4] == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("where", [0, 2])
def test_a_black_and_white_page_is_left_as_it_is(where: int) -> None:
    pages = np.stack([np.rint(255 * crop(seed=seed)[..., 0]).astype(np.uint8) for seed in range(3)])
    pages[where] = 255 * (pages[where] > 128)
    result = denoise(pages, method="wavelet", noise="gaussian:25")
    assert np.array_equal(result.image[where], pages[where])
    assert not np.array_equal(result.image[1], pages[1])
    assert [note for note in result.notes if "every pixel is black or white" in note and "left as it" in note]


def test_what_a_person_says_about_clipping_is_believed() -> None:
    for noise, clip in (("gaussian:25,clipped", (True, True)), ("gaussian:25", (False, False))):
        assert denoise(uncut(), method="wavelet", noise=noise).noise.clip == clip


def test_without_a_better_picture_the_clock_is_kept_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.pipeline.plane.choose_methods.FEW", 0)
    monkeypatch.setattr("untaught.pipeline.plane.selection.LEAST_SECONDS", 1e6)
    texture = np.random.default_rng(0).uniform(0.2, 0.8, (32, 32, 3)).astype(np.float32)
    result = denoise(texture, noise="gaussian:2.55", effort="best", time_limit=1e5)
    assert result.method == "none"
    assert [candidate.note[:9] for candidate in result.candidates[1:]] == ["not tried"] * 2


def test_passes_that_were_cut_short_are_made_again_to_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlugAndPlay, "within", lambda method, *_: method)  # as on a machine that grew slower
    y = uncut()
    y[::5, ::7] = np.nan
    slow = replace(PlugAndPlay(), steps=10**4)
    started = time.monotonic()
    result = denoise(y, method=slow, noise="gaussian:25", time_limit=0.5)
    assert result.stopped.rule == "time limit"
    assert time.monotonic() - started < 60  # its error is estimated by as many passes, not by all
    assert result.recipe.planes[0].settings["last"] == result.stopped.step
    assert np.array_equal(rerun(result.recipe, y).image, result.image)


def test_a_mixture_is_made_again_where_there_is_no_first_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.pipeline.plane.selection.FITTED", -1e9)  # whatever the mixture is worth
    y = clean(32, 32)
    result = denoise(y, sigma=0.0006, method=Fusion(("nonlocal", "wavelet")))
    assert result.method == "fusion"
    assert np.array_equal(rerun(result.recipe, y).image, result.image)


@pytest.mark.parametrize("seed", [0, 7, 9, 11])  # in all but the first nothing is drawn to be held out
def test_too_few_pixels_to_judge_by_cost_the_estimate_not_the_answer(seed: int) -> None:
    y = salted(0.5, 1, 8)[1][..., 0]
    result = denoise(y, method="impulse-fill", noise="impulse:0.5", seed=seed)
    assert result.method == "impulse-fill"
