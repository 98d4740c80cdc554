"""Photons that were counted one by one, told by a variance that is the mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.clipping import COARSE
from untaught.noise.models.poisson_gaussian import PoissonGaussian

BLOCK = 8  # pixels
SHADES = 4  # of brightness, equally many blocks in each
FEWEST = 30  # blocks of a shade
BARE = 0.02  # counts a pixel, below which a shade tells nothing
# Variance over mean of every shade, and of all. What the picture has of fine structure can only raise it; on crops
# of 12 pictures of scikit-image as counts of 2 to 40 at white it was .96 to 1.15, textures of brick and gravel
# 1.2 to 2.4.
SHADE = (0.8, 1.5)
WHOLE = (0.85, 1.3)
COUNTED_ERROR = 0.005  # relative error of the variance: the value of a count is read off the grey levels

Values = NDArray[np.float64]


def counted(
    values: NDArray[np.float32], missing: NDArray[np.bool_] | None, step: float, zero: float
) -> PoissonGaussian | None:
    """Tell whether values are counts, however few, and return their law.

        k = (y - zero) / step is a whole number;   E r^2 / 1.25 = E k  in every shade,

    with r = k less the mean of the four pixels beside it, for which a slope of the picture does not count. That a
    value of zero is often met says nothing then: it is no value that was cut off.

    Parameters
    ----------
    values : ndarray
        float32, (H, W, C), [0, 1] units.
    missing : ndarray or None
        bool, (H, W).
    step : float
        The distance of the grey levels, [0, 1] units.
    zero : float
        Where nothing was counted.
    """
    if step <= COARSE or min(values.shape[:2]) < 2 * BLOCK:
        return None
    k = np.asarray((values - zero) / step, np.float64)
    if np.abs(k - np.rint(k)).max() > 0.05 or k.min() < -0.05:
        return None
    light, square = _by_block(k, missing)
    if len(light) < SHADES * FEWEST or light.sum() <= 0:
        return None
    if not WHOLE[0] < square.sum() / light.sum() < WHOLE[1]:
        return None
    for part in np.array_split(np.argsort(light, kind="stable"), SHADES):
        mean = light[part].mean()
        if mean > BARE and not SHADE[0] < square[part].mean() / mean < SHADE[1]:
            return None
    return PoissonGaussian(step, 0.0, zero, relative_error=COUNTED_ERROR)


def _by_block(k: Values, missing: NDArray[np.bool_] | None) -> tuple[Values, Values]:
    """Return the mean and the variance of the whole blocks inside a picture of counts, (N,)."""
    inside = k[1:-1, 1:-1]
    beside = (k[:-2, 1:-1] + k[2:, 1:-1] + k[1:-1, :-2] + k[1:-1, 2:]) / 4
    light, square = _means((3 * inside + 2 * beside) / 5), _means(np.square(inside - beside) / 1.25)
    if missing is None:
        return light.ravel(), square.ravel()
    whole = _means(missing[1:-1, 1:-1, None].astype(np.float64))[:, :, 0] == 0
    return light[whole].ravel(), square[whole].ravel()


def _means(x: Values) -> Values:
    h, w = (n // BLOCK * BLOCK for n in x.shape[:2])
    return np.asarray(x[:h, :w].reshape(h // BLOCK, BLOCK, w // BLOCK, BLOCK, -1).mean((1, 3)))
