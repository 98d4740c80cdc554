"""The file formats, one a page."""

from untaught.image.formats.avif import AVIF
from untaught.image.formats.base import Format
from untaught.image.formats.bmp import BMP
from untaught.image.formats.czi import CZI
from untaught.image.formats.dicom import DICOM
from untaught.image.formats.dng import DNG
from untaught.image.formats.exr import EXR
from untaught.image.formats.fits import FITS
from untaught.image.formats.gif import GIF
from untaught.image.formats.hdf5 import HDF5
from untaught.image.formats.heic import HEIC
from untaught.image.formats.jpeg import JPEG
from untaught.image.formats.jpeg2000 import JPEG2000
from untaught.image.formats.jpegxl import JPEGXL
from untaught.image.formats.lif import LIF
from untaught.image.formats.mrc import MRC
from untaught.image.formats.nd2 import ND2
from untaught.image.formats.nifti import NIFTI
from untaught.image.formats.npy import NPY
from untaught.image.formats.ome_zarr import OME_ZARR
from untaught.image.formats.png import PNG
from untaught.image.formats.pnm import PFM, PNM
from untaught.image.formats.raw import RAW
from untaught.image.formats.tiff import TIFF
from untaught.image.formats.webp import WEBP

FORMATS: tuple[Format, ...] = (
    *(PNG, JPEG, WEBP, DICOM, RAW, DNG, TIFF, NPY),
    *(JPEG2000, JPEGXL, AVIF, HEIC, BMP, GIF, PNM, PFM, EXR),
    *(FITS, NIFTI, MRC, HDF5, OME_ZARR, CZI, ND2, LIF),
)
"""The formats that are read by content and written by extension; DICOM and raw files may start as a TIFF."""
