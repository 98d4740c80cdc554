"""Sub-sampling by the correlation length: what it takes apart, what it needs, what it gains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import psnr
from tests.methods.test_identities import BOX, SIGMA, observed
from untaught import InputError, denoise
from untaught.methods.networks.unet import UNetShape
from untaught.methods.registry import make
from untaught.methods.self_supervised.subsampled import Subsampled
from untaught.noise import Correlated, Gaussian
from untaught.pipeline.plane.choose_methods import objection

NOISE = Correlated(SIGMA, BOX)


@pytest.mark.parametrize("factor", [2, 3])
def test_a_picture_of_any_size_is_taken_apart_and_put_together(factor: int) -> None:
    _, seen = observed(NOISE, side=40)
    seen = replace(seen, y=seen.y[..., :37, :35], mask=seen.mask[..., :37, :35])
    method = Subsampled(factor=factor)
    apart = method.apart(seen)
    assert apart.y.shape[:2] == (seen.y.shape[0] * factor**2, seen.y.shape[1])
    assert torch.equal(apart.y[0], seen.y[0, :, ::factor, ::factor])
    second = seen.y[0, :, ::factor, 1::factor]
    assert torch.equal(apart.y[1, :, :, : second.shape[-1]], second)
    assert torch.equal(method.together(apart.y, seen), seen.y)
    assert float(apart.mask.sum()) == seen.mask.sum()  # what was added counts as missing


def test_noise_of_a_box_is_independent_three_pixels_apart_and_not_two() -> None:
    clean, seen = observed(NOISE, side=240)
    noise = replace(seen, y=seen.y - clean)
    found = {}
    for factor in (2, 3):
        left = Subsampled(factor=factor).apart(noise)
        assert all(isinstance(model, Gaussian) for model in left.noises)
        values = left.y / left.y.std()
        found[factor] = float((values[..., 1:] * values[..., :-1]).mean())
    assert found[2] == pytest.approx(1 / 3, abs=0.02)
    assert found[3] == pytest.approx(0, abs=0.02)


def test_too_small_a_factor_is_refused_and_the_right_one_named() -> None:
    y = np.random.default_rng(0).random((48, 48)).astype(np.float32)
    with pytest.raises(InputError, match="take n2v:3"):
        denoise(y, method="n2v:2", noise=NOISE)
    assert "n2v:3" in (objection(make("n2v").needs, NOISE) or "")
    assert objection(make("n2v:3").needs, NOISE) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [("n2v:x", "no network"), ("n2v:1", "2 or more"), ("dip:2", "no version"), ("n2x:2", "no method")],
)
def test_what_is_no_subsampling_is_refused(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        make(name)


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(InputError, match="at least 24"):
        denoise(np.random.default_rng(0).random((20, 48)).astype(np.float32), method="n2v:3", noise="gaussian:25")


def test_on_correlated_noise_it_gains_where_the_blind_spot_does_not() -> None:
    """A blind spot draws the noise of its neighbours; on every third pixel it cannot."""
    clean, seen = observed(NOISE, side=72)
    y, x = (t[0].permute(1, 2, 0).numpy() for t in (seen.y, clean))
    small = {"shape": UNetShape(16, 2), "steps": 60, "rate": 0.01}
    apart = denoise(y, method=Subsampled(factor=3, crop=72, batch=1, **small), noise=NOISE, stop="steps")
    plain = denoise(y, method=make("n2v", {**small, "crop": 32}), noise=Gaussian(SIGMA), stop="steps")
    assert psnr(apart.image, x) > psnr(y, x) + 2
    assert psnr(apart.image, x) > psnr(plain.image, x) + 1
