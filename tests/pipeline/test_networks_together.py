"""Networks fitted to all planes of a series: that they gain by it, go on where they were, and hold little."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.conftest import psnr
from tests.pipeline.test_together import film, noisy
from untaught import Image, InputError, denoise, rerun
from untaught.fitting.loop import fit
from untaught.fitting.progress import Progress
from untaught.method import Method
from untaught.methods.networks.codes import Code
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.networks.unet import UNetShape
from untaught.methods.registry import make
from untaught.methods.self_supervised import noise2noise
from untaught.methods.untrained.dip import DIP
from untaught.noise import Gaussian
from untaught.pipeline.request import Request
from untaught.pipeline.stacks import fit_series, read_planes
from untaught.pipeline.stacks.choose_together import shared_method
from untaught.pipeline.stacks.find_series import find_series
from untaught.pipeline.stacks.read_planes import SeriesPlanes
from untaught.pipeline.stacks.survey_series import survey_series
from untaught.problem import Problem

LEVEL = 0.08


def small(name: str, steps: int = 150, **more: Any) -> Method:
    """Return a method with a network that takes a moment."""
    settings = {"crop": 24, "batch": 2, "rate": 0.01, "decay": 0.95, "shape": UNetShape(8, 2), "neighbours": 2}
    return make(name, {**settings, "steps": steps, **more})


def still(planes: int = 5, side: int = 40) -> NDArray[np.float32]:
    return np.repeat(film(1, side=side), planes, 0)


def test_a_network_for_all_planes_gains_by_their_neighbours_and_knows_it() -> None:
    x = still()
    y = Image.of(noisy(x), "TYX")
    method = small("gr2r", 120, rate=0.005)
    found = denoise(y, method=method, sigma=LEVEL)
    problem = Problem(torch.from_numpy(y.array[2])[None, None], torch.ones(1, 1, *x.shape[1:]), Gaussian(LEVEL))
    alone = fit(method, problem, 0).estimate.image[0, 0].numpy()
    assert found.method == "gr2r"
    assert psnr(found.image[2], x[2]) > psnr(alone, x[2]) + 1
    assert any("help of their neighbours" in note for note in found.notes)
    assert "one network" in found.why
    inside = [
        one.psnr is not None and one.psnr.low - 0.5 < psnr(found.image[k], x[k]) < one.psnr.high + 0.5
        for k, one in enumerate(found.planes)
    ]
    assert all(inside)


def test_planes_that_follow_each_other_are_pairs() -> None:
    x = still(6)
    y = noisy(x)
    found = denoise(Image.of(y, "TYX"), method=small("n2n"), sigma=LEVEL)
    assert found.method == "n2n"
    assert psnr(found.image, x) > psnr(y, x) + 5
    for one in (y[0], y[:1]):
        with pytest.raises(InputError, match="two observations"):
            denoise(one, method="n2n")
    with pytest.raises(InputError, match="two observations"):
        denoise(Image.of(y, "TYX"), method="n2n", together="none")


def test_what_moves_is_not_blurred(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bright thing on a scene that stands still: it must not be drawn where it was, or will be."""
    x = still(6) * 0.5
    for k, plane in enumerate(x):
        plane[12:24, 4 * k : 4 * k + 8] = 0.9
    y = noisy(x, 0.05)
    moving = slice(1, -1), slice(12, 24), slice(0, 34)
    found = denoise(Image.of(y, "TYX"), method=small("n2n", 100), sigma=0.05).image
    monkeypatch.setattr(noise2noise, "steadiness", lambda batch: torch.ones_like(batch.mask))
    blurred = denoise(Image.of(y, "TYX"), method=small("n2n", 100), sigma=0.05).image
    assert psnr(found[moving], x[moving]) > psnr(blurred[moving], x[moving]) + 1


def test_planes_without_company_are_left_and_the_note_says_so() -> None:
    y = np.concatenate([noisy(still(3)), noisy(film(1, "coins", 40))])
    result = denoise(Image.of(y, "TYX"), method=small("n2n", 20), sigma=LEVEL)
    assert np.array_equal(result.image[3], y[3])
    assert not np.array_equal(result.image[2], y[2])
    assert any("T 4/4: n2n needs two observations" in note for note in result.notes)


