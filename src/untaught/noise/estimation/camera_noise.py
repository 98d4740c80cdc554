"""The noise of a camera's picture: shared over many pixels, less of it in colours, more or less by brightness.

What is left of a sensor's white noise once the mosaic was filled in, colours were smoothed, detail was sharpened
and the file was compressed has much the same spectrum in all cameras. So the spectrum is known, and what has to be
found is how much of it there is at every brightness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from untaught.noise.estimation.correlation import kernel_of
from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.estimation.quantile_line import lower_curve
from untaught.noise.models.correlated import Correlated
from untaught.noise.opponent_colours import OPPONENT

EDGES = (0.0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # of the octaves, as shares of the highest frequency
CENTRES = (1 / 48, 3 / 64, 3 / 32, 3 / 16, 3 / 8)  # cycles a pixel
AREA = np.diff(np.square(EDGES))  # share of the frequencies that lie in each
GRID = 64  # pixels: the square on which a spectrum is drawn
MATCHED = 4  # times, for the means over octaves to be right
REACH = 7  # lags -REACH..REACH
# Spectral density in each octave, of grey and of the two colour differences, up to a factor: roughly that of the
# simulated cameras (`benchmarks/lib/cameras.py`). At low frequencies all three have the sensor's, for no camera
# smooths so widely. Of ten pictures of three makes, none was off by more than a factor of two from its own best
# multiple, and told that multiple and the true curve of brightness, denoising was .2 dB below what the true
# spectrum gave.
SPECTRUM = np.array([[18.0, 13.5, 9.0, 4.5, 0.55], [18.0, 11.0, 3.4, 0.45, 0.045]])
BLOCK = 16  # pixels: side of the squares whose energies are compared, half overlapping
# Octave of grey (0) or colours (1), and the quantile of the blocks whose energy is taken for that of noise alone.
# Texture is in all octaves of some blocks; compression has taken the fast noise out of others.
TOLD = ((0, 3, 0.1), (0, 4, 0.2), (1, 2, 0.2), (1, 1, 0.2))
MOST_OVER_GREY = 2.0  # factor on SPECTRUM over that of grey alone: colours may be full of a picture that is smooth
SHADES = 6  # of brightness, equally many blocks in each
FEWEST = 40  # blocks of a shade
CUT = 0.05  # share of values at an end of the range from which on a block holds no noise to measure
# The blocks that hold least hold less noise than the rest, for that is where cameras and files take it away.
QUIETER = 1.4  # variance of all blocks over that
# Density of the colours in the fourth octave over the second: .04 in SPECTRUM, .3 of noise blurred by 3 x 3 pixels
SLOW = 0.12
FAST = 0.4  # in the fifth over the fourth: .1 in SPECTRUM, up to .25 with what rounding adds, 1 of white noise
FAST_GREY = 0.2  # the same of grey: .12 in SPECTRUM, .07 to .19 in 16 pictures of cameras, .25 to .5 in texture
# Median of the correlation of grey with colours in fine detail: .1 to .26 in 16 pictures of cameras, .23 to .5 of
# the detail of scenes.
DEPENDENT = 0.3
# The 35 % over the 5 % quantile of a shade's energies in the fourth octave. Noise lies evenly, texture does not:
# 1.3 to 2.6 in 14 of 16 pictures of cameras, above 2.9 in all of 14 scans and photographs without noise.
EVEN = (2.9, 3.4)  # up to the first all of it is noise, from the second on none is
# One standard error of the variance, relative.
DOUBTFUL = 0.6
TINY = 1e-3 / 255**2  # of the factor on SPECTRUM: as good as none
LEAST_SIDE = 48  # pixels
LEAST = 0.5 / 255**2  # of the factor on SPECTRUM: its noise has a level of .75 / 255, which is called none

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Blocks:
    """What blocks hold.

    Attributes
    ----------
    brightness : ndarray
        Mean of each, (N,).
    energy : ndarray
        Mean square in grey and in the colour differences, by octaves, (N, 2, 5).
    shared : ndarray
        Correlation of grey with either colour difference in the fourth octave, (N, 2).
    """

    brightness: Values
    energy: Values
    shared: Values

    def take(self, index: NDArray[np.intp]) -> Blocks:
        """Return the blocks at `index`."""
        return Blocks(self.brightness[index], self.energy[index], self.shared[index])

    def independent(self) -> bool:
        """Say whether grey and colours differ in their fine detail in the calmer half of the blocks."""
        calm = self.energy[:, 0, 3] <= np.median(self.energy[:, 0, 3])
        return bool(np.median(np.abs(self.shared[calm]), axis=0).max() < DEPENDENT)

    def level(self) -> float:
        """Return the factor on `SPECTRUM` that their least energies tell."""
        told = [
            np.quantile(self.energy[:, colour, octave], quantile) / (SPECTRUM * AREA)[colour, octave]
            for colour, octave, quantile in TOLD
        ]
        middle = np.exp(np.median(np.log(np.maximum(told, TINY))))
        return float(min(middle, MOST_OVER_GREY * max(told[:2])))

    def smoothed(self) -> bool:
        """Say whether energy falls with frequency as it does where a camera has smoothed the noise."""
        grey, colours = (np.quantile(self.energy[:, k], (0.1, 0.2), axis=0) / AREA for k in (0, 1))
        falls = colours[1, 3] < SLOW * colours[1, 1] and colours[1, 4] < FAST * colours[1, 3]
        return bool(falls and grey[1, 4] < FAST_GREY * grey[0, 3])

    def spread(self) -> float:
        """Return how unevenly the fast energy of grey lies over them."""
        few, more = np.quantile(self.energy[:, 0, 3], [0.05, 0.35])
        return float(more / max(few, 1e-20))


def camera_noise(values: Floats, missing: Flags | None, clip: tuple[bool, bool]) -> Correlated | None:
    """Measure the noise of a colour picture that a camera has processed.

        E = q-quantile over the blocks of a shade of the energy in an octave,
        v(shade) = 1.4 median over octaves of E / E of `SPECTRUM`

    Parameters
    ----------
    values : ndarray
        float32, (H, W, 3), [0, 1] units.
    missing : ndarray or None
        bool, (H, W).
    clip : tuple of bool
        Whether values were cut at 0 and at 1.

    Returns
    -------
    Correlated or None
        None where there is no more than what counts as no noise, or what there is may be texture.

    References
    ----------
    M. Colom, A. Buades and J.-M. Morel, "Nonparametric noise estimation method for raw images", JOSA A 31(4),
    2014, for curves of noise by quantiles of blocks; the rest is ours.
    """
    if min(values.shape[:2]) < LEAST_SIDE:
        return None
    blocks = _blocks(values, missing)
    if len(blocks.brightness) < FEWEST or not (blocks.smoothed() and blocks.independent()):
        return None
    order = np.argsort(blocks.brightness, kind="stable")
    parts = np.array_split(order, max(1, min(SHADES, len(order) // FEWEST)))
    shades = [blocks.take(part) for part in parts]
    share = np.interp(np.median([shade.spread() for shade in shades]), EVEN, (1.0, 0.0))
    told = np.log([max(shade.level(), 1e-3 * LEAST) for shade in shades])
    level = share * QUIETER * np.exp(lower_curve(told))
    if level.mean() < LEAST:
        return None
    curve = [(float(shade.brightness.mean()), float(v)) for shade, v in zip(shades, level, strict=True)]
    return law_of(curve, clip)


def _blocks(values: Floats, missing: Flags | None) -> Blocks:
    colours = np.einsum("oc,hwc->ohw", OPPONENT, values.astype(np.float64))
    bands = [octaves(colour) for colour in colours]
    energy = [[_means(np.square(band)) for band in row] for row in bands]
    by_block = np.array(energy).transpose(2, 0, 1)
    pair = np.stack([by_block[:, 0], by_block[:, 1:].mean(1)], 1)
    useless = ((values <= values.min()) | (values >= values.max())).any(2)
    if missing is not None:
        useless = useless | missing
    kept = _means(useless.astype(np.float64)) < CUT
    fine = [_means(bands[0][3] * other[3]) for other in bands[1:]]
    shared = np.stack(fine, 1) / np.sqrt(by_block[:, :1, 3] * by_block[:, 1:, 3] + 1e-20)
    return Blocks(_means(values.mean(2))[kept], pair[kept], shared[kept])


def octaves(picture: Values) -> list[Values]:
    """Split (H, W) into its octaves, orthogonal projections, by the discrete cosine transform."""
    coefficients = fft.dctn(picture, norm="ortho")
    rows, columns = (np.arange(n) / n for n in picture.shape)
    frequency = np.maximum(rows[:, None], columns)
    inside = np.digitize(frequency, EDGES[1:-1])
    return [np.asarray(fft.idctn(coefficients * (inside == k), norm="ortho")) for k in range(len(AREA))]


def _means(x: Values) -> Values:
    """Return the means of half overlapping blocks, in a row."""
    sums = np.pad(x.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    height, width = x.shape
    rows, columns = (np.arange(0, n - BLOCK + 1, BLOCK // 2) for n in (height, width))
    low, high = np.ix_(rows, columns), np.ix_(rows + BLOCK, columns + BLOCK)
    across = np.ix_(rows, columns + BLOCK), np.ix_(rows + BLOCK, columns)
    return np.asarray((sums[high] - sums[across[0]] - sums[across[1]] + sums[low]).ravel() / BLOCK**2)


def law_of(curve: list[tuple[float, float]], clip: tuple[bool, bool]) -> Correlated:
    """Return the law of `SPECTRUM` times a factor that follows (brightness, factor)."""
    reach = np.arange(-REACH, REACH + 1)
    fading = np.minimum(1.0, 1.3 * np.cos(np.pi * reach / (2 * (REACH + 1))) ** 2)
    parts = []
    for row in SPECTRUM:
        power = _interpolated(row)
        lags = np.fft.ifft2(power).real[np.ix_(reach, reach)] * np.outer(fading, fading)
        parts.append((float(power.mean()), kernel_of(lags)))
    grey, colour = parts
    every = (grey, colour, colour)
    middle = float(np.mean([factor for _, factor in curve]))
    sigma = float(np.sqrt(middle * np.mean([share for share, _ in every])))
    return Correlated(sigma, grey[1], tuple(curve), every, relative_error=DOUBTFUL, clip=clip)


def _interpolated(density: Values) -> Values:
    """Return a smooth spectrum, (`GRID`, `GRID`), whose means over the octaves are `density`."""
    frequency = 2 * np.abs(np.fft.fftfreq(GRID))
    highest = np.maximum(frequency[:, None], frequency)
    inside = np.digitize(highest, EDGES[1:-1])
    at = np.log(np.maximum(highest / 2, 1 / (2 * GRID)))
    nodes = density.copy()
    for _ in range(MATCHED):
        power: Values = np.exp(np.interp(at, np.log(CENTRES), np.log(nodes)))
        nodes *= density / np.array([power[inside == k].mean() for k in range(len(AREA))])
    return power
