"""The front door from file to file: what a microscope or a camera wrote comes back, holes and units too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.conftest import clean, noisy, psnr
from tests.helpers.quick import crop, uncut
from untaught import Image, denoise, read
from untaught.noise import Gaussian, PoissonGaussian

SIDE = 24
FAST = {"method": "nlm", "noise": "gaussian:20"}


def pages(count: int, dtype: type = np.uint16) -> np.ndarray:
    top = np.iinfo(dtype).max
    made = [noisy(0.2 + 0.6 * clean(SIDE, SIDE, 1), 20 / 255, seed)[..., 0] for seed in range(count)]
    return np.clip(np.rint(np.stack(made) * top), 0, top).astype(dtype)


def restored(folder: Path, name: str) -> Path:
    return denoise(folder / name, **FAST).save(folder / f"out.{name}")


def test_an_imagej_hyperstack_comes_back(tmp_path: Path) -> None:
    array = pages(4).reshape(2, 1, 2, SIDE, SIDE)
    about = {"axes": "TZCYX", "unit": "um", "spacing": 0.5, "finterval": 2.0, "Info": "two\nlines"}
    tifffile.imwrite(tmp_path / "a.tif", array, imagej=True, resolution=(9.5, 9.25), metadata=about)
    path = restored(tmp_path, "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as a, tifffile.TiffFile(path) as b:
        assert b.series[0].kind == "imagej"
        assert b.series[0].axes == a.series[0].axes
        assert b.imagej_metadata == a.imagej_metadata
        assert b.pages[0].resolution == (9.5, 9.25)
        assert b.asarray().shape == a.asarray().shape
        assert (b.asarray() != a.asarray()).mean() > 0.5


def test_an_ome_stack_comes_back(tmp_path: Path) -> None:
    array = pages(4).reshape(2, 2, SIDE, SIDE)
    about = {
        "axes": "CZYX",
        "PhysicalSizeX": 0.125,
        "PhysicalSizeXUnit": "µm",
        "Channel": {"Name": ["red", "far"]},
    }
    options = {"resolution": (8e4, 4e4), "resolutionunit": "CENTIMETER", "ome": True}
    tifffile.imwrite(tmp_path / "a.ome.tif", array, metadata=about, **options)
    path = restored(tmp_path, "a.ome.tif")
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as a, tifffile.TiffFile(path) as b:
        assert b.series[0].axes == "CZYX"
        assert b.ome_metadata == a.ome_metadata
        assert b.pages[0].resolution == (8e4, 4e4)
        assert b.pages[0].resolutionunit == 3
        assert (b.asarray() != a.asarray()).mean() > 0.5


def test_holes_in_a_float_tiff_are_filled_with_what_is_around_them(tmp_path: Path) -> None:
    truth = 100 + 3000 * clean(64, 64, 1)[..., 0]
    given = (truth + np.random.default_rng(0).normal(0, 150, truth.shape)).astype(np.float32)
    given[20:25, 30:35], given[50, :], given[5, 5] = np.nan, np.inf, -3.4e38
    hole = ~np.isfinite(given) | (given < -1e30)
    tifffile.imwrite(tmp_path / "a.tif", given, metadata=None)
    result = denoise(tmp_path / "a.tif", method="nonlocal")
    back = read(result.save(tmp_path / "b.tif")).array
    assert back.dtype == np.float32
    assert np.array_equal(back, result.image)
    assert np.isfinite(back).all()
    assert any("2.2 % of the pixels" in note for note in result.notes)
    assert np.abs(back - truth)[hole].mean() < 2 * 150
    assert psnr(back[~hole], truth[~hole], 3000) > psnr(given[~hole], truth[~hole], 3000) + 3


def test_a_model_is_in_units_of_the_value_range() -> None:
    """Electrons from 100 to 4000: the range is what the content spans, and the model is a fraction of it."""
    truth = 500 + 3000 * clean(48, 48, 1)[..., 0].astype(np.float64)
    given = truth + np.random.default_rng(0).normal(0, 200, truth.shape)
    low, high = Image.of(given, "YX").value_range
    assert high - low == pytest.approx(np.ptp(given), rel=0.1)
    result = denoise(given, method="nonlocal", noise=Gaussian(200 / (high - low)))
    assert result.noise.level * (high - low) == pytest.approx(200)
    same = denoise(given, method="nonlocal", sigma=200 / (high - low))
    assert np.array_equal(result.image, same.image)
    wrong = denoise(given, method="nonlocal", noise=Gaussian(40 / (high - low)))
    assert psnr(result.image, truth, 3000) > psnr(wrong.image, truth, 3000) + 2


def test_the_units_of_a_model_do_not_depend_on_those_of_the_picture() -> None:
    model = PoissonGaussian(0.01, 0.05)
    one = denoise(uncut(24), method="nlm", noise=model)
    bytes_ = denoise(np.rint(crop(24) * 255).astype(np.uint8), method="nlm", noise=model)
    assert one.noise.gain == bytes_.noise.gain == 0.01
    many = Image(1000 * uncut(24).astype(np.float64), "YXS", (0.0, 1000.0))
    assert np.abs(denoise(many, method="nlm", noise=model).image - 1000 * one.image).max() < 0.01


def test_a_range_that_is_set_by_hand_is_kept() -> None:
    counts = np.rint(1000 * uncut(24)).astype(np.uint16)
    image = replace(Image.of(counts, "YXS"), value_range=(0.0, 4095.0))
    result = denoise(image, method="nlm", noise=Gaussian(100 / 4095))
    assert result.picture.value_range == (0.0, 4095.0)
    assert result.residual.std() == pytest.approx(100, rel=0.3)
