"""The distance of the grey levels of a picture: what rounding, counting or a camera's bits have left."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAMPLED = 2**20  # values looked at
_MOST = 2**16  # levels; with more, or with more than a quarter as many as values, they are continuous
_REPEATED = 4
_ROUNDING = 4.0  # times what a float of the greatest value cannot hold: as near, two values are one level
_WHOLE = 0.1  # of a step: so near to a multiple of it, a distance is one
_NEAREST = 32  # steps that a first guess is good for, being off by less than 1 %
_PASSES = 8  # each good for as many times more steps as the last


def step_of(values: NDArray[Any]) -> float:
    """Return the distance of the grey levels, of which all differences are whole multiples.

    The greatest common divisor of the differences of the values that occur: 1 for 8 bits, 16 for 12 bits that are
    stored as multiples of 16, 1/255 for 8 bits scaled to [0, 1], where rounding to floats is seen through.

    Parameters
    ----------
    values : ndarray
        Of any shape, finite, integers or floats.

    Returns
    -------
    float
        In the units of the values; 0 where they are continuous, or of one value.
    """
    sample = values.ravel()[:: max(1, values.size // _SAMPLED)]
    levels = np.unique(sample)
    if levels.size < 2:
        return 0.0
    if levels.dtype.kind != "f":
        whole = levels.astype(object if levels.dtype.itemsize == 8 else np.int64)
        return float(np.gcd.reduce(np.diff(whole)))
    if levels.size > min(_MOST, sample.size / _REPEATED):
        return 0.0
    slack = _ROUNDING * float(np.finfo(levels.dtype).eps) * float(np.abs(levels).max())
    levels = levels.astype(np.float64)
    levels = levels[np.diff(levels, prepend=-np.inf) > slack]
    return _refined(levels - levels[0], _divisor(np.diff(levels), slack), slack) if levels.size > 1 else 0.0


def _divisor(apart: NDArray[np.float64], slack: float) -> float:
    """Return roughly the greatest number of which short distances are whole multiples, by Euclid; 0 for none."""
    step = float(apart.min())
    while step > _ROUNDING * slack:
        short = apart[apart <= _NEAREST * step]
        rest = np.abs(short - step * np.round(short / step))
        left = rest[rest > max(_WHOLE * step, slack)]
        if not left.size:
            return step
        step = float(left.min())
    return 0.0


def _refined(levels: NDArray[np.float64], step: float, slack: float) -> float:
    """Return the step that fits all levels, counted from the first, by least squares; 0 where none does."""
    if not step:
        return 0.0
    known = float(_NEAREST)
    for _ in range(_PASSES):
        near = levels[levels <= known * step]
        if near.size > 1:
            count = np.round(near / step)
            step = float(near @ count / (count @ count))
        known *= _NEAREST / 4
    off = np.abs(levels - step * np.round(levels / step)).max()
    return step if off <= max(slack, _WHOLE * step) else 0.0
