"""Which format a file is of, by its content, and which one a name asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from untaught.errors import InputError
from untaught.image.formats import FORMATS
from untaught.image.formats.base import Format
from untaught.image.formats.dicom_series import is_series
from untaught.image.formats.hdf5 import HDF5
from untaught.image.formats.known_kinds import HEADER, kind_of
from untaught.image.formats.packed import unpacked_header
from untaught.image.formats.plugins import faults, plugged
from untaught.image.reading import Reading, parted

SUFFIXES = tuple(suffix for fmt in FORMATS for suffix in fmt.suffixes)
"""The endings of the files that this package reads, lower case."""


def is_named_as_picture(path: Path) -> bool:
    """Tell whether the ending of a file's name is one of `SUFFIXES`."""
    return any(fmt.fits(path) for fmt in FORMATS)


def format_named(path: Path) -> Format | None:
    """Return the format with the longest suffix that a name ends in, ours before others'; None where none does."""
    found = max(FORMATS, key=lambda fmt: fmt.fits(path))
    if not found.fits(path):
        found = max((*plugged(), found), key=lambda fmt: fmt.fits(path))
    return found if found.fits(path) else None


def answer_name(name: Path, source: Path) -> tuple[str, str]:
    """Return the name of a picture without its ending, and the ending under which the answer to it is written.

    The ending is the picture's own, or `Format.written_as` where its format is only read; of a name that tells no
    format, that of the content of `source`, and nothing where that tells none either.
    """
    fmt, ending = format_named(name), 0
    if fmt is not None:
        ending = fmt.fits(name)
    else:
        with suppress(InputError):  # which is said when it is read
            fmt = format_of(parted(source)[0], None)
    stem, own = name.name[: len(name.name) - ending], name.name[len(name.name) - ending :]
    if fmt is not None and fmt.write is None:
        return stem, fmt.written_as
    return stem, own or ("" if fmt is None else fmt.suffixes[0])


def is_picture_folder(path: Path) -> bool:
    """Tell whether a folder is one picture, such as an OME-Zarr."""
    return any(fmt.folder is not None and fmt.folder(path) for fmt in _all())


def is_volume(path: Path, reading: Reading) -> bool:
    """Tell whether a path is a folder of DICOM slices that is to be one picture."""
    return reading.volume and _is_folder(path) and is_series(path)


def format_of(path: Path, inside: str | None) -> Format:
    """Return the format of a file or folder that is to be read, by what is in it.

    Raises
    ------
    InputError
        When there is no such file, or it is empty, a folder of another kind, or of another format; when its
        library is not installed; for a path inside a file that is no tree.
    """
    found = _format_of_folder(path) if _is_folder(path) else _format_of_file(path)
    found.require(path)
    if inside is not None and found is not HDF5:
        raise InputError(
            f"{path} is {found.article} {found.name} file and has nothing under {inside}; give it without that"
        )
    return found


def format_for(path: Path) -> Format:
    """Return the format that a name asks for: the one with the longest suffix that fits, ours before others'.

    Raises
    ------
    InputError
        When none fits, the format is only read, or its library is not installed.
    """
    found = format_named(path)
    if found is None:
        suffix = path.suffix.lower()
        known = ", ".join(suffix for fmt in FORMATS if fmt.write is not None for suffix in fmt.suffixes)
        said = f"the extension {suffix!r}" if suffix else "no extension"
        raise InputError(f"{path} has {said}, so its format is unknown; use one of {known}{faults()}")
    if found.write is None:
        raise InputError(f"{path} cannot be written: {found.name} files are only read; write .tif or .npy instead")
    found.require(path)
    return found


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # what is wrong with it is said when it is opened
        return False


def _format_of_folder(path: Path) -> Format:
    for fmt in _all():
        if fmt.folder is not None and fmt.folder(path):
            return fmt
    raise InputError(f"{path} is a folder; give one picture in it")


def _format_of_file(path: Path) -> Format:
    header = _header(path)
    inside = unpacked_header(header, HEADER)
    for fmt in _all():
        if fmt.matches(header) or (fmt.packed and fmt.matches(inside)):
            return fmt
    kind = kind_of(header)
    if kind is not None:
        raise InputError(f"{path} is {kind.name}, which is not read; {kind.advice}{faults()}")
    if any(magic.startswith(header) for magic in (b"\x89PNG\r\n\x1a\n", b"\x93NUMPY")):
        raise InputError(f"{path} is cut off after a few bytes; fetch or save it again")
    raise InputError(f"{path} is {_described(header)}, which is not read; convert it to TIFF or .npy{faults()}")


def _all() -> Iterator[Format]:
    """Yield our formats, and then those of other packages, which are looked for only now."""
    yield from FORMATS
    yield from plugged()


def _header(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a regular file")
        with path.open("rb") as stream:
            header = stream.read(HEADER)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; check the name") from error
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: permission denied") from error
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{os.fspath(path):.100} cannot be read: {reason}") from error
    if not header:
        raise InputError(f"{path} is empty (0 bytes)")
    return header


def _described(header: bytes) -> str:
    text = all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in header)
    return "a text file" if text else f"of an unknown type (it starts with {header[:8].hex(' ')})"
