"""The other waves of a printed screen: sums and differences of two make a lattice in the spectrum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from untaught.noise.estimation.spectrum_lines import Power, medians_around

ORDER = 3  # of the sums: a u + b v with |a|, |b| up to this
STANDS_OUT = 10.0  # power over the median around: the strongest of nine bins of noise has it in 1 %
KNOWN = 2.5  # bins: what is nearer to a line is the line

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
    side, found = len(power), list[tuple[int, int]]()
    there = [(0.0, 0.0), *known]
    for a, b in product(range(ORDER + 1), range(-ORDER, ORDER + 1)):
        if (a, b) <= (0, 0):
            continue
        place = (a * first[0] + b * second[0], a * first[1] + b * second[1])
        if any(min(_apart(place, one), _apart(place, (-one[0], -one[1]))) * side < KNOWN for one in there):
            continue
        top = _top(power, *(round(f * side) for f in place))
        if top is not None:
            there.append((top[0] / side, top[1] / side))
            found.append(top)
    return found


def _apart(one: Frequency, other: Frequency) -> float:
    down, across = ((f - g + 0.5) % 1 - 0.5 for f, g in zip(one, other, strict=True))
    return math.hypot(down, across)


def _top(power: Power, i: int, j: int) -> tuple[int, int] | None:
    """Return the strongest bin beside (i, j), where it stands out."""
    side = len(power)
    near = [((i + a) % side, (j + b) % side) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    best = max(near, key=lambda at: power[at])
    return best if power[best] > STANDS_OUT * medians_around(power, [best])[0] else None
