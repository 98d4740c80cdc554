"""The other waves of a printed screen: sums and differences of two make a lattice in the spectrum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

ORDER = 3  # of the sums: a u + b v with |a|, |b| up to this
AROUND = 17  # bins whose median is what is there without a wave
STANDS_OUT = 10.0  # power over that: of nine bins of white noise the strongest has as much in one of a hundred
KNOWN = 2.5  # bins: what is nearer to a line is the line

Power = NDArray[np.float64]
Frequency = tuple[float, float]


def rest_of_lattice(
    first: Frequency, second: Frequency, known: Sequence[Frequency], power: Power
) -> list[tuple[int, int]]:
    """Return the bins of waves that two waves of a screen make and that are not known, where there is power.

    A wave along a row or column hides among the edges of what is upright, and harmonics are weak; where two others
    say that they have to be, far less is enough to see them.

    Parameters
    ----------
    first, second : tuple of float
        Frequencies, down and across, in cycles a pixel, of waves that go different ways.
    known : sequence of tuple of float
        Those of all waves that were found.
    power : ndarray
        The spectrum of a square.
    """
    side = len(power)
    there = [*known, (0.0, 0.0)]
    found: list[tuple[int, int]] = []
    for a, b in product(range(ORDER + 1), range(-ORDER, ORDER + 1)):
        if (a, b) <= (0, 0):
            continue
        place = (a * first[0] + b * second[0], a * first[1] + b * second[1])
        if any(
            _apart(place, sign * other[0], sign * other[1]) * side < KNOWN for other in there for sign in (1, -1)
        ):
            continue
        top = _top(power, *(round(f * side) for f in place))
        if top is not None:
            there.append((top[0] / side, top[1] / side))
            found.append(top)
    return found


def _apart(place: Frequency, down: float, across: float) -> float:
    off_down, off_across = ((f - g + 0.5) % 1 - 0.5 for f, g in zip(place, (down, across), strict=True))
    return math.hypot(off_down, off_across)


def _top(power: Power, i: int, j: int) -> tuple[int, int] | None:
    """Return the strongest bin beside (i, j), where it stands out."""
    side = len(power)
    near = [((i + a) % side, (j + b) % side) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    best = max(near, key=lambda at: power[at])
    rows, columns = (np.arange(at - AROUND // 2, at + AROUND // 2 + 1) % side for at in best)
    return best if power[best] > STANDS_OUT * np.median(power[np.ix_(rows, columns)]) else None
