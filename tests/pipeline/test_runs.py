"""The front door while it works, and after: time, Ctrl-C, stacks, recipes, saving."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import clean, psnr
from tests.helpers.quick import DIP_FAST, R2R_FAST, SMALL, crop, uncut
from untaught import Image, InputError, OutputError, Recipe, denoise, read, rerun, write
from untaught.fitting.progress import Progress
from untaught.fitting.stopping import StepBudget
from untaught.methods import DIP, Noise2Void
from untaught.methods.networks.dncnn import DnCNNShape
from untaught.noise import Gaussian, NoiseModel, parse_noise
from untaught.pipeline.plane.choose_methods import Advice


def interrupt_at(step: int, phase: str = "") -> Callable[[Progress], None]:
    def on_progress(progress: Progress) -> None:
        if progress.step >= step and phase in progress.phase:
            raise KeyboardInterrupt

    return on_progress


def test_the_time_limit_is_kept() -> None:
    endless = DIP(steps=10**7, shape=SMALL)
    started = time.monotonic()
    result = denoise(crop(), method=endless, noise="gaussian:25", stop=StepBudget(), time_limit=2.0)
    elapsed = time.monotonic() - started
    assert elapsed < 60  # without the limit it would be days
    assert result.stopped.rule == "time limit"
    assert psnr(result.image, clean(32, 32)) > psnr(crop(), clean(32, 32))  # however far the fit came
    assert 0 < result.seconds <= elapsed


def test_the_planes_share_the_time() -> None:
    stack = np.stack([crop(24, seed)[..., 0] for seed in range(3)])
    endless = DIP(steps=10**7, shape=DIP_FAST.shape)
    started = time.monotonic()
    result = denoise(stack, method=endless, noise="gaussian:25", stop=StepBudget(), time_limit=3.0)
    assert time.monotonic() - started < 60
    assert all(not np.array_equal(a, b) for a, b in zip(result.image, stack, strict=True))


def test_auto_skips_what_there_is_no_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.pipeline.plane.choose_methods.FEW", 0)
    monkeypatch.setattr("untaught.pipeline.plane.selection.LEAST_SECONDS", 100.0)
    result = denoise(uncut(), noise="gaussian:25", effort="best", time_limit=60)
    assert result.method == "nonlocal"
    assert result.candidates[-1].note.startswith("not tried: it may take")


def test_a_lower_effort_stands_in_where_there_is_no_time_for_the_non_local_picture() -> None:
    result = denoise(uncut(64), noise="gaussian:25", time_limit=0.01)
    assert result.method == "nonlocal-quick"
    assert any("took the place of nonlocal" in note for note in result.notes)
    assert psnr(result.image, 0.2 + 0.6 * clean()) > psnr(uncut(64), 0.2 + 0.6 * clean()) + 3


def test_ctrl_c_gives_the_best_so_far() -> None:
    method = DIP(steps=10**6, shape=SMALL)
    result = denoise(crop(), method=method, noise="gaussian:25", on_progress=interrupt_at(100))
    assert result.interrupted
    assert result.stopped.rule == "interrupted"
    assert 0 < result.stopped.step <= 100
    assert psnr(result.image, clean(32, 32)) > psnr(crop(), clean(32, 32))
    assert np.array_equal(rerun(result.recipe, crop()).image, result.image)


def test_ctrl_c_in_auto_falls_back_on_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.pipeline.plane.choose_methods.FEW", 0)
    finished = denoise(uncut(), method="nonlocal", noise="gaussian:25")
    result = denoise(uncut(), noise="gaussian:25", effort="best", on_progress=interrupt_at(1, "dip"))
    assert result.interrupted
    assert result.method == "nonlocal"
    assert np.array_equal(result.image, finished.image)


def test_ctrl_c_in_a_stack_keeps_the_pages_that_are_done() -> None:
    stack = np.stack([crop(24, seed)[..., 0] for seed in range(3)])
    whole = denoise(stack, method=DIP_FAST, noise="gaussian:25")

    def on_progress(progress: Progress) -> None:
        assert progress.planes == 3
        if progress.plane == 1 and progress.phase == "dip":
            raise KeyboardInterrupt

    result = denoise(stack, method=DIP_FAST, noise="gaussian:25", on_progress=on_progress)
    assert result.interrupted
    assert np.array_equal(result.image[0], whole.image[0])
    assert np.array_equal(result.image[2], stack[2])
    assert any("1 of 3 planes were not reached" in note for note in result.notes)
    assert np.array_equal(rerun(result.recipe, stack).image, result.image)


def test_an_empty_page_stays_as_it_is() -> None:
    stack = np.stack([crop(24, 0)[..., 0], np.full((24, 24), 0.25, np.float32), crop(24, 1)[..., 0]])
    result = denoise(stack, method="wavelet", noise="gaussian:25")
    assert np.array_equal(result.image[1], stack[1])
    assert not np.array_equal(result.image[0], stack[0])
    assert np.array_equal(result.image[2], denoise(stack[2], method="wavelet", noise="gaussian:25").image)
    assert result.method == "wavelet"
    assert any("3 planes" in note for note in result.notes)


@pytest.mark.parametrize("given", [Gaussian(0.0987654321), Gaussian(0.11, relative_error=0.3)], ids=str)
def test_a_recipe_holds_the_noise_to_the_last_digit(given: NoiseModel) -> None:
    """And how sure it was, for that decides whether the level is looked at again."""
    first = denoise(crop(), method="nonlocal", noise=given)
    again = rerun(Recipe.model_validate_json(first.recipe.model_dump_json()), crop())
    assert np.array_equal(first.image, again.image)
    assert again.noise == first.noise


def test_a_recipe_of_measured_noise_measures_it_again() -> None:
    first = denoise(crop(48), method=R2R_FAST)
    assert first.noise_found
    assert first.recipe.noise == "auto"
    again = rerun(Recipe.model_validate_json(first.recipe.model_dump_json()), crop(48))
    assert np.array_equal(first.image, again.image)
    assert again.noise_found
    assert again.noise == first.noise


def test_a_recipe_is_for_its_own_picture() -> None:
    recipe = denoise(crop(16), method="wavelet", noise="gaussian:25").recipe
    with pytest.raises(InputError, match="another picture"):
        rerun(recipe, crop(16, seed=1))
    with pytest.raises(InputError, match="another picture"):
        rerun(recipe, crop(16).astype(np.float64))


def test_a_result_is_never_written_over_its_input(tmp_path: Path) -> None:
    path = tmp_path / "noisy.png"
    write(path, Image.of(np.rint(crop(24) * 255).astype(np.uint8), "YXS"))
    before = path.read_bytes()
    result = denoise(path, method="wavelet", noise="gaussian:25")
    for same in (path, str(path), tmp_path / "." / "noisy.png"):
        with pytest.raises((InputError, OutputError)):
            result.save(same)
    link = tmp_path / "link.png"
    link.symlink_to(path)
    with pytest.raises((InputError, OutputError)):
        result.save(link)
    assert path.read_bytes() == before
    saved = result.save(tmp_path / "restored.png")
    assert np.array_equal(read(saved).array, result.image)


def test_progress_is_told_with_a_preview() -> None:
    seen: list[Progress] = []
    denoise(crop(), method=DIP_FAST, noise="gaussian:25", on_progress=seen.append)
    pilot, *fit = seen
    assert (pilot.phase, pilot.step, pilot.steps) == ("nonlocal", 0, 1)
    assert [p.step for p in fit] == [5, 10, 15, 20]
    assert {p.phase for p in fit} == {"dip"}
    assert seen[-1].preview().shape == (1, 3, 32, 32)


def test_a_picture_made_in_haste_is_made_again_without() -> None:
    """The lower effort that was taken for lack of time is in the recipe."""
    hasty = denoise(uncut(64), noise="gaussian:25", time_limit=0.01)
    assert len(hasty.recipe.planes[0].settings["stages"]) == 1
    assert np.array_equal(rerun(hasty.recipe, uncut(64)).image, hasty.image)


def test_a_fit_that_had_no_time_for_a_step_does_not_pass_off_its_first_picture_as_its_own() -> None:
    first = denoise(uncut(64), method="wavelet", noise="gaussian:25")
    result = denoise(uncut(64), method="dip", noise="gaussian:25", time_limit=1e-6)
    assert result.method == "wavelet"
    assert result.why.startswith("dip was asked for, but its time was over before its first step")
    assert result.stopped.rule == "time limit"
    assert np.array_equal(result.image, first.image)
    assert result.psnr == first.psnr is not None


def test_a_fit_that_runs_out_of_time_is_not_worse_than_what_it_started_from() -> None:
    slow = DIP(steps=10**6, rate=1e-6, shape=SMALL)
    result = denoise(uncut(64), method=slow, noise="gaussian:25", time_limit=4)
    assert result.method == "nonlocal"
    assert "time was over" in result.why
    assert [c.method for c in result.candidates] == ["nonlocal", "dip"]


@pytest.mark.parametrize("noise", ["poisson:8", "speckle:0.2"])
def test_a_recipe_makes_a_formula_again_that_another_one_guided(
    noise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the noise was given, a formula that is asked for has no pilot; one that auto took had one."""
    advice = Advice(("nonlocal", "nonlocal-thorough"), "they fit")
    monkeypatch.setattr("untaught.pipeline.plane.choose_methods.advise", lambda *_: advice)
    monkeypatch.setattr("untaught.pipeline.plane.selection.ERRORS", -1e9)  # the second one, whatever it is worth
    model = parse_noise(noise)
    assert model is not None
    y = np.clip(model.sample(0.2 + 0.6 * clean(32, 32), np.random.default_rng(0)), 0, 1)
    result = denoise(y, noise=noise)
    assert result.method == "nonlocal-thorough"
    assert np.array_equal(rerun(result.recipe, y).image, result.image)


def test_a_recipe_with_settings_that_a_method_lacks_is_refused() -> None:
    result = denoise(crop(), method="nlm", noise="gaussian:25")
    (plane,) = result.recipe.planes
    odd = plane.model_copy(update={"settings": {**plane.settings, "colour": "green"}})
    with pytest.raises(InputError, match="settings of nlm that this version does not have"):
        rerun(result.recipe.model_copy(update={"planes": (odd,)}), crop())


def test_the_network_of_a_recipe_is_made_again() -> None:
    method = Noise2Void(steps=4, crop=16, shape=DnCNNShape(3, 8))
    result = denoise(crop(), method=method, noise="gaussian:25", stop="steps")
    assert np.array_equal(rerun(result.recipe, crop()).image, result.image)
