"""The fixed pattern of a sensor: what it adds to the same pixels, rows and columns of every plane of a stack.

    y_t = x_t + o + n_t

The mean over planes has next to no noise, and of what moves past a pixel only a blur. What stays in its place in
the mean of each quarter of the stack, and is not shared by neighbours, is o: a picture that moves cannot make it.
Where the picture stands still, its own points and edges stay as well, and nothing is told. Offsets that vary as
slowly as the picture stay with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.robust import deviation
from untaught.noise.estimation.scene_motion import Sketch, motion_of

LEAST_PLANES = 8
LEAST_SIDE = 32  # pixels
QUARTERS = 4
SIDE = 5  # pixels: of the median that is taken for the picture
CUT = 3.0  # deviations of noise
NEAR = 6.0  # pixels around, over which the strength of the pattern is averaged
LEAST_SHARE = 0.05  # of the plane in which the picture has to move
LEAST_LINES = 32  # pixels of a row or column in which it has to
SURE = 6.0  # standard errors of what quarters have in common
# Correlation of neighbours above which it is the picture's. Of offsets of lines, less their median over five, it
# is -.3 and was -.3 to -.2; of what films and volumes leave, -.06 to 1.8; of pixels -.2 to .1, and .25 to 1.6.
ALIKE_LINES = -0.12
ALIKE = 0.15
PICTURE = 2.0  # times what neighbours share is the picture's
LEAST = 0.1  # of the noise of a plane: nobody sees less
POINT = 6.0  # standard errors of a single pixel, which has to be off by more than the noise of a plane too

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class FixedPattern:
    """What was found.

    Attributes
    ----------
    offsets : ndarray
        (H, W, C), to be taken off every plane; zero where nothing was told.
    leftover : float
        Mean squared error of the offsets.
    pixels, columns, rows : float
        Standard deviation of the offsets of each, in units of the values; 0 where none were found.
    points : int
        Pixels that are off by far more than others.
    moved : ndarray
        bool, (H, W): where the picture moves, so that a pattern can be told.
    mean : ndarray
        (H, W, C): of all planes.
    noise : float
        Level of the noise of one plane.
    count : int
        Planes that were looked at.
    gone : ndarray
        bool, (H, W): where not every plane has a measurement, and nothing is told.
    """

    offsets: Values
    leftover: float
    moved: Flags
    mean: Values
    noise: float
    count: int
    gone: Flags
    pixels: float = 0.0
    columns: float = 0.0
    rows: float = 0.0
    points: int = 0

    @property
    def found(self) -> bool:
        """Whether anything was told."""
        return bool(self.pixels or self.columns or self.rows or self.points)


@dataclass
class Gathered:
    """What is kept of the planes while they are looked at one after the other: sums over each quarter."""

    count: int
    sums: list[Values] = field(default_factory=list)
    details: list[Values] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    sketches: list[Sketch] = field(default_factory=list)
    gone: Flags | None = None

    def add(self, values: NDArray[np.floating], gone: Flags) -> None:
        """Look at the next plane, (H, W, C), and where it has no measurement."""
        self.gone = gone if self.gone is None else self.gone | gone
        quarter = len(self.sketches) * QUARTERS // self.count
        if quarter == len(self.sums):
            self.sums.append(np.zeros(values.shape))
            self.details.append(np.zeros(values.shape))
            self.counts.append(0)
        self.sums[quarter] += values
        self.details[quarter] += _detail(values)
        self.counts[quarter] += 1
        self.sketches.append(Sketch.of(values))

    def quarters(self, sums: list[Values]) -> Values:
        """Return the means of the quarters, (K, H, W, C)."""
        return np.stack([total / n for total, n in zip(sums, self.counts, strict=True)])


def fixed_pattern(planes: Iterable[tuple[NDArray[np.floating], Flags]], count: int) -> FixedPattern | None:
    """Measure it.

    Parameters
    ----------
    planes : iterable of (ndarray, ndarray)
        (H, W, C), finite, evenly spread over a stack, in its order, and bool, (H, W), True where there is no
        measurement; each is let go of before the next.
    count : int
        How many they are.

    Returns
    -------
    FixedPattern or None
        None of fewer planes, or smaller ones, than can tell.
    """
    if count < LEAST_PLANES:
        return None
    gathered = Gathered(count)
    for values, missing in planes:
        if min(values.shape[:2]) < LEAST_SIDE:
            return None
        gathered.add(values, missing)
    means, details = gathered.quarters(gathered.sums), gathered.quarters(gathered.details)
    motion = motion_of(gathered.sketches, (means.shape[1], means.shape[2]))
    gone = gathered.gone if gathered.gone is not None else np.zeros_like(motion.moved)
    motion = replace(motion, moved=motion.moved & ~gone)
    each = [
        _of_channel(detail, _beside(mean), motion.moved, count)
        for detail, mean in zip(np.moveaxis(details, -1, 0), np.moveaxis(means.mean(0), -1, 0), strict=True)
    ]
    spread = float(np.median([one.spread for one in each]))
    told = [one.told(LEAST * spread * (count / QUARTERS) ** 0.5) for one in each]
    columns, rows, pixels = (max(one.levels[at] for one in told) for at in range(3))
    return FixedPattern(
        offsets=np.stack([one.offsets for one in told], -1),
        leftover=float(np.mean([one.leftover for one in told])),
        moved=motion.moved,
        mean=means.mean(0),
        noise=spread * (count / QUARTERS) ** 0.5,
        count=count,
        gone=gone,
        pixels=pixels,
        columns=columns,
        rows=rows,
        points=max(one.points for one in told),
    )


def _detail(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how each pixel differs from those around it, by as much as noise does at most: what passes is cut."""
    from scipy.ndimage import median_filter

    off = values - median_filter(values, (SIDE, SIDE, 1))
    most = CUT * deviation(off)
    return np.asarray(np.clip(off, -most, most))


