"""The error of x where the mean of y is estimated, and where what takes the one to the other is a root."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from untaught.noise import NoiseModel
from untaught.operators.filters import local_mean
from untaught.risk.estimate import Risk
from untaught.risk.sure import Terms

WINDOW = 9  # side of the window over which the error of the mean is taken for one: it is less where nothing is
LEAST = 1e-3  # of the mean error: of that of any pixel, whose divergence is known but roughly
NODES = 15  # of the quadrature over the error
# Of what the bend adds to the error, one standard error. Of pixels without signal the formula has half of the true
# error; what the divergence tells of theirs is too large by as much. On simulated volumes, most of them empty,
# both together came out 1 to 1.15 times as large as the truth.
BENT = 0.3


def through_bend(noise: NoiseModel, image: Tensor, terms: Terms, risk: Risk, local: Tensor) -> Risk:
    """Return the mean squared error of u(f) about x, for the one of f about m = E[y | x], u(m) = x.

        (1/N) sum_i E (u(f_i) - u(f_i - e))^2,   e ~ N(0, r_i),   mean of the r_i = risk,

    r as Tweedie's formula spreads it over the picture. A magnitude's mean is sigma sqrt(pi / 2) + O(x^2) where the
    signal x is weak, so that u is a root there: its squared slope, by which small errors grow elsewhere, has no
    mean. What e takes f to lies as far from f as m does, and is never below the least mean.

    Parameters
    ----------
    noise : NoiseModel
        With `unclip`, u.
    image : Tensor
        f, (1, C, H, W).
    terms : Terms
        Of f.
    risk : Risk
        Of f about m.
    local : Tensor
        Of every value, by Tweedie's formula, (1, C, H, W); 0 where it is not known.
    """
    spread = _spread(local, terms.valid)
    value, low, high = (
        _mean_error(noise, image, terms.valid, max(risk.value + step * risk.error, 0.0) * spread)
        for step in (0.0, -1.0, 1.0)
    )
    bent = max(value - risk.value, 0.0)
    return Risk(value, math.hypot(max(high - value, value - low), BENT * bent))


def _spread(local: Tensor, valid: Tensor) -> Tensor:
    """Return the error of every pixel over that of all; 1 where nobody knows."""
    keep = valid.expand_as(local)
    count = keep.sum().clamp_min(1)
    even = local_mean(local * keep, WINDOW) / local_mean(keep, WINDOW).clamp_min(1 / WINDOW**2)
    mean = float((even * keep).sum() / count)
    if mean <= 0:
        return torch.ones_like(local)
    even = even.clamp_min(LEAST * mean)
    found: Tensor = even / ((even * keep).sum() / count)
    return found


def _mean_error(noise: NoiseModel, image: Tensor, valid: Tensor, variance: Tensor) -> float:
    """Return the mean of E (u(f) - u(f - e))^2 over honest pixels, by quadrature."""
    places, weights = np.polynomial.hermite_e.hermegauss(NODES)
    here, deviation = noise.unclip(image), variance.sqrt()
    total = torch.zeros_like(image)
    for place, weight in zip(places.tolist(), (weights / weights.sum()).tolist(), strict=True):
        total += weight * (here - noise.unclip(image - place * deviation)).square()
    keep = valid.expand_as(total)
    return float((total * keep).sum() / keep.sum().clamp_min(1))
