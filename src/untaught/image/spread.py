"""Squares that are evenly spread over a picture: what is looked at where all of it would be too much."""

from __future__ import annotations

import numpy as np

BLOCK = 256  # pixels: side of the squares

Window = tuple[slice, slice]


def spread_windows(shape: tuple[int, int], pixels: int, step: int = 1) -> list[list[Window]]:
    """Return windows of (H, W), row by row, that are evenly spread and together have about so many pixels.

    They begin at multiples of `step`.
    """
    share = min(1.0, (pixels / (shape[0] * shape[1])) ** 0.5)
    rows, columns = (_places(length, share, step) for length in shape)
    return [[(down, across) for across in columns] for down in rows]


def _places(length: int, share: float, step: int) -> list[slice]:
    """Return evenly spread pieces of a length that make up a share of it."""
    count = max(1, round(length * share / BLOCK))
    side = min(BLOCK if share < 1 else -(-length // count), length)
    side = side if count == 1 and share == 1 else max(side // step, 1) * step
    starts = (np.linspace(0, length - side, count) // step * step).astype(int).tolist()
    return [slice(start, start + side) for start in starts]
