"""Which pictures are too small, too large or too empty to be restored, and how much memory may be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from untaught.errors import InputError
from untaught.image.axes import MIN_SIDE
from untaught.image.lazy import free_memory, in_words

if TYPE_CHECKING:
    from untaught.image.image import Image

SHARE = 0.5  # of the memory that is free: what is used where nobody says


def check(image: Image) -> None:
    """Refuse, in one sentence, a picture that cannot be restored.

    Raises
    ------
    InputError
        When it is empty, has fewer than 8 pixels on a side, no measured value, or the same value everywhere.
    """
    height, width = image.height, image.width
    if image.array.size == 0:
        raise InputError(f"{image.name} is empty: its shape is {image.array.shape}")
    if min(height, width) < MIN_SIDE:
        raise InputError(
            f"{image.name} is {width} x {height} pixels, too small to restore; "
            f"give at least {MIN_SIDE} x {MIN_SIDE}"
        )
    low, high = image.used_range
    if np.isnan(low):
        raise InputError(f"{image.name} holds no number at all, only NaN or infinity")
    if low == high:
        raise InputError(f"{image.name} has the value {low:g} everywhere: nothing to restore")


def refuse_to_hold(name: str | Path, nbytes: float, memory: int | None = None) -> None:
    """Refuse, before anything of it is decoded, a file that can only be held whole and is too large for that.

    Parameters
    ----------
    name : str or Path
        The file.
    nbytes : float
        What it takes in memory.
    memory : int, optional
        How much may be used; by default half of what is free.

    Raises
    ------
    InputError
        Where it takes more.
    """
    bound = memory or default_memory()
    if nbytes > bound:
        raise InputError(
            f"{name} takes {in_words(nbytes)} unpacked, more than the {in_words(bound)} of memory that may be "
            "used; convert it to TIFF or .npy, which are read piece by piece, or allow more (memory)"
        )


def default_memory() -> int:
    """Return how many bytes may be used where nobody says: half of what is free, as the power of two below.

    What is free changes from run to run, and with it the parts that a picture is restored in; so it rarely does.
    """
    return 1 << (max(int(SHARE * free_memory()), 1).bit_length() - 1)
