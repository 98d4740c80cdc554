"""Files made to do harm, or broken as chance has it: each kind that the campaign of bad calls has found."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from tests.helpers.files import noise, png_chunk, refusal
from untaught.errors import InputError, OutputError
from untaught.image.atomic import whole_file
from untaught.image.files import read
from untaught.image.formats.base import number_of
from untaught.image.values import doubles, value_range_of

SIGNATURE, GREY = b"\x89PNG\r\n\x1a\n", b"\0\x01\x02\x03\x04\x05\x06\x07\x08" * 8


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    return SIGNATURE + b"".join(png_chunk(*chunk) for chunk in chunks)


def head(width=8, height=8, depth=8, colour=0, *ways: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, *(ways or (0, 0, 0)))


END, PIXELS = (b"IEND", b""), (b"IDAT", zlib.compress(GREY))
BAD_PNG = {
    "no columns": png(head(width=0), PIXELS, END),
    "too many rows": png(head(height=2**31), PIXELS, END),
    "bits that its colours do not have": png(head(depth=4, colour=2), PIXELS, END),
    "another compression": png(head(8, 8, 8, 0, 1, 0, 0), PIXELS, END),
    "another interlace": png(head(8, 8, 8, 0, 0, 0, 7), PIXELS, END),
    "no palette": png(head(colour=3), PIXELS, END),
    "a palette of a byte": png(head(colour=3), (b"PLTE", b"\0"), PIXELS, END),
    "no pixels": png(head(), END),
    "more pixels than said": png(head(), (b"IDAT", zlib.compress(GREY * 9)), END),
    "fewer pixels than said": png(head(), (b"IDAT", zlib.compress(GREY[:30])), END),
    "pixels that do not unpack": png(head(), (b"IDAT", b"none"), END),
}


@pytest.mark.parametrize("case", BAD_PNG)
def test_a_png_that_libpng_would_warn_of_is_a_sentence(case, tmp_path, capfd):
    (tmp_path / "a.png").write_bytes(BAD_PNG[case])
    assert "PNG" in refusal(tmp_path / "a.png") or "unpacked" in refusal(tmp_path / "a.png")
    assert capfd.readouterr() == ("", "")


def test_what_does_not_belong_into_a_png_is_passed_over(tmp_path, capfd):
    extra = (b"PLTE", bytes(9)), (b"tRNS", b"\0"), (b"sBIT", b"\x09\x09"), (b"pHYs", b"")
    (tmp_path / "a.png").write_bytes(png(head(), *extra, PIXELS, END))
    np.testing.assert_array_equal(read(tmp_path / "a.png").array[0], range(1, 9))
    assert capfd.readouterr() == ("", "")


def test_a_tiff_of_fewer_pieces_than_its_size_needs_is_broken(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((32, 32)), tile=(16, 16))
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        place = tif.pages[0].tags["ImageLength"].valueoffset
    struct.pack_into("<I", data, place, 400_000_000)  # which tifffile would make up of zeros
    path.write_bytes(data)
    assert "corrupt TIFF" in refusal(path)


def test_fits_says_no_more_axes_than_there_can_be(tmp_path):
    pytest.importorskip("astropy", reason="needs astropy, which FITS is read with")
    cards = ("SIMPLE  = T", "BITPIX  = 8", f"NAXIS   = {10**18}", "END")
    (tmp_path / "a.fits").write_bytes(b"".join(f"{card:80}".encode() for card in cards).ljust(2880) + bytes(2880))
    assert "axes" in refusal(tmp_path / "a.fits")


def test_a_plain_pnm_of_numbers_without_end_is_broken(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P2 8 8 255 " + b"9" * 400 + b" 1" * 64)
    assert "no numbers" in refusal(tmp_path / "a.pgm")


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py", reason="needs h5py, which HDF5 is read with")


def test_an_array_of_hdf5_that_is_put_together_of_itself_is_broken(tmp_path, h5py):
    for name, other in (("a.h5", "a.h5"), ("b.h5", "c.h5"), ("c.h5", "b.h5")):
        layout = h5py.VirtualLayout((24, 24), "u2")
        layout[:] = h5py.VirtualSource(other, "a", (24, 24))
        with h5py.File(tmp_path / name, "w") as file:
            file.create_virtual_dataset("a", layout)
    for name in ("a.h5", "b.h5"):
        assert "of itself" in refusal(tmp_path / name)


def test_labels_of_hdf5_that_are_none_are_passed_over(tmp_path, h5py):
    for odd in (1.5, "x", [1, 2, 3], np.bytes_(b"\xff")):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["a"] = noise((16, 16))
            file["a"].attrs["DIMENSION_LABELS"] = odd
            file["a"].attrs["element_size_um"] = "{"
        assert read(tmp_path / "a.h5").array.shape == (16, 16)


@pytest.mark.parametrize("harm", ["device", "long", "empty"])
def test_chunks_of_zarr_that_are_none_are_refused_before_they_are_read(tmp_path, harm):
    zarr = pytest.importorskip("zarr", reason="needs zarr, which OME-Zarr is read with")
    zarr.create_array(tmp_path / "a.zarr", data=noise((16, 16)), chunks=(16, 16), zarr_format=2, compressors=None)
    (chunk,) = (path for path in (tmp_path / "a.zarr").iterdir() if not path.name.startswith("."))
    about = tmp_path / "a.zarr" / ".zarray"
    if harm == "device":
        chunk.unlink()
        chunk.symlink_to("/dev/zero")
    elif harm == "long":
        chunk.write_bytes(bytes(2**13))
    else:
        about.write_text(json.dumps(json.loads(about.read_text()) | {"chunks": [0, 0]}))
    assert "corrupt OME-Zarr" in refusal(tmp_path / "a.zarr")


def test_dicom_that_is_deflated_zeros_is_refused_at_once(tmp_path):
    pydicom = pytest.importorskip("pydicom", reason="needs pydicom, which DICOM is read with")
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = "1.2.840.10008.1.2.1.99", "1.2"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    with (tmp_path / "a.dcm").open("wb") as stream:
        stream.write(bytes(128) + b"DICM")
        pydicom.filewriter.write_file_meta_info(stream, meta)
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        stream.write(packer.compress(bytes(2**24)) + packer.flush())
    assert "the same thing twice" in refusal(tmp_path / "a.dcm")


def test_numbers_in_metadata_are_numbers_or_none():
    assert [number_of(said) for said in ("2.5", "1e-x7", None, "nan", 10**400, [1])] == [2.5, 0, 0, 0, 0, 0]


def test_nan_that_signal_are_nan_without_a_warning():
    signals = np.frombuffer(struct.pack("<I", 0x7F800001) * 4, np.float32)
    assert np.isnan(doubles(signals)).all()


def test_a_range_has_a_width_also_on_the_verge_of_a_marker():
    values = np.zeros((1, 16, 16, 1), np.float32)
    values[0, ::3, ::2] = -1e30
    low, high = value_range_of(values)
    assert low < high


def test_a_library_that_cannot_write_is_not_quoted(tmp_path):
    with pytest.raises(OutputError, match=r"another kind of file") as caught, whole_file(tmp_path / "a.tif"):
        raise TypeError("got an instance of <class 'NoneType'>\n  line 3")
    assert "NoneType" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_sentences_are_on_one_line_whatever_a_file_is_called():
    for kind in (InputError, OutputError):
        assert str(kind("a\nb\u202e.png does not exist")) == "a\\nb\\u202e.png does not exist"


def test_loggers_of_libraries_do_not_print(tmp_path, capfd):
    import logging

    from untaught.image.formats.base import hush_loggers

    hush_loggers()
    logging.getLogger("liffile").warning("duplicate dimension 'X'")
    assert capfd.readouterr() == ("", "")


def test_heic_without_pictures_is_broken(tmp_path, monkeypatch):
    heif = pytest.importorskip("pillow_heif", reason="needs pillow_heif, which HEIC is read with")

    class Empty(SimpleNamespace):
        def __len__(self):
            return 0

    (tmp_path / "a.heic").write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(12))
    monkeypatch.setattr(heif, "open_heif", lambda *_, **__: Empty(primary_index=0))
    assert "no picture" in refusal(Path(tmp_path / "a.heic"))
