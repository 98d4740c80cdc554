"""Noise that neighbours share in a colour picture: its spectrum in grey and in the two colour differences.

Pictures are much smoother in colour than in brightness, so the noise is seen in the colour differences even where
there is no flat spot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.noise.correlation import HIGHEST, MIDDLE, band, kernel_of, lags_of
from untaught.noise.models import Correlated
from untaught.noise.patches import FREQUENCY, SIZE, Patches, kept_by_clipping
from untaught.noise.sigma import KEPT

SHADES = 5  # of brightness, equally many patches in each
FLAT = 0.01  # share of a shade's patches that is used, the flattest
FEW = 2  # shades; with fewer that tell of the colours nothing is said by them
FEWEST = 40  # patches of a shade that are used
MOST_TAIL = 0.5  # highest over middle frequencies of the colours; white noise on 13 pictures: 0.72 to 1.46
LEAST = 0.3 / 255  # colours with less noise than this tell nothing
SMOOTHED = 2.0  # grey over colours in every shade from which on a camera has smoothed the colours
MOST_SMOOTHED = 4.0  # grey over colours: smoothing 4 x 4 pixels gives that, and what is beyond is texture
EVEN = 2.8  # 30 % over 5 % quantile of a shade's energies; texture varies more than noise
TEXTURED = 1.25  # a shade whose variance lies this far above the others' line holds texture
DOUBT = 0.1  # what a factor of e between black and white costs, in quantile loss
LOWER = 0.4  # the quantile
TILT = 0.8  # black and white differ by less than a factor of (1 + TILT) / (1 - TILT)
LIGHT = 0.1  # weight of such a shade
REACH = 7  # lags -REACH..REACH

Values = NDArray[np.float64]
# Grey, red - blue, green - magenta, orthonormal, as in `methods.colours`, which needs torch.
OPPONENT = np.array([[3**-0.5] * 3, [2**-0.5, 0.0, -(2**-0.5)], [6**-0.5, -2 * 6**-0.5, 6**-0.5]])
TOLD: NDArray[np.bool_] = FREQUENCY > 0


@dataclass(frozen=True)
class Shade:
    """The flattest patches of one brightness: `mean`, their `spectrum` (3, 64), how unevenly energy lies."""

    mean: float
    spectrum: Values
    spread: float

    @property
    def variance(self) -> Values:
        """Variance of one pixel in each of the three colours, without the mean of the patch."""
        return np.asarray(self.spectrum[:, TOLD].mean(1))


def shared_by_colours(patches: Patches, clip: tuple[bool, bool]) -> tuple[bool, Correlated | None]:
    """Tell whether the noise of a colour picture is shared between neighbours, and its law if it is.

    Parameters
    ----------
    patches : Patches
        Of three channels.
    clip : tuple of bool
        Whether values were cut at 0 and at 1.

    Returns
    -------
    tuple of bool and (Correlated or None)
        Whether the colours hold enough noise to tell, and the law; None where the noise is white.

    Notes
    -----
    In every shade the flattest patches are found by one half of their coefficients, a chessboard, and measured by
    the other half. Where the highest frequencies of the colours hold much less than the middle ones, the noise is
    shared. Grey cannot be told from texture so well: unless a camera has smoothed the colours, in which case grey
    is noisier than they in every shade, it is taken to have their spectrum. Of the shades, those of least variance
    over a line through them count most.

    References
    ----------
    M. Lebrun, M. Colom and J.-M. Morel, "Multiscale image blind denoising", IEEE TIP 24(10), 2015, whose noise
    depends on signal and frequency and is measured on the flattest patches of every shade.
    """
    shades = _shades(patches, clip)
    seen = [shade for shade in shades if shade.variance[1:].mean() > LEAST**2]
    told = len(seen) >= FEW
    if told and np.median([_tail(shade.spectrum[1:]) for shade in seen]) > MOST_TAIL:
        return True, None
    if told and not all(shade.variance[0] > SMOOTHED**2 * shade.variance[1:].mean() for shade in seen):
        return True, _law(shades, clip, smoothed=False)
    even = sorted(shade.spread for shade in shades)[1] < EVEN
    if not even or np.median([_tail(shade.spectrum[:1]) for shade in shades]) > MOST_TAIL:
        return told, None
    return True, _law(_shades(patches, clip, colours=1), clip, smoothed=True)


def _tail(spectra: Values) -> float:
    """Return the highest over the middle frequencies, the mean over some colours."""
    return float(np.mean([band(row, HIGHEST) / max(band(row, MIDDLE), 1e-20) for row in spectra]))


def _shades(patches: Patches, clip: tuple[bool, bool], colours: int = 3) -> list[Shade]:
    """Measure every shade on its flattest patches, judged by the first `colours`."""
    dct = np.einsum("oc,ncf->nof", OPPONENT, patches.dct.astype(np.float64))
    power = np.square(dct)
    level = float(np.sqrt(np.quantile(power[:, 1:, TOLD].mean((1, 2)), 0.1)))
    seen = kept_by_clipping(patches.mean, level, clip).min(1) > KEPT
    if seen.sum() >= SHADES * FEWEST:
        power, dct = power[seen], dct[seen]
    brightness = dct[:, 0, 0] / SIZE / np.sqrt(3)
    unit = np.quantile(power[:, :, TOLD].mean(2), 0.1, axis=0) + 1e-9
    found = []
    for inside in np.array_split(np.argsort(brightness, kind="stable"), SHADES):
        spectrum = np.zeros((3, SIZE * SIZE))
        count = min(len(inside), max(FEWEST, int(FLAT * len(inside))))
        for parity in (0, 1):
            judge = (parity == FREQUENCY % 2) & TOLD
            energy = (power[inside][:, :colours, judge].mean(2) / unit[:colours]).mean(1)
            flat = inside[np.argpartition(energy, count - 1)[:count]]
            spectrum[:, ~judge] = power[flat][:, :, ~judge].mean(0)
        few, more = np.quantile(power[inside, 0][:, TOLD].mean(1), [0.05, 0.3])
        found.append(Shade(float(brightness[inside].mean()), spectrum, float(more / max(few, 1e-20))))
    return found


def _law(shades: list[Shade], clip: tuple[bool, bool], smoothed: bool) -> Correlated:
    """Return the law; `smoothed` says that colours were smoothed more than grey and do not tell of it."""
    means = np.array([shade.mean for shade in shades])
    spectra = []
    lines = []
    for colour in range(3):
        rows = np.array([shade.spectrum[colour] for shade in shades])
        if colour == 0 and not smoothed:
            rows = np.array([shade.spectrum[1:].mean(0) for shade in shades])
        line, weight = _lower_line(means, rows[:, TOLD].mean(1))
        middle = float(line.mean())
        spectra.append(_pooled(rows, weight) * middle)
        lines.append(line)
    total = np.array([_with_mean(row) for row in spectra])
    colours = total[1:].mean()
    if smoothed and colours > LEAST**2:
        total[0] *= min(1.0, MOST_SMOOTHED**2 * colours / total[0].mean())
    line = np.mean(lines, 0)
    every = total.mean(1)
    return Correlated(
        float(np.sqrt(every.mean())),
        kernel_of(lags_of(total.mean(0), REACH)),
        shades=(float(line[0]), float(line[1])),
        colours=tuple((float(v), kernel_of(lags_of(row, REACH))) for v, row in zip(every, total, strict=True)),
        relative_error=0.2,
        clip=clip,
    )


def _lower_line(mean: Values, variance: Values) -> tuple[Values, Values]:
    """Fit variance = (1 - mean) dark + mean bright to the lower points; return (dark, bright) and the weights.

    Quantile regression of the logarithms, over a table of lines: texture can only raise a shade's variance.
    Unequal ends cost a little, for shades that lie close together tell no slope.
    """
    log = np.log(np.maximum(variance, 1e-12))
    middle = np.linspace(log.min() - 1, log.max() + 1, 121)[:, None, None]
    tilt = np.linspace(-TILT, TILT, 37)[None, :, None]
    off = log - middle - np.log(1 + tilt * (2 * mean - 1))
    cost = np.where(off > 0, LOWER * off, (LOWER - 1) * off).sum(2)
    cost += DOUBT * np.abs(np.log((1 + tilt) / (1 - tilt)))[:, :, 0]
    best = np.unravel_index(int(np.argmin(cost)), cost.shape)
    slope = float(tilt[0, best[1], 0])
    line = np.exp(middle[best[0], 0, 0]) * np.array([1 - slope, 1 + slope])
    return np.asarray(line), np.where(off[best] > np.log(TEXTURED), LIGHT, 1.0)


def _pooled(rows: Values, weight: Values) -> Values:
    """Return the mean of spectra (K, 64) once each has unit variance."""
    unit = rows / np.maximum(rows[:, TOLD].mean(1, keepdims=True), 1e-20)
    return np.asarray(np.average(unit, axis=0, weights=weight))


def _with_mean(spectrum: Values) -> Values:
    """Put in the variance of a patch's mean, which the picture hides, as the lowest frequencies go on."""
    found = spectrum.copy()
    low, diagonal = spectrum[[1, SIZE]].mean(), max(spectrum[SIZE + 1], 1e-20)
    found[0] = low * np.clip(low / diagonal, 1.0, 3.0)
    return np.asarray(found)
