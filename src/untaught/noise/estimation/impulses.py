"""Which values salt and pepper has hit: those at an end of the range amid others that are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from untaught.noise.estimation.clipping import MOST
from untaught.noise.estimation.dct_patches import Flags, Floats

WINDOW = 7  # side of the window in which values at an end are counted, in pixels
OWN = 0.5  # of the window: with more beyond chance the picture is black or white itself; a missed hit costs much
MORE = 2.0  # times what chance puts in all channels of a pixel: then it is the picture's own
WHOLE = 0.9  # of the pixels that were hit; with more in all channels at once, so were the few others


def struck(values: Floats, fraction: float) -> Flags:
    """Tell which values were hit by impulses.

    A value at an end of the range was hit, unless far more of its neighbours in the same channel lie at that end
    than impulses put there: then the picture is black or white itself.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C), [0, 1] units.
    fraction : float
        Share of the values that were hit, half of them at each end.

    Returns
    -------
    ndarray
        bool, shape (H, W, C), or (H, W, 1) where pixels were hit as a whole.
    """
    most = OWN + fraction / 2
    ends = values <= 0, values >= 1
    hit = np.logical_or(*(_lonely(at, most) for at in ends))
    some = hit.any(2, keepdims=True)
    if hit.all(2).sum() > WHOLE * some.sum():
        return np.asarray(some, np.bool_)
    for at in ends:
        hit &= ~_own(at, fraction)
    return np.asarray(hit, np.bool_)


def _own(at: Flags, fraction: float) -> Flags:
    """Return the pixels that lie at an end in all channels, where they are more than chance puts there.

    Then they are highlights or deep shadows: channels are hit on their own, and seldom all of a pixel.
    """
    every = at.all(2, keepdims=True)
    chance = (fraction / 2) ** at.shape[2] * every.size
    more = at.shape[2] > 1 and every.sum() > MORE * (chance + 3 * np.sqrt(chance) + 1)
    return np.asarray(every & more, np.bool_)


def _lonely(at: Flags, most: float) -> Flags:
    """Keep the flags in whose window, themselves left out, at most a share `most` is set."""
    from scipy.ndimage import uniform_filter

    inside = uniform_filter(at.astype(np.float32), size=(WINDOW, WINDOW, 1), mode="reflect") * WINDOW**2
    return np.asarray(at & (inside - at <= most * (WINDOW**2 - 1)))


NEAR = 0.3  # of the range; impulses are held against values that come this near to an end


@dataclass(frozen=True)
class Impulses:
    """Share of values replaced by black and by white; `found` when both are more than chance."""

    pepper: float
    salt: float
    found: bool

    @property
    def fraction(self) -> float:
        """Share of values that were hit."""
        return self.pepper + self.salt


def impulses(values: Floats, missing: Flags | None = None) -> Impulses:
    """Measure salt and pepper: values at the very ends of the range amid others that are far from it.

    Where the median of the 3 x 3 neighbours is bright, black values are pepper; where it is dark,
    white ones are salt. They count when they are many more than values that are merely dark (bright),
    which clipped Gaussian noise would have too, and when they do not stick together, as strokes do.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C), [0, 1] units.
    missing : ndarray, optional
        bool, shape (H, W).

    Returns
    -------
    Impulses
    """
    from scipy.ndimage import median_filter

    side = int(np.sqrt(MOST / 3))
    v = values[:side, :side]
    present = np.ones(v.shape[:2], bool) if missing is None else ~missing[:side, :side]
    v = np.where(present[:, :, None], v, 0.5)
    around = median_filter(v, size=(3, 3, 1))
    (pepper, a), (salt, b) = (_isolated(v, around, present), _isolated(1 - v, 1 - around, present))
    return Impulses(pepper if a else 0.0, salt if b else 0.0, a or b)


def _isolated(v: Floats, around: Floats, present: Flags) -> tuple[float, bool]:
    from scipy.ndimage import uniform_filter

    at = (v <= 1e-6) & present[:, :, None]
    far = (around > 0.5) & present[:, :, None]
    total = int(far.sum())
    hits = at & far
    if total < 500 or hits.sum() < 20:
        return 0.0, False
    share = float(hits.sum() / total)
    merely = float(((v < NEAR) & ~at & far).sum() / total)
    neighbours = (uniform_filter(at.astype(np.float32), size=(3, 3, 1)) * 9 - at) / 8
    sticking = float(neighbours[hits].mean())
    return share, share > max(0.001, 2 * merely) and sticking < 1.6 * share + 0.02
