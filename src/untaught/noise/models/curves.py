"""Curves over brightness: pairs (brightness, value), linear between them, constant beyond the ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from untaught.errors import InputError
from untaught.noise.models.censored import interpolate

Curve = tuple[tuple[float, float], ...]


def curve(pairs: Sequence[Sequence[float]]) -> Curve:
    """Return the pairs as floats.

    Raises
    ------
    InputError
        If they are no pairs of finite numbers, or their brightness does not rise.
    """
    try:
        rows = np.asarray([tuple(map(float, pair)) for pair in pairs], dtype=np.float64).reshape(len(pairs), 2)
    except (TypeError, ValueError):
        rows = np.full((1, 2), np.nan)
    if not (np.isfinite(rows).all() and (np.diff(rows[:, 0]) > 0).all()):
        raise InputError(
            "A curve over brightness is pairs of finite numbers, (brightness, variance), in rising order."
        )
    return tuple((float(x), float(v)) for x, v in rows)


def along(x: Any, pairs: Curve) -> Any:
    """Return the values of a curve at brightness `x`, array or tensor, in its type and shape."""
    if len(pairs) == 1:
        pairs = (*pairs, (pairs[0][0] + 1, pairs[0][1]))
    places, values = np.array(pairs, dtype=np.float64).T.copy()
    return interpolate(x, places, values)


def moved_curve(pairs: Curve, factor: float, shift: float) -> Curve:
    """Return the same values at brightness factor x + shift."""
    return tuple((factor * place + shift, value) for place, value in pairs)
