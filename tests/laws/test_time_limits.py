"""Laws of the time limit: what does not fit is left out, and said; the answer is no worse than the input."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.conftest import clean, noisy, tensor
from tests.laws.test_methods import QUICK as METHODS_QUICK
from untaught import Image, Result, deblur, demosaic, denoise, inpaint, rerun, upscale
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options
from untaught.methods.inpainting.exemplar import Exemplar
from untaught.methods.inpainting.fill import Fill
from untaught.methods.inpainting.impulse_fill import ImpulseFill
from untaught.methods.non_local.multiscale import MultiScale, Quick, Thorough
from untaught.methods.non_local.single_scale import HURRIED
from untaught.methods.plug_and_play import PlugAndPlay
from untaught.methods.time_limit import AT_ONCE, MARGIN, first_that_fits, seconds_for_all
from untaught.noise import Gaussian
from untaught.pipeline.plane.measure_in_time import FOR_MEASURING, SECONDS, in_time, some_of
from untaught.pipeline.request import Request
from untaught.problem import Problem

SIDE = 72
X = np.rint(255 * clean(SIDE, SIDE)).astype(np.uint8)
NOISY = np.clip(np.rint(255 * noisy(clean(SIDE, SIDE), 0.1)), 0, 255).astype(np.uint8)
LIMIT = 1e-3
SLOW = 1.0  # seconds a pixel


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part of a picture tell that every pixel takes a second; it is run all the same."""

    def told(run: Callable[[Tensor], object], picture: Tensor, probe: int = 64) -> float:
        return SLOW

    monkeypatch.setattr("untaught.methods.time_limit.seconds_a_pixel", told)


def error(image: NDArray[Any], truth: NDArray[Any] = X) -> float:
    return float(np.mean((image.astype(float) - truth) ** 2))


def said(result: Result) -> str:
    """Return all that a person is told."""
    rows = [row.note for row in result.candidates]
    return " ".join([*result.notes, result.why, result.stopped.reason, *rows]).lower()


def holes() -> NDArray[np.bool_]:
    kept = np.random.default_rng(0).random((SIDE, SIDE)) < 0.6
    kept[30:44, 30:44] = False
    return kept


def filled(method: str) -> tuple[Result, NDArray[Any]]:
    kept = holes()
    y = X * kept[..., None].astype(np.uint8)
    return inpaint(y, kept, method=method, noise="gaussian:0", time_limit=LIMIT), y


def salted() -> tuple[Result, NDArray[Any]]:
    y, hit = X.copy(), np.random.default_rng(0).random(X.shape)
    y[hit < 0.05], y[hit > 0.95] = 0, 255
    return denoise(y, method="impulse-fill", noise="impulse:0.1", time_limit=LIMIT), y


def sharpened() -> tuple[Result, NDArray[Any]]:
    return deblur(X, "gaussian:1", method="pnp", noise="gaussian:1", time_limit=LIMIT), X


SPECIAL: dict[str, Callable[[], tuple[Result, NDArray[Any]]]] = {
    "fill": lambda: filled("fill"),
    "exemplar": lambda: filled("exemplar"),
    "impulse-fill": salted,
    "pnp": sharpened,
}


@pytest.mark.usefixtures("slow_machine")
@pytest.mark.parametrize("name", METHODS_QUICK)
def test_a_limit_that_is_too_short_ends_in_an_answer_no_worse_and_says_so(name: str) -> None:
    if name in SPECIAL:
        result, y = SPECIAL[name]()
    else:
        result, y = denoise(NOISY, method=METHODS_QUICK[name], noise="gaussian:25.5", time_limit=LIMIT), NOISY
    assert error(result.image) <= max(error(y), 40.0 if name == "pnp" else 0.0)
    assert "time" in said(result)


