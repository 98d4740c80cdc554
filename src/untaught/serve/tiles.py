"""What the page shows: parts of planes as PNG, at the contrast that was asked for, cut from arrays on the disk."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 256
"""Pixels on a side of a tile."""
COARSEST = 12
"""Level at which a pixel stands for 2^12 pixels on a side."""
AVERAGED = 3
"""Levels that are averaged; beyond them pixels are picked out first, to read less of the disk."""
HEAT = ((0, 0, 4), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164))
"""Colours from no uncertainty to the most, evenly spaced: dark to bright, in grey too."""

Values = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]


def plane_path(folder: Path, index: int) -> Path:
    """Return the file of a plane, (H, W, C) in its own units."""
    return folder / f"{index:05d}.npy"


def opened(folder: Path, index: int) -> NDArray[Any]:
    """Return a plane, mapped."""
    plane: NDArray[Any] = np.load(plane_path(folder, index), mmap_mode="r", allow_pickle=False)
    return plane


def cut(plane: NDArray[Any], level: int, column: int, row: int) -> Values:
    """Return a tile's values, at most (SIDE, SIDE, C): means over 2^level pixels on a side; empty beyond."""
    step, reach = 2**level, SIDE * 2**level
    picked = max(1, step >> AVERAGED)
    block = plane[row * reach : (row + 1) * reach : picked, column * reach : (column + 1) * reach : picked]
    return averaged(np.asarray(block, np.float32), step // picked)


def averaged(values: Values, step: int) -> Values:
    """Return the means over squares of `step` pixels; those at the border are repeated to fill the last ones."""
    if step == 1 or values.size == 0:
        return values
    height, width = values.shape[:2]
    filled = np.pad(values, ((0, -height % step), (0, -width % step), (0, 0)), mode="edge")
    rows, columns = filled.shape[0] // step, filled.shape[1] // step
    means: Values = filled.reshape(rows, step, columns, step, -1).mean((1, 3))
    return means


def levels(values: Values, low: float, high: float) -> Bytes:
    """Return values as 8 bits, `low` black and `high` white; what was not measured is black."""
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / max(high - low, 1e-30)
    found: Bytes = np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
    return found


def heat(values: Values, high: float) -> Bytes:
    """Return values as colours, 0 dark and `high` bright, the mean over channels."""
    table = np.array(
        [[np.interp(at, np.linspace(0, 255, len(HEAT)), c) for c in zip(*HEAT, strict=True)] for at in range(256)]
    )
    coloured: Bytes = table.astype(np.uint8)[levels(values.mean(-1), 0.0, high)]
    return coloured


def png(pixels: Bytes) -> bytes:
    """Return (H, W, 1 or 3) as a PNG, packed quickly rather than tightly."""
    from PIL import Image as Pillow

    stream = io.BytesIO()
    grey = pixels.shape[-1] == 1
    Pillow.fromarray(pixels[..., 0] if grey else pixels[..., :3]).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def row_of(plane: NDArray[Any], y: int, most: int) -> list[float]:
    """Return the values along a row, means over channels; of more than `most` every so many-th."""
    height, width = plane.shape[:2]
    step = -(-width // most)
    values = np.asarray(plane[min(max(y, 0), height - 1), ::step], np.float64).mean(-1)
    return [float(f"{value:.6g}") for value in np.nan_to_num(values)]
