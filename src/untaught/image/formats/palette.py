"""Colours that a file lists: kept where they are enough for what is written, said where they are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image

MOST = 256
KEY = "palette"
"""Where metadata has them: uint8, (N, 1) greys, (N, 3) or (N, 4) with opacity, in the order of the file."""


def indexed(image: Image) -> NDArray[np.uint8] | None:
    """Return which colour of its palette every pixel has, (H, W); None without one, or with others."""
    palette = image.metadata.get(KEY)
    pixels = image.samples_last(image.array)
    if palette is None or image.array.dtype != np.uint8 or pixels.shape[-1] != palette.shape[1]:
        return None
    numbers, known = (_as_numbers(part) for part in (pixels.reshape(-1, palette.shape[1]), palette))
    order = np.argsort(known, kind="stable")
    at = np.minimum(np.searchsorted(known[order], numbers), len(known) - 1)
    if not (known[order][at] == numbers).all():
        return None
    return np.asarray(order[at].reshape(pixels.shape[-3:-1]), np.uint8)


def _as_numbers(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.asarray(colours.astype(np.int64) @ 256 ** np.arange(colours.shape[1]), np.int64)


def one_bit(image: Image) -> bool:
    """Say whether a palette is of black and white alone."""
    palette = image.metadata.get(KEY)
    return palette is not None and palette.shape == (2, 1)


def as_pillow(image: Image) -> Any:
    """Return Pillow's picture with the file's own colours; None where these are not enough."""
    import PIL.Image

    indices = indexed(image)
    if indices is None:
        return None
    palette = image.metadata[KEY]
    if one_bit(image):
        return PIL.Image.fromarray(palette[indices][..., 0] > 0)
    made = PIL.Image.frombytes("P", indices.shape[::-1], indices.tobytes())
    made.putpalette(np.ascontiguousarray(np.broadcast_to(palette[:, :3], (len(palette), 3))).tobytes())
    return made


def snapped(image: Image, before: Image) -> Image:
    """Return a picture in which single pixels were replaced with these in the colours of the one before.

    What a hit pixel of a drawing was is one of the drawing's colours; a prediction lies near it.
    """
    from scipy.spatial import cKDTree

    if indexed(before) is None or indexed(image) is not None or image.array.shape != before.array.shape:
        return image
    palette = before.metadata[KEY]
    array, old = (one.samples_last(one.array) for one in (image, before))
    changed = (array != old).any(-1)
    found = array.copy()
    found[changed] = palette[cKDTree(palette.astype(float)).query(array[changed].astype(float))[1]]
    made = replace(image, array=image.array.copy())
    made.samples_last(made.array)[...] = found
    return made


def outgrown(image: Image, before: Image) -> str | None:
    """Return what is to be said where a picture has colours that the palette of the one before does not have."""
    palette = before.metadata.get(KEY)
    if palette is None or indexed(before) is None or indexed(image) is not None:
        return None
    return f"the {len(palette)} colours of the file's palette are not enough for the answer, which has more"
