"""MRC maps, made by mrcfile, restored and written back with all that belongs to them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.files import again, noise, refusal
from untaught.errors import InputError
from untaught.image.files import check_writable, read, write
from untaught.image.image import Image
from untaught.image.output_type import typed

mrcfile = pytest.importorskip("mrcfile", reason="needs mrcfile, which MRC is read with")
# mrcfile 1.5 does what numpy 2.5 deprecates when it opens a file; we read and write without that.
pytestmark = pytest.mark.filterwarnings("ignore:Setting the dtype on a NumPy array:DeprecationWarning")


def volume(path, values, stack=False):
    with mrcfile.new(path) as made:
        made.set_data(values)
        if stack:
            made.set_image_stack()
        made.voxel_size = (1.5, 2.0, 2.5)
        made.header.origin.x = 12.0
        made.set_extended_header(np.arange(8, dtype=np.float32))
        made.header.exttyp = b"SERI"
        made.add_label("who and when")
    return path


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint16, np.float16, np.float32])
def test_the_header_and_what_is_behind_it_come_back(tmp_path, dtype):
    values = noise((4, 20, 24), dtype)
    path = volume(tmp_path / "a.mrc", values)
    image = read(path)
    assert (image.axes, image.array.dtype) == ("ZYX", dtype)
    assert image.metadata["spacing"] == {"X": (1.5, "A"), "Y": (2.0, "A"), "Z": (2.5, "A")}
    write(tmp_path / "b.map", again(image))
    assert mrcfile.validate(tmp_path / "b.map")
    with mrcfile.open(path) as old, mrcfile.open(tmp_path / "b.map") as new:
        np.testing.assert_allclose(new.data.astype(float), values.astype(float), rtol=1e-2)
        changed = {"dmin", "dmax", "dmean", "rms", "label", "nlabl"}
        names = [name for name in old.header.dtype.names if name not in changed]
        assert all(new.header[name].tobytes() == old.header[name].tobytes() for name in names)
        np.testing.assert_array_equal(new.extended_header, old.extended_header)
        assert [label.split()[0] for label in new.get_labels()] == ["Created", "who", "restored"]
        assert new.header.dmax == np.float32(new.data.max())


def test_stacks_are_times_and_volumes_are_slices(tmp_path):
    assert read(volume(tmp_path / "a.mrc", noise((4, 20, 24), np.int16), stack=True)).axes == "TYX"
    assert read(volume(tmp_path / "b.mrc", noise((20, 24), np.int16))).axes == "YX"
    with mrcfile.new(tmp_path / "c.mrc") as made:
        made.set_data(noise((2, 3, 20, 24), np.int16))
    image = read(tmp_path / "c.mrc")
    assert image.axes == "TZYX"
    write(tmp_path / "d.mrc", image)
    with mrcfile.open(tmp_path / "d.mrc") as new:
        assert new.is_volume_stack()
        np.testing.assert_array_equal(new.data, image.array)


def test_big_endian_files_stay_such(tmp_path):
    with mrcfile.new(tmp_path / "a.mrc") as made:
        made.set_data(noise((4, 20, 24), np.float32).astype(">f4"))
    image = read(tmp_path / "a.mrc")
    with mrcfile.open(write(tmp_path / "b.mrc", image)) as new:
        assert new.data.dtype.byteorder == ">"
        np.testing.assert_array_equal(new.data, image.array)


def test_another_type_and_another_size_are_true_in_the_header(tmp_path):
    image = read(volume(tmp_path / "a.mrc", noise((4, 20, 24), np.int16)))
    twice = Image.of(image.array.repeat(2, 1).repeat(2, 2), "ZYX", metadata=image.metadata)
    for name, one in (("b", typed(image, "float32")), ("c", twice)):
        write(tmp_path / f"{name}.mrc", one)
        assert mrcfile.validate(tmp_path / f"{name}.mrc")
        with mrcfile.open(tmp_path / f"{name}.mrc") as new:
            np.testing.assert_array_equal(new.data, one.array)
            assert (new.header.cella.x, new.header.origin.x) == (36.0, 12.0)
    with pytest.raises(InputError, match=r"float64.*float32"):
        check_writable(tmp_path / "d.mrc", typed(image, "float64"))


def test_pictures_from_elsewhere(tmp_path):
    spacing = dict.fromkeys("ZYX", (0.5, "nm"))
    for axes, dtype, stored in (("ZYX", np.uint8, np.uint16), ("TYX", np.float32, np.float32)):
        image = Image.of(noise((4, 20, 24), dtype), axes, metadata={"spacing": spacing})
        write(tmp_path / "a.mrc", image)
        assert mrcfile.validate(tmp_path / "a.mrc")
        with mrcfile.open(tmp_path / "a.mrc") as new:
            np.testing.assert_array_equal(new.data, image.array)
            assert (new.data.dtype, new.is_image_stack(), new.voxel_size.x) == (stored, axes == "TYX", 5.0)
    with pytest.raises(InputError, match="no axes YXS"):
        check_writable(tmp_path / "b.mrc", Image.of(noise((20, 24, 3)), "YXS"))


def test_cut_off_files_are_sentences(tmp_path):
    data = volume(tmp_path / "a.mrc", noise((4, 20, 24), np.int16)).read_bytes()
    for length in (300, 1000, 1024, len(data) // 2, len(data) - 1):
        (tmp_path / "c.mrc").write_bytes(data[:length])
        assert "cut" in refusal(tmp_path / "c.mrc"), length
    (tmp_path / "h.mrc").write_bytes(np.array([30000] * 3, "<i4").tobytes() + data[12:])
    assert "of memory that may be used" in refusal(tmp_path / "h.mrc")
