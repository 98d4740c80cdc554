"""A line through points of which one end is known, fitted robustly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.robust import deviation, reweighted

HUBER = 1.5  # standard errors from which on a point counts less
SWEEPS = 30
GAINED = 9.0  # the least that a term has to take off the misfit to be believed

Values = NDArray[np.float64]


@dataclass(frozen=True)
class LineFit:
    """y = start + slope x + square x^2, and one standard error of the slope."""

    slope: float
    square: float
    error: float


def fit_line(x: Values, y: Values, error: Values, start: float, squared: bool = False) -> LineFit:
    """Fit slope, and where it is sure a square too, by weighted least squares with Huber's weights.

        min sum_i rho((y_i - start - slope x_i - square x_i^2) / error_i)

    Errors are taken to be too small where the points scatter more than that around the fit.

    Parameters
    ----------
    x, y, error : ndarray
        (K,): places, values and their standard errors.
    start : float
        The value at 0.
    squared : bool
        Whether there may be a term in x^2; only a positive one that takes `GAINED` off the misfit is kept.

    References
    ----------
    Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964.
    """
    basis = np.stack([x, np.square(x)], axis=1) / error[:, None]
    target = (y - start) / error
    straight, plain, covariance = _fit(basis[:, :1], target)
    slope, square = float(straight[0]), 0.0
    if squared and len(x) > 2:
        bent, misfit, wider = _fit(basis, target)
        if bent[1] > 0 and plain - misfit > GAINED:
            slope, square, plain, covariance = float(bent[0]), float(bent[1]), misfit, wider
    freedom = max(len(x) - 1 - (square > 0), 1)
    return LineFit(slope, square, float(np.sqrt(covariance[0, 0] * max(1.0, plain / freedom))))


def _fit(basis: Values, target: Values) -> tuple[Values, float, Values]:
    """Return coefficients, the weighted misfit and their covariance."""
    found, left, weight = reweighted(basis, target, _trust, SWEEPS)
    covariance = np.asarray(np.linalg.pinv(basis.T @ (basis * weight[:, None])), np.float64)
    return np.asarray(found, np.float64), float((weight * np.square(left)).sum()), covariance


def _trust(left: NDArray[np.floating]) -> Values:
    scale = max(1.0, deviation(left))
    return np.asarray(np.minimum(1.0, HUBER * scale / np.maximum(np.abs(left), 1e-300)))
