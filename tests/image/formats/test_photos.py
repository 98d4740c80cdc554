"""BMP, GIF, JPEG 2000, JPEG XL and AVIF, made by Pillow and imagecodecs."""

from __future__ import annotations

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from tests.helpers.files import ICC, again, exif, noise, refusal, smooth
from untaught.errors import InputError
from untaught.image.files import check_writable, read, write
from untaught.image.formats.boxes import box
from untaught.image.formats.exif import exif_orientation
from untaught.image.image import Image, image_of_array

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a b="c"/></x:xmpmeta>'
FULL = {
    ".bmp": [np.uint8],
    ".jp2": [np.uint8, np.uint16],
    ".jxl": [np.uint8, np.uint16, np.float32],
    ".avif": [np.uint8],
}
EXACT = [(suffix, dtype) for suffix, dtypes in FULL.items() for dtype in dtypes]


@pytest.mark.parametrize(("suffix", "dtype"), EXACT)
@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_values_come_back(tmp_path, suffix, dtype, samples):
    alpha = samples in (2, 4)
    if alpha and suffix == ".bmp":
        pytest.skip("BMP holds no opacity")
    shape, axes = ((20, 24), "YX") if samples == 1 else ((20, 24, samples), "YXS")
    image = Image.of(noise(shape, dtype), axes, alpha=alpha)
    back = read(write(tmp_path / f"a{suffix}", again(image)))
    assert (back.axes, back.alpha, back.array.dtype) == (image.axes, alpha, dtype)
    np.testing.assert_array_equal(back.array, again(image).array)


