"""Pictures in and out: nothing is lost, bad files are sentences, outputs are whole or not there."""

from __future__ import annotations

import errno
import logging
import os
import struct
import subprocess
import sys
import zlib
from io import BytesIO

import imagecodecs
import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest
import tifffile

from untaught import io
from untaught.errors import InputError, OutputError, UntaughtError
from untaught.image import Image, image_of_array
from untaught.io import _atomic as atomic
from untaught.io import check_writable, read, write

ICC = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()


def noise(shape, dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    if dtype == np.bool_:
        return rng.random(shape) > 0.5
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


def smooth(shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    picture = 128 + 60 * np.sin(rows / 9) + 50 * np.cos(columns / 7)
    return np.stack([picture, picture[::-1], picture[:, ::-1]], axis=-1).astype(np.uint8)


def again(image):
    """What restoring does to an image: its planes are taken out and put back."""
    return image.with_planes([p.values for p in image.planes()])


def png_chunk(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def exif(orientation=6):
    block = PIL.Image.Exif()
    block[0x0112], block[0x010F] = orientation, "a camera"
    return block.tobytes()


# --- round trips -------------------------------------------------------------------------------

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


def test_one_bit_and_small_palettes(tmp_path):
    bits = noise((20, 24), np.bool_)
    PIL.Image.fromarray(bits).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read(tmp_path / "bits.png").array, bits * np.uint8(255))
    np.testing.assert_array_equal(
        read(write(tmp_path / "again.png", Image.of(bits, "YX"))).array, bits * np.uint8(255)
    )
    palette = PIL.Image.fromarray(smooth((20, 24))).quantize(16)
    palette.save(tmp_path / "palette.png")
    back = read(tmp_path / "palette.png")
    np.testing.assert_array_equal(back.array, np.array(palette.convert("RGB")))
    palette.save(tmp_path / "clear.png", transparency=3)
    clear = read(tmp_path / "clear.png")
    assert clear.alpha
    np.testing.assert_array_equal(clear.array[..., 3] == 0, np.array(palette) == 3)


def test_the_content_counts_for_reading_not_the_extension(tmp_path):
    image = image_of_array(noise((20, 24, 3)))
    write(tmp_path / "a.png", image).rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read(tmp_path / "a.jpg").array, image.array)


# --- metadata ----------------------------------------------------------------------------------


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


def test_png_text_gamma_and_exact_resolution(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Title", "a title")
    text.add_itxt("Author", "ä", zip=True)
    text.add(b"gAMA", struct.pack(">I", 45455))
    PIL.Image.fromarray(noise((20, 24))).save(tmp_path / "in.png", pnginfo=text, dpi=(72, 72))
    write(tmp_path / "out.png", again(read(tmp_path / "in.png")))
    with PIL.Image.open(tmp_path / "in.png") as a, PIL.Image.open(tmp_path / "out.png") as b:
        assert a.info["gamma"] == b.info["gamma"] == pytest.approx(0.45455)
        assert a.text == b.text == {"Title": "a title", "Author": "ä"}
        assert a.info["dpi"] == b.info["dpi"]


def interlaced(array, depth=None, extra=b""):
    """Encode (H, W) or (H, W, C) as an Adam7 PNG, without filters; `depth` under 8 packs bits."""
    height, width = array.shape[:2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[array.shape[2] if array.ndim == 3 else 1]
    colour = 3 if extra else colour
    rows = b""
    # the passes as the PNG specification draws them: an 8 x 8 tile of pass numbers
    tile = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"]
    passes = np.array([[int(n) for n in line] for line in tile])
    passes = np.tile(passes, (height // 8 + 1, width // 8 + 1))[:height, :width]
    for number in range(1, 8):
        for row in range(height):
            part = array[row][passes[row] == number]
            if not part.size:
                continue
            if depth:
                bits = np.unpackbits(part[:, None].astype(np.uint8), axis=1)[:, -depth:]
                rows += b"\0" + np.packbits(bits.ravel()).tobytes()
            else:
                rows += b"\0" + part.astype(part.dtype.newbyteorder(">")).tobytes()
    depth = depth or array.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 1)
    body = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (5, 9, 2), (20, 27, 3), (33, 17, 4)])
def test_interlaced_png_is_exact_and_quiet(tmp_path, dtype, shape, capfd):
    array = noise(shape, dtype)
    (tmp_path / "a.png").write_bytes(interlaced(array))
    np.testing.assert_array_equal(read(tmp_path / "a.png").array, array)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_interlaced_png_of_few_bits(tmp_path, depth):
    array = noise((13, 19)) >> (8 - depth)
    (tmp_path / "grey.png").write_bytes(interlaced(array, depth))
    stretched = array * np.uint8(255 // (2**depth - 1))
    np.testing.assert_array_equal(read(tmp_path / "grey.png").array, stretched)
    colours = noise((2**depth, 3), seed=1)
    (tmp_path / "palette.png").write_bytes(interlaced(array, depth, png_chunk(b"PLTE", colours.tobytes())))
    np.testing.assert_array_equal(read(tmp_path / "palette.png").array, colours[array])


def test_an_interlaced_png_that_is_cut_or_damaged(tmp_path):
    data = interlaced(noise((20, 27, 3)))
    for length in range(1, len(data), 37):
        (tmp_path / "a.png").write_bytes(data[:length])
        with pytest.raises(InputError):
            read(tmp_path / "a.png")
    short = interlaced(noise((12, 27, 3)))
    (tmp_path / "a.png").write_bytes(data[:33] + short[33:])  # too few rows for its header
    with pytest.raises(InputError):
        read(tmp_path / "a.png")


def test_what_libpng_warns_of_is_not_printed(tmp_path, capfd):
    from PIL.PngImagePlugin import PngInfo

    odd = PngInfo()
    odd.add(b"gAMA", bytes(3))
    odd.add(b"pHYs", bytes(9))
    picture = noise((20, 24, 3))
    PIL.Image.fromarray(picture).save(tmp_path / "a.png", pnginfo=odd, icc_profile=b"none")
    image = read(tmp_path / "a.png")
    np.testing.assert_array_equal(image.array, picture)
    assert image.metadata["icc"] == b"none"
    assert "resolution" not in image.metadata
    write(tmp_path / "b.png", image)
    assert capfd.readouterr() == ("", "")


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


def test_premultiplied_alpha_stays_so(tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", noise((20, 24, 4)), photometric="rgb", extrasamples=["assocalpha"])
    image = read(tmp_path / "in.tif")
    assert image.alpha
    write(tmp_path / "out.tif", again(image))
    with tifffile.TiffFile(tmp_path / "out.tif") as b:
        assert b.pages[0].extrasamples == (1,)


def test_large_tiffs_are_bigtiff(tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(tifffile, "imwrite", lambda *_, **options: seen.update(options))
    wide = np.broadcast_to(np.zeros((1, 1), np.uint8), (2**16, 2**16 + 1))
    monkeypatch.setattr(np, "ascontiguousarray", lambda array: array)
    io.tiff.write(BytesIO(), Image(wide, "YX", (0, 255)))
    assert seen["bigtiff"] is True
    io.tiff.write(BytesIO(), Image(wide[:99], "YX", (0, 255)))
    assert seen["bigtiff"] is False


# --- bad files ---------------------------------------------------------------------------------


def sample(folder, suffix):
    path = folder / f"good{suffix}"
    if suffix == ".jpg":
        PIL.Image.fromarray(smooth((64, 64))).save(path, quality=95, exif=exif())
    elif suffix == ".stack.tif":
        tifffile.imwrite(path, noise((4, 24, 24), np.uint16), photometric="minisblack", metadata=None)
    elif suffix == ".ij.tif":
        tifffile.imwrite(path, noise((4, 24, 24), np.uint16), imagej=True)
    elif suffix == ".ome.tif":
        tifffile.imwrite(path, noise((4, 24, 24), np.uint16), ome=True, compression="zlib")
    elif suffix == ".strips.tif":
        tifffile.imwrite(path, noise((64, 64)), compression="lzw", rowsperstrip=8)
    else:
        write(path, image_of_array(noise((32, 32, 3))))
    return path


def read_or_sentence(path):
    try:
        return read(path)
    except InputError as error:
        return str(error)


SAMPLES = [".png", ".jpg", ".webp", ".npy", ".tif", ".stack.tif", ".ij.tif", ".ome.tif"]
SAMPLES += [".strips.tif"]


@pytest.mark.parametrize("suffix", SAMPLES)
def test_a_file_cut_anywhere_is_refused_or_still_whole(tmp_path, suffix, capfd):
    path = sample(tmp_path, suffix)
    whole, data = read(path).array, path.read_bytes()
    cut = tmp_path / f"cut{suffix}"
    lengths = {*range(1, 40), *range(40, len(data), len(data) // 40)}
    lengths |= set(range(len(data) - 30, len(data)))
    refused = 0
    for length in sorted(lengths):
        cut.write_bytes(data[:length])
        found = read_or_sentence(cut)
        if isinstance(found, str):
            refused += 1
        else:  # a byte of padding may go; a value may not
            np.testing.assert_array_equal(found.array, whole)
    assert refused >= len(lengths) - 30
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", SAMPLES)
def test_damage_inside_is_a_sentence_or_a_picture(tmp_path, suffix, capfd):
    data = bytearray(sample(tmp_path, suffix).read_bytes())
    rng = np.random.default_rng(0)
    bad = tmp_path / f"bad{suffix}"
    for _ in range(60):
        hurt = bytearray(data)
        for at in rng.integers(0, len(data), 4):
            hurt[at] = rng.integers(256)
        bad.write_bytes(hurt)
        found = read_or_sentence(bad)
        assert isinstance(found, Image) or "\n" not in found
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"GIF89a" + bytes(30), "GIF"),
        (b"hello, this is a text\n" * 9, "text file"),
        (b"PK\x03\x04" + bytes(30), "ZIP"),
        (bytes(4) + b"ftypavif" + bytes(20), "AVIF"),
        (b"\x00\x01\x02\x03" * 20, "unknown type"),
        (b"\x89PNG\r\n\x1a\n", "cut off"),
        (b"\x89PN", "cut off"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"II*\x00", "TIFF"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "WebP"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, content, says):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["none.png", "", "a\x00b.png", "x" * 5000, "folder/none.png"])
def test_paths_that_lead_nowhere(tmp_path, name):
    with pytest.raises(InputError):
        read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match="regular"):
        read(tmp_path / "pipe.png")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = write(tmp_path / "a.png", image_of_array(noise((8, 8))))

    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(type(path), "open", denied)
    with pytest.raises(InputError, match="permission denied"):
        read(path)


def png_header(width, height, depth=8, colour=2):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
        + png_chunk(b"IEND", b"")
    )


def huge_file(folder, kind):
    path = folder / f"huge.{kind}"
    if kind == "png":
        path.write_bytes(png_header(40000, 40000))
    elif kind == "jpg":
        buffer = BytesIO()
        PIL.Image.fromarray(smooth((16, 16))).save(buffer, "JPEG")
        data = bytearray(buffer.getvalue())
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", 60000, 60000)
        path.write_bytes(data)
    elif kind == "tif":
        tifffile.imwrite(path, noise((16, 16)), metadata=None, compression="zlib")
        with tifffile.TiffFile(path, mode="r+b") as tif:
            for code in (256, 257, 278):
                tag = tif.pages[0].tags[code]
                tag.overwrite(60000, dtype=4)
    else:
        header = "{'descr': '|u1', 'fortran_order': False, 'shape': (40000, 40000), }"
        header = header.ljust(117) + "\n"
        path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes as Linux does")
@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "npy"])
def test_a_huge_header_is_refused_without_room_for_it(tmp_path, kind):
    path = huge_file(tmp_path, kind)
    code = (
        "import resource, sys\n"
        "from untaught.errors import InputError\n"
        "from untaught.io import read\n"
        "import numpy, imagecodecs, tifffile, PIL.Image\n"
        "used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read(sys.argv[1])\n"
        "except InputError as error:\n    print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used)\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    sentence, grown = run.stdout.splitlines()
    assert run.stderr == ""
    # a map of the file comes before a count of its pixels
    expected = "cut-off" if kind == "npy" else "pixels, more than the 1000000000"
    assert expected in sentence
    assert int(grown) < 100_000  # kilobytes


def test_a_header_that_its_data_cannot_fill_is_refused(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png_header(30000, 30000))
    with pytest.raises(InputError, match="cut off"):
        read(path)


def test_pictures_larger_than_pillow_likes_are_read_without_a_warning(tmp_path, monkeypatch):
    picture = smooth((64, 64))
    PIL.Image.fromarray(picture).save(tmp_path / "a.webp", lossless=True)
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    np.testing.assert_array_equal(read(tmp_path / "a.webp").array, picture)
    assert PIL.Image.MAX_IMAGE_PIXELS == 100


def test_pixels_that_would_need_guessing_are_refused(tmp_path):
    PIL.Image.fromarray(noise((16, 16, 4)), "CMYK").save(tmp_path / "cmyk.jpg")
    with pytest.raises(InputError, match="CMYK JPEG; convert it to RGB"):
        read(tmp_path / "cmyk.jpg")
    tifffile.imwrite(tmp_path / "cmyk.tif", noise((16, 16, 4)), photometric="separated")
    with pytest.raises(InputError, match="SEPARATED"):
        read(tmp_path / "cmyk.tif")
    tifffile.imwrite(tmp_path / "lab.tif", noise((16, 16, 3)), photometric="cielab")
    with pytest.raises(InputError, match="CIELAB"):
        read(tmp_path / "lab.tif")


def test_several_pictures_in_one_file_are_refused_but_thumbnails_are_not(tmp_path):
    with tifffile.TiffWriter(tmp_path / "two.tif") as tif:
        tif.write(noise((16, 16)), metadata=None)
        tif.write(noise((20, 20)), metadata=None)
    with pytest.raises(InputError, match="2 pictures"):
        read(tmp_path / "two.tif")
    with tifffile.TiffWriter(tmp_path / "thumb.tif") as tif:
        tif.write(noise((16, 16)), metadata=None)
        tif.write(noise((8, 8)), metadata=None, subfiletype=1)
    assert read(tmp_path / "thumb.tif").array.shape == (16, 16)


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_animations_are_refused(tmp_path, suffix):
    frames = [PIL.Image.fromarray(noise((16, 16, 3), seed=i)) for i in range(3)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="animation"):
        read(tmp_path / f"a{suffix}")


def test_pickles_are_not_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{1: 2}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError):
        read(tmp_path / "a.npy")


def test_the_log_of_tifffile_is_left_as_it_was(tmp_path):
    logger = logging.getLogger("tifffile")
    before = list(logger.handlers), logger.propagate
    (tmp_path / "a.tif").write_bytes(b"II*\x00\x08\x00\x00\x00")
    with pytest.raises(InputError):
        read(tmp_path / "a.tif")
    assert (list(logger.handlers), logger.propagate) == before


# --- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "array", "axes", "alpha", "says"),
    [
        ("a.png", noise((16, 16), np.float32), "YX", False, "float32.*npy"),
        ("a.jpg", noise((16, 16), np.float32), "YX", False, "float32"),
        ("a.jpg", noise((16, 16), np.uint16), "YX", False, "uint16.*png"),
        ("a.webp", noise((16, 16), np.uint16), "YX", False, "uint16"),
        ("a.png", noise((16, 16), np.int16), "YX", False, "int16"),
        ("a.png", noise((3, 16, 16)), "ZYX", False, "stack of 3"),
        ("a.jpg", noise((16, 16, 4)), "YXS", True, "transparency"),
        ("a.png", noise((16, 16, 5)), "YXS", False, "5 channels"),
        ("a.gif", noise((16, 16)), "YX", False, r"\.png"),
        ("a", noise((16, 16)), "YX", False, "no extension"),
        ("a.webp", np.zeros((1, 16384), np.uint8), "YX", False, "16383"),
        ("a.jpg", np.zeros((65501, 1), np.uint8), "YX", False, "65500"),
    ],
)
def test_what_a_format_cannot_hold_is_said_before(tmp_path, name, array, axes, alpha, says):
    image = Image.of(array, axes, alpha=alpha)
    for act in (check_writable, write):
        with pytest.raises(InputError, match=says) as caught:
            act(tmp_path / name, image)
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [s for f in io.FORMATS for s in f.suffixes])
def test_every_known_extension_is_written_and_read(tmp_path, suffix):
    image = image_of_array(smooth((32, 32)))
    check_writable(tmp_path / f"A{suffix.upper()}", image)
    path = write(str(tmp_path / f"A{suffix.upper()}"), image)
    assert read(path).array.shape == (32, 32, 3)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_places_that_cannot_be_written_to(tmp_path):
    image = image_of_array(noise((16, 16)))
    (tmp_path / "folder.png").mkdir()
    cases = [
        (tmp_path / "none" / "a.png", "does not exist"),
        (tmp_path / "folder.png", "is a folder"),
        (tmp_path / ("x" * 300 + ".png"), "cannot be written"),
        (tmp_path / "a\x00b.png", "cannot be written"),
    ]
    for path, says in cases:
        with pytest.raises(OutputError, match=says):
            write(path, image)


