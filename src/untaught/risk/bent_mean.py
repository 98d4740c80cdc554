"""The error of x where the mean of y is estimated, and where what takes the one to the other is a root."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from untaught.operators.filters import local_mean
from untaught.risk.background import Background
from untaught.risk.estimate import Risk
from untaught.risk.sure import Terms

# Side of the window over which Tweedie's formula is averaged: a pixel's divergence is known but roughly.
WINDOW = 3
LEAST = 1e-3  # of the mean error: of that of any pixel
NODES = 15  # of the quadrature over the error
# Signal, in deviations of the noise, below which the error of the mean goes over into that of values without. Of
# 15 simulated volumes the PSNR was stated .19 dB too low without this, .11 with it, and .08 at 1.5.
WEAK = 1.0
# Of what the bend adds to the error, and of that of what may have no signal, one standard error. On simulated
# volumes the latter came out .9 to 1.6 times as large as the truth; in pictures without such a place, dark pixels
# are taken for it.
BENT = 0.5
EACH = 0.1  # of the error of a picture, one standard error: of planes of simulated volumes, .06 to .25


def through_bend(answer: Background, terms: Terms, risk: Risk, local: Tensor) -> Risk:
    """Return the mean squared error of s = (1 - P) u(f) about x, for the one of f about m = E[y | x], u(m) = x.

        (1/N) sum_i P_i s_i^2 + (1 - P_i) E (s_i - u(f_i - e))^2,   e ~ N(0, r_i),   mean of the r_i = risk,

    P the probability that there is no signal, and r as Tweedie's formula spreads it over the picture. A
    magnitude's mean is sigma sqrt(pi / 2) + O(x^2) where the signal x is weak, so that u is a root there: its
    squared slope, by which small errors grow elsewhere, has no mean. What e takes f to lies as far from f as m
    does, and is never below the least mean.

    Parameters
    ----------
    answer : Background
        f, its law, and P.
    terms : Terms
        Of f.
    risk : Risk
        Of f about m where there probably is signal.
    local : Tensor
        Of every value, by Tweedie's formula, (1, C, H, W); 0 where it is not known.
    """
    spread = _spread(answer, terms, local, risk.value)
    empty = _mean(answer.probability * (answer.signal - answer.none).square(), terms.valid)
    value, low, high = (
        _mean_error(answer, terms.valid, max(risk.value + step * risk.error, 0.0) * spread)
        for step in (0.0, -1.0, 1.0)
    )
    bent = max(value - risk.value, 0.0) + empty
    return Risk(value + empty, math.hypot(max(high - value, value - low), BENT * bent, EACH * (value + empty)))


def _spread(answer: Background, terms: Terms, local: Tensor, risk: float) -> Tensor:
    """Return the error of every pixel over the risk of those with signal.

    Where the signal is weak it goes over, as a power of what is lacking, into that of values without signal.
    """
    valid = terms.valid.expand_as(local)
    signal = answer.left_out(terms).valid.expand_as(local)
    even = local_mean(local * valid, WINDOW) / local_mean(valid, WINDOW).clamp_min(1 / WINDOW**2)
    mean = _mean(even, signal)
    if mean <= 0:
        return torch.ones_like(local)
    even = even.clamp_min(LEAST * mean) / mean
    empty = risk * _mean(even * answer.probability, valid) / max(_mean(answer.probability, valid), 1e-12)
    if 0 < answer.error < empty:
        lacking = (1 - answer.strength / WEAK).clamp_min(0)
        even = even * (answer.error / empty) ** lacking
    found: Tensor = even / max(_mean(even, signal), 1e-12)
    return found


def _mean_error(answer: Background, valid: Tensor, variance: Tensor) -> float:
    """Return the mean of (1 - P) E (s - u(f - e))^2 over honest pixels, by quadrature."""
    places, weights = np.polynomial.hermite_e.hermegauss(NODES)
    signal, deviation = answer.signal, variance.sqrt()
    total = torch.zeros_like(signal)
    for place, weight in zip(places.tolist(), (weights / weights.sum()).tolist(), strict=True):
        total += weight * (signal - answer.noise.unclip(answer.mean - place * deviation)).square()
    return _mean((1 - answer.probability) * total, valid)


def _mean(values: Tensor, valid: Tensor) -> float:
    keep = valid.expand_as(values)
    return float((values * keep).sum() / keep.sum().clamp_min(1))
