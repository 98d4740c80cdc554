"""Cameras' raw files, made by tifffile as DNG: the values are those that were measured."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from tests.helpers.files import noise, refusal
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.files import check_writable, read, write
from untaught.image.formats import base

PATTERNS = {"RGGB": (0, 1, 1, 2), "GBRG": (1, 2, 0, 1)}


@pytest.fixture
def rawpy():
    return pytest.importorskip("rawpy", reason="needs rawpy, which raw files are read with")


def camera(path, values, pattern="RGGB", orientation=1):
    """Write a DNG: what a camera says of itself, and the values behind its colour filters."""
    matrix = np.array([1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1], np.int32)
    tags = [
        (50706, 1, 4, b"\x01\x04\x00\x00", True),
        (271, 2, 0, "ours", True),
        (50708, 2, 0, "a camera", True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, bytes(PATTERNS[pattern]), True),
        (50714, 4, 1, 64, True),
        (50717, 4, 1, 4000, True),
        (50721, 10, 9, tuple(int(one) for one in matrix), True),
        (274, 3, 1, orientation, True),
    ]
    tifffile.imwrite(path, values, photometric="cfa", metadata=None, extratags=tags, compression=None)
    return path


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_values_behind_the_filters_are_read(tmp_path, rawpy, pattern):
    values = noise((64, 80), np.uint16) >> 4
    image = read(camera(tmp_path / "a.dng", values, pattern))
    assert image.axes == "YX"
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


def test_raw_files_are_not_written(tmp_path, rawpy):
    image = read(camera(tmp_path / "a.dng", noise((64, 80), np.uint16)))
    with pytest.raises(InputError, match=r"camera raw files are only read"):
        check_writable(tmp_path / "b.dng", image)


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
