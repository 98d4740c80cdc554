"""What levels are relative to: given by name, said, and remembered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import untaught
from untaught.cli import main

RANGE = (0.0, 255.0)


def beyond() -> np.ndarray:
    """Return floats on 0..255 with noise of level 20 that goes beyond it."""
    clean = np.clip(np.add.outer(np.linspace(-40, 200, 64), np.linspace(0, 100, 64)), 0, 255)
    return np.float32(clean + np.random.default_rng(0).normal(0, 20, clean.shape))


def test_a_range_says_what_a_level_is() -> None:
    y = beyond()
    given = untaught.denoise(y, method="nonlocal", noise="gaussian:20", value_range=RANGE)
    right = untaught.denoise(y / 255, method="nonlocal", noise="gaussian:20", value_range=(0.0, 1.0))
    assert given.input.value_range == RANGE
    assert given.image / 255 == pytest.approx(right.image, abs=1e-4)
    other = untaught.denoise(y, method="nonlocal", noise="gaussian:20")
    assert other.input.value_range != RANGE
    assert np.abs(other.image - given.image).max() > 0.5
    assert untaught.inspect(y, value_range=RANGE).value_range == RANGE


def test_a_recipe_remembers_it_and_so_does_the_command() -> None:
    y = beyond()
    given = untaught.denoise(y, method="nonlocal", noise="gaussian:20", value_range=RANGE)
    assert given.recipe.value_range == RANGE
    assert np.array_equal(untaught.rerun(given.recipe, y).image, given.image)


@pytest.mark.parametrize("wrong", [(1, 1), (2, 1), (0, float("nan")), (0, 1, 2), "ab", 5])
def test_a_range_that_is_none_is_refused_in_a_sentence(wrong: object) -> None:
    with pytest.raises(untaught.InputError, match="two numbers that rise"):
        untaught.denoise(beyond(), value_range=wrong)  # type: ignore[arg-type]


def test_the_command_takes_it_says_it_and_refuses_what_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "y.npy", beyond())
    call = ["denoise", str(tmp_path / "y.npy"), "-o", str(tmp_path / "out.npy"), "--method", "wavelet", "--quiet"]
    assert main([*call, "--value-range", "0,255", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["value_range"] == [0, 255]
    assert main([*call[:-1], "--value-range", "0,255"]) == 0
    assert "relative to 0 to 255, as given" in capsys.readouterr().out
    assert main([*call, "--value-range", "255"]) == 2
    assert "LOW,HIGH" in capsys.readouterr().err
