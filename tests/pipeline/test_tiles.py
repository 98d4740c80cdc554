"""Planes that are restored tile by tile: as if they had been restored at once."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.conftest import clean, psnr
from tests.helpers.quick import DIP_FAST
from untaught import InputError, denoise, inspect, rerun
from untaught.errors import OutputError
from untaught.image import lazy
from untaught.image.files import write
from untaught.image.image import Image, image_of_array
from untaught.image.tiling import Tiling
from untaught.method import ClosedForm, Needs
from untaught.methods.non_local.multiscale import MultiScale
from untaught.methods.non_local.single_scale import Stage
from untaught.noise import Gaussian, NoiseMap
from untaught.noise.shares import part
from untaught.pipeline.planes import Requests
from untaught.pipeline.request import request_of
from untaught.pipeline.tasks.denoise import denoise_planes
from untaught.pipeline.tiles import survey
from untaught.pipeline.tiles.join_tiles import told_once
from untaught.pipeline.tiles.memory_need import FIXED, tiling_for
from untaught.pipeline.tiles.survey import sampled
from untaught.problem import Estimate, Problem
from untaught.results.result import Result

SMALL = Tiling(64, 8)
SIGMA = 0.08


@dataclass(frozen=True)
class Box:
    """The mean of 5 x 5 pixels: what it makes of a pixel does not depend on where a tile ends."""

    name: ClassVar[str] = "box"
    needs: ClassVar[Needs] = Needs()

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        def mean(y: Tensor) -> Tensor:
            return F.avg_pool2d(F.pad(y, (2, 2, 2, 2), mode="reflect"), 5, 1)

        return Estimate(mean(problem.y), function=mean)


def restored(picture: np.ndarray[Any, Any] | Image, tiling: Tiling | None = SMALL, **options: Any) -> Result:
    """Restore a picture in tiles, with a first picture that takes little time."""
    image = picture if isinstance(picture, Image) else image_of_array(picture)
    method = options.get("method", Box())
    pilot = None if method == "auto" else "wavelet"
    request = replace(request_of({**options, "method": method}), tiling=tiling, pilot=pilot)
    return denoise_planes(Requests.of(image, request, time.monotonic()))


def face(channels: int = 1, height: int = 64, width: int = 115) -> np.ndarray[Any, Any]:
    x = clean(height, width, channels).astype(np.float64)
    return x[..., 0] if channels == 1 else x


def noisy(x: np.ndarray[Any, Any], sigma: Any = SIGMA, seed: int = 0) -> np.ndarray[Any, Any]:
    return x + sigma * np.random.default_rng(seed).standard_normal(x.shape)


def holed(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    y = noisy(x).astype(np.float32)
    y[20:23, 30:35] = np.nan
    y[50, 58:70] = np.nan
    return y


PICTURES: dict[str, Callable[[], np.ndarray[Any, Any]]] = {
    "8 bits": lambda: np.rint(255 * np.clip(noisy(face()), 0, 1)).astype(np.uint8),
    "16 bits": lambda: np.rint(65535 * np.clip(noisy(face()), 0, 1)).astype(np.uint16),
    "12 bits in 16": lambda: np.rint(300 + 3000 * np.clip(noisy(face()), 0, 1)).astype(np.uint16),
    "floats": lambda: noisy(face()).astype(np.float32),
    "floats far from 0": lambda: 1e4 + 3 * noisy(face()),
    "colour": lambda: np.rint(255 * np.clip(noisy(face(3)), 0, 1)).astype(np.uint8),
    "NaN": lambda: holed(face()),
    "brightness": lambda: noisy(face(), np.sqrt(0.01 * face() + 1e-3)).astype(np.float32),
}


MEASURED = "brightness"  # of the others the noise is given, which takes less time


@pytest.mark.parametrize("name", PICTURES)
def test_tiles_of_a_local_method_are_the_whole(name: str) -> None:
    y = PICTURES[name]()
    share = 3 / np.ptp(y) if "far" in name else 1.0
    options = {} if name == MEASURED else {"noise": Gaussian(SIGMA * share)}
    whole, tiled = restored(y, None, **options), restored(y, **options)
    assert tiled.image.dtype == y.dtype
    span = whole.input.value_range[1] - whole.input.value_range[0]
    assert tiled.noise.kind == whole.noise.kind
    assert tiled.noise.level == pytest.approx(whole.noise.level, rel=0.05)
    # whole numbers that lie in the middle of two may be rounded otherwise
    apart = np.abs(tiled.image.astype(np.float64) - whole.image.astype(np.float64))
    gone = np.isnan(y) if y.dtype.kind == "f" else np.zeros(y.shape, np.bool_)
    assert apart[~_near(gone)].max() <= (1 if y.dtype.kind == "u" else 2e-5 * span)
    assert (apart > 2e-5 * span).mean() < 0.01
    assert tiled.psnr is not None
    assert whole.psnr is not None
    assert tiled.psnr.value == pytest.approx(whole.psnr.value, abs=1.0)
    assert tiled.psnr.low < whole.psnr.value < tiled.psnr.high
    assert tiled.psnr_input == pytest.approx(whole.psnr_input, abs=0.2)


def _near(gone: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return what a hole reaches: what is put there for a method that does not look depends on the tile."""
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(gone, np.ones((9, 9)), iterations=1)) if gone.any() else gone


