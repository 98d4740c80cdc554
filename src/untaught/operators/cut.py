"""How a measurement through an operator can be taken in windows, each of a window of the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, gcd, lcm

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Cut:
    """What a local operator says of its windows.

    Attributes
    ----------
    step : int
        They begin at multiples of so many rows and columns of the measurement.
    scale : int
        Pixels of the picture along a side, for each of the measurement.
    reach : int
        How far beyond a window, in pixels of the measurement, what is measured in it may see.
    lost : int
        How near to where a window was cut what was measured cannot be used: it sees what its picture lacks.
    larger : bool
        Whether the picture of a window reaches beyond it.
    """

    step: int = 1
    scale: int = 1
    reach: int = 0
    lost: int = 0
    larger: bool = False

    def after(self, inner: Cut) -> Cut | None:
        """Return that of this operator after an `inner` one; None where their pictures have no place in common."""
        if self.larger:
            return None
        step = lcm(self.step, inner.step // gcd(inner.step, self.scale))
        reach = self.reach + ceil(inner.reach / self.scale)
        return Cut(step, self.scale * inner.scale, reach, self.lost + ceil(inner.lost / self.scale), inner.larger)

    def aligned(self, pixels: int) -> Cut:
        """Return the same with windows of the picture that begin at multiples of so many pixels."""
        return replace(self, step=lcm(self.step, pixels // gcd(pixels, self.scale)))

    def shown(self, window: Window) -> Window:
        """Return the window of the picture behind one of the measurement."""
        rows, columns = (slice(side.start * self.scale, side.stop * self.scale) for side in window)
        return rows, columns
