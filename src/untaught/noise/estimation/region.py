"""The noise of a rectangle that a person says is flat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.models.gaussian import Gaussian

DEGREE = 2  # of the polynomial for light that falls unevenly
TERMS = (DEGREE + 1) * (DEGREE + 2) // 2
REACH = 5  # pixels: lags at which neighbours are held against each other
LIKELY = 4.0  # standard errors from which on a correlation is none by chance
SHARED = 0.05  # correlation of neighbours below which it makes no difference

Values = NDArray[np.float64]


@dataclass(frozen=True)
class RegionNoise:
    """What was measured in a flat rectangle.

    Attributes
    ----------
    sigma : float
        Standard deviation around a polynomial of second degree, all channels together, [0, 1] units.
    relative_error : float
        One standard error of the variance over the variance.
    neighbours : float
        Correlation of neighbouring pixels, down and across together.
    shared : bool
        Whether that is more than chance, so that the noise is not white, or the rectangle not flat.
    """

    sigma: float
    relative_error: float
    neighbours: float
    shared: bool

    def law(self) -> Gaussian:
        """Return white Gaussian noise of that level."""
        return Gaussian(self.sigma, relative_error=self.relative_error)


def region_noise(values: Floats, missing: Flags | None = None) -> RegionNoise | None:
    """Measure the noise of a flat piece of a picture.

        sigma^2 = sum r^2 / (N - p),   r = y - polynomial of second degree with p terms, of every channel
        error^2 = (kurtosis - 1) / M,  M = N / sum over lags of rho^2

    N values whose noise is shared count as M only (Bartlett's formula for the variance of a variance).

    Parameters
    ----------
    values : ndarray
        (H, W, C), [0, 1] units.
    missing : ndarray, optional
        (H, W), True where there is no measurement.

    Returns
    -------
    RegionNoise or None
        None where fewer than three values for each term of the polynomial are left.

    References
    ----------
    Bartlett, "On the theoretical specification and sampling properties of autocorrelated time series", 1946.
    """
    there = np.ones(values.shape[:2], np.bool_) if missing is None else ~missing
    if int(there.sum()) < 3 * TERMS:
        return None
    residual = _detrended(values.astype(np.float64), there)
    known = residual[there]
    variance = float(np.square(known).sum() / (known.size - TERMS * values.shape[2]))
    if variance < 1e-20:
        return RegionNoise(0.0, 0.0, 0.0, False)
    kurtosis = float((known**4).mean() / np.square(known).mean() ** 2)
    lags = _correlations(residual, there)
    chance = math.sqrt(known.size)
    squares = sum(rho**2 for rho in lags.values() if abs(rho) * chance > LIKELY)
    alike = _channels(known)
    count = known.size / (1 + 2 * squares) / (1 + (values.shape[2] - 1) * alike)
    neighbours = (lags[0, 1] + lags[1, 0]) / 2
    shared = abs(neighbours) > max(SHARED, LIKELY / chance)
    return RegionNoise(math.sqrt(variance), math.sqrt(max(kurtosis - 1, 0.5) / count), neighbours, shared)


def _detrended(values: Values, there: Flags) -> Values:
    """Return the values less a polynomial that is fitted where they were measured, 0 elsewhere."""
    rows, columns = (np.linspace(-1, 1, side) for side in values.shape[:2])
    terms = [
        np.outer(rows**i, columns**j) for i in range(DEGREE + 1) for j in range(DEGREE + 1) if i + j <= DEGREE
    ]
    basis = np.stack(terms, axis=-1)
    weights = np.linalg.lstsq(basis[there], values[there], rcond=None)[0]
    return np.where(there[..., None], values - basis @ weights, 0.0)


def _correlations(residual: Values, there: Flags) -> dict[tuple[int, int], float]:
    """Return the correlation at every lag of one half of the plane, up to `REACH` pixels."""
    power = float(np.square(residual).sum()) / max(int(there.sum()), 1)
    found = {}
    height, width = there.shape
    for down in range(min(REACH, height - 1) + 1):
        for across in range(-REACH if down else 1, REACH + 1):
            if abs(across) >= width:
                continue
            here = slice(down, None), slice(max(across, 0), width + min(across, 0))
            back = slice(None, height - down), slice(max(-across, 0), width - max(across, 0))
            pairs = int((there[here] & there[back]).sum())
            found[down, across] = float((residual[here] * residual[back]).sum()) / max(pairs, 1) / power
    return found


def _channels(known: Values) -> float:
    """Return the mean squared correlation of two channels, 0 for one; `known` is (N, C)."""
    count = known.shape[1]
    if count == 1:
        return 0.0
    scale = np.sqrt(np.square(known).mean(0)) + 1e-300
    alike = np.square(known.T @ known / len(known) / np.outer(scale, scale))
    return float(alike[~np.eye(count, dtype=np.bool_)].mean())
