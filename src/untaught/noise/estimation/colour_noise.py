"""Noise that neighbours share in a colour picture: its spectrum in grey and in the two colour differences.

Pictures are much smoother in colour than in brightness, so the noise is seen in the colour differences even where
there is no flat spot.
"""

from __future__ import annotations

import numpy as np

from untaught.noise.estimation.correlation import HIGHEST, MIDDLE, band, kernel_of, lags_of
from untaught.noise.estimation.dct_patches import SIZE, Patches
from untaught.noise.estimation.patch_pairs import TOLD, Shade, Values, flattest_colours, shades_of, untextured
from untaught.noise.estimation.quantile_line import lower_line
from untaught.noise.models.correlated import Correlated

FEW = 2  # shades; with fewer that tell of the colours nothing is said by them
MOST_TAIL = 0.5  # highest over middle frequencies of the colours; white noise on 13 pictures: 0.72 to 1.46
LEAST = 0.3 / 255  # colours with less noise than this tell nothing
SMOOTHED = 2.0  # variance of grey over colours in every shade from which on a camera has smoothed the colours
BROAD = 0.4  # i + j = 3 over 1 in the colours from which on they were not smoothed
MOST_GREY = 1.5  # variance of grey over colours that were not smoothed, for JPEG takes away more of these
MOST_SMOOTHED = 30.0  # variance of grey over colours: smoothing some 6 x 6 pixels gives that; beyond is texture
EVEN = (2.8, 1.9)  # 30 % over 5 % quantile of a shade's energies, grey and colours; texture varies more than noise
# One standard error of the variance, relative. On 18 simulated cameras (`benchmarks/lib/cameras.py`) it was 0.5;
# on five real ones the variance was 1.3 to 5.3 times what was found.
DOUBTFUL = 1.0
LOWER = 0.25  # quantile of the shades: texture can only raise their variance
REACH = 7  # lags -REACH..REACH


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
    Measured in every shade by `patch_pairs.shades_of`. Where the highest frequencies of the colours hold much less
    than the middle ones, the noise is shared. Grey cannot be told from texture so well: unless a camera has
    smoothed the colours, in which case grey is noisier than they in every shade, it is taken to have their
    spectrum, or little more. Of the shades, those of least variance over a line through them count most.

    References
    ----------
    M. Lebrun, M. Colom and J.-M. Morel, "Multiscale image blind denoising", IEEE TIP 24(10), 2015, whose noise
    depends on signal and frequency and is measured on the flattest patches of every shade.
    """
    colours = flattest_colours(patches)
    if colours[TOLD].mean() > LEAST**2 and _tail(colours[None]) > MOST_TAIL:
        return True, None
    shades = shades_of(patches, clip)
    if sum(shade.variance.mean() > LEAST**2 for shade in shades) < FEW:
        return False, None
    seen = [shade for shade in shades if shade.variance[1:].mean() > LEAST**2]
    told = len(seen) >= FEW
    if told and np.median([_tail(shade.spectrum[1:]) for shade in seen]) > MOST_TAIL:
        return True, None
    spreads = np.sort([shade.spread for shade in shades], axis=0)[1]  # of all but one shade
    if not (spreads < EVEN).any():
        return told, None
    if told and (_broad(seen) or not all(_louder(shade) for shade in seen)):
        return True, _law(shades, clip, smoothed=False)
    if spreads[0] > EVEN[0] or np.median([_tail(shade.spectrum[:1]) for shade in shades]) > MOST_TAIL:
        return told, None
    return True, _law(shades, clip, smoothed=True)


def _broad(shades: list[Shade]) -> bool:
    """Say whether the colours were not smoothed: their noise goes on to higher frequencies."""
    rows = [shade.spectrum[1:].mean(0) for shade in shades]
    return bool(np.median([band(row, (3, 4)) / max(band(row, (1, 2)), 1e-20) for row in rows]) > BROAD)


def _louder(shade: Shade) -> bool:
    """Say whether grey is noisier than the colours, as it is where these were smoothed."""
    return bool(untextured(shade.spectrum[0])[TOLD].mean() > SMOOTHED * shade.variance[1:].mean())


def _tail(spectra: Values) -> float:
    """Return the highest over the middle frequencies, the mean over some colours."""
    return float(np.mean([band(row, HIGHEST) / max(band(row, MIDDLE), 1e-20) for row in spectra]))


def _law(shades: list[Shade], clip: tuple[bool, bool], smoothed: bool) -> Correlated:
    """Return the law; `smoothed` says that colours were smoothed more than grey and do not tell of it."""
    means = np.array([shade.mean for shade in shades])
    spectra = []
    lines = []
    for colour in range(3):
        rows = np.array([shade.spectrum[colour] for shade in shades])
        if colour == 0:
            rows = np.array([untextured(row) for row in rows])
        if colour == 0 and not smoothed:
            told = np.array([shade.spectrum[1:].mean(0) for shade in shades])
            rows = np.clip(rows, told, MOST_GREY * told)
        line, weight = lower_line(means, rows[:, TOLD].mean(1), LOWER)
        middle = float(np.mean(line))
        spectra.append(_pooled(rows, weight) * middle)
        lines.append(line)
    total = np.array([_with_mean(row) for row in spectra])
    colours = total[1:].mean()
    if smoothed and colours > LEAST**2:
        total[0] *= min(1.0, MOST_SMOOTHED * colours / total[0].mean())
    line = np.mean(lines, 0)
    every = total.mean(1)
    return Correlated(
        float(np.sqrt(every.mean())),
        kernel_of(lags_of(total.mean(0), REACH)),
        shades=((0.0, float(line[0])), (1.0, float(line[1]))),
        colours=tuple((float(v), kernel_of(lags_of(row, REACH))) for v, row in zip(every, total, strict=True)),
        relative_error=DOUBTFUL,
        clip=clip,
    )


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
