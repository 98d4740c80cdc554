"""Lines of a spectrum: what stands out of that which is around it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2

from untaught.noise.estimation.dct_patches import Flags

RING = (3, 7)  # bins: what is around a line beyond what the window makes of it
NARROW = 100.0  # power over the 90th percentile there: 240 and more in the middle of screens, 80 at most in cloth
AROUND = 17  # bins of the spectrum
ALONG = 24  # bins to both sides along an axis of the spectrum

Power = NDArray[np.float64]


@lru_cache(maxsize=4)
def radius_of(side: int) -> Power:
    """Return the frequency of every bin of the spectrum of a square, in cycles a pixel."""
    frequency = np.fft.fftfreq(side)
    found: Power = np.hypot(frequency[:, None], frequency)
    found.flags.writeable = False
    return found


def power_of(grey: Power) -> Power:
    """Return the spectrum of a square (side, side), or of channels in front of it the sum of theirs.

    A window hides the edges.
    """
    side = grey.shape[-1]
    window = np.hanning(side)
    half = rfft2((grey - grey.mean((-2, -1), keepdims=True)) * np.outer(window, window))
    energy = np.square(half.real) + np.square(half.imag)
    energy = energy.reshape(-1, *energy.shape[-2:]).sum(0)
    power = np.empty((side, side))
    power[:, : energy.shape[1]] = energy
    rest = np.arange(energy.shape[1], side)  # the spectrum of real numbers is its own mirror image
    power[:, rest] = energy[-np.arange(side) % side][:, side - rest]
    power += 1e-12
    return power


def tops_of(power: Power, among: Flags) -> Flags:
    """Return which of some bins are the highest of the `AROUND` // 2 bins a side around them."""
    for axis in (0, 1):
        for step in (1, -1):  # most are told at once
            among = among & (power >= np.roll(power, step, axis))
    at, reach = np.argwhere(among), np.arange(AROUND // 2) - AROUND // 4
    rows, columns = ((at[:, axis, None] + reach) % len(power) for axis in (0, 1))
    found = np.zeros_like(among)
    found[among] = power[among] == power[rows[:, :, None], columns[:, None, :]].max((1, 2), initial=0.0)
    return found


def places_of(marked: Flags) -> list[tuple[int, int]]:
    """Return the bins that are marked, of the half of the spectrum that has all of it once."""
    return [(int(i), int(j)) for i, j in np.argwhere(marked) if _half(i, j, len(marked))]


def _half(i: int, j: int, side: int) -> bool:
    """Say whether a line is of the half of the spectrum that has all of it once."""
    down, across = (at if at <= side // 2 else at - side for at in (i, j))
    edge = side / 2
    return (down > 0 and (down < edge or across >= 0)) or (down == 0 and across > 0)


def strengths_of(power: Power, places: list[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """Return lines over what is around them, and over what else goes that way if rows or columns share it."""
    if not places:
        return {}
    around = medians_around(power, places)
    return {place: _stands_out(power, place, float(median)) for place, median in zip(places, around, strict=True)}


def medians_around(power: Power, places: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Return the median of the `AROUND` bins a side around each of some bins: what is there without a wave."""
    at, reach = np.array(places), np.arange(-(AROUND // 2), AROUND // 2 + 1)
    rows, columns = ((at[:, axis, None] + reach) % len(power) for axis in (0, 1))
    blocks = power[rows[:, :, None], columns[:, None, :]].reshape(len(at), -1)
    return np.asarray(np.median(blocks, axis=1, overwrite_input=True), np.float64)


def _stands_out(power: Power, place: tuple[int, int], around: float) -> float:
    """Return a line over what is around it; near an axis over the median along that, where it is more."""
    side = len(power)
    for axis, at in enumerate(place):
        if min(at, side - at) < 2:
            other = place[1 - axis]
            along = np.take(np.take(power, at, axis), np.arange(-ALONG, ALONG + 1) + other, mode="wrap")
            around = max(around, float(np.median(along)))
    return float(power[place]) / around


def is_narrow(power: Power, i: int, j: int) -> bool:
    """Say whether a line is as narrow as the square allows: rows of bricks and threads of cloth waver."""
    reach = np.arange(-RING[1], RING[1] + 1)
    away = np.hypot(reach[:, None], reach)
    ring = power[np.ix_((i + reach) % len(power), (j + reach) % len(power))][(away >= RING[0]) & (away < RING[1])]
    return bool(power[i, j] > NARROW * np.percentile(ring, 90))
