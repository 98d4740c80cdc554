"""HDF5 files, made by h5py: one array is restored, and the rest of the tree comes back."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.files import again, noise
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.files import read, write
from untaught.image.image import Image
from untaught.image.output_type import typed

h5py = pytest.importorskip("h5py", reason="needs h5py, which HDF5 is read with")


def tree(path):
    with h5py.File(path, "w") as file:
        file.attrs["lab"] = "ours"
        raw = file.create_dataset(
            "raw/0", data=noise((5, 20, 24), np.uint16), compression="gzip", chunks=(1, 20, 24)
        )
        for dimension, label in zip(raw.dims, "tyx", strict=True):
            dimension.label = label
        raw.attrs["element_size_um"] = (0.5, 0.25)
        raw.attrs["exposure"] = 3.5
        file.create_dataset("raw/1", data=noise((20, 24), np.float32, seed=1))
        file.create_dataset("times", data=np.arange(5.0))
        file["link"] = h5py.SoftLink("/raw/1")
    return path


def test_the_largest_array_is_restored_and_the_rest_comes_back(tmp_path):
    path = tree(tmp_path / "a.h5")
    image = read(path)
    assert (image.axes, image.array.dtype) == ("TYX", np.uint16)
    assert "/raw/0 is restored, the largest of 2 arrays" in image.notes[0]
    assert image.metadata["spacing"] == {"Y": (0.5, "um"), "X": (0.25, "um")}
    write(tmp_path / "b.h5", again(image))
    with h5py.File(path) as old, h5py.File(tmp_path / "b.h5") as new:
        np.testing.assert_array_equal(new["raw/0"][()], image.array)
        np.testing.assert_array_equal(new["raw/1"][()], old["raw/1"][()])
        np.testing.assert_array_equal(new["link"][()], old["raw/1"][()])
        assert new["raw/0"].attrs["exposure"] == 3.5
        assert (new["raw/0"].compression, new["raw/0"].chunks) == ("gzip", (1, 20, 24))
        assert new.attrs["lab"] == "ours"
        np.testing.assert_array_equal(new["times"][()], np.arange(5.0))


def test_a_path_names_the_array(tmp_path):
    path = tree(tmp_path / "a.h5")
    for inside in ("/raw/1", "/link"):
        image = read(f"{path}:{inside}")
        assert image.array.shape == (20, 24)
        assert image.address.endswith("a.h5:/raw/1" if inside == "/raw/1" else "a.h5:/link")
    with pytest.raises(
        InputError, match=r"no array under /none; it has a\.h5:/raw/0 \(5 x 20 x 24\), a\.h5:/raw/1"
    ):
        read(f"{path}:/none")
    with pytest.raises(InputError, match="no array under /raw"):
        read(f"{path}:/raw")
    with pytest.raises(InputError, match="is an input"):
        write(f"{path}:/raw/2", read(f"{path}:/raw/1"))


def test_another_type_takes_the_place_with_its_attributes(tmp_path):
    image = typed(read(tree(tmp_path / "a.h5")), "float32")
    write(tmp_path / "b.h5", image)
    with h5py.File(tmp_path / "b.h5") as new:
        assert new["raw/0"].dtype == np.float32
        assert (new["raw/0"].attrs["exposure"], new["raw/0"].dims[0].label) == (3.5, "T")


def test_a_picture_from_elsewhere_has_its_axes(tmp_path):
    image = Image.of(noise((20, 24, 3)), "YXS")
    for place, where in (("a.h5", "/image"), ("b.h5:/here/it/is", "/here/it/is")):
        back = read(write(tmp_path / place, image))
        assert back.axes == "YXS"
        np.testing.assert_array_equal(back.array, image.array)
        assert where in h5py.File(tmp_path / place.partition(":")[0])


def test_axes_that_are_not_stated_are_asked_for(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["v"] = noise((3, 2, 20, 24))
    with pytest.raises(InputError, match=r"nothing says what its axes are"):
        read(tmp_path / "a.h5")
    assert read(tmp_path / "a.h5", axes="TCYX").axes == "TCYX"


def test_axistags_of_ilastik_are_understood(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["v"] = noise((5, 20, 24, 2))
        file["v"].attrs["axistags"] = '{"axes": [{"key": "z"}, {"key": "y"}, {"key": "x"}, {"key": "c"}]}'
    assert read(tmp_path / "a.h5").axes == "ZYXC"


def test_virtual_and_foreign_arrays_do_no_harm_elsewhere(tmp_path):
    tree(tmp_path / "a.h5")
    layout = h5py.VirtualLayout((20, 24), np.float32)
    layout[...] = h5py.VirtualSource(tmp_path / "a.h5", "raw/1", (20, 24))
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file.create_virtual_dataset("seen", layout)
        file["elsewhere"] = h5py.ExternalLink("a.h5", "/raw/1")
    before = (tmp_path / "a.h5").read_bytes()
    image = read(f"{tmp_path}/v.h5:/seen")
    write(tmp_path / "b.h5", Image.of(1 - image.array, "YX", metadata=image.metadata, source=image.source))
    assert (tmp_path / "a.h5").read_bytes() == before
    np.testing.assert_array_equal(read(f"{tmp_path}/b.h5:/seen").array, 1 - image.array)
    with pytest.raises(InputError, match=r"elsewhere lies in .*a\.h5; give that file"):
        read(f"{tmp_path}/v.h5:/elsewhere")


def test_files_without_a_picture_and_cut_off_ones_are_sentences(tmp_path):
    with h5py.File(tmp_path / "n.h5", "w") as file:
        file["times"] = np.arange(5.0)
    with pytest.raises(InputError, match="holds no array that may be a picture"):
        read(tmp_path / "n.h5")
    data = tree(tmp_path / "a.h5").read_bytes()
    for length in range(60, len(data), len(data) // 9):
        (tmp_path / "c.h5").write_bytes(data[:length])
        with pytest.raises(InputError, match=r"cut-off or corrupt HDF5"):
            read(tmp_path / "c.h5")


def test_the_command_takes_a_path_inside(tmp_path, capsys):
    path = tree(tmp_path / "a.h5")
    out = str(tmp_path / "b.h5")
    assert main(["denoise", f"{path}:/raw/1", "-o", out, "--method", "nonlocal", "--noise", "gaussian:9"]) == 0
    assert "error" not in capsys.readouterr().err
    assert not np.array_equal(read(f"{out}:/raw/1").array, read(f"{path}:/raw/1").array)
    np.testing.assert_array_equal(read(f"{out}:/raw/0").array, read(f"{path}:/raw/0").array)


def test_what_is_no_picture_at_a_path_is_said(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["names"] = np.array([[b"a", b"b"]] * 20)
        file["v"] = noise((20, 24))
    with pytest.raises(InputError, match=r"holds values of type \|S1, which are no picture"):
        read(f"{tmp_path}/a.h5:/names")


@pytest.mark.parametrize("tags", ["{", "[]", '{"axes": [{"name": "y"}]}', "17"])
def test_axistags_that_say_nothing_are_passed_over(tmp_path, tags):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["v"] = noise((20, 24))
        file["v"].attrs["axistags"] = tags
    assert read(tmp_path / "a.h5").axes == "YX"


def test_axes_in_words_or_bytes_are_read(tmp_path):
    for stated in ("zyx", b"zyx"):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["v"] = noise((3, 20, 24))
            file["v"].attrs["axes"] = stated
        assert read(tmp_path / "a.h5").axes == "ZYX"


def test_a_virtual_array_whose_parts_are_gone_is_empty_there(tmp_path):
    """As HDF5 itself has it: 0 where nothing is; and one of arrays in files beside it is followed."""
    layout = h5py.VirtualLayout((40, 24), np.float32)
    layout[:20] = h5py.VirtualSource("gone.h5", "v", (20, 24))
    layout[20:] = h5py.VirtualSource("beside.h5", "v", (20, 24))
    values = noise((20, 24), np.float32)
    with h5py.File(tmp_path / "beside.h5", "w") as file:
        file["v"] = values
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_virtual_dataset("seen", layout)
    found = read(tmp_path / "a.h5").array
    np.testing.assert_array_equal(found[20:], values)
    assert not found[:20].any()
