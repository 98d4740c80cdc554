"""Curves through points of which some were raised, by texture, and none lowered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.robust import reweighted

REWEIGHTED = 8  # times, for points above a law, which texture has raised, to count less
RAISED = 2.0  # standard errors above it at which a point counts half
BEND = 1.0  # weight of the second differences of the logarithm of a free curve

Values = NDArray[np.float64]


def least_squares(columns: Values, variance: Values, error: Values) -> tuple[Values, float]:
    """Return the weights of columns (K, M) that fit, and the misfit; points far above count less."""
    found, off, _ = reweighted(columns / error[:, None], variance / error, _trust, REWEIGHTED)
    return np.asarray(found, np.float64), misfit_of(np.asarray(off, np.float64))


def _trust(off: NDArray[np.floating]) -> Values:
    return np.asarray(1 / (1 + np.square(off.clip(0) / RAISED)), np.float64)


def misfit_of(off: Values) -> float:
    """Return the sum of squared standard errors, above the law by the logarithm of them where they are large."""
    above = RAISED**2 * np.log1p(np.square(off.clip(0) / RAISED))
    return float((np.square(off.clip(None, 0)) + above).sum())


def smoothed(log: Values, error: Values) -> Values:
    """Return the values with the least sum of squared errors and `BEND` times squared second differences."""
    weight = np.diag(1 / np.square(error))
    bend = np.diff(np.eye(len(log)), 2, axis=0) if len(log) > 2 else np.zeros((0, len(log)))
    scale = BEND * np.median(1 / np.square(error))
    return np.asarray(np.linalg.solve(weight + scale * bend.T @ bend, weight @ log), np.float64)
