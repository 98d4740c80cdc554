"""Gain, read-out noise and offset of a simulated camera, from dark and flat frames and from a flat rectangle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from untaught.errors import InputError
from untaught.noise.estimation.flat_frames import Exposure
from untaught.noise.estimation.line_fit import fit_line
from untaught.noise.estimation.photon_transfer import photon_transfer
from untaught.noise.estimation.region import region_noise

GAIN, READ, OFFSET = 2.3, 6.0, 101.0
LEVELS = (50, 300, 1000, 4000, 12000)
SHAPE = (160, 192)


def frame(electrons: float, seed: int, name: str = "", pattern: np.ndarray | None = None) -> Exposure:
    rng = np.random.default_rng(seed)
    light = (
        electrons * (1 + 0.15 * np.linspace(-1, 1, SHAPE[1])) * (np.ones(SHAPE) if pattern is None else pattern)
    )
    values = OFFSET + GAIN * rng.poisson(light) + READ * rng.standard_normal(SHAPE)
    return Exposure(np.rint(values).astype(np.float32), name)


def exposures(count: int, pattern: np.ndarray | None = None, named: bool = True) -> list[Exposure]:
    """Return `count` frames of every level, those of one level not quite equally lit."""
    found = [frame(0, seed, "dark" if named else "") for seed in range(count)]
    for k, level in enumerate(LEVELS):
        found += [frame(level * (1 + 0.01 * n), 100 + 10 * k + n, "", pattern) for n in range(count)]
    return found


def sensor() -> np.ndarray:
    return 1 + 0.01 * np.random.default_rng(7).standard_normal(SHAPE)


@pytest.mark.parametrize("named", [True, False])
def test_pairs_tell_the_camera_whatever_its_pattern(named: bool) -> None:
    found = photon_transfer(exposures(2, sensor(), named))
    assert found.gain == pytest.approx(GAIN, rel=0.02)
    assert found.read == pytest.approx(READ, rel=0.05)
    assert found.offset == pytest.approx(OFFSET, abs=0.3)
    assert abs(found.gain / GAIN - 1) < 4 * found.relative_error < 0.05
    assert bool(found.notes) is not named


def test_single_frames_tell_it_too_and_say_that_the_pattern_was_in_them() -> None:
    found = photon_transfer(exposures(1, sensor()))
    assert found.gain == pytest.approx(GAIN, rel=0.04)
    assert "pattern of the sensor" in found.notes[0]


def test_overexposed_frames_and_hot_pixels_are_left_out() -> None:
    frames = exposures(2)
    hot = np.random.default_rng(1).random(SHAPE) < 0.002
    spoiled = [
        Exposure(np.minimum(np.where(hot, 9000, f.values), 16383).astype(np.float32), f.name) for f in frames
    ]
    found = photon_transfer(spoiled)
    assert found.gain == pytest.approx(GAIN, rel=0.03)
    assert found.points.mean.max() < 16000


def test_the_law_is_the_same_in_any_value_range() -> None:
    found = photon_transfer(exposures(2))
    for low, high in ((0.0, 65535.0), (131.0, 4000.0)):
        law = found.law((low, high))
        at = np.array([150.0, 3000.0])
        variance = np.square(law.std((at - low) / (high - low))) * (high - low) ** 2
        np.testing.assert_allclose(variance, found.variance(at), rtol=1e-6)


def test_frames_that_tell_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="all of one brightness"):
        photon_transfer([frame(100, 0), frame(100, 1)])
    with pytest.raises(InputError, match="no frames"):
        photon_transfer([])
    calm = [Exposure(frame(0, seed).values / 4 + 400, "") for seed in (2, 3)]
    with pytest.raises(InputError, match="does not grow"):
        photon_transfer([frame(0, 0, "dark"), frame(0, 1, "dark"), *calm])


def test_dark_frames_that_were_cut_off_at_black_say_so() -> None:
    frames = [Exposure(np.maximum(f.values - OFFSET, 0).astype(np.float32), f.name) for f in exposures(2)]
    assert "black is cut off" in photon_transfer(frames).notes[-1]


def test_a_line_holds_its_end_and_is_not_drawn_away_by_one_point() -> None:
    x = np.arange(1.0, 9.0)
    y = 3 + 2 * x
    y[4] += 50
    assert fit_line(x, y, np.full(8, 0.1), 3.0).slope == pytest.approx(2, abs=0.1)


def shade(shape: tuple[int, int, int], sigma: float, seed: int = 0) -> np.ndarray:
    """Return light that falls unevenly, and noise."""
    rows, columns = np.linspace(-1, 1, shape[0])[:, None, None], np.linspace(-1, 1, shape[1])[None, :, None]
    light = 0.5 + 0.05 * rows + 0.03 * columns**2 + 0.02 * rows * columns
    return (light + sigma * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def test_a_flat_rectangle_tells_its_level_and_how_sure_that_is() -> None:
    found = [region_noise(shade((24, 32, 1), 0.02, seed)) for seed in range(40)]
    factors = np.array([(one.sigma / 0.02) ** 2 for one in found if one is not None])
    stated = np.mean([one.relative_error for one in found if one is not None])
    assert factors.mean() == pytest.approx(1, abs=0.03)
    assert stated == pytest.approx(factors.std(), rel=0.35)
    assert not any(one.shared for one in found if one is not None)


def test_noise_that_neighbours_share_is_seen_and_counts_less() -> None:
    white, smooth = shade((48, 48, 1), 0.02), shade((48, 48, 1), 0.0)
    smooth += (
        gaussian_filter(np.random.default_rng(1).standard_normal((48, 48, 1)), (1, 1, 0)).astype(np.float32) * 0.07
    )
    one, other = region_noise(white), region_noise(smooth)
    assert one is not None
    assert other is not None
    assert other.shared
    assert other.neighbours == pytest.approx(np.exp(-0.25), abs=0.1)
    assert other.relative_error > 2 * one.relative_error


def test_what_was_not_measured_does_not_count() -> None:
    values = shade((24, 24, 3), 0.02)
    gone = np.zeros((24, 24), bool)
    gone[:6] = True
    values[gone] = 9.0
    found = region_noise(values, gone)
    assert found is not None
    assert found.sigma == pytest.approx(0.02, rel=0.1)
    assert region_noise(values, ~gone[:, ::-1] | True) is None
