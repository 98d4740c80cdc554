"""TIFF: ImageJ and OME come back as such, the layout and the tags too."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import tifffile

from tests.helpers.files import ICC, again, noise, smooth
from untaught.image.files import read, write
from untaught.image.formats import tiff
from untaught.image.image import Image


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((2, 3, 4, 20, 24), "TZCYX"),
        ((5, 20, 24), "ZYX"),
        ((5, 20, 24), "CYX"),
        ((3, 20, 24), "SYX"),
        ((4, 20, 24, 3), "ZYXS"),
        ((20, 24, 6), "YXS"),
    ],
)
def test_axes_survive_tiff(tmp_path, shape, axes):
    image = Image.of(noise(shape, np.uint16), axes)
    back = read(write(tmp_path / "a.tif", again(image)))
    assert back.axes == axes
    np.testing.assert_array_equal(back.array, image.array)
    twice = read(write(tmp_path / "b.tif", again(back)))
    assert twice.axes == axes
    np.testing.assert_array_equal(twice.array, image.array)


def test_axes_that_tiff_does_not_have_are_put_in_order(tmp_path):
    image = Image.of(noise((20, 24, 5)), "YXC")
    back = read(write(tmp_path / "a.tif", image))
    assert back.axes == "CYX"
    np.testing.assert_array_equal(back.array, np.moveaxis(image.array, -1, 0))


def test_imagej_hyperstacks_come_back(tmp_path):
    array = noise((2, 3, 2, 20, 24), np.uint16)
    metadata = {
        "axes": "TZCYX",
        "unit": "um",
        "spacing": 0.5,
        "finterval": 2.0,
        "mode": "composite",
        "Info": "some\ninformation",
        "Labels": [f"slice {i}" for i in range(12)],
        "Ranges": (0.0, 100.0, 5.0, 200.0),
        "LUTs": [np.tile(np.arange(256, dtype=np.uint8), (3, 1))] * 2,
    }
    tifffile.imwrite(tmp_path / "in.tif", array, imagej=True, resolution=(9.5, 9.25), metadata=metadata)
    image = read(tmp_path / "in.tif")
    assert image.axes == "TZCYX"
    write(tmp_path / "out.tif", again(image))
    with tifffile.TiffFile(tmp_path / "in.tif") as a, tifffile.TiffFile(tmp_path / "out.tif") as b:
        assert b.series[0].kind == "imagej"
        assert b.series[0].axes == "TZCYX"
        np.testing.assert_array_equal(b.asarray(), array)
        assert _plain(a.imagej_metadata) == _plain(b.imagej_metadata)
        assert a.pages[0].resolution == b.pages[0].resolution
        assert a.pages[0].resolutionunit == b.pages[0].resolutionunit
        assert b.pages[0].compression == 1


def _plain(metadata):
    return {k: np.asarray(v).tolist() for k, v in metadata.items()}


def test_imagej_lookup_tables_colour_values_and_stay(tmp_path):
    array = noise((3, 20, 24))
    colormap = np.random.default_rng(1).integers(0, 65535, (3, 256), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "in.tif", array, imagej=True, colormap=colormap)
    image = read(tmp_path / "in.tif")
    np.testing.assert_array_equal(image.array, array)
    write(tmp_path / "out.tif", again(image))
    with tifffile.TiffFile(tmp_path / "out.tif") as b:
        np.testing.assert_array_equal(b.pages[0].colormap, colormap)
        np.testing.assert_array_equal(b.asarray(), array)
        assert b.series[0].kind == "imagej"


@pytest.mark.parametrize("order", ["TZCYX", "CTZYX", "ZCTYX"])
def test_ome_sizes_names_and_order_come_back(tmp_path, order):
    array = noise((2, 3, 4, 20, 24), np.uint16)
    metadata = {
        "axes": order,
        "PhysicalSizeX": 0.125,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.25,
        "TimeIncrement": 1.5,
        "Channel": {"Name": [f"stain {i}" for i in range(array.shape[order.index("C")])]},
    }
    tifffile.imwrite(tmp_path / "in.ome.tif", array, ome=True, metadata=metadata)
    image = read(tmp_path / "in.ome.tif")
    assert image.axes == order
    write(tmp_path / "out.ome.tif", again(image))
    with tifffile.TiffFile(tmp_path / "in.ome.tif") as a:
        before = a.ome_metadata
    with tifffile.TiffFile(tmp_path / "out.ome.tif") as b:
        assert b.series[0].kind == "ome"
        assert b.series[0].axes == order
        assert b.ome_metadata == before
        assert "stain 1" in before
        np.testing.assert_array_equal(b.asarray(), array)


def test_ome_planes_stored_out_of_order_are_described_as_they_are_written(tmp_path):
    array = noise((3, 20, 24))
    tifffile.imwrite(tmp_path / "a.ome.tif", array, ome=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        xml = tif.ome_metadata
    blocks = "".join(f'<TiffData IFD="{i}" FirstZ="{2 - i}" PlaneCount="1"/>' for i in range(3))
    xml = xml.replace('<TiffData IFD="0" PlaneCount="3"/>', blocks)
    tifffile.imwrite(
        tmp_path / "b.ome.tif",
        array[::-1],
        description=xml.encode(),
        metadata=None,
        photometric="minisblack",
    )
    image = read(tmp_path / "b.ome.tif")
    np.testing.assert_array_equal(image.array, array)
    back = read(write(tmp_path / "c.ome.tif", again(image)))
    assert back.axes == "ZYX"
    np.testing.assert_array_equal(back.array, array)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_tiff_layout_and_tags_come_back(tmp_path, compression, byteorder):
    array = noise((48, 64, 3), np.uint16)
    tifffile.imwrite(
        tmp_path / "in.tif",
        array,
        photometric="rgb",
        compression=compression,
        predictor=compression is not None,
        tile=(16, 32),
        description="the description",
        software="a microscope",
        datetime="2024:01:02 03:04:05",
        iccprofile=ICC,
        resolution=(118.1, 118.1),
        resolutionunit="CENTIMETER",
        byteorder=byteorder,
        metadata=None,
        extratags=[
            (33550, "d", 3, (0.5, 0.5, 0.0), True),
            (318, "2I", 2, (3127, 10000, 329, 1000), True),
            (42113, "s", 0, "-9999", True),
            (700, 1, 5, b"<xmp>", True),
        ],
    )
    write(tmp_path / "out.tif", again(read(tmp_path / "in.tif")))
    with tifffile.TiffFile(tmp_path / "in.tif") as a, tifffile.TiffFile(tmp_path / "out.tif") as b:
        np.testing.assert_array_equal(b.asarray(), array)
        tags_a = {t.code: t.value for t in a.pages[0].tags}
        tags_b = {t.code: t.value for t in b.pages[0].tags}
        offsets = {324, 325}  # where the tiles lie and how long they are
        assert {k: v for k, v in tags_a.items() if k not in offsets} == {
            k: v for k, v in tags_b.items() if k not in offsets
        }


def test_compression_with_loss_is_not_repeated(tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", smooth((48, 64)), compression="jpeg", photometric="rgb")
    image = read(tmp_path / "in.tif")
    back = read(write(tmp_path / "out.tif", image))
    np.testing.assert_array_equal(back.array, image.array)
    with tifffile.TiffFile(tmp_path / "out.tif") as b:
        assert b.pages[0].compression.name == "ADOBE_DEFLATE"
        assert b.pages[0].photometric.name == "RGB"


def test_white_is_zero_stays_in_tiff_and_is_turned_elsewhere(tmp_path):
    array = noise((20, 24))
    tifffile.imwrite(tmp_path / "in.tif", array, photometric="miniswhite", metadata=None)
    image = read(tmp_path / "in.tif")
    write(tmp_path / "out.tif", again(image))
    with tifffile.TiffFile(tmp_path / "out.tif") as b:
        assert b.pages[0].photometric.name == "MINISWHITE"
        np.testing.assert_array_equal(b.asarray(), array)
    np.testing.assert_array_equal(read(write(tmp_path / "out.png", image)).array, 255 - array)


@pytest.mark.parametrize("step", [257, 256, 1])
def test_tiff_palettes_become_rgb(tmp_path, step):
    array = noise((20, 24))
    colours = np.random.default_rng(1).integers(0, 256, (3, 256))
    colormap = (colours * step + (step == 1)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "in.tif", array, photometric="palette", colormap=colormap)
    image = read(tmp_path / "in.tif")
    assert image.axes == "YXS"
    assert image.array.dtype == (np.uint16 if step == 1 else np.uint8)
    scale = 1 if step == 1 else step
    expected = np.moveaxis(colormap // scale, 0, -1)[array]
    np.testing.assert_array_equal(image.array, expected)
    np.testing.assert_array_equal(read(write(tmp_path / "out.tif", image)).array, expected)


def test_a_description_outlives_the_palette(tmp_path):
    colormap = np.random.default_rng(1).integers(0, 65535, (3, 256), dtype=np.uint16)
    words = {"photometric": "palette", "colormap": colormap, "description": "a map", "metadata": None}
    tifffile.imwrite(tmp_path / "in.tif", noise((20, 24)), **words)
    with tifffile.TiffFile(write(tmp_path / "out.tif", read(tmp_path / "in.tif"))) as b:
        assert b.pages[0].description == "a map"


@pytest.mark.parametrize("how", [{"imagej": True}, {"ome": True}, {}])
def test_what_a_program_says_of_the_pages_is_no_description(tmp_path, how):
    tifffile.imwrite(tmp_path / "in.tif", noise((20, 24)), **how)
    image = read(tmp_path / "in.tif")
    assert image.metadata["tiff"].description
    assert "exif" not in image.metadata


def test_premultiplied_alpha_stays_so(tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", noise((20, 24, 4)), photometric="rgb", extrasamples=["assocalpha"])
    image = read(tmp_path / "in.tif")
    assert image.alpha
    write(tmp_path / "out.tif", again(image))
    with tifffile.TiffFile(tmp_path / "out.tif") as b:
        assert b.pages[0].extrasamples == (1,)


def test_large_tiffs_are_bigtiff(tmp_path, monkeypatch):
    seen = {}

    class Writer(tifffile.TiffWriter):
        def __init__(self, *args, **options):
            seen.update(options)
            super().__init__(*args, **options)

        def write(self, *_, **__):
            return None

    monkeypatch.setattr(tifffile, "TiffWriter", Writer)
    wide = np.broadcast_to(np.zeros((1, 1), np.uint8), (2**16, 2**16 + 1))
    monkeypatch.setattr(np, "ascontiguousarray", lambda array: array)
    tiff.write(BytesIO(), Image(wide, "YX", (0, 255)))
    assert seen["bigtiff"] is True
    tiff.write(BytesIO(), Image(wide[:99], "YX", (0, 255)))
    assert seen["bigtiff"] is False


def test_steps_of_imagej_go_into_other_formats(tmp_path):
    said = {"axes": "TZYX", "unit": "micron", "spacing": 0.5, "finterval": 3.0}
    values = noise((2, 3, 20, 24), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, imagej=True, resolution=(4, 8), metadata=said)
    found = read(tmp_path / "a.tif").metadata["spacing"]
    assert found == {"Z": (0.5, "um"), "Y": (0.125, "um"), "X": (0.25, "um"), "T": (3.0, "s")}
