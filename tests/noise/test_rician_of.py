"""Pictures of magnitudes are told by their background, and other pictures are not taken for them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from untaught.noise import Rician
from untaught.noise.estimation.rician import rician_of

Picture = NDArray[np.float64]
SIGMA = 12.0


def scan(side: int = 128) -> Picture:
    """An ellipse with structures inside, 0 around it, (H, W, 1)."""
    y, x = np.mgrid[-1 : 1 : 1j * side, -1 : 1 : 1j * side]
    body = 120 + 60 * np.sin(9 * x) * np.cos(7 * y) + 90 * (np.hypot(x + 0.2, y - 0.1) < 0.2)
    return np.where(np.hypot(1.3 * x, y) < 0.75, body, 0.0)[..., None]


def magnitudes(x: Picture, sigma: float = SIGMA, seed: int = 0) -> Picture:
    return Rician(sigma).sample(x, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("sigma", [2.0, 12.0, 40.0])
def test_the_level_of_a_scan_is_found(sigma: float, seed: int) -> None:
    for y in (magnitudes(scan(), sigma, seed), np.rint(magnitudes(scan(), sigma, seed))):
        law = rician_of(y)
        assert law is not None
        assert law.sigma == pytest.approx(sigma, rel=0.05)
        assert law.offset == 0
        assert 0 < law.relative_error < 0.1


@pytest.mark.parametrize("factor", [1e-4, 0.37, 900.0])
@pytest.mark.parametrize("zero", [-3.0, 0.0, 5.0])
def test_the_scale_of_the_values_does_not_matter(factor: float, zero: float) -> None:
    y = magnitudes(scan())
    law, moved = rician_of(y), rician_of(factor * y + zero, zero=zero)
    assert law is not None
    assert moved is not None
    assert (moved.sigma, moved.offset) == (pytest.approx(factor * law.sigma, rel=1e-6), zero)


def test_padding_and_what_is_missing_are_left_out() -> None:
    y = magnitudes(scan())
    padded = np.pad(y, ((40, 1), (7, 30), (0, 0)))
    law = rician_of(padded)
    assert law is not None
    assert law.sigma == pytest.approx(SIGMA, rel=0.05)
    scaled = rician_of((padded / 300 + 0.3).astype(np.float32), zero=0.3)
    assert scaled is not None
    assert scaled.sigma == pytest.approx(law.sigma / 300, rel=1e-4)
    y[:30] = 7.0
    missing = np.zeros(y.shape[:2], np.bool_)
    missing[:30] = True
    law = rician_of(y, missing)
    assert law is not None
    assert law.sigma == pytest.approx(SIGMA, rel=0.05)
    assert rician_of(np.zeros((64, 64, 1)), np.ones((64, 64), np.bool_)) is None


def test_nothing_but_noise_are_magnitudes_too() -> None:
    law = rician_of(magnitudes(np.zeros((96, 96, 1))))
    assert law is not None
    assert law.sigma == pytest.approx(SIGMA, rel=0.03)


def of_no_scanner() -> dict[str, Picture]:
    rng, x = np.random.default_rng(0), scan()
    white = rng.standard_normal(x.shape)
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(rng.standard_normal((2, 128, 128)), (0, 1, 1))
    blocks = np.kron(rng.uniform(1, 8, (8, 8)), np.ones((16, 16)))[..., None]
    blocks[:64] = 1
    return {
        "no noise": x,
        "added and cut off": np.clip(x + SIGMA * white, 0, None),
        "added on a pedestal": x
        + 1.91 * SIGMA
        + SIGMA * white
        - min(0.0, float((x + 2.91 * SIGMA * white).min())),
        "absolute": np.abs(x + SIGMA * white),
        "negative values": magnitudes(x) - 0.5,
        "several coils": np.sqrt(magnitudes(x) ** 2 + magnitudes(x, seed=1) ** 2),
        "power": magnitudes(x) ** 2,
        "radar": blocks * np.hypot(*rng.standard_normal((2, *blocks.shape))),
        "radar of little contrast": (3 + blocks / 8) * np.hypot(*rng.standard_normal((2, *blocks.shape))),
        "interpolated": 30 * np.hypot(*smooth)[..., None] + 0 * x,
        "air of a tomograph": np.clip(x - 24 + SIGMA * white + 60, 0, None),
        "too small": magnitudes(x[:24, :24]),
        **{f"counts of mean {mean}": 1.0 * rng.poisson(x / 4 + mean) for mean in (0.5, 3.4, 3.66, 4.0, 10.0)},
        **{f"gain of counts {gain}": gain * rng.poisson((x + 3.66 * gain) / gain) for gain in (2.0, 16.0)},
    }


@pytest.mark.parametrize("name", of_no_scanner())
def test_other_noise_is_not_taken_for_magnitudes(name: str) -> None:
    assert rician_of(of_no_scanner()[name]) is None


@pytest.mark.parametrize("name", ["camera", "coins", "moon", "page", "text", "cell", "coffee", "brick"])
def test_photographs_are_not_taken_for_magnitudes(name: str) -> None:
    from skimage import data

    rng = np.random.default_rng(0)
    x = np.asarray(getattr(data, name)(), np.float64)
    x = x if x.ndim == 3 else x[..., None]
    added = x + 10 * rng.standard_normal(x.shape)
    for y in (x, np.clip(np.rint(added), 0, 255), 5 * rng.poisson(x / 5), 1.0 * rng.poisson(x / 40)):
        assert rician_of(y) is None
    assert rician_of(added, zero=float(added.min())) is None
