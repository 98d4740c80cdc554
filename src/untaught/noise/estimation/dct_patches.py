"""Patches of one picture in the DCT domain: what every noise measurement works on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untaught.noise.models.base import NoiseModel
from untaught.noise.models.censored import Clip, censored_mean, censored_variance

SIZE = 8  # pixels; the patch of the DCT estimators (Ponomarenko et al. 2007)
SPLIT = 8  # coefficients (i, j) with i + j >= SPLIT measure the noise, those below find texture
PILED = 0.5  # patches with a larger share of values at the very ends hold no noise to measure
FEWEST = 60  # patches; with fewer there is nothing to choose from

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


def _frequency() -> NDArray[np.int64]:
    i = np.arange(SIZE)
    return np.asarray((i[:, None] + i[None, :]).ravel())


FREQUENCY = _frequency()
HIGH: Flags = FREQUENCY >= SPLIT
LOW: Flags = (FREQUENCY < SPLIT) & (FREQUENCY > 0)


@dataclass(frozen=True)
class Patches:
    """Patches without missing pixels, spread over the picture.

    Attributes
    ----------
    dct : ndarray
        Orthonormal DCT-II coefficients, float32, shape (N, C, SIZE * SIZE), row-major.
    half : ndarray
        0 or 1, shape (N,): patches of different halves share no pixel.
    stride : int
        Distance between neighbouring patches in pixels.
    corner : ndarray or None
        Row and column of the first pixel, shape (N, 2), where they are known.
    """

    dct: Floats
    half: NDArray[np.int64]
    stride: int
    corner: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.dct)

    @property
    def mean(self) -> Floats:
        """Mean of every patch and channel, shape (N, C), in [0, 1] units."""
        return np.asarray(self.dct[:, :, 0] / SIZE)

    @property
    def overlap(self) -> float:
        """Independent patches per patch, at most 1."""
        return min(1.0, (self.stride / SIZE) ** 2)

    def take(self, index: NDArray[np.intp] | Flags) -> Patches:
        """Return the patches at `index`."""
        corner = None if self.corner is None else self.corner[index]
        return Patches(self.dct[index], self.half[index], self.stride, corner)

    def channel(self, c: int) -> Patches:
        """Return the patches of one channel."""
        return replace(self, dct=self.dct[:, c : c + 1])


def dct_basis() -> Floats:
    """Return the orthonormal DCT-II of a flattened patch, shape (SIZE * SIZE, SIZE * SIZE)."""
    k, n = np.arange(SIZE)[:, None], np.arange(SIZE)[None, :]
    line = np.cos(np.pi * (n + 0.5) * k / SIZE) * np.sqrt(np.where(k == 0, 1, 2) / SIZE)
    return np.asarray(np.kron(line, line), dtype=np.float32)


def collect(values: Floats, missing: Flags | None, limit: int = 24_000) -> Patches | None:
    """Cut patches out of a picture, about `limit` of them, evenly spread.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C), [0, 1] units.
    missing : ndarray or None
        bool, shape (H, W); patches with a missing pixel are left out.
    limit : int
        Patches wanted; bounds the time.

    Returns
    -------
    Patches or None
        None where fewer than `FEWEST` patches are left.
    """
    height, width = values.shape[:2]
    rows, columns = height - SIZE + 1, width - SIZE + 1
    if rows < 1 or columns < 1:
        return None
    stride = max(1, int(np.ceil(np.sqrt(rows * columns / limit))))
    window = np.lib.stride_tricks.sliding_window_view(values, (SIZE, SIZE), (0, 1))
    keep, half = _halves(height, width, stride)
    if missing is not None and missing.any():
        holes = np.lib.stride_tricks.sliding_window_view(missing, (SIZE, SIZE))
        keep &= ~holes[::stride, ::stride].any((2, 3))
    if keep.sum() < FEWEST:
        return None
    flat = window[::stride, ::stride][keep].reshape(int(keep.sum()), -1, SIZE * SIZE)
    ends = (flat <= flat.min()) | (flat >= flat.max())
    live = ends.mean((1, 2)) < PILED
    if live.sum() < FEWEST:
        live[:] = True
    coefficients = flat[live] @ dct_basis().T
    corner = stride * np.argwhere(keep)[live]
    return Patches(np.asarray(coefficients, dtype=np.float32), half[keep][live], stride, corner)


def _halves(height: int, width: int, stride: int) -> tuple[Flags, NDArray[np.int64]]:
    """Colour the picture like a chessboard; keep patches that lie within one square."""
    square = int(np.clip(min(height, width) // 6, 2 * SIZE, 64))
    i, j = np.arange(0, height - SIZE + 1, stride), np.arange(0, width - SIZE + 1, stride)
    inside_i = i // square == (i + SIZE - 1) // square
    inside_j = j // square == (j + SIZE - 1) // square
    half = (i[:, None] // square + j[None, :] // square) % 2
    return inside_i[:, None] & inside_j[None, :], half


def kept_by_clipping(mean: Floats, sigma: float, clip: Clip) -> Floats:
    """Return the share of the variance that clipping leaves where the noisy mean is `mean`."""
    if not any(clip):
        return np.ones_like(mean)
    x = np.linspace(0.0, 1.0, 513)
    s = np.full_like(x, max(sigma, 1e-4))
    clean = np.interp(mean, np.maximum.accumulate(censored_mean(x, s, clip)), x)
    share = censored_variance(x, s, clip) / s**2
    return np.asarray(np.interp(clean, x, share), dtype=np.float32)


def kept_by_model(mean: Floats, model: NoiseModel) -> tuple[Floats, Floats]:
    """Return the clean value behind a noisy mean, and the share of the variance clipping leaves."""
    clean = np.asarray(model.unclip(mean), dtype=np.float64)
    before = np.maximum(np.asarray(model.std(clean)) ** 2, 1e-12)
    share = np.asarray(model.variance(clean)) / before
    return np.asarray(clean, dtype=np.float32), np.asarray(np.clip(share, 1e-3, 1), np.float32)
