"""How much of a spectrum is a regular pattern, and how much the picture behind it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.estimation.pattern import Pattern
from untaught.noise.estimation.spectrum_lines import Power, power_of, radius_of

MEDIAN = float(np.log(2))  # of a power that is exponentially distributed, over its mean
SLOPES = (-3.5, -1.5)  # of pictures: power falls as frequency to the -2 to -3
CORE = 2.5  # bins: how far the window spreads a wave
RING, NEAR, FAR = 4.0, (4.0, 9.0), (22.0, 30.0)  # bins around a wave
LEAST_BIN = 1.5  # bins: nearer to the middle a power law is held at its value there
FLOOR_FROM, FLOOR_SHARE = 0.25, 10  # cycles a pixel, percent of the bins: what is everywhere
FLOOR = 0.105  # that percentile of an exponential distribution, over its mean
ROUNDING = (1 / 255) ** 2 / 12


@dataclass(frozen=True)
class Channel:
    """Variance a bin of one channel, the mean over all bins being that of a pixel.

        of the picture  S(f) = scale |f|^slope
        of the pattern  N(f) = floor + sum over lines g of  steady_g delta(f - g) + beside_g S(f - g)

    A screen follows the picture: its dots are as large as that is bright, so that beside every line the picture's
    own spectrum comes again.
    """

    scale: float
    slope: float
    floor: float
    steady: tuple[float, ...]
    beside: tuple[float, ...]


def channels_of(values: Floats, pattern: Pattern) -> tuple[Channel, ...]:
    """Return the spectra of the channels of (H, W, C) in [0, 1], with the pattern that was found in it.

    Every bin is of the line that it is nearest to, or of the picture. Of waves that lie over the picture only what
    rises towards them is theirs, and there is no floor: all else is the picture.
    """
    square = np.moveaxis(values[pattern.rows, pattern.columns].astype(np.float64), 2, 0)
    window = np.hanning(square.shape[1])
    energy = float(np.square(window).sum()) ** 2
    return tuple(_channel(power_of(plane) / energy, pattern) for plane in square)


def _channel(power: Power, pattern: Pattern) -> Channel:
    side = len(power)
    near, owner = _distances(side, pattern)
    radius = radius_of(side)
    scale, slope = _law(power, radius, owner == 0)
    steady, beside = [], []
    for k in range(len(pattern.lines)):
        distance = near[k]
        own, core = owner == k + 1, distance < CORE / side
        steady.append(float(power[core & own].sum() / side**2))
        if pattern.printed:
            ring = own & (distance > RING / side)
            share = (
                np.median(power[ring] / _power_law(scale, slope, distance[ring], side)) if ring.sum() > 8 else 0.0
            )
        else:
            close, far = (_median_within(power, distance * side, reach) for reach in (NEAR, FAR))
            middles = (np.array([sum(reach) / 2 / side]) for reach in (NEAR, FAR))
            rise = np.subtract(*(_power_law(scale, slope, at, side)[0] for at in middles))
            share = max(0.0, close - far) / rise
        beside.append(float(share / MEDIAN))
    floor = max(float(np.percentile(power[radius > FLOOR_FROM], FLOOR_SHARE)) / FLOOR, ROUNDING)
    return Channel(scale, slope, floor if pattern.printed else 0.0, tuple(steady), tuple(beside))


def _distances(side: int, pattern: Pattern) -> tuple[list[Power], NDArray[np.intp]]:
    """Return the distance of every bin to each line or its mirror image, and whose it is: 0 for the picture."""
    down, across = (axis.astype(np.float64) for axis in np.meshgrid(*2 * [np.fft.fftfreq(side)], indexing="ij"))
    near, best, owner = [], radius_of(side), np.zeros((side, side), np.intp)
    for k, line in enumerate(pattern.lines):
        both = [
            np.hypot(_wrapped(down - sign * line.down), _wrapped(across - sign * line.across)) for sign in (1, -1)
        ]
        near.append(np.minimum(*both))
        closer = near[-1] < best
        owner[closer], best = k + 1, np.minimum(best, near[-1])
    return near, owner


def _wrapped(frequency: Power) -> Power:
    return np.asarray((frequency + 0.5) % 1 - 0.5)


def _law(power: Power, radius: Power, own: Flags) -> tuple[float, float]:
    """Return scale and slope of the picture's power, fitted to the means of rings of its own bins."""
    side = len(power)
    there = own & (radius > 3 / side)
    there &= radius < np.percentile(radius[there], 90)
    at, what = np.log(radius[there]), power[there]
    ends = np.linspace(at.min(), at.max() + 1e-9, 9)
    rings = [(at >= low) & (at < high) for low, high in pairwise(ends)]
    middles = np.array([at[ring].mean() for ring in rings if ring.sum() > 4])
    means = np.array([np.log(what[ring].mean()) for ring in rings if ring.sum() > 4])
    slope = float(np.clip(np.polyfit(middles, means, 1)[0], *SLOPES)) if len(middles) > 1 else -2.5
    return float(np.exp(np.mean(means - slope * middles))), slope


def _power_law(scale: float, slope: float, distance: Power, side: int) -> Power:
    return np.asarray(scale * np.maximum(distance, LEAST_BIN / side) ** slope)


def _median_within(power: Power, bins: Power, reach: tuple[float, float]) -> float:
    return float(np.median(power[(bins > reach[0]) & (bins < reach[1])]))
