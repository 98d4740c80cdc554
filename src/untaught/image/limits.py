"""Which pictures are too small, too large or too empty to be restored."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from untaught.errors import InputError
from untaught.image.axes import MIN_SIDE

if TYPE_CHECKING:
    from untaught.image.image import Image

MAX_PLANE_PIXELS = 2**28
MAX_PIXELS = 10**9


def check(image: Image) -> None:
    """Refuse, in one sentence, a picture that cannot be restored.

    Raises
    ------
    InputError
        When it is empty, has fewer than 8 pixels on a side, more than 2**28 pixels in a plane or
        10**9 in all, no measured value at all, or the same value everywhere.
    """
    height, width = image.height, image.width
    if image.array.size == 0:
        raise InputError(f"{image.name} is empty: its shape is {image.array.shape}")
    if min(height, width) < MIN_SIDE:
        raise InputError(
            f"{image.name} is {width} x {height} pixels, too small to restore; "
            f"give at least {MIN_SIDE} x {MIN_SIDE}"
        )
    refuse_too_large(image.name, image.axes, image.array.shape)
    low, high = image.used_range
    if np.isnan(low):
        raise InputError(f"{image.name} holds no number at all, only NaN or infinity")
    if low == high:
        raise InputError(f"{image.name} has the value {low:g} everywhere: nothing to restore")


def refuse_too_large(name: str | Path, axes: str, shape: Sequence[int]) -> None:
    """Refuse what nobody could restore, before anything of it is decoded.

    Raises
    ------
    InputError
        Above 2**28 pixels in a plane, or 10**9 in all.
    """
    sizes = list(zip(axes, shape, strict=True))
    height, width = (prod(size for axis, size in sizes if axis == letter) for letter in "YX")
    pixels = prod(size for axis, size in sizes if axis != "S")
    if height * width > MAX_PLANE_PIXELS:
        raise InputError(
            f"{name} has planes of {width} x {height} pixels, more than the "
            f"{MAX_PLANE_PIXELS} (2**28) that can be restored; cut it into pieces"
        )
    if pixels > MAX_PIXELS:
        raise InputError(
            f"{name} has {pixels} pixels, more than the {MAX_PIXELS} that can be read; cut it into pieces"
        )
