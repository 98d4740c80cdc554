"""Ctrl-C while a formula or a fit is at work: what was ready is kept, and nothing half made is given out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import clean, noisy, psnr
from tests.helpers.quick import DIP_FAST, R2R_FAST, crop
from tests.pipeline.test_runs import interrupt_at
from untaught import Result, denoise
from untaught.fitting.progress import Progress
from untaught.methods.classical.wavelet import Wavelet
from untaught.methods.fusion import Fusion
from untaught.methods.non_local.multiscale import MultiScale, Thorough
from untaught.pipeline.plane import pilot


def cut(monkeypatch: pytest.MonkeyPatch, method: type) -> None:
    """Let a formula be interrupted as soon as it begins."""

    def solve(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(method, "solve", solve)


def test_an_unfinished_fit_does_not_replace_an_input_that_nothing_is_better_than(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("untaught.pipeline.plane.choose_methods.FEW", 0)
    texture = np.random.default_rng(0).uniform(0.2, 0.8, (32, 32, 3)).astype(np.float32)
    y = noisy(texture, 2.55 / 255)
    result = denoise(y, noise="gaussian:2.55", effort="best", on_progress=interrupt_at(5, "dip"))
    assert result.interrupted
    assert result.method == "none"
    assert np.array_equal(result.image, y)


def test_a_formula_that_is_interrupted_leaves_the_best_of_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.pipeline.plane.choose_methods.FEW", 0)
    cut(monkeypatch, Thorough)
    result = denoise(crop(), noise="gaussian:25", effort="best")
    assert result.interrupted
    assert result.method == "nonlocal"
    assert psnr(result.image, clean(32, 32)) > psnr(crop(), clean(32, 32)) + 3


def test_a_formula_that_was_asked_for_leaves_the_first_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    cut(monkeypatch, Wavelet)
    result = denoise(crop(), method="wavelet")
    assert result.interrupted
    assert result.method == "nonlocal"
    assert "wavelet was asked for, but it was interrupted" in result.why


def test_a_first_picture_that_is_made_again_leaves_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.pipeline.plane.pilot.WEAKER", 10.0)  # always again
    made: list[object] = []
    solve = MultiScale.solve

    def once(*args: Any) -> Any:
        if made:
            raise KeyboardInterrupt
        made.append(args)
        return solve(*args)

    monkeypatch.setattr(MultiScale, "solve", once)
    result = denoise(crop(), noise="gaussian:25")
    assert result.interrupted
    assert result.method == "nonlocal"


def _fused(path: Path, **more: Any) -> Result:
    parts = ("nonlocal", replace(DIP_FAST, steps=30), replace(R2R_FAST, steps=130))
    return denoise(crop(), method=Fusion(parts), noise="gaussian:25", stop="steps", checkpoint=path, **more)


def test_a_mixture_goes_on_although_it_was_interrupted_in_its_second_fit(tmp_path: Path) -> None:
    path = tmp_path / "state"
    whole = _fused(tmp_path / "other")
    assert _fused(path, on_progress=interrupt_at(110, "r2r")).interrupted
    again = _fused(path)
    assert not again.interrupted
    assert np.array_equal(again.image, whole.image)
    assert not list(tmp_path.iterdir())


def test_resuming_does_not_hang_on_the_last_digit_of_the_first_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU sums differ from run to run, and what a rule keeps back follows a level measured on them."""
    path, method, exact = tmp_path / "state", replace(DIP_FAST, steps=120), pilot.refine

    def shaken(*args: Any) -> Any:
        found = exact(*args)
        return replace(found, sigma=found.sigma * (1 + 1e-7))

    assert denoise(crop(), method=method, checkpoint=path, on_progress=interrupt_at(110, "dip")).interrupted
    assert path.exists()
    monkeypatch.setattr(pilot, "refine", shaken)
    assert not denoise(crop(), method=method, checkpoint=path).interrupted


@pytest.mark.parametrize("answer", [False, None])
def test_progress_that_answers_false_ends_a_fit_and_keeps_the_best(answer: bool | None) -> None:
    looks: list[int] = []

    def watch(progress: Progress) -> bool | None:
        looks.append(progress.step)
        return answer if progress.step else None

    result = denoise(crop(), method=replace(DIP_FAST, steps=60), stop="steps", sigma=0.1, on_progress=watch)
    assert result.interrupted is (answer is False)
    assert (max(looks) < 60) is (answer is False)
