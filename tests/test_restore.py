"""The front door: options, honesty about doing nothing, kinds of noise, time, Ctrl-C, recipes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import SIGMA, clean, noisy, psnr
from untaught import Image, InputError, OutputError, Recipe, denoise, read, rerun, write
from untaught.fit import Progress
from untaught.methods.dip import DIP
from untaught.methods.r2r import R2R
from untaught.networks.hourglass import HourglassShape
from untaught.networks.unet import UNetShape
from untaught.noise import Gaussian, Impulse, NoiseModel, PoissonGaussian
from untaught.stopping import StepBudget

SMALL = HourglassShape(width=16, depth=3, skip=4)
DIP_FAST = DIP(steps=20, shape=HourglassShape(width=8, depth=2, skip=4))
R2R_FAST = R2R(steps=20, draws=2, shape=UNetShape(8, 2), crop=32)


def crop(size: int = 32, seed: int = 0) -> NDArray[np.float32]:
    return np.clip(noisy(clean(size, size), seed=seed), 0, 1)


def uncut(size: int = 32) -> NDArray[np.float32]:
    """Return a noisy picture whose values were not cut off at the ends of the range."""
    return noisy(0.2 + 0.6 * clean(size, size))


def steps_drawing() -> NDArray[np.uint8]:
    """Return a picture without noise: flat blocks, each of one value."""
    blocks = np.random.default_rng(0).integers(20, 236, (4, 4), np.uint8)
    return np.kron(blocks, np.ones((16, 16), np.uint8))


def interrupt_at(step: int, phase: str = "") -> Callable[[Progress], None]:
    def on_progress(progress: Progress) -> None:
        if progress.step >= step and phase in progress.phase:
            raise KeyboardInterrupt

    return on_progress


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 2**62}, "seed"),
        ({"time_limit": 0}, "time limit"),
        ({"time_limit": float("nan")}, "time limit"),
        ({"device": "tpu"}, "device 'tpu'"),
        ({"stop": "recorupted"}, "did you mean 'recorrupted'"),
        ({"stop": "zzz"}, "choose steps"),
        ({"sigma": 0.1, "noise": "gaussian:25"}, "both given"),
        ({"sigma": 0.0}, "sigma is 0"),
        ({"sigma": float("inf")}, "sigma is inf"),
        ({"noise": "gausian:25"}, "no noise model"),
        ({"method": "dlp"}, "did you mean 'dip'"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_used_is_refused_in_a_sentence(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=f"(?i){words}") as caught:
        denoise(crop(16), **{"method": "wavelet", **options})
    assert "\n" not in str(caught.value)


def test_a_checkpoint_is_of_one_plane(tmp_path: Path) -> None:
    stack = np.stack([crop(16)[..., 0]] * 2)
    with pytest.raises(InputError, match="one plane"):
        denoise(stack, method="wavelet", noise="gaussian:25", checkpoint=tmp_path / "a")


def test_cuda_is_refused_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match="no CUDA device"):
        denoise(crop(16), device="cuda")


def test_sigma_is_a_fraction_of_the_range() -> None:
    one = denoise(crop(24), method="wavelet", sigma=SIGMA)
    two = denoise(crop(24), method="wavelet", noise="gaussian:25")
    assert np.array_equal(one.image, two.image)
    assert one.noise.level == pytest.approx(SIGMA)
    assert not one.noise_found


def test_without_noise_nothing_is_changed_and_the_result_says_so() -> None:
    picture = steps_drawing()
    result = denoise(picture)
    assert np.array_equal(result.image, picture)
    assert result.method == "none"
    assert "nothing to remove" in result.why
    assert result.stopped.rule == "nothing to do"
    assert np.array_equal(rerun(result.recipe, picture).image, picture)


@pytest.mark.parametrize("name", ["coins", "text"])
def test_auto_does_no_harm_to_a_picture_with_hardly_any_noise(name: str) -> None:
    """Detail that looks like noise is where a denoiser does harm; what is taken away has to be little."""
    from skimage import data

    picture = getattr(data, name)()[100:148, 100:148]
    result = denoise(picture, time_limit=20)
    assert psnr(result.image.astype(float), picture, 255) > 35


def test_auto_says_what_was_tried_and_why_it_chose() -> None:
    result = denoise(uncut(), noise="gaussian:25")
    assert [c.method for c in result.candidates] == ["nonlocal", "r2r"]
    assert all(c.psnr is not None and c.seconds > 0 for c in result.candidates)
    chosen = [c.method for c in result.candidates if c.note.startswith("better")]
    assert result.method == chosen[-1]
    assert "independent" in result.why
    assert "smallest estimated error" in result.why


def test_auto_does_not_train_on_recorruptions_of_values_that_were_cut_off() -> None:
    result = denoise(crop(), noise="gaussian:25")
    assert [c.method for c in result.candidates] == ["nonlocal"]
    assert "cut off" in result.why


def test_a_method_that_is_wrong_for_the_noise_is_run_with_a_warning() -> None:
    result = denoise(crop(), method="wavelet", noise="correlated:25,1")
    assert any("look twice" in note for note in result.notes)
    assert result.method == "wavelet"
    assert not any("look twice" in note for note in denoise(crop(), method="wavelet", noise="gaussian:25").notes)


def test_salt_and_pepper_is_found_and_filled_in() -> None:
    rng = np.random.default_rng(0)
    x = np.clip(clean(48, 48), 0.02, 0.98)
    hit = rng.random((48, 48)) < 0.2
    y = np.where(hit[..., None], rng.integers(0, 2, (48, 48, 1)), x).astype(np.float32)
    result = denoise(y, method=DIP(steps=300, shape=SMALL))
    assert isinstance(result.noise, Impulse)
    assert result.noise_found
    assert np.abs(result.image - y)[~hit].max() < 1e-5
    assert psnr(result.image, x) > psnr(y, x) + 8
    assert any("black or white" in note for note in result.notes)


def test_auto_fills_in_salt_and_pepper_with_dip() -> None:
    x = np.clip(clean(32, 32), 0.02, 0.98)
    y = Impulse(0.1).sample(x, np.random.default_rng(1))
    result = denoise(y, noise="impulse:0.1", time_limit=3)
    assert result.method == "dip"
    assert psnr(result.image, x) > psnr(y, x) + 5


def test_a_picture_of_impulses_only_is_refused() -> None:
    y = np.random.default_rng(0).integers(0, 2, (32, 32)).astype(np.float32)
    with pytest.raises(InputError, match="every pixel is black or white"):
        denoise(y, noise="impulse:0.9")


@pytest.mark.parametrize("method", ["nonlocal", R2R_FAST], ids=["nonlocal", "r2r"])
def test_poisson_noise_is_removed(method: Any) -> None:
    x = clean(64, 64)
    model = PoissonGaussian(0.015, 0.02)
    y = model.sample(x, np.random.default_rng(0))
    result = denoise(y, method=method, noise=model)
    assert psnr(result.image, x) > psnr(y, x) + 5
    assert result.psnr is not None
    assert abs(result.psnr.value - psnr(result.image, x)) < 3


def test_missing_pixels_are_filled_in_and_the_result_says_how_many() -> None:
    x, y = clean(48, 48), crop(48)
    gone = np.random.default_rng(0).random((48, 48)) < 0.25
    y[gone] = np.nan
    result = denoise(y, method=DIP(steps=300, shape=SMALL), noise="gaussian:25")
    assert np.isfinite(result.image).all()
    assert any(f"{gone.mean():.1%}" in note for note in result.notes)
    assert psnr(result.image[gone], x[gone]) > 22
    assert psnr(result.image[~gone], x[~gone]) > psnr(y[~gone], x[~gone]) + 4


def test_the_time_limit_is_kept() -> None:
    endless = DIP(steps=10**7, shape=SMALL)
    started = time.monotonic()
    result = denoise(crop(), method=endless, noise="gaussian:25", stop=StepBudget(), time_limit=2.0)
    assert 1.5 < time.monotonic() - started < 4.5
    assert result.stopped.rule == "time limit"
    assert psnr(result.image, clean(32, 32)) > 18
    assert result.seconds == pytest.approx(time.monotonic() - started, abs=0.5)


def test_the_planes_share_the_time() -> None:
    stack = np.stack([crop(24, seed)[..., 0] for seed in range(3)])
    endless = DIP(steps=10**7, shape=DIP_FAST.shape)
    started = time.monotonic()
    result = denoise(stack, method=endless, noise="gaussian:25", stop=StepBudget(), time_limit=3.0)
    assert time.monotonic() - started < 5.5
    assert all(not np.array_equal(a, b) for a, b in zip(result.image, stack, strict=True))


def test_auto_skips_what_there_is_no_time_for() -> None:
    result = denoise(uncut(), noise="gaussian:25", time_limit=0.06)
    assert result.method == "nonlocal"
    assert result.candidates[-1].note == "not tried: the time was over"


def test_wavelets_stand_in_where_there_is_no_time_for_the_non_local_picture() -> None:
    result = denoise(uncut(64), noise="gaussian:25", time_limit=0.01)
    assert result.method == "wavelet"
    assert psnr(result.image, 0.2 + 0.6 * clean()) > psnr(uncut(64), 0.2 + 0.6 * clean()) + 3


def test_ctrl_c_gives_the_best_so_far() -> None:
    method = DIP(steps=10**6, shape=SMALL)
    result = denoise(crop(), method=method, noise="gaussian:25", on_progress=interrupt_at(100))
    assert result.interrupted
    assert result.stopped.rule == "interrupted"
    assert 0 < result.stopped.step <= 100
    assert psnr(result.image, clean(32, 32)) > psnr(crop(), clean(32, 32))
    assert np.array_equal(rerun(result.recipe, crop()).image, result.image)


def test_ctrl_c_in_auto_falls_back_on_what_is_there() -> None:
    finished = denoise(uncut(), method="nonlocal", noise="gaussian:25")
    result = denoise(uncut(), noise="gaussian:25", on_progress=interrupt_at(20, "r2r"))
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
    assert result.method == "wavelet / none"
    assert "3 planes" in result.notes[0]


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


def test_the_residual_is_what_was_taken_away() -> None:
    y = np.rint(crop(24) * 255).astype(np.uint8)
    result = denoise(y, method="wavelet", noise="gaussian:25")
    assert result.residual.dtype == np.float64
    assert np.array_equal(result.residual + result.image, y)


def test_the_spread_has_the_units_of_the_picture() -> None:
    """Ten times the values, ten times the standard deviation."""
    y = crop()
    one = denoise(y, method=R2R_FAST, noise="gaussian:25")
    wide = denoise(np.rint(y * 255).astype(np.uint8), method=R2R_FAST, noise="gaussian:25")
    assert one.std is not None
    assert wide.std is not None
    assert wide.std.dtype == np.float32
    assert float(wide.std.mean()) == pytest.approx(255 * float(one.std.mean()), rel=0.1)


def test_progress_is_told_with_a_preview() -> None:
    seen: list[Progress] = []
    denoise(crop(), method=DIP_FAST, noise="gaussian:25", on_progress=seen.append)
    pilot, *fit = seen
    assert (pilot.phase, pilot.step, pilot.steps) == ("nonlocal", 0, 1)
    assert [p.step for p in fit] == [5, 10, 15, 20]
    assert {p.phase for p in fit} == {"dip"}
    assert seen[-1].preview().shape == (1, 3, 32, 32)


def test_a_picture_made_in_haste_is_made_again_without() -> None:
    """The pilot that was taken for lack of time is in the recipe."""
    hasty = denoise(uncut(64), noise="gaussian:25", time_limit=0.01)
    assert hasty.recipe.planes[0].pilot == "wavelet"
    assert np.array_equal(rerun(hasty.recipe, uncut(64)).image, hasty.image)


def test_the_estimate_for_impulses_is_of_the_whole_picture() -> None:
    clear = np.round(255 * clean(64, 64)).clip(1, 254).astype(np.uint8)
    rng = np.random.default_rng(0)
    hit = rng.random(clear.shape[:2]) < 0.1
    salted = clear.copy()
    salted[hit] = rng.choice([0, 255], hit.sum())[:, None]
    result = denoise(salted, method=DIP(steps=300, shape=SMALL), noise="impulse:0.1")
    assert result.psnr is not None
    assert abs(result.psnr.value - psnr(result.image, clear, 255)) < 3


def test_a_camera_of_twelve_bits_is_restored() -> None:
    """Noise of 60 counts is a thousandth of what 16 bits hold; it has to be seen and removed all the same."""
    truth = 200 + 2000 * clean(64, 64, 1)[..., 0]
    counts = np.round(truth + np.random.default_rng(0).normal(0, 60, truth.shape)).astype(np.uint16)
    result = denoise(counts, method="nonlocal")
    assert result.image.dtype == np.uint16
    assert psnr(result.image, truth, 2000) > psnr(counts, truth, 2000) + 3


def test_a_fit_that_runs_out_of_time_is_not_worse_than_what_it_started_from() -> None:
    slow = DIP(steps=10**6, rate=1e-6, shape=SMALL)
    result = denoise(uncut(64), method=slow, noise="gaussian:25", time_limit=4)
    assert result.method == "nonlocal"
    assert "time was over" in result.why
    assert [c.method for c in result.candidates] == ["nonlocal", "dip"]
