"""PNG: text, colour space, interlacing, few bits."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from tests.helpers.files import again, noise, png_chunk, smooth
from untaught.errors import InputError
from untaught.image.files import read, write
from untaught.image.image import Image


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


def test_xmp_may_be_compressed_and_does_no_harm_where_it_is_broken(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    packet = b"<x:xmpmeta/>" * 9
    packed = zlib.compress(packet)
    for content, found in ((packed, packet), (packed[2:], None)):
        text = PngInfo()
        text.add(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0XMP\0" + content)
        PIL.Image.fromarray(noise((20, 24))).save(tmp_path / "a.png", pnginfo=text)
        assert read(tmp_path / "a.png").metadata.get("xmp") == found


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
