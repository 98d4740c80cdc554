"""Single pixels of a sensor that are stuck: hot or dead, and no light ever made them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from untaught.noise.models.base import NoiseModel

DEVIATIONS = 8.0  # of the noise, by which a pixel exceeds its surroundings
COUNTS = 8.0  # photo-electrons, by which it does so as well: few counts are far from normal
SPREAD = 0.25  # of that excess, which no neighbour may have: what lenses make of a point is wider
MOST = 0.01  # share of the pixels; where more stand out, the picture has such points

Flags = NDArray[np.bool_]


def hot_pixels(values: NDArray[np.float32], missing: Flags | None, noise: NoiseModel) -> Flags:
    """Return which pixels, (H, W), are hot or dead.

        |y - m| > 8 s(m),   and no neighbour is off m by a quarter of that,

    with m the median of the 16 pixels around these neighbours.

    Parameters
    ----------
    values : ndarray
        float32, (H, W, C), [0, 1] units. Only planes of one channel are looked at: where a mosaic was filled in,
        or a camera has processed it, no such pixel stands alone.
    missing : ndarray or None
        bool, (H, W).
    noise : NoiseModel
        Its law; where there is next to none, every point of a drawing stands out.
    """
    none: Flags = np.zeros(values.shape[:2], np.bool_)
    if values.shape[2] > 1 or noise.replaces or noise.shared or noise.negligible or min(values.shape[:2]) < 3:
        return none
    y = values[:, :, 0].astype(np.float64)
    middle = np.median(_ring(y, 2), axis=0)
    excess = y - middle
    level = np.asarray(noise.std(noise.unclip(middle.clip(y.min(), None))))
    least = DEVIATIONS * level + COUNTS * float(getattr(noise, "gain", 0.0))
    second = np.abs(_ring(y, 1) - middle).max(0)
    hot: Flags = (np.abs(excess) > least) & (second < np.maximum(SPREAD * np.abs(excess), 0.5 * least))
    if missing is not None:
        hot &= ~missing
    return hot if hot.mean() <= MOST else none


def _ring(y: NDArray[np.float64], away: int) -> NDArray[np.float64]:
    """Return the pixels so far from every pixel, down or across, (8 away, H, W), edges mirrored."""
    wide = np.pad(y, away, mode="reflect")
    h, w = y.shape
    steps = range(-away, away + 1)
    at = [(i + away, j + away) for i in steps for j in steps if max(abs(i), abs(j)) == away]
    return np.stack([wide[i : i + h, j : j + w] for i, j in at])
