"""CZI, made by its own library, and ND2 and LIF, which nothing writes; what is written of them is OME-TIFF."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from tests.helpers.files import again, noise, refusal
from tests.helpers.microscopes import write_lif, write_nd2
from untaught.errors import InputError
from untaught.image.files import as_image, check_writable, read, write
from untaught.image.reading import Reading


@pytest.fixture
def czi():
    return pytest.importorskip("pylibCZIrw.czi", reason="needs pylibCZIrw, which CZI is read with")


def zeiss(czi, path, values, scenes=1):
    """Write (T, C, Z, Y, X) and its scale, once a scene, each darker than the one before."""
    with czi.create_czi(str(path), exist_ok=True) as file:
        for t, c, z in np.ndindex(*values.shape[:3]):
            for scene in range(scenes):
                plane = {"T": t, "C": c, "Z": z}
                file.write(
                    values[t, c, z][..., None] // (scene + 1), location=(200 * scene, 0), plane=plane, scene=scene
                )
        names = {k: f"stain {k}" for k in range(values.shape[1])}
        file.write_metadata("file", names, scale_x=2e-7, scale_y=2e-7, scale_z=5e-7)
    return path


def test_planes_of_czi_are_put_in_order(tmp_path, czi):
    values = noise((2, 3, 4, 20, 24), np.uint16)
    image = read(zeiss(czi, tmp_path / "a.czi", values))
    assert (image.axes, image.metadata["channels"]) == ("TCZYX", ("stain 0", "stain 1", "stain 2"))
    np.testing.assert_array_equal(image.array, values)
    assert image.metadata["spacing"]["Z"] == (pytest.approx(0.5), "um")


def test_scenes_of_czi_are_chosen(tmp_path, czi):
    values = noise((1, 1, 2, 20, 24), np.uint8)
    path = zeiss(czi, tmp_path / "a.czi", values, scenes=2)
    assert "scene 0 of 2 is restored" in refusal(path)
    np.testing.assert_array_equal(read(path, series=1).array, values[0, 0] // 2)
    assert "from 0 to 1" in refusal(path, series=2)


def test_colours_of_czi(tmp_path, czi):
    colours = noise((20, 24, 3))
    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        file.write(colours[..., ::-1].copy())
    image = read(tmp_path / "a.czi")
    assert image.axes == "YXS"
    np.testing.assert_array_equal(image.array, colours)


def test_cut_off_czi_is_a_sentence(tmp_path, czi):
    data = zeiss(czi, tmp_path / "a.czi", noise((1, 1, 2, 20, 24), np.uint16)).read_bytes()
    for length in (40, 600, len(data) // 2, len(data) - 200):
        (tmp_path / "c.czi").write_bytes(data[:length])
        assert "cut" in refusal(tmp_path / "c.czi"), length


def test_nd2(tmp_path):
    pytest.importorskip("nd2", reason="needs nd2, which ND2 is read with")
    values = noise((2, 20, 24), np.uint16)
    path = write_nd2(tmp_path / "a.nd2", values, 0.25, ("DAPI", "GFP"))
    image = read(path)
    assert (image.axes, image.metadata["channels"]) == ("CYX", ("DAPI", "GFP"))
    assert image.metadata["spacing"] == {"Y": (0.25, "um"), "X": (0.25, "um")}
    np.testing.assert_array_equal(image.array, values)
    data = path.read_bytes()
    for length in (40, 600, len(data) // 2, len(data) - 5):
        (tmp_path / "c.nd2").write_bytes(data[:length])
        assert "cut" in refusal(tmp_path / "c.nd2"), length


def test_nd2_of_more_components_than_there_can_be_is_refused_at_once(tmp_path):
    pytest.importorskip("nd2", reason="needs nd2, which ND2 is read with")
    path = write_nd2(tmp_path / "a.nd2", noise((2, 20, 24), np.uint16), 0.25, ("a", "b"), components=2**31)
    assert "corrupt ND2 file (it counts 2147483648 components in one plane)" in refusal(path)
    path = write_nd2(tmp_path / "b.nd2", noise((2, 0, 24), np.uint16), 0.25, ("a", "b"))
    assert "says of no picture" in refusal(path)


def test_lif(tmp_path):
    pytest.importorskip("liffile", reason="needs liffile, which LIF is read with")
    images = {"small": noise((2, 20, 24)), "large": noise((3, 20, 24))}
    path = write_lif(tmp_path / "a.lif", images, 2e-7).rename(tmp_path / "no.name")
    image = read(path)
    assert image.axes == "ZYX"
    assert image.notes == ("image 1 'large' is restored, without 0 'small'; '--series N' takes another",)
    assert image.metadata["spacing"]["X"] == (pytest.approx(0.2), "um")
    np.testing.assert_array_equal(image.array, images["large"])
    np.testing.assert_array_equal(read(path, series=0).array, images["small"])
    data = path.read_bytes()
    for length in (40, 600, len(data) - 9):
        path.write_bytes(data[:length])
        assert "cut" in refusal(path), length


def test_what_is_written_of_them_is_ome_tiff(tmp_path):
    pytest.importorskip("nd2", reason="needs nd2, which ND2 is read with")
    image = read(write_nd2(tmp_path / "a.nd2", noise((2, 20, 24), np.uint16), 0.25, ("DAPI", "GFP")))
    with pytest.raises(InputError, match=r"ND2 files are only read; write \.tif"):
        check_writable(tmp_path / "b.nd2", image)
    for name in ("b.ome.tif", "c.ome.tif"):
        write(tmp_path / name, again(image))
    assert (tmp_path / "b.ome.tif").read_bytes() == (tmp_path / "c.ome.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "b.ome.tif") as tif:
        assert 'PhysicalSizeX="0.25"' in tif.ome_metadata
        assert 'Name="GFP"' in tif.ome_metadata
    back = read(tmp_path / "b.ome.tif")
    assert (back.axes, back.metadata["spacing"]) == ("CYX", image.metadata["spacing"])
    np.testing.assert_array_equal(back.array, image.array)


def test_the_largest_scene_of_czi_is_read_and_held(tmp_path, czi):
    """By its area, and what it takes is told by it: the second is longer, and smaller."""
    scenes = noise((20, 24)), noise((4, 63), seed=1)
    path = tmp_path / "a.czi"
    with czi.create_czi(str(path)) as file:
        for number, values in enumerate(scenes):
            file.write(values[..., None], location=(200 * number, 0), plane={"T": 0, "C": 0, "Z": 0}, scene=number)
    np.testing.assert_array_equal(read(path).array, scenes[0])
    assert as_image(path, None, Reading(memory=20 * 24)).array.shape == (20, 24)
    with pytest.raises(InputError, match="takes 480 bytes unpacked"):
        as_image(path, None, Reading(memory=20 * 24 - 1))
