"""Padding: areas of one value beside a picture, such as a black frame or the corners of a round field."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

SHARE = 0.01  # of the plane that padding holds at least, and
MOST = 0.5  # at most: with more, what repeats is the picture
CORE = 64  # pixels of one area that lie amid 3 x 3 of its value
# Noise that was cut off leaves specks amid the cut values, a share of them as large as the tail that was not cut.
SPECKS = 1e-4
CLOSED = 5  # pixels: side of the largest speck
ALL = 0.9  # of the pixels of the least value lie in the areas; where noise was cut off, many are scattered
BAND = 4  # pixels: how far beside an area the picture is looked at
REPEATED = 0.2  # share of that band that lies amid 3 x 3 of one value: in drawings it does, in noise it does not


def padding_of(values: NDArray[Any], missing: Flags) -> Flags:
    """Return where a plane is padding: large areas that hold its least value exactly, beside noise.

    Parameters
    ----------
    values : ndarray
        (H, W, C), as in the file.
    missing : ndarray
        bool, (H, W), True where there is no measurement.

    Returns
    -------
    ndarray
        bool, (H, W); False everywhere where areas are small, are most of the plane, have specks in them, as noise
        does that was cut off, or lie beside what repeats as well, as in drawings.

    Notes
    -----
    Only the least value pads: what is white everywhere is the sky of an overexposed photograph.
    """
    nothing = np.zeros(missing.shape, np.bool_)
    if missing.all():
        return nothing
    there = values[~missing] if missing.any() else values
    least = there.min(tuple(range(there.ndim - 1)))
    bottom = ~missing
    for channel, value in enumerate(least):
        bottom &= values[..., channel] == value
    if bottom.sum() < SHARE * bottom.size:
        return nothing
    found = _areas(bottom)
    if not max(SHARE * found.size, ALL * bottom.sum()) <= found.sum() <= MOST * found.size:
        return nothing
    if not (_solid(found, bottom | missing) and _noise_beside(found, values, missing)):
        return nothing
    return _with_tips(found, bottom)


def padding_within(values: NDArray[Any], missing: Flags, value: NDArray[Any] | None) -> Flags:
    """Return where a part of a plane is padding, by the `value`, (C,), that it has in the whole, if any."""
    if value is None:
        return np.zeros(missing.shape, np.bool_)
    at = np.asarray((values == value).all(-1) & ~missing, np.bool_)
    return _with_tips(_areas(at), at)


def _areas(at: Flags) -> Flags:
    """Return the connected areas with enough pixels that lie amid 3 x 3 of the same."""
    from scipy.ndimage import binary_dilation, binary_erosion, label

    square = np.ones((3, 3))
    core = binary_erosion(at, square, border_value=1)
    names, count = label(core)
    large = np.bincount(names.ravel(), minlength=count + 1) >= CORE
    large[0] = False
    return np.asarray(binary_dilation(large[names], square) & at, np.bool_)


def _with_tips(found: Flags, at: Flags) -> Flags:
    """Return areas with the pixels of their value that hang on them, such as the thin ends of round corners."""
    from scipy.ndimage import binary_propagation

    return np.asarray(binary_propagation(found, np.ones((3, 3)), mask=at), np.bool_)


def _solid(found: Flags, filled: Flags) -> bool:
    """Say whether areas have next to no specks, (H, W), of other values in them."""
    from scipy.ndimage import binary_closing

    side = np.ones((CLOSED, CLOSED))
    padded = np.pad(found, CLOSED)
    closed = binary_closing(padded, side)[CLOSED:-CLOSED, CLOSED:-CLOSED]
    inner = closed & ~filled & ~_rim(found)
    return bool(inner.sum() <= SPECKS * found.sum())


def _rim(found: Flags) -> Flags:
    """Return what lies beside areas as wide as the largest speck: their outlines may be ragged."""
    from scipy.ndimage import binary_dilation, binary_fill_holes

    outside = ~binary_fill_holes(found)
    return np.asarray(binary_dilation(outside, np.ones((CLOSED, CLOSED))), np.bool_)


def _noise_beside(found: Flags, values: NDArray[Any], missing: Flags) -> bool:
    """Say whether hardly anything in a band around the areas lies amid 3 x 3 of one value."""
    from scipy.ndimage import binary_dilation, maximum_filter, minimum_filter

    near = binary_dilation(found, np.ones((3, 3)), iterations=BAND)
    band = near & ~binary_dilation(found, np.ones((3, 3))) & ~missing
    if not band.any():
        return False
    rows, columns = (np.flatnonzero(near.any(axis)) for axis in (1, 0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    size = (3, 3, 1)
    same = (maximum_filter(values[part], size) == minimum_filter(values[part], size)).all(2)
    return bool(same[band[part]].mean() < REPEATED)