def test_closed_folders_and_files(tmp_path, monkeypatch):
    image = image_of_array(noise((16, 16)))
    old = write(tmp_path / "old.png", image)
    closed = {str(old)}
    # root may write anywhere, so the system is not asked
    monkeypatch.setattr(os, "access", lambda path, _: str(path) not in closed)
    with pytest.raises(OutputError, match="write-protected"):
        check_writable(old, image)
    check_writable(tmp_path / "new.png", image)
    closed.add(str(tmp_path))
    with pytest.raises(OutputError, match="not writable"):
        check_writable(tmp_path / "new.png", image)


def test_never_over_an_input_under_any_name(tmp_path):
    image = image_of_array(noise((16, 16)))
    source = write(tmp_path / "in.png", image)
    before = source.read_bytes()
    (tmp_path / "soft.png").symlink_to(source)
    os.link(source, tmp_path / "hard.png")
    (tmp_path / "sub").mkdir()
    names = ["in.png", "soft.png", "hard.png", "sub/../in.png"]
    for name in names:
        with pytest.raises(InputError, match="input"):
            write(tmp_path / name, image, protect=source)
        with pytest.raises(InputError, match="input"):
            check_writable(tmp_path / name, read(source))
    assert source.read_bytes() == before
    write(tmp_path / "out.png", read(source), protect=source)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("no")])
