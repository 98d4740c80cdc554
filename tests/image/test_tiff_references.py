"""TIFFs of every make, held against tifffile itself."""

from __future__ import annotations

import random
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.helpers.files import again, noise
from untaught.errors import InputError
from untaught.image.files import read, write
from untaught.image.unnamed import UNKNOWN

SHIPPED = [
    path
    for name in ("tifffile", "PIL", "skimage", "imagecodecs")
    for place in (find_spec(name).submodule_search_locations or ())
    for pattern in ("*.tif", "*.tiff", "*.lsm", "*.svs")
    for path in sorted(Path(place).rglob(pattern))
]
TYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "f2", "f4", "f8")
COMPRESSIONS = (None, "lzw", "adobe_deflate", "zstd", "packbits", "lzma")
SHAPES = {  # photometric, planar configuration, shape
    "grey": ("minisblack", None, (40, 48)),
    "inverted": ("miniswhite", None, (40, 48)),
    "pages": ("minisblack", None, (3, 40, 48)),
    "rgb": ("rgb", "contig", (40, 48, 3)),
    "rgba": ("rgb", "contig", (40, 48, 4)),
    "planar": ("rgb", "separate", (3, 40, 48)),
    "rgb pages": ("rgb", "contig", (2, 40, 48, 3)),
    "samples": ("minisblack", "contig", (40, 48, 5)),
}
WAYS = list(
    product("<>", (False, True), (None, (16, 32)), (False, True), COMPRESSIONS, TYPES, SHAPES, (False, True))
)


def made(path, way):
    """Write a TIFF in one of the WAYS; False where there is no such file."""
    byteorder, bigtiff, tile, predictor, compression, dtype, shape, described = way
    photometric, planar, size = SHAPES[shape]
    predictor = predictor and compression in ("lzw", "adobe_deflate", "zstd", "lzma")
    if dtype == "?" and (tile or predictor or shape not in ("grey", "inverted", "pages")):
        return False
    if predictor and dtype in ("u8",):
        return False
    values = noise(size, np.bool_ if dtype == "?" else np.dtype(dtype).type)
    tifffile.imwrite(
        path,
        values,
        byteorder=byteorder,
        bigtiff=bigtiff,
        tile=tile,
        predictor=predictor,
        compression=compression,
        photometric=photometric,
        planarconfig=planar,
        metadata={} if described else None,
    )
    return True


def without_tag(path, code):
    """Take a tag out of every directory that has it, as writers do that leave a default unsaid."""
    with tifffile.TiffFile(path, mode="r+b") as tif:
        for page in tif.pages:
            if code in page.tags:
                tag = page.tags[code]
                tif.filehandle.seek(tag.offset)
                tif.filehandle.write((65000).to_bytes(2, "little" if tif.byteorder == "<" else "big"))


def compared(path):
    image = read(path)
    with tifffile.TiffFile(path) as tif:
        series = tif.series[0]
        np.testing.assert_array_equal(image.array, series.asarray())
        named = zip(image.axes, series.axes, strict=True)
        assert all(mine == theirs or theirs in UNKNOWN for mine, theirs in named)
        assert image.array.dtype == series.dtype.newbyteorder("=")
    return image


@pytest.mark.parametrize("seed", range(6))
def test_tiffs_of_every_make_are_what_tifffile_says(tmp_path, seed):
    path = tmp_path / "a.tif"
    for way in random.Random(seed).sample(WAYS, 40):
        if made(path, way):
            image = compared(path)
            assert (image.metadata["photometric"] == "miniswhite") == (way[6] == "inverted")
            back = read(write(tmp_path / "b.tif", image))
            np.testing.assert_array_equal(back.array, image.array)
            assert back.axes == image.axes


@pytest.mark.parametrize("code", [259, 277, 284, 296, 317, 339])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_a_tag_that_has_a_default_may_be_left_out(tmp_path, code, byteorder):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, noise((3, 40, 48), np.uint8), byteorder=byteorder, photometric="minisblack", metadata=None
    )
    without_tag(path, code)
    image = compared(path)
    compared(write(tmp_path / "b.tif", again(image)))


def test_imagej_and_bigtiff_without_a_compression_tag(tmp_path):
    tifffile.imwrite(tmp_path / "ij.tif", noise((5, 2, 24, 32), np.uint16), imagej=True, metadata={"axes": "ZCYX"})
    tifffile.imwrite(tmp_path / "big.tif", noise((64, 64, 3)), bigtiff=True, metadata=None, photometric="rgb")
    for name, axes in (("ij.tif", "ZCYX"), ("big.tif", "YXS")):
        without_tag(tmp_path / name, 259)
        assert compared(tmp_path / name).axes == axes


@pytest.mark.parametrize(("shape", "kind"), [((20, 24), "minisblack"), ((20, 24, 3), "rgb")])
def test_a_missing_photometric_tag_is_told_by_the_samples(tmp_path, shape, kind):
    tifffile.imwrite(tmp_path / "a.tif", noise(shape), photometric=kind, metadata=None)
    without_tag(tmp_path / "a.tif", 262)
    assert compared(tmp_path / "a.tif").metadata["photometric"] == kind


def test_tiffs_that_packages_ship_are_what_tifffile_says():
    if not SHIPPED:
        pytest.skip("no package here ships a TIFF")
    for path in SHIPPED:
        compared(path)


@pytest.mark.parametrize(
    ("options", "shape", "dtype", "says"),
    [
        ({"photometric": "separated"}, (20, 24, 4), np.uint8, "SEPARATED"),
        ({"photometric": "cielab"}, (20, 24, 3), np.uint8, "CIELAB"),
        ({"photometric": "icclab"}, (20, 24, 3), np.uint8, "ICCLAB"),
        ({"photometric": "ycbcr"}, (20, 24, 3), np.uint8, "YCBCR"),
        ({}, (20, 24), np.complex64, "complex"),
    ],
)
def test_values_that_cannot_be_held_are_refused_by_name(tmp_path, options, shape, dtype, says):
    values = noise(shape, np.float32).astype(dtype) if dtype == np.complex64 else noise(shape, dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, metadata=None, **options)
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path / "a.tif")
    assert "corrupt" not in str(caught.value)


def test_an_unknown_compression_is_refused_by_its_number(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise((20, 24)), metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tif:
        tif.pages[0].tags[259].overwrite(49999)
    with pytest.raises(InputError, match="compressed by number 49999"):
        read(tmp_path / "a.tif")
