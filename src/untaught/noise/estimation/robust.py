"""What a few values that are not like the others do not move: a spread by the median, a fit by new weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

MEDIAN = 1.4826  # standard deviations in a median absolute deviation of normal numbers

Values = NDArray[np.floating]


def deviation(off: Values) -> float:
    """Return the standard deviation of values around 0, by the median of their sizes."""
    return MEDIAN * float(np.median(np.abs(off)))


def reweighted(
    columns: Values, target: Values, weigh: Callable[[Values], Values], rounds: int
) -> tuple[Values, Values, Values]:
    """Fit by least squares, and again with the weights that what is left asks for.

    Parameters
    ----------
    columns : ndarray
        (K, M).
    target : ndarray
        (K,).
    weigh : callable
        Gives the weights of the squares, (K,), for what the fit before left of the target.
    rounds : int
        How many fits; the first has equal weights.

    Returns
    -------
    tuple of ndarray
        What the columns are multiplied by, (M,); what is left, (K,); and the weights for that.
    """
    weight: Values = np.ones_like(target)
    for _ in range(rounds):
        root = np.sqrt(weight)
        found = np.linalg.lstsq(columns * root[:, None], target * root, rcond=None)[0]
        left = target - columns @ found
        weight = weigh(left)
    return np.asarray(found), left, weight