@pytest.mark.usefixtures("slow_machine")
@pytest.mark.parametrize("verb", ["demosaic", "upscale"])
def test_what_has_to_be_made_is_made_in_any_time(verb: str) -> None:
    mosaic = np.empty((SIDE, SIDE), np.uint8)
    for (top, left), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        mosaic[top::2, left::2] = X[top::2, left::2, channel]
    if verb == "demosaic":
        result = demosaic(mosaic, "RGGB", noise="gaussian:0", time_limit=LIMIT)
    else:
        result = upscale(X[::2, ::2], 2, method="pnp", noise="gaussian:0", time_limit=LIMIT)
    assert result.image.shape == X.shape
    assert error(result.image) < 500
    assert "to end in time" in said(result)


@pytest.mark.usefixtures("slow_machine")
def test_what_was_made_in_little_time_is_made_again_from_its_recipe() -> None:
    for result, y in (filled("fill"), salted()):
        assert np.array_equal(rerun(result.recipe, y).image, result.image)


PROBLEM = Problem(tensor(noisy(clean(SIDE, SIDE), 0.1)), torch.ones(1, 1, SIDE, SIDE), Gaussian(0.1))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1e4, MultiScale()), (25.0, Quick()), (6.0, Quick(stages=HURRIED)), (1.0, None)],
)
def test_the_effort_falls_with_the_time(
    monkeypatch: pytest.MonkeyPatch, seconds: float, expected: MultiScale | None
) -> None:
    whole = {4: 100.0, 2: 8.0, 1: 2.0}  # seconds for all of it, by the number of stages

    def told(method: MultiScale, problem: Problem) -> float:
        return whole[len(method.stages)]

    monkeypatch.setattr(MultiScale, "_run", told)
    monkeypatch.setattr("untaught.methods.non_local.multiscale.make_ready", lambda *_: None)
    monkeypatch.setattr("untaught.methods.non_local.multiscale.seconds_for_all", lambda run, *_: run)
    assert MultiScale().within(PROBLEM, seconds) == expected
    assert Thorough.quicker(Thorough())[0] == MultiScale()


def test_the_first_that_fits_is_taken_and_none_where_none_does() -> None:
    assert first_that_fits([("a", 9.0), ("b", 3.0)], 10.0 / MARGIN) == "a"
    assert first_that_fits([("a", 9.0), ("b", 3.0)], 4.0 / MARGIN) == "b"
    assert first_that_fits([("a", 9.0), ("b", 3.0)], 1.0) is None
    assert first_that_fits([("a", 9.0), ("b", AT_ONCE)], 0.0) == "b"


def test_a_part_that_was_too_quick_to_tell_is_followed_by_a_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def told(run: Callable[[Tensor], object], picture: Tensor, probe: int = 64) -> float:
        asked.append(probe)
        return 1e-3 / probe  # the larger, the better the cores are used

    monkeypatch.setattr("untaught.methods.time_limit.seconds_a_pixel", told)
    picture = torch.zeros(1, 1, 2048, 2048)
    assert seconds_for_all(lambda part: part, picture, 1e9) == pytest.approx(1e-3 / 64 * 2048**2)
    assert seconds_for_all(lambda part: part, picture, 60.0) == pytest.approx(1e-3 / 128 * 2048**2)
    assert asked == [64, 64, 128]


def test_passes_are_cut_to_the_time_and_the_first_guess_is_left() -> None:
    y = PROBLEM.y[0]
    known = torch.from_numpy(holes()).float().expand_as(y)
    how = ImpulseFill(regional=2, passes=3)
    for need, counts in ((0.0, (2, 3)), (1.0, (2, 2)), (3.0, (1, 0)), (9.0, (0, 0))):

        class Told(ImpulseFill):
            def _seconds_a_pass(self, *_: object, need: float = need) -> float:
                return need

        cut = Told(how.patch, regional=2, passes=3).cut(y, known, 4.0)
        assert (cut.regional, cut.passes) == counts


