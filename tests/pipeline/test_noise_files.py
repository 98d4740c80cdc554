"""Noise that is written as the name of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import clean, psnr
from untaught import denoise, rerun
from untaught.errors import InputError
from untaught.noise import Gaussian, VarianceCurve, parse_noise
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
