"""Files inside a gzip archive of one file, such as .nii.gz and .fits.gz."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats.base import CutOffError, broken_by
from untaught.image.limits import refuse_to_hold

if TYPE_CHECKING:
    from untaught.image.image import Image

GZIP = b"\x1f\x8b"
_LEVEL = 6  # gzip's own choice; Python's costs twice the time for one part in a hundred
_IN_MEMORY, _PIECE = 2**28, 2**22


def unpacked_header(header: bytes, length: int) -> bytes:
    """Return what the first bytes of a gzip archive hold, as far as that goes; nothing for any other file."""
    if not header.startswith(GZIP):
        return b""
    try:
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress(header, length)
    except zlib.error:
        return b""


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to read, unpacked where it is a gzip archive.

    Raises
    ------
    InputError
        Where it unpacks to more than can be restored.
    BrokenError
        Where it cannot be unpacked.
    """
    with path.open("rb") as stream:
        packed = stream.read(len(GZIP)) == GZIP
        stream.seek(0)
        if not packed:
            yield stream
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as unpacked:
            with broken_by(EOFError, zlib.error, gzip.BadGzipFile), gzip.GzipFile(fileobj=stream) as archive:
                while piece := archive.read(_PIECE):
                    unpacked.write(piece)
                    refuse_to_hold(path, unpacked.tell())
            unpacked.seek(0)
            yield unpacked


def numbers(stream: IO[bytes], shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Read an array as it is stored, the last axis the fastest.

    Raises
    ------
    CutOffError
        Where the stream ends before it does.
    """
    data = stream.read(prod(shape) * dtype.itemsize)
    if len(data) < prod(shape) * dtype.itemsize:
        raise CutOffError
    return np.array(np.frombuffer(data, dtype).reshape(shape))  # a copy, for bytes cannot be written to


def write_packed(stream: IO[bytes], image: Image, write: Callable[[IO[bytes], Image], None]) -> None:
    """Write what `write` writes into a gzip archive, without a name or a date in it."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as plain:
        write(plain, image)
        plain.seek(0)
        with gzip.GzipFile("", "wb", _LEVEL, stream, 0) as archive:
            shutil.copyfileobj(plain, archive, _PIECE)
