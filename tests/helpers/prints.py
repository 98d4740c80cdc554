"""Pictures as they are printed in dots, and with waves over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

SUPER = 3  # places of the printer along a pixel of the scanner


def dots(x: NDArray[np.floating], period: float, degrees: float) -> NDArray[np.float64]:
    """Return (H, W) in [0, 1] in clustered dots, hard ones, as a scanner sees them."""
    height, width = x.shape
    rows, columns = np.mgrid[: height * SUPER, : width * SUPER] / SUPER
    turn = np.deg2rad(degrees)
    across = (columns * np.cos(turn) + rows * np.sin(turn)) / period
    down = (rows * np.cos(turn) - columns * np.sin(turn)) / period
    wave = np.cos(2 * np.pi * across) + np.cos(2 * np.pi * down)
    threshold = (np.argsort(np.argsort(wave.ravel())) / wave.size).reshape(wave.shape)
    ink = (np.kron(x, np.ones((SUPER, SUPER))) > threshold).astype(np.float64)
    return np.asarray(gaussian_filter(ink, 0.5 * SUPER).reshape(height, SUPER, width, SUPER).mean((1, 3)))


def rosettes(x: NDArray[np.floating], period: float) -> NDArray[np.float64]:
    """Return (H, W, 3) in [0, 1] printed in three colours, each at an angle of its own."""
    return np.stack([dots(x[..., c], period, angle) for c, angle in enumerate((15, 75, 0))], axis=2)


def waves(x: NDArray[np.floating], period: float, degrees: float, amplitude: float) -> NDArray[np.float64]:
    """Return (H, W) or (H, W, C) with a wave over it, along a direction to the rows, upwards."""
    rows, columns = np.mgrid[: x.shape[0], : x.shape[1]]
    turn = np.deg2rad(degrees)
    wave = amplitude * np.cos(2 * np.pi * (columns * np.cos(turn) - rows * np.sin(turn)) / period)
    return np.asarray(x + (wave if x.ndim == 2 else wave[..., None]), np.float64)


def as_bytes(x: NDArray[np.floating], noise: float = 1.0) -> NDArray[np.uint8]:
    """Return values in [0, 1] as a scanner writes them, with a little noise, in grey levels."""
    found = 255 * x + np.random.default_rng(0).normal(0, noise, x.shape)
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)
