"""Noise that is written as the name of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import clean, psnr
from untaught import Image, denoise, rerun, write
from untaught.errors import InputError
from untaught.noise import Gaussian, NoiseMap, VarianceCurve, parse_noise
from untaught.pipeline.noise_files import read_noise
from untaught.results.recipe import Recipe

CURVE = VarianceCurve(((0.0, 0.001), (0.5, 0.01), (1.0, 0.002)))
TABLE = "# of a microscope\nbrightness,variance\n0,65.025\n\n127.5 ; 650.25\n255\t130.05\n"


def test_a_curve_is_read_from_a_table(tmp_path: Path) -> None:
    path = tmp_path / "Of A Camera, clipped.csv"
    path.write_text(TABLE)
    assert read_noise(f"curve:{path}") == CURVE
    assert read_noise(f" CURVE:{path},Clipped-low").clip == (True, False)
    assert read_noise("curve:0 65.025/127.5 650.25/255 130.05") == CURVE
    assert read_noise("gaussian:25") == Gaussian(25 / 255)
    assert read_noise("auto") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no curve of noise"),
        ("0,1\n0,2\n", "rising in brightness"),
        ("0,-1\n", "no variance negative"),
        ("0,nan\n", "finite"),
        ("x,y\n0,1\n9\n", "line 3 of "),
        ("0,1,2\n", "line 1 of "),
        ("0,1\nx,2\n", "line 2 of "),
        (b"\xff\xfe\x00", "is no text"),
        (b"0,1\n" * 300_000, "too large"),
        (None, "cannot be read: no such file"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(tmp_path: Path, content: str | bytes | None, said: str) -> None:
    path = tmp_path / "curve.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said) as caught:
        read_noise(f"curve:{path}")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_is_no_curve_without_its_file() -> None:
    with pytest.raises(InputError, match="is no curve of noise: give pairs"):
        parse_noise("curve:file.csv")


def test_a_picture_is_restored_by_a_curve_and_again_without_the_file(tmp_path: Path) -> None:
    path, x = tmp_path / "curve.csv", clean(48, 48)
    path.write_text(TABLE)
    y = CURVE.sample(x, np.random.default_rng(0))
    result = denoise(y, method="nonlocal", noise=f"curve:{path}")
    assert psnr(result.image, x) > psnr(y, x) + 3
    assert result.recipe.noise == "curve:0 65.025/127.5 650.25/255 130.05"
    path.unlink()
    again = rerun(Recipe.model_validate_json(result.recipe.model_dump_json()), y)
    assert np.array_equal(again.image, result.image)


def test_a_map_is_read_from_a_picture(tmp_path: Path) -> None:
    levels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    for name in ("Map.png", "map.tif", "map.npy"):
        path = tmp_path / name
        np.save(path, levels) if name.endswith("npy") else write(path, Image.of(levels, "YX"))
        law = read_noise(f"map:{path},clipped-low")
        assert law == NoiseMap(Gaussian(1.0), levels / 255, clip=(True, False))
        assert law.written(6) == str(path)


@pytest.mark.parametrize(
    ("array", "said"), [(np.zeros((6, 8, 3)), "one plane"), (np.full((6, 8), -1.0), "not negative")]
)
def test_a_bad_map_is_refused(tmp_path: Path, array: NDArray[np.float64], said: str) -> None:
    np.save(tmp_path / "map.npy", array)
    with pytest.raises(InputError, match=said):
        read_noise(f"map:{tmp_path / 'map.npy'}")
    with pytest.raises(InputError, match="does not exist"):
        read_noise(f"map:{tmp_path / 'other.npy'}")
    with pytest.raises(InputError, match="names a file"):
        parse_noise("map:map.npy")


@pytest.mark.parametrize("written", [True, False])
def test_a_picture_is_restored_by_a_map_and_again_by_its_recipe(tmp_path: Path, written: bool) -> None:
    x = clean(48, 48)
    levels = np.linspace(5.0, 60.0, 48) * np.ones((48, 1))
    law = NoiseMap(Gaussian(1.0), levels / 255)
    np.save(tmp_path / "map.npy", levels)
    y = law.sample(x, np.random.default_rng(0))
    result = denoise(y, method="nonlocal", noise=f"map:{tmp_path / 'map.npy'}" if written else law)
    assert psnr(result.image, x) > psnr(y, x) + 3
    assert psnr(result.image, x) > psnr(denoise(y, method="nonlocal", sigma=law.level).image, x) + 0.5
    assert (result.recipe.noise == f"map:{tmp_path / 'map.npy'}") == written
    again = rerun(Recipe.model_validate_json(result.recipe.model_dump_json()), y)
    assert np.array_equal(again.image, result.image)


def test_a_map_of_another_size_is_refused_in_one_sentence() -> None:
    law = NoiseMap(Gaussian(0.1), np.ones((40, 48)))
    for method in ("nonlocal", "dip", "auto"):
        with pytest.raises(InputError, match=r"The map of noise is 48 x 40 pixels and the picture 48 x 48; "):
            denoise(clean(48, 48), method=method, noise=law)
