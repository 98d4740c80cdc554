"""Moments of a Rician magnitude r = |t + n1 + i n2|, n1 and n2 standard normal, for arrays and tensors."""

from __future__ import annotations

import functools
import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.noise.models.piecewise import namespace

GREATEST = 1e3  # signal from which on the variance is 1 within 1e-6; further up it is lost in rounding
NORMAL = 12.0  # signal from which on Stein's kernel is the variance, within its inverse cube, 6e-4
ABOVE = 8.0  # standard deviations over the signal up to which Stein's kernel is tabulated
SIGNALS, MAGNITUDES = 193, 513  # nodes of its table
FINE = 16  # steps of the integrals in one of the table
RAYLEIGH = math.sqrt(math.pi / 2)  # mean where there is no signal
MIDDLES = 16_385  # nodes of the table of the means
# Near t = 0 the mean is RAYLEIGH (1 + t^2 / 4), the variance 2 - pi / 2 + (1 - pi / 4) t^2: by the mean, a line.
RISE = (1 - math.pi / 4) / (RAYLEIGH / 4)

Values = NDArray[np.float64]


def mean_of(t: Any) -> Any:
    """Return E r = sqrt(pi / 2) L(-t^2 / 2), L the Laguerre polynomial of order 1/2.

    L(-2 z) = (1 + 2 z) I0(z) exp(-z) + 2 z I1(z) exp(-z),   z = t^2 / 4
    """
    z = t * t / 4
    i0, i1 = _bessel(z)
    return RAYLEIGH * ((1 + 2 * z) * i0 + 2 * z * i1)


def variance_of(t: Any) -> Any:
    """Return Var r = 2 + t^2 - (E r)^2."""
    t = namespace(t).clip(t, 0.0, GREATEST)
    mean = mean_of(t)
    return 2 + t * t - mean * mean


@functools.cache
def means() -> tuple[Values, Values, Values]:
    """Tabulate the inverse of the mean.

    Returns
    -------
    tuple of ndarray
        E r, from that without signal on; E r - t, how much too large it is; Var r; each of shape (`MIDDLES`,).
    """
    t = GREATEST * np.linspace(0.0, 1.0, MIDDLES) ** 2
    mean = mean_of(t)
    return mean, mean - t, variance_of(t)


@functools.cache
def kernels() -> Values:
    """Tabulate Stein's kernel of r.

        tau(r) = (1 / p(r)) int_r^inf (s - m) p(s) ds,   p(r) = r exp(-(r^2 + t^2) / 2) I0(r t)

    Returns
    -------
    ndarray
        (SIGNALS, MAGNITUDES): at t evenly spaced from 0 to `NORMAL`, and r from 0 to t + `ABOVE`.
    """
    t = np.linspace(0.0, NORMAL, SIGNALS)[:, None]
    step = (t + ABOVE) / ((MAGNITUDES - 1) * FINE)
    reach = MAGNITUDES - 1 + MAGNITUDES // 2  # so much further that nothing is left of the density
    r = step * np.arange(reach * FINE + 1)
    density = r * np.exp(-((r - t) ** 2) / 2) * _bessel(r * t)[0]
    weight = (r - (r * density).sum(1, keepdims=True) / density.sum(1, keepdims=True)) * density
    inside = step * (weight[:, 1:] + weight[:, :-1]) / 2
    below = -np.cumsum(inside, 1)[:, FINE - 1 :: FINE]
    above = np.cumsum(inside[:, ::-1], 1)[:, ::-1][:, FINE::FINE]
    # Beyond the mean all that is summed is of one sign; before it, what is summed from the other end is.
    count = MAGNITUDES - 1
    p, away = density[:, FINE::FINE][:, :count], weight[:, FINE::FINE][:, :count]
    total = np.where(away > 0, above[:, :count], below[:, :count])
    table = np.zeros((SIGNALS, MAGNITUDES))
    table[:, 1:] = total / np.maximum(p, np.finfo(float).tiny)
    return table


def kernel_of(r: Any, t: Any) -> Any:
    """Return Stein's kernel of magnitudes `r` of signals `t`, tensors of float64 and of one shape."""
    torch = namespace(r)
    table = torch.as_tensor(kernels(), device=r.device)
    down = (t.clamp(0, NORMAL) / NORMAL * (SIGNALS - 1)).clamp(max=SIGNALS - 1 - 1e-9)
    row = down.floor().long()
    places = (r / (t.clamp(max=NORMAL) + ABOVE) * (MAGNITUDES - 1)).clamp(0, MAGNITUDES - 1 - 1e-9)
    column = places.floor().long()
    upper, lower = (torch.lerp(table[at, column], table[at, column + 1], places - column) for at in (row, row + 1))
    return torch.where(t < NORMAL, torch.lerp(upper, lower, down - row), variance_of(t))


def _bessel(z: Any) -> tuple[Any, Any]:
    """Return I0(z) exp(-z) and I1(z) exp(-z), in the type of `z`."""
    if namespace(z) is np:
        from scipy.special import i0e, i1e

        return i0e(z), i1e(z)
    special = sys.modules["torch"].special
    return special.i0e(z), special.i1e(z)
