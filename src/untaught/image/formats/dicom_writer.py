"""The writing half of DICOM."""

from __future__ import annotations

import copy
import hashlib
import warnings
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught._version import __version__
from untaught.image.image import Image

_LONGEST = 64  # letters of a description, by the standard
_MARK = " (restored)"
# true of the file that was read alone
_STALE = (
    *("IconImageSequence", "DigitalSignaturesSequence", "MACParametersSequence", "ExtendedOffsetTable"),
    *("ExtendedOffsetTableLengths", "PixelDataProviderURL"),
)
_PALETTE = tuple(
    f"{colour}PaletteColorLookupTable{what}"
    for colour in ("Red", "Green", "Blue")
    for what in ("Data", "Descriptor")
)


@dataclass(frozen=True)
class Layout:
    """What a DICOM file said beside its pixels; kept in ``metadata["dicom"]``.

    `dataset` is pydicom's, without the pixels; `converted` tells that its colours became RGB.
    """

    dataset: Any
    shape: tuple[int, ...]
    dtype: str
    axes: str
    converted: bool


def write(stream: IO[bytes], image: Image) -> None:
    """Write the file that was read with other pixels, uncompressed, as what it now is: derived from that.

    It gets a number of its own (SOP instance UID) and belongs to a series of its own, the same for all files of
    the series that was read; both follow from what is written, so that the same result has the same numbers.
    """
    layout: Layout = image.metadata["dicom"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what was wrong in the file that was read
        dataset = copy.deepcopy(layout.dataset)
        _set_pixels(dataset, layout, image.array)
        _derive(dataset, np.ascontiguousarray(image.array))
        dataset.preamble = bytes(128)
        dataset.save_as(stream, implicit_vr=False, little_endian=True, enforce_file_format=True)


def _set_pixels(dataset: Any, layout: Layout, array: NDArray[Any]) -> None:
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))
    if array.dtype.kind == "f":
        name = "FloatPixelData" if array.dtype.itemsize == 4 else "DoubleFloatPixelData"
        setattr(dataset, name, little.tobytes())
        return
    bits = 8 * array.dtype.itemsize
    stored = bits if layout.converted else min(bits, int(dataset.get("BitsStored") or bits))
    signed = array.dtype.kind == "i"
    least, most = (-(2 ** (stored - 1)), 2 ** (stored - 1) - 1) if signed else (0, 2**stored - 1)
    little = np.clip(little, least, most)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, stored, stored - 1
    dataset.PixelRepresentation = int(signed)
    if layout.axes.endswith("S"):
        dataset.SamplesPerPixel, dataset.PlanarConfiguration = array.shape[-1], 0
        dataset.PhotometricInterpretation = "RGB"
    data = little.tobytes()
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", data + bytes(len(data) % 2))
    for name, value in (("SmallestImagePixelValue", little.min()), ("LargestImagePixelValue", little.max())):
        if name in dataset:
            dataset.add_new(name, "SS" if signed else "US", int(value))


def _derive(dataset: Any, array: NDArray[Any]) -> None:
    """Say that it is derived, of what, and by whom."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    old, series = str(dataset.get("SOPInstanceUID", "")), str(dataset.get("SeriesInstanceUID", ""))
    source = Dataset()
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = dataset.get("SOPClassUID", ""), old
    dataset.SourceImageSequence = [source]
    dataset.ImageType = ["DERIVED", *list(dataset.get("ImageType") or ["ORIGINAL", "PRIMARY"])[1:]]
    dataset.DerivationDescription = (
        f"Restored by untaught {__version__}: noise and what else was asked for taken out"
    )
    dataset.SeriesDescription = str(dataset.get("SeriesDescription", ""))[: _LONGEST - len(_MARK)] + _MARK
    digest = hashlib.sha256(array.tobytes()).hexdigest()
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["untaught", old, digest])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["untaught", series])
    for name in (*_STALE, *(_PALETTE if dataset.get("PhotometricInterpretation") == "RGB" else ())):
        if name in dataset:
            delattr(dataset, name)
    meta = getattr(dataset, "file_meta", None) or FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7")
    dataset.file_meta = meta
