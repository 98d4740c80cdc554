"""Small good files of the formats of instruments."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(
    str(Path(__file__).parents[3])
)  # the tests have what lays out ND2 and LIF, which no library writes

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


def noise(shape: tuple[int, ...], dtype: Any = np.uint16, seed: int = 0) -> NDArray[Any]:
    """Return a slope with noise."""
    slope = 1000 + 30 * np.add.reduce(np.indices(shape)[-2:])
    return np.asarray((slope + 20 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype))


def science() -> dict[str, Callable[[Path], object]]:
    """Return what writes each of them."""
    return {
        "plain.fits": lambda path: _fits(path, noise((20, 24), np.int16)),
        "cube.fits": lambda path: _fits(path, noise((3, 20, 24), np.float32), BUNIT="adu"),
        "unsigned.fits": lambda path: _fits(path, noise((20, 24), np.uint16)),
        "packed.fits": _packed_fits,
        "cube.fits.gz": lambda path: _fits(path, noise((20, 24), np.float32)),
        "volume.nii": lambda path: _nifti(path, noise((20, 24, 3), np.int16)),
        "volume.nii.gz": lambda path: _nifti(path, noise((20, 24, 2, 2), np.float32)),
        "map.mrc": _mrc,
        "tree.h5": _hdf5,
        "plain.dcm": lambda path: dicom(path, noise((20, 24), np.int16), RescaleSlope=2, RescaleIntercept=-1024),
        "frames.dcm": lambda path: dicom(path, noise((3, 20, 24), np.uint16), NumberOfFrames=3),
        "rle.dcm": _rle,
        "half.exr": lambda path: _exr(path, noise((20, 24, 3), np.float16) / 2000),
        "float.exr": lambda path: _exr(path, noise((20, 24, 3), np.float32) / 2000),
        "cells.czi": _czi,
        "cells.nd2": _nd2,
        "cells.lif": _lif,
        "cells.zarr": lambda path: zarr_folder(path, 2),
        "cells.ome.zarr": lambda path: zarr_folder(path, 3),
    }


def _fits(path: Path, array: NDArray[Any], **cards: Any) -> None:
    from astropy.io import fits

    hdu = fits.PrimaryHDU(array, fits.Header(list({"OBJECT": "M 31", **cards}.items())))
    second = fits.ImageHDU(array[..., :10, :10], name="SMALL")
    fits.HDUList([hdu, second]).writeto(path, overwrite=True)


def _packed_fits(path: Path) -> None:
    from astropy.io import fits

    hdu = fits.CompImageHDU(noise((20, 24), np.int16), compression_type="RICE_1")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)


def _nifti(path: Path, array: NDArray[Any]) -> None:
    import nibabel

    picture = nibabel.nifti1.Nifti1Image(array, np.diag([0.5, 0.5, 2, 1]))
    picture.header.set_slope_inter(2, 1)
    nibabel.loadsave.save(picture, path)


def _mrc(path: Path) -> None:
    import mrcfile

    with mrcfile.new(path, noise((3, 20, 24), np.int16), overwrite=True) as file:
        file.voxel_size = 1.5


def _hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("raw/0", data=noise((4, 20, 24)), chunks=(1, 20, 24), compression="gzip")
        file.create_dataset("small", data=noise((10, 10), np.uint8))
        file["raw"].attrs["said"] = "of the instrument"
        file["again"] = h5py.SoftLink("/raw/0")


def dicom(path: Path, array: NDArray[Any], syntax: str = EXPLICIT, **elements: Any) -> None:
    """Write a DICOM file of stored values."""
    import pydicom

    dataset = pydicom.Dataset()
    bits = 8 * array.dtype.itemsize
    own = {
        "SOPClassUID": CT, "SOPInstanceUID": "1.2.3.4", "SeriesInstanceUID": "1.2.3", "StudyInstanceUID": "1.2",
        "Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "Rows": array.shape[-2],
        "Columns": array.shape[-1], "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "PixelRepresentation": int(array.dtype.kind == "i"), "BitsAllocated": bits, "BitsStored": bits,
        "HighBit": bits - 1, "PixelSpacing": [0.5, 0.25], "PixelData": array.tobytes(),
    }  # fmt: skip
    for name, value in (own | elements).items():
        setattr(dataset, name, value)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)


def _rle(path: Path) -> None:
    import pydicom

    dicom(path, noise((20, 24)))
    dataset = pydicom.dcmread(path)
    dataset.compress(pydicom.uid.RLELossless)
    dataset.save_as(path, enforce_file_format=True)


def slices(folder: Path, count: int = 4) -> None:
    """Write a series of DICOM slices."""
    folder.mkdir()
    for k in range(count):
        place = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, 2.5 * k]}
        dicom(folder / f"{k}.dcm", noise((16, 16), np.int16, k), SOPInstanceUID=f"1.2.3.{k}", **place)


def _exr(path: Path, array: NDArray[Any]) -> None:
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(array)}) as file:
        file.write(str(path))


def _czi(path: Path) -> None:
    from pylibCZIrw import czi

    path.unlink(missing_ok=True)
    with czi.create_czi(str(path)) as file:
        for plane in range(2):
            file.write(data=noise((20, 24, 1), seed=plane), plane={"C": 0, "Z": plane, "T": 0}, scene=0)
        file.write_metadata(document_name="cells", scale_x=1e-7, scale_y=1e-7)


def _nd2(path: Path) -> None:
    import nd2  # noqa: F401 - what reads it
    from tests.helpers.microscopes import write_nd2

    write_nd2(path, noise((2, 20, 24)), 0.25, ("DAPI", "GFP"))


def _lif(path: Path) -> None:
    import liffile  # noqa: F401 - what reads it
    from tests.helpers.microscopes import write_lif

    write_lif(path, {"small": noise((1, 10, 12), np.uint8), "large": noise((3, 20, 24), np.uint8)}, 2e-7)


def zarr_folder(path: Path, version: int) -> None:
    """Write an OME-Zarr of two scales: 0.4 in the format 2 of Zarr, 0.5 in its format 3."""
    import zarr

    names = [("z", "space"), ("y", "space"), ("x", "space")]
    axes = [{"name": name, "type": kind, "unit": "micrometer"} for name, kind in names]
    group = zarr.open_group(path, mode="w", zarr_format=version)
    datasets = []
    for level, factor in ((str(k), 2**k) for k in range(2)):
        array = noise((3, 20, 24))[:, ::factor, ::factor]
        group.create_array(level, data=array, chunks=(1, 16, 16))
        scale = {"type": "scale", "scale": [1.0, 0.5 * factor, 0.5 * factor]}
        datasets.append({"path": level, "coordinateTransformations": [scale]})
    about = [{"axes": axes, "datasets": datasets, "name": "cells", "version": "0.4"}]
    if version == 2:
        group.attrs["multiscales"] = about
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": about}
