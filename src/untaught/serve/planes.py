"""The planes of a picture as the page shows them: upright, each an array of its own on the disk."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.serve.tiles import plane_path

STRETCH = (0.1, 99.9)  # percentiles; the far tails would cost the rest its contrast
SAMPLE = 1 << 18  # values that percentiles are taken of

Region = tuple[int, int, int, int]


def as_shown(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return (H, W, C) turned as EXIF says that it is shown."""
    from untaught.image.orientation import SHOWN

    swapped, reversed_axes = SHOWN[orientation]
    turned: NDArray[Any] = values.swapaxes(0, 1) if swapped else values
    return np.flip(turned, tuple("YX".index(axis) for axis in reversed_axes))


def stored(region: Sequence[int], orientation: int, size: tuple[int, int]) -> Region:
    """Return a rectangle of a picture as it is shown, of this height and width, as one of it as it is stored."""
    from untaught.image.orientation import SHOWN

    swapped, reversed_axes = SHOWN[orientation]
    x, y, width, height = region
    rows, columns = size
    x = columns - x - width if "X" in reversed_axes else x
    y = rows - y - height if "Y" in reversed_axes else y
    return (y, x, height, width) if swapped else (x, y, width, height)


def stored_in(picture: Image, region: Sequence[int] | None) -> Region | None:
    """Return a rectangle of the picture as it is shown as one of it as it is stored."""
    if region is None:
        return None
    turn = orientation_of(picture)
    shown = as_shown(np.empty((picture.height, picture.width, 0)), turn)
    return stored(region, turn, (shown.shape[0], shown.shape[1]))


def orientation_of(picture: Image) -> int:
    """Return EXIF's number for how a picture is shown; 1 as it is stored."""
    return int(picture.metadata.get("orientation", 1))


def keep_planes(picture: Image, folder: Path) -> list[dict[str, Any]]:
    """Write every plane as an array of its own, upright, and return what a page has to know of them."""
    fresh(folder)
    found = []
    for index, label in enumerate(picture.labels):
        values = as_shown(picture.raw(index), orientation_of(picture))
        np.save(plane_path(folder, index), values, allow_pickle=False)
        found.append({"label": label, **extent(values, picture)})
    return found


def fresh(folder: Path) -> Path:
    """Make a folder anew: what is in it is of a server that was killed before it could say what it has."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def extent(values: NDArray[Any], picture: Image) -> dict[str, Any]:
    """Return size, ends and a contrast for the eye of (H, W, C)."""
    step = max(1, math.isqrt(max(1, values.size // SAMPLE)))
    sample = values[::step, ::step].astype(np.float64)
    sample = sample[np.isfinite(sample) & (np.abs(sample) < 1e30)]
    least, most = (float(sample.min()), float(sample.max())) if sample.size else (0.0, 1.0)
    low, high = picture.value_range
    if picture.array.dtype != np.uint8 and sample.size:
        low, high = (float(value) for value in np.percentile(sample, STRETCH))
    if not high > low:
        low, high = low - 0.5, low + 0.5
    height, width, channels = values.shape
    ends = {"low": low, "high": high, "least": min(least, low), "most": max(most, high)}
    return {"height": height, "width": width, "channels": channels, **ends}
