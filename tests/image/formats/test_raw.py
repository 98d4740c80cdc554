"""Cameras' raw files, made by tifffile as DNG: the values are those that were measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from tests.helpers.files import noise, refusal
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.files import check_writable, read, write
from untaught.image.formats import base

CAMERA_TAGS = {
    50721: (13, 10, -2, 10, 0, 1, -4, 10, 12, 10, 1, 10, 0, 1, 1, 10, 6, 10),  # from XYZ to its colours
    50728: (4, 10, 1, 1, 6, 10),  # of what is white
}
KINDS = ((50721, 10), (50728, 5))
PATTERNS = {"RGGB": (0, 1, 1, 2), "GBRG": (1, 2, 0, 1)}


@pytest.fixture
def rawpy():
    return pytest.importorskip("rawpy", reason="needs rawpy, which raw files are read with")


def camera(path, values, pattern="RGGB", orientation=1):
    """Write a DNG: what a camera says of itself, and the values behind its colour filters."""
    tags = [
        (50706, 1, 4, b"\x01\x04\x00\x00", True),
        (271, 2, 0, "ours", True),
        *(
            (code, kind, len(CAMERA_TAGS[code]) // 2, CAMERA_TAGS[code], True)
            for code, kind in ((50721, 10), (50728, 5))
        ),
        (50708, 2, 0, "a camera", True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, bytes(PATTERNS[pattern]), True),
        (50714, 4, 1, 64, True),
        (50717, 4, 1, 4000, True),
        (274, 3, 1, orientation, True),
    ]
    tifffile.imwrite(path, values, photometric="cfa", metadata=None, extratags=tags, compression=None)
    return path


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_values_behind_the_filters_are_read(tmp_path, rawpy, pattern):
    values = noise((64, 80), np.uint16) >> 4
    image = read(camera(tmp_path / "a.dng", values, pattern))
    assert image.axes == "YX"
    assert "orientation" not in image.metadata
    np.testing.assert_array_equal(image.array, values)
    mosaic = image.metadata["raw"]
    assert (mosaic.pattern, set(mosaic.black), mosaic.white) == (pattern, {64.0}, 4000.0)
    assert f"'untaught demosaic a.dng --pattern {pattern}'" in image.notes[0]


def test_turned_cameras_are_noted_and_exif_goes_on(tmp_path, rawpy):
    image = read(camera(tmp_path / "a.dng", noise((64, 80), np.uint16), orientation=6))
    assert (image.array.shape, image.metadata["orientation"]) == ((64, 80), 6)
    with tifffile.TiffFile(write(tmp_path / "b.tif", image)) as tif:
        assert tif.pages[0].tags[271].value == "ours"
        assert tif.pages[0].tags[274].value == 6


@pytest.mark.parametrize("pattern", PATTERNS)
def test_values_behind_a_filter_are_written_as_they_were_read(tmp_path, rawpy, pattern):
    source = camera(tmp_path / "a.dng", noise((64, 80), np.uint16) >> 4, pattern, orientation=6)
    image = read(source)
    back = read(write(tmp_path / "b.dng", image))
    np.testing.assert_array_equal(back.array, image.array)
    assert back.metadata["raw"] == image.metadata["raw"]
    assert back.metadata["orientation"] == 6
    with tifffile.TiffFile(source) as old, tifffile.TiffFile(tmp_path / "b.dng") as new:
        for code in (271, 50708, 50721, 50728):
            assert new.pages[0].tags[code].value == old.pages[0].tags[code].value
    developed = []
    for path in (source, tmp_path / "b.dng"):
        with rawpy.imread(str(path)) as file:
            developed.append(file.postprocess(use_camera_wb=True, no_auto_bright=True))
    np.testing.assert_array_equal(*developed)


def test_colours_made_of_them_are_written_as_linear(tmp_path, rawpy):
    image = read(camera(tmp_path / "a.dng", noise((64, 80), np.uint16) >> 4))
    colours = replace(image, array=noise((32, 40, 3), np.uint16) >> 4, axes="YXS")
    with tifffile.TiffFile(write(tmp_path / "b.dng", colours)) as tif:
        assert tif.pages[0].photometric == 34892
        assert tif.pages[0].tags[50721].value == CAMERA_TAGS[50721]
    back = read(tmp_path / "b.dng")
    assert back.axes == "YXS"
    np.testing.assert_array_equal(back.array, colours.array)
    assert (back.metadata["raw"].black[:3], back.metadata["raw"].white) == ((64, 64, 64), 4000)


def test_of_other_raw_files_what_is_known_of_the_camera_is_written(tmp_path, rawpy):
    image = read(raw_file(tmp_path / "a.nef", dng=False, nested=False))
    matrix, neutral = (0.65, -0.12, -0.08, -0.38, 1.16, 0.25, -0.04, 0.15, 0.6), (0.4, 1.0, 0.59)
    known = replace(image.metadata["raw"], matrix=matrix, neutral=neutral, camera="ours")
    path = write(tmp_path / "b.dng", replace(image, metadata={"raw": known}))
    with tifffile.TiffFile(path) as tif:
        tags = tif.pages[0].tags
        assert tags[50708].value == "ours"
        assert tags[50721].value[:4] == (6500, 10000, -1200, 10000)
        assert (tags[50728].value[::2], tags[50778].value) == ((4000, 10000, 5900), 21)
    np.testing.assert_array_equal(read(path).array, image.array)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"metadata": {}}, "was not; write .tif"),
        ({"array": noise((64, 80), np.float32)}, "16 bits without a sign, not float32"),
        ({"array": noise((32, 80), np.uint16)}, "here are others"),
        ({"array": noise((64, 80, 2), np.uint16), "axes": "YXS"}, "not the axes YXS"),
    ],
)
def test_what_is_no_cameras_value_is_no_dng(tmp_path, rawpy, changed, words):
    image = replace(read(camera(tmp_path / "a.dng", noise((64, 80), np.uint16))), **changed)
    with pytest.raises(InputError, match=words):
        check_writable(tmp_path / "b.dng", image)
    with pytest.raises(InputError, match="only read"):
        check_writable(tmp_path / "b.nef", image)


def test_a_filter_of_other_colours_is_refused(tmp_path, rawpy):
    image = read(camera(tmp_path / "a.dng", noise((64, 80), np.uint16)))
    other = replace(image.metadata["raw"], filter=(3, 1, 1, 2))
    with pytest.raises(InputError, match="other colours than red"):
        check_writable(tmp_path / "b.dng", replace(image, metadata={"raw": other}))


def raw_file(path, *, dng, nested):
    """A raw file of an unknown make: a preview, and the values, behind it or hung below it."""
    tags = [(50706, 1, 4, b"\x01\x04\x00\x00", True)] if dng else []
    values = noise((64, 64), np.uint16)
    with tifffile.TiffWriter(path) as tif:
        tif.write(noise((16, 16, 3)), photometric="rgb", metadata=None, extratags=tags, subifds=int(nested))
        tif.write(values, photometric="minisblack" if dng else "cfa", metadata=None)
    return path


@pytest.mark.parametrize("nested", [True, False])
def test_a_raw_file_is_not_restored_as_its_preview(tmp_path, rawpy, nested):
    image = read(raw_file(tmp_path / "a.nef", dng=False, nested=nested))
    np.testing.assert_array_equal(image.array, noise((64, 64), np.uint16))
    assert "a kind that is not known here; develop it" in refusal(
        raw_file(tmp_path / "b.dng", dng=True, nested=nested)
    )


def test_the_preview_of_a_raw_file_can_be_asked_for(tmp_path):
    path = raw_file(tmp_path / "a.dng", dng=True, nested=False)
    assert read(path, page=0).array.shape == (16, 16, 3)


def test_where_rawpy_is_missing_the_sentence_has_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(base, "find_spec", lambda module: None)
    for path in (camera(tmp_path / "a.dng", noise((64, 80), np.uint16)), tmp_path / "b.cr3"):
        if path.suffix == ".cr3":
            path.write_bytes(bytes(4) + b"ftypcrx " + bytes(600))
        assert refusal(path).endswith('run pip install "untaught[photo]"')


def test_cut_off_raw_files_are_sentences(tmp_path, rawpy):
    data = camera(tmp_path / "a.dng", noise((64, 80), np.uint16)).read_bytes()
    for length in (40, len(data) // 2, len(data) - 99):
        (tmp_path / "c.dng").write_bytes(data[:length])
        assert any(word in refusal(tmp_path / "c.dng") for word in ("cut", "not known")), length


def test_the_command_makes_a_picture_of_them(tmp_path, rawpy, capsys):
    rows, columns = np.mgrid[:32, :32]
    values = (1000 + 20 * rows + 10 * columns).astype(np.uint16)
    path = camera(tmp_path / "a.dng", values)
    assert (
        main(["demosaic", str(path), "-o", str(tmp_path / "b.tif"), "--method", "fill", "--noise", "gaussian:5"])
        == 0
    )
    assert read(tmp_path / "b.tif").array.shape == (32, 32, 3)
