"""Whether neighbouring pixels share their noise, from one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.clipping import clipping
from untaught.noise.estimation.dct_patches import (
    FREQUENCY,
    SIZE,
    Flags,
    Floats,
    Patches,
    collect,
    dct_basis,
    kept_by_clipping,
)
from untaught.noise.estimation.quantile_line import lower_curve
from untaught.noise.estimation.sigma import ENOUGH, KEPT, level_of
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.gaussian import Gaussian

FLAT = 0.05  # share of the patches that is used, the flattest
REACH = 3  # lags -REACH..REACH in both directions
MIDDLE = (7, 9)  # i + j of the coefficients that the others are held against
HIGHEST = (11, 15)
LOWEST = (1, 4)
TAIL = 0.53  # highest over middle frequencies; white noise with much fine texture stays above
TAIL_UP = 1.6
HEAD = 0.75  # lowest over middle; texture can only raise it
COARSE = (2, 6)  # where noise that was blurred and texture look alike but for their spread
SHADES = 8  # of brightness, equally many patches in each
FEWEST = 200  # patches of a shade
FLAT_OF_SHADE = 0.15  # share of them that is used
SPREAD = 2.2  # 30 % over 5 % quantile of that energy over the patches; texture varies more than noise

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Correlation:
    """What neighbouring pixels share.

    Attributes
    ----------
    map : ndarray
        Autocorrelation of the noise, shape (7, 7), lags -3..3 down and across, 1 in the middle. Texture
        that is left raises it a little everywhere, so small values mean nothing.
    spectrum : ndarray
        Variance of the DCT coefficients of flat 8 x 8 patches, shape (8, 8), [0, 1] units squared.
    tail, head : float
        Highest and lowest over middle frequencies of `spectrum`; 1 for white noise.
    spread : float
        How unevenly coarse energy lies over the flatter patches; noise is spread evenly.
    statistic : float
        Standard errors by which log `tail` is off 0.
    white : bool
        Whether the noise can be taken as independent between pixels.
    sigma : float
        Standard deviation of one pixel, all frequencies taken together, [0, 1] units.
    """

    map: Values
    spectrum: Values
    tail: float
    head: float
    spread: float
    statistic: float
    white: bool
    sigma: float

    @property
    def beyond_gradients(self) -> float:
        """Standard deviation of what no smooth gradient has, [0, 1] units: waves across, and fast ones along."""
        across = self.spectrum[1:, 1:].mean()
        along = np.concatenate([self.spectrum[0, SIZE // 2 :], self.spectrum[SIZE // 2 :, 0]]).mean()
        return float(np.sqrt(max(across, along)))

    @property
    def kernel(self) -> tuple[tuple[float, ...], ...]:
        """Zero-phase kernel, 7 x 7, whose noise has this autocorrelation: the root of its spectrum."""
        return kernel_of(self.map)

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-able summary."""
        return {
            "white": self.white,
            "tail": round(self.tail, 4),
            "head": round(self.head, 4),
            "spread": round(min(self.spread, 1e6), 3),
            "statistic": round(self.statistic, 2),
            "map": [[round(float(v), 4) for v in row] for row in self.map],
        }


def correlation(
    values: Floats, missing: Flags | None = None, model: NoiseModel | None = None
) -> Correlation | None:
    """Measure the autocorrelation of the noise at lags up to 3 pixels.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C), [0, 1] units.
    missing : ndarray, optional
        bool, shape (H, W), True where there is no measurement.
    model : NoiseModel, optional
        Level and clipping where they are known; measured where not given.

    Returns
    -------
    Correlation or None
        None where the picture has too few whole patches.

    Notes
    -----
    The spectrum is that of the flattest patches. The DCT coefficients are split like a chessboard; the
    patches are chosen by the ones and measured by the others, then the other way round, so that the
    choice does not bend the spectrum. Texture raises low frequencies, so the decision looks at the
    highest against the middle ones: for white noise they are equal, for noise that was blurred,
    demosaiced or compressed the highest are missing. They are missing in soft texture too, but that
    is not as evenly spread over the picture as noise is.
    """
    patches = collect(values, missing)
    if patches is None:
        return None
    if model is None:
        ends = clipping(values, missing).clip
        model = Gaussian(level_of(patches, ends).sigma, clip=ends)
    return correlation_of(patches, model)


def correlation_of(patches: Patches, model: NoiseModel) -> Correlation:
    """Return the correlation of the noise in `patches`; see `correlation`."""
    found = _one_pass(patches, model)
    if found.white or not any(model.clip):
        return found
    # the level that was handed in is that of white noise: too low to know which patches are clipped
    return _one_pass(patches, Gaussian(found.sigma, clip=model.clip))


