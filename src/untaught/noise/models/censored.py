"""Moments of a Gaussian censored at 0, at 1, or at both, for numpy arrays and torch tensors."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

FAR = 12.0  # standard deviations; beyond this a tail is below 1e-32 and an end may as well be absent
VANISHED = 40.0  # standard deviations from which on the density is 0 in double precision; their square is finite
STEEP = 8.0  # standard deviations; beyond, Stein's kernel is a quotient of numbers that are next to nothing
BEYOND = 3.0  # standard deviations outside of the range; the value is as good as surely cut there
CELLS = 65_536  # of one size, instead of nodes
MANY = 8192  # values from which on these save time
NEAR = 1e-7  # of the range of values: as well as equal

Clip = tuple[bool, bool]


def namespace(x: Any) -> Any:
    """Return torch for a tensor, numpy for all else, without ever importing torch."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(x, torch.Tensor) else np


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


def invert(m: Any, mean: Callable[[Any], Any], std: Callable[[Any], Any], clip: Clip) -> Any:
    """Return x with mean(x) = m, held to the ends that are clipped, by a finely graded table.

    `mean` must increase. Beyond an end that is not clipped `mean` is the identity, and so is
    the answer.
    """
    nodes = _nodes(std, clip)
    table = np.maximum.accumulate(mean(nodes))
    inside = interpolate(m, table, nodes)
    xp = namespace(m)
    if not clip[0]:
        inside = xp.where(m < float(table[0]), m, inside)
    if not clip[1]:
        inside = xp.where(m > float(table[-1]), m, inside)
    return inside


def at_mean(
    m: Any, mean: Callable[[Any], Any], value: Callable[[Any], Any], std: Callable[[Any], Any], clip: Clip
) -> Any:
    """Return value(x) where mean(x) = m, by a table that goes on for `BEYOND` deviations outside of the range.

    An estimate of m errs both ways; held to the range, only the errors inwards would count, and shift the value.
    """
    nodes = _nodes(std, clip, BEYOND)
    return interpolate(m, np.maximum.accumulate(mean(nodes)), value(nodes))


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


def interpolate(m: Any, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Any:
    """Return the piecewise linear function through (xs, ys) at `m`, level beyond the ends, in the type of `m`."""
    torch = namespace(m)
    if torch is np:
        m = np.asarray(m)
        kind = m.dtype if np.issubdtype(m.dtype, np.floating) else np.float64
        return np.interp(m, xs, ys).astype(kind)
    flat = m.flatten()
    return (_by_cells if m.numel() > MANY else _by_nodes)(flat, xs, ys).view(m.shape)


def _by_nodes(m: Any, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Any:
    """Return the same for a tensor (N,), each value looked for among all nodes."""
    torch = namespace(m)
    tx, ty = (torch.as_tensor(v, dtype=torch.float64).to(m.device, m.dtype) for v in (xs, ys))
    right = torch.searchsorted(tx, m).clamp(1, len(tx) - 1)
    x0, x1 = tx[right - 1], tx[right]
    t = ((m - x0) / (x1 - x0).clamp_min(torch.finfo(m.dtype).tiny)).clamp(0.0, 1.0)
    return ty[right - 1] + t * (ty[right] - ty[right - 1])


def _by_cells(m: Any, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Any:
    """Return the same for many values, in a tenth of the time: cells of one size need no search.

    Two piecewise linear functions differ most at their nodes. Where that is too much, the nodes are looked for.
    """
    torch = namespace(m)
    low, high = float(xs[0]), float(xs[-1])
    even = np.linspace(low, high, CELLS + 1)
    values = np.interp(even, xs, ys)
    wrong = np.abs(np.interp(xs, even, values) - ys) > NEAR * np.ptp(ys)
    width = max((high - low) / CELLS, 1e-30)
    ty = torch.as_tensor(values).to(m.device, m.dtype)
    at = ((m - low) / width).clamp_(0, CELLS)
    cell = at.int().clamp_(0, CELLS - 1)
    found = torch.addcmul(ty.index_select(0, cell), at.sub_(cell), ty.diff().index_select(0, cell))
    if wrong.any():
        rough = np.zeros(CELLS, np.bool_)
        for beside in (-1, 0, 1):  # rounding may take a value for one of the next cell
            rough[((xs[wrong] - low) / width + beside).astype(int).clip(0, CELLS - 1)] = True
        again = torch.as_tensor(rough, device=m.device).index_select(0, cell)
        found[again] = _by_nodes(m[again], xs, ys)
    return found
