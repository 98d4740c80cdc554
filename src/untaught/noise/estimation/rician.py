"""Whether a picture is made of magnitudes, as scanners give them, and how strong their noise is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from untaught.noise.models.rician import Rician

SIDE = 6  # pixels of a block
SPREAD = 1 / SIDE  # relative deviation of the mean square of a block of Rayleigh noise: r^2 is exponential
NEAR = 2.0 * SPREAD  # distance of the logarithm within which a block is of the background
FARTHEST = 4.5  # times its level, beyond which a value is of no Rayleigh law: one in 25,000
FEWEST = 1000  # values of the background that tell its law
DARK = 0.02  # share of the blocks, below which the background is looked for
SHIFTS = 30  # steps to the mode
RUN = 5  # zeros in a row or column that are padding; of rounded noise of level 2 so many come once in 10^7 pixels
ROUNDED = 1e-6  # of the largest value, within which one is 0

# How far the background may be off a Rayleigh law, beside `CHANCE` standard errors. On slices of a head of
# 91 x 109 pixels at levels from 2 to 40 of 255 all were told; of 302 other pictures none was taken for one.
RATIO, SKEWNESS, DISTANCE, CHANCE = 0.06, 0.04, 0.012, 3.0
MOST_COUNTS = 10.0  # photons on average, from which on counts are too narrow; 3.7 have the ratio of Rayleigh's law
SHARED = 0.2  # correlation of neighbours
# Deviation over mean of the flattest blocks that are `BRIGHT` times as bright as the background. Radar images have
# Rayleigh noise everywhere, with .52; where nothing is so bright they cannot be told apart, but for a scan of
# nothing, whose blocks are all alike.
STEADY, BRIGHT, FLATTEST, ENOUGH, EMPTY = 0.35, 2.0, 0.1, 10, 0.95
BODY = (
    0.03  # relative error of the variance by weak signal beside a body, on the same slices; at level 40 it was .08
)

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Values = NDArray[np.float64]


def rician_of(values: Floats, missing: Flags | None = None, zero: float = 0.0) -> Rician | None:
    """Return the law of a picture of magnitudes, None for any other picture.

    A part of a scan holds no signal, and there magnitudes have the law of Rayleigh,

        p(r) = (r / s^2) exp(-r^2 / (2 s^2)),   E r^2 = 2 s^2,

    with a mean 1.91 times the standard deviation and a skewness of .63. The darkest blocks that are alike have to
    be so distributed, white, and nothing may be negative.

    Parameters
    ----------
    values : ndarray
        (H, W, C) on any scale.
    missing : ndarray, optional
        bool, (H, W): where nothing was measured.
    zero : float
        Where a magnitude of 0 lies on the scale of `values`.

    References
    ----------
    Sijbers, Poot, den Dekker and Pintjens, "Automatic estimation of the noise variance from the histogram of a
    magnetic resonance image", Physics in Medicine and Biology 52(5), 2007: a Rayleigh law of the background.
    """
    r = np.asarray(values, np.float64) - zero
    there = np.ones(r.shape[:2], np.bool_) if missing is None else ~missing
    if not there.any() or r[there].min() < -ROUNDED * r[there].max():
        return None
    r[np.abs(r) <= ROUNDED * r[there].max()] = 0.0
    blocks = _blocks(r, there)
    if len(blocks) * SIDE**2 < FEWEST:
        return None
    dark = _background(blocks)
    if len(dark) * SIDE**2 < FEWEST or not (_rayleigh(dark) and _white(dark) and _steady(blocks, dark)):
        return None
    return Rician(
        float(np.sqrt(np.mean(dark**2) / 2)), zero, relative_error=float(np.hypot(dark.size**-0.5, BODY))
    )


def _blocks(r: Values, there: Flags) -> Values:
    """Return the blocks, (N, SIDE, SIDE), of all channels that hold neither padding nor what is missing."""
    found = []
    for channel in np.moveaxis(r, -1, 0):
        usable = there & ~_padding(channel)
        height, width = (n - n % SIDE for n in channel.shape)
        tiles, kept = (
            array[:height, :width].reshape(height // SIDE, SIDE, width // SIDE, SIDE).swapaxes(1, 2)
            for array in (channel, usable)
        )
        found.append(tiles[kept.all((2, 3))])
    return np.concatenate(found)


def _padding(channel: Values) -> Flags:
    """Return where zeros stand in long runs."""
    from scipy.ndimage import binary_opening

    empty = channel == 0
    across, down = (binary_opening(empty, np.ones(shape)) for shape in ((1, RUN), (RUN, 1)))
    return np.asarray(across | down, np.bool_)


def _background(blocks: Values) -> Values:
    """Return the darkest blocks that are alike: those around the lowest mode of their mean square."""
    power = np.log(np.maximum(np.mean(blocks**2, axis=(1, 2)), np.finfo(float).tiny))
    mode = float(np.quantile(power, DARK)) + NEAR / 2
    for _ in range(SHIFTS):
        alike = np.abs(power - mode) < NEAR
        if not alike.any():
            break
        mode = float(np.median(power[alike]))
    alike = np.abs(power - mode) < NEAR
    level = np.exp(mode / 2) / 2**0.5
    found: Values = blocks[alike & (blocks.max((1, 2)) < FARTHEST * level)]
    return found


def _rayleigh(dark: Values) -> bool:
    """Say whether values have the mean over the deviation, the skewness and the distribution of Rayleigh's law."""
    r = np.sort(dark.ravel())
    mean, deviation = float(r.mean()), float(r.std())
    if not deviation > 0:
        return False
    error = CHANCE / len(r) ** 0.5
    skewness = float(np.mean((r - mean) ** 3)) / deviation**3
    pi = np.pi
    expected = (pi / (4 - pi)) ** 0.5, 2 * pi**0.5 * (pi - 3) / (4 - pi) ** 1.5
    near = abs(mean / deviation - expected[0]) < RATIO + 1.6 * error
    skewed = abs(skewness - expected[1]) < SKEWNESS + 3 * error
    if not (near and skewed):
        return False
    found, counts = np.unique(r, return_counts=True)
    middles = (found[1:] + found[:-1]) / 2  # rounded values stand for all between these
    wanted = 1 - np.exp(-(middles**2) / np.mean(r**2))
    apart = np.abs(np.cumsum(counts)[:-1] / len(r) - wanted)
    chance = np.diff(wanted, prepend=0.0, append=1.0)
    return bool(apart.max() < DISTANCE + 0.4 * error) and not _counted(found, counts, chance)


