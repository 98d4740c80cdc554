"""How the variance of noise goes with brightness, from a few shades of which some hold texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DOUBT = 0.1  # what a factor of e between black and white costs, in quantile loss
TILT = 0.8  # black and white differ by less than a factor of (1 + TILT) / (1 - TILT)
TEXTURED = 1.25  # a shade whose variance lies this far above the others' line holds texture
LIGHT = 0.1  # weight of such a shade

LOWER = 0.35  # quantile of the shades: texture can only raise them
STIFF = 0.7  # weight of squared differences of the logarithm between neighbouring shades
NEAR = 0.05  # of the logarithm: deviations from the curve that count alike
SWEEPS = 60

Values = NDArray[np.float64]


def lower_line(mean: Values, variance: Values, quantile: float) -> tuple[tuple[float, float], Values]:
    """Fit variance = (1 - mean) dark + mean bright to the lower points; return (dark, bright) and their weights.

    Quantile regression of the logarithms, over a table of lines. Unequal ends cost a little, for shades that lie
    close together tell no slope.
    """
    log = np.log(np.maximum(variance, 1e-12))
    middle = np.linspace(log.min() - 1, log.max() + 1, 121)[:, None, None]
    tilt = np.linspace(-TILT, TILT, 37)[None, :, None]
    off = log - middle - np.log(1 + tilt * (2 * mean - 1))
    cost = np.where(off > 0, quantile * off, (quantile - 1) * off).sum(2)
    cost += DOUBT * np.abs(np.log((1 + tilt) / (1 - tilt)))[:, :, 0]
    best = np.unravel_index(int(np.argmin(cost)), cost.shape)
    slope, height = float(tilt[0, best[1], 0]), float(np.exp(middle[best[0], 0, 0]))
    ends = (height * (1 - slope), height * (1 + slope))
    return ends, np.where(off[best] > np.log(TEXTURED), LIGHT, 1.0)


def lower_curve(log: Values) -> Values:
    """Return a smooth curve below which `LOWER` of the values lie, up to what smoothness costs.

    min over u of  sum_k rho(log_k - u_k) + `STIFF` sum_k (u_k+1 - u_k)^2,   rho the quantile loss
    """
    curve: Values = np.full(len(log), np.quantile(log, LOWER))
    apart = np.diff(np.eye(len(log)), axis=0)
    stiffness = 2 * STIFF * apart.T @ apart
    for _ in range(SWEEPS):
        off = log - curve
        weight = np.where(off > 0, LOWER, 1 - LOWER) / np.maximum(np.abs(off), NEAR)
        curve = np.asarray(np.linalg.solve(np.diag(weight) + stiffness, weight * log), np.float64)
    return curve
