"""A folder of DICOM slices as one volume, in the order in which they lie in the patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError, legible
from untaught.image.formats import dicom, dicom_writer
from untaught.image.formats.base import Format, Library, decoding
from untaught.image.image import Image
from untaught.image.lazy import empty, release
from untaught.image.reading import WHOLE, Reading

APART = 1.5  # times the usual distance of two slices, from which on there was one between them
UNEVEN = 0.01  # relative difference of distances that is said
ONE_BY_ONE = "leave --volume out to restore the slices one by one"
# What all slices of a volume have in common.
SHARED = (
    *("Rows", "Columns", "BitsAllocated", "PixelRepresentation", "PhotometricInterpretation"),
    *("RescaleSlope", "RescaleIntercept", "PixelSpacing"),
)
OURS = "Restored by untaught"


@dataclass(frozen=True)
class Slice:
    """A file, what it says without its pixels, and how far along the normal of its plane it lies, in mm."""

    path: Path
    dataset: Any
    place: float


@dataclass(frozen=True)
class Layout:
    """What the files of a series said, in the order of the slices; kept in ``metadata["dicom_series"]``."""

    names: tuple[str, ...]
    slices: tuple[dicom_writer.Layout, ...]
    shape: tuple[int, ...]
    dtype: str


def is_series(folder: Path) -> bool:
    """Tell whether DICOM files lie in a folder."""
    return any(True for _ in _files(folder))


def is_ours(folder: Path) -> bool:
    """Tell whether all that lies in a folder are DICOM files that this program has written."""
    import pydicom

    names = {path.name for path in folder.iterdir()}
    files = list(_files(folder))
    said = (str(pydicom.dcmread(path, stop_before_pixels=True).get("DerivationDescription", "")) for path in files)
    return names == {path.name for path in files} and all(text.startswith(OURS) for text in said)


def read(folder: Path, reading: Reading = WHOLE) -> Image:
    """Read the slices of one series as a volume, Z along the normal of their planes.

    Raises
    ------
    InputError
        Where there is no such series, a slice is missing, or they are no volume.
    """
    found = _series(folder)
    number = reading.refuse_pages(folder, "DICOM", len(found))
    if number < 0:
        number = max(range(len(found)), key=lambda k: len(found[k]))
    slices = _in_order(folder, found[number])
    _refuse_mixed(folder, slices)
    step, notes = _step(folder, slices)
    array, layouts, first = _stacked(slices)
    metadata = {name: value for name, value in first.metadata.items() if name != "dicom"}
    metadata["spacing"] = {"Z": (step, "mm"), **metadata.get("spacing", {})}
    metadata["dicom_series"] = Layout(
        tuple(one.path.name for one in slices), layouts, array.shape, array.dtype.str
    )
    image = Image.of(array, "ZYX", metadata=metadata, source=folder.absolute())
    return replace(image, file_notes=(*_others(found, number), *notes, *first.file_notes))


def _files(folder: Path) -> Iterator[Path]:
    """Yield the DICOM files in a folder, by name."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "DICOMDIR" or not path.is_file():
            continue
        with path.open("rb") as stream:
            if dicom.is_dicom(stream.read(256)):
                yield path


def _series(folder: Path) -> list[list[tuple[Path, Any]]]:
    """Return what the files say, by series, these in the order of their numbers."""
    found: dict[tuple[int, str], list[tuple[Path, Any]]] = {}
    for path in _files(folder):
        with decoding(path, "DICOM"), dicom.broken():
            dataset = dicom.parsed(path, pixels=False)
            key = int(dataset.get("SeriesNumber") or 0), str(dataset.get("SeriesInstanceUID", ""))
            if "Rows" in dataset:
                found.setdefault(key, []).append((path, dataset))
    if not found:
        raise InputError(f"{legible(folder)} holds no DICOM slices; give the folder of a series")
    return [found[key] for key in sorted(found)]


def _others(found: Sequence[Sequence[tuple[Path, Any]]], number: int) -> tuple[str, ...]:
    """Return the note on the other series."""
    named = [
        f"{k} ({str(series[0][1].get('SeriesDescription', '')) or 'no description'}, {len(series)} slices)"
        for k, series in enumerate(found)
        if k != number
    ]
    if not named:
        return ()
    own = f"series {number} ({len(found[number])} slices) is restored"
    return (f"{own}, and these are not: {', '.join(named)}; '--series N' restores another",)


