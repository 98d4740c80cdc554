"""EXIF orientation: the pixels of one file laid as those of another are stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.image.values import correlation

UPRIGHT = 1
CLEARLY = 0.1  # more correlation than by chance
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


def laid_as(image: Image, picture: Image, alike: bool = False) -> Image:
    """Return what goes with a picture, such as a mask, with its pixels in the order of the picture's.

    ==========================================  ===========================================================
    of the two                                  the pixels are
    ==========================================  ===========================================================
    one is an array, or .npy                    as they are: these have no orientation
    both are shown the same way                 as they are
    only one order of pixels fits               in that order
    the image states an orientation             turned, from how it is shown to how the picture is stored
    neither, and both fit, a square, or 180     turned, with a note: people paint on what they see, but a
    degrees                                     program may have written the pixels as they are stored
    the same, and what they show is `alike`     as they are if what they show then agrees clearly better
    ==========================================  ===========================================================
    """
    there, here = (int(each.metadata.get("orientation", UPRIGHT)) for each in (image, picture))
    if image.is_bare or picture.is_bare or there == here:
        return image
    turned = _turned(image, there, here)
    size = (picture.height, picture.width)
    if (image.height, image.width) != size or "orientation" in image.metadata:
        return turned if (image.height, image.width) != size or (turned.height, turned.width) == size else image
    if (turned.height, turned.width) != size:
        return image
    if alike:
        return image if _agreement(image, picture) > _agreement(turned, picture) + CLEARLY else turned
    note = (
        f"{image.name} fits {picture.name} both as that is shown, turned by EXIF orientation {here}, and as it "
        "is stored; it was laid on it as shown, and what was made of the stored pixels is to be given as .npy"
    )
    return replace(turned, file_notes=(*turned.file_notes, note))


def upright(image: Image) -> Image:
    """Return a picture with its pixels as they are shown, for a format that cannot say how that is."""
    there = int(image.metadata.get("orientation", UPRIGHT))
    if there == UPRIGHT:
        return image
    return _turned(image, there, UPRIGHT)


def _agreement(image: Image, picture: Image) -> float:
    """Return the correlation of the grey values of two pictures of one size."""
    return correlation(_grey(image), _grey(picture), of_constant=0.0)


def _grey(image: Image) -> NDArray[np.float64]:
    view = image.samples_last(image.array).astype(np.float64)
    grey = view.reshape(-1, *view.shape[-3:]).mean((0, -1))
    return np.where(np.isfinite(grey), grey, 0.0)


def _turned(image: Image, there: int, here: int) -> Image:
    sides = image.axes.index("Y"), image.axes.index("X")
    (swapped, reversed_axes), (swapped_back, reversed_back) = SHOWN[there], SHOWN[here]
    array = image.array.swapaxes(*sides) if swapped else image.array
    array = np.flip(array, tuple(image.axes.index(axis) for axis in reversed_axes))
    array = np.flip(array, tuple(image.axes.index(axis) for axis in reversed_back))
    array = array.swapaxes(*sides) if swapped_back else array
    return replace(image, array=np.ascontiguousarray(array), metadata={**image.metadata, "orientation": here})