def _beside(mean: Values) -> Values:
    """Return by how much each pixel of a channel differs from those around it."""
    from scipy.ndimage import median_filter

    return np.asarray(mean - median_filter(mean, SIDE))


class _Told(NamedTuple):
    """Offsets of one channel, their mean squared error, levels of columns, rows and pixels, and points far off."""

    offsets: Values
    leftover: float
    levels: tuple[float, float, float]
    points: int


class _Lines(NamedTuple):
    """Offsets of columns or rows, their level, and their mean squared error."""

    offsets: Values
    level: float = 0.0
    error: float = 0.0

    def over(self, least: float) -> _Lines:
        """Return them, or none where they are no stronger than `least`."""
        return self if self.level > least else _Lines(np.zeros_like(self.offsets))


class _Pixels(NamedTuple):
    """Offsets of pixels, their level, their squared errors, and which are far off."""

    offsets: Values
    level: float
    errors: Values
    points: Flags

    def over(self, least: float) -> _Pixels:
        """Return them, or those that are far off alone where the others are no stronger than `least`."""
        if self.level > least:
            return self
        return self._replace(offsets=np.where(self.points, self.offsets, 0.0), level=0.0)


@dataclass(frozen=True)
class _Parts:
    """What one channel has, where the picture moves in a `share` of it, and how far the quarters are apart."""

    spread: float
    columns: _Lines
    rows: _Lines
    pixels: _Pixels
    share: float

    def told(self, least: float) -> _Told:
        """Return what is no weaker than `least`, units of the values."""
        columns, rows, pixels = self.columns.over(least), self.rows.over(least), self.pixels.over(least)
        offsets = pixels.offsets + columns.offsets + rows.offsets[:, None]
        errors = np.where(pixels.offsets != 0, pixels.errors, 0.0)
        leftover = float(errors.mean()) + (1 - self.share) * pixels.level**2 + columns.error + rows.error
        return _Told(offsets, leftover, (columns.level, rows.level, pixels.level), int(pixels.points.sum()))


