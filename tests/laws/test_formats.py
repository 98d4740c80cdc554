"""Pictures into files and out again: nothing is lost, in any format."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from tests.helpers.files import ICC, again, exif, noise, smooth
from untaught.image.files import read, write
from untaught.image.image import Image, image_of_array

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a b="c"/></x:xmpmeta>'
PNG_SHAPES = [((20, 24), False), ((20, 24, 2), True), ((20, 24, 3), False), ((20, 24, 4), True)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("shape", "alpha"), PNG_SHAPES)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_and_colour_survive_exactly(tmp_path, dtype, shape, alpha, suffix):
    axes = "YX" if len(shape) == 2 else "YXS"
    image = Image.of(noise(shape, dtype), axes, alpha=alpha)
    back = read(write(tmp_path / f"a{suffix}", again(image)))
    assert (back.axes, back.alpha, back.array.dtype) == (axes, alpha, dtype)
    np.testing.assert_array_equal(back.array, image.array)


TIFF_TYPES = [np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64]


TIFF_TYPES += [np.uint64, np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", TIFF_TYPES)
@pytest.mark.parametrize("suffix", [".tiff", ".npy"])
def test_every_type_survives_tiff_and_npy(tmp_path, dtype, suffix):
    image = Image.of(noise((20, 24), dtype), "YX")
    back = read(write(tmp_path / f"a{suffix}", image))
    assert back.array.dtype == dtype
    np.testing.assert_array_equal(back.array, image.array)


@pytest.mark.parametrize("shape", [(20, 24), (20, 24, 1), (20, 24, 3), (20, 24, 4), (6, 20, 24)])
def test_arrays_survive_npy(tmp_path, shape):
    image = image_of_array(noise(shape, np.float32))
    back = read(write(tmp_path / "a.npy", image))
    assert (back.axes, back.alpha) == (image.axes, image.alpha)
    np.testing.assert_array_equal(back.array, image.array)


@pytest.mark.parametrize(
    ("array", "alpha", "expected"),
    [
        (noise((20, 24, 3)), False, (20, 24, 3)),
        (noise((20, 24, 4)), True, (20, 24, 4)),
        (noise((20, 24)), False, (20, 24, 3)),
        (noise((20, 24, 2)), True, (20, 24, 4)),
    ],
)
def test_webp_is_lossless(tmp_path, array, alpha, expected):
    image = Image.of(array, "YX" if array.ndim == 2 else "YXS", alpha=alpha)
    back = read(write(tmp_path / "a.webp", image))
    assert (back.array.shape, back.alpha) == (expected, alpha)
    if array.shape[-1] in (3, 4):
        np.testing.assert_array_equal(back.array, array)
    else:
        grey = array if array.ndim == 2 else array[..., 0]
        np.testing.assert_array_equal(back.array[..., 1], grey)


@pytest.mark.parametrize("colour", [False, True])
def test_jpeg_is_close_and_not_subsampled(tmp_path, colour):
    picture = smooth((64, 80)) if colour else smooth((64, 80))[..., 0]
    back = read(write(tmp_path / "a.jpg", image_of_array(picture)))
    assert back.array.shape == picture.shape
    assert np.abs(back.array.astype(int) - picture).mean() < 1.5
    if colour:
        with PIL.Image.open(tmp_path / "a.jpg") as opened:
            assert [layer[1:3] for layer in opened.layer] == [(1, 1)] * 3


@pytest.mark.parametrize("side", [8, 300, 1000])
def test_jpeg_holds_noise_which_hardly_shrinks(tmp_path, side):
    picture = noise((side, side, 3))
    back = read(write(tmp_path / "a.jpg", image_of_array(picture)))
    assert np.abs(back.array.astype(int) - picture).mean() < 8


def test_the_content_counts_for_reading_not_the_extension(tmp_path):
    image = image_of_array(noise((20, 24, 3)))
    write(tmp_path / "a.png", image).rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read(tmp_path / "a.jpg").array, image.array)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_profile_exif_and_resolution_come_back(tmp_path, suffix):
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    picture = PIL.Image.fromarray(smooth((40, 48)))
    picture.save(source, icc_profile=ICC, exif=exif(), dpi=(300, 150), lossless=True)
    write(out, again(read(source)))
    assert read(out).array.shape == (40, 48, 3)  # not turned: the tag says how the pixels lie
    with PIL.Image.open(out) as opened:
        assert opened.info["icc_profile"] == ICC
        assert opened.getexif()[0x0112] == 6
        if suffix != ".tif":
            assert opened.getexif()[0x010F] == "a camera"
        if suffix != ".webp":
            assert tuple(float(d) for d in opened.info["dpi"]) == pytest.approx((300, 150), abs=0.1)


@pytest.mark.parametrize("source", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("target", [".png", ".jpg", ".webp", ".tif"])
def test_profile_and_orientation_cross_formats(tmp_path, source, target):
    picture = PIL.Image.fromarray(smooth((40, 48)))
    picture.save(tmp_path / f"in{source}", icc_profile=ICC, exif=exif(8))
    write(tmp_path / f"out{target}", again(read(tmp_path / f"in{source}")))
    with PIL.Image.open(tmp_path / f"out{target}") as opened:
        assert opened.info["icc_profile"] == ICC
        assert opened.getexif()[0x0112] == 8


@pytest.mark.parametrize("source", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("target", [".png", ".jpg", ".webp", ".tif"])
def test_xmp_crosses_formats(tmp_path, source, target):
    image = image_of_array(smooth((40, 48)))
    image.metadata["xmp"] = XMP
    first = read(write(tmp_path / f"in{source}", image))
    with PIL.Image.open(write(tmp_path / f"out{target}", again(first))) as opened:
        assert opened.info["xmp"] == XMP
    assert read(tmp_path / f"out{target}").metadata["xmp"] == XMP


def test_xmp_that_a_jpeg_cannot_hold_is_left_out(tmp_path):
    image = image_of_array(smooth((40, 48)))
    for spaces, held in ((65504 - len(XMP), True), (65505 - len(XMP), False)):
        image.metadata["xmp"] = XMP + spaces * b" "
        assert ("xmp" in read(write(tmp_path / "a.jpg", image)).metadata) is held
