"""Tasks with an operator, tile by tile: as if their pictures had been restored at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy.ndimage import label
from torch import Tensor

from tests.conftest import clean
from untaught import InputError, rerun, restore
from untaught.image.image import Image, image_of_array
from untaught.image.tiling import Tiling
from untaught.method import Needs
from untaught.operators import Blur, Downsample, Identity, Mask, Mosaic, compose
from untaught.operators.structure import Bounded
from untaught.pipeline.planes import Requests
from untaught.pipeline.request import request_of
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.dejpeg import dejpeg_planes
from untaught.pipeline.tasks.output_image import framed, measurement
from untaught.pipeline.tasks.run import of_picture
from untaught.pipeline.tiles import holes
from untaught.pipeline.tiles.memory_need import FIXED, tiling_for
from untaught.pipeline.tiles.parts import Whole
from untaught.pipeline.tiles.through_operator import parts_for
from untaught.problem import Estimate, Problem
from untaught.results.result import Result

HEIGHT, WIDTH = 96, 132
SMALL = Tiling(64, 12)


@dataclass(frozen=True)
class Steps:
    """Two steps down the misfit: what it makes of a pixel depends on its neighbours, not on where a tile ends."""

    name: ClassVar[str] = "steps"
    needs: ClassVar[Needs] = Needs(identity=False)

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        x = problem.initial()
        if isinstance(problem.operator, Bounded):
            return Estimate(problem.operator.nearest(x, problem.y, problem.operator.level(problem.y)))
        for _ in range(2):
            rest = problem.mask * (problem.y - problem.measured(x))
            x = x + (rest if problem.operator is None else problem.operator.A_adjoint(rest))
        return Estimate(x)


@dataclass(frozen=True)
class Means:
    """Every hole is filled with the mean of what was measured in a rectangle around it: all of it counts."""

    name: ClassVar[str] = "means"
    needs: ClassVar[Needs] = Needs()

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        x, gone = problem.y.clone(), (problem.mask[0, 0] == 0).numpy()
        names, count = label(gone, np.ones((3, 3)))
        for number in range(1, count + 1):
            rows, columns = (np.flatnonzero((names == number).any(axis)) for axis in (1, 0))
            box = slice(max(rows[0] - 3, 0), rows[-1] + 4), slice(max(columns[0] - 3, 0), columns[-1] + 4)
            x[..., torch.from_numpy(names == number)] = problem.y[0, 0][box][~torch.from_numpy(gone[box])].mean()
        return Estimate(x)


def solved(y: NDArray[Any] | Image, task: Task, tiling: Tiling | None, **options: Any) -> Result:
    image = y if isinstance(y, Image) else image_of_array(y)
    request = replace(request_of({"method": Steps(), "noise": "gaussian:0", **options}), tiling=tiling)
    return of_picture(Requests.of(image, request, time.monotonic()), task, None)


def random_mask(seed: int = 3, share: float = 0.2) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random((HEIGHT, WIDTH)) > share


def psf() -> Tensor:
    values = torch.rand(5, 4, generator=torch.Generator().manual_seed(1))
    return values / values.sum()


OPERATORS: dict[str, Callable[[], Any]] = {
    "blur valid": lambda: Blur(psf()),
    "blur reflect": lambda: Blur(psf(), "reflect"),
    "blur replicate": lambda: Blur(psf(), "replicate"),
    "bicubic": lambda: Downsample(2, "bicubic"),
    "lanczos3": lambda: Downsample(3, "lanczos3"),
    "box": lambda: Downsample(4, "box"),
    "mosaic": lambda: Mosaic("RGGB"),
    "x-trans": lambda: Mosaic("X-TRANS"),
    "mask": lambda: Mask(torch.from_numpy(random_mask())),
    "nothing": Identity,
    "blur, made small": lambda: compose(Downsample(2, "bicubic"), Blur(psf(), "reflect")),
    "blur, a mask": lambda: compose(Mask(torch.from_numpy(random_mask())), Blur(psf())),
    "blur, a mosaic": lambda: compose(Mosaic("GRBG"), Blur(psf())),
}


def measured(operator: Any) -> NDArray[np.float32]:
    """Return a measurement of 96 x 132 pixels."""
    channels = 3 if "mosaic" in operator.name else 1
    shape = operator.picture_shape((1, 1, HEIGHT, WIDTH))
    x = np.tile(clean(HEIGHT, WIDTH, channels), (5, 5, 1))[: shape[2], : shape[3]]
    y: Tensor = operator.A(torch.from_numpy(x.astype(np.float32)).permute(2, 0, 1)[None])
    return np.asarray(0.1 + 0.8 * y[0, 0].numpy(), np.float32)


def larger(task: Task) -> Tiling:
    """Return tiles of 64 pixels of the measurement, whatever it was made smaller by."""
    assert task.cut is not None
    return Tiling(64 * task.cut.scale, 12 * task.cut.scale)


@pytest.mark.parametrize("name", OPERATORS)
def test_tiles_are_the_whole(name: str) -> None:
    operator = OPERATORS[name]()
    y, task = measured(operator), Task("restore", operator)
    noise = "gaussian:2" if operator.name != "mask" else "gaussian:0"  # with none, the misfit of the whole counts
    whole, tiled = (solved(y, task, tiling, noise=noise) for tiling in (None, larger(task)))
    assert tiled.image.shape == whole.image.shape
    assert any("parts of" in note for note in tiled.notes)
    np.testing.assert_allclose(tiled.image, whole.image, atol=2e-5)
    assert not np.allclose(whole.image, framed(measurement(image_of_array(y), task), task).array, atol=1e-3) or (
        operator.name in ("mask", "identity", "mosaic")  # of which there is nothing more to be made
    )


@pytest.mark.parametrize("name", OPERATORS)
def test_first_pictures_in_parts_are_those_of_the_whole(name: str) -> None:
    operator = OPERATORS[name]()
    image, task = image_of_array(measured(operator)), Task("restore", operator)
    request = replace(request_of({}), tiling=larger(task))
    parts = parts_for(image, task, request)
    assert parts is not None
    whole = framed(measurement(image, task), task)
    tiled = framed(measurement(image, task, parts), task, parts)
    assert tiled.value_range == whole.value_range
    np.testing.assert_allclose(tiled.array, whole.array, atol=2e-5)


def test_the_law_of_noise_is_the_wholes() -> None:
    x = clean(HEIGHT, WIDTH, 1)[..., 0].astype(np.float64)
    level = 0.09
    y = (x + level * np.random.default_rng(0).standard_normal(x.shape)).astype(np.float32)
    tiled = solved(y, Task("restore", Identity()), SMALL, noise="auto", sigma=None)
    whole = solved(y, Task("restore", Identity()), None, noise="auto", sigma=None)
    assert tiled.noise == whole.noise
    assert tiled.noise.level == pytest.approx(level, rel=0.15)
    assert len(set(tiled.notes)) == len(tiled.notes)


def test_what_is_missing_is_counted_once_and_the_error_is_that_of_the_whole() -> None:
    kept = random_mask()
    kept[:, 70:] = True  # of some parts there is nothing to fill in, and nothing is wrong there
    y = np.rint(255 * clean(HEIGHT, WIDTH, 1)[..., 0]).astype(np.uint8)
    task = Task("inpaint", Mask(torch.from_numpy(kept)))
    whole, tiled = solved(y, task, None), solved(y, task, SMALL)
    (said,) = [note for note in whole.notes if "missing" in note]
    assert said in tiled.notes
    np.testing.assert_array_equal(tiled.image[kept], y[kept])
    assert whole.psnr is not None
    assert tiled.psnr is not None
    assert tiled.psnr.low < whole.psnr.value < tiled.psnr.high
    assert tiled.psnr.value == pytest.approx(whole.psnr.value, abs=1.0)


@pytest.mark.parametrize("method", [Means(), Steps()], ids=["means", "steps"])
def test_a_hole_that_no_tile_sees_all_of_is_filled_as_in_the_whole(
    method: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holes, "AROUND", 8)
    monkeypatch.setattr(holes, "DEPTHS", 0)
    y = clean(HEIGHT, WIDTH, 1)[..., 0].astype(np.float32)
    kept = np.ones(y.shape, np.bool_)
    kept[30:62, 20:64] = False  # tiles of 64 x 64 begin and end amid it
    kept[70:72, 100:110] = False
    task = Task("inpaint", Mask(torch.from_numpy(kept)))
    whole, tiled = (solved(y, task, tiling, method=method) for tiling in (None, SMALL))
    tolerance = 2e-5 if isinstance(method, Means) else 0.2
    np.testing.assert_allclose(tiled.image, whole.image, atol=tolerance)
    assert np.isfinite(tiled.image).all()
    assert tiled.psnr is None


def test_a_hole_that_is_larger_than_a_part_may_be_is_one_sentence() -> None:
    y = clean(HEIGHT, WIDTH, 1)[..., 0].astype(np.float32)
    kept = np.ones(y.shape, np.bool_)
    kept[15:80, 20:110] = False
    with pytest.raises(InputError, match=r"a hole of the picture of \d+ x \d+ pixels or more is wider") as caught:
        solved(y, Task("inpaint", Mask(torch.from_numpy(kept))), SMALL)
    assert "\n" not in str(caught.value)


def test_a_long_scratch_is_left_to_the_tiles() -> None:
    y = clean(HEIGHT, WIDTH, 1)[..., 0].astype(np.float32)
    kept = np.ones(y.shape, np.bool_)
    kept[40:51] = False
    tiled = solved(y, Task("inpaint", Mask(torch.from_numpy(kept))), SMALL)
    np.testing.assert_allclose(tiled.image[kept], y[kept], atol=1e-6)
    assert np.ptp(tiled.image[45]) > 0.1


def test_jpeg_files_in_parts_begin_where_blocks_do(tmp_path: Path) -> None:
    x = np.rint(255 * clean(HEIGHT, WIDTH - 3, 3)).astype(np.uint8)
    PillowImage.fromarray(x).save(tmp_path / "a.jpg", quality=20)
    from untaught.image.files import as_image

    found = []
    for tiling in (None, SMALL):
        request = replace(request_of({"method": Steps()}), tiling=tiling)
        found.append(dejpeg_planes(Requests.of(as_image(tmp_path / "a.jpg"), request, time.monotonic())))
    whole, tiled = found
    assert any("parts of" in note for note in tiled.notes)
    assert tiled.noise.level == pytest.approx(whole.noise.level, rel=0.05)
    assert np.abs(tiled.image.astype(int) - whole.image).max() <= 1
    assert np.abs(whole.image.astype(int) - as_image(tmp_path / "a.jpg").array).max() > 3


class Turned:
    """Another package's operator, of which nobody knows what it sees."""

    def A(self, x: Tensor) -> Tensor:  # noqa: N802
        return x.flip(-1)

    def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
        return y.flip(-1)