@pytest.mark.usefixtures("slow_machine")
def test_plug_and_play_with_fewer_steps_begins_lower() -> None:
    problem = Problem(PROBLEM.y, torch.from_numpy(holes())[None, None].float(), Gaussian(0.01))
    few = PlugAndPlay().within(problem, 4.0 * SLOW * SIDE**2)
    assert isinstance(few, PlugAndPlay)
    assert 0 < few.steps < 8
    assert PlugAndPlay.end < few.start < PlugAndPlay.start
    none = PlugAndPlay().within(problem, 0.0)
    assert isinstance(none, PlugAndPlay)
    assert torch.equal(
        fit(none, problem, 0, Options(seconds=0.0)).estimate.image, next(none.passes(problem, 0)).estimate.image
    )


@pytest.mark.usefixtures("slow_machine")
def test_narrow_gaps_leave_time_for_wide_holes() -> None:
    problem = Problem(PROBLEM.y, torch.from_numpy(holes())[None, None].float(), Gaussian(0.0))
    assert Exemplar().within(problem, 0.0).narrow == Fill().within(problem, 0.0)
    assert Fill().within(problem, 0.0).pixels.passes == 0


def test_planes_that_the_time_does_not_reach_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.methods.time_limit.seconds_a_pixel", lambda *_: SLOW)
    stack = np.stack([NOISY[..., 0], NOISY[::-1, :, 1], NOISY[:, ::-1, 2]])
    result = denoise(Image.of(stack, "TYX"), noise="gaussian:25.5", time_limit=LIMIT, together="none")
    assert np.array_equal(result.image[1:], stack[1:])
    assert "the time was over before this plane was begun" in said(result)


def test_tiles_that_the_time_does_not_reach_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.pipeline.tiles.restore_tiles._seconds_left", lambda *_: 0.0)
    y = np.tile(NOISY[..., 0], (7, 7))
    result = denoise(y, method="nlm", noise="gaussian:25.5", time_limit=1.0, memory="760MiB")
    assert "the time was over before" in said(result)
    assert error(result.image, np.tile(X[..., 0], (7, 7))) < error(y, np.tile(X[..., 0], (7, 7)))


def test_a_series_is_taken_apart_where_there_is_no_time_for_it_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.methods.time_limit.seconds_a_pixel", lambda *_: SLOW)
    rng = np.random.default_rng(0)
    film = np.stack([np.clip(X[..., 0] + rng.normal(0, 20, X.shape[:2]), 0, 255) for _ in range(3)]).astype(
        np.uint8
    )
    result = denoise(Image.of(film, "TYX"), noise="gaussian:20", time_limit=60.0)
    assert "one by one, and not together" in said(result)


def test_the_noise_is_measured_on_some_of_a_picture_and_made_again() -> None:
    values, missing = np.zeros((1024, 512, 3), np.float32), np.zeros((1024, 512), np.bool_)
    enough = 1.5 * SECONDS * values.size / 1e6 / FOR_MEASURING
    assert in_time(values, missing, Request(seconds=enough)).measured_on == 0
    assert in_time(values, missing, Request(seconds=None)).measured_on == 0
    some = in_time(values, missing, Request(seconds=enough / 6)).measured_on
    assert some == pytest.approx(1024 * 512 / 4, rel=0.01)
    assert some_of(values, missing, some)[0].shape == (512, 256, 3)
    y = np.clip(
        np.rint(
            np.tile(255 * clean(320, 320, 1)[..., 0], (2, 2)) + np.random.default_rng(0).normal(0, 20, (640, 640))
        ),
        0,
        255,
    ).astype(np.uint8)
    result = denoise(y, method="nlm", time_limit=0.5)
    assert result.recipe.planes[0].measured_on == 256**2
    assert "the noise was measured on 16% of the picture" in said(result)
    assert result.noise.level == pytest.approx(20 / 255, rel=0.05)


def test_no_step_is_begun_that_would_not_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    class Dear(type(METHODS_QUICK["dip"])):  # type: ignore[misc]
        def loss(self, *given: Any) -> Tensor:
            clock[0] += 2.0
            found: Tensor = super().loss(*given)
            return found

    found = fit(Dear(steps=20, shape=METHODS_QUICK["dip"].shape), PROBLEM, 0, Options(seconds=7.0))  # type: ignore[union-attr]
    assert (found.stopped.rule, clock[0]) == ("time limit", 6.0)
