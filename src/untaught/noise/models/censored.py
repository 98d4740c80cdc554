"""Moments of a Gaussian censored at 0, at 1, or at both, for numpy arrays and torch tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.noise.models.piecewise import Piecewise, namespace

FAR = 12.0  # standard deviations; beyond this a tail is below 1e-32 and an end may as well be absent
VANISHED = 40.0  # standard deviations from which on the density is 0 in double precision; their square is finite
STEEP = 8.0  # standard deviations; beyond, Stein's kernel is a quotient of numbers that are next to nothing
BEYOND = 3.0  # standard deviations outside of the range; the value is as good as surely cut there

Clip = tuple[bool, bool]


def normal_cdf(z: Any) -> Any:
    """Return Phi(z), the distribution function of the standard normal law, in the type of `z`."""
    xp = namespace(z)
    if xp is not np:
        return xp.special.ndtr(z)
    from scipy.special import ndtr

    return ndtr(z)


def normal_pdf(z: Any) -> Any:
    """Return phi(z), the density of the standard normal law, in the type of `z`."""
    z = namespace(z).clip(z, -VANISHED, VANISHED)
    return namespace(z).exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def censored_mean(x: Any, s: Any, clip: Clip) -> Any:
    """Return E[y] of y = clip(x + s n), n ~ N(0, 1), cut at 0 and 1 as `clip` says.

    With a = (0 - x) / s and b = (1 - x) / s (infinite where an end is not clipped):
    E[y] = 1 - Phi(b) + x (Phi(b) - Phi(a)) + s (phi(a) - phi(b)).
    """
    below, above = clip
    low_p, low_d = (normal_cdf(-x / s), normal_pdf(x / s)) if below else (0.0, 0.0)
    if not above:
        return x * (1.0 - low_p) + s * low_d
    high_p, high_d = normal_cdf((1.0 - x) / s), normal_pdf((1.0 - x) / s)
    return (1.0 - high_p) + x * (high_p - low_p) + s * (low_d - high_d)


def censored_variance(x: Any, s: Any, clip: Clip) -> Any:
    """Return Var[y] of y = clip(x + s n), n ~ N(0, 1), cut at 0 and 1 as `clip` says.

    With z = (y - x) / s, which is n cut to [a, b]:
    E[z]   = a Phi(a) + b (1 - Phi(b)) + phi(a) - phi(b),
    E[z^2] = a^2 Phi(a) + b^2 (1 - Phi(b)) + Phi(b) - Phi(a) + a phi(a) - b phi(b),
    Var[y] = s^2 (E[z^2] - E[z]^2).
    """
    xp = namespace(x)
    if not any(clip):
        return s * s + xp.zeros_like(x)
    lowest, highest = xp.full_like(x, -FAR), xp.full_like(x, FAR)
    a = xp.clip(-x / s, -FAR, FAR) if clip[0] else lowest
    b = xp.clip((1.0 - x) / s, -FAR, FAR) if clip[1] else highest
    below, above, da, db = normal_cdf(a), normal_cdf(-b), normal_pdf(a), normal_pdf(b)
    first = a * below + b * above + da - db
    second = a * a * below + b * b * above + (1.0 - above - below) + a * da - b * db
    return s * s * xp.clip(second - first * first, 0.0, None)


def censored_kernel(y: Any, x: Any, s: Any, clip: Clip) -> Any:
    """Return Stein's kernel tau of y = clip(x + s n), n ~ N(0, 1), cut at 0 and 1 as `clip` says.

        E (y - E y) g(y) = E tau(y) g'(y)
        tau(y) = s^2 - s (e_1 Phi(a) + e_0 Phi(-a)) / phi(a),   a = (y - x) / s
        e_1 = E max(0, x + s n - 1),   e_0 = E max(0, -x - s n)

    and 0 for a value that was cut: a small change of it changes nothing. Without clipping tau = s^2. The mean of
    tau is Var y (take g(y) = y), but it is not constant: near an end of the range a value tells less of its noise.

    It follows from Cov(y, g(y)) = E g'(y) K(y) / p(y), K(t) = E (y - m) 1[y > t], by integration by parts.
    """
    xp = namespace(x)
    low, high = clip
    a = xp.clip((y - x) / s, -STEEP, STEEP)
    over = _excess((1 - x) / s) if high else xp.zeros_like(x)
    under = _excess(x / s) if low else xp.zeros_like(x)
    share = (over * normal_cdf(a) + under * normal_cdf(-a)) / normal_pdf(a)
    tau = s * s * xp.clip(1 - share, 0, 1)
    cut = ((y <= 0) & low) | ((y >= 1) & high)
    return xp.where(cut, xp.zeros_like(tau), tau)


def _excess(b: Any) -> Any:
    """Return E max(0, n - b) of a standard normal n, without cancellation for large b."""
    b = namespace(b).clip(b, -STEEP, STEEP)
    return normal_pdf(b) - b * normal_cdf(-b)


def inverse_of(mean: Callable[[Any], Any], std: Callable[[Any], Any], clip: Clip) -> Piecewise:
    """Return x as a function of mean(x), held to the ends that are clipped, by a finely graded table.

    `mean` must increase. Beyond an end that is not clipped it is the identity, and the table does not say so.
    """
    nodes = _nodes(std, clip)
    return Piecewise(np.maximum.accumulate(mean(nodes)), nodes)


def at_mean(
    mean: Callable[[Any], Any], value: Callable[[Any], Any], std: Callable[[Any], Any], clip: Clip
) -> Piecewise:
    """Return value(x) as a function of mean(x), by a table that goes on for `BEYOND` deviations beyond the range.

    An estimate of a mean errs both ways; held to the range, only errors inwards would count, and shift the value.
    """
    nodes = _nodes(std, clip, BEYOND)
    return Piecewise(np.maximum.accumulate(mean(nodes)), value(nodes))


def reach_of(std: Callable[[Any], Any]) -> float:
    """Return how far from an end that is clipped values still feel it; beyond, `invert` is the identity."""
    return 2 * FAR * float(np.max(std(np.array([0.0, 1.0]))))


def _nodes(std: Callable[[Any], Any], clip: Clip, beyond: float = 0.0) -> NDArray[np.float64]:
    low, high = (float(v) for v in std(np.array([0.0, 1.0])))
    fine = np.linspace(0.0, 6.0, 769)
    reach = reach_of(std)
    start = -beyond * low if clip[0] else min(0.0, 1.0 - reach)
    stop = 1.0 + beyond * high if clip[1] else max(1.0, reach)
    x = np.concatenate([np.linspace(start, stop, 6145), fine * low, 1.0 - fine * high])
    return np.unique(x[(x >= start) & (x <= stop)])
