"""NumPy's .npy, without pickles: the array and nothing else."""

from __future__ import annotations

from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import CutOffError, Format, broken_by
from untaught.image.image import Image
from untaught.image.reading import WHOLE, Reading
from untaught.image.unnamed import Unnamed

_MAGIC = b"\x93NUMPY"
# what parsing a header, a piece of Python, raises when that is broken
_ERRORS = (ValueError, TypeError, SyntaxError, OverflowError, EOFError, TokenError)


def read(path: Path, reading: Reading = WHOLE) -> Unnamed:
    """Read an array, of which the file says nothing but shape and type."""
    reading.refuse_others(path, "NumPy")
    return Unnamed(_mapped(path), None, path.absolute())


def _mapped(path: Path) -> NDArray[Any]:
    """Return a map of the array: it costs nothing whatever size the header claims, and needs the whole file."""
    with broken_by(*_ERRORS):
        try:
            mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            if "mmap length" in str(error):
                raise CutOffError from None
            if "Python objects" in str(error):
                raise InputError(f"{path} holds Python objects, not numbers; save an array of numbers") from None
            raise
    return mapped


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
