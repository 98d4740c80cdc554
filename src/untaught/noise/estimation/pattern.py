"""Regular patterns, such as the dots of a printed screen: lines of the spectrum that noise does not have."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from threading import Lock

import numpy as np
from scipy.ndimage import binary_erosion, gaussian_filter, uniform_filter

from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.estimation.pattern_lattice import rest_of_lattice
from untaught.noise.estimation.spectrum_lines import (
    Power,
    is_narrow,
    places_of,
    power_of,
    radius_of,
    strengths_of,
    tops_of,
)

SIDE = 512  # pixels of a square that is looked at, at most; bounds the time
LEAST = 32  # and at least
SMALL, MOST_SMALL = 128, 6  # pixels of the squares in which prints are looked for then, and how many along a side
COARSEST = 16  # pixels: longer periods are no pattern but the picture
# Power of a line over the median around it. Screens of 3 to 8 pixels at any angle, and waves of 8 grey levels,
# have 700 and more in squares of 256 pixels; white noise has 25 at most, and letters and textures of scikit-image
# 200 and more only where the lines are wide, or harmonics of coarse ones.
STANDS_OUT = 200.0
BESIDE = 60.0  # of the other lines of a pattern, such as its harmonics, where one stands out
HIGH = 10.0  # over the median of all, which is sooner found
VISIBLE = 2 / 255  # amplitude of a wave, where black to white is 1: old scans have some of 1.8 / 255
# Of the power of all that is finer than `COARSEST`, in the strong lines, from which on a picture is made of them:
# screens have .35 to 1, waves over a picture .2 at most, or they go one way.
PRINTED = 0.3
# Lines of a coarse line's strength over that of the fine ones, from which on these are its harmonics.
HARMONIC = 0.5
CONTRAST = 0.2  # deviation of fine detail: prints have .24 and more, the cloth of Barbara .15
REMEMBERED = 5  # squares: what measures the noise and what says the pattern look at the same ones
MOST_LINES = 24
WEAK = 0.2  # amplitude over that of the strongest line
FEW_VALUES = 16  # that a drawing has
ONE_SHADE = 0.05  # deviation of the mean over a period or so, over that of the pattern: .2 and more in prints
APART = math.sin(math.radians(20))  # between the directions of a screen's lines

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Line:
    """A wave that goes through the whole picture.

    Attributes
    ----------
    down, across : float
        Its frequency, in cycles a pixel.
    amplitude : float
        In the units of the values.
    """

    down: float
    across: float
    amplitude: float

    @property
    def frequency(self) -> float:
        """In cycles a pixel."""
        return math.hypot(self.down, self.across)

    @property
    def direction(self) -> float:
        """Along which it varies: degrees from the rows' direction upwards, 0 to 180."""
        return math.degrees(math.atan2(-self.down, self.across)) % 180


@dataclass(frozen=True)
class Pattern:
    """A regular pattern.

    Attributes
    ----------
    lines : tuple of Line
        Its waves, the strongest first.
    share : float
        Of the power of all fine detail, that of its strong lines.
    rows, columns : slice
        The square in which it was found.
    """

    lines: tuple[Line, ...]
    share: float
    rows: slice
    columns: slice

    @property
    def coarsest(self) -> Line:
        """The line of the lowest frequency that is not weak; most others are its harmonics."""
        strong = [line for line in self.lines if line.amplitude > WEAK * self.lines[0].amplitude]
        return min(strong, key=lambda line: line.frequency)

    @property
    def period(self) -> float:
        """After how many pixels it repeats."""
        return 1 / self.coarsest.frequency

    @property
    def level(self) -> float:
        """The standard deviation of all its waves, in the units of the values."""
        return math.sqrt(sum(line.amplitude**2 for line in self.lines) / 2)

    @property
    def longest(self) -> float:
        """The longest period of any of its lines, in pixels."""
        return 1 / min(line.frequency for line in self.lines)

    @property
    def directions(self) -> tuple[float, ...]:
        """Of the coarsest line, and of the strongest that goes another way."""
        crossing = self.crossing
        return (self.coarsest.direction, *(() if crossing is None else (crossing.direction,)))

    @property
    def crossing(self) -> Line | None:
        """The strongest line that goes another way than the coarsest, if it is about as strong."""
        first = self.coarsest
        for line in self.lines:
            turned = math.sin(math.radians(line.direction - first.direction))
            if abs(turned) > APART and line.amplitude > first.amplitude / 2:
                return line
        return None

    @property
    def printed(self) -> bool:
        """Whether it is a screen, which the picture is made of; else waves that lie over the picture."""
        return self.share > PRINTED and len(self.directions) > 1

    def describe(self) -> str:
        """Return what it is, for a person, without a full stop."""
        ways = " and ".join(map(str, sorted(round(way) % 180 for way in self.directions)))
        what = "dots of a printed screen (halftone)" if self.printed else "a moire, or streaks of a scanner"
        return (
            f"A regular pattern runs through the picture, such as {what}: it repeats every {self.period:.1f} "
            f"pixels along {ways} degrees from the rows"
        )


