"""How large a tile the memory allows."""

from __future__ import annotations

import math

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.image.lazy import in_words, is_mapped
from untaught.image.limits import default_memory
from untaught.image.tiling import Tiling
from untaught.operators.cut import Cut
from untaught.pipeline.request import Request

# Measured as most resident memory, on 16-bit pictures of 512 and 1024 pixels a side: 310 to 350 MiB before a
# picture is read, 220 to 340 bytes a value for `nonlocal`, 2500 a pixel for `dip`.
FIXED = 448 * 2**20  # bytes, for the program and what does not grow with a tile
FORMULA = 400  # bytes a value
NETWORK = 3000  # bytes a pixel beside that
LEAST = 256  # pixels: side of the smallest tile
STEP = 32  # sides are multiples of it
PLAIN = Cut()


def tiling_for(picture: Image, request: Request, cut: Cut = PLAIN, channels: int = 0) -> Tiling | None:
    """Return how the planes of a picture are cut, None where they need not be.

    Parameters
    ----------
    picture : Image
        What was measured.
    request : Request
        Which memory may be used, or how planes are cut whatever that is.
    cut : Cut
        How it can be cut, and how much larger the answer is; sides of a tile are those of the answer's.
    channels : int
        Of the answer; by default those of the picture's planes.

    Raises
    ------
    InputError
        Where the memory that was given is too little for one tile.
    """
    fits = (picture.height, picture.width)
    if request.tiling is not None:
        tiling = _through(request.tiling, cut)
        return None if tiling.fits(*fits) else tiling
    each = FORMULA * channels + NETWORK if channels else bytes_a_pixel(picture)
    fixed = _fixed(picture)
    least = fixed + each * min(LEAST**2, math.prod(fits) * cut.scale**2)
    if request.memory is not None and request.memory < least:
        raise InputError(
            f"a memory of {in_words(request.memory)} is too little: the smallest part of {picture.name} that can "
            f"be restored takes {in_words(least)}; give that or more"
        )
    memory = memory_for(request)
    side = max(math.isqrt(max(int(memory - fixed), 0) // each) // STEP * STEP, LEAST)
    tiling = _through(Tiling(side), cut)
    return None if tiling.fits(*fits) else tiling


def needed(picture: Image) -> int:
    """Return the bytes that denoising takes at most where no plane is cut."""
    return _fixed(picture) + bytes_a_pixel(picture) * picture.height * picture.width


def _fixed(picture: Image) -> int:
    return FIXED + (0 if is_mapped(picture.array) else picture.array.nbytes)


def _through(tiling: Tiling, cut: Cut) -> Tiling:
    """Return how a measurement is cut so that tiles of its answer are of a size."""
    step, scale = cut.step, cut.scale
    overlap = math.ceil((math.ceil(tiling.overlap / scale) + cut.reach) / step) * step
    side = max(tiling.side // scale // step * step, 2 * overlap + step)
    return Tiling(side, overlap, step)


def memory_for(request: Request) -> int:
    """Return the bytes that may be used."""
    return default_memory() if request.memory is None else request.memory


def bytes_a_pixel(picture: Image) -> int:
    """Return how much memory a pixel of a plane takes while it is restored, by whatever method.

    The same memory has to give the same tiles when `auto` is asked and when the method is that it took.
    """
    channels = max(len(group) for group in picture.groups)
    return FORMULA * channels + NETWORK
