"""What headers say seldom: each is read as it is meant, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from tests.helpers.files import again, noise, refusal
from untaught.errors import InputError
from untaught.image.files import check_writable, read, write
from untaught.image.formats.boxes import box, boxes
from untaught.image.formats.exif import turned_block
from untaught.image.image import Image

GREY, COLOUR = noise((24, 32)), noise((24, 32, 3), seed=1)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def objection(name: str, image: Image) -> str:
    with pytest.raises(InputError) as raised:
        check_writable(Path(name), image)
    return str(raised.value)


# JPEG 2000 -------------------------------------------------------------------------------------------


def test_a_bare_codestream_of_jpeg_2000_is_a_picture() -> None:
    bare = imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="j2k")
    Path("a.j2k").write_bytes(bare)
    found = read("a.j2k")
    np.testing.assert_array_equal(found.array, GREY)
    assert found.axes == "YX"
    for broken in (bare[:40], bare[: len(bare) // 2], bare[:-2]):
        Path("b.j2k").write_bytes(broken)
        assert "is cut off" in refusal("b.j2k")


def test_jpeg_2000_without_its_codestream_is_cut_off() -> None:
    whole = imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="jp2")
    kept = b"".join(whole[start - 8 : end] for name, start, end in boxes(whole) if name != b"jp2c")
    Path("a.jp2").write_bytes(kept)
    assert "is cut off" in refusal("a.jp2")


# JPEG XL and AVIF ------------------------------------------------------------------------------------


def container(*parts: bytes) -> bytes:
    start = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    return start + b"".join(parts)


def test_jpeg_xl_in_parts_is_put_together() -> None:
    code = imagecodecs.jpegxl_encode(COLOUR, lossless=True, usecontainer=False)
    half = len(code) // 2
    parts = box(b"jxlp", b"\0\0\0\0" + code[:half]), box(b"jxlp", b"\x80\0\0\1" + code[half:])
    Path("a.jxl").write_bytes(container(*parts))
    np.testing.assert_array_equal(read("a.jxl").array, COLOUR)
    Path("b.jxl").write_bytes(container())
    assert "is cut off" in refusal("b.jxl")
    Path("c.jxl").write_bytes(code[:10])
    assert "is cut off" in refusal("c.jxl")


def test_a_film_of_jpeg_xl_or_avif_is_no_picture() -> None:
    frames = [PIL.Image.fromarray(noise((24, 32, 3), seed=k)) for k in range(3)]
    frames[0].save("a.avif", save_all=True, append_images=frames[1:])
    assert "is an animation; give one picture of it" in refusal("a.avif")
    Path("a.jxl").write_bytes(imagecodecs.jpegxl_encode(noise((6, 24, 32, 3)), lossless=True))
    assert "is an animation; give one picture of it" in refusal("a.jxl")


def test_avif_of_grey_with_opacity_and_a_profile_is_written_as_colours() -> None:
    image = Image.of(noise((24, 32, 2)), "YXS", alpha=True, metadata={"xmp": b"<x:xmpmeta/>"})
    found = read(write("a.avif", image))
    assert found.array.shape == (24, 32, 4)
    assert float(np.abs(found.array[..., 1].astype(int) - image.array[..., 0]).mean()) < 6
    np.testing.assert_array_equal(found.array[..., 3], image.array[..., 1])


# Netpbm, GIF, BMP, NIfTI, boxes, EXIF ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pam", b"P7\nWIDTH 4\nHEIGHT 4\nDEPTH 1\nMAXVAL 255\n" + bytes(16), "is cut off"),
        ("a.pam", b"P7\nWIDTH 4\nHEIGHT 4\nMAXVAL 255\nENDHDR\n" + bytes(16), "its header is not complete"),
        ("a.pgm", b"P2\n4 4\n255\n" + b"7 " * 15, "is cut off"),
        ("a.pgm", b"P2\n4 4\n255\n" + b"7 " * 15 + b"x", "values that are no numbers"),
        ("a.pgm", b"P2\n4 4\n99\n" + b"7 " * 15 + b"100", "values beyond the greatest"),
        ("a.pbm", b"P1\n4 4\n" + b"1 0 " * 7, "is cut off"),
    ],
)
def test_netpbm_that_ends_early_or_says_too_little(name: str, content: bytes, said: str) -> None:
    Path(name).write_bytes(content)
    assert said in refusal(name)


def test_ink_is_ink_in_a_pbm_of_white_on_black() -> None:
    values = noise((24, 32), np.bool_)
    for said, seen in (({}, values), ({"photometric": "miniswhite"}, ~values)):
        found = read(write("a.pbm", Image.of(values, "YX", metadata=said)))
        np.testing.assert_array_equal(found.array, seen)


@pytest.mark.parametrize(
    ("name", "image", "said"),
    [
        ("a.pfm", Image.of(noise((24, 32, 4), np.float32), "YXS", alpha=True), "PFM cannot hold transparency"),
        ("a.bmp", Image.of(noise((24, 32, 4)), "YXS", alpha=True), "BMP cannot hold transparency"),
        ("a.bmp", Image.of(np.zeros((1, 2**15 + 1), np.uint8), "YX"), "BMP ends at 32767 pixels a side"),
        ("a.gif", Image.of(noise((24, 32), np.uint16), "YX"), "GIF cannot hold uint16 values"),
        ("a.gif", Image.of(noise((4, 24, 32)), "CYX"), "no axes CYX"),
        ("a.gif", Image.of(noise((2, 4, 24, 32)), "TZYX"), "no axes TZYX"),
        ("a.nii", Image.of(noise((4, 24, 32)), "PYX"), "NIfTI has no axis P"),
        ("a.nii", Image.of(noise((24, 32, 3), np.uint16), "YXS"), "NIfTI holds colours of 8 bits"),
        ("a.zarr", Image.of(noise((2, 24, 32, 3)), "CYXS"), "OME-Zarr has channels or colours, not both"),
        ("a.zarr", Image.of(noise((2, 24, 32)), "PYX"), "OME-Zarr has no axis P"),
    ],
)
def test_what_a_kind_of_file_cannot_hold_is_said_before_the_work(name: str, image: Image, said: str) -> None:
    if name.endswith(".nii"):
        pytest.importorskip("nibabel")
    if name.endswith(".zarr"):
        pytest.importorskip("zarr")
    assert said in objection(name, image)
    assert not Path(name).exists()


def test_frames_of_a_gif_that_take_the_same_time_have_a_step() -> None:
    film = noise((3, 24, 32))
    frames = [PIL.Image.fromarray(frame) for frame in film]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=40)
    found = read("a.gif")
    assert found.axes == "TYX"
    assert found.metadata["spacing"] == {"T": (40.0, "ms")}
    frames[0].save("b.gif", save_all=True, append_images=frames[1:], duration=[40, 50, 60])
    assert "spacing" not in read("b.gif").metadata


def test_a_gif_of_grey_with_opacity_comes_back() -> None:
    values = np.stack([noise((24, 32)), np.where(noise((24, 32), np.bool_), 255, 0).astype(np.uint8)], -1)
    found = read(write("a.gif", Image.of(values, "YXS", alpha=True)))
    shown = values[..., 1] > 0
    np.testing.assert_array_equal(found.array[..., -1] > 0, shown)
    np.testing.assert_allclose(
        found.array[..., 0][shown].astype(int), values[..., 0][shown], atol=16
    )  # 256 colours


def test_bits_and_half_floats_in_nifti_are_numbers_that_it_has() -> None:
    pytest.importorskip("nibabel")
    for dtype, stored in ((np.bool_, np.uint8), (np.float16, np.float32)):
        values = noise((24, 32), dtype)
        found = read(write("a.nii", Image.of(values, "YX")))
        assert found.array.dtype == stored
        np.testing.assert_array_equal(np.squeeze(found.array), values.astype(stored))


def test_a_box_may_say_its_length_in_sixty_four_bits() -> None:
    long = (1).to_bytes(4, "big") + b"long" + (16 + 5).to_bytes(8, "big") + b"first"
    last = (0).to_bytes(4, "big") + b"last" + b"to the end"
    assert [(name, (long + last)[a:b]) for name, a, b in boxes(long + last)] == [
        (b"long", b"first"),
        (b"last", b"to the end"),
    ]


def test_an_exif_block_without_an_orientation_stays_as_it_is() -> None:
    for block in (b"", b"II*\0nonsense", PIL.Image.Exif().tobytes()):
        assert turned_block(block, 1) == block


# FITS ------------------------------------------------------------------------------------------------


def test_coordinates_of_fits_follow_a_picture_of_another_size() -> None:
    fits = pytest.importorskip("astropy.io.fits")
    said = {
        "CRPIX1": 12.5,
        "CRPIX2": 10.0,
        "CDELT1": 0.2,
        "CD1_1": -1e-4,
        "CD2_2": 2e-4,
        "A_ORDER": 2,
        "OBJECT": "M 42",
    }
    fits.PrimaryHDU(noise((20, 24), np.float32), fits.Header(said)).writeto("a.fits")
    image = read("a.fits")
    twice = Image(
        np.kron(image.array, np.ones((2, 2), np.float32)), "YX", image.value_range, image.metadata, image.source
    )
    write("b.fits", twice)
    header = fits.getheader("b.fits")
    assert (header["CRPIX1"], header["CRPIX2"]) == (2 * (12.5 - 0.5) + 0.5, 2 * (10.0 - 0.5) + 0.5)
    assert (header["CDELT1"], header["CD1_1"], header["CD2_2"]) == (0.1, -0.5e-4, 1e-4)
    assert header["OBJECT"] == "M 42"
    assert "A_ORDER" not in header
    write("c.fits", again(image))
    assert fits.getheader("c.fits")["A_ORDER"] == 2  # of a picture of the same size they are still true


def test_missing_values_of_shifted_integers_come_back_as_the_number_for_them() -> None:
    fits = pytest.importorskip("astropy.io.fits")
    stored = np.arange(20 * 24, dtype=np.int16).reshape(20, 24)
    stored[3, 4] = -999
    made = fits.PrimaryHDU(stored)
    made.header["BZERO"], made.header["BLANK"] = 32768, -999
    made.writeto("a.fits")
    image = read("a.fits")
    assert np.argwhere(np.isnan(image.array)).tolist() == [[3, 4]]
    write("b.fits", image)
    np.testing.assert_array_equal(read("b.fits").array, image.array)
    with fits.open("b.fits", do_not_scale_image_data=True) as new:
        assert new[0].data[3, 4] == -999
        assert new[0].header["BZERO"] == 32768


def test_a_number_for_no_measurement_that_no_pixel_has_changes_nothing() -> None:
    fits = pytest.importorskip("astropy.io.fits")
    made = fits.PrimaryHDU(np.arange(20 * 24, dtype=np.int16).reshape(20, 24))
    made.header["BLANK"] = -999
    made.writeto("a.fits")
    assert read("a.fits").array.dtype.kind == "i"


def test_bits_and_half_floats_in_fits_are_numbers_that_it_has() -> None:
    fits = pytest.importorskip("astropy.io.fits")
    bits = noise((20, 24, 3), np.bool_)
    write("a.fits", Image.of(bits, "YXS"))
    np.testing.assert_array_equal(fits.getdata("a.fits"), np.moveaxis(bits, -1, 0).astype(np.uint8))
    half = noise((20, 24), np.float16)
    write("b.fits", Image.of(half, "YX"))
    np.testing.assert_array_equal(fits.getdata("b.fits"), half.astype(np.float32))


def test_fits_has_extensions_and_no_pages() -> None:
    fits = pytest.importorskip("astropy.io.fits")
    fits.PrimaryHDU(noise((20, 24), np.int16)).writeto("a.fits")
    assert "holds no pages that are read alone" in refusal("a.fits", page=1)
    assert "one picture, number 0, so there is no series 3" in refusal("a.fits", series=3)


# Pictures ---------------------------------------------------------------------------------------------


def test_pictures_of_nothing_keep_their_range_and_have_no_padding() -> None:
    from untaught.image.padding import padding_of

    nothing = np.full((12, 12, 1), np.nan)
    assert not padding_of(nothing, np.ones((12, 12, 1), np.bool_)).any()


def test_opacity_needs_a_sample_to_spare() -> None:
    with pytest.raises(InputError, match="no sample to spare"):
        Image(GREY, "YX", (0, 255), alpha=True)


def test_a_reference_without_numbers_is_refused() -> None:
    import untaught

    image = Image.of(noise((24, 32), np.float32), "YX")
    with pytest.raises(InputError, match="holds no number at all"):
        untaught.compare(image, ["nlm"], reference=np.full((24, 32), np.nan, np.float32), noise="gaussian:20")


def test_an_interlaced_png_without_passes_is_cut_off() -> None:
    from tests.helpers.files import png_chunk

    header = png_chunk(b"IHDR", (8).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x01")
    Path("a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IEND", b""))
    assert refusal("a.png") == "a.png is cut off: the PNG file ends before its picture"


def test_opacity_is_no_ink() -> None:
    """White at zero is turned in the colours alone."""
    for samples in (2, 4):
        values = noise((24, 32, samples))
        image = Image.of(values, "YXS", alpha=True, metadata={"photometric": "miniswhite"})
        found = read(write("a.png", image)).array
        np.testing.assert_array_equal(found[..., -1], values[..., -1])
        np.testing.assert_array_equal(found[..., :-1], 255 - values[..., :-1])
