"""Several pictures in one TIFF: which is read, what is said of the others, and what becomes of them."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from tests.helpers.files import again, noise
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.files import read, write

LARGE, SMALL, LABEL = noise((40, 48, 3)), noise((20, 24, 3), seed=1), noise((30, 10), seed=2)


def mixed(path):
    with tifffile.TiffWriter(path) as tif:
        tif.write(LABEL, metadata=None, description="the label")
        tif.write(LARGE, metadata=None, photometric="rgb")
        tif.write(SMALL, metadata=None, photometric="rgb", subfiletype=1)
    return path


def arrays(path):
    with tifffile.TiffFile(path) as tif:
        return [series.asarray() for series in tif.series]


def test_the_largest_is_read_a_smaller_copy_left_and_the_rest_kept(tmp_path):
    image = read(mixed(tmp_path / "in.tif"))
    np.testing.assert_array_equal(image.array, LARGE)
    told = " ".join(image.notes)
    assert "series 1 (40 x 48 x 3)" in told
    assert "series 0 (30 x 10)" in told
    assert "a smaller copy of the picture in the file (20 x 24 x 3)" in told
    first, second = arrays(write(tmp_path / "out.tif", again(image)))
    np.testing.assert_array_equal(first, LARGE)
    np.testing.assert_array_equal(second, LABEL)
    with tifffile.TiffFile(tmp_path / "out.tif") as tif:
        assert tif.series[1].keyframe.description == "the label"


def test_what_is_asked_for_is_read_and_stands_alone(tmp_path):
    path = mixed(tmp_path / "in.tif")
    np.testing.assert_array_equal(read(path, series=0).array, LABEL)
    np.testing.assert_array_equal(read(path, page=2).array, SMALL)
    np.testing.assert_array_equal(read(path, page=1).array, LARGE)
    np.testing.assert_array_equal(read(path, series=0, page=0).array, LABEL)
    (alone,) = arrays(write(tmp_path / "out.tif", again(read(path, series=0))))
    np.testing.assert_array_equal(alone, LABEL)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"series": 2}, "2 pictures, from 0 to 1, so there is no series 2"),
        ({"page": 3}, "3 pages, from 0 to 2, so there is no page 3"),
        ({"series": 1, "page": 1}, "one page, number 0, so there is no page 1"),
        ({"series": -1}, "counted from 0"),
        ({"page": 1.5}, "counted from 0"),
        ({"page": True}, "counted from 0"),
    ],
)
def test_what_is_not_there_cannot_be_asked_for(tmp_path, asked, says):
    with pytest.raises(InputError, match=says):
        read(mixed(tmp_path / "in.tif"), **asked)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".npy"])
def test_formats_of_one_picture_have_no_second(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", read(mixed(tmp_path / "in.tif")))
    assert read(path, series=0, page=0).array.shape == (40, 48, 3)
    with pytest.raises(InputError, match="one picture, so there is no series 1"):
        read(path, series=1)


@pytest.mark.parametrize("shape", [(20, 24), (20, 24, 3)])
def test_pictures_written_one_by_one_are_a_stack(tmp_path, shape):
    path, stack = tmp_path / "in.tif", noise((3, *shape))
    for page in stack:
        tifffile.imwrite(path, page, append=path.exists())
    image = read(path)
    np.testing.assert_array_equal(image.array, stack)
    assert image.axes == "CYXS"[: 1 + len(shape)]  # three pages of noise are not alike
    assert "read as a stack" in image.notes[0]
    back = read(write(tmp_path / "out.tif", again(image)))
    np.testing.assert_array_equal(back.array, stack)
    np.testing.assert_array_equal(read(path, series=1).array, stack[1])
    np.testing.assert_array_equal(read(path, page=2).array, stack[2])


def test_the_full_level_of_a_pyramid_is_read_and_its_levels_named(tmp_path):
    for ome in (True, False):
        path = tmp_path / ("a.ome.tif" if ome else "a.tif")
        with tifffile.TiffWriter(path, ome=ome, bigtiff=True) as tif:
            tif.write(noise((64, 64), np.uint16), subifds=2, tile=(16, 16))
            tif.write(noise((32, 32), np.uint16), subfiletype=1, tile=(16, 16))
            tif.write(noise((16, 16), np.uint16), subfiletype=1, tile=(16, 16))
        image = read(path)
        assert image.array.shape == (64, 64)
        assert "2 smaller copies of the picture in the file (32 x 32, 16 x 16)" in image.notes[0]
        with tifffile.TiffFile(write(tmp_path / f"out{path.name[1:]}", again(image))) as tif:
            assert len(tif.series[0].levels) == 1


def test_every_picture_of_an_ome_tiff_is_described_where_it_is_written(tmp_path):
    first, second = noise((3, 20, 24), np.uint16), noise((4, 30, 32), np.uint16, seed=1)
    with tifffile.TiffWriter(tmp_path / "in.ome.tif", ome=True) as tif:
        tif.write(first, metadata={"axes": "ZYX", "Name": "one", "PhysicalSizeX": 0.5})
        tif.write(second, metadata={"axes": "ZYX", "Name": "two", "PhysicalSizeX": 0.25})
    image = read(tmp_path / "in.ome.tif")
    np.testing.assert_array_equal(image.array, second)
    with tifffile.TiffFile(write(tmp_path / "out.ome.tif", again(image))) as tif:
        assert [series.name for series in tif.series] == ["one", "two"]
        np.testing.assert_array_equal(tif.series[0].asarray(), first)
        np.testing.assert_array_equal(tif.series[1].asarray(), second)
    with tifffile.TiffFile(write(tmp_path / "one.ome.tif", read(tmp_path / "in.ome.tif", series=0))) as tif:
        assert [series.name for series in tif.series] == ["one"]
        assert 'PhysicalSizeX="0.5"' in tif.ome_metadata


def test_a_page_alone_is_not_described_as_all_of_them(tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", noise((5, 20, 24), np.uint16), imagej=True)
    image = read(tmp_path / "in.tif", page=3)
    assert (image.axes, image.array.shape) == ("YX", (20, 24))
    with tifffile.TiffFile(write(tmp_path / "out.tif", again(image))) as tif:
        assert (len(tif.pages), tif.series[0].kind) == (1, "uniform")


def test_another_picture_that_is_gone_or_damaged_does_not_cost_the_restored_one(tmp_path):
    path = tmp_path / "in.tif"
    with tifffile.TiffWriter(path) as tif:
        tif.write(LARGE, metadata=None, photometric="rgb")
        tif.write(LABEL, metadata=None, compression="zlib")
    image = read(path)
    with tifffile.TiffFile(path, mode="r+b") as tif:
        tif.filehandle.seek(tif.pages[1].dataoffsets[0])
        tif.filehandle.write(bytes(40))
    np.testing.assert_array_equal(arrays(write(tmp_path / "out.tif", again(image)))[0], LARGE)
    path.unlink()
    np.testing.assert_array_equal(arrays(write(tmp_path / "out.tif", again(image)))[0], LARGE)


def test_the_command_line_chooses_and_says_what_was_left(tmp_path, capsys):
    path = mixed(tmp_path / "in.tif")
    out = tmp_path / "out.tif"
    quick = ["--method", "wavelet", "--noise", "gaussian:20"]
    assert main(["denoise", str(path), "-o", str(out), "--series", "0", *quick]) == 0
    assert "series 0 was read; the others are not in the result" in capsys.readouterr().out.lower()
    assert arrays(out)[0].shape == LABEL.shape
    assert main(["upscale", str(path), "-o", str(out), "--factor", "2", "--page", "0", *quick[:0]]) == 0
    assert "page 0 was read alone" in capsys.readouterr().out.lower()
    assert main(["inspect", str(path)]) == 0
    assert "series 0 (30 x 10)" in capsys.readouterr().out


def test_named_axes_settle_their_own_notes_and_no_others(tmp_path):
    path = mixed(tmp_path / "in.tif")
    image = read(path)
    named = read(path, image.axes)
    assert image.notes
    assert named.notes == image.notes
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((40, 48, 4), np.float32), photometric="rgb", extrasamples=[2])
    assert "opacity" in read(tmp_path / "a.tif").notes[0]
    assert read(tmp_path / "a.tif", "YXC").notes == ()
    assert read(tmp_path / "a.tif", "YXS").notes == ()
