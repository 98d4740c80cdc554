"""NumPy's .npy, without pickles: the array and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np

from untaught.image import Image, image_of_array, refuse_too_many
from untaught.io._common import Format

_MAGIC = b"\x93NUMPY"


def read(path: Path) -> Image:
    """Read an array; its shape says what its axes are, as in `untaught.image.image_of_array`."""
    # a map costs nothing whatever size the header claims, and refuses a file that is shorter
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    colours = mapped.shape[-1] if mapped.ndim == 3 and mapped.shape[-1] <= 4 else 1
    refuse_too_many(path, mapped.size // max(1, colours))
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
