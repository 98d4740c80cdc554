"""Curves over brightness: pairs (brightness, value), linear between them, constant beyond the ends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from untaught.errors import InputError
from untaught.noise.models.piecewise import KEPT, Piecewise

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
        raise InputError("A curve over brightness is pairs of finite numbers, rising in the first.")
    return tuple((float(x), float(v)) for x, v in rows)


def along(x: Any, pairs: Curve) -> Any:
    """Return the values of a curve at brightness `x`, array or tensor, in its type and shape."""
    return _table(pairs)(x)


@lru_cache(maxsize=KEPT)
def _table(pairs: Curve) -> Piecewise:
    if len(pairs) == 1:
        pairs = (*pairs, (pairs[0][0] + 1, pairs[0][1]))
    return Piecewise(*np.array(pairs, dtype=np.float64).T.copy())
