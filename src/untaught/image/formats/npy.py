"""NumPy's .npy, without pickles: the array and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np

from untaught.image.formats.base import CutOffError, Format
from untaught.image.image import Image, axes_of, image_of_array
from untaught.image.limits import refuse_too_large

_MAGIC = b"\x93NUMPY"


def read(path: Path) -> Image:
    """Read an array; its shape says what its axes are, as in `untaught.image.image.image_of_array`."""
    # a map costs nothing whatever size the header claims, and refuses a file that is shorter
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "mmap length" in str(error):
            raise CutOffError from None
        raise
    refuse_too_large(path, axes_of(mapped.shape, path), mapped.shape)
    return image_of_array(np.array(mapped), path.absolute())


def write(stream: IO[bytes], image: Image) -> None:
    """Write the array as it is, axes in their order; metadata has no place in this format."""
    np.save(stream, image.array, allow_pickle=False)


def objection(image: Image) -> str | None:
    """Nothing: any array can be held."""
    return None


NPY = Format(
    "NumPy .npy",
    (".npy",),
    lambda header: header.startswith(_MAGIC),
    read,
    write,
    objection,
)
