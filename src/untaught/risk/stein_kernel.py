"""Stein's identity for noise that was cut off at the ends of the range."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from untaught.noise.models.base import TINY, NoiseModel
from untaught.noise.models.counted import kernels, place
from untaught.noise.models.poisson_gaussian import PoissonGaussian

FAR = 8.0  # standard deviations; beyond, the density is no number any more


def stein_kernel(noise: NoiseModel, y: Tensor, mean: Tensor) -> Tensor:
    """Return the weight tau that makes Stein's identity hold for clipped noise.

        E (y - m) g(y) = E tau(y) g'(y),   y = min(1, max(0, x + s n)),  n standard normal,  m = E y
        tau(y) = s^2 - s (e_1 Phi(a) + e_0 Phi(-a)) / phi(a),   a = (y - x) / s
        e_1 = E max(0, x + s n - 1),   e_0 = E max(0, -x - s n)

    and 0 for a value that was cut: a small change of it changes nothing. Without clipping tau = s^2. The mean of
    tau is Var y (take g(y) = y), but it is not constant: near an end of the range a value tells less of its noise.

    Where photons were counted, and few, it is `counted.kernels`.

    It follows from Cov(y, g(y)) = E g'(y) K(y) / p(y), K(t) = E (y - m) 1[y > t], by integration by parts.

    Parameters
    ----------
    noise : NoiseModel
        With `clip`, the ends that were cut.
    y : Tensor
        What was observed, any shape, [0, 1] units.
    mean : Tensor
        An estimate of E[y | x], of the same shape.

    Returns
    -------
    Tensor
        tau, of the same shape, from 0 to s^2.

    References
    ----------
    Stein, Annals of Statistics 1981, for the identity; Ley, Reinert and Swan, "Stein's method for comparison of
    univariate distributions", Probability Surveys 14, 2017, for kernels of other laws.
    """
    low, high = noise.clip
    if not (low or high):
        return noise.variance_at_mean(mean)
    x = noise.unclip(mean).double()
    if isinstance(noise, PoissonGaussian) and noise.counts:
        return _of_counts(noise, y, x)
    s: Tensor = noise.std(x).clamp_min(TINY)
    a = ((y - x) / s).clamp(-FAR, FAR)
    over = _excess((1 - x) / s) if high else torch.zeros_like(x)
    under = _excess(x / s) if low else torch.zeros_like(x)
    share = (over * _cumulative(a) + under * _cumulative(-a)) / _density(a)
    tau = s.square() * (1 - share).clamp(0, 1)
    cut = ((y <= 0) & low) | ((y >= 1) & high)
    return torch.where(cut, torch.zeros_like(tau), tau).to(y.dtype)


def _of_counts(noise: PoissonGaussian, y: Tensor, x: Tensor) -> Tensor:
    """Return tau where photons were counted, and few."""
    table = torch.as_tensor(kernels(noise.gain, noise.clip), device=y.device)
    nodes, counts = table.shape
    at = place(x)
    below = at.floor().long().clamp(0, nodes - 2)
    k = (y.double() / noise.gain).round().long().clamp(0, counts - 1)
    tau = torch.lerp(table[below, k], table[below + 1, k], at - below)
    return torch.where((y >= 1) & noise.clip[1], torch.zeros_like(tau), tau).to(y.dtype)


def _density(a: Tensor) -> Tensor:
    return torch.exp(-a.square() / 2) / math.sqrt(2 * math.pi)


def _cumulative(a: Tensor) -> Tensor:
    found: Tensor = torch.special.ndtr(a)
    return found


def _excess(b: Tensor) -> Tensor:
    """Return E max(0, n - b) of a standard normal n, without cancellation for large b."""
    b = b.clamp(-FAR, FAR)
    return _density(b) - b * _cumulative(-b)
