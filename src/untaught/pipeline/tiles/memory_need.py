"""How large a tile the memory allows."""

from __future__ import annotations

import math

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.image.lazy import in_words, is_mapped
from untaught.image.limits import default_memory
from untaught.image.tiling import Tiling
from untaught.pipeline.request import Request

# Measured as most resident memory, on 16-bit pictures of 512 and 1024 pixels a side: 310 to 350 MiB before a
# picture is read, 220 to 340 bytes a value for `nonlocal`, 2500 a pixel for `dip`.
FIXED = 448 * 2**20  # bytes, for the program and what does not grow with a tile
FORMULA = 400  # bytes a value
NETWORK = 3000  # bytes a pixel beside that
LEAST = 256  # pixels: side of the smallest tile
STEP = 32  # sides are multiples of it


def tiling_for(picture: Image, request: Request) -> Tiling | None:
    """Return how the planes of a picture are cut, None where they need not be.

    Raises
    ------
    InputError
        Where the memory that was given is too little for one tile.
    """
    fits = (picture.height, picture.width)
    if request.tiling is not None:
        return None if request.tiling.fits(*fits) else request.tiling
    each = bytes_a_pixel(picture)
    fixed = FIXED + (0 if is_mapped(picture.array) else picture.array.nbytes)
    least = fixed + each * min(LEAST**2, math.prod(fits))
    if request.memory is not None and request.memory < least:
        raise InputError(
            f"a memory of {in_words(request.memory)} is too little: the smallest part of {picture.name} that can "
            f"be restored takes {in_words(least)}; give that or more"
        )
    memory = memory_for(request)
    side = max(math.isqrt(max(int(memory - fixed), 0) // each) // STEP * STEP, LEAST)
    tiling = Tiling(side)
    return None if tiling.fits(*fits) else tiling


def memory_for(request: Request) -> int:
    """Return the bytes that may be used."""
    return default_memory() if request.memory is None else request.memory


def bytes_a_pixel(picture: Image) -> int:
    """Return how much memory a pixel of a plane takes while it is restored, by whatever method.

    The same memory has to give the same tiles when `auto` is asked and when the method is that it took.
    """
    channels = max(len(group) for group in picture.groups)
    return FORMULA * channels + NETWORK
