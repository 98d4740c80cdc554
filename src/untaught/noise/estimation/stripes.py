"""Stripes: an offset that every column, or row, of a picture has of its own; found, and told from lines in it.

    y_ij = x_ij + o_j + n_ij

Steps between neighbouring columns are averaged along the columns, those at edges left out, in four bands of the
picture. Noise is not the same in two bands, the picture hardly, and stripes are: their variance is the covariance
of bands. They are believed where every pair of bands has it, in nearly all columns, each for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.robust import MEDIAN
from untaught.noise.estimation.stripe_offsets import Structure, offsets_of

BANDS = 4
LEAST_SIDE = 32  # pixels; bands of fewer rows, or fewer columns, tell nothing
MOST_LINES = 1024  # rows that are looked at, evenly spread; they tell an offset to 1/30 of the noise
MOST_VALUES = 2**22  # of a channel that are looked at, in fewer rows where these are longer than 4096: 200 MB
TRIM = 2.5  # deviations from the middle beyond which a step is one of the picture
CURVED = 1.5  # variance of (2 o_j - o_j-1 - o_j+1) / 2 over that of o
SIGNIFICANT = 6.0  # standard errors of a covariance of bands; 4.3 at most in 60 pictures of which none had stripes
ALIKE = 0.5  # of the middle covariance that the least pair of bands has; .92 with stripes of .3 noise levels
QUANTILE, AT_QUANTILE = 0.4, 0.5244  # of |o| for normal o: where half the columns have no offset, next to nothing
SPREAD = (0.6, 1.5)  # of that quantile over what the covariance says
TURNS = (-1.05, -0.45)  # correlation of neighbours in (2 o_j - o_j-1 - o_j+1) / 2: -2/3 for offsets of their own
LEAST = 0.1  # of the noise level: nobody sees less
LEAST_STEP = 0.75  # grey levels: cameras leave .6 between the columns of pictures that look free of them
PILED = 0.01  # share of values at one end of the range from which on they were cut off there

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Stripes:
    """Offsets of columns or rows.

    Attributes
    ----------
    along : str
        'columns' or 'rows': what has an offset of its own.
    level : float
        Standard deviation of the offsets, units of the values.
    found : bool
        Whether they are believed.
    offsets : ndarray
        (W, C), or (H, C) for rows: what is to be taken off, of mean 0. What varies as slowly as the picture
        stays.
    leftover : float
        Mean squared error of the offsets.
    """

    along: str
    level: float
    found: bool
    offsets: Floats
    leftover: float

    def describe(self, scale: float = 255.0) -> str:
        """Return what a person should read where they were found and not taken out."""
        return (
            f"the {self.along} differ from their neighbours by level {scale * self.level:.2g} (of 255): stripes; "
            f"take them out with --stripes {self.along}; while they are there, they count in the stated error"
        )


def stripes_of(values: Floats, gone: Flags | None, along: str, step: float = 0.0) -> Stripes:
    """Measure stripes along one direction.

    Parameters
    ----------
    values : ndarray
        (H, W, C), finite, any units.
    gone : ndarray or None
        bool, (H, W), True where there is no measurement.
    along : str
        'columns' or 'rows'.
    step : float
        Distance of the grey levels, in those units; 0 where they are continuous.

    Notes
    -----
    That steps between columns have the stripe's step as their median is the minimiser of the variation across the
    stripes alone: Bouali and Ladjal, "Toward optimal destriping of MODIS data using a unidirectional variational
    model", IEEE Transactions on Geoscience and Remote Sensing 49(8), 2011. Here a trimmed mean stands for it, for
    steps of whole grey levels have whole medians.
    """
    lost = ~moved_by(values, gone, piled_ends(values, gone))
    turned = values if along == "columns" else values.swapaxes(0, 1)
    lost = lost if along == "columns" else lost.swapaxes(0, 1)
    thin = thinning(*turned.shape[:2])
    return stripes_in_lines(turned[::thin], lost[::thin], along, step)


def thinning(lines: int, length: int) -> int:
    """Return of how many lines across the stripes one is looked at, where they are so many and so long."""
    most = min(MOST_LINES, max(MOST_VALUES // length, BANDS * LEAST_SIDE))
    return max(1, -(-lines // most))


def stripes_in_lines(turned: Floats, lost: Flags, along: str, step: float = 0.0) -> Stripes:
    """Measure stripes in lines across them, as `stripes_of` does: (L, W, C), and where offsets moved nothing."""
    if min(turned.shape[:2]) < LEAST_SIDE:
        return Stripes(along, 0.0, False, np.zeros(turned.shape[1:]), 0.0)
    each = [_of_channel(turned[..., c], lost[..., c], along, step) for c in range(turned.shape[2])]
    strongest = max(each, key=lambda one: (one.found, one.level))
    offsets = np.concatenate([one.offsets for one in each], axis=1)
    return replace(strongest, offsets=offsets, leftover=float(np.mean([one.leftover for one in each])))


def piled_ends(values: Floats, gone: Flags | None) -> tuple[float, ...]:
    """Return the ends of the range at which values were cut off: where many are the same."""
    there = values if gone is None or not gone.any() else values[~gone]
    ends = (there.min(), there.max()) if there.size else ()
    return tuple(float(end) for end in ends if (there == end).mean() > PILED)


def moved_by(values: Floats, gone: Flags | None, ends: tuple[float, ...]) -> Flags:
    """Return (H, W, C): what offsets have moved; not what is not there, nor what was cut off at one of `ends`."""
    lost = np.zeros(values.shape, np.bool_) if gone is None else np.repeat(gone[..., None], values.shape[2], 2)
    for end in ends:
        lost |= values == end
    return ~lost


def _of_channel(y: Floats, lost: Flags, along: str, grey_step: float) -> Stripes:
    """Measure one channel, (H, W), whose columns may have offsets."""
    steps = np.diff(np.ascontiguousarray(y.T), axis=0)  # a column a row: sorted many times faster
    if lost.any():
        steps[(lost[:, 1:] | lost[:, :-1]).T] = np.nan
    middle, scale = _middles(steps)
    bands = np.stack([_middles(band)[0] for band in np.array_split(steps, BANDS, axis=1)])
    curved = (bands[:, :-1] - bands[:, 1:]) / 2
    held = np.clip(curved, *(TRIM * _spread(curved, 1) * sign for sign in (-1, 1)))
    pairs = np.triu_indices(BANDS, 1)
    shared = (held @ held.T / held.shape[1])[pairs]
    variance = float(np.median(shared)) / CURVED
    if not variance > 0:
        return Stripes(along, 0.0, False, np.zeros((y.shape[1], 1)), 0.0)
    level = variance**0.5
    noise = max(scale**2 / 2, 1e-12 * variance)
    enough = level > max(LEAST * noise**0.5, LEAST_STEP * grey_step)
    found = enough and _believed(held, shared)
    offsets, leftover = offsets_of(middle, Structure.of(middle, variance), noise / y.shape[0])
    return Stripes(along, level, bool(found), offsets[:, None], leftover)


def _believed(held: Floats, shared: Floats) -> bool:
    """Say whether what bands share are offsets of all columns, each of its own, in all bands."""
    count, middle = held.shape[1], float(np.median(shared))
    error = np.median(np.square(held).mean(1)) / np.sqrt(count)
    turned = held[:, 1:] @ held[:, :-1].T / (count - 1)
    pairs = np.triu_indices(BANDS, 1)
    neighbours = float(np.median((turned + turned.T)[pairs])) / 2 / middle
    usual = np.quantile(np.abs(held.mean(0)), QUANTILE) / AT_QUANTILE / np.sqrt(middle)
    return bool(
        middle > SIGNIFICANT * error
        and shared.min() > ALIKE * middle
        and TURNS[0] < neighbours < TURNS[1]
        and SPREAD[0] < usual < SPREAD[1]
    )


def _middles(steps: Floats) -> tuple[Floats, float]:
    """Return the mean of every row of steps without those at edges, 0 where there are none, and their spread."""
    known = np.isfinite(steps)
    counts = known.sum(1)
    middle = _medians(steps, counts)
    away = steps - middle[:, None].astype(steps.dtype)
    scale = float(_spread(away if counts.min() == steps.shape[1] else away[known]))
    for _ in range(2):
        keep = np.abs(steps - middle[:, None].astype(steps.dtype)) <= TRIM * scale  # not what is not known
        count = keep.sum(1)
        total = np.sum(steps, 1, np.float64, where=keep)
        middle = np.where(count > 0, total / np.maximum(count, 1), middle)
    return middle, scale


def _medians(x: Floats, counts: NDArray[np.int64]) -> Floats:
    """Return the median of every row of what is known of it, so many values; 0 where there are none."""
    ordered, row = np.sort(x, axis=1), np.arange(len(x))  # what is not known comes last
    low = ordered[row, np.maximum(counts - 1, 0) // 2]
    high = ordered[row, np.minimum(counts // 2, x.shape[1] - 1)]
    return np.where(counts > 0, (low + high) / 2, 0.0)


def _spread(x: Floats, axis: int | None = None) -> Floats:
    """Return the standard deviation by the median, along an axis, which is kept, or of all."""
    if axis is None:
        return np.asarray(MEDIAN * _median(np.abs(x - _median(x)))) if x.size else np.zeros(())
    middle = np.median(x, axis=axis, keepdims=True)
    return np.asarray(MEDIAN * np.median(np.abs(x - middle), axis=axis, keepdims=True))


def _median(x: Floats) -> float:
    """Return the upper median of many values: one place to sort around is found in a fourth of the time of two."""
    return float(np.partition(x, x.size // 2, axis=None)[x.size // 2])
