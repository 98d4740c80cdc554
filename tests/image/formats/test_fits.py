"""FITS files, made by astropy, restored and written back with all that belongs to them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.files import again, noise, refusal
from untaught.errors import InputError
from untaught.image.files import read, write
from untaught.image.image import Image
from untaught.image.output_type import typed

fits = pytest.importorskip("astropy.io.fits", reason="needs astropy, which FITS is read with")

WCS = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 12.5, "CRPIX2": 10.5, "CRVAL1": 83.0, "CD1_1": -1e-4}


def counts(shape, dtype=np.int16, seed=0):
    return np.random.default_rng(seed).poisson(300, shape).astype(dtype)


def header():
    made = fits.Header(WCS)
    made["OBJECT"] = ("M 42", "what was looked at")
    made.add_comment("a comment")
    return made


def many(path):
    """A file as of a telescope: nothing in front, a science image, its mask, and a table."""
    table = fits.BinTableHDU.from_columns([fits.Column("flux", "D", array=np.arange(5.0))], name="CAT")
    science = fits.ImageHDU(counts((40, 48), np.float32), header(), name="SCI")
    mask = fits.ImageHDU(counts((20, 24), np.uint8), name="DQ")
    fits.HDUList([fits.PrimaryHDU(header=fits.Header({"TELESCOP": "ours"})), mask, science, table]).writeto(path)
    return path


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64]
)
def test_every_type_and_the_header_come_back(tmp_path, dtype):
    values = noise((20, 24), dtype)
    fits.PrimaryHDU(values, header()).writeto(tmp_path / "a.fits")
    image = read(tmp_path / "a.fits")
    assert (image.axes, image.array.dtype) == ("YX", dtype)
    np.testing.assert_array_equal(image.array, values)
    write(tmp_path / "b.fits", image)
    with fits.open(tmp_path / "a.fits") as old, fits.open(tmp_path / "b.fits") as new:
        np.testing.assert_array_equal(new[0].data, values)
        assert new[0].header["BITPIX"] == old[0].header["BITPIX"]
        assert "untaught" in str(new[0].header["HISTORY"])
        missing = [card for card in old[0].header.cards if new[0].header.get(card.keyword) != card.value]
        assert not missing


def test_the_largest_image_is_restored_and_all_others_come_back(tmp_path):
    path = many(tmp_path / "a.fits")
    image = read(path)
    assert image.array.shape == (40, 48)
    assert "extension 2 'SCI' is restored" in image.notes[0]
    assert "1 'DQ', 3 'CAT'" in image.notes[0]
    write(tmp_path / "b.fits", again(image))
    with fits.open(path) as old, fits.open(tmp_path / "b.fits") as new:
        assert [hdu.name for hdu in new] == [hdu.name for hdu in old]
        np.testing.assert_allclose(new["SCI"].data, old["SCI"].data, rtol=1e-6)
        np.testing.assert_array_equal(new["DQ"].data, old["DQ"].data)
        np.testing.assert_array_equal(new["CAT"].data["flux"], np.arange(5.0))
        assert new[0].header["TELESCOP"] == "ours"
        assert new["SCI"].header["CRVAL1"] == 83.0
    assert read(path, series=1).array.shape == (20, 24)
    for number, says in ((3, "is no picture; those that are have the numbers 1, 2"), (9, "from 0 to 3")):
        with pytest.raises(InputError, match=says):
            read(path, series=number)


def test_scaled_integers_stay_as_they_are_stored(tmp_path):
    hdu = fits.PrimaryHDU(counts((20, 24), np.float32) / 4 + 7)
    hdu.scale("int16", bscale=0.25, bzero=7)
    hdu.writeto(tmp_path / "a.fits")
    image = read(tmp_path / "a.fits")
    assert image.array.dtype == np.int16
    assert "the quantity is 0.25 times them plus 7" in image.notes[0]
    for output_type, bits in (("same", 16), ("float32", -32)):
        write(tmp_path / f"{bits}.fits", typed(image, output_type))
        with fits.open(tmp_path / "a.fits") as old, fits.open(tmp_path / f"{bits}.fits") as new:
            assert new[0].header["BITPIX"] == bits
            np.testing.assert_allclose(new[0].data, old[0].data)


def test_blank_pixels_are_missing_and_blank_again(tmp_path):
    values = counts((20, 24))
    values[3, 4:9] = -999
    fits.PrimaryHDU(values, fits.Header({"BLANK": -999})).writeto(tmp_path / "a.fits")
    image = read(tmp_path / "a.fits")
    assert np.isnan(image.array).sum() == 5
    restored = image.with_planes([p.values for p in image.planes()], [p.missing for p in image.planes()])
    write(tmp_path / "b.fits", restored)
    with fits.open(tmp_path / "b.fits", do_not_scale_image_data=True) as new:
        np.testing.assert_array_equal(new[0].data, values)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32])
def test_compressed_images_are_compressed_again_without_loss(tmp_path, dtype):
    values = counts((40, 48), dtype)
    values[7, 7] = np.nan if dtype == np.float32 else 0
    packed = fits.CompImageHDU(values, header(), compression_type="GZIP_1", quantize_level=0, name="SCI")
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(tmp_path / "a.fits")
    image = read(tmp_path / "a.fits")
    assert image.array.dtype == dtype
    np.testing.assert_array_equal(image.array, values)
    write(tmp_path / "b.fits", image)
    with fits.open(tmp_path / "b.fits") as new:
        assert isinstance(new[1], fits.CompImageHDU)
        assert (new[1].name, new[1].header["OBJECT"]) == ("SCI", "M 42")
        np.testing.assert_array_equal(new[1].data, values)


def test_checksums_and_extremes_are_true_of_what_is_written(tmp_path):
    hdu = fits.PrimaryHDU(counts((20, 24), np.float32), fits.Header({"DATAMIN": 0.0, "DATAMAX": 1.0}))
    hdu.writeto(tmp_path / "a.fits", checksum=True)
    write(tmp_path / "b.fits", read(tmp_path / "a.fits"))
    with fits.open(tmp_path / "b.fits", checksum=True) as new:  # a wrong sum is a warning, which is an error here
        assert new[0].header["DATAMAX"] == new[0].data.max()
        assert "CHECKSUM" in new[0].header


@pytest.mark.parametrize(
    ("shape", "cards", "axes"),
    [
        ((3, 20, 24), {}, "SYX"),
        ((5, 20, 24), {"CTYPE3": "FREQ-LSR"}, "CYX"),
        ((4, 5, 20, 24), {"CTYPE3": "WAVE", "CTYPE4": "STOKES"}, "PCYX"),
        ((7, 20, 24), {"CTYPE3": "TIME"}, "TYX"),
    ],
)
def test_axes_of_cubes(tmp_path, shape, cards, axes):
    fits.PrimaryHDU(counts(shape, np.float32), fits.Header(cards)).writeto(tmp_path / "a.fits")
    image = read(tmp_path / "a.fits")
    assert image.axes == axes
    back = read(write(tmp_path / "b.fits.gz", image))
    assert (tmp_path / "b.fits.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert back.axes == axes
    np.testing.assert_array_equal(back.array, image.array)


def test_colours_from_elsewhere_become_planes(tmp_path):
    image = Image.of(noise((20, 24, 3)), "YXS")
    with fits.open(write(tmp_path / "a.fits", image)) as new:
        np.testing.assert_array_equal(new[0].data, np.moveaxis(image.array, -1, 0))
        assert new[0].header["ROWORDER"] == "TOP-DOWN"
    assert read(tmp_path / "a.fits").axes == "SYX"


def test_only_tables_is_a_sentence(tmp_path):
    fits.BinTableHDU.from_columns([fits.Column("flux", "D", array=np.arange(5.0))]).writeto(tmp_path / "a.fits")
    with pytest.raises(InputError, match="holds no picture, only tables"):
        read(tmp_path / "a.fits")


@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
def test_a_file_cut_anywhere_is_a_sentence_or_noted(tmp_path, ending):
    path = write(tmp_path / f"a.{ending}", read(many(tmp_path / "many.fits")))
    data = path.read_bytes()
    for length in range(40, len(data) - 2880, len(data) // 13):
        path.write_bytes(data[:length])
        words = ("cut off", "cut-off", "holds no picture", "gzip archive", "ends within a block")
        assert any(word in refusal(path) for word in words)
