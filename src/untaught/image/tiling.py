"""A plane cut into windows that overlap, and their joining without a seam."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil

import numpy as np
from numpy.typing import NDArray

from untaught.image.plane import Window

OVERLAP = 32  # pixels that a window sees beyond its own
RAMP = 3  # a blend reaches over the overlap divided by this, to either side of the seam


@dataclass(frozen=True)
class Span:
    """Rows, or columns, of a window.

    Attributes
    ----------
    start, stop : int
        Of the window.
    first, last : int
        Those that are its own: no other window has them.
    length : int
        Of the plane.
    ramp : int
        How far beside a seam two windows are blended.
    """

    start: int
    stop: int
    first: int
    last: int
    length: int
    ramp: int

    @property
    def weight(self) -> NDArray[np.float32]:
        """Share of the window in the plane at each of its places; at every place of the plane they add up to 1."""
        at = np.arange(self.start, self.stop) + 0.5
        up = np.ones_like(at) if self.first == 0 else _step((at - self.first) / (2 * self.ramp) + 0.5)
        down = np.ones_like(at) if self.last == self.length else _step((self.last - at) / (2 * self.ramp) + 0.5)
        return np.asarray(up * down, np.float32)

    def scaled(self, factor: int) -> Span:
        """Return the same of a picture that is so many times larger."""
        named = {name: factor * getattr(self, name) for name in self.__dataclass_fields__}
        return Span(**named)


def _step(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what goes smoothly from 0 at u = 0 to 1 at u = 1, and with its mirror image adds up to 1."""
    u = np.clip(u, 0, 1)
    return np.asarray(u * u * (3 - 2 * u))


@dataclass(frozen=True)
class Tile:
    """A window of a plane, and the part of it that is its own."""

    rows: Span
    columns: Span

    @property
    def window(self) -> Window:
        """Rows and columns of the plane that it sees."""
        return slice(self.rows.start, self.rows.stop), slice(self.columns.start, self.columns.stop)

    @property
    def core(self) -> Window:
        """Those of its own, counted in the window."""
        r, c = self.rows, self.columns
        return slice(r.first - r.start, r.last - r.start), slice(c.first - c.start, c.last - c.start)

    @property
    def own(self) -> Window:
        """Those of its own, counted in the plane."""
        return slice(self.rows.first, self.rows.last), slice(self.columns.first, self.columns.last)

    @property
    def area(self) -> int:
        """Pixels of its own."""
        return (self.rows.last - self.rows.first) * (self.columns.last - self.columns.first)

    @property
    def weight(self) -> NDArray[np.float32]:
        """Its share in the plane, (H, W, 1) of the window."""
        return (self.rows.weight[:, None] * self.columns.weight)[..., None]

    def scaled(self, factor: int) -> Tile:
        """Return the same window of a picture that is so many times larger."""
        return self if factor == 1 else Tile(self.rows.scaled(factor), self.columns.scaled(factor))


@dataclass(frozen=True)
class Tiling:
    """How a plane is cut: windows of at most side x side pixels, or as many on a thin plane, all of one size.

    Attributes
    ----------
    side : int
        Pixels, overlaps included.
    overlap : int
        What a window sees beyond its own, on every side that is no end of the plane.
    step : int
        Windows begin at multiples of it, and are counted in it.
    """

    side: int
    overlap: int = OVERLAP
    step: int = 1

    def fits(self, height: int, width: int) -> bool:
        """Tell whether a plane is one window."""
        return height * width <= self.side**2

    def tiles(self, height: int, width: int) -> list[Tile]:
        """Return the windows, from top to bottom and left to right."""
        tall = self.side if height > self.side < width else self.side**2 // min(width, self.side)
        wide = self.side if height > self.side < width else self.side**2 // min(height, self.side)
        return [Tile(*both) for both in product(self._spans(height, tall), list(self._spans(width, wide)))]

    def _spans(self, length: int, side: int) -> Iterator[Span]:
        if length <= side:
            yield Span(0, length, 0, length, length, 0)
            return
        step = self.step
        units, most, overlap = ceil(length / step), side // step, ceil(self.overlap / step)
        count = ceil(units / max(most - 2 * overlap, 1))
        edges = [round(k * units / count) for k in range(count + 1)]
        seen = min(units, ceil(units / count) + 2 * overlap)
        for first, last in pairwise(edges):
            start = min(max(first - overlap, 0), units - seen)
            start, stop, first, last = (min(end * step, length) for end in (start, start + seen, first, last))
            yield Span(start, stop, first, last, length, max(1, overlap * step // RAMP))