def _in_order(folder: Path, series: Sequence[tuple[Path, Any]]) -> list[Slice]:
    """Return the slices by their places in the patient.

    Raises
    ------
    InputError
        Where they do not say them, their planes are not parallel, or two lie at one place.
    """
    if len(series) < 2:
        raise InputError(f"{legible(folder)} holds a single slice of this series; give the file itself")
    planes, corners = (_numbers(series, name) for name in ("ImageOrientationPatient", "ImagePositionPatient"))
    if {len(plane) for plane in planes} != {6} or {len(corner) for corner in corners} != {3}:
        raise InputError(
            f"the slices in {legible(folder)} do not all say where they lie (ImagePositionPatient); {ONE_BY_ONE}"
        )
    across = np.array(planes)
    if np.abs(across - across[0]).max() > 1e-3:
        raise InputError(f"the slices in {legible(folder)} are not parallel, so they are no volume; {ONE_BY_ONE}")
    normal = np.cross(across[0, :3], across[0, 3:])
    places = np.array(corners) @ normal
    order = np.argsort(places, kind="stable").tolist()
    slices = [Slice(series[k][0], series[k][1], float(places[k])) for k in order]
    twice = sum(bool(gap < 1e-3) for gap in np.diff(places[order]))
    if twice:
        raise InputError(
            f"{twice} of {len(slices)} slices in {legible(folder)} lie where another one of their series does, "
            f"as of several times or echoes; {ONE_BY_ONE}"
        )
    return slices


def _numbers(series: Sequence[tuple[Path, Any]], name: str) -> list[list[float]]:
    """Return the numbers that each file says under a name; none where it says none, or something else."""
    found = []
    for path, dataset in series:
        with decoding(path, "DICOM"), dicom.broken():
            numbers = [float(one) for one in dataset.get(name) or ()]
        found.append(numbers if np.isfinite(numbers).all() else [])
    return found


def _refuse_mixed(folder: Path, slices: Sequence[Slice]) -> None:
    """Refuse slices that are not alike.

    Raises
    ------
    InputError
        Which one, and what it has of its own.
    """
    first = slices[len(slices) // 2]
    for one in slices:
        with decoding(one.path, "DICOM"), dicom.broken():
            frames, samples = (int(one.dataset.get(name) or 1) for name in ("NumberOfFrames", "SamplesPerPixel"))
            own = {name: one.dataset.get(name) for name in SHARED}
            usual = {name: first.dataset.get(name) for name in SHARED}
        if frames > 1 or samples > 1:
            raise InputError(f"{legible(one.path)} holds frames or colours and is no slice; give it alone")
        for name in SHARED:
            if own[name] != usual[name]:
                raise InputError(
                    f"{legible(one.path)} has another {name} than {legible(first.path.name)}, so they are no "
                    f"volume; {ONE_BY_ONE}"
                )


def _step(folder: Path, slices: Sequence[Slice]) -> tuple[float, tuple[str, ...]]:
    """Return the distance of slices in mm, and what to say of it.

    Raises
    ------
    InputError
        Where slices are missing.
    """
    places = np.array([one.place for one in slices])
    gaps = np.diff(places)
    step = float(np.median(gaps))
    wide = np.flatnonzero(gaps > APART * step)
    if len(wide):
        at = int(wide[0])
        missing = int(sum(max(1, round(gap / step) - 1) for gap in gaps[wide]))
        raise InputError(
            f"{missing} of {len(slices) + missing} slices in {legible(folder)} are missing, the first between "
            f"{legible(slices[at].path.name)} and {legible(slices[at + 1].path.name)}; fetch them again, or "
            f"{ONE_BY_ONE}"
        )
    if float(np.ptp(gaps)) > UNEVEN * step:
        return step, (f"the slices lie {gaps.min():.3g} to {gaps.max():.3g} mm apart; {step:.3g} mm is written",)
    return step, ()


def _stacked(slices: Sequence[Slice]) -> tuple[NDArray[Any], tuple[dicom_writer.Layout, ...], Image]:
    """Return the values, what is to be written back beside them, and the first slice as a picture."""
    array: NDArray[Any] | None = None
    layouts = []
    first: Image | None = None
    for place, one in enumerate(slices):
        with decoding(one.path, "DICOM"):
            image = dicom.read(one.path)
        if not isinstance(image, Image):
            raise InputError(f"{legible(one.path)} holds frames or colours and is no slice; give it alone")
        if array is None or first is None:
            array, first = empty((len(slices), *image.array.shape), image.array.dtype), image
        array[place] = image.array
        layouts.append(image.metadata["dicom"])
        release(array)
    assert array is not None
    assert first is not None
    return array, tuple(layouts), first


def write(folder: Path, image: Image) -> None:
    """Write a file a slice into an empty folder, each derived, with numbers of its own, all of one new series."""
    layout: Layout = image.metadata["dicom_series"]
    for name, one, values in zip(layout.names, layout.slices, image.array, strict=True):
        own = Image(np.array(values), "YX", image.value_range, {"dicom": one})
        with (folder / name).open("xb") as stream:
            dicom_writer.write(stream, own)


def objection(image: Image) -> str | None:
    """Say why a series of DICOM files cannot hold `image`."""
    layout: Layout | None = image.metadata.get("dicom_series")
    if layout is None:
        return "a series of DICOM files is written of such a series alone; write .tif or .nii instead"
    if (image.array.shape, image.array.dtype.str) != (layout.shape, layout.dtype):
        return "a series of DICOM files holds no other size or type than was read; write .tif or .nii instead"
    return None


DICOM_SERIES = Format(
    "DICOM series", (), lambda _: False, read, write, objection, Library("pydicom", "medical"), folder=is_ours
)
"""Not among `FORMATS`: a folder of slices is one picture only where it is asked for, `Reading.volume`."""