@pytest.mark.parametrize(("suffix", "bits"), [(".jp2", 12), (".avif", 10), (".avif", 12)])
def test_bits_stay_what_they_were(tmp_path, suffix, bits):
    values = noise((20, 24), np.uint16) >> (16 - bits)
    encode = {".jp2": imagecodecs.jpeg2k_encode, ".avif": imagecodecs.avif_encode}[suffix]
    options = {"level": 0, "codecformat": "JP2", "reversible": True} if suffix == ".jp2" else {"level": 100}
    (tmp_path / f"a{suffix}").write_bytes(encode(values, bitspersample=bits, **options))
    image = read(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(image.array, values)
    back = read(write(tmp_path / f"b{suffix}", image))
    np.testing.assert_array_equal(back.array, values)
    assert back.metadata[{".jp2": "jpeg2000", ".avif": "avif"}[suffix]] == bits


@pytest.mark.parametrize("suffix", [".jp2", ".jxl", ".avif"])
def test_profile_exif_and_xmp_come_back_or_are_named(tmp_path, suffix):
    image = image_of_array(smooth((40, 48)))
    image.metadata.update(exif=exif(1).removeprefix(b"Exif\0\0"), icc=ICC, xmp=XMP)
    first = read(write(tmp_path / f"a{suffix}", image))
    second = read(write(tmp_path / f"b{suffix}", first))
    kept = {"exif", "icc", "xmp"} - ({"icc"} if suffix == ".jxl" else set())
    assert {"exif", "icc", "xmp"} & second.metadata.keys() == kept
    assert second.metadata["xmp"] == XMP
    assert second.metadata.get("icc", ICC) == ICC
    if suffix == ".jp2":
        with PIL.Image.open(tmp_path / "b.jp2") as opened:
            assert opened.size == (48, 40)
    if suffix == ".jxl":
        floats = write(tmp_path / "c.jxl", Image.of(noise((20, 24), np.float32), "YX"))
        assert "a colour profile inside a JPEG XL file is not read" in refusal(floats)


@pytest.mark.parametrize("orientation", [3, 6])
def test_jpeg_xl_is_upright(tmp_path, orientation):
    image = image_of_array(smooth((40, 48)))
    image.metadata.update(exif=exif(orientation).removeprefix(b"Exif\0\0"), orientation=orientation)
    back = read(write(tmp_path / "a.jxl", image))
    turned = np.rot90(image.array, {3: 2, 6: -1}[orientation])
    np.testing.assert_array_equal(back.array, turned)
    assert exif_orientation(back.metadata["exif"]) == 1


def test_avif_of_many_bits_says_what_it_leaves(tmp_path):
    PIL.Image.fromarray(smooth((40, 48))).save(tmp_path / "a.avif", icc_profile=ICC)
    deep = imagecodecs.avif_encode(noise((40, 48), np.uint16) >> 6, level=100, bitspersample=10)
    (tmp_path / "b.avif").write_bytes(deep)
    assert read(tmp_path / "a.avif").metadata["icc"] == ICC
    assert read(tmp_path / "b.avif").notes == ()
    with pytest.raises(InputError, match="AVIF holds 12 bits"):
        check_writable(tmp_path / "c.avif", Image.of(noise((20, 24), np.uint16), "YX"))


def test_a_cmyk_jpeg_2000_is_refused(tmp_path):
    data = imagecodecs.jpeg2k_encode(noise((20, 24, 4)), level=0, codecformat="JP2")
    at = data.index(b"colr") + 7
    (tmp_path / "a.jp2").write_bytes(data[:at] + (12).to_bytes(4, "big") + data[at + 4 :])
    assert "CMYK" in refusal(tmp_path / "a.jp2")


def test_packed_exif_of_jpeg_xl_is_named(tmp_path):
    data = write(tmp_path / "a.jxl", image_of_array(smooth((40, 48)))).read_bytes()
    start = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    (tmp_path / "b.jxl").write_bytes(start + box(b"brob", b"Exif....") + box(b"jxlc", data))
    assert "packed by Brotli" in refusal(tmp_path / "b.jxl")


def test_a_gain_map_behind_a_jpeg_is_named(tmp_path):
    data = write(tmp_path / "a.jpg", image_of_array(smooth((40, 48)))).read_bytes()
    index = b"MPF\0" + bytes(40)
    marked = data[:2] + b"\xff\xe2" + (len(index) + 2).to_bytes(2, "big") + index + data[2:]
    (tmp_path / "b.jpg").write_bytes(marked + data)
    assert "such as a gain map (HDR)" in refusal(tmp_path / "b.jpg")
    assert not refusal(tmp_path / "a.jpg")


def test_palettes_and_bits_of_bmp(tmp_path):
    colours = PIL.Image.fromarray(smooth((40, 48))).quantize(16)
    colours.save(tmp_path / "p.bmp", dpi=(300, 300))
    image = read(tmp_path / "p.bmp")
    np.testing.assert_array_equal(image.array, np.asarray(colours.convert("RGB")))
    with PIL.Image.open(write(tmp_path / "q.bmp", image)) as opened:
        assert opened.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    white = noise((20, 21), np.bool_)
    PIL.Image.fromarray(white).save(tmp_path / "b.bmp")
    np.testing.assert_array_equal(read(tmp_path / "b.bmp").array, white * np.uint8(255))


@pytest.mark.parametrize("grey", [True, False])
def test_frames_of_a_gif_are_times(tmp_path, grey):
    picture = smooth((40, 48)) // 64 * 64
    frames = [np.roll(picture, 7 * k, axis=0) for k in range(4)]
    frames = [frame[..., 0] if grey else frame for frame in frames]
    first, *rest = (PIL.Image.fromarray(frame) for frame in frames)
    durations = [40, 80, 40, 40]
    first.save(tmp_path / "a.gif", save_all=True, append_images=rest, duration=durations, loop=3, comment=b"who")
    image = read(tmp_path / "a.gif")
    assert image.axes == ("TYX" if grey else "TYXS")
    np.testing.assert_array_equal(image.array, np.stack(frames))
    write(tmp_path / "b.gif", image)
    with PIL.Image.open(tmp_path / "b.gif") as opened:
        assert (opened.n_frames, opened.info["loop"], opened.info["comment"]) == (4, 3, b"who")
        seen = []
        for k in range(4):
            opened.seek(k)
            seen.append(opened.info["duration"])
        assert seen == durations
    np.testing.assert_array_equal(read(tmp_path / "b.gif").array, image.array)


def test_transparent_gif_and_single_frames(tmp_path):
    clear = np.dstack([smooth((40, 48)) // 64 * 64, noise((40, 48), np.bool_) * np.uint8(255)])
    image = Image.of(clear, "YXS", alpha=True)
    back = read(write(tmp_path / "a.gif", image))
    np.testing.assert_array_equal(back.array[..., 3], clear[..., 3])
    assert back.alpha
    with pytest.raises(InputError, match="one film"):
        check_writable(tmp_path / "b.gif", Image.of(noise((2, 3, 20, 24)), "TZYX"))


@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".jp2", ".jxl", ".avif"])
def test_a_file_cut_anywhere_is_a_sentence(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    image = image_of_array(smooth((64, 64)))
    image.metadata["xmp"] = XMP
    data = write(path, image).read_bytes()
    for length in (20, 40, len(data) // 4, len(data) // 2, len(data) - 3):
        path.write_bytes(data[:length])
        assert "cut" in refusal(path), length


@pytest.mark.parametrize("suffix", [".jp2", ".jxl"])
def test_a_huge_header_is_refused(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    data = bytearray(write(path, image_of_array(noise((64, 64)))).read_bytes())
    if suffix == ".jp2":
        at = data.index(b"\xff\x4f\xff\x51") + 8
        data[at : at + 8] = (600000).to_bytes(4, "big") * 2
    else:  # sides of 30 bits
        data[2:12] = ((600000 << 3 | 3 << 1) | (600000 << 38 | 3 << 36)).to_bytes(10, "little")
    path.write_bytes(data)
    assert "of memory that may be used" in refusal(path)
