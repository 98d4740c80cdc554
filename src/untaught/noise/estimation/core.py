"""The level of noise where edges are everywhere: the narrow core of what neighbours differ by.

Of two neighbours i, j in a picture of flat colours,

    y_i - y_j ~ f N(0, 2 sigma^2) + (1 - f) U,

where the flat share f has noise only and U, of edges, is spread over the range. On paper that is as white as
values can be, half of the noise is cut off, and the values themselves are 1 - |N(0, sigma^2)|.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.repeats import Flags, Floats, between, corner, pairs

PAPER = 0.25  # share of the values at the ends of the range, from which on they are noise cut off there, or paper
INK = 0.1  # share at one of the ends then
CUT = (
    0.3  # values that noise leaves off such an end for each that it leaves on it: 1 where the paper is at the end
)
FEWEST = 200  # values of the core, to tell its width
SWEEPS = 60  # of expectation maximisation
MARGIN = 2.5  # deviations from an end of the range, within which noise is cut off
LEFT = 0.25  # share of the pairs that has to be left beyond it
ROUNDED = 1 / 12 / 255**2  # variance of rounding to 8 bits

Values = NDArray[np.float64]


def core_level(values: Floats, missing: Flags | None = None) -> float:
    """Return the standard deviation of the noise of (H, W, C) in [0, 1], [0, 1] units; 0 where there is none."""
    v, there = corner(values, missing)
    known = v[there]
    if paper(known):
        return _of_paper(known)
    sigma = _of_differences(v, there, 0.0)
    return _of_differences(v, there, MARGIN * sigma) or sigma


def paper(known: Floats) -> tuple[float, ...]:
    """Return the ends of the range, the least value and the largest, at which many values lie."""
    ends = float(known.min()), float(known.max())
    shares = [float((known == end).mean()) for end in ends]
    if sum(shares) < PAPER:
        return ()
    return tuple(end for end, share in zip(ends, shares, strict=True) if share > INK)


def _of_paper(known: Floats) -> float:
    """Return the level by how far values lie off the nearest end of the range at which many are."""
    off = np.min([np.abs(known - end) for end in paper(known)], axis=0)
    sigma, count = _width(off[off > 0])
    return sigma if count > max(CUT * float((off == 0).sum()), FEWEST) else 0.0


def _of_differences(v: Floats, there: Flags, margin: float) -> float:
    """Return the level by neighbours that differ little, their mean `margin` inside the range."""
    kept, off, seen = between(v) & there[:, :, None], [], 0
    for a, b in pairs():
        both, mean = kept[a] & kept[b], (v[a] + v[b]) / 2
        whole = both & (mean >= margin) & (mean <= 1 - margin)
        off.append(np.abs(v[a] - v[b])[whole])
        seen += int(both.sum())
    found = np.concatenate(off)
    if found.size < LEFT * seen:
        return 0.0
    sigma, count = _width(found)
    return float(np.sqrt(max(sigma**2 / 2 - ROUNDED, 0.0))) if count > FEWEST else 0.0


def _width(off: Floats) -> tuple[float, float]:
    """Return the deviation of the half-normal core of values >= 0 in [0, 1], and how many are in it."""
    levels = np.bincount(np.round(255 * off).astype(int), minlength=256).astype(float)
    at = np.arange(len(levels), dtype=float)
    sigma, share, spread = 2.0, 0.5, float(levels.nonzero()[0].max(initial=0)) + 1
    for _ in range(SWEEPS):
        bell = share * np.sqrt(2 / np.pi) / sigma * np.exp(-0.5 * np.square(at / sigma))
        core = levels * bell / (bell + (1 - share) / spread)
        total = max(core.sum(), 1e-9)
        share = float(np.clip(total / max(levels.sum(), 1.0), 0.01, 0.99))
        sigma = float(np.sqrt(max((core @ np.square(at)) / total, 0.05)))
    return sigma / 255, float(total)
