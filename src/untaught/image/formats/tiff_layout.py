"""How a TIFF was laid out, so that it can be written the same way; shared by its reader and its writer."""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

ORIENTATION, SOFTWARE, XMP = 274, 305, 700
FRACTIONS = (5, 10)  # types of tags whose values are quotients: without and with a sign
BOUNDS = (280, 281, 340, 341)  # least and greatest value, written as numbers of the pixels' type
TIFFFILE_ERRORS = (
    *(ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, AssertionError, EOFError, OSError),
    struct.error,
)
"""What tifffile, which trusts what it parses, and the decoders raise for a broken file."""
_logger_lock = threading.Lock()


@dataclass(frozen=True)
class Other:
    """Another picture in the file: tifffile's number of it, how many pages it has, and its size unpacked."""

    index: int
    pages: int
    nbytes: int


@dataclass(frozen=True)
class Layout:
    """How the file that was read was laid out; kept in ``metadata["tiff"]``.

    `tags` are tifffile's (code, type, count, encoded value, once), so `byteorder` goes with them.
    `description` is that of the first page; `kind` is tifffile's: ome, imagej, shaped, generic ...
    `image` is which of how many pictures it was; `others` are those that belong behind it when it is written.
    """

    kind: str
    shape: tuple[int, ...]
    axes: str
    dtype: str
    byteorder: str
    description: bytes | None
    shaped: dict[str, Any]
    tags: tuple[Any, ...]
    compression: str
    predictor: bool
    tile: tuple[int, int] | None
    extrasamples: tuple[int, ...]
    colormap: NDArray[Any] | None
    image: tuple[int, int] = (0, 1)
    others: tuple[Other, ...] = ()


def as_stored(tag: Any) -> tuple[Any, ...]:
    """Return a tag of tifffile as it writes it again; of fractions the numbers, for it miscounts their bytes."""
    code, kind, count, stored, once = tag.astuple()
    return code, kind, count, tag.value if kind in FRACTIONS else stored, once


@contextmanager
def log_of_tifffile() -> Iterator[list[str]]:
    """Collect what tifffile logs, instead of showing it."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, handler = logging.getLogger("tifffile"), Collector()
    with _logger_lock:
        propagate, logger.propagate = logger.propagate, False
        logger.addHandler(handler)
        try:
            yield lines
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagate
