"""How much brighter planes become while what they show moves past: a pan from dark to bright is no lamp."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

LEAST_SIDE = 6  # places
MOST_PLACES = 1024
ROUNDS = 8  # of weighted least squares, after which sums of absolute differences are least


class Change(NamedTuple):
    """The logarithm of the brightness of the last plane over that of the first, and its standard error."""

    value: float
    error: float


def change_in_motion(light: Values, shape: tuple[int, int]) -> Change | None:
    """Measure it from plane to plane.

        y_{t+1} - y_t = a_t m + v_t . grad m,   m = (y_t + y_{t+1}) / 2,   value = sum_t a_t

    with the a_t and v_t of least absolute differences: what moves brings with it what is beside it, a lamp changes
    each place by a part of itself.

    Parameters
    ----------
    light : ndarray
        (T, N): means of each plane over the same places, black being 0.
    shape : tuple of int
        Rows and columns of the places.

    Returns
    -------
    Change or None
        None of places that are too few.
    """
    if min(shape) < LEAST_SIDE:
        return None
    every = max(1, -(-shape[0] * shape[1] // MOST_PLACES))
    told = [_step(*pair, shape, every) for pair in pairwise(light)]
    return Change(float(sum(value for value, _ in told)), float(np.sqrt(sum(error**2 for _, error in told))))


def _step(before: Values, after: Values, shape: tuple[int, int], every: int) -> tuple[float, float]:
    """Return a_t and its standard error."""
    middle = ((before + after) / 2).reshape(shape)
    inside = np.s_[1:-1, 1:-1]
    down, right = np.gradient(middle)
    terms = np.stack([part[inside].ravel()[::every] for part in (middle, down, right)], -1)
    change = (after - before).reshape(shape)[inside].ravel()[::every]
    weight: NDArray[Any] = np.ones(len(change))
    found, off = np.zeros(3), change
    for _ in range(ROUNDS):
        found = np.linalg.lstsq(terms * weight[:, None], change * weight, rcond=None)[0]
        off = np.abs(change - terms @ found)
        weight = np.asarray(off + np.median(off) + np.finfo(float).tiny, np.float64) ** -0.5
    scatter = np.linalg.pinv(terms.T @ terms)[0, 0]
    return float(found[0]), float(np.sqrt(max(scatter, 0.0) * np.mean(off**2)))