def test_similar_patches_in_tiles_are_as_good_and_leave_no_seam() -> None:
    x = face(height=192, width=64)
    y = noisy(x).astype(np.float32)
    method = MultiScale((Stage("sure", 7, 18, step=2, radius=6),), scales=1)  # the same places in tiles
    whole = restored(y, None, method=method, sigma=SIGMA).image
    tiling = Tiling(88, 20)
    tiled = restored(y, tiling, method=method, sigma=SIGMA).image
    assert abs(psnr(tiled, x) - psnr(whole, x)) < 0.01
    seams = {tile.own[0].start for tile in tiling.tiles(*x.shape)} - {0}
    assert seams
    jumps = np.abs(np.diff(tiled - whole, axis=0)).mean(1)  # the picture's own edges are in both
    at_seams = jumps[[seam - 1 for seam in seams]].mean()
    assert at_seams < 1.5 * np.median(jumps) + 1e-4


def test_a_level_that_varies_over_the_plane_is_that_of_the_place() -> None:
    x = np.full((200, 220), 0.5)
    rows, columns = np.mgrid[-1:1:200j, -1:1:220j]
    level = 0.04 * np.exp(0.6 * (rows + columns))
    y = noisy(x, level).astype(np.float32)
    whole, tiled = restored(y, None), restored(y, Tiling(128, 16))
    assert isinstance(tiled.noise, NoiseMap)
    assert tiled.psnr is not None
    assert whole.psnr is not None
    assert tiled.psnr.value == pytest.approx(whole.psnr.value, abs=1.0)
    assert any("varies over the picture" in note for note in tiled.notes)


def test_a_map_that_is_given_is_cut_with_the_plane() -> None:
    level = np.linspace(0.02, 0.1, 115) * np.ones((64, 1))
    y = noisy(face(), level).astype(np.float32)
    whole, tiled = (restored(y, tiling, noise=NoiseMap(Gaussian(1.0), level)) for tiling in (None, SMALL))
    np.testing.assert_allclose(tiled.image, whole.image, atol=2e-5)
    assert tiled.psnr_input == pytest.approx(whole.psnr_input, abs=0.2)


def test_a_smaller_map_is_laid_over_a_larger_plane() -> None:
    rows, columns = np.mgrid[1:2:9j, 1:3:17j]
    law = NoiseMap(Gaussian(0.1), rows * columns)
    window = (slice(10, 30), slice(5, 40))
    exact = (np.mgrid[1:2:65j, 1:3:129j][0] * np.mgrid[1:2:65j, 1:3:129j][1])[window]
    np.testing.assert_allclose(law.part(window, (65, 129)).pixel_levels, exact, rtol=1e-12)


def test_squares_that_are_spread_over_a_plane_have_its_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "SAMPLED", 2**14)
    monkeypatch.setattr(survey, "BLOCK", 64)
    x = np.tile(face(height=128, width=128), (1, 2))
    found = restored(noisy(x, 0.1).astype(np.float32), Tiling(150, 16))
    assert found.noise.kind == "gaussian"
    assert found.noise.level == pytest.approx(0.1, rel=0.03)


