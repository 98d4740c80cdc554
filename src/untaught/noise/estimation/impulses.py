"""How much salt and pepper there is: values at an end of the range amid others that are far from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from untaught.noise.estimation.clipping import MOST
from untaught.noise.estimation.dct_patches import Flags, Floats

AMID = 5  # pixels: side of the squares of flat colour
ALIKE = 0.85  # share of a square's pixels that have its colour
FAR = 0.3  # of the range, from that colour
FEWEST_HITS = 20
LEAST_SHARE = 0.001
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
    which clipped Gaussian noise would have too, and when they do not stick together, as strokes do. In drawings
    and pages, where strokes do stick together, they are looked for amid flat colour; see `_amid_flat`.

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
    if a or b:
        return Impulses(pepper if a else 0.0, salt if b else 0.0, True)
    return _amid_flat(v, present)


def _amid_flat(v: Floats, present: Flags) -> Impulses:
    """Measure lone values at an end of the range amid flat colour of another value.

    In 13 drawings, pages and photographs there is none; in 1-bit scans there are many, but these have no grey in
    between anyway.
    """
    from scipy.ndimage import median_filter

    if np.unique(v[present]).size <= 2:
        return Impulses(0.0, 0.0, False)
    if (AMID - 1) * _runs(v) < FEWEST_HITS:  # the square of each has one, above or below, that four may share
        return Impulses(0.0, 0.0, False)
    low, high = v.min(), v.max()
    counts = np.zeros((3, 2))  # found and looked at: of the low end, the high end, and all else off the colour
    for c in range(v.shape[2]):
        middle = median_filter(v[..., c], size=AMID)
        flat = _flat(v[..., c], middle) & present
        away = [np.abs(middle - end) > FAR * (high - low) for end in (low, high)]
        hits = [(v[..., c] == end) & far for end, far in zip((low, high), away, strict=True)]
        rest = (v[..., c] != middle) & ~hits[0] & ~hits[1]
        for row, (hit, seen) in enumerate(zip((*hits, rest), (*away, flat), strict=True)):
            counts[row] += (hit & flat).sum(), (seen & flat).sum()
    found, looked = counts.T
    pepper, salt, other = (found / np.maximum(looked, 1)).tolist()
    told = found[:2].sum() >= FEWEST_HITS and pepper + salt > max(LEAST_SHARE, other)
    return Impulses(pepper, salt, True) if told else Impulses(0.0, 0.0, False)


def _runs(v: Floats) -> int:
    """Return how many rows of `AMID` equal pixels there are, with the edges repeated: a flat square has one."""
    reach, length = AMID // 2, AMID - 1
    wide = np.pad(v, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    same = wide[:, 1:] == wide[:, :-1]
    every = [same[:, at : same.shape[1] - length + 1 + at] for at in range(length)]
    return int(np.logical_and.reduce(every).sum())


def _flat(v: Floats, middle: Floats) -> Flags:
    """Say where nearly all neighbours have the middle value."""
    reach = AMID // 2
    wide, same = np.pad(v, reach, mode="edge"), np.zeros(v.shape, np.int64)
    for down in range(AMID):
        for across in range(AMID):
            if (down, across) != (reach, reach):
                same += wide[down : down + v.shape[0], across : across + v.shape[1]] == middle
    return np.asarray(same >= ALIKE * (AMID**2 - 1))


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
