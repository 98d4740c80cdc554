"""Frames of a scene without detail: which are of one exposure, and how their variance goes with brightness."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.region import region_noise
from untaught.noise.estimation.robust import deviation

EQUAL = 0.03  # share of their mean by which two exposures that count as equal may differ: lamps flicker
BLOCK = 32  # pixels: side of the squares in which mean and variance are taken
POINTS = 8  # at most, of two frames or of one: light that falls unevenly gives several
IN_POINT = 4096  # values at least
OUTLIER = 6.0  # deviations from which on a value is a defect of the sensor
FULL = 0.001  # share of a square's values at the greatest of all from which on it is overexposed
NAMED_DARK, NAMED_FLAT = ("dark", "bias", "black", "offset"), ("flat", "light", "bright", "white")

Values = NDArray[np.float64]
Frame = NDArray[np.float32]
Row = tuple[float, float, int, bool]


@dataclass(frozen=True, eq=False)
class Exposure:
    """A frame of a scene without detail.

    Attributes
    ----------
    values : ndarray
        (H, W), one channel, in the data's units.
    name : str
        Of its folder and its file; one of `NAMED_DARK` in it says that no light fell.
    channel : int
        Which of the picture's channels; only frames of one channel are pairs.
    """

    values: Frame
    name: str = ""
    channel: int = 0

    @property
    def dark(self) -> bool:
        """Whether its name, or that of its folder where its own says nothing, says that no light fell."""
        for part in reversed(self.name.lower().split("/")):
            if any(word in part for word in NAMED_FLAT):
                return False
            if any(word in part for word in NAMED_DARK):
                return True
        return False


@dataclass(frozen=True)
class Points:
    """Points of the curve: mean, variance, how many values they are of, and whether of two frames; each (K,)."""

    mean: Values
    variance: Values
    count: Values
    paired: NDArray[np.bool_]

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Points:
        return Points(self.mean[chosen], self.variance[chosen], self.count[chosen], self.paired[chosen])

    def __len__(self) -> int:
        return len(self.mean)


def groups_of(frames: Sequence[Exposure]) -> Iterator[list[Exposure]]:
    """Yield the frames of equal channel, size and exposure, the darkest first."""

    def kind(frame: Exposure) -> tuple[object, ...]:
        return frame.channel, frame.values.shape, not frame.dark

    kinds = sorted({kind(frame) for frame in frames}, key=repr)
    lowest = min(float(frame.values.mean()) for frame in frames)
    for one in kinds:
        alike = sorted((f for f in frames if kind(f) == one), key=lambda frame: float(frame.values.mean()))
        means = [float(frame.values.mean()) for frame in alike]
        cuts = [
            k + 1
            for k, (before, after) in enumerate(pairwise(means))
            if after - before > EQUAL * max(before - lowest, 0.0) + _chance(alike[k])
        ]
        for start, end in pairwise([0, *cuts, len(alike)]):
            yield alike[start:end]


def _chance(frame: Exposure) -> float:
    """Return how far the means of two frames of equal exposure may be apart: a tenth of a pixel's deviation."""
    return 0.1 * float(frame.values.std())


def points_of(groups: list[list[Exposure]], offset: float, top: float) -> Points:
    """Return the points of all groups: of pairs, the variance of the difference; of a single frame, around light.

    `offset` is the mean in the dark; squares with values at `top` are overexposed and left out.
    """
    rows = [row for group in groups for row in _of_group([frame.values for frame in group], offset, top)]
    mean, variance, count, paired = (np.array(part) for part in zip(*rows, strict=True)) if rows else [[]] * 4
    return Points(
        np.asarray(mean, np.float64),
        np.asarray(variance, np.float64),
        np.asarray(count, np.float64),
        np.asarray(paired, np.bool_),
    )


def _of_group(frames: list[Frame], offset: float, top: float) -> Iterator[Row]:
    """Yield points of frames of one exposure: of consecutive pairs, or of the only one."""
    if len(frames) == 1:
        yield from _of_single(frames[0], top)
        return
    for first, second in zip(frames[::2], frames[1::2], strict=False):
        yield from _of_pair(first.astype(np.float64), second.astype(np.float64), offset, top)


def _of_pair(first: Values, second: Values, offset: float, top: float) -> Iterator[Row]:
    light = second.mean() - offset
    ratio = (first.mean() - offset) / light if light > 10 * (first - second).std() / math.sqrt(first.size) else 1.0
    apart = ((first - offset) - ratio * (second - offset)) / math.sqrt(1 + ratio**2)
    level = (first + second) / 2
    full = np.maximum(first, second) >= top
    means, variances, counts = [], [], []
    for here in _squares(first.shape):
        if full[here].mean() > FULL:
            continue
        kept = _without_defects(apart[here])
        means.append(float(np.median(level[here])) if len(kept) < apart[here].size else float(level[here].mean()))
        variances.append(float(np.square(kept - kept.mean()).sum() / (len(kept) - 1)))
        counts.append(len(kept))
    yield from ((*row, True) for row in _merged(means, variances, counts))


def _of_single(frame: Frame, top: float) -> Iterator[Row]:
    """Yield points of one frame; of a colour filter array, pixels of one colour lie every other row and column."""
    for rows, columns in np.ndindex(2, 2):
        part = frame[rows::2, columns::2]
        means, variances, counts = [], [], []
        for here in _squares(part.shape):
            values = part[here].astype(np.float64)
            found = region_noise(_held(values)[..., None].astype(np.float32))
            if found is None or (values >= top).mean() > FULL:
                continue
            means.append(float(values.mean()))
            variances.append(found.sigma**2)
            counts.append(values.size)
        yield from ((*row, False) for row in _merged(means, variances, counts))


def _squares(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    sides = [min(BLOCK, side) for side in shape]
    for i in range(0, shape[0] - sides[0] + 1, sides[0]):
        for j in range(0, shape[1] - sides[1] + 1, sides[1]):
            yield slice(i, i + sides[0]), slice(j, j + sides[1])


def _without_defects(values: Values) -> Values:
    """Return the values near to the others, as a line; hot pixels and cosmic rays are not."""
    return values[_near(values)]


def _held(values: Values) -> Values:
    """Return the values with defects, in which light is not smooth, put to the median."""
    return np.where(_near(values), values, np.median(values))


def _near(values: Values) -> NDArray[np.bool_]:
    """Return which values are near to the others: all, where most are one."""
    off = values - np.median(values)
    spread = deviation(off)
    return np.asarray(np.abs(off) <= OUTLIER * spread if spread > 0 else np.ones(values.shape, np.bool_))


def _merged(means: list[float], variances: list[float], counts: list[int]) -> Iterator[tuple[float, float, int]]:
    """Yield at most `POINTS` points of squares that are alike in brightness."""
    if not means:
        return
    total = sum(counts)
    parts = int(np.clip(total // IN_POINT, 1, POINTS))
    for chosen in np.array_split(np.argsort(means), min(parts, len(means))):
        count = np.array(counts)[chosen]
        mean, variance = (float(np.average(np.array(each)[chosen], weights=count)) for each in (means, variances))
        yield mean, variance, int(count.sum())