def test_no_network_sees_beyond_a_cut() -> None:
    first, second = noisy(still(3)), noisy(np.repeat(film(1, "coins", 40), 3, 0), seed=1)
    other = np.concatenate([second[:1], second[:1, ::-1], second[:1]])
    method = small("n2v", 20)
    found, again = (
        denoise(Image.of(np.concatenate([first, rest]), "TYX"), method=method, sigma=LEVEL).image
        for rest in (second, other)
    )
    assert np.array_equal(found[:3], again[:3])


def stop_in(phase: str, step: int):  # type: ignore[no-untyped-def]
    """Return an `on_progress` that presses Ctrl-C at a step of a phase."""

    def told(progress: Progress) -> None:
        if progress.phase == phase and progress.step >= step:
            raise KeyboardInterrupt

    return told


def test_a_fit_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fit_series, "EVERY", 50)
    y = Image.of(noisy(still(4)), "TYX")
    method = small("n2v", 110)
    whole = denoise(y, method=method)
    path = tmp_path / "kept"
    cut = denoise(y, method=method, checkpoint=path, on_progress=stop_in("n2v", 110))
    assert cut.interrupted
    assert len(cut.planes) == 4  # with the network as far as it was fitted
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]
    with pytest.raises(InputError, match="another picture, method or seed"):
        denoise(y, method=method, checkpoint=path, seed=1)
    again = denoise(y, method=method, checkpoint=path)
    assert np.array_equal(again.image, whole.image)
    assert [plane.psnr for plane in again.planes] == [plane.psnr for plane in whole.planes]
    assert not list(tmp_path.iterdir())


def test_a_network_that_was_fitted_is_not_fitted_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from untaught.pipeline.stacks import restore_shared

    y = Image.of(noisy(still(3)), "TYX")
    method, path = small("n2v", 60), tmp_path / "kept"
    whole = denoise(y, method=method)
    answers = restore_shared.restore_series

    def killed(*_: object) -> None:
        raise SystemError

    monkeypatch.setattr(restore_shared, "restore_series", killed)
    with pytest.raises(SystemError):
        denoise(y, method=method, checkpoint=path)
    assert [file.name for file in tmp_path.iterdir()] == ["kept.network"]
    monkeypatch.setattr(restore_shared, "restore_series", answers)
    monkeypatch.setattr(fit_series, "fit", killed)
    assert np.array_equal(denoise(y, method=method, checkpoint=path).image, whole.image)
    assert not list(tmp_path.iterdir())


def test_few_planes_are_held_and_each_is_seen_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    y = Image.of(noisy(film(20, side=32)), "TYX")
    survey = survey_series(y, find_series(y, "auto").series[0], Request())
    planes = SeriesPlanes(survey, Request(), 1, memory=4 * 8 * 32 * 32 * 9)
    assert planes.most == 9
    seen = set()
    for step in range(0, 60 * read_planes.ROUND, read_planes.ROUND):
        present = planes.present(step)
        assert len(present) == 3
        assert list(present) == list(planes.present(step + read_planes.ROUND - 1))
        for place in present:
            planes.at(place)
            seen.add(place)
        assert len(planes._held) <= 9
    assert seen == set(range(20))
    first = planes.at(5).y
    for place in range(10, 20):
        planes.at(place)
    assert 5 not in planes._held
    assert np.array_equal(planes.at(5).y, first)  # drawn alike when it is read again
    roomy = SeriesPlanes(survey, Request(), 1, memory=2**30)
    assert list(roomy.present(0)) == list(range(20))


def test_a_fit_that_does_not_hold_all_planes_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    x = still(10, 32)
    y = Image.of(noisy(x), "TYX")
    method = small("gr2r", rate=0.005, neighbours=1)
    whole = denoise(y, method=method, sigma=LEVEL)
    monkeypatch.setattr(read_planes, "MOST", 8 * 32 * 32 * 6)
    monkeypatch.setattr(read_planes, "ROUND", 10)
    few = denoise(y, method=method, sigma=LEVEL)
    assert not np.array_equal(few.image, whole.image)
    assert psnr(few.image, x) == pytest.approx(psnr(whole.image, x), abs=1)


