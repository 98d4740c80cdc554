"""DICOM files, made by pydicom: what comes back is derived, says so, and is nobody's original."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from tests.helpers.files import again, noise, refusal, smooth
from untaught.errors import InputError
from untaught.image.files import as_image, check_writable, read, write
from untaught.image.image import Image
from untaught.image.output_type import typed
from untaught.image.reading import Reading

pydicom = pytest.importorskip("pydicom", reason="needs pydicom, which DICOM is read with")
CT = "1.2.840.10008.5.1.4.1.1.2"
JPEG_LS = "1.2.840.10008.1.2.4.80"


def made(path, array, syntax="1.2.840.10008.1.2.1", **elements):
    """Write a DICOM file of stored values."""
    frames = array.shape[0] if array.ndim - (array.shape[-1] == 3) == 3 else 1
    rows, columns = array.shape[-3:-1] if array.shape[-1] == 3 else array.shape[-2:]
    bits = 8 * array.dtype.itemsize
    dataset = pydicom.Dataset()
    values = {
        "SOPClassUID": CT,
        "SOPInstanceUID": "1.2.3.4",
        "SeriesInstanceUID": "1.2.3",
        "StudyInstanceUID": "1.2",
        "PatientName": "Nobody^Known",
        "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SeriesDescription": "thin slices",
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": 3 if array.shape[-1] == 3 else 1,
        "PhotometricInterpretation": "RGB" if array.shape[-1] == 3 else "MONOCHROME2",
        "PixelRepresentation": int(array.dtype.kind == "i"),
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelSpacing": [0.5, 0.25],
        "PixelData": array.tobytes(),
    }
    if array.shape[-1] == 3:
        values["PlanarConfiguration"] = 0
    if frames > 1:
        values["NumberOfFrames"] = frames
    for name, value in (values | elements).items():
        setattr(dataset, name, value)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset["PixelData"].is_undefined_length = dataset.file_meta.TransferSyntaxUID.is_encapsulated
    dataset.save_as(path, enforce_file_format=True)
    return path


def slices(shape=(40, 48)):
    return np.random.default_rng(0).integers(-200, 900, shape, np.int16)


def test_the_result_says_that_it_is_derived_and_has_numbers_of_its_own(tmp_path):
    path = made(tmp_path / "a.dcm", slices(), RescaleSlope=2, RescaleIntercept=-1024, SmallestImagePixelValue=-200)
    image = read(path)
    np.testing.assert_array_equal(image.array, slices())
    assert "the quantity (HU) is 2 times them plus -1024" in image.notes[0]
    assert image.metadata["spacing"] == {"Y": (0.5, "mm"), "X": (0.25, "mm")}
    darker = Image.of(image.array - 1, "YX", metadata=image.metadata, source=image.source)
    write(tmp_path / "b.dcm", darker)
    old, new = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "b.dcm")
    np.testing.assert_array_equal(new.pixel_array, slices() - 1)
    assert list(new.ImageType) == ["DERIVED", "PRIMARY", "AXIAL"]
    assert len({new.SOPInstanceUID, old.SOPInstanceUID, new.SeriesInstanceUID, old.SeriesInstanceUID}) == 4
    assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID
    assert new.SourceImageSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
    assert "untaught" in new.DerivationDescription
    assert (new.SeriesDescription, new.SmallestImagePixelValue) == ("thin slices (restored)", -201)
    changed = {"ImageType", "SOPInstanceUID", "SeriesInstanceUID", "SeriesDescription", "PixelData"}
    changed |= {"SmallestImagePixelValue"}
    assert not [e.keyword for e in old if e.keyword not in changed and new.get(e.keyword) != e.value]
    assert "PixelData" not in image.metadata["dicom"].dataset


def test_the_same_result_has_the_same_numbers_and_slices_stay_one_series(tmp_path):
    first, second = (read(made(tmp_path / f"{k}.dcm", slices() + k, SOPInstanceUID=f"1.2.3.{k}")) for k in (1, 2))
    for name, image in (("a", first), ("b", first), ("c", second)):
        write(tmp_path / f"{name}.dcm", image)
    a, b, c = (pydicom.dcmread(tmp_path / f"{name}.dcm") for name in "abc")
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    assert a.SeriesInstanceUID == b.SeriesInstanceUID == c.SeriesInstanceUID
    assert a.SOPInstanceUID != c.SOPInstanceUID


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.uint32])
def test_every_type_survives(tmp_path, dtype):
    values = noise((20, 24), dtype)
    image = read(made(tmp_path / "a.dcm", values))
    assert image.array.dtype == dtype
    write(tmp_path / "b.dcm", again(image))
    np.testing.assert_array_equal(read(tmp_path / "b.dcm").array, again(image).array)


def test_values_stay_within_the_bits_that_are_stored(tmp_path):
    image = read(made(tmp_path / "a.dcm", noise((20, 24), np.uint16) >> 4, BitsStored=12, HighBit=11))
    brighter = Image.of(image.array + 900, "YX", metadata=image.metadata, source=image.source)
    write(tmp_path / "b.dcm", brighter)
    assert pydicom.dcmread(tmp_path / "b.dcm").pixel_array.max() == 4095


def test_a_scan_by_ultrasound_says_what_its_noise_is(tmp_path):
    values = slices().astype(np.uint16)
    assert any("speckle" in note for note in read(made(tmp_path / "us.dcm", values, Modality="US")).notes)
    assert not read(made(tmp_path / "ct.dcm", values)).notes


@pytest.mark.parametrize(
    ("elements", "axes"),
    [
        ({"FrameIncrementPointer": 0x00181063, "FrameTime": 40}, "TYX"),
        ({"FrameIncrementPointer": 0x00540080}, "ZYX"),
        ({}, "CYX"),
    ],
)
def test_frames_are_a_stack(tmp_path, elements, axes):
    values = noise((5, 20, 24), np.uint16)
    image = read(made(tmp_path / "a.dcm", values, **elements))
    assert (image.axes, bool(image.axes_notes)) == (axes, not elements)
    write(tmp_path / "b.dcm", image)
    new = pydicom.dcmread(tmp_path / "b.dcm")
    assert new.NumberOfFrames == 5
    np.testing.assert_array_equal(new.pixel_array, values)
    if "FrameTime" in elements:
        assert image.metadata["spacing"]["T"] == (40.0, "ms")


def test_colours_palettes_and_inverted_values(tmp_path):
    colours = smooth((20, 24))
    image = read(made(tmp_path / "rgb.dcm", colours))
    assert image.axes == "YXS"
    write(tmp_path / "b.dcm", image)
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "b.dcm").pixel_array, colours)
    inverted = read(made(tmp_path / "m1.dcm", colours[..., 0], PhotometricInterpretation="MONOCHROME1"))
    assert inverted.metadata["photometric"] == "miniswhite"
    write(tmp_path / "c.dcm", inverted)
    assert pydicom.dcmread(tmp_path / "c.dcm").PhotometricInterpretation == "MONOCHROME1"
    tables = {"PhotometricInterpretation": "PALETTE COLOR"}
    for k, colour in enumerate(("Red", "Green", "Blue")):
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        tables[f"{colour}PaletteColorLookupTableData"] = np.roll(np.arange(256, dtype=np.uint8), k).tobytes()
    coloured = read(made(tmp_path / "p.dcm", colours[..., 0], **tables))
    np.testing.assert_array_equal(coloured.array[..., 2], (colours[..., 0].astype(int) - 2) % 256)
    write(tmp_path / "d.dcm", coloured)
    new = pydicom.dcmread(tmp_path / "d.dcm")
    assert new.PhotometricInterpretation == "RGB"
    assert "RedPaletteColorLookupTableData" not in new
    np.testing.assert_array_equal(new.pixel_array, coloured.array)


def test_jpeg_ls_is_read_and_written_uncompressed(tmp_path):
    values = noise((20, 24), np.uint16)
    packed = pydicom.encaps.encapsulate([imagecodecs.jpegls_encode(values.view(np.uint16))])
    signed = made(tmp_path / "a.dcm", values.view(np.int16), JPEG_LS, PixelData=packed)
    image = read(signed)
    np.testing.assert_array_equal(image.array, values.view(np.int16))
    write(tmp_path / "b.dcm", image)
    assert pydicom.dcmread(tmp_path / "b.dcm").file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_a_file_without_preamble_and_one_that_starts_as_a_tiff(tmp_path):
    data = made(tmp_path / "a.dcm", slices()).read_bytes()
    for name, content in (("bare", data[132:]), ("tiff", b"II*\x00\x54\x18\x08\x00" + data[8:])):
        (tmp_path / name).write_bytes(content)
        np.testing.assert_array_equal(read(tmp_path / name).array, slices())


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("other", "whose picture it is"),
        ("size", "another size"),
        ("type", "float32 values"),
    ],
)
def test_what_cannot_be_held_is_said_before(tmp_path, what, says):
    image = read(made(tmp_path / "a.dcm", slices()))
    given = {
        "other": Image.of(slices(), "YX"),
        "size": Image.of(slices((20, 24)), "YX", metadata=image.metadata),
        "type": typed(image, "float32"),
    }[what]
    with pytest.raises(InputError, match=says):
        check_writable(tmp_path / "b.dcm", given)


def test_reports_masks_and_cut_off_files_are_sentences(tmp_path):
    path = made(tmp_path / "a.dcm", slices())
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    dataset.Modality = "SR"
    dataset.save_as(tmp_path / "sr.dcm")
    assert "holds no picture (a DICOM file of SR)" in refusal(tmp_path / "sr.dcm")
    mask = made(tmp_path / "m.dcm", noise((8, 24)), Rows=8, Columns=8, BitsAllocated=1, BitsStored=1, HighBit=0)
    assert "a mask of 1 bit" in refusal(mask)
    data = path.read_bytes()
    for length in (140, 200, 400, 700, len(data) // 2, len(data) - 2):
        (tmp_path / "c.dcm").write_bytes(data[:length])
        assert any(word in refusal(tmp_path / "c.dcm") for word in ("cut off", "cut-off", "no picture")), length


def test_signed_values_that_another_library_decodes_are_signed(tmp_path):
    """JPEG-LS knows no sign: of 12 bits that are stored in 16, the upper ones say nothing."""
    values = smooth((24, 32))[..., 0].astype(np.int16) * 16 - 2000
    code = imagecodecs.jpegls_encode((values & 0xFFF).astype(np.uint16))
    path = made(
        tmp_path / "a.dcm",
        values,
        JPEG_LS,
        BitsStored=12,
        HighBit=11,
        PixelData=pydicom.encaps.encapsulate([code]),
    )
    found = read(path)
    assert found.array.dtype == np.int16
    np.testing.assert_array_equal(found.array, values)


def test_frames_that_are_missing_are_counted(tmp_path):
    values = np.stack([smooth((24, 32))[..., 0]] * 3)
    code = imagecodecs.jpegls_encode(values[0])
    path = made(tmp_path / "a.dcm", values, JPEG_LS, PixelData=pydicom.encaps.encapsulate([code, code]))
    assert "corrupt DICOM" in refusal(path)


@pytest.mark.parametrize(("step", "axes"), [(2.0, "ZYX"), (0.0, "CYX")])
def test_frames_are_slices_where_each_lies_at_a_place_of_its_own(tmp_path, step, axes):
    frames = []
    for k in range(3):
        place = pydicom.Dataset()
        place.ImagePositionPatient = [0, 0, step * k]
        frame = pydicom.Dataset()
        frame.PlanePositionSequence = [place]
        frames.append(frame)
    values = noise((3, 20, 24))
    path = made(tmp_path / "a.dcm", values, PerFrameFunctionalGroupsSequence=frames)
    assert read(path).axes == axes


def test_without_a_size_of_its_pixels_nothing_is_said_of_it(tmp_path):
    path = made(tmp_path / "a.dcm", slices())
    dataset = pydicom.dcmread(path)
    del dataset.PixelSpacing
    dataset.save_as(path)
    assert "spacing" not in read(path).metadata


def test_a_palette_in_dicom_becomes_colours(tmp_path):
    indices = noise((20, 24)) % 4
    tables = {
        f"{name}PaletteColorLookupTable{what}": value
        for k, name in enumerate(("Red", "Green", "Blue"))
        for what, value in (
            ("Descriptor", [4, 0, 16]),
            ("Data", (np.arange(4, dtype="<u2") * 1000 * (k + 1)).tobytes()),
        )
    }
    found = read(made(tmp_path / "a.dcm", indices, PhotometricInterpretation="PALETTE COLOR", **tables))
    assert found.axes == "YXS"
    np.testing.assert_array_equal(found.array, indices[..., None].astype(int) * [1000, 2000, 3000])


def test_what_a_dicom_file_takes_is_told_by_its_bits_and_frames(tmp_path):
    path = made(tmp_path / "a.dcm", noise((3, 20, 24), np.uint16))
    assert as_image(path, None, Reading(memory=3 * 20 * 24 * 2)).array.shape == (3, 20, 24)
    with pytest.raises(InputError, match=r"takes 2880 bytes unpacked, more than the 2879 bytes of memory"):
        as_image(path, None, Reading(memory=3 * 20 * 24 * 2 - 1))
