"""EXIF: camera, exposure and place come back from every format into every format."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import PIL.Image
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.files import again, noise, smooth
from untaught.image.files import read, write
from untaught.image.formats.exif import (
    EXIF_IFD,
    GPS_IFD,
    INTEROPERABILITY_IFD,
    Form,
    block_of,
    directory_of,
    exif_orientation,
    hang,
    pack_directory,
    read_directory,
)
from untaught.image.image import image_of_array

SUFFIXES = [".png", ".jpg", ".webp", ".tif"]
TEXTS = {270: "a picture", 271: "a camera", 272: "model 7", 306: "2024:01:02 03:04:05", 33432: "nobody"}
EXPOSURE = {33434: (1, 200), 34855: 800, 36867: "2024:01:02 03:04:05", 37500: b"maker\0\1\2" * 9, 42036: "a lens"}
PLACE = {1: "N", 2: (48.0, 30.0, 12.5), 3: "E", 4: (9.0, 1.0, 2.0)}


def block(endian):
    """Return an EXIF block as Pillow makes it."""
    made = PIL.Image.Exif()
    made.endian = endian
    made.update({274: 6, **TEXTS})
    made.get_ifd(EXIF_IFD).update({**EXPOSURE, INTEROPERABILITY_IFD: {1: "R98"}})
    made.get_ifd(GPS_IFD).update(PLACE)
    return made.tobytes()


def seen(path):
    """Return what Pillow finds: texts and orientation, exposure, place."""
    with PIL.Image.open(path) as opened:
        exif = opened.getexif()
        exposure = {k: v for k, v in exif.get_ifd(EXIF_IFD).items() if k != INTEROPERABILITY_IFD}
        return {k: exif.get(k) for k in (274, *TEXTS)}, exposure, dict(exif.get_ifd(GPS_IFD))


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("source", SUFFIXES)
@pytest.mark.parametrize("target", SUFFIXES)
def test_camera_exposure_and_place_cross_formats(tmp_path, source, target, endian):
    path = tmp_path / f"in{source}"
    PIL.Image.fromarray(smooth((40, 48))).save(path, exif=block(endian))
    assert seen(write(tmp_path / f"out{target}", again(read(path)))) == ({274: 6, **TEXTS}, EXPOSURE, PLACE)


def test_a_stack_keeps_them_and_all_its_pages(tmp_path):
    image = read_back = image_of_array(noise((5, 24, 30), np.uint16))
    image.metadata["exif"] = block(">").removeprefix(b"Exif\0\0")
    for name in ("a.tif", "b.tif"):
        read_back = read(write(tmp_path / name, read_back))
        np.testing.assert_array_equal(read_back.array, image.array)
        assert seen(tmp_path / name)[1:] == (EXPOSURE, PLACE)
    with tifffile.TiffFile(tmp_path / "b.tif") as tif:
        assert len(tif.pages) == 5
        assert tif.pages[0].tags[EXIF_IFD].value["ISOSpeedRatings"] == 800


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_directories_hang_on_any_tiff(order, big):
    array = noise((16, 20))
    stream = BytesIO()
    tifffile.imwrite(stream, array, byteorder=order, bigtiff=big, metadata=None)
    directories = {code: directory_of(block(order)[6:])[code] for code in (EXIF_IFD, GPS_IFD)}
    hang(stream, directories)
    stream.seek(0)
    with tifffile.TiffFile(stream) as tif:
        np.testing.assert_array_equal(tif.asarray(), array)
        first = tif.pages.first
        assert first.tags[EXIF_IFD].value["LensModel"] == "a lens"
        assert first.tags[GPS_IFD].value["GPSLatitude"][:2] == (48, 1)
        found = read_directory(stream, first.offset, Form(order, big), (EXIF_IFD, GPS_IFD))
    assert found == directories


def stored(size):
    return st.binary(min_size=size, max_size=size)


values = st.tuples(st.sampled_from([(1, 1), (2, 1), (3, 2), (4, 4), (5, 8), (7, 1), (12, 8)]), st.integers(0, 9))
tags = values.flatmap(lambda v: st.tuples(st.just(v[0][0]), st.just(v[1]), stored(v[0][1] * v[1])))
plain = st.dictionaries(st.integers(1, 30000), tags, max_size=6)


@given(plain, plain, plain, st.sampled_from(["<", ">"]), st.booleans(), st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_what_is_packed_is_read_again(first, exposure, deeper, order, big, at):
    directory = {**first, EXIF_IFD: {**exposure, INTEROPERABILITY_IFD: deeper}, GPS_IFD: {}}
    form = Form(order, big)
    data = bytes(2 * at) + pack_directory(directory, 2 * at, form)
    assert read_directory(BytesIO(data), 2 * at, form) == directory
    if not big:
        assert directory_of(block_of(directory, order)) == directory


@given(st.binary(max_size=60), st.sampled_from([b"II*\0", b"MM\0*", b""]))
@settings(max_examples=100, deadline=None)
def test_a_broken_block_has_no_orientation_and_does_no_harm(data, mark):
    found = exif_orientation(mark + data)
    assert found is None or 1 <= found <= 8


def test_a_directory_that_leads_to_itself_ends():
    data = bytearray(block_of({EXIF_IFD: {7: (3, 1, b"\1\0")}}, "<"))
    at = struct.unpack_from("<I", data, 18)[0]  # where the EXIF directory lies
    struct.pack_into("<HHII", data, at + 2, EXIF_IFD, 4, 1, at)
    assert directory_of(bytes(data)) == {EXIF_IFD: {EXIF_IFD: {}}}


def test_a_tiff_whose_exif_leads_nowhere_is_read_without(tmp_path):
    path = tmp_path / "a.tif"
    PIL.Image.fromarray(smooth((40, 48))).save(path, exif=block("<"))
    with tifffile.TiffFile(path, mode="r+b") as tif:
        tif.pages[0].tags[EXIF_IFD].overwrite(tif.pages[0].dataoffsets[0])
    image = read(path)
    np.testing.assert_array_equal(image.array, smooth((40, 48)))
    assert "exif" not in image.metadata
    assert image.metadata["orientation"] == 6


def test_too_much_for_a_jpeg_is_left_out_but_the_orientation(tmp_path):
    image = image_of_array(smooth((40, 48)))
    directory = {274: (3, 1, b"\6\0"), EXIF_IFD: {37500: (7, 70_000, bytes(70_000))}}
    image.metadata["exif"] = block_of(directory, "<")
    with PIL.Image.open(write(tmp_path / "a.jpg", image)) as opened:
        assert dict(opened.getexif()) == {274: 6}
    assert directory_of(read(write(tmp_path / "a.png", image)).metadata["exif"]) == directory