@pytest.mark.parametrize("at", ["encode", "sync", "replace"])
def test_a_failure_leaves_the_old_output_and_nothing_else(tmp_path, monkeypatch, error, at):
    image = image_of_array(noise((16, 16, 3)))
    path = write(tmp_path / "a.png", image)
    before = path.read_bytes()

    def fail(*_, **__):
        raise error

    where = {"encode": (imagecodecs, "png_encode"), "sync": (os, "fsync"), "replace": (os, "replace")}
    monkeypatch.setattr(*where[at], fail)
    with pytest.raises(OutputError, match=r"a\.png could not be"):
        write(path, again(image))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("at", ["encode", "sync"])
def test_an_interruption_leaves_nothing_and_passes_on(tmp_path, monkeypatch, at):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(*((tifffile, "imwrite") if at == "encode" else (os, "fsync")), interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.tif", image_of_array(noise((16, 16, 3))))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".npy"])
def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch, suffix):
    real = open

    def full(name, *arguments):
        handle = real(name, *arguments)
        os.dup2(os.open("/dev/full", os.O_RDWR), handle.fileno())
        return handle

    monkeypatch.setattr(atomic, "open", full, raising=False)
    with pytest.raises(OutputError, match="No space left"):
        write(tmp_path / f"a{suffix}", image_of_array(noise((200, 200, 3))))
    assert not list(tmp_path.iterdir())


def test_the_result_has_ordinary_permissions_and_links_lead_on(tmp_path):
    image = image_of_array(noise((16, 16)))
    (tmp_path / "plain").touch()
    path = write(tmp_path / "a.png", image)
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    path.chmod(0o640)
    (tmp_path / "link.png").symlink_to(path)
    other = image_of_array(noise((16, 16), seed=1))
    write(tmp_path / "link.png", other)
    assert (tmp_path / "link.png").is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    np.testing.assert_array_equal(read(path).array, other.array)


def test_errors_are_what_a_caller_catches():
    assert issubclass(InputError, UntaughtError)
    assert issubclass(OutputError, OSError)
