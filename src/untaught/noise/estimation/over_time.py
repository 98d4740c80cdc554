"""The law of a film's noise from planes that follow each other: what stays, or moves steadily, is the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.correlation import REACH, kernel_of
from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.estimation.measure import measure
from untaught.noise.estimation.noise_report import NoiseReport
from untaught.noise.models.correlated import Correlated

WIDTH = 4.0  # pixels: of the blur that leaves brightness and next to nothing of texture and noise
BLOCK = 8  # pixels: side of the squares that are held against the law
STILL = 1.6  # times the variance of the law: of 64 independent values that is 3 standard deviations
LEAST_SIDE = 24  # pixels: of smaller planes the squares are too few


# Of the mean of 64 squares of a standard normal number, the quantile by which the level of planes is told, as what
# moves is above it.
CALM = 0.3
CALM_MEAN = 0.907

# Where a film stands still there is nothing but noise in how its planes differ, however smooth it is: all that is
# there above the law of fast changes is noise that neighbours share. On films with white noise of level 40 the
# factor was 1.01 to 1.08, the quantiles 1.4 to 2 apart; on those that move 1.1 to 2.2 and 1.5 to 150; on frames of
# a two-photon microscope and on scans of the retina 1.2 to 1.4 and 1.45.
ALL_STILL = 0.95  # share of the squares
MORE = 1.15  # variance over that of the law
EVEN = 1.6  # 90 % over 30 % quantile of the energy of squares
SHADES = 8  # of brightness, at which the variance is noted


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
    gone = [three.gone for three in there]
    whole = np.concatenate([mean + change for mean, change in zip(means, changes, strict=True)])
    report = measure(whole.astype(np.float32), np.concatenate(gone), zero=zero)
    ratios = [_ratios(report, *one) for one in zip(means, changes, gone, strict=True)]
    factors = [max(float(np.quantile(ratio, CALM)) / CALM_MEAN, 1e-3) for ratio in ratios]
    still = np.concatenate([ratio < STILL * factor for ratio, factor in zip(ratios, factors, strict=True)])
    found = OverTime(report, float(still.mean()), tuple(factors))
    uneven = float(np.median([np.quantile(ratio, 0.9) / max(np.quantile(ratio, CALM), 1e-12) for ratio in ratios]))
    plain = not (report.model.replaces or report.model.shared)
    if plain and found.still >= ALL_STILL and uneven < EVEN and np.median(factors) > MORE:
        return _with_shared(found, means, changes, gone)
    return found


def _with_shared(
    found: OverTime, means: Sequence[Floats], changes: Sequence[Floats], gone: Sequence[Flags]
) -> OverTime:
    """Return the same with the law of noise that neighbours share, by how the changes do; all squares are still.

    R(d) = mean c_i c_{i+d},   c the changes over the deviation that the law gives them
    """
    law, shape = found.report.model, (2 * REACH + 1,) * 2
    lags = np.zeros(shape)
    for mean, change, away in zip(means, changes, gone, strict=True):
        deviation = np.maximum(np.asarray(law.std(mean), np.float64), 1e-9)
        lags += _lags(change / deviation, ~away[..., None]) / len(means)
    more = float(lags[REACH, REACH])
    places = np.unique(np.quantile(np.concatenate([mean.ravel() for mean in means]), np.linspace(0, 1, SHADES)))
    variances = np.square(np.asarray(law.std(places), np.float64))
    level = float(np.sqrt(more * np.mean([np.square(np.asarray(law.std(mean))).mean() for mean in means])))
    shared = Correlated(
        level,
        kernel_of(lags / more),
        tuple(zip(places.tolist(), variances.tolist(), strict=True)) if len(places) > 1 else (),
        relative_error=law.relative_error,
        clip=law.clip,
        channel_correlation=law.channel_correlation,
    )
    report = replace(found.report, model=shared, sigma=level, white=False)
    return replace(found, report=report, factors=tuple(factor / more for factor in found.factors))


def _lags(values: NDArray[np.float64], there: Flags) -> NDArray[np.float64]:
    """Return the mean products of (H, W, C) with itself moved by up to `REACH` pixels, of those that are there."""
    values, there = values * there, np.broadcast_to(there, values.shape)
    found = np.zeros((2 * REACH + 1,) * 2)
    height, width = values.shape[:2]
    for down in range(REACH + 1):
        for right in range(-REACH, REACH + 1):
            a = slice(0, height - down), slice(max(0, -right), width - max(0, right))
            b = slice(down, height), slice(max(0, right), width + min(0, right))
            mean = float((values[a] * values[b]).sum()) / max(int((there[a] & there[b]).sum()), 1)
            found[REACH + down, REACH + right] = found[REACH - down, REACH - right] = mean
    return found


def _split(three: Three) -> tuple[Floats, Floats]:
    """Return the blurred mean, and what has changed beyond a steady change."""
    from scipy.ndimage import gaussian_filter

    mean = gaussian_filter((three.first + three.middle + three.last) / 3, (WIDTH, WIDTH, 0))
    before, after = three.levels
    change = (three.first - 2 * three.middle + three.last) / np.float32((before**2 + 4 + after**2) ** 0.5)
    return np.where(three.gone[..., None], 0, mean), np.where(three.gone[..., None], 0, change)


def _ratios(report: NoiseReport, mean: Floats, change: Floats, gone: Flags) -> NDArray[np.float64]:
    """Return the energy of the change in squares over what the law says, where most of a square is there."""
    there = _means((~gone[..., None]).astype(np.float32))
    kept = there > 1 / 2 if (there > 1 / 2).any() else there >= there.max()
    light, energy = (_means(values)[kept] / there[kept] for values in (mean, np.square(change)))
    law = np.square(np.asarray(report.model.std(light), np.float64))
    return np.asarray(energy / np.maximum(law, 1e-12))


def _means(values: Floats) -> NDArray[np.float64]:
    """Return the means over squares of (H, W, C)."""
    rows, columns = (length // BLOCK * BLOCK for length in values.shape[:2])
    cut = values[:rows, :columns].astype(np.float64)
    return np.asarray(cut.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, -1).mean((1, 3)))
