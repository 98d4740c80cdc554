"""Waves in flat parts: how much of the error has low and middle frequencies where the truth is constant.

    waves = sqrt(sum of c^2 / n),  c the error's DCT coefficients in a window that have periods of 4 to 64 pixels

with n the number of pixels of a window, so that it is in the units of the error: by Parseval's identity the root
mean square of the part of the error in that band. A denoiser leaves noise of such periods where it should leave
none, and the eye sees it as clouds. A window is flat where the truth changes by little in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.ndimage import maximum_filter, minimum_filter, uniform_filter

Values = NDArray[np.float64]
SIDE = 33  # pixels of a window
STEP = 11  # from one window to the next
SHORTEST, LONGEST = 4.0, 66.0  # periods in pixels; a window holds half a wave of twice its side, and no longer one
FLAT = 2.0  # range of the truth in a window that counts as flat, in grey levels of 255
GRAIN = 5  # pixels: over so many the truth is averaged first, as its own grain is no shape
COMMON = 90.0  # percentile


@dataclass(frozen=True)
class Waves:
    """What there is of waves in the flat windows of a picture.

    Attributes
    ----------
    rms : float
        Over all windows, in the units of the error; NaN where no window is flat.
    common : float
        What nine of ten windows stay below.
    windows : int
        How many are flat.
    """

    rms: float
    common: float
    windows: int


def corners(
    truth: NDArray[Any], flat: float = FLAT, counted: NDArray[np.bool_] | None = None
) -> list[tuple[int, int]]:
    """Return the upper left corners of the flat windows.

    Parameters
    ----------
    truth : ndarray
        (H, W) or (H, W, C).
    flat : float
        Greatest range of the truth, averaged over `GRAIN` pixels, within a window, in each channel.
    counted : ndarray of bool, optional
        (H, W): windows with a pixel that is not counted are left out.
    """
    x = np.asarray(truth, np.float64).reshape(*truth.shape[:2], -1)
    size = (SIDE - GRAIN + 1, SIDE - GRAIN + 1, 1)  # averages that reach out of the window are not looked at
    smooth = uniform_filter(x, (GRAIN, GRAIN, 1))
    spread = (maximum_filter(smooth, size) - minimum_filter(smooth, size)).max(axis=2)
    good = spread <= flat
    if counted is not None:
        good &= minimum_filter(counted.astype(np.uint8), SIDE, mode="constant") > 0
    half = SIDE // 2
    rows, columns = (range(half, length - half, STEP) for length in x.shape[:2])
    return [(i - half, j - half) for i in rows for j in columns if good[i, j]]


def waves(error: NDArray[Any], where: list[tuple[int, int]]) -> Waves:
    """Return the waves of an error, (H, W) or (H, W, C), in windows with these upper left corners."""
    if not where:
        return Waves(float("nan"), float("nan"), 0)
    e = np.asarray(error, np.float64).reshape(*error.shape[:2], -1)
    found = np.stack([e[i : i + SIDE, j : j + SIDE] for i, j in where])
    power = np.square(dctn(found, axes=(1, 2), norm="ortho"))
    each = (power * _band()[:, :, None]).sum(axis=(1, 2)).mean(axis=-1) / SIDE**2
    common = float(np.sqrt(np.percentile(each, COMMON)))
    return Waves(float(np.sqrt(each.mean())), common, len(where))


def _band() -> NDArray[np.bool_]:
    """Return which coefficients have a period, 2 side / |(k, l)|, that counts."""
    k = np.arange(SIDE)
    radius = np.hypot(k[:, None], k[None, :])
    return (radius >= 2 * SIDE / LONGEST) & (radius <= 2 * SIDE / SHORTEST)
