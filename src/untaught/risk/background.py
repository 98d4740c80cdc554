"""Where a picture of magnitudes holds no signal, told by how the answer lies about the least mean."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.noise import NoiseModel
from untaught.operators.filters import local_mean
from untaught.risk.sure import Terms

WINDOW = 3  # side of the mean that is taken of the answer: what is empty is so over more than a pixel
FEWEST = 100  # values below the least mean, of fewer nothing is told
REACH, STEP, SMOOTH = 8.0, 0.1, 0.2  # of the histogram, in deviations of values without signal; of its kernel
LIKELY = 0.5  # probability from which on a value is taken for one without signal


@dataclass(frozen=True)
class Background:
    """An answer f of a law whose mean is never below l, and how probable it is that there is no signal.

        P(x = 0 | f) = n(2 l - f) / n(f)  above l,   1  below

    with n the count of values f, here means over 3 x 3 pixels. Where there is no signal f errs about l to both
    sides alike, and nothing else lies below: what does, mirrored, is the law of the values without signal above.

    Attributes
    ----------
    noise : NoiseModel
        With `least_mean`, l, and `unclip`, u.
    mean : Tensor
        f, an estimate of E[y | x], (1, C, H, W).
    probability : Tensor
        Of the same shape, 0 to 1.
    error : float
        Mean squared error of f where there is no signal, of f below l; 0 where nothing is without signal.

    References
    ----------
    Efron, Tibshirani, Storey and Tusher, "Empirical Bayes analysis of a microarray experiment", Journal of the
    American Statistical Association 96, 2001: the local false discovery rate. Its law of what is null, mirrored,
    is of this package.
    """

    noise: NoiseModel
    mean: Tensor
    probability: Tensor
    error: float

    @property
    def signal(self) -> Tensor:
        """Return (1 - P) u(f), the posterior mean where u(f) is taken for that of what has signal."""
        found: Tensor = self.none + (1 - self.probability) * (self.noise.unclip(self.mean) - self.none)
        return found

    @property
    def none(self) -> float:
        """Return x where there is no signal."""
        return float(self.noise.unclip(np.asarray(_least(self.noise))))

    @property
    def strength(self) -> Tensor:
        """Return u(f) above the value without signal, in deviations of the noise, (1, C, H, W)."""
        signal = self.noise.unclip(self.mean)
        return (signal - self.none) / self.noise.std(signal).clamp_min(1e-12)

    def left_out(self, terms: Terms) -> Terms:
        """Return terms that are valid where there probably is signal."""
        return replace(terms, valid=terms.valid * (self.probability < LIKELY))


def signal_of(noise: NoiseModel, mean: Tensor, valid: Tensor) -> Tensor:
    """Return x of an estimate of E[y | x]; parameters as of `background`, of any law."""
    return noise.unclip(mean) if noise.least_mean is None else background(noise, mean, valid).signal


def background(noise: NoiseModel, mean: Tensor, valid: Tensor) -> Background:
    """Return where an answer has no signal; each channel is told by itself.

    Parameters
    ----------
    noise : NoiseModel
        With a `least_mean`.
    mean : Tensor
        Estimate of E[y | x], (1, C, H, W).
    valid : Tensor
        1 where a pixel counts, (1, 1, H, W) or (1, C, H, W).
    """
    keep, least = valid.expand_as(mean), _least(noise)
    even = local_mean(mean * keep, WINDOW) / local_mean(keep, WINDOW).clamp_min(1 / WINDOW**2)
    found, below = torch.zeros_like(mean), keep * (mean < least)
    for channel in range(mean.shape[1]):
        above = (even - least)[0, channel].double().cpu().numpy()
        counted = keep[0, channel].cpu().numpy() > 0
        found[0, channel] = torch.as_tensor(probability(above, counted)).to(mean)
    error = float((below * (mean - least).square()).sum() / below.sum().clamp_min(1))
    return Background(noise, mean, found, error if bool(found.any()) else 0.0)


def probability(above: NDArray[np.float64], counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return P(x = 0 | f) of f - l, by a histogram of those that count.

    It does not rise again with f; it is 0 of all where too few lie below.
    """
    below = above[counted & (above < 0)]
    scale = float(np.sqrt(np.mean(below**2))) if len(below) >= FEWEST else 0.0
    if scale <= 0:
        return np.zeros_like(above)
    half = round(REACH / STEP)
    edges = STEP * np.arange(-half, half + 1)
    counts = np.histogram(above[counted] / scale, edges)[0].astype(float)
    far = np.arange(-3, 3 + 1e-9, STEP / SMOOTH)
    kernel = np.exp(-(far**2) / 2)
    counts = np.convolve(counts, kernel / kernel.sum(), "same")
    share = np.minimum(counts[half - 1 :: -1] / np.maximum(counts[half:], 1e-9), 1.0)
    share = np.minimum.accumulate(share)
    middle = (edges[half:-1] + edges[half + 1 :]) / 2
    return np.interp(above / scale, middle, share, left=1.0, right=0.0)


def _least(noise: NoiseModel) -> float:
    if noise.least_mean is None:
        raise TypeError(f"no least mean of {noise.kind} noise")
    return noise.least_mean