def test_what_cannot_be_cut_stays_whole_or_says_so() -> None:
    y = np.tile(measured(Identity()), (5, 5))
    with pytest.raises(InputError, match="may depend on all of the picture, so restore works on whole") as caught:
        restore(y, operator=Turned(), memory=FIXED + 3 * y.nbytes + 3400 * 256**2)
    assert "\n" not in str(caught.value)


def test_the_parts_are_of_the_size_of_the_answer() -> None:
    image = image_of_array(np.zeros((1000, 1000), np.uint8))
    asked = request_of({"memory": FIXED + 10**6 + 3400 * 300**2})
    cut = Downsample(4, "bicubic").cut
    assert cut is not None
    small, plain = tiling_for(image, asked, cut), tiling_for(image, asked)
    assert small is not None
    assert plain is not None
    assert (plain.side, small.side) == (288, 72)
    mosaic = tiling_for(image, asked, Mosaic("X-TRANS").cut, 3)
    assert mosaic is not None
    assert mosaic.side % 6 == mosaic.overlap % 6 == 0


def test_a_recipe_makes_the_same_parts_again() -> None:
    x = np.rint(255 * clean(264, 264, 1)[..., 0]).astype(np.uint8)
    memory = FIXED + x.nbytes + 3400 * 256**2
    first = restore(x, method="wavelet", noise="gaussian:8", memory=memory)
    assert any("parts of" in note for note in first.notes)
    assert first.recipe.memory == memory
    np.testing.assert_array_equal(rerun(first.recipe, x).image, first.image)


def test_what_auto_chose_on_one_part_is_not_asked_of_all_when_it_is_done_again() -> None:
    y = clean(HEIGHT, WIDTH, 1)[..., 0].astype(np.float32)
    task = Task("inpaint", Mask(torch.from_numpy(random_mask())))
    image, asked = image_of_array(y), replace(request_of({"noise": "gaussian:0"}), tiling=SMALL)
    parts = parts_for(image, task, asked)
    assert parts is not None
    for method, pilot in ((Steps(), None), (Means(), "fill")):
        again = replace(asked, method=method, pilot=pilot)
        settled = parts.settled(Whole(image, 0, parts.tiling), again)
        assert settled.request.method == "auto"
        assert settled.request.pilot is None
