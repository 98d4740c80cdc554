"""What TIFF and OME-XML say seldom: each is read as it is meant, or refused in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from tests.helpers.files import again, noise, refusal
from untaught.image.files import read, write
from untaught.image.formats import tiff_ome
from untaught.image.formats.base import BrokenError
from untaught.image.formats.ome_zarr_layout import values_of
from untaught.image.formats.tiff import read as read_tiff
from untaught.image.formats.tiff_pixels import coloured
from untaught.image.image import Image
from untaught.image.lazy import is_mapped
from untaught.image.reading import Reading


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_other_pictures_of_a_tiff_are_written_as_what_they_are() -> None:
    """A palette, opacity, planes apart, axes of its own, a description: of the small ones beside the large."""
    colours = noise((3, 256), np.uint16)
    with tifffile.TiffWriter("a.tif") as tif:
        tif.write(noise((64, 80, 3)), photometric="rgb")
        tif.write(
            noise((16, 20), seed=1), photometric="palette", colormap=colours, metadata=None, description="map"
        )
        tif.write(
            noise((4, 16, 24), seed=2),
            photometric="rgb",
            planarconfig="separate",
            extrasamples=["unassalpha"],
            metadata=None,
        )
        tif.write(noise((2, 3, 20, 16), np.uint16, seed=3), photometric="minisblack", metadata={"axes": "TZYX"})
    image = read("a.tif")
    assert image.array.shape == (64, 80, 3)
    write("b.tif", again(image))
    with tifffile.TiffFile("a.tif") as old, tifffile.TiffFile("b.tif") as new:
        assert len(new.series) == len(old.series) == 4
        for was, now in zip(old.series, new.series, strict=True):
            np.testing.assert_array_equal(now.asarray(), was.asarray())
            one, other = was.keyframe, now.keyframe
            assert (one.photometric, one.planarconfig) == (other.photometric, other.planarconfig)
            assert tuple(one.extrasamples) == tuple(other.extrasamples)
            assert now.axes == was.axes
        np.testing.assert_array_equal(new.series[1].keyframe.colormap, colours)
        assert new.series[1].keyframe.description == "map"


def test_a_palette_has_a_colour_for_every_value() -> None:
    indices = np.array([[0, 3]], np.uint8)
    found = coloured(indices, np.arange(12).reshape(3, 4).astype(np.uint16) * 257)
    np.testing.assert_array_equal(found, [[[0, 4, 8], [3, 7, 11]]])
    assert found.dtype == np.uint8
    for colormap in (None, np.zeros(12), np.zeros((4, 3))):
        with pytest.raises(BrokenError, match="are missing"):
            coloured(indices, colormap)
    with pytest.raises(BrokenError, match="fewer colours"):
        coloured(indices, np.zeros((3, 3), np.uint16))


OME = (
    b'<OME BigEndian="true"><Image ID="0"><Pixels Type="uint16" SignificantBits="12" PhysicalSizeX="2" '
    b'PhysicalSizeXUnit="nm" PhysicalSizeY="many" TimeIncrement="0.5" TimeIncrementUnit="furlong"><TiffData/>'
    b"</Pixels></Image></OME>"
)


def test_steps_in_ome_xml_count_where_they_are_numbers_in_known_units() -> None:
    assert tiff_ome.spacing_of(OME, 0) == {"X": (2.0, "nm")}
    assert tiff_ome.spacing_of(OME, 1) == tiff_ome.spacing_of(OME, -1) == {}
    image = Image.of(
        noise((3, 2, 24, 32)),
        "TCYX",
        metadata={"spacing": {"T": (0.5, "s"), "X": (2.0, "um"), "Y": (1.0, "px")}, "channels": ("a", "b")},
    )
    found = tiff_ome.ome_of(image)
    assert (found["TimeIncrement"], found["TimeIncrementUnit"]) == (0.5, "s")
    assert found["PhysicalSizeX"] == 2.0
    assert "PhysicalSizeY" not in found
    assert found["Channel"] == {"Name": ["a", "b"]}
    back = read(write("a.ome.tif", image))
    assert back.metadata["spacing"]["T"] == (0.5, "s")


def test_ome_xml_that_is_not_of_this_file_is_left_alone() -> None:
    tifffile.imwrite("a.ome.tif", noise((2, 24, 32), np.uint16), metadata={"axes": "ZYX"})
    layout: Any = read("a.ome.tif").metadata["tiff"]
    assert layout.image == (0, 1)
    assert tiff_ome.ome_xml(layout) is not None
    other = replace(layout, description=OME.replace(b"</OME>", b'<Image ID="1"></Image></OME>'))
    assert tiff_ome.ome_xml(other) is None
    assert tiff_ome.retyped_xml(other, "float") == other.description
    bare = replace(layout, description=None)
    assert tiff_ome.ome_xml(bare) is tiff_ome.retyped_xml(bare, "float") is None
    one = tiff_ome.retyped_xml(replace(layout, description=OME), "float")
    assert one is not None
    assert b'Type="float"' in one
    assert b"SignificantBits" not in one


def test_a_page_that_shares_the_directory_of_another_is_read_alone() -> None:
    film = noise((4, 24, 32), np.uint16)
    tifffile.imwrite("a.ome.tif", film, metadata={"axes": "TYX"})
    np.testing.assert_array_equal(read("a.ome.tif", series=0, page=2).array, film[2])
    assert "page 2 was read alone" in refusal("a.ome.tif", series=0, page=2)


def test_a_page_of_a_series_that_is_not_in_the_file_holds_nothing() -> None:
    """OME-XML that names more planes than there are."""
    tifffile.imwrite("a.ome.tif", noise((3, 24, 32), np.uint16), metadata={"axes": "TYX"})
    data = Path("a.ome.tif").read_bytes()
    assert data.count(b'SizeT="3"') == 1
    Path("b.ome.tif").write_bytes(
        data.replace(b'SizeT="3"', b'SizeT="5"').replace(b'PlaneCount="3"', b'PlaneCount="2"')
    )
    assert "page 4 of series 0 of b.ome.tif holds no values; take another" in refusal(
        "b.ome.tif", series=0, page=4
    )


def test_a_thumbnail_of_another_shape_is_a_picture_of_its_own() -> None:
    """A smaller copy says that it is reduced and has the shape of the picture; else it is kept."""
    with tifffile.TiffWriter("a.tif") as tif:
        tif.write(noise((40, 48, 3)), photometric="rgb", metadata=None)
        tif.write(noise((10, 48, 3)), photometric="rgb", metadata=None, subfiletype=1)
        tif.write(noise((20, 24, 3), seed=2), photometric="rgb", metadata=None, subfiletype=1)
    image = read("a.tif")
    assert "left as they are: series 1 (10 x 48 x 3)" in " ".join(image.notes)
    assert "a smaller copy of the picture in the file (20 x 24 x 3)" in " ".join(image.notes)
    write("b.tif", again(image))
    with tifffile.TiffFile("b.tif") as tif:
        assert [series.shape for series in tif.series] == [(40, 48, 3), (10, 48, 3)]


@pytest.mark.parametrize("sides", [(24, 32), (2, 24, 32)])
def test_a_tiff_of_sparse_tiles_is_zero_where_nothing_is(sides: tuple[int, ...]) -> None:
    """GDAL writes no tiles of zeros: their places and lengths are 0."""
    values = np.zeros((*sides[:-2], 64, 96), np.uint16)
    values[..., :32, :32] = noise((32, 32), np.uint16)
    tifffile.imwrite("a.tif", values, tile=(32, 32), compression="zlib", photometric="minisblack")
    data = bytearray(Path("a.tif").read_bytes())
    with tifffile.TiffFile("a.tif") as tif:
        for page in tif.pages:
            for name in ("TileOffsets", "TileByteCounts"):
                tag = page.tags[name]
                size = 4 if tag.dtype == 4 else 2
                for k in range(1, 6):
                    at = tag.valueoffset + size * k
                    data[at : at + size] = bytes(size)
    Path("b.tif").write_bytes(data)
    np.testing.assert_array_equal(read("b.tif").array, values)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("untaught.image.formats.tiff_pieces.LET_GO", 1000)
        found = read_tiff(Path("b.tif"), Reading(memory=20_000))
    np.testing.assert_array_equal(np.asarray(found.array), values)


def test_a_compression_that_is_a_fraction_is_none() -> None:
    tifffile.imwrite("a.tif", noise((24, 32)), photometric="minisblack")
    data = bytearray(Path("a.tif").read_bytes())
    with tifffile.TiffFile("a.tif") as tif:
        at = tif.pages[0].tags["Compression"].offset
    data[at + 2 : at + 4] = (5).to_bytes(2, "little")  # a fraction
    Path("b.tif").write_bytes(data)
    assert refusal("b.tif") == "b.tif is cut off: the TIFF file ends before its picture"


def test_more_pictures_than_two_are_counted() -> None:
    with tifffile.TiffWriter("a.tif") as tif:
        tif.write(noise((40, 48)), metadata=None)
        for k in range(2):
            tif.write(noise((20 + k, 12), seed=k), metadata=None)
    assert "the file holds 3 pictures and the largest is restored, series 0 (40 x 48)" in refusal("a.tif")


def test_what_a_tiff_says_of_itself_comes_back() -> None:
    """Names, maker, position, white point, primaries, IPTC, GeoTIFF, GDAL and what microscopes write."""
    texts = {269: "a document", 271: "a maker", 272: "a model", 285: "a page", 315: "an artist", 316: "a host"}
    texts |= {34737: "WGS 84|", 42112: "<GDALMetadata/>", 42113: "-9999"}
    tags = [(code, 2, 0, text, True) for code, text in texts.items()]
    tags += [(286, 5, 1, (3, 2), True), (287, 5, 1, (5, 2), True), (318, 5, 2, (1, 3, 1, 4), True)]
    tags += [(33550, 12, 3, (2.0, 2.0, 0.0), True), (33922, 12, 6, (0.0, 0.0, 0.0, 7.0, 8.0, 0.0), True)]
    tags += [
        (33723, 7, 8, b"\x1c\x02\0\0\x02\0\x04\0", True),
        (34377, 1, 8, b"8BIM\4\4\0\0", True),
        (34735, 3, 4, (1, 1, 0, 0), True),
    ]
    tifffile.imwrite("a.tif", noise((24, 32)), metadata=None, extratags=tags)
    write("b.tif", again(read("a.tif")))
    with tifffile.TiffFile("a.tif") as old, tifffile.TiffFile("b.tif") as new:
        for code, *_ in tags:
            assert new.pages[0].tags[code].value == old.pages[0].tags[code].value, code


@pytest.mark.parametrize("predictor", [False, True])
def test_a_tiff_is_packed_as_it_was(predictor: bool) -> None:
    tifffile.imwrite("a.tif", noise((24, 32)), compression="zlib", predictor=predictor)
    write("b.tif", again(read("a.tif")))
    with tifffile.TiffFile("b.tif") as tif:
        assert (tif.pages[0].predictor == 2, int(tif.pages[0].compression)) == (predictor, 8)


@pytest.mark.parametrize("tag", ["StripOffsets", "StripByteCounts"])
def test_pieces_and_places_are_as_many(tag: str) -> None:
    tifffile.imwrite("a.tif", noise((24, 32)), rowsperstrip=6, compression="zlib")
    data = bytearray(Path("a.tif").read_bytes())
    with tifffile.TiffFile("a.tif") as tif:
        at = tif.pages[0].tags[tag].offset
    assert int.from_bytes(data[at + 4 : at + 8], "little") == 4
    data[at + 4 : at + 8] = (3).to_bytes(4, "little")
    Path("b.tif").write_bytes(data)
    assert "b.tif is a cut-off or corrupt TIFF file" in refusal("b.tif")


@pytest.mark.parametrize(("less", "mapped"), [(0, False), (1, True)])
def test_what_is_small_is_held_and_what_is_large_is_mapped(
    less: int, mapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = noise((40, 50), np.uint16)
    tifffile.imwrite("a.tif", values)
    for page in ("formats.tiff_pieces", "formats.ome_zarr_layout", "lazy"):
        monkeypatch.setattr(f"untaught.image.{page}.SMALL", values.nbytes - less)
    assert is_mapped(read("a.tif").array) is mapped
    zarr = pytest.importorskip("zarr", reason="needs zarr")
    array = zarr.create_array("a.zarr", shape=(40, 50), chunks=(16, 16), dtype="uint16")
    array[...] = values
    found = values_of(array)
    assert is_mapped(found) is mapped
    np.testing.assert_array_equal(found, values)
