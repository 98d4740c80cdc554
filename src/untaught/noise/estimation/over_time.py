"""The law of a film's noise from planes that follow each other: what stays, or moves steadily, is the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.estimation.measure import measure
from untaught.noise.estimation.noise_report import NoiseReport

WIDTH = 4.0  # pixels: of the blur that leaves brightness and next to nothing of texture and noise
BLOCK = 8  # pixels: side of the squares that are held against the law
STILL = 1.6  # times the variance of the law: of 64 independent values that is 3 standard deviations
LEAST_SIDE = 32  # pixels: of smaller planes the squares are too few


@dataclass(frozen=True)
class OverTime:
    """What planes tell by how they differ.

    Attributes
    ----------
    report : NoiseReport
        The noise, as `measure` has it.
    still : float
        Share of the squares in which nothing beyond that noise has changed.
    """

    report: NoiseReport
    still: float


def noise_over_time(planes: tuple[Floats, Floats, Floats], gone: Flags, zero: float = 0.0) -> OverTime | None:
    """Measure the noise of three planes that follow each other, which has to be independent from plane to plane.

        w = mean + (y_1 - 2 y_2 + y_3) / sqrt(6),   mean the blurred mean of the three

    In w the noise is as strong as in a plane, at the same brightness, and no texture is left where nothing moves,
    nor where brightness changes steadily. So w is measured like a picture.

    Parameters
    ----------
    planes : tuple of ndarray
        Three of float32, (H, W, C), on one scale.
    gone : ndarray
        bool, (H, W): what is missing in any of them, or was cut off.
    zero : float
        The data's zero on that scale.
    """
    from scipy.ndimage import gaussian_filter

    first, middle, last = planes
    if min(first.shape[:2]) < LEAST_SIDE or gone.mean() > 1 / 2:
        return None
    mean = gaussian_filter((first + middle + last) / 3, (WIDTH, WIDTH, 0))
    change = (first - 2 * middle + last) / np.float32(6**0.5)
    report = measure((mean + change).astype(np.float32), gone, zero=zero)
    law = np.square(np.asarray(report.model.std(_means(mean)), np.float64))
    return OverTime(report, float(np.mean(_means(np.square(change)) < STILL * np.maximum(law, 1e-12))))


def _means(values: Floats) -> NDArray[np.float64]:
    """Return the means over squares of (H, W, C)."""
    rows, columns = (length // BLOCK * BLOCK for length in values.shape[:2])
    cut = values[:rows, :columns].astype(np.float64)
    return np.asarray(cut.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, -1).mean((1, 3)))
