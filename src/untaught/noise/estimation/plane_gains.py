"""How bright the planes of a stack are, one against the other: bleaching, and the flicker of a lamp.

    y_t = b + g_t (x_t - b) + n_t,   b the black level

What most places of a plane have in common with the same places of the plane before is its gain; what moves changes
few of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.gain_in_motion import change_in_motion
from untaught.noise.estimation.robust import MEDIAN

Values = NDArray[np.float64]

MOST_PLACES = 1024  # that are looked at, evenly spread; bounds the time
MOST_PAIRS = 64  # planes that the black level is told by
CANDIDATES = 33  # black levels that are tried
DARKEST = 0.01  # quantile of all means that the black level is not above
BELOW = 0.1  # of the range of all means: what lies so far below zero was not made by light
BETTER = 0.9  # of what is left unexplained by the data's zero, below which another black level is taken
LEAST_ERROR = 1e-4  # of a logarithm
UNTOLD = 100.0  # error of one of which nothing is known
DENSE = 500  # planes; of more, not every pair is looked at
LAGS = (1, 2, 4, 8, 16, 32)  # planes between two that are compared
MEDIAN_ERROR = 1.25  # of a median, times that of the mean of normal numbers
DEGREE = 2  # of the logarithm of a brightness that fades
FADES = 0.1  # of the logarithm of the gain from the first plane to the last; less is hardly seen
# The same where a picture that moves past is found to make up for a part of it: on pans over five pictures that
# were dark on one side it came out -.3 to .3 where there was none, and .9 to 1.4 of one of .76.
MOVED_FADES = 0.4
FLICKERS = 0.015  # deviation of the logarithm of the gain from one that changes steadily
SURE = 4.0  # standard errors


@dataclass(frozen=True)
class Gains:
    """What was found.

    Attributes
    ----------
    gains : tuple of float
        g_t, 1 for a plane that is as bright as the first is without its flicker; all 1 where neither was found.
    black : float
        b, in units of the values.
    fading : float
        The steady part of the gain in the last plane over that in the first; 1 where none was found.
    flicker : float
        Deviation of the gain from that, as a part of it; 0 where none was found.
    """

    gains: tuple[float, ...]
    black: float = 0.0
    fading: float = 1.0
    flicker: float = 0.0

    @property
    def one(self) -> bool:
        """Whether all planes are equally bright, as far as can be told."""
        return self.fading == 1 and not self.flicker


def gains_of(
    means: NDArray[np.floating], zero: float, fade: bool = True, shape: tuple[int, int] | None = None
) -> Gains:
    """Measure the gain of planes that follow each other.

    Parameters
    ----------
    means : ndarray
        (T, N): means of each plane over the same N places, of so many pixels that noise is next to nothing.
    zero : float
        The data's zero in their units: the black level, unless another one explains all places better.
    fade : bool
        Whether a steady change is one of brightness; else it is what the planes show.
    shape : tuple of int, optional
        Rows and columns of the places, N together, in whose light a picture that moves is told from a lamp.
    """
    count = len(means)
    y = np.asarray(means[:, :: -(-means.shape[1] // MOST_PLACES)], np.float64)
    if count < 2 or y.shape[1] < 2:
        return Gains((1.0,) * count)
    lowest, brightest = np.quantile(y, (DARKEST, 1 - DARKEST))
    if lowest < zero - BELOW * (brightest - lowest):
        return Gains((1.0,) * count)
    black = _black(y, zero, max(zero, lowest))
    logs, error, change_error = _logs(y - black)
    steps = np.arange(count) / max(count - 1, 1)
    steady = np.polyval(np.polyfit(steps, logs, min(DEGREE, max(count - 3, 0))), steps)
    change, off = float(steady[-1] - steady[0]), logs - steady
    flicker = float(np.sqrt(np.mean(np.diff(off) ** 2) / 2)) if count > 3 else 0.0
    chance = float(np.hypot(change_error, 2 * flicker / count**0.5))
    fades = fade and count > 3 and abs(change) > max(FADES, SURE * chance)
    if fades and shape is not None:
        moved = change_in_motion(np.asarray(means, np.float64) - black, shape)
        if moved is not None and abs(moved.value - change) > max(FADES, SURE * moved.error, abs(change) / 4):
            fades = abs(moved.value) > max(MOVED_FADES, SURE * moved.error)
            steady = steady + (moved.value - change) * steps
            change = moved.value
    flickers = flicker > max(FLICKERS, SURE / 2 * error)
    whole = (steady - steady[0] if fades else 0.0) + (off if flickers else 0.0)
    gains = np.exp(np.broadcast_to(whole, count))
    return Gains(
        tuple(gains.tolist()), black, float(np.exp(change)) if fades else 1.0, flicker if flickers else 0.0
    )


def _logs(light: Values) -> tuple[Values, float, float]:
    """Return log g_t, the error of one step of it, and that of the change from the first to the last.

    The most likely by all pairs of planes that are 1, 2, 4 ... apart: neighbours alone would wander, step by step.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import splu

    count = len(light)
    every = {lag: lag if count > DENSE else 1 for lag in LAGS if lag < count}
    pairs = [(t, t + lag) for lag, step in every.items() for t in range(0, count - lag, step)]
    ratios, errors = np.array([_ratio(light[a], light[b]) for a, b in pairs]).T
    weights = 1 / np.square(errors + LEAST_ERROR)
    rows, columns = np.repeat(np.arange(len(pairs)), 2), np.array(pairs).ravel()
    steps = coo_array((np.tile([-1.0, 1.0], len(pairs)), (rows, columns)), (len(pairs), count)).tocsc()[:, 1:]
    weighted = steps.multiply(weights[:, None]).tocsc()
    solve = splu((steps.T @ weighted).tocsc()).solve
    logs = np.concatenate([[0.0], solve(weighted.T @ np.log(ratios))])
    last = np.zeros(count - 1)
    last[-1] = 1
    step = float(np.median(errors[: count - 1]))
    return logs, step, float(np.hypot(np.sqrt(solve(last)[-1]), step))


def _black(y: Values, zero: float, highest: float) -> float:
    """Return the black level that leaves least unexplained, of planes next to each other and far apart."""
    half, every = len(y) // 2, -(-len(y) // MOST_PAIRS)
    pairs = [*pairwise(y)][::every] + [*zip(y[:-half], y[half:], strict=True)][::every]
    tried = np.linspace(zero, highest, CANDIDATES)
    left = [sum(_unexplained(a - black, b - black) for a, b in pairs) for black in tried]
    best = int(np.argmin(left))
    return float(tried[best] if left[best] < BETTER * left[0] else tried[0])


def _unexplained(before: Values, after: Values) -> float:
    root = np.sqrt(_ratio(before, after)[0])
    return float(np.abs(after / root - root * before).mean())


def _ratio(before: Values, after: Values) -> tuple[float, float]:
    """Return the gain between two planes, and its relative standard error.

    The median of the ratios of all places, each with the weight of its light in the darker plane: what comes or
    goes counts as little either way.
    """
    weights = np.minimum(before, after)
    there = weights > 0
    if not there.any():
        return 1.0, UNTOLD
    weights, logs = weights[there], np.log(after[there] / before[there])
    middle = _median(logs, weights)
    places = weights.sum() ** 2 / float(np.square(weights).sum())
    # what places next to each other have changed by is alike: they count for a fourth
    error = 2 * MEDIAN_ERROR * MEDIAN * _median(np.abs(logs - middle), weights) / np.sqrt(places)
    return float(np.exp(middle)), float(error)


def _median(values: Values, weights: Values) -> float:
    """Return the weighted median."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
