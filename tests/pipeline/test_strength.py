"""Mixtures of the answer with its input, and what is said of their error."""

from __future__ import annotations

import numpy as np
import pytest

import untaught
from tests.conftest import clean, noisy, psnr
from untaught.cli import main

X = clean(96, 96)
Y = noisy(X, 0.1)


def test_it_goes_from_the_input_to_the_answer() -> None:
    whole = untaught.denoise(Y, method="nonlocal")
    half = untaught.denoise(Y, method="nonlocal", strength=0.5)
    assert half.image == pytest.approx((Y + whole.image) / 2, abs=1e-6)
    assert untaught.denoise(Y, method="nonlocal", strength=0).image == pytest.approx(Y, abs=1e-6)
    assert untaught.denoise(Y, method="nonlocal", strength=1).image == pytest.approx(whole.image, abs=0)
    assert any("50 %" in note for note in half.notes)
    assert np.array_equal(untaught.rerun(half.recipe, Y).image, half.image)
    assert half.command is not None
    assert "--strength 0.5" in half.command


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.7])
def test_the_stated_psnr_is_that_of_the_mixture(strength: float) -> None:
    found = untaught.denoise(Y, method="nonlocal", strength=strength)
    assert found.psnr is not None
    assert found.psnr.value == pytest.approx(psnr(found.image, X), abs=0.6)


def test_what_was_missing_is_the_answers_own_and_planes_that_help_each_other_are_mixed_too() -> None:
    y = Y.copy()
    y[40:44, 40:44] = np.nan
    whole, half = (untaught.denoise(y, method="nonlocal", strength=s) for s in (1, 0.5))
    assert half.image[41, 41] == pytest.approx(whole.image[41, 41], abs=1e-6)
    stack = np.stack([noisy(X, 0.1, seed) for seed in range(3)])[:, :48, :48, 0]
    whole, half = (untaught.denoise(stack, axes="TYX", method="nonlocal", strength=s) for s in (1, 0.5))
    assert half.image == pytest.approx((stack + whole.image) / 2, abs=1e-5)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), "half", None, True])
def test_what_is_no_strength_is_refused(wrong: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(untaught.InputError, match="from 0, the input, to 1"):
        untaught.denoise(Y, strength=wrong)  # type: ignore[arg-type]


def test_other_verbs_have_no_strength(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upscale", "in.png", "-o", "out.png", "--factor", "2", "--strength", "0.5"]) == 2
