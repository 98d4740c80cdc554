"""Bleaching, flicker and the fixed pattern of a stack: said, kept or taken out as asked, and counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from skimage import data

from tests.conftest import psnr
from untaught import Image, InputError, denoise, inspect, rerun
from untaught.cli import main
from untaught.results.result import Result

Values = NDArray[np.float64]
PLANES, SIDE, NOISE = 6, 48, 15.0
FADES = 0.4 ** np.linspace(0, 1, PLANES)
FLICKERS = 1 + 0.1 * np.random.default_rng(1).standard_normal(PLANES)


def film(moves: int = 1, planes: int = PLANES) -> Values:
    x = 50 + 0.6 * data.camera().astype(np.float64)
    at = [(100 + 2 * moves * k, 180 + 3 * moves * k) for k in range(planes)]
    return np.stack([x[i : i + SIDE, j : j + SIDE] for i, j in at])


def noisy(x: Values, level: float = NOISE) -> Image:
    y = x + level * np.random.default_rng(0).standard_normal(x.shape)
    return Image.of(np.clip(np.rint(y), 0, 255).astype(np.uint8), "TYX")


def error(result: Result, x: Values) -> float:
    return float(np.sqrt(np.mean((np.asarray(result.image, np.float64) - x) ** 2)))


def notes_with(words: str, notes: Sequence[str]) -> list[str]:
    return [note for note in notes if words in note]


def test_going_together_gains_as_much_where_planes_bleach_and_flicker(monkeypatch: pytest.MonkeyPatch) -> None:
    x = film(0) * (FADES * FLICKERS)[:, None, None]
    as_bright = denoise(noisy(x), method="nonlocal", sigma=NOISE / 255)
    monkeypatch.setattr("untaught.pipeline.stacks.find_series._with_gains", lambda *given: given[-1])
    as_it_is = denoise(noisy(x), method="nonlocal", sigma=NOISE / 255)
    assert psnr(as_bright.image, x, 255) > psnr(as_it_is.image, x, 255) + 2


def test_flicker_is_said_and_kept_or_removed() -> None:
    x = film(0)
    y = noisy(x * (FADES * FLICKERS)[:, None, None])
    kept, removed = (denoise(y, method="nlm", sigma=NOISE / 255, flicker=how) for how in ("keep", "remove"))
    (said,) = notes_with("brightness falls along T", kept.notes)
    assert "(bleaching) and jumps from plane to plane by" in said
    assert "--flicker remove" in said
    means = removed.image.mean((1, 2))
    assert np.std(means) < 0.03 * means.mean()
    assert error(removed, x * FLICKERS[0] * means.mean() / (x.mean() * FLICKERS[0])) < 15
    assert kept.image[-1].mean() == pytest.approx(y.array[-1].mean(), rel=0.02)
    assert removed.command is not None
    assert "--flicker remove" in removed.command
    assert np.array_equal(rerun(removed.recipe, y).image, removed.image)
    stated, before = removed.planes[-1].psnr_input, kept.planes[-1].psnr_input
    assert stated is not None
    assert before is not None
    assert stated < before - 5  # noise grows with the brightness that is given back


def test_planes_that_are_equally_bright_are_left() -> None:
    y = noisy(film(1))
    plain, asked = (denoise(y, method="nlm", sigma=NOISE / 255, flicker=how) for how in ("keep", "remove"))
    assert np.array_equal(plain.image, asked.image)
    assert notes_with("equally bright", asked.notes)
    assert not notes_with("bright", plain.notes)


def sensor(planes: int = 10) -> tuple[Values, Values]:
    """Return a film and what a sensor adds to it."""
    rng = np.random.default_rng(2)
    o = 8 * rng.standard_normal(SIDE) + np.zeros((SIDE, SIDE))
    o[10, 10] = o[30, 20] = 70
    return film(1, planes), o


def test_a_pattern_that_is_told_is_taken_out_and_counted() -> None:
    x, o = sensor()
    y = noisy(x + o, 8.0)
    kept, auto = (denoise(y, method="nlm", sigma=8 / 255, fixed_pattern=how) for how in ("keep", "auto"))
    assert error(auto, x) < error(kept, x) - 1
    (said,) = notes_with("the sensor adds a fixed pattern", auto.notes)
    assert "offsets of columns" in said
    assert "was taken out" in said
    (left,) = notes_with("the sensor adds a fixed pattern", kept.notes)
    assert "it is left in" in left
    for result in (kept, auto):
        assert result.psnr is not None
        assert psnr(result.image, x, 255) - 2.5 < result.psnr.value < psnr(result.image, x, 255) + 1
    assert np.array_equal(rerun(auto.recipe, y).image, auto.image)
    assert kept.command is not None
    assert "--fixed-pattern keep" in kept.command
    assert auto.image.dtype == np.uint8


def test_a_picture_that_stands_still_keeps_its_stars_unless_asked() -> None:
    x = np.repeat(film(0, 1), 8, 0)
    x[:, 8:40, 8:40] = 60
    x[:, 20, 20] = 160
    y = noisy(x, 8.0)
    kept, auto, removed = (
        denoise(y, method="nlm", sigma=8 / 255, fixed_pattern=how) for how in ("keep", "auto", "remove")
    )
    assert np.array_equal(kept.image, auto.image)
    (said,) = notes_with("stands alone at the same place", auto.notes)
    assert "--fixed-pattern remove" in said
    assert not np.array_equal(removed.image, auto.image)
    assert notes_with("were taken out", removed.notes)


def test_inspect_says_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.pipeline.tasks.expected_gain._gain", lambda *_: None)
    x, o = sensor()
    notes = inspect(noisy(x + o, 8.0)).notes
    assert notes_with("the sensor adds a fixed pattern", notes)
    assert notes_with("would be taken out", notes)
    assert notes_with("(bleaching)", inspect(noisy(film(0) * FADES[:, None, None])).notes)


def test_wrong_choices_are_refused() -> None:
    y = noisy(film())
    with pytest.raises(InputError, match="the flicker is 'out'; choose keep or remove"):
        denoise(y, flicker="out")
    with pytest.raises(InputError, match="the fixed pattern is 'out'; choose auto, remove or keep"):
        denoise(y, fixed_pattern="out")


def test_the_command_takes_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x, o = sensor(9)
    path, out = tmp_path / "in.tif", tmp_path / "out.tif"
    y = np.clip(np.rint(noisy(x * FADES[[0, 1, 2, 3, 4, 5, 5, 5, 5], None, None] + o, 8.0).array), 0, 255)
    tifffile.imwrite(path, y.astype(np.uint8), metadata={"axes": "TYX"})
    options = ["--method", "nlm", "--fixed-pattern", "remove", "--flicker", "remove", "--json"]
    assert main(["denoise", str(path), "-o", str(out), *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert notes_with("all planes were given that of the first", said["notes"])
    assert notes_with("taken out", said["notes"])


def test_what_may_be_offsets_of_a_still_scene_is_in_the_interval() -> None:
    """Nothing tells offsets of pixels from fine texture where nothing moves: the error is between the two."""
    from scipy.ndimage import gaussian_filter

    x = np.repeat(gaussian_filter(50 + 0.6 * data.camera()[None, 100:196, 180:276].astype(float), (0, 3, 3)), 8, 0)
    offsets = 9 * np.random.default_rng(3).standard_normal(x.shape[1:])
    result = denoise(noisy(x + offsets), method="nonlocal", noise="gaussian:15")
    (said,) = notes_with("only a picture that moves can tell apart", result.notes)
    assert "the interval of the stated error covers" in said
    for plane, clean in zip(result.planes, x, strict=True):
        assert plane.psnr is not None
        truths = [psnr(result.image[plane.index] / 255.0, y / 255) for y in (clean, clean + offsets)]
        assert plane.psnr.low - 0.3 < min(truths) < max(truths) < plane.psnr.high + 0.5
