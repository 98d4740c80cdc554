"""Specks of ink and pinholes in pages of one bit: what is smaller than the page's own strokes and dots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt, find_objects, label, median
from scipy.spatial import cKDTree

Flags = NDArray[np.bool_]

EIGHT = np.ones((3, 3), np.int8)  # ink touches across corners, so paper does not
LONG = 3  # times the least run: components that are longer along a side tell the width of strokes
SURE, SMALL = 0.35, 0.7  # widths of a stroke: a dot of an i, a full stop, an accent are wider
NEAR = 2.5  # widths of a stroke: nearer to a letter, what is not surely a speck may be a part of it
REGULAR = 1.3  # mean distance of neighbours over that of places at random: dots of a screen have 1.5 to 2
SQUARE, FEW = 96, 20  # pixels of the squares in which that is looked at, and components that tell it
HOLE = 0.5  # widths of a stroke: the eye of an e is wider
HAIR = 1.5  # pixels: in thinner strokes nothing is smaller than a dot


@dataclass(frozen=True)
class Specks:
    """What of a page is to be turned.

    Attributes
    ----------
    ink, paper : ndarray
        bool, (H, W): specks of ink, and pinholes.
    counts : tuple of int
        How many of each.
    stroke : float
        Width of a stroke, in pixels.
    screened : bool
        Whether small dots were kept, for they are spread as evenly as those of a screen.
    """

    ink: Flags
    paper: Flags
    counts: tuple[int, int]
    stroke: float
    screened: bool

    @property
    def any(self) -> Flags:
        """Where values are to be turned."""
        return self.ink | self.paper


def dark_of(values: NDArray[np.float32]) -> Flags | None:
    """Return where (H, W, C) has the darker of its two colours, (H, W); None where it has others."""
    channel = values[..., int(np.ptp(values, axis=(0, 1)).argmax())]
    dark = np.asarray(channel == channel.min(), np.bool_)
    if dark.all() or any(np.ptp(values[of], axis=0).any() for of in (dark, ~dark)):
        return None
    return dark


def specks_of(ink: Flags) -> Specks:
    """Return the specks of a page, (H, W), True where there is ink.

    Ink that touches across a corner is one component, so that paper does not. What is less than `SURE` widths of a
    stroke along both sides is a speck; up to `SMALL` it is one where no letter is near. Where such components are
    spread evenly they are the dots of a screen, and are kept.
    """
    stroke, nothing = stroke_of(ink), np.zeros(ink.shape, np.bool_)
    if stroke < HAIR:
        return Specks(nothing, nothing, (0, 0), stroke, False)
    parts = [_small(ink, stroke, EIGHT), _small(~ink, stroke, None)]
    screen = _screened([part for part in parts if part.count], ink.shape)
    dark, light = (part.specks(screen) for part in parts)
    return Specks(dark[0], light[0], (dark[1], light[1]), stroke, bool(screen.any()))


def stroke_of(ink: Flags) -> float:
    """Return the width of a stroke: the median over components, larger ones, of the shorter of their runs."""
    numbers, count = label(ink, EIGHT)
    if not count:
        return 0.0
    sides = _sides(numbers)[1:]
    shorter = np.minimum(_runs(ink), _runs(ink.T).T)
    widths = np.asarray(median(shorter, numbers, np.arange(1, count + 1)))
    long = sides > LONG * max(float(np.median(shorter[ink])), 1.0)
    return float(np.median(widths[long] if long.any() else widths))


def _runs(ink: Flags) -> NDArray[np.int32]:
    """Return the length of the run along its row that every pixel of ink is in; 0 for paper."""
    padded = np.pad(ink, ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(padded, axis=1)
    starts, ends = (np.argwhere(steps == sign) for sign in (1, -1))
    change = np.zeros((ink.shape[0], ink.shape[1] + 1), np.int32)
    length = (ends[:, 1] - starts[:, 1]).astype(np.int32)
    np.add.at(change, (starts[:, 0], starts[:, 1]), length)
    np.add.at(change, (ends[:, 0], ends[:, 1]), -length)
    return np.asarray(np.cumsum(change, axis=1)[:, :-1], np.int32)


def _sides(numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the longer side of the box around every component; 0 for number 0."""
    boxes = find_objects(numbers)
    return np.array([0, *(max(side.stop - side.start for side in box) for box in boxes)], np.int64)


@dataclass(frozen=True)
class _Small:
    """Small components: their numbers in a picture, which they are, and where."""

    numbers: NDArray[np.int32]
    which: NDArray[np.intp]
    middles: NDArray[np.float64]

    @property
    def count(self) -> int:
        return len(self.which)

    @property
    def cells(self) -> NDArray[np.intp]:
        return np.asarray(self.middles // SQUARE, np.intp)

    def specks(self, screen: Flags) -> tuple[Flags, int]:
        """Return those that lie in no cell of a screen, and how many they are."""
        chosen = np.zeros(int(self.numbers.max()) + 1, np.bool_)
        if self.count:
            chosen[self.which] = ~screen[tuple(self.cells.T)]
        return chosen[self.numbers], int(chosen.sum())


def _small(of: Flags, stroke: float, touching: NDArray[np.int8] | None) -> _Small:
    """Return the components that may be specks."""
    numbers, _ = label(of, touching)
    boxes, sides = find_objects(numbers), _sides(numbers)
    least = max(SMALL * stroke, 1.01) if touching is not None else HOLE * stroke
    small = (sides > 0) & (sides < least)
    unsure = small & (sides >= SURE * stroke)
    large = of & ~small[numbers]
    if unsure.any() and large.any() and touching is not None:
        away = distance_transform_edt(~large)
        nearest = np.full(len(sides), np.inf)
        np.minimum.at(nearest, numbers[of], away[of])
        small &= ~(unsure & (nearest < NEAR * stroke))
    which = np.flatnonzero(small)
    middles = [[(side.start + side.stop - 1) / 2 for side in boxes[k - 1]] for k in which]
    return _Small(numbers, which, np.array(middles, np.float64).reshape(-1, 2))


def _screened(parts: list[_Small], shape: tuple[int, ...]) -> Flags:
    """Return in which cells small components are spread evenly, as the dots of a screen are, or next to such."""
    even, seen = (np.zeros([n // SQUARE + 1 for n in shape], np.bool_) for _ in range(2))
    for part in parts:
        if part.count < FEW:
            continue
        nearest = cKDTree(part.middles).query(part.middles, k=2)[0][:, 1]
        for cell in np.unique(part.cells, axis=0):
            here = (part.cells == cell).all(1)
            if here.sum() >= FEW:
                spread = np.ptp(part.middles[here], axis=0) + 1
                random = 0.5 / np.sqrt(here.sum() / np.prod(spread))
                seen[tuple(cell)] = True
                even[tuple(cell)] |= nearest[here].mean() > REGULAR * random
    if even.sum() > seen.sum() / 2:
        return np.ones_like(even)
    return np.asarray(binary_dilation(even, np.ones((3, 3))), np.bool_)
