"""The law of a film's noise from planes that follow each other: what stays, or moves steadily, is the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.estimation.measure import measure
from untaught.noise.estimation.noise_report import NoiseReport

WIDTH = 4.0  # pixels: of the blur that leaves brightness and next to nothing of texture and noise
BLOCK = 8  # pixels: side of the squares that are held against the law
STILL = 1.6  # times the variance of the law: of 64 independent values that is 3 standard deviations
LEAST_SIDE = 32  # pixels: of smaller planes the squares are too few


# Of the mean of 64 squares of a standard normal number, the quantile by which the level of planes is told, as what
# moves is above it.
CALM = 0.3
CALM_MEAN = 0.907


class Three(NamedTuple):
    """Planes that follow each other, (H, W, C) on one scale, and what is missing in any or was cut off, (H, W).

    `levels` are those of the noise in the first and the last over that in the middle one: of planes that were
    brought to its brightness.
    """

    first: Floats
    middle: Floats
    last: Floats
    gone: Flags
    levels: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class OverTime:
    """What planes tell by how they differ.

    Attributes
    ----------
    report : NoiseReport
        The noise of all, as `measure` has it.
    still : float
        Share of the squares in which nothing beyond that noise has changed.
    factors : tuple of float
        The variance of each three over that.
    """

    report: NoiseReport
    still: float
    factors: tuple[float, ...]


def noise_over_time(threes: Sequence[Three], zero: float = 0.0) -> OverTime | None:
    """Measure noise that is independent from plane to plane.

        w = mean + (y_1 - 2 y_2 + y_3) / sqrt(6),   mean the blurred mean of the three

    In w the noise is as strong as in a plane, at the same brightness, and no texture is left where nothing moves,
    nor where brightness changes steadily. So all w together are measured like a picture.

    Parameters
    ----------
    threes : sequence of Three
        From some places of a film.
    zero : float
        The data's zero on their scale.

    Returns
    -------
    OverTime or None
        None where the planes are too small, or too little of them is there.
    """
    there = [three for three in threes if three.gone.mean() < 1 / 2]
    if not there or min(there[0].first.shape[:2]) < LEAST_SIDE:
        return None
    means, changes = zip(*map(_split, there), strict=True)
    whole = np.concatenate([mean + change for mean, change in zip(means, changes, strict=True)])
    report = measure(whole.astype(np.float32), np.concatenate([three.gone for three in there]), zero=zero)
    ratios = [_ratios(report, mean, change) for mean, change in zip(means, changes, strict=True)]
    factors = [max(float(np.quantile(ratio, CALM)) / CALM_MEAN, 1e-3) for ratio in ratios]
    still = np.concatenate([ratio < STILL * factor for ratio, factor in zip(ratios, factors, strict=True)])
    return OverTime(report, float(still.mean()), tuple(factors))


def _split(three: Three) -> tuple[Floats, Floats]:
    """Return the blurred mean, and what has changed beyond a steady change."""
    from scipy.ndimage import gaussian_filter

    mean = gaussian_filter((three.first + three.middle + three.last) / 3, (WIDTH, WIDTH, 0))
    before, after = three.levels
    change = (three.first - 2 * three.middle + three.last) / np.float32((before**2 + 4 + after**2) ** 0.5)
    return np.where(three.gone[..., None], 0, mean), np.where(three.gone[..., None], 0, change)


def _ratios(report: NoiseReport, mean: Floats, change: Floats) -> NDArray[np.float64]:
    """Return the energy of the change in squares over what the law says."""
    law = np.square(np.asarray(report.model.std(_means(mean)), np.float64))
    return (_means(np.square(change)) / np.maximum(law, 1e-12)).ravel()


def _means(values: Floats) -> NDArray[np.float64]:
    """Return the means over squares of (H, W, C)."""
    rows, columns = (length // BLOCK * BLOCK for length in values.shape[:2])
    cut = values[:rows, :columns].astype(np.float64)
    return np.asarray(cut.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, -1).mean((1, 3)))
