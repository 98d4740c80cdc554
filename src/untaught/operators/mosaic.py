"""Colour filter arrays: one colour of each pixel was measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError, quoted
from untaught.operators.base import LinearOperator, Shape
from untaught.operators.cut import Cut
from untaught.operators.filters import filled
from untaught.operators.traits import Traits

Rows = tuple[tuple[int, ...], ...]

# The repeats of colour filter arrays, as channel numbers: 0 red, 1 green, 2 blue.
CFA: dict[str, Rows] = {
    "RGGB": ((0, 1), (1, 2)),
    "BGGR": ((2, 1), (1, 0)),
    "GRBG": ((1, 0), (2, 1)),
    "GBRG": ((1, 2), (0, 1)),
    "X-TRANS": (
        (1, 1, 0, 1, 1, 2),
        (1, 1, 2, 1, 1, 0),
        (2, 0, 1, 0, 2, 1),
        (1, 1, 2, 1, 1, 0),
        (1, 1, 0, 1, 1, 2),
        (0, 2, 1, 2, 0, 1),
    ),
}


@dataclass(frozen=True)
class Mosaic(LinearOperator):
    """A x = sum over c of p_c x_c: at every pixel one channel was measured, as behind a colour filter array.

    The measurement is one plane, (1, 1, H, W).

    Attributes
    ----------
    pattern : str or array of int
        One repeat of the array, from the upper left corner on: "RGGB", "BGGR", "GRBG", "GBRG",
        "X-TRANS", or rows of channel numbers of any size, as `((0, 1), (1, 2))`.

    Raises
    ------
    InputError
        For a pattern that is not known, or a picture with another number of channels.

    References
    ----------
    B. Bayer, US patent 3971065, 1976. X-Trans: the layout of Fujifilm's 6 x 6 array; cameras differ in
    where it starts, so give the rows where yours starts elsewhere.
    """

    name: ClassVar[str] = "mosaic"
    traits: ClassVar[Traits] = Traits(selects=True)
    pattern: str | Rows = "RGGB"

    def __post_init__(self) -> None:
        given = self.pattern.upper() if isinstance(self.pattern, str) else _rows(self.pattern)
        if isinstance(given, str) and given not in CFA:
            raise InputError(
                f"there is no colour filter array {quoted(self.pattern)}; give {', '.join(CFA)}, or its rows as "
                "channel numbers, such as ((0, 1), (1, 2))"
            )
        object.__setattr__(self, "pattern", given)

    @property
    def rows(self) -> Rows:
        """One repeat of the array, as channel numbers."""
        return CFA[self.pattern] if isinstance(self.pattern, str) else self.pattern

    @property
    def channels(self) -> int:
        """How many channels the picture has."""
        return 1 + max(max(row) for row in self.rows)

    def shape(self, x_shape: Shape) -> Shape:
        """Return (1, 1, H, W)."""
        if x_shape[1] != self.channels:
            raise InputError(f"this mosaic is of {self.channels} channels and the picture has {x_shape[1]}")
        return (x_shape[0], 1, *x_shape[2:])

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return (1, C, H, W)."""
        if y_shape[1] != 1:
            raise InputError(f"a mosaic is one plane of values, and this picture has {y_shape[1]} channels")
        return (y_shape[0], self.channels, *y_shape[2:])

    @property
    def cut(self) -> Cut:
        """See `Composable`; windows begin where a repeat of the array does."""
        return Cut(step=lcm(len(self.rows), len(self.rows[0])))

    def initial(self, y: Tensor) -> Tensor:
        """Return every channel interpolated by itself: bilinear for Bayer arrays."""
        shape = self.picture_shape(y.shape)
        return filled(y.expand(shape), self._filters(y))

    def sites(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return (H, W, 1) with the sites of the filter array as channels, where neighbours differ in colour."""
        rows, columns = len(self.rows), len(self.rows[0])
        height, width = values.shape[0] // rows, values.shape[1] // columns
        whole = values[: height * rows, : width * columns, 0]
        apart = whole.reshape(height, rows, width, columns).transpose(0, 2, 1, 3)
        return apart.reshape(height, width, rows * columns)

    def _forward(self, x: Tensor) -> Tensor:
        return (x * self._filters(x)).sum(1, keepdim=True)

    def _adjoint(self, y: Tensor) -> Tensor:
        return y * self._filters(y)

    def _filters(self, like: Tensor) -> Tensor:
        """Return where each channel was measured, (1, C, H, W)."""
        height, width = like.shape[-2:]
        return self._once((height, width), like, lambda: self._tiled(height, width))

    def _tiled(self, height: int, width: int) -> Tensor:
        rows = torch.tensor(self.rows)
        down, across = -(-height // rows.shape[0]), -(-width // rows.shape[1])
        channel = rows.repeat(down, across)[:height, :width]
        return torch.stack([channel == number for number in range(self.channels)])[None]


def _rows(pattern: Any) -> Rows:
    """Return an array of channel numbers as a tuple of rows."""
    try:
        array = np.asarray(pattern)
    except ValueError:  # rows of different lengths
        array = np.empty(0)
    whole = array.dtype.kind in "iu" and array.ndim == 2 and array.size > 0
    if not whole or set(np.unique(array).tolist()) != set(range(int(array.max()) + 1)):
        raise InputError(
            "a colour filter array is rows of channel numbers 0, 1, ... of which none is left out, "
            f"such as ((0, 1), (1, 2)); this one is {quoted(pattern)}"
        )
    return tuple(tuple(int(number) for number in row) for row in array)