def _counted(found: Values, counts: NDArray[np.int64], chance: Values) -> bool:
    """Say whether values that so many have are counts of photons rather: `chance` is that of each by Rayleigh."""
    from scipy.stats import poisson

    photons = found / np.diff(found).min()
    mean = float(photons @ counts / counts.sum())
    if mean > MOST_COUNTS:
        return False
    told = poisson.logpmf(np.rint(photons), mean) - np.log(np.maximum(chance, np.finfo(float).tiny))
    return bool(told @ counts > 0)


def _white(dark: Values) -> bool:
    """Say whether neighbours share nothing."""
    away = dark - dark.mean()
    pairs = (away[:, 1:] * away[:, :-1]).mean(), (away[:, :, 1:] * away[:, :, :-1]).mean()
    return bool(max(map(abs, pairs)) < SHARED * away.var())


def _steady(blocks: Values, dark: Values) -> bool:
    """Say whether noise does not grow with the signal, or there is no signal."""
    mean = blocks.mean((1, 2))
    bright = mean > BRIGHT * dark.mean()
    if bright.sum() < ENOUGH:
        chance = 2 * np.sqrt((1 - EMPTY) / len(blocks))
        return bool(len(dark) / len(blocks) > EMPTY - chance)
    share = blocks[bright].std((1, 2)) / mean[bright]
    return bool(np.quantile(share, FLATTEST) < STEADY)
