"""How much salt and pepper there is: values at an end of the range amid others that are far from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from untaught.noise.estimation.clipping import MOST
from untaught.noise.estimation.dct_patches import Flags, Floats

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
