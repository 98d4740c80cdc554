"""Stripes are said where nothing is asked, taken out where they are to be, and counted in the stated error."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data, io

import untaught
from tests.helpers.command import COMMAND
from untaught.errors import InputError


def coins() -> NDArray[Any]:
    return data.coins()[:128, 100:228].astype(np.float64)


def striped(level: float = 10.0, dtype: type = np.uint8) -> NDArray[Any]:
    rng = np.random.default_rng(4)
    x = coins()
    y = x + 10 * rng.standard_normal(x.shape) + level * rng.standard_normal(x.shape[1])
    return np.clip(np.rint(y), 0, 255).astype(dtype)


def psnr(result: untaught.Result) -> float:
    error = np.mean((result.image.astype(np.float64) - coins()) ** 2)
    return float(10 * np.log10(255**2 / error))


def test_stripes_are_said_and_counted_but_not_taken_out() -> None:
    result = untaught.denoise(striped(), method="nonlocal", noise="gaussian:10")
    assert any("the columns differ" in note and "--stripes columns" in note for note in result.notes)
    assert result.psnr is not None
    assert result.psnr.value < psnr(result) + 1.5
    assert result.recipe.stripes is None


@pytest.mark.parametrize("asked", ["columns", "auto"])
def test_taking_them_out_gains(asked: str) -> None:
    before = untaught.denoise(striped(), method="nonlocal", noise="gaussian:10")
    after = untaught.denoise(striped(), method="nonlocal", stripes=asked)
    assert psnr(after) > psnr(before) + 3
    assert after.psnr is not None
    assert after.psnr.value == pytest.approx(psnr(after), abs=1.5)
    assert 255 * after.noise.level == pytest.approx(10, rel=0.15)
    assert after.psnr_input == pytest.approx(10 * np.log10(255**2 / 200), abs=1)
    assert after.picture.array.dtype == np.uint8


def test_the_recipe_and_the_command_take_them_out_too() -> None:
    y = striped()
    first = untaught.denoise(y, method="nonlocal", stripes="auto")
    assert first.command is not None
    assert "--stripes auto" in first.command
    np.testing.assert_array_equal(untaught.rerun(first.recipe, y).image, first.image)


def test_nothing_is_taken_out_where_there_are_none() -> None:
    y = striped(level=0.0)
    plain = untaught.denoise(y, method="nonlocal")
    asked = untaught.denoise(y, method="nonlocal", stripes="auto")
    np.testing.assert_array_equal(plain.image, asked.image)
    assert any("no stripes were found" in note for note in asked.notes)
    assert not any("stripes" in note for note in plain.notes)


def test_a_picture_with_stripes_and_no_noise_is_answered_without_them() -> None:
    rng = np.random.default_rng(4)
    y = (coins() + 4 * rng.standard_normal(128)).astype(np.float32)
    result = untaught.denoise(y, stripes="columns")
    before, after = (np.mean((a - coins()) ** 2) for a in (y, result.image))
    assert after < before / 2


@pytest.mark.parametrize("k", [1e-3, 50.0])
def test_the_answer_for_ky_plus_b_is_k_times_that_for_y(k: float) -> None:
    y = striped().astype(np.float64)
    one = untaught.denoise(y, method="nonlocal", stripes="auto").image
    other = untaught.denoise(k * y + 7 * k, method="nonlocal", stripes="auto").image
    np.testing.assert_allclose((other - 7 * k) / k, one, atol=0.05)


def test_missing_pixels_stay_missing() -> None:
    y = striped().astype(np.float32)
    y[10:14, 20:30] = np.nan
    result = untaught.denoise(y, method="nonlocal", stripes="columns")
    assert any("held no measurement" in note for note in result.notes)
    assert np.isfinite(result.image).all()


def test_other_tasks_take_them_out_or_say_why_not() -> None:
    y = striped()
    result = untaught.restore(y, method="nonlocal", stripes="columns")
    assert any("stripes were taken out" in note for note in result.notes)
    for task in (
        lambda: untaught.demosaic(y, stripes="columns"),
        lambda: untaught.inpaint(y, mask=np.indices(y.shape).sum(0) % 5, stripes="auto"),
    ):
        with pytest.raises(InputError, match="not every pixel was measured"):
            task()


@pytest.mark.parametrize("asked", ["both", "", 3])
def test_other_words_are_refused(asked: Any) -> None:
    with pytest.raises(InputError, match="rows, columns or auto"):
        untaught.denoise(striped(), stripes=asked)


def test_the_command_says_what_it_took_out(tmp_path: Path) -> None:
    io.imsave(tmp_path / "in.png", striped())
    arguments = ["--method", "nonlocal", "--stripes", "auto", "--json"]
    call = [*COMMAND, "denoise", str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png"), *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert said["stripes"] == "auto"
    assert any("stripes were taken out" in note for note in said["notes"])


def test_inspect_says_them() -> None:
    assert any("--stripes columns" in note for note in untaught.inspect(striped()).notes)
