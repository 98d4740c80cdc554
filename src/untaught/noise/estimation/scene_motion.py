"""Where the picture moves in a stack, told without what a sensor adds to the same pixels of every plane.

    E_0 = mean over t of <a_t b_t>,   E_1 = <a' b''>,   ' and '' the means of the two halves of the stack

a and b are means over small squares of pixels in even rows and columns, and in odd ones, less what is around: they
share no noise, no pixel, no row and no column, so what they have in common is the picture. Where that is not to be
found at another time, E_1 << E_0, the picture has moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 4  # pixels of a square
MOST_SQUARES = 256  # along a side; of larger planes the squares are larger
AROUND = 5  # squares whose mean is taken off
WINDOW = 8  # squares on a side of what is said to move, or not
TELLS = 3.0  # standard errors of E_0 from which on a window shows something
MOVED = 0.1  # of E_0: with less in common, nothing has stayed
WHOLE = 0.9  # share of the windows that show something which have moved, from which on all of the plane has
ENOUGH = 0.1  # and of all windows, those that have to show something for that

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Motion:
    """Where the picture has moved.

    Attributes
    ----------
    moved : ndarray
        bool, (H, W).
    shows : float
        Share of the plane in which there is something to be seen.
    """

    moved: Flags
    shows: float


@dataclass(frozen=True)
class Sketch:
    """The squares of one plane, a and b; made with `of`."""

    a: NDArray[np.float32]
    b: NDArray[np.float32]

    @classmethod
    def of(cls, values: NDArray[np.floating]) -> Sketch:
        """Make it of (H, W, C)."""
        from scipy.ndimage import uniform_filter

        grey = values.mean(-1)
        side = side_of(grey.shape)
        rows, columns = (length // side for length in grey.shape)
        tiles = grey[: rows * side, : columns * side].reshape(rows, side, columns, side)
        parts = (tiles[:, k::2, :, k::2].mean((1, 3)) for k in (0, 1))
        return cls(*((part - uniform_filter(part, AROUND)).astype(np.float32) for part in parts))


def side_of(shape: tuple[int, ...]) -> int:
    """Return the side of the squares of a plane."""
    return max(SIDE, 2 * -(-max(shape) // (2 * MOST_SQUARES)))


def motion_of(sketches: Sequence[Sketch], shape: tuple[int, int]) -> Motion:
    """Return where the picture has moved, given planes that are evenly spread over a stack, and their (H, W)."""
    from scipy.ndimage import uniform_filter

    half = len(sketches) // 2
    now = np.stack([uniform_filter(one.a * one.b, WINDOW) for one in sketches]).astype(np.float64)
    first, second = (
        (np.mean([one.a for one in part], 0), np.mean([one.b for one in part], 0))
        for part in (sketches[:half], sketches[half:])
    )
    later = uniform_filter(first[0] * second[1] + first[1] * second[0], WINDOW) / 2
    whole = now.mean(0)
    shows = whole > TELLS * now.std(0) / np.sqrt(len(sketches))
    moved = shows & (later < MOVED * whole)
    if shows.mean() >= ENOUGH and moved.sum() >= WHOLE * shows.sum():
        moved = np.ones_like(moved)
    side = side_of(shape)
    large = np.repeat(np.repeat(moved, side, 0), side, 1)
    rest = [(0, length - have) for length, have in zip(shape, large.shape, strict=True)]
    return Motion(np.pad(large, rest, mode="edge"), float(shows.mean()))
