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
Values = NDArray[np.float64]

INNER = np.pad(np.zeros((1, 1), np.bool_), 1, constant_values=True)  # the 8 neighbours of a pixel
OUTER = np.pad(np.zeros((3, 3), np.bool_), 1, constant_values=True)  # the 16 around them


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
    middle = (_rank(y, OUTER, 7) + _rank(y, OUTER, 8)) / 2
    excess = np.abs(y - middle)
    level = np.asarray(noise.std(noise.unclip(middle.clip(y.min(), None))))
    least = DEVIATIONS * level + COUNTS * noise.quantum
    second = np.maximum(_rank(y, INNER, -1) - middle, middle - _rank(y, INNER, 0))
    hot: Flags = (excess > least) & (second < np.maximum(SPREAD * excess, 0.5 * least))
    if missing is not None:
        hot &= ~missing
    return hot if hot.mean() <= MOST else none


def _rank(y: Values, around: Flags, rank: int) -> Values:
    """Return the value of a rank among those around every pixel, edges mirrored."""
    from scipy.ndimage import rank_filter

    return np.asarray(rank_filter(y, rank, footprint=around, mode="mirror"))