PICTURES = {
    "8-bit colours": lambda y: (
        np.rint(255 * np.clip(np.stack([y, y[::-1], y], -1), 0, 1)).astype(np.uint8),
        "TYXS",
    ),
    "16-bit channels": lambda y: (
        np.rint(9000 * np.clip(np.stack([y, 1 - y], 1), 0, 1)).astype(np.uint16),
        "TCYX",
    ),
    "float64, NaN": lambda y: (np.where(np.indices(y.shape)[1] % 17 == 5, np.nan, 300 + 90.0 * y), "ZYX"),
}


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("name", ["n2v", "n2n"])
def test_types_sizes_channels_and_gaps_are_as_elsewhere(name: str, kind: str) -> None:
    array, axes = PICTURES[kind](noisy(film(3, side=45))[:, :33])
    result = denoise(Image.of(array, axes), method=small(name, 10), noise="gaussian:20")
    assert result.method == name
    assert result.image.dtype == array.dtype
    assert result.image.shape == array.shape
    assert np.isfinite(result.image).all()
    assert result.psnr is not None
    assert result.recipe.together == "auto"


def test_more_planes_take_more_steps_but_not_as_many() -> None:
    y = Image.of(noisy(film(9, side=32)), "TYX")
    series = find_series(y, "auto").series[0]
    found = shared_method(Request(method="n2v"), series)
    assert found is not None
    assert found.steps == 3 * make("n2v").steps  # type: ignore[union-attr]
    mine = small("n2v")
    assert shared_method(Request(method=mine), series) == mine
    for other in ("nlm", "neighbor2neighbor", "nonlocal", "auto"):
        assert shared_method(Request(method=other), series) is None


def test_noise_that_cannot_be_drawn_again_leaves_the_planes_one_by_one() -> None:
    x = still(3, 32)
    y = x.copy()
    hit = np.random.default_rng(0).random(x.shape) < 0.1
    y[hit] = np.random.default_rng(1).integers(0, 2, int(hit.sum()))
    result = denoise(Image.of(y, "TYX"), method=small("n2v", 10), noise="impulse:0.1")
    assert any("one by one" in note for note in result.notes)


def test_the_rule_that_was_asked_for_is_kept_to() -> None:
    y = Image.of(noisy(still(3, 32)), "TYX")
    method = replace(small("n2v", 70), bfloat16=False)  # type: ignore[type-var]
    result = denoise(y, method=method, stop="steps")
    assert result.stopped.step == 70
    assert np.array_equal(rerun(result.recipe, y).image, result.image)


def test_what_dip_draws_from_holds_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plane that is not its own neighbour, on the scale of the plane; of a plane alone, nothing."""
    seen: list[torch.Tensor | None] = []
    method = DIP(steps=5, shape=HourglassShape(width=8, depth=2, skip=4), code=Code(random=4), neighbours=1)
    code = DIP._code

    def looked(self: DIP, problem: Problem, generator: torch.Generator) -> torch.Tensor:
        seen.append(problem.context)
        assert problem.context is None or problem.warm_start is None  # that fit has seen this plane
        return code(self, problem, generator)

    monkeypatch.setattr(DIP, "_code", looked)
    y = noisy(still(3, 32))
    result = denoise(Image.of(y, "TYX"), method=method, sigma=LEVEL)
    assert any("help of their neighbours" in note for note in result.notes)
    for k, around in enumerate(((1, 1), (0, 2), (1, 1))):
        context = seen[k]
        assert context is not None
        low, high = y[k].min(), y[k].max()
        for channel, at in enumerate(around):
            expected = (y[at] - low) / (high - low)
            assert np.allclose(context[0, channel].numpy(), expected, atol=0.05)
    assert np.array_equal(rerun(result.recipe, Image.of(y, "TYX")).image, result.image)
    seen.clear()
    denoise(Image.of(y, "TYX"), method=method, sigma=LEVEL, together="none")
    assert seen[0] is None
