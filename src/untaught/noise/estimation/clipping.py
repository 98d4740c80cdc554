"""Values cut off at the ends of the range, and impulses, told by how values pile up there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.models.censored import Clip

STEP = 1 / 255  # the grey level of 8-bit pictures, the bin that a spike is held against
RARE = 5e-5  # share of the values below which a spike is no matter
ALONE = 2  # values; where the range is that of the values, the least of them is at its end, cut or not
MOST = 3_000_000  # values looked at, to bound the time
COARSE = 3.5 * STEP  # grey levels this far apart are not those of 8-bit pictures
FEW = 4  # grey levels; with fewer nothing can be said of their distances


@dataclass(frozen=True)
class Clipping:
    """Share of values that lie exactly at 0 and at 1, and whether that is a cut."""

    clip: Clip
    fractions: tuple[float, float]


def clipping(values: Floats, missing: Flags | None = None) -> Clipping:
    """Tell whether values were cut at 0 and at 1, from spikes of the histogram there.

    An end is cut when more values lie exactly at it than in two grey levels next to it.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C), [0, 1] units.
    missing : ndarray, optional
        bool, shape (H, W).

    Returns
    -------
    Clipping
    """
    v = _sample(values, missing)
    if not v.size:
        return Clipping((False, False), (0.0, 0.0))
    flags, fractions = zip(*(_spike(d) for d in (v, 1.0 - v)), strict=True)
    return Clipping((flags[0], flags[1]), (fractions[0], fractions[1]))


def _sample(values: Floats, missing: Flags | None) -> NDArray[np.float32]:
    """Return the values that are there, evenly thinned to about `MOST`."""
    v = values[~missing].ravel() if missing is not None and missing.any() else values.ravel()
    return v[:: max(1, v.size // MOST)]


def _spike(distance: NDArray[np.float32]) -> tuple[bool, float]:
    """Return whether values pile up at distance 0, and their share."""
    at = float((distance <= 1e-6).mean())
    near = float(((distance > 1e-6) & (distance < 5.5 * STEP)).mean()) / 5
    enough = max(RARE, 2 * near, (ALONE + 0.5) / distance.size)
    return bool(at > enough and not (distance < -STEP / 2).any()), at


def grey_step(values: Floats, missing: Flags | None = None) -> float:
    """Return the distance of the grey levels, where all are whole multiples of one much coarser than 8 bits.

    Where photons were counted, that is the value of one of them.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C), [0, 1] units.
    missing : ndarray, optional
        bool, shape (H, W).

    Returns
    -------
    float
        In [0, 1] units; 0 where the levels are not so.
    """
    v = _sample(values, missing)
    levels = np.unique(np.round(v[(v >= 0) & (v < 1 - STEP / 4)], 5))  # white may be a cut
    levels = levels[np.diff(levels, prepend=-1.0) > 1e-4]
    if not FEW <= levels.size <= 1 / COARSE:
        return 0.0
    step = float(np.median(np.diff(levels)))
    for _ in range(2):
        count = np.round(levels / step)
        step = float(levels @ count / (count @ count))
    off = np.abs(levels - np.round(levels / step) * step).max()
    return step if step > COARSE and off < 0.6 * STEP else 0.0
