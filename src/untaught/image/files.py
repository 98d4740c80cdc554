"""Pictures in and out of files: `read`, `write`, `check_writable`, and the `FORMATS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError, kind_of
from untaught.image.array_like import array_like
from untaught.image.atomic import check_target, path_of, whole_file, whole_folder
from untaught.image.find_format import format_for, format_of, is_volume
from untaught.image.formats import FORMATS
from untaught.image.formats.base import Format, decoding
from untaught.image.formats.dicom_series import DICOM_SERIES
from untaught.image.formats.hdf5 import HDF5
from untaught.image.formats.packed import write_packed
from untaught.image.image import Image, image_of_array, with_axes
from untaught.image.limits import check
from untaught.image.reading import WHOLE, Reading, parted
from untaught.image.unnamed import Unnamed

__all__ = ["FORMATS", "Format", "Reading", "as_image", "check_writable", "read", "write"]


def read(
    path: str | Path,
    axes: str | None = None,
    series: int | None = None,
    page: int | None = None,
    volume: bool = False,
) -> Image:
    """Read a picture; the format is found from the content, whatever the extension.

    `FORMATS` are those that are known here, some with a library of their own (``untaught formats`` lists them),
    and other packages add theirs by entry points of the group ``untaught.formats``. Nothing is asked of the
    picture but that it can be decoded. A large TIFF or .npy is not held: its array is a map of the file, or of
    what was unpacked from it to the disk, and the file has to stay as it is while that is used. Others must fit in
    half of the free memory.

    A TIFF may hold several pictures. The largest is read, at its full size; pictures of one size and type that
    were written one by one are a stack. `Image.notes` says what was left.

    Parameters
    ----------
    path : str or Path
        The file; for what is inside an HDF5 file, its path behind a colon: ``volume.h5:/raw/0``.
    axes : str, optional
        What its axes are, one letter each: X and Y once, S for colours, C for channels, Z, T, any other for more;
        whatever the file says. The array keeps the order that the file has.
    series : int, optional
        Which picture of a file that holds several (series of a TIFF, as tifffile counts them; extensions of FITS,
        scenes of CZI, images of LIF and HEIC), from 0.
    page : int, optional
        Which page of the file alone, or of that series; from 0, as tifffile counts.
    volume : bool
        Whether a folder of DICOM slices is read as one volume; `series` says which of several.

    Returns
    -------
    Image
        Values as stored, with the axes and the metadata that `write` needs to give them back.

    Raises
    ------
    InputError
        When there is no such file, or it is a folder, empty, cut off, corrupt, too large or of
        another type, or has no such series or page; for axes that do not fit, and for an array that may be two
        things, see `untaught.image.axes.guessed`.
    """
    return _read(path, axes, Reading(series, page, volume=volume))


def _read(path: str | Path, axes: str | None, reading: Reading) -> Image:
    return _stored(path_of(path, "the picture's path"), reading, lambda found: _named(found, axes))


def _stored(path: Path, reading: Reading, named: Callable[[Image | Unnamed], Image]) -> Image:
    """Return what a file holds, named; a mapped array is read while it is."""
    path, inside = parted(path)
    if inside is not None:
        reading = replace(reading, inside=inside)
    fmt = DICOM_SERIES if is_volume(path, reading) else format_of(path, inside)
    fmt.require(path)
    with decoding(path, fmt.name):
        return replace(named(fmt.read(path, reading)), reading=reading)


def write(path: str | Path, image: Image, *, protect: Path | None = None) -> Path:
    """Write `image` in the format of the extension, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where; an existing file is replaced, but never the image's own source.
    image : Image
        What; its type, axes and metadata are written back as far as the format has them.
    protect : Path, optional
        A file not to write over, under any name or link.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        When the extension is unknown, the format cannot hold the picture, or `path` is an input.
    OutputError
        When the place cannot be written to or the disk is full.
    """
    path = path_of(path, "the output's path")
    check_writable(path, image, protect=protect)
    place, inside = parted(path)
    fmt = _format_for(place, "dicom_series" in image.metadata)
    if inside is not None:
        image = replace(image, reading=replace(image.reading, inside=inside))
    assert fmt.write is not None, "format_for refuses what is only read"
    if fmt.folder is not None:
        with whole_folder(place) as folder:
            fmt.write(folder, image)
        return path
    with whole_file(place) as stream:
        if fmt.packed and place.name.lower().endswith(".gz"):
            write_packed(stream, image, fmt.write)
        else:
            fmt.write(stream, image)
    return path


def check_writable(path: str | Path, image: Image, *, protect: Path | None = None) -> None:
    """Raise what `write` would raise, as far as it can be known before the picture is restored.

    Raises
    ------
    InputError, OutputError
        As `write` does, but for a disk that fills up.
    """
    path = path_of(path, "the output's path")
    if not isinstance(image, Image):
        raise InputError(
            f"what is written is an untaught.Image, not {kind_of(image)}; make one, Image.of(array, axes)"
        )
    fmt = check_place(path, (protect, image.source), "dicom_series" in image.metadata)
    objection = fmt.objection(image)
    if objection is not None:
        raise InputError(f"{path} cannot be written: {objection}")


def _format_for(place: Path, volume: bool) -> Format:
    """Return the format that a name asks for: of one without an ending, for slices, a folder of these."""
    return DICOM_SERIES if volume and not place.suffix else format_for(place)


def check_place(path: Path, protected: tuple[Path | None, ...], volume: bool = False) -> Format:
    """Refuse a place where no picture can be written, whatever it holds, and return its format.

    A `volume` of DICOM slices may be written as such again, into a folder, whose name has no ending.

    Raises
    ------
    InputError, OutputError
        As `check_writable` does.
    """
    place, inside = parted(path)
    try:
        fmt = _format_for(place, volume)
    except InputError:
        check_target(place, protected)  # a place that is wrong comes before a name that is
        raise
    check_target(place, protected, fmt.folder)
    if inside is not None and fmt is not HDF5:
        raise InputError(f"{path} has a path inside it, which no {fmt.name} file has; give it without that")
    return fmt


def as_image(obj: str | Path | Image | NDArray[Any], axes: str | None = None, reading: Reading = WHOLE) -> Image:
    """Return the picture that a path, an image or an array stands for, fit to be restored.

    Parameters
    ----------
    obj : path, Image or array
        Of numpy, or what `array_like` takes. Of one, and of a file, that does not say what its axes are,
        `untaught.image.axes.guessed` finds them.
    axes : str, optional
        What the axes are, as in `read`.
    reading : Reading
        Which picture of a file, and its value range.

    Raises
    ------
    InputError
        When it is none of these, cannot be read, or `check` refuses it; for axes that do not fit.
    """
    if isinstance(obj, str | Path):
        image = _read(obj, axes, reading)
    elif isinstance(obj, Image):
        image = _named(obj, axes)
    else:
        found = array_like(obj)
        if found is None:
            raise InputError(f"a picture is a path, an array or an untaught.Image, not {kind_of(obj)}")
        image = image_of_array(found.array, axes=found.axes if axes is None else axes)
        if found.labels is not None:
            image = replace(image, metadata=image.metadata | {"labels": found.labels})
    if reading.value_range is not None:
        known = replace(image.reading, value_range=reading.value_range)
        image = replace(image, value_range=reading.value_range, reading=known)
    check(image)
    return image


def beside(obj: str | Path | Image | NDArray[Any], picture: Image) -> Image:
    """Return what goes with a picture, such as its reference, which may have one value everywhere.

    What its axes are is what those of the picture are, where it does not say itself, or the picture's were named.

    Raises
    ------
    InputError
        When it is no path, image or array, or cannot be read.
    """
    if isinstance(obj, Image):
        return obj
    if isinstance(obj, np.ndarray):
        return image_of_array(obj, axes=picture.axes if obj.ndim == picture.array.ndim else None)
    if not isinstance(obj, str | Path):
        raise InputError(f"a reference is a path, a numpy array or an untaught.Image, not {kind_of(obj)}")

    def named(found: Image | Unnamed) -> Image:
        alike = found.array.ndim == picture.array.ndim and (isinstance(found, Unnamed) or picture.axes_given)
        return _named(found, picture.axes if alike else None)

    return _stored(Path(obj), WHOLE, named)


def _named(found: Image | Unnamed, axes: str | None) -> Image:
    if isinstance(found, Unnamed):
        return found.named(axes)
    return found if axes is None else with_axes(found, axes)