def _of_channel(details: Values, beside: Values, moved: Flags, count: int) -> _Parts:
    """Measure one channel, given the details of the quarters, (K, H, W), and how pixels differ from others."""
    spread, share = float(np.sqrt(np.mean(details.var(0, ddof=1)))), float(moved.mean())
    height, width = moved.shape
    if share < LEAST_SHARE:
        none = np.zeros(moved.shape)
        pixels = _Pixels(none, 0.0, none, np.zeros_like(moved))
        return _Parts(spread, _Lines(np.zeros(width)), _Lines(np.zeros(height)), pixels, 0.0)
    columns = _of_lines(details, moved)
    rows = _of_lines(details.swapaxes(1, 2), moved.T)
    rest = details - columns.offsets - rows.offsets[:, None]
    return _Parts(spread, columns, rows, _of_pixels(rest, beside, moved, count), share)


def _of_lines(details: Values, moved: Flags) -> _Lines:
    """Return the offsets of columns; zeros where they are none."""
    many = moved.sum(0)
    there = many >= LEAST_LINES
    none = _Lines(np.zeros(moved.shape[1]))
    if there.mean() < 0.5:
        return none
    profiles = np.where(there, (details * moved).sum(1) / np.maximum(many, 1), 0.0)
    common, beside = _shared(profiles), _shared(profiles[:, :-1], profiles[:, 1:])
    error = float(profiles.var(0, ddof=1)[there].mean()) / QUARTERS
    level, chance = float(common[there].mean()), error * (QUARTERS / there.sum()) ** 0.5
    if level <= SURE * chance or float(beside[there[1:] & there[:-1]].mean()) > ALIKE_LINES * level:
        return none
    offsets, left = _restored(profiles.mean(0), level, error)
    offsets -= offsets[there].mean()
    return _Lines(np.where(there, offsets, 0.0), level**0.5, left)


def _restored(profile: Values, level: float, error: float) -> tuple[Values, float]:
    """Return the offsets of which a profile is left by the median of `SIDE` columns, and their mean squared error.

    That median takes their mean, as noise is all over it: by Wiener's filter, offsets being white, it is undone.
    """
    at = 2 * np.pi * np.fft.rfftfreq(profile.size)
    left = 1 - (1 + 2 * np.cos(np.outer(np.arange(1, SIDE // 2 + 1), at)).sum(0)) / SIDE
    power = level / float(np.mean(left**2))
    offsets = np.fft.irfft(np.fft.rfft(profile) * left * power / (left**2 * power + error), profile.size)
    return np.asarray(offsets), float(np.mean(power * error / (left**2 * power + error)))


def _shared(one: Values, other: Values | None = None) -> Values:
    """Return the mean product of two quarters, for all pairs of different ones."""
    other = one if other is None else other
    count = len(one)
    return np.asarray((one.sum(0) * other.sum(0) - (one * other).sum(0)) / (count * (count - 1)))


def _of_pixels(rest: Values, beside: Values, moved: Flags, count: int) -> _Pixels:
    """Return the offsets of single pixels."""
    from scipy.ndimage import gaussian_filter

    weight = np.maximum(gaussian_filter(moved.astype(np.float64), NEAR), 1e-6)

    def near(x: Values) -> Values:
        return np.asarray(gaussian_filter(np.where(moved, x, 0.0), NEAR) / weight)

    common, alike = _shared(rest), np.zeros(moved.shape)
    for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        alike += _shared(rest, np.roll(rest, shift, (1, 2))) / 4
    error = np.maximum(near(rest.var(0, ddof=1) / QUARTERS), 1e-12)
    picture = PICTURE * np.maximum(near(alike), 0)
    single = rest.mean(0)
    points = moved & (single**2 > POINT**2 * (error + picture)) & (beside**2 > error * count)
    calm = moved & ~points
    power, own = (float(x[calm].mean()) if calm.any() else 0.0 for x in (common, alike))
    chance = float(error[calm].mean()) * (QUARTERS / max(calm.sum(), 1)) ** 0.5 if calm.any() else np.inf
    found = power > SURE * chance and own <= ALIKE * power
    strength = np.maximum(near(np.where(points, 0, common)) - picture, 0)
    share = strength / (strength + error) if found else np.zeros(moved.shape)
    offsets = np.where(points, beside, np.where(moved, share * single, 0.0))
    errors = np.where(points, error, share * error)
    return _Pixels(offsets, power**0.5 if found else 0.0, errors, points)
