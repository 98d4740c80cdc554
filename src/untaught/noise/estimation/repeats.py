"""How often neighbours repeat a value, exactly and nearly: what noise of a level cannot do too often.

For noise of deviation sigma, rounded to steps of q, two neighbours of any truth are at most q apart with

    P(|y_i - y_j| <= q) <= 3 q / (2 sqrt(pi) sigma sqrt(1 - rho)),

where rho is their correlation, and they are equal no more often than half as often as they are one step apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from untaught.noise.estimation.clipping import COARSE, STEP, grey_step
from untaught.noise.models.base import NoiseModel

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

NEAR = 3 / (2 * np.sqrt(np.pi))  # of the bound above
FEWEST = 40  # pairs that have to repeat before anything is said
SIDE = 1024  # pixels of the corner that is looked at; bounds the time
# Exact over near repeats: plots, letters, cartoons and the pixels of games have 4.7 and more, noise .06 to .65,
# pictures of scikit-image that a camera took .1 to 1.5, others that were compressed or cleaned 2.5 at most.
DRAWN = 4.0
# The bound, and some room. Where half of the noise is cut off, neighbours repeat 1.6 times as often.
ONCE, TWICE = 1.3, 2.0
SPARSE = 4  # pixels between those that a law is asked about
# rho up to which it is known, and the room beyond: that of streaks of 9 pixels, .89, is measured as .80.
TRUSTED, SLACK = 0.5, 3.0
CORRELATED = 0.98  # rho at most, for the bound to be one


@dataclass(frozen=True)
class Repeats:
    """Pairs of neighbours beside something else, at least one of them between black and white.

    Attributes
    ----------
    exact, near : tuple of int
        Pairs that are equal in all channels, and others that are at most one grey level apart in all of them: one
        below the other, and side by side.
    shares : tuple of float
        Of the pairs of values, channel by channel, those that are at most one grey level apart.
    step : float
        That grey level, [0, 1] units.
    """

    exact: tuple[int, int]
    near: tuple[int, int]
    shares: tuple[float, float]
    step: float = STEP

    @property
    def ratio(self) -> float:
        """Exact over near: at most 1/2 for noise of a level or more. Rows or columns may share theirs."""
        pairs = zip(self.exact, self.near, strict=True)
        return min(exact / max(near, 1) if exact >= FEWEST else 0.0 for exact, near in pairs)

    @property
    def drawn(self) -> bool:
        """Whether neighbours repeat exactly as they do in drawings, and not as noise lets them."""
        return self.ratio > DRAWN

    def allow(self, noise: NoiseModel, values: Floats, cut_in_half: bool) -> bool:
        """Say whether noise of this law in a picture, (H, W, C), can leave so many repeats."""
        together = [max(noise.correlation(lag), 0.0) if noise.shared else 0.0 for lag in ((1, 0), (0, 1))]
        sigma = np.asarray(noise.std(values[::SPARSE, ::SPARSE].astype(np.float64)))
        room = TWICE if cut_in_half else ONCE
        for share, rho in zip(self.shares, together, strict=True):
            if noise.endless and rho > min(together):
                continue
            bound = np.minimum(1.0, self._bound(sigma * np.sqrt(1 - min(rho, CORRELATED)))).mean()
            if share > room * (SLACK if rho > max(TRUSTED, min(together)) else 1.0) * float(bound):
                return False
        return True

    def _bound(self, sigma: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(NEAR * self.step / np.maximum(sigma, 1e-6))

    @property
    def most(self) -> float:
        """The strongest white noise, [0, 1] units, that repeats so often."""
        return float(NEAR * self.step / max(sum(self.shares) / 2, 1e-9))


def repeats_of(values: Floats, missing: Flags | None = None, step: float = 0.0) -> Repeats:
    """Count the repeats of a picture, (H, W, C) in [0, 1]; one that was enlarged by copying pixels, as it was.

    `step` is the distance of its grey levels, where that is known to be about that of 8 bits.

    Frames and other parts of one value say nothing of the noise of the rest, and are left out.
    """
    v, there = shrunk(*corner(values, missing))
    step = max(grey_step(v), STEP, step if step < COARSE else 0.0)
    inside = between(v)
    even = repeated(v)
    exact, near = [], []
    shares = []
    for a, b in pairs():
        live = inside[a] | inside[b]
        counted = live.any(2) & ~(even[a] & even[b]) & there[a] & there[b]
        off = np.abs(v[a] - v[b])[counted]
        exact.append(int((off == 0).all(1).sum()))
        near.append(int((off < 1.5 * step).all(1).sum()) - exact[-1])
        live = live[counted]
        shares.append(float((off[live] < 1.5 * step).sum()) / max(int(live.sum()), 1))
    return Repeats((exact[0], exact[1]), (near[0], near[1]), (shares[0], shares[1]), step)


def pairs() -> tuple[tuple[tuple[slice, ...], tuple[slice, ...]], ...]:
    """Return what cuts a picture into neighbours, one below and one beside the other."""
    every, later, earlier = slice(None), slice(1, None), slice(None, -1)
    return ((later,), (earlier,)), ((every, later), (every, earlier))


def repeated(v: Floats) -> Flags:
    """Say which pixels lie amid 3 x 3 of one value in every channel."""
    size = (3, 3, 1)
    return np.asarray((maximum_filter(v, size) == minimum_filter(v, size)).all(2))


def between(v: Floats) -> Flags:
    """Say which values are neither the least nor the largest of their channel."""
    return np.asarray((v > v.min((0, 1))) & (v < v.max((0, 1))))


def corner(values: Floats, missing: Flags | None) -> tuple[Floats, Flags]:
    """Return as much of a picture as is looked at, and which pixels of it are there."""
    v = values[:SIDE, :SIDE]
    return v, np.ones(v.shape[:2], bool) if missing is None else ~missing[:SIDE, :SIDE]


def shrunk(v: Floats, there: Flags) -> tuple[Floats, Flags]:
    """Return a picture that was enlarged by copying its pixels as it was before; any other as it is."""
    for axis in (0, 1):
        differ = (np.diff(v, axis=axis) != 0).any((1 - axis, 2)).nonzero()[0]
        times = int(np.gcd.reduce(np.diff(differ))) if len(differ) > 2 else 1
        if times > 1:
            every = slice(int(differ[0] + 1) % times, None, times)
            v, there = (v[every], there[every]) if axis == 0 else (v[:, every], there[:, every])
    return v, there
