"""EXIF orientation: the pixels of one file laid as those of another are stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from untaught.image.image import Image

UPRIGHT = 1
SHOWN: dict[int, tuple[bool, str]] = {
    UPRIGHT: (False, ""),
    2: (False, "X"),
    3: (False, "YX"),
    4: (False, "Y"),
    5: (True, ""),
    6: (True, "X"),
    7: (True, "YX"),
    8: (True, "Y"),
}
"""How a stored picture is shown: whether rows and columns change places, and then which axes are reversed."""


def laid_as(image: Image, picture: Image) -> Image:
    """Return what goes with a picture, such as a mask, with its pixels in the order of the picture's.

    People see files upright, and paint a mask on what they see. An array has no orientation, nor has .npy; and
    what fits a picture only as it is was made from the pixels as they are stored.
    """
    there, here = (int(each.metadata.get("orientation", UPRIGHT)) for each in (image, picture))
    if image.is_bare or picture.is_bare or there == here:
        return image
    turned = _turned(image, there, here)
    size = (picture.height, picture.width)
    only_as_it_is = (image.height, image.width) == size != (turned.height, turned.width)
    return image if only_as_it_is else turned


def _turned(image: Image, there: int, here: int) -> Image:
    sides = image.axes.index("Y"), image.axes.index("X")
    (swapped, reversed_axes), (swapped_back, reversed_back) = SHOWN[there], SHOWN[here]
    array = image.array.swapaxes(*sides) if swapped else image.array
    array = np.flip(array, tuple(image.axes.index(axis) for axis in reversed_axes))
    array = np.flip(array, tuple(image.axes.index(axis) for axis in reversed_back))
    array = array.swapaxes(*sides) if swapped_back else array
    return replace(image, array=np.ascontiguousarray(array), metadata={**image.metadata, "orientation": here})