def test_a_sample_has_the_proportions_of_the_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.image.spread.BLOCK", 16)
    image = image_of_array(noisy(np.zeros((640, 320))).astype(np.float32))
    plane = image.plane(0)
    assert plane.raw is not None
    scale = survey.Scale.of((plane.raw, plane.missing), [(plane.raw, plane.missing)], image.value_range)
    assert sampled(image, 0, scale, 80 * 160).values.shape == (160, 80, 1)
    assert sampled(image, 0, scale, 10**9).values.shape == (640, 320, 1)


def test_the_same_picture_with_any_number_of_threads() -> None:
    y = noisy(face()).astype(np.float32)
    found, threads = [], torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(restored(y, sigma=SIGMA).image)
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_padding_is_the_whole_planes_and_stays() -> None:
    y = np.rint(1000 + 2000 * noisy(face(height=100, width=100))).astype(np.uint16)
    y[:, :20] = 0
    tiled = restored(y, noise=Gaussian(SIGMA * 2000 / 65535))
    np.testing.assert_array_equal(tiled.image[:, :20], 0)
    assert tiled.notes.count("20.0 % of the pixels are padding of one value and were left alone") == 1


def test_what_is_counted_is_counted_once() -> None:
    y = holed(face())
    gone = int(np.isnan(y).sum())
    said = part(gone, y.size, "pixel", "held no measurement and {were} filled in")
    tiled = restored(y, sigma=SIGMA)
    assert said in tiled.notes
    assert not np.isnan(tiled.image).any()


def test_empty_tiles_stay_as_they_are_and_do_not_count() -> None:
    y = noisy(face(height=288, width=96), 0.1).astype(np.float32)
    y[:100] = 0.25
    tiled = restored(y, Tiling(96, 8))
    np.testing.assert_allclose(tiled.image[:90], y[:90], atol=1e-6)
    assert psnr(tiled.image[120:], face(height=288, width=96)[120:]) > 21
    assert tiled.method == "box"


def test_sentences_that_differ_in_numbers_are_one() -> None:
    said = [(("as it is", "level 1.5 found"), 10), (("as it is", "level 2 found"), 30), (("as it is",), 60)]
    assert told_once(said) == ["as it is", "in 40 % of the plane, such as: level 2 found"]
    assert told_once(said[:2])[1] == "in all parts, such as: level 2 found"


def test_auto_decides_once(monkeypatch: pytest.MonkeyPatch) -> None:
    y = noisy(face()).astype(np.float32)
    monkeypatch.setattr("untaught.pipeline.plane.choose_methods.FEW", 10**9)  # no network
    tiled = restored(y, method="auto")
    assert tiled.method == "nonlocal"
    assert [plane.method for plane in tiled.recipe.planes] == ["nonlocal"]
    assert psnr(tiled.image, face()) > psnr(y, face()) + 6
    assert tiled.why.startswith("the noise is independent between pixels")
    assert tiled.why.endswith("decided on one of the parts that it was restored in, and done on all")


def test_a_fit_begins_with_what_the_last_one_has_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    inner = type(DIP_FAST).init

    def init(self: Any, problem: Problem, seed: int) -> Any:
        seen.append((problem.warm_start is not None, seed))
        return inner(self, problem, seed)

    monkeypatch.setattr(type(DIP_FAST), "init", init)
    tiled = restored(noisy(face()).astype(np.float32), method=DIP_FAST, sigma=SIGMA)
    assert [warm for warm, _ in seen] == [False] + [True] * (len(seen) - 1)
    assert len({seed for _, seed in seen}) == len(seen) > 1
    assert tiled.method == "dip"


def test_ctrl_c_leaves_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    y, calls = noisy(face()).astype(np.float32), []
    inner = Box.solve

    def solve(self: Box, problem: Problem, seed: int = 0) -> Estimate:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return inner(self, problem, seed)

    monkeypatch.setattr(Box, "solve", solve)
    tiled = restored(y, sigma=SIGMA)
    assert tiled.interrupted
    assert "1 of 3 parts were not reached and are as they were" in tiled.notes
    np.testing.assert_array_equal(tiled.image[:, -30:], y[:, -30:])
    assert np.abs(tiled.image[:, :30] - y[:, :30]).mean() > SIGMA / 2