def pattern_of(values: Floats, missing: Flags | None = None, closely: bool = False) -> Pattern | None:
    """Return the regular pattern that runs through (H, W, C) in [0, 1], the strongest of some squares; or None.

    Letters in lines and squares of a drawing repeat, too, but over more pixels than `COARSEST`: where such lines
    are as strong as the fine ones, these are their harmonics. Looked at `closely`, a print in a part of a page is
    found too, if it is in black and white dots: cloth has less contrast.
    """
    shape = values.shape[:2]
    found = [one for window in _squares(shape) if (one := pattern_in(values, missing, *window))]
    if closely and not found and min(shape) > SMALL:
        windows = (window for window in _small_squares(shape) if values[window].std() > CONTRAST)
        each = (pattern_in(values, missing, *window) for window in windows)
        found = [one for one in each if one is not None and one.printed and _fine(values, one) > CONTRAST]
    return max(found, key=lambda pattern: pattern.lines[0].amplitude, default=None)


def _fine(values: Floats, pattern: Pattern) -> float:
    """Return the deviation of what is finer than the period, where a pattern was found."""
    square = values[pattern.rows, pattern.columns]
    return float((square - gaussian_filter(square, (pattern.longest, pattern.longest, 0))).std())


def _squares(shape: tuple[int, ...]) -> Iterator[Window]:
    """Yield the middle of a picture, and the middles of its quarters where that is much less than all of it."""
    side = min(SIDE, *shape)
    if side < LEAST:
        return
    rows, columns = ([(n - side) // 2] for n in shape)
    places = [(rows[0], columns[0])]
    if max(shape) > 1.5 * side:
        places += [(y * (shape[0] - side) // 4, x * (shape[1] - side) // 4) for y in (1, 3) for x in (1, 3)]
    for top, left in dict.fromkeys(places):
        yield slice(top, top + side), slice(left, left + side)


def _small_squares(shape: tuple[int, ...]) -> Iterator[Window]:
    """Yield squares that overlap by half, or are spread evenly: in a page one photograph may be a print."""
    tops, lefts = (np.linspace(0, n - SMALL, min(2 * (n // SMALL), MOST_SMALL)).astype(int) for n in shape)
    for top in tops.tolist():
        for left in lefts.tolist():
            yield slice(top, top + SMALL), slice(left, left + SMALL)


class _Latest:
    """What was found in the squares that were looked at last, by their values; for all threads."""

    def __init__(self) -> None:
        self._found: OrderedDict[bytes, tuple[Pattern | None]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> tuple[Pattern | None] | None:
        with self._lock:
            return self._found.get(key)

    def put(self, key: bytes, found: tuple[Pattern | None]) -> None:
        with self._lock:
            self._found[key] = found
            if len(self._found) > REMEMBERED:
                self._found.popitem(last=False)


_known = _Latest()


def pattern_in(values: Floats, missing: Flags | None, rows: slice, columns: slice) -> Pattern | None:
    """Return the pattern in a square of a picture, or None; of a large one that was looked at last, as then."""
    if missing is not None and missing[rows, columns].any():
        return None
    square = np.ascontiguousarray(values[rows, columns])
    if len(square) <= SMALL:
        return _found(values, rows, columns)
    key = blake2b(repr((square.shape, square.dtype, rows, columns)).encode() + square.tobytes()).digest()
    known = _known.get(key)
    if known is None:
        known = (_found(values, rows, columns),)
        _known.put(key, known)
    return known[0]


def _found(values: Floats, rows: slice, columns: slice) -> Pattern | None:
    """Return the pattern in a square of a picture in which nothing is missing, or None."""
    power = power_of(np.moveaxis(values[rows, columns].astype(np.float64), 2, 0))
    side = len(power)
    radius = radius_of(side)
    fine = radius > 1 / COARSEST
    tops = tops_of(power, (radius > 2.5 / side) & (power > HIGH * np.median(power[fine])))
    scale = 2 / np.sqrt(values.shape[2]) / (side / 2) ** 2
    seen = strengths_of(power, places_of(tops & fine & (scale * np.sqrt(power) > VISIBLE)))
    strong = [at for at, ratio in seen.items() if ratio > STANDS_OUT and is_narrow(power, *at)]
    if all(_of_a_mosaic(at, side) for at in strong):
        return None
    coarse = max(strengths_of(power, places_of(tops & ~fine)).values(), default=0.0)
    if coarse > HARMONIC * max(seen.values()):
        return None
    taken = sorted((at for at, ratio in seen.items() if ratio > BESIDE), key=lambda at: -power[at])[:MOST_LINES]
    around = 9 * uniform_filter(power, 3, mode="wrap")
    share = sum(around[at] * (1 if _own_mirror(*at, side) else 2) for at in strong) / power[fine].sum()
    pattern = Pattern(tuple(_line(power, at, scale) for at in taken), float(share), rows, columns)
    if _drawn(values[rows, columns], pattern):
        return None
    return _with_the_rest(pattern, power, scale) if pattern.printed else pattern


def _with_the_rest(pattern: Pattern, power: Power, scale: float) -> Pattern:
    """Return a screen with the waves of its lattice that did not stand out enough by themselves."""
    known = [(line.down, line.across) for line in pattern.lines]
    pair = [(line.down, line.across) for line in (pattern.coarsest, pattern.crossing) if line is not None]
    rest = rest_of_lattice(pair[0], pair[1], known, power)
    lines = (*pattern.lines, *(_line(power, at, scale) for at in rest))
    strongest = sorted(lines, key=lambda line: -line.amplitude)[:MOST_LINES]
    return replace(pattern, lines=tuple(strongest))


def _drawn(values: Floats, pattern: Pattern) -> bool:
    """Say whether a pattern was drawn, as the squares of a chessboard: it has one shade wherever it is strong.

    A print of a picture has dots of many sizes, and what lies over a picture does so whatever its shade.
    """
    if not pattern.printed and len(np.unique(values[::3, ::3])) > FEW_VALUES:
        return False
    grey = values.mean(2, dtype=np.float64)
    mean = gaussian_filter(grey, pattern.period, mode="reflect")
    energy = gaussian_filter(np.square(grey - mean), pattern.period, mode="reflect")
    strong = energy > np.percentile(energy, 95) / 2
    inside = binary_erosion(strong, iterations=math.ceil(2 * pattern.period))
    return bool(inside.any()) and float(mean[inside].std() / np.sqrt(energy[inside].mean())) < ONE_SHADE


def _of_a_mosaic(at: tuple[int, int], side: int) -> bool:
    """Say whether a line repeats every second row or column: so do the values behind a colour filter array."""
    return all(min(n, side - n, abs(2 * n - side)) < 2 for n in at)


def _own_mirror(i: int, j: int, side: int) -> bool:
    return (2 * i) % side == 0 and (2 * j) % side == 0


def _line(power: Power, at: tuple[int, int], scale: float) -> Line:
    """Return a line, its frequency between bins by a parabola through the logarithms of three."""
    side, where = len(power), []
    for axis in (0, 1):
        near = [power[tuple((at[k] + (step if k == axis else 0)) % side for k in (0, 1))] for step in (-1, 0, 1)]
        low, middle, high = np.log(near)
        bend = low - 2 * middle + high
        off = 0.0 if bend >= 0 else float(np.clip(0.5 * (low - high) / bend, -0.5, 0.5))
        own = at[axis] if at[axis] <= side // 2 else at[axis] - side
        where.append((own + off) / side)
    return Line(where[0], where[1], scale * math.sqrt(power[at]))
