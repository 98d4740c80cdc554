"""NIfTI volumes, made by nibabel, restored and written back with all that belongs to them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.files import again, noise, refusal
from untaught.errors import InputError
from untaught.image.files import check_writable, read, write
from untaught.image.image import Image
from untaught.image.output_type import typed

nibabel = pytest.importorskip("nibabel", reason="needs nibabel, which NIfTI is read with")
AFFINE = np.array([[0.0, -2.0, 0.1, 90.0], [2.0, 0.0, 0.0, -126.0], [0.0, 0.1, 2.5, -72.0], [0.0, 0.0, 0.0, 1.0]])


def volume(path, values, kind=None, slope=(1, 0), extended=False):
    made = (kind or nibabel.Nifti1Image)(values, AFFINE, dtype=values.dtype)
    made.header.set_xyzt_units("mm", "sec")
    made.header["descrip"] = b"a scan"
    made.header.set_qform(AFFINE, 1)
    if extended:
        made.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"who and when"))
    nibabel.save(made, path)
    if slope != (1, 0):  # as scanners write it, the numbers as they are
        data = bytearray(path.read_bytes())
        data[112:120] = np.array(slope, "<f4").tobytes()
        path.write_bytes(data)
    return path


def loaded(path):
    made = nibabel.load(path)
    return made, np.asarray(made.dataobj.get_unscaled())


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("kind", ["Nifti1Image", "Nifti2Image"])
def test_the_file_comes_back_byte_by_byte(tmp_path, dtype, kind):
    values = noise((9, 10, 11, 3), dtype)
    path = volume(tmp_path / "a.nii", values, getattr(nibabel, kind), extended=True)
    image = read(path)
    assert (image.axes, image.array.dtype) == ("TZYX", dtype)
    np.testing.assert_array_equal(image.array, values.T)
    assert image.metadata["spacing"]["Z"][0] == pytest.approx(2.5, abs=0.1)
    assert image.metadata["spacing"]["T"] == (1.0, "s")
    assert write(tmp_path / "b.nii", image).read_bytes() == path.read_bytes()
    back = read(write(tmp_path / "b.nii.gz", again(image)))
    assert back.metadata["nifti"] == image.metadata["nifti"]
    assert (tmp_path / "b.nii.gz").read_bytes()[:2] == b"\x1f\x8b"


def test_scaled_integers_stay_as_they_are_stored(tmp_path):
    path = volume(tmp_path / "a.nii", noise((9, 10, 11), np.int16), slope=(0.5, 3))
    image = read(path)
    assert image.array.dtype == np.int16
    assert image.notes == ("the values are those stored in the file; the quantity is 0.5 times them plus 3",)
    for output_type in ("same", "float32"):
        write(tmp_path / "b.nii", typed(image, output_type))
        np.testing.assert_allclose(nibabel.load(tmp_path / "b.nii").get_fdata(), nibabel.load(path).get_fdata())


def test_big_endian_files_stay_such(tmp_path):
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    nibabel.save(nibabel.Nifti1Image(noise((9, 10, 11), np.int16), AFFINE, header), tmp_path / "a.nii")
    image = read(tmp_path / "a.nii")
    assert write(tmp_path / "b.nii", again(image)).read_bytes()[:4] == b"\x00\x00\x01\x5c"
    np.testing.assert_array_equal(read(tmp_path / "b.nii").array, image.array)


def test_nan_is_missing_and_comes_back(tmp_path):
    values = noise((9, 10, 11), np.float32)
    values[:, :, 3] = np.nan
    image = read(volume(tmp_path / "a.nii", values))
    kept = [plane.missing for plane in image.planes()]
    assert [missing.all() for missing in kept] == [k == 3 for k in range(11)]
    write(tmp_path / "b.nii", image.with_planes([plane.values for plane in image.planes()], kept))
    np.testing.assert_allclose(loaded(tmp_path / "b.nii")[1], values, rtol=1e-6)


def test_colours(tmp_path):
    values = noise((9, 10, 11, 3))
    packed = values.view(np.dtype([(name, np.uint8) for name in "RGB"]))[..., 0]
    image = read(volume(tmp_path / "a.nii", packed))
    assert (image.axes, image.alpha) == ("ZYXS", False)
    np.testing.assert_array_equal(image.array, values.transpose(2, 1, 0, 3))
    write(tmp_path / "b.nii", again(image))
    np.testing.assert_array_equal(loaded(tmp_path / "b.nii")[1], packed)


def test_a_larger_picture_stays_where_it_was(tmp_path):
    image = read(volume(tmp_path / "a.nii", noise((9, 10, 11), np.int16), extended=True))
    twice = Image.of(image.array.repeat(2, 1).repeat(2, 2), "ZYX", metadata=image.metadata)
    write(tmp_path / "b.nii", twice)
    (old, _), (new, values) = loaded(tmp_path / "a.nii"), loaded(tmp_path / "b.nii")
    assert values.shape == (18, 20, 11)
    for corner in ([-0.5, -0.5, 0], [8.5, 9.5, 4]):
        finer = [2 * corner[0] + 0.5, 2 * corner[1] + 0.5, corner[2]]
        where = (made.affine @ [*place, 1] for made, place in ((old, corner), (new, finer)))
        np.testing.assert_allclose(*where, atol=1e-4)
    assert new.header.extensions[0].get_content() == b"who and when"


def test_pictures_from_elsewhere(tmp_path):
    spacing = {"X": (0.5, "um"), "Y": (0.25, "um"), "T": (3.0, "s")}
    image = Image.of(noise((4, 20, 24), np.uint16), "TYX", metadata={"spacing": spacing})
    made, values = loaded(write(tmp_path / "a.nii", image))
    np.testing.assert_array_equal(values, image.array.T[:, :, None])
    assert made.header.get_zooms() == (0.5, 0.25, 1.0, 3.0)
    assert made.header.get_xyzt_units() == ("micron", "sec")
    for axes in ("PYX", "YXS"):
        with pytest.raises(InputError, match="NIfTI h"):
            check_writable(tmp_path / "b.nii", Image.of(noise((20, 24, 22), np.uint16), axes))


def test_cut_off_files_and_pairs_are_sentences(tmp_path):
    data = volume(tmp_path / "a.nii", noise((9, 10, 11), np.int16)).read_bytes()
    for length in (348, 360, len(data) // 2, len(data) - 1):
        (tmp_path / "c.nii").write_bytes(data[:length])
        assert "cut" in refusal(tmp_path / "c.nii"), length
    packed = write(tmp_path / "a.nii.gz", read(tmp_path / "a.nii")).read_bytes()
    for length in (600, len(packed) // 2, len(packed) - 1):
        (tmp_path / "c.nii.gz").write_bytes(packed[:length])
        assert "cut" in refusal(tmp_path / "c.nii.gz"), length
    (tmp_path / "c.hdr").write_bytes(data[:344] + b"ni1\0" + data[348:])
    assert "header of a pair" in refusal(tmp_path / "c.hdr")
    (tmp_path / "h.nii").write_bytes(data[:42] + np.array([30000] * 3, "<i2").tobytes() + data[48:])
    assert "of memory that may be used" in refusal(tmp_path / "h.nii")


@pytest.mark.parametrize("slope", [(2, 0), (0.5, 0), (-1, 0), (1, 3), (1, -3), (3, 7)])
def test_numbers_that_stand_for_a_quantity_say_which(tmp_path, slope):
    path = volume(tmp_path / "a.nii", noise((9, 10, 11), np.int16), slope=slope)
    [note] = read(path).file_notes
    assert f"the quantity is {slope[0]:g} times them plus {slope[1]:g}" in note


@pytest.mark.parametrize("slope", [(1, 0), (0, 5), (np.nan, 0), (np.inf, 1)])
def test_numbers_that_stand_for_themselves_say_nothing(tmp_path, slope):
    assert read(volume(tmp_path / "a.nii", noise((9, 10, 11), np.int16), slope=slope)).file_notes == ()
