"""DICOM: one picture or many frames; what is written says that it is derived, and has numbers of its own."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError, legible
from untaught.image.formats.base import ANYTHING, BrokenError, CutOffError, Format, Library, broken_by
from untaught.image.formats.dicom_writer import Layout, write
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading
from untaught.image.unnamed import Unnamed, is_unnamed

_DEFLATED = "1.2.840.10008.1.2.1.99"
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_LONGEST_META, _LONGEST_KIND, _PIECE = 2**16, 16, 2**20
_META = 132  # where the group of elements begins that says how the others are written
# Modalities whose noise is speckle, which a picture on a screen does not always show.
_SPECKLED = {"US": "ultrasound", "IVUS": "ultrasound", "OPT": "light (OCT)", "IVOCT": "light (OCT)"}
_SPECKLE = (
    "this is a scan by {scanned}, whose noise is speckle; if none is found, or something else, the scanner has "
    "smoothed it: give it then (noise speckle:.2, say)"
)
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_FRAME_TIME, _FRAME_TIMES, _SLICES = 0x00181063, 0x00181065, 0x00540080
# compressed as pydicom alone cannot take apart, and imagecodecs can
_CODECS = {
    "1.2.840.10008.1.2.4.51": "jpeg_decode",
    "1.2.840.10008.1.2.4.57": "jpeg_decode",
    "1.2.840.10008.1.2.4.70": "jpeg_decode",
    "1.2.840.10008.1.2.4.80": "jpegls_decode",
    "1.2.840.10008.1.2.4.81": "jpegls_decode",
    "1.2.840.10008.1.2.4.201": "htj2k_decode",
    "1.2.840.10008.1.2.4.202": "htj2k_decode",
    "1.2.840.10008.1.2.4.203": "htj2k_decode",
}


def broken() -> AbstractContextManager[None]:
    """Take what pydicom raises for a broken file: elements are parsed when they are asked for."""
    return broken_by(*ANYTHING)


def is_dicom(header: bytes) -> bool:
    """Tell DICOM with its preamble, whatever that holds, and without: then it starts with a group of numbers."""
    bare = header[:4] in (b"\x02\x00\x00\x00", b"\x08\x00\x00\x00", b"\x08\x00\x05\x00", b"\x08\x00\x08\x00")
    return header[128:132] == b"DICM" or (bare and header[4:6] in (b"UL", b"CS"))


def read(path: Path, reading: Reading = WHOLE) -> Image | Unnamed:
    """Read the values as they are stored, frames as slices or times where the file says which they are.

    Rescale slope and intercept are not applied, but noted. Palettes and brightness with differences of colour
    become RGB; values of which zero is white stay so.
    """
    reading.refuse_others(path, "DICOM")
    dataset = parsed(path, reading.memory)
    with broken():
        rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
        frames, kind = int(dataset.get("NumberOfFrames") or 1), str(dataset.get("Modality") or "no known modality")
        there = [name for name in _PIXELS if name in dataset]
        bits = int(dataset.get("BitsAllocated") or 8)
    if "SOPClassUID" not in dataset and not there:
        raise CutOffError
    if not there:
        kind = legible(kind[:_LONGEST_KIND])
        raise InputError(f"{path} holds no picture (a DICOM file of {kind}); give one with pixels")
    if bits == 1:
        raise InputError(f"{path} holds a mask of 1 bit, in which there is no noise to take out")
    refuse_to_hold(path, frames * rows * columns * bits / 8, reading.memory)
    array, converted = _pixels(dataset)
    with broken():  # elements are parsed when they are asked for
        axes = _axes(dataset, array)
        metadata, notes = _metadata(dataset, axes), _notes(dataset)
    for name in there:
        del dataset[name]
    metadata["dicom"] = Layout(dataset, array.shape, array.dtype.str, axes, converted)
    if is_unnamed(axes):
        return Unnamed(array, axes, path.absolute(), metadata, file_notes=notes)
    return replace(Image.of(array, axes, metadata=metadata, source=path.absolute()), file_notes=notes)


def parsed(path: Path, memory: int | None = None, pixels: bool = True) -> Any:
    """Return what a file says, without its pixels where these are not wanted.

    Raises
    ------
    InputError
        Where it unpacks to more than may be held.
    BrokenError
        Where it is broken, or says the same thing over and over, as zeros that were packed do.
    """
    from pydicom.filereader import read_partial

    _refuse_unpacked(path, memory)
    said: list[int] = []

    def stop(tag: Any, vr: str | None, length: int) -> bool:
        if said[-1:] == [int(tag)]:
            raise BrokenError("it says the same thing twice")
        said.append(int(tag))
        return not pixels and int(tag) in _PIXEL_TAGS

    with broken(), path.open("rb") as stream:
        return read_partial(stream, stop_when=stop, force=True)


def _refuse_unpacked(path: Path, memory: int | None) -> None:
    """Refuse a file that is packed as a whole and unpacks to more than may be held."""
    with path.open("rb") as stream:
        head = stream.read(_META + 12)
        length = int.from_bytes(head[_META + 8 :], "little") if head[_META - 4 : _META] == b"DICM" else 0
        if not 0 < length < _LONGEST_META or _DEFLATED.encode() not in stream.read(length):
            return
        unpacker, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
        with broken_by(zlib.error):
            while packed := unpacker.unconsumed_tail or stream.read(_PIECE):
                size += len(unpacker.decompress(packed, _PIECE))
                refuse_to_hold(path, size, memory)


def _pixels(dataset: Any) -> tuple[NDArray[Any], bool]:
    """Decode; and tell whether colours became RGB."""
    import pydicom.pixels

    with broken():
        colours = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
        syntax = str(getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", ""))
        array = np.asarray(_decoded(dataset, syntax) if syntax in _CODECS else pydicom.pixels.pixel_array(dataset))
        if colours == "PALETTE COLOR":
            array = np.asarray(pydicom.pixels.apply_color_lut(array, dataset))
    if array.shape[-1] == 4 and colours == "PALETTE COLOR":
        array = array[..., :3]
    return array, colours not in ("MONOCHROME1", "MONOCHROME2", "RGB")


def _decoded(dataset: Any, syntax: str) -> NDArray[Any]:
    """Return frames that imagecodecs decodes, as the numbers that they are said to be."""
    import imagecodecs
    from pydicom.encaps import generate_frames

    decode: Callable[..., Any] = getattr(imagecodecs, _CODECS[syntax])
    count = int(dataset.get("NumberOfFrames") or 1)
    with broken():
        frames = [decode(frame) for frame in generate_frames(dataset.PixelData, number_of_frames=count)]
    if len(frames) != count:
        raise BrokenError(f"{len(frames)} of {count} frames are there")
    array = np.stack(frames) if count > 1 else frames[0]
    if dataset.get("PixelRepresentation") == 1:
        spare = array.dtype.itemsize * 8 - int(dataset.BitsStored)
        array = (array.view(array.dtype.str.replace("u", "i")) << spare) >> spare
    return np.asarray(array)


def _axes(dataset: Any, array: NDArray[Any]) -> str:
    """Return a letter for each axis; Q for frames that follow each other in a way that is not stated."""
    palette = dataset.get("PhotometricInterpretation") == "PALETTE COLOR"
    plane = "YXS" if palette or int(dataset.get("SamplesPerPixel") or 1) > 1 else "YX"
    if array.ndim == len(plane):
        return plane
    pointer = dataset.get("FrameIncrementPointer")
    pointers = {int(one) for one in (pointer if isinstance(pointer, list) else [pointer] if pointer else [])}
    if pointers == {_FRAME_TIME} or pointers == {_FRAME_TIMES} or "CineRate" in dataset:
        return "T" + plane
    places = _places(dataset)
    if pointers == {_SLICES} or (len(places) == len(array) and len(set(places)) == len(places)):
        return "Z" + plane
    return "Q" + plane


def _places(dataset: Any) -> list[tuple[float, ...]]:
    """Return where each frame lies in the patient, as far as that is said."""
    found = []
    for frame in dataset.get("PerFrameFunctionalGroupsSequence") or ():
        place = (frame.get("PlanePositionSequence") or [{}])[0].get("ImagePositionPatient")
        if place:
            found.append(tuple(float(one) for one in place))
    return found


def _metadata(dataset: Any, axes: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        found["photometric"] = "miniswhite"
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    measures = (shared.get("PixelMeasuresSequence") or [dataset])[0]
    sizes = measures.get("PixelSpacing") or dataset.get("ImagerPixelSpacing")
    spacing = {axis: (float(size), "mm") for axis, size in zip("YX", sizes or (), strict=False)}
    steps = {
        "Z": (measures.get("SpacingBetweenSlices") or measures.get("SliceThickness"), "mm"),
        "T": (dataset.get("FrameTime"), "ms"),
    }
    spacing |= {axis: (float(step), unit) for axis, (step, unit) in steps.items() if axis in axes and step}
    if spacing:
        found["spacing"] = spacing
    return found


def _notes(dataset: Any) -> tuple[str, ...]:
    scanned = _SPECKLED.get(str(dataset.get("Modality")))
    kind = () if scanned is None else (_SPECKLE.format(scanned=scanned),)
    return (*kind, *_quantity(dataset))


def _quantity(dataset: Any) -> tuple[str, ...]:
    slope, intercept = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
    if (slope, intercept) == (1, 0):
        return ()
    unit = dataset.get("RescaleType") or ("HU" if dataset.get("Modality") == "CT" else "")
    quantity = f"the quantity{f' ({unit})' if unit else ''} is {slope:g} times them plus {intercept:g}"
    return (f"the values are those stored in the file; {quantity}",)


def objection(image: Image) -> str | None:
    """Say why a DICOM file cannot hold `image`."""
    layout: Layout | None = image.metadata.get("dicom")
    if layout is None:
        return (
            "a DICOM file says whose picture it is and how it was taken; this one does not, so write .tif instead"
        )
    if image.array.shape != layout.shape:
        return "where its pixels lie in the patient would not be true of another size; write .tif or .nii instead"
    if image.array.dtype.str != layout.dtype:
        return f"this kind of DICOM file cannot hold {image.array.dtype} values; write .tif or .nii instead"
    return None


DICOM = Format("DICOM", (".dcm", ".dicom"), is_dicom, read, write, objection, Library("pydicom", "medical"))