def _one_pass(patches: Patches, model: NoiseModel) -> Correlation:
    share = kept_by_clipping(patches.mean, model.level, model.clip)
    usable = share.min(1) > KEPT
    if usable.sum() >= ENOUGH:
        patches, share = patches.take(usable), share[usable]
    spectrum, count = _spectrum(patches, share)
    middle = max(band(spectrum, MIDDLE), 1e-20)
    tail, head = band(spectrum, HIGHEST) / middle, band(spectrum, LOWEST) / middle
    number = count * patches.overlap * patches.dct.shape[1]
    statistic = abs(np.log(max(tail, 1e-6))) * np.sqrt(number * _size(HIGHEST) / 4)
    flat = TAIL < tail < TAIL_UP and head > HEAD
    spread = _spread(patches, spectrum)
    white = bool(flat or statistic < 4 or spread > SPREAD)
    sigma = float(np.sqrt(spectrum.mean()))
    grid = spectrum.reshape(SIZE, SIZE)
    return Correlation(lags_of(spectrum), grid, tail, head, spread, float(statistic), white, sigma)


def _spectrum(patches: Patches, share: Floats) -> tuple[Values, int]:
    power = (np.square(patches.dct) / share[:, :, None]).mean(1).astype(np.float64)
    count = min(len(power), max(ENOUGH, int(FLAT * len(power))))
    spectrum = np.full(SIZE * SIZE, np.median(power[:, FREQUENCY > 0]) + 1e-20)
    for _ in range(3):
        new = np.zeros_like(spectrum)
        for parity in (0, 1):
            judge = (parity == FREQUENCY % 2) & (FREQUENCY > 0)
            weight = 1 / np.maximum(spectrum[judge], 1e-3 * spectrum.max() + 1e-20)
            flat = np.argpartition(power[:, judge] @ weight, count - 1)[:count]
            new[~judge] = power[flat][:, ~judge].mean(0)
        new[0] = new[[1, SIZE, SIZE + 1]].mean()  # the mean is the picture's, not the noise's
        spectrum = new
    return spectrum, count


def level_by_shade(patches: Patches, spectrum: Values) -> tuple[tuple[float, float], ...]:
    """Return (brightness, variance over that of `spectrum`) of every shade, a smooth curve below its texture.

    In each shade the flattest patches are chosen as for the spectrum itself, which is taken to be the same in all.
    """
    mean = patches.mean.mean(1)
    power = np.square(patches.dct).mean(1).astype(np.float64) / np.maximum(spectrum, 1e-3 * spectrum.max() + 1e-20)
    count = min(SHADES, len(mean) // FEWEST)
    if count < 2:
        return ()
    found = []
    for inside in np.array_split(np.argsort(mean, kind="stable"), count):
        few = max(FEWEST // 2, int(FLAT_OF_SHADE * len(inside)))
        ratios = []
        for parity in (0, 1):
            judge = (parity == FREQUENCY % 2) & (FREQUENCY > 0)
            told = (parity != FREQUENCY % 2) & (FREQUENCY > 0)
            flat = inside[np.argpartition(power[inside][:, judge].mean(1), few - 1)[:few]]
            ratios.append(power[flat][:, told].mean())
        found.append((float(mean[inside].mean()), float(np.mean(ratios))))
    curve = np.exp(lower_curve(np.log(np.maximum([ratio for _, ratio in found], 1e-6))))
    return tuple((place, float(ratio)) for (place, _), ratio in zip(found, curve, strict=True))


def _spread(patches: Patches, spectrum: Values) -> float:
    coarse = (COARSE[0] <= FREQUENCY) & (COARSE[1] > FREQUENCY)
    weight = 1 / (spectrum[coarse] + 1e-3 * spectrum.max() + 1e-20)
    energy = np.square(patches.dct[:, :, coarse]).mean(1) @ weight
    few, more = np.quantile(energy, [0.05, 0.3])
    return float(more / max(few, 1e-9 * energy.max() + 1e-20))


def band(spectrum: Values, edges: tuple[int, int]) -> float:
    """Return the mean of a spectrum (64,) over a band of i + j."""
    return float(spectrum[(edges[0] <= FREQUENCY) & (edges[1] > FREQUENCY)].mean())


def _size(band: tuple[int, int]) -> int:
    return int(((band[0] <= FREQUENCY) & (band[1] > FREQUENCY)).sum())


def lags_of(spectrum: Values, reach: int = REACH) -> Values:
    """Return the autocorrelation, (2 reach + 1, 2 reach + 1), of noise with DCT variances (64,)."""
    basis = dct_basis().astype(np.float64)
    covariance = (basis.T @ (spectrum[:, None] * basis)).reshape((SIZE,) * 4)
    lags = np.zeros((2 * reach + 1,) * 2)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            down = np.diagonal(covariance, dy, 0, 2)
            lags[dy + reach, dx + reach] = np.diagonal(down, dx, 0, 1).mean()
    return np.asarray(lags / max(lags[reach, reach], 1e-20))


def kernel_of(lags: Values) -> tuple[tuple[float, ...], ...]:
    """Return the zero-phase kernel, of the shape of `lags`, whose noise has this autocorrelation."""
    size = 4 * SIZE
    reach = np.arange(-(len(lags) // 2), len(lags) // 2 + 1)
    padded = np.zeros((size, size))
    padded[np.ix_(reach, reach)] = lags
    root = np.sqrt(np.maximum(np.fft.fft2(padded).real, 0.0))
    kernel = np.fft.ifft2(root).real[np.ix_(reach, reach)]
    return tuple(tuple(float(v) for v in row) for row in kernel)
