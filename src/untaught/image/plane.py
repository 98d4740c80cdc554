"""Plane: one piece of a picture, on the picture's value range and on the scale it is worked on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.working import Scale, Working

Window = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Plane:
    """One piece of a picture, to be restored on its own.

    Attributes
    ----------
    values : ndarray
        float32, shape (H, W, C), the picture's value range scaled to [0, 1] and not clipped. Finite.
    missing : ndarray
        bool, shape (H, W): True where any channel held no measurement (NaN, infinite, or a no-data
        marker: beyond 1e30 in size, or 1e15 times beyond the rest); `values` there repeat the nearest measured
        pixel.
    index : int
        Position among the picture's planes, from 0.
    label : str
        Where the plane lies, to print: ``"T 1/3, C 2/4"``; empty for a single plane.
    raw : ndarray or None
        (H, W, C) as in the array; None where there is nothing but `values`.
    value_range : tuple of float
        What stands for 0 and 1 in `values`, in units of `raw`.
    scale : Scale or None
        What it shares with the other parts of a larger plane, where it is a part of one.
    core : tuple of slice or None
        Rows and columns that belong to no other part; None for all of it.
    """

    values: NDArray[np.float32]
    missing: NDArray[np.bool_]
    index: int
    label: str
    raw: NDArray[Any] | None = None
    value_range: tuple[float, float] = (0.0, 1.0)
    scale: Scale | None = None
    core: Window | None = None

    @cached_property
    def working(self) -> Working:
        """The plane on the scale it is worked on, which is its own and not the picture's."""
        if self.raw is None:
            return Working.of(self.values, self.missing, (0.0, 1.0), self.scale)
        return Working.of(self.raw, self.missing, self.value_range, self.scale)

    def own(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return what counts of flags, (H, W) or (H, W, C): where no other part counts the same."""
        return flags if self.core is None else flags[self.core]
