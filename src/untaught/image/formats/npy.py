"""NumPy's .npy, without pickles: the array and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np

from untaught.image.formats.base import CutOffError, Format
from untaught.image.image import Image
from untaught.image.unnamed import Unnamed

_MAGIC = b"\x93NUMPY"


def read(path: Path) -> Unnamed:
    """Read an array, of which the file says nothing but shape and type."""
    # a map costs nothing whatever size the header claims, and refuses a file that is shorter
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "mmap length" in str(error):
            raise CutOffError from None
        raise
    return Unnamed(mapped, None, path.absolute())


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
