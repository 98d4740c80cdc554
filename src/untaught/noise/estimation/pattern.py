"""Regular patterns, such as the dots of a printed screen: lines of the spectrum that noise does not have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, uniform_filter

from untaught.noise.estimation.dct_patches import Flags, Floats

SIDE = 512  # pixels of the square that is looked at, at most; bounds the time
LEAST = 32  # and at least
COARSEST = 16  # pixels: longer periods are no pattern but the picture
# Power of a line over the median around it. Screens of 3 to 8 pixels at any angle have 2000 and more; no picture
# of Kodak, BSD68 and scikit-image that a camera took has one of 400, and white noise has 25 at most.
STANDS_OUT = 400.0
AROUND = 17  # bins of the spectrum
HIGH = 10.0  # and over the mean, which is sooner found
SHARE = 0.5  # of the power of all that is finer than `COARSEST`, which lies in the lines; screens have .57 to .67


@dataclass(frozen=True)
class Pattern:
    """A regular pattern.

    Attributes
    ----------
    period : float
        Of its strongest line, in pixels.
    share : float
        Of the power of all fine detail, that of its lines.
    """

    period: float
    share: float

    def describe(self) -> str:
        """Return a sentence for a person."""
        return (
            f"No noise was found, but a regular pattern of period {self.period:.1f} pixels, such as a printed "
            "screen, which is left as it is; what takes it off is to shrink the picture by as much, or to blur it "
            "over one period."
        )


def pattern_of(values: Floats, missing: Flags | None = None) -> Pattern | None:
    """Return the regular pattern that makes up most of the fine detail of (H, W, C) in [0, 1], or None.

    Lines along one axis alone may be noise that rows or columns share, and are none.
    """
    side = min(SIDE, *values.shape[:2])
    if side < LEAST or (missing is not None and missing.any()):
        return None
    i, j = ((size - side) // 2 for size in values.shape[:2])
    power = _power(values[i : i + side, j : j + side].mean(2).astype(np.float64))
    frequency = np.fft.fftfreq(side)
    radius = np.hypot(frequency[:, None], frequency)
    fine = radius > 1 / COARSEST
    top = (power == maximum_filter(power, AROUND // 2, mode="wrap")) & fine
    top &= power > HIGH * uniform_filter(power, AROUND, mode="wrap")
    for line in np.argwhere(top):
        top[tuple(line)] = power[tuple(line)] > STANDS_OUT * _median_around(power, line)
    if not top.any() or any((np.abs(frequency[index]) < 1.5 / side).all() for index in top.nonzero()):
        return None
    share = float(9 * uniform_filter(power, 3, mode="wrap")[top].sum() / power[fine].sum())
    period = 1 / radius[top][np.argmax(power[top])]
    return Pattern(float(period), share) if share > SHARE else None


def _median_around(power: NDArray[np.float64], line: NDArray[np.intp]) -> float:
    rows, columns = (np.arange(at - AROUND // 2, at + AROUND // 2 + 1) % len(power) for at in line)
    return float(np.median(power[np.ix_(rows, columns)]))


def _power(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    window = np.hanning(len(grey))
    spectrum = np.fft.fft2((grey - grey.mean()) * np.outer(window, window))
    return np.asarray(np.square(np.abs(spectrum)) + 1e-12)
