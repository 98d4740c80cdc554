"""The law of noise where a film stands still: what neighbours share is seen, motion is not taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from tests.conftest import clean
from untaught.noise.estimation.over_time import OverTime, Three, noise_over_time
from untaught.noise.models.correlated import Correlated

LEVEL = 0.12


def scene(place: int, pace: float) -> np.ndarray:
    x = clean(160, 176).mean(2)
    return shift(x, (pace * place, 2 * pace * place), order=1, mode="nearest")[20:148, 24:152, None]


def found(blur: float, pace: float = 0.0, gone: float = 0.0, grows: bool = False) -> OverTime:
    """Return what nine frames tell whose noise is blurred along rows and has the same level for all that."""
    random = np.random.default_rng(0)
    frames = []
    for place in range(9):
        noise = gaussian_filter(random.standard_normal((128, 128, 1)), (0, blur, 0)) if blur else None
        noise = random.standard_normal((128, 128, 1)) if noise is None else noise
        x = scene(place, pace)
        frames.append(x + LEVEL * (0.5 + x if grows else 1) * noise / noise.std())
    missing = random.random((128, 128)) < gone
    held = [np.where(missing[..., None], 7, frame).astype(np.float32) for frame in frames]
    told = noise_over_time([Three(*held[k : k + 3], missing) for k in (0, 3, 6)])
    assert told is not None
    return told


@pytest.mark.parametrize("gone", [0.0, 0.15])
def test_noise_that_neighbours_share_is_seen_where_nothing_moves(gone: float) -> None:
    """Its slow part was taken for the picture: its level came out a sixth too low, and it was called white."""
    told = found(0.5, gone=gone)
    law = told.report.model
    assert isinstance(law, Correlated)
    assert law.sigma == pytest.approx(LEVEL, rel=0.06)
    kernel = gaussian_filter(np.eye(1, 15, 7)[0], 0.5)
    expected = float((kernel[1:] * kernel[:-1]).sum() / (kernel**2).sum())
    assert law.correlation((0, 1)) == pytest.approx(expected, abs=0.06)
    assert abs(law.correlation((1, 0))) < 0.06
    assert told.factors == pytest.approx((1, 1, 1), abs=0.1)
    assert not told.report.white


def test_it_may_grow_with_brightness() -> None:
    law = found(0.6, grows=True).report.model
    assert isinstance(law, Correlated)
    assert law.correlation((0, 1)) > 0.2
    dark, bright = (float(law.std(np.array(x))) for x in (0.2, 0.8))
    assert bright / dark == pytest.approx(1.3 / 0.7, rel=0.2)


@pytest.mark.parametrize("pace", [0.0, 0.4, 1.7])
def test_white_noise_stays_white_whatever_moves(pace: float) -> None:
    law = found(0.0, pace).report.model
    assert not isinstance(law, Correlated)
    assert law.level == pytest.approx(LEVEL, rel=0.1 if pace else 0.05)