@pytest.mark.parametrize("asked", ["columns", "auto", None])
def test_stripes_of_a_plane_in_parts_are_those_of_the_whole(
    asked: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy, "PIECE", 2000)
    monkeypatch.setattr("untaught.pipeline.tiles.stripes_in_parts.PIECE", 2000)
    monkeypatch.setattr("untaught.noise.estimation.stripes.MOST_LINES", 60)
    rng = np.random.default_rng(4)
    y = noisy(face(height=128, width=128), 0.04) + 0.05 * rng.standard_normal(128)
    y[100:103, 20:30] = np.nan
    y = np.clip(y, 0.05, 0.9).astype(np.float32)
    whole, tiled = (restored(y, tiling, sigma=0.04, stripes=asked) for tiling in (None, SMALL))
    (said,) = [note for note in whole.notes if "stripes" in note]
    assert said in tiled.notes
    assert ("taken out" in said) == (asked is not None)
    np.testing.assert_allclose(tiled.image[:90], whole.image[:90], atol=2e-5)
    assert tiled.psnr is not None
    assert whole.psnr is not None
    assert tiled.psnr.value == pytest.approx(whole.psnr.value, abs=0.5)


def test_a_plane_in_parts_without_stripes_says_nothing_of_them() -> None:
    assert not any("stripes" in note for note in restored(noisy(face()), sigma=SIGMA).notes)


@pytest.mark.parametrize("memory", [1, "100 MiB", FIXED])
def test_too_little_memory_for_one_tile_is_one_sentence(memory: int | str) -> None:
    with pytest.raises(InputError, match="is too little: the smallest part of the picture") as caught:
        denoise(noisy(face()), method="nonlocal", memory=memory)
    assert "\n" not in str(caught.value)


def test_the_memory_decides_the_tiles_and_is_in_the_recipe_only_then(tmp_path: Path) -> None:
    y = noisy(np.tile(face(height=100, width=100), (3, 3)), 0.05)
    image = Image.of(np.rint(255 * np.clip(y, 0, 1)).astype(np.uint8), "YX")
    few = request_of({"method": "wavelet", "memory": FIXED + 45_000 + 3400 * 270**2})
    tiling = tiling_for(image, few)
    assert tiling is not None
    assert tiling.side == 256
    assert tiling_for(image, replace(few, memory=2**31)) is None
    write(tmp_path / "a.png", image)
    options = {"method": "wavelet", "sigma": 0.05, "axes": "YX"}
    result = denoise(tmp_path / "a.png", memory=few.memory, **options)  # type: ignore[arg-type]
    assert result.recipe.memory == few.memory
    assert f"--memory {few.memory}" in str(result.command)
    assert any("restored in 4 parts" in note for note in result.notes)
    np.testing.assert_array_equal(rerun(result.recipe, tmp_path / "a.png").image, result.image)
    assert denoise(tmp_path / "a.png", memory="4GiB", **options).recipe.memory is None  # type: ignore[arg-type]


def test_a_disk_that_is_full_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lazy, "SMALL", 1000)
    monkeypatch.setattr(lazy, "_reserve", full)
    with pytest.raises(OutputError, match=r"has no room for .*No space left on device") as caught:
        restored(noisy(face()).astype(np.float32), sigma=SIGMA)
    assert "\n" not in str(caught.value)


def test_a_plane_on_the_disk_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    y = noisy(face()).astype(np.float32)
    held = restored(y, sigma=SIGMA).image
    monkeypatch.setattr(lazy, "SMALL", 1000)
    monkeypatch.setattr(lazy, "PIECE", 2000)
    mapped = restored(y, sigma=SIGMA).image
    assert lazy.is_mapped(mapped)
    np.testing.assert_array_equal(mapped, held)


def test_a_look_at_a_large_plane_is_at_squares_of_it() -> None:
    x = np.tile(face(height=128, width=128), (3, 3))
    y = np.rint(255 * np.clip(noisy(x, 0.1), 0, 1)).astype(np.uint8)
    found = inspect(y, axes="YX", memory=FIXED + y.nbytes + 3400 * 256**2)
    assert found.planes[0].report.model.level == pytest.approx(0.1, rel=0.05)
    assert any("squares that are spread" in note for note in found.notes)


def test_the_toy_is_a_formula() -> None:
    method: object = Box()
    assert isinstance(method, ClosedForm)
