"""The law of a camera's noise, found by taking away more and more until no more of it comes off.

Cameras smooth the noise of colours over many pixels and that of grey over some, so most of it is slower than a
patch of 8 x 8 pixels, and the flattest patches are those in which the camera itself has taken most away. So the
noise is judged by what a denoiser takes out of flat parts of a picture, which are told by the denoised picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from untaught.methods.non_local.dct_pyramid import bands, enlarged, halved
from untaught.methods.non_local.noise_covariance import Covariance
from untaught.methods.non_local.single_scale import STANDARD, NonLocal, Stage, denoise_nonlocal
from untaught.noise.estimation.correlation import kernel_of
from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.estimation.measure import NoiseReport, measure
from untaught.noise.estimation.quantile_line import lower_line
from untaught.noise.models.correlated import Correlated
from untaught.noise.opponent_colours import OPPONENT
from untaught.problem import Problem

if TYPE_CHECKING:
    from torch import Tensor


Values = NDArray[np.float64]

EDGES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # of the octaves, as shares of the highest frequency
CENTRES = (1 / 48, 3 / 64, 3 / 32, 3 / 16, 3 / 8)  # cycles a pixel
AREA = np.diff(np.square([0.0, *EDGES]))  # share of the frequencies that lie in each
GRID = 64  # pixels: the square on which a spectrum is drawn
REACH = 7  # lags -REACH..REACH
# Power of grey and of the colours in each octave before the first sweep, in squares of 1/255: roughly a camera's.
START = ((18.0, 13.5, 9.0, 4.5, 1.1), (18.0, 11.0, 3.4, 0.45, 0.045))
# Factors on the level, sweep after sweep. Far apart first, for next to nothing is known.
SWEEPS = tuple(tuple(2.0 ** (k / 2) for k in steps) for steps in (range(-4, 9, 2), range(-2, 4), range(-2, 3)))
FASTEST = (0.1 / 255) ** 2  # least power: far below that of rounding
SLOWER = 2.0  # times the power of colours in the second octave is the most that can be in the first
GREYER = (1.5, 2.0, 2.0)  # power of grey in the last three octaves over that of slow noise, at most
SHADES = 4
FLAT = 0.3  # share of each shade's pixels
AROUND = 11  # pixels: side of the square in which flatness is judged
QUANTILE = 0.35  # of the shades: texture can only add to what is taken away
# The flat parts hold less noise than the whole picture, for that is where cameras smooth it. On 12 simulated
# cameras (`benchmarks/lib/cameras.py`) the level came out at 0.85 of the true one, its logarithm scattered by
# 0.28.
FLATTER = 1.2
# One standard error of the variance, relative. On 14 simulated cameras the logarithm of the level
# (joined with that of patches) was off by 0.1 and scattered by 0.37; the rest is because the error of the picture
# grows faster than the level where this is too low, as noise that is not known of stays.
DOUBTFUL = 1.2
OF_PATCHES = 1 / 3  # weight of the logarithm of the level that patches tell: too low in flat pictures
SIDE = 192  # pixels of a window
MOST = 3  # windows; bounds the time


@dataclass(frozen=True)
class Powers:
    """Spectral density of the noise in each octave: of grey and of the colours, (2, 5), [0, 1] units squared."""

    octaves: Values
    shades: tuple[float, float] = (1.0, 1.0)

    def law(self, clip: tuple[bool, bool] = (False, False)) -> Correlated:
        """Return the law of such noise, its spectrum interpolated between the octaves."""
        frequency = np.abs(np.fft.fftfreq(GRID))
        at = np.log(np.maximum(np.maximum(frequency[:, None], frequency), 1 / (2 * GRID)))
        reach = np.arange(-REACH, REACH + 1)
        fading = np.minimum(1.0, 1.3 * np.cos(np.pi * reach / (2 * (REACH + 1))) ** 2)
        parts = []
        for row in self.octaves:
            power = np.exp(np.interp(at, np.log(CENTRES), np.log(row)))
            lags = np.fft.ifft2(power).real[np.ix_(reach, reach)] * np.outer(fading, fading)
            parts.append((float(power.mean()), kernel_of(lags)))
        grey, colour = parts
        every = (grey, colour, colour)
        sigma = float(np.sqrt(np.mean([share for share, _ in every])))
        shades = tuple(enumerate(self.shades))
        return Correlated(sigma, grey[1], shades, every, relative_error=DOUBTFUL, clip=clip)

    def at(self, mean: Values) -> Values:
        """Return the variance at a brightness over that of mid-grey."""
        return np.asarray((1 - mean) * self.shades[0] + mean * self.shades[1])


@dataclass(frozen=True)
class Taken:
    """What was taken out of the flat parts at each of the K levels assumed.

    Attributes
    ----------
    energy : ndarray
        Mean square in every shade, colour and octave, (K, `SHADES`, 3, 5).
    mean : ndarray
        Brightness of every shade's flat parts, (K, `SHADES`).
    factors : ndarray
        The levels over that of the law, (K,).
    """

    energy: Values
    mean: Values
    factors: Values


def measure_noise(values: Floats, missing: Flags | None = None, step: float = 0.0) -> NoiseReport:
    """Find out what the noise of one picture is, that of cameras by denoising; see `noise.measure`."""
    return measure(values, missing, refine=law_of_camera, step=step)


def law_of_camera(values: Floats, missing: Flags | None, found: Correlated) -> Correlated | None:
    """Find the law of a camera's noise; None where the picture has too little room or too many holes.

        E_f(s) / s^2  is largest where  s = the level of the noise,

    with E_f(s) the energy that a denoiser takes out of the flat parts when it is told the level s. Below the true
    level a Wiener filter takes out s^4 / sigma^2, above it all there is, which is sigma^2. That holds in every
    octave of the spectrum, whatever share of the noise the denoiser can tell from the picture.

    Parameters
    ----------
    values : ndarray
        float32, (H, W, 3), [0, 1] units.
    missing : ndarray, optional
        bool, (H, W).
    found : Correlated
        What patches tell (`colour_noise.shared_by_colours`): its level is joined with the one found here, for the
        two err in other pictures.

    Notes
    -----
    Texture slower than the noise hides it in grey. But the noise of a sensor is white, and what is slower than
    a camera's smoothing stays so: grey is taken to hold as much slow noise as the colours do.
    """
    windows = _windows(values, missing)
    if not windows:
        return None
    powers = Powers(np.array(START) / 255**2)
    for factors in SWEEPS:
        powers = updated(powers, taken(windows, powers.law(), factors))
    law = replace(powers, octaves=FLATTER**2 * powers.octaves).law(found.clip)
    before, now = (float(np.square(noise.std(values)).mean()) for noise in (found, law))
    return replace(law, sigma=law.sigma * (before / now) ** (OF_PATCHES / 2))


def _windows(values: Floats, missing: Flags | None) -> list[Floats]:
    """Cut up to `MOST` squares without holes out of a picture, far from each other."""
    height, width = values.shape[:2]
    side = min(SIDE, height, width)
    corners = [(i, j) for i in _spread(height, side) for j in _spread(width, side)]
    whole = [(i, j) for i, j in corners if missing is None or not missing[i : i + side, j : j + side].any()]
    chosen = (
        [whole[k] for k in np.unique(np.linspace(0, len(whole) - 1, MOST).round().astype(int))] if whole else []
    )
    return [values[i : i + side, j : j + side] for i, j in chosen] if side >= 4 * AROUND else []


def _spread(size: int, side: int) -> list[int]:
    """Return where squares start that cover a length as evenly as they can without overlap."""
    return [int(v) for v in np.linspace(0, size - side, size // side).round()]


def taken(windows: Sequence[Floats], law: Correlated, factors: Sequence[float]) -> Taken:
    """Denoise windows with the law at several levels and measure what comes off their flat parts."""
    import torch

    ys = [torch.from_numpy(np.ascontiguousarray(w.transpose(2, 0, 1), np.float32))[None] for w in windows]
    rows = []
    for factor in factors:
        noise = replace(law, sigma=law.sigma * factor)
        rows.append(_energies(ys, [_denoised(y, noise) for y in ys]))
    energy, mean = (np.array(part) for part in zip(*rows, strict=True))
    return Taken(energy, mean, np.asarray(factors))


def _denoised(y: Tensor, noise: Correlated) -> Tensor:
    """Denoise a window quickly: two passes over patches; what is slow, at lower resolution."""
    import torch
    from torch.nn import functional as F

    stages: tuple[Stage, ...] = STANDARD[:2]
    first = NonLocal(stages).solve(Problem(y, torch.ones_like(y), noise)).image
    variance, covariance = noise.variance_at_mean(first), Covariance.of(noise, y)
    answer, small, scale = first, y, 1
    while min(small.shape[2:]) >= 2 * SIDE // 3:
        small, scale = halved(small), 2 * scale
        variance = F.avg_pool2d(variance, 2, ceil_mode=True, count_include_pad=False)
        covariance = covariance.halved()
        slow = enlarged(denoise_nonlocal(small, variance, stages, covariance=covariance), y.shape[2:])
        answer = answer + bands(slow - answer, (1 / (2 * scale),))[0]
    return answer


def _energies(ys: Sequence[Tensor], answers: Sequence[Tensor]) -> tuple[Values, Values]:
    """Return what was taken out of the flat parts of every shade, (`SHADES`, 3, 5), and their brightness."""
    pictures = np.array([np.einsum("oc,chw->ohw", OPPONENT, a[0].numpy()) for a in answers])
    parts = [[b[0].numpy() for b in bands(y - a, EDGES)] for y, a in zip(ys, answers, strict=True)]
    rest = np.square(np.einsum("oc,nbchw->nobhw", OPPONENT, np.array(parts)))
    rough, grey = _roughness(pictures), pictures[:, 0] / np.sqrt(3)
    ends = np.quantile(grey, np.linspace(0, 1, SHADES + 1))
    energy, mean = [], []
    for low, high in pairwise(ends):
        inside = (grey >= low) & (grey <= high)
        flat = inside & (rough <= np.quantile(rough[inside], FLAT))
        energy.append(rest.transpose(1, 2, 0, 3, 4)[:, :, flat].mean(2))
        mean.append(grey[flat].mean())
    return np.array(energy), np.array(mean)


def _roughness(pictures: Values) -> Values:
    """Return the variance around every pixel, all colours together; (N, 3, H, W) to (N, H, W)."""
    from scipy.ndimage import uniform_filter

    size = (1, 1, AROUND, AROUND)
    square, mean = uniform_filter(np.square(pictures), size), uniform_filter(pictures, size)
    return np.asarray(np.maximum(square - np.square(mean), 0).sum(1))


def updated(powers: Powers, found: Taken) -> Powers:
    """Return the powers with each octave, and each shade, at the level at which most came off for its square."""
    steps = np.log(found.factors)
    square = np.square(found.factors)
    assumed = powers.at(found.mean)
    told = found.energy / (assumed * square[:, None])[:, :, None, None]
    grey, colour = np.log(told[:, :, 0].mean(1)), np.log(told[:, :, 1:].mean((1, 2)))
    octaves = powers.octaves.copy()
    octaves[0, 2:] *= np.exp([2 * highest(grey[:, b], steps) for b in (2, 3, 4)])
    octaves[1, 1:] *= np.exp([2 * highest(colour[:, b], steps) for b in (1, 2, 3, 4)])
    octaves = _bounded(np.maximum(octaves, FASTEST))
    off = np.log(found.energy[:, :, 0, 3:].sum(2) + found.energy[:, :, 1:, 1:].sum((2, 3)))
    off -= np.log(assumed * square[:, None])
    variance = assumed.mean(0) * np.exp([2 * highest(off[:, k], steps) for k in range(SHADES)])
    mean = found.mean.mean(0)
    (dark, bright), _ = lower_line(mean, variance, QUANTILE)
    middle = (dark + bright) / 2
    line = Powers(octaves, (dark / middle, bright / middle))
    # The octaves were pooled over the shades as they are, the line runs below them.
    lower = np.log(middle * line.at(mean) / variance).mean() + np.log(assumed.mean(0) / line.at(mean)).mean()
    return replace(line, octaves=np.exp(lower) * octaves)


def _bounded(octaves: Values) -> Values:
    """Hold slow noise, which texture hides, to what the faster noise of the colours says."""
    grey, colour = octaves
    colour[0] = colour[1] * np.clip(np.sqrt(colour[1] / colour[2]), 1.0, SLOWER)
    grey[:2] = colour[:2]
    grey[2:] = np.minimum(grey[2:], np.array(GREYER) * colour[1])
    return np.array([grey, colour])


def highest(values: Values, at: Values) -> float:
    """Return where values over evenly spaced places are largest, by the parabola through the three largest."""
    k = int(np.argmax(values))
    if not 0 < k < len(values) - 1:
        return float(at[k])
    before, here, after = values[k - 1 : k + 2]
    curve = before - 2 * here + after
    return float(at[k] + (0.5 * (before - after) / curve * (at[1] - at[0]) if curve else 0.0))
