"""PNM and PFM: made by hand, for they are a line of numbers and the pixels, and by Pillow."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from tests.helpers.files import again, noise, refusal, smooth
from untaught.errors import InputError
from untaught.image.files import check_writable, read, write
from untaught.image.image import Image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("axes", "alpha"), [("YX", False), ("YXS", False), ("YXS", True)])
def test_values_come_back(tmp_path, dtype, axes, alpha):
    image = Image.of(noise((20, 24, *([3 + alpha] if axes == "YXS" else []))[:3], dtype), axes, alpha=alpha)
    back = read(write(tmp_path / "a.pnm", again(image)))
    assert (back.axes, back.alpha, back.array.dtype) == (axes, alpha, dtype)
    np.testing.assert_array_equal(back.array, image.array)
    if dtype == np.uint8 and not alpha:
        np.testing.assert_array_equal(np.asarray(PIL.Image.open(tmp_path / "a.pnm")), image.array)


@pytest.mark.parametrize("magic", [b"P2", b"P5"])
def test_greatest_value_and_comments_stay(tmp_path, magic):
    values = noise((20, 24), np.uint16) >> 6
    pixels = values.astype(">u2").tobytes() if magic == b"P5" else " ".join(map(str, values.ravel())).encode()
    (tmp_path / "a.pgm").write_bytes(magic + b"\n# who and when\n24 20\n1023\n" + pixels)
    image = read(tmp_path / "a.pgm")
    np.testing.assert_array_equal(image.array, values)
    brighter = Image.of(values + 500, "YX", metadata=image.metadata)
    data = write(tmp_path / "b.pgm", brighter).read_bytes()
    assert data.startswith(b"P5\n# who and when\n24 20\n1023\n")
    np.testing.assert_array_equal(read(tmp_path / "b.pgm").array, np.minimum(values + 500, 1023))


@pytest.mark.parametrize("plain", [True, False])
def test_one_bit(tmp_path, plain):
    white = noise((20, 21), np.bool_)
    if plain:
        text = "\n".join("".join("01"[not one] for one in row) for row in white)
        (tmp_path / "a.pbm").write_text(f"P1 21 20\n{text}\n")
    else:
        PIL.Image.fromarray(white).save(tmp_path / "a.pbm", "PPM")
    image = read(tmp_path / "a.pbm")
    np.testing.assert_array_equal(image.array, white)
    with PIL.Image.open(write(tmp_path / "b.pbm", image)) as opened:
        np.testing.assert_array_equal(np.asarray(opened), white)


@pytest.mark.parametrize("axes", ["YX", "YXS"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_floats(tmp_path, axes, order):
    values = noise((20, 24, 3)[: len(axes)], np.float32)
    scale = b"-2.5" if order == "<" else b"2.5"
    pixels = values[::-1].astype(f"{order}f4").tobytes()
    (tmp_path / "a.pfm").write_bytes((b"PF" if axes == "YXS" else b"Pf") + b"\n24 20\n" + scale + b"\n" + pixels)
    image = read(tmp_path / "a.pfm")
    assert image.axes == axes
    np.testing.assert_array_equal(image.array, values)
    assert write(tmp_path / "b.pfm", image).read_bytes() == (tmp_path / "a.pfm").read_bytes()


def test_broken_files_are_sentences(tmp_path):
    path = tmp_path / "a.ppm"
    data = write(path, Image.of(smooth((20, 24)), "YXS")).read_bytes()
    floats = write(tmp_path / "a.pfm", Image.of(noise((20, 24), np.float32), "YX")).read_bytes()
    cut = [whole[:k] for whole in (data, floats) for k in (4, 8, len(whole) // 2, len(whole) - 1)]
    wrong = [
        b"P5 20 x 255\n",
        b"P5 20 20 0\n",
        b"P2 9 9 255\n" + b"x " * 81,
        b"P2 9 9 9\n" + b"10 " * 81,
        b"P7\nENDHDR\n",
    ]
    for content in (*cut, *wrong, b"Pf\n20 20\nx\n"):
        path.write_bytes(content)
        assert "cut" in refusal(path), content[:20]
    path.write_bytes(b"P5 400000 400000 255\n")
    assert "of memory that may be used" in refusal(path)


def test_what_cannot_be_held_is_said_before(tmp_path):
    floats = Image.of(noise((20, 24), np.float32), "YX")
    with pytest.raises(InputError, match=r"write \.pfm"):
        check_writable(tmp_path / "a.pgm", floats)
    with pytest.raises(InputError, match="uint8 values"):
        check_writable(tmp_path / "a.pfm", Image.of(noise((20, 24)), "YX"))


@pytest.mark.parametrize("most", [0, 2**16])
def test_a_greatest_value_that_sixteen_bits_do_not_hold_is_named(tmp_path, most):
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5\n24 20\n%d\n" % most + bytes(2 * 20 * 24))
    assert f"its greatest value is {most}" in refusal(path)


def test_the_greatest_values_that_one_and_two_bytes_hold(tmp_path):
    for most, dtype in ((1, np.uint8), (255, np.uint8), (256, np.uint16), (2**16 - 1, np.uint16)):
        values = np.minimum(noise((20, 24), np.uint16), most)
        stored = values.astype(np.uint8 if most < 256 else ">u2").tobytes()
        (tmp_path / "a.pgm").write_bytes(b"P5\n24 20\n%d\n" % most + stored)
        found = read(tmp_path / "a.pgm").array
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("between", [b"\n", b" ", b"\n\n"])
def test_the_order_of_bytes_of_a_pfm_is_the_word_after_the_size(tmp_path, between):
    values = np.linspace(-1, 1, 20 * 24, dtype="<f4").reshape(20, 24)
    (tmp_path / "a.pfm").write_bytes(b"Pf\n24 20" + between + b"-1.0\n" + values[::-1].tobytes())
    np.testing.assert_array_equal(read(tmp_path / "a.pfm").array, values)
