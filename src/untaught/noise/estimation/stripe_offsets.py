"""The offsets of stripes, told from the picture beneath them by how each varies across the stripes.

    m_j = l_j + o_j,   l_j+1 - l_j ~ Student's t of scale v^(1/2),   o_j ~ N(0, s^2)

The profile m across the stripes is a level l that walks, with a jump at an edge, and an offset of its own: the
local level model of time series (Harvey, "Forecasting, structural time series models and the Kalman filter",
1989). The most likely l is found by weighted least squares, again and again, each a system of three diagonals.
What varies slowly is the picture's, and stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from untaught.noise.estimation.robust import deviation

FREEDOM = 4.0  # of Student's t: gradients of pictures have long tails
ROUNDS = 10
WALKS = np.geomspace(1e-4, 10, 51)  # v over s^2: from next to no picture to one that hides the stripes
HELD = 3.0  # deviations to which steps are held for the spectrum: an edge is no walk

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Structure:
    """How much the offsets vary, and the picture beneath from column to column: variances s^2 and v."""

    offsets: float
    walk: float

    @classmethod
    def of(cls, steps: Floats, variance: float) -> Structure:
        """Measure v, given the steps m_j+1 - m_j and s^2, by what their spectrum is, v + 4 s^2 sin^2(pi f).

        The most likely v by Whittle's likelihood, sum of log P + I / P over the frequencies, I the periodogram.
        """
        most = HELD * deviation(steps)
        held = np.clip(steps, -most, most)
        power = np.square(np.abs(np.fft.rfft(held)))[1:] / held.size
        own = 4 * variance * np.sin(np.pi * np.fft.rfftfreq(held.size)[1:]) ** 2
        model = variance * WALKS[:, None] + own
        likely = (np.log(model) + power / model).sum(1)
        return cls(variance, float(variance * WALKS[np.argmin(likely)]))


def offsets_of(steps: Floats, structure: Structure, error: float) -> tuple[Floats, float]:
    """Return o_j of mean 0, and its mean squared error.

    Parameters
    ----------
    steps : ndarray
        m_j+1 - m_j, shape (W - 1,).
    structure : Structure
        s^2 and v.
    error : float
        Variance of m_j by the noise.
    """
    profile = np.concatenate([[0.0], np.cumsum(steps)])
    level = np.full_like(profile, np.median(profile))
    weights = np.full(steps.shape, 1 / structure.walk)
    for _ in range(ROUNDS):
        level = _level(profile, weights, 1 / structure.offsets)
        weights = (FREEDOM + 1) / (FREEDOM * structure.walk + np.diff(level) ** 2)
    offsets = profile - level
    unknown = structure.offsets / np.sqrt(1 + 4 * structure.offsets / structure.walk)
    return offsets - offsets.mean(), float(unknown + error)


def _level(profile: Floats, weights: Floats, own: float) -> Floats:
    """Return the l that minimises own sum (m - l)^2 + sum weights (l_j+1 - l_j)^2."""
    bands = np.zeros((2, profile.size))
    bands[1] = own
    bands[1, 1:] += weights
    bands[1, :-1] += weights
    bands[0, 1:] = -weights
    return np.asarray(solveh_banded(bands, own * profile))
