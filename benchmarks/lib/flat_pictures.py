"""Pictures with flat parts: drawn ones, a slice of CT, skies of Kodak pictures; the noise that is added."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.flat_waves import FLAT, SIDE, corners
from lib.harness import read8
from lib.scientists import CT_SIGMA, PADDING
from untaught.noise import parse_noise

Values = NDArray[Any]
SKY = 6.0  # grey levels that a sky may change by over a window
SKIES = ("kodim07", "kodim09", "kodim10", "kodim11")
LAWS = ("gaussian:10", "gaussian:25", "gaussian:50", "poisson:5,3", "speckle:0.2", "correlated:15,1")
SKY_LAWS = ("gaussian:10", "gaussian:25")
DRAWN, CT = "drawn", "ct"
TILE = 64  # pixels of a flat or textured square of the drawn picture
LEVELS = (60, 100, 140, 180, 80, 160)  # of its squares, of 255
TEXTURE = 20.0  # standard deviation of its texture
REACH = 32  # pixels from one crop that is looked at to the next


@dataclass(frozen=True)
class FlatPicture:
    """A noisy picture, the truth, and where it is flat.

    Attributes
    ----------
    clean, noisy : ndarray
        float, (H, W) or (H, W, 3), where 255 grey levels are the value range.
    corners : list of (int, int)
        Upper left corners of the flat windows.
    counted : ndarray of bool
        (H, W), of which pixels a PSNR is.
    """

    clean: Values
    noisy: Values
    corners: list[tuple[int, int]]
    counted: NDArray[np.bool_]


def drawn(side: int = 4 * TILE) -> Values:
    """Return squares in the order of a chess board, flat and textured, and two discs with sharp edges, (H, W)."""
    rng = np.random.default_rng(7)
    i, j = np.mgrid[:side, :side]
    row, column = i // TILE, j // TILE
    x = np.asarray(LEVELS, np.float64)[(row + 2 * column) % len(LEVELS)]
    stripes = np.sqrt(2) * np.sin(2 * np.pi * (i + 2 * j) / 9)
    grain = np.clip(rng.standard_normal(x.shape), -2.5, 2.5)  # all of it between black and white
    textured = (row + column) % 4 == 3
    x += TEXTURE * textured * np.where(row % 2, stripes, grain)
    for y, z, radius, level in ((70, 80, 9, 230), (190, 130, 14, 20)):
        x[(i - y) ** 2 + (j - z) ** 2 < radius**2] = level
    return x


def sky(data: Path, name: str, side: int = 256) -> Values:
    """Return the square of a Kodak picture that has the most flat windows, (side, side, 3)."""
    x = read8(data / "kodak" / f"{name}.png").astype(np.float64)
    found = np.asarray(corners(x, SKY)).reshape(-1, 2)

    def flat(corner: tuple[int, int]) -> int:
        start = np.asarray(corner)
        return int(((found >= start) & (found + SIDE <= start + side)).all(axis=1).sum())

    rows, columns = (range(0, length - side + 1, REACH) for length in x.shape[:2])
    top, left = max(((i, j) for i in rows for j in columns), key=flat)
    return x[top : top + side, left : left + side]


def flat_picture(data: Path, name: str, law: str, quick: bool = False) -> FlatPicture:
    """Return a picture by its name with noise of a law, as `parse_noise` reads it; that of CT is in the file."""
    if name == CT:
        return _ct(data, quick)
    side = 128 if quick else 256
    clean = drawn(side) if name == DRAWN else sky(data, name, side)
    drawn_noise = parse_noise(law)
    assert drawn_noise is not None
    planes = clean.reshape(*clean.shape[:2], -1).astype(np.float32) / 255
    noisy = 255 * np.asarray(drawn_noise.sample(planes, np.random.default_rng(0)), np.float64)
    where = corners(clean, FLAT if name == DRAWN else SKY)
    return FlatPicture(clean, noisy.reshape(clean.shape), where, np.ones(clean.shape[:2], bool))


def _ct(data: Path, quick: bool) -> FlatPicture:
    """Return the slice of CT, its value range as 255 grey levels; padding is filled with noisy air."""
    part = slice(128, 288) if quick else slice(None)
    y, x = (
        np.load(data / "cases" / f"{stem}.npy")[part, part].astype(float)
        for stem in ("ct_sigma60HU_int16", "ct_truth")
    )
    counted = y != PADDING
    low = x[counted].min()
    air = low + CT_SIGMA * np.random.default_rng(0).standard_normal(y.shape)
    scale = 255 / np.ptp(x[counted])
    clean, noisy = (scale * (np.where(counted, values, fill) - low) for values, fill in ((x, low), (y, air)))
    return FlatPicture(clean, noisy, corners(clean, FLAT, counted), counted)
