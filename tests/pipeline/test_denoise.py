"""The front door: options, honesty about doing nothing, kinds of noise."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import SIGMA, clean, psnr
from tests.helpers.quick import R2R_FAST, SMALL, crop, uncut
from untaught import InputError, denoise, rerun, restore
from untaught.fitting.stopping import StepBudget
from untaught.methods.non_local.multiscale import Quick
from untaught.methods.untrained.dip import DIP
from untaught.noise import Correlated, Gaussian, Impulse, PoissonGaussian
from untaught.noise.shares import percent
from untaught.pipeline.plane.choose_methods import FEW, Advice, advise


def steps_drawing() -> NDArray[np.uint8]:
    """Return a picture without noise: flat blocks, each of one value."""
    blocks = np.random.default_rng(0).integers(20, 236, (4, 4), np.uint8)
    return np.kron(blocks, np.ones((16, 16), np.uint8))


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
        ({"sigma": 1e300}, "sigma is 1e"),
        ({"noise": "gausian:25"}, "no noise model"),
        ({"method": "dlp"}, "did you mean 'dip'"),
        ({"seed": "1"}, "seed is '1'"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"seed": None}, "seed is None"),
        ({"time_limit": "9"}, "time limit is '9'"),
        ({"sigma": "0.1"}, "sigma is '0.1'; give a positive fraction"),
        ({"noise": 25}, "noise is 25; give text"),
        ({"noise": Impulse}, "give text"),
        ({"stop": 5}, "5 is no stopping rule"),
        ({"stop": StepBudget}, "no stopping rule"),
        ({"method": 5}, "5 is no method"),
        ({"method": DIP}, "is no method"),
        ({"device": ["cpu"]}, "device"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_used_is_refused_in_a_sentence(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=f"(?i){words}") as caught:
        denoise(crop(16), **{"method": "wavelet", **options})
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=re.escape(str(caught.value))):
        restore(crop(16), **{"method": "pixel-tv", **options})


def test_numbers_of_numpy_are_numbers() -> None:
    given = {"seed": np.uint8(3), "time_limit": np.float32(60), "sigma": np.float64(0.1)}
    assert denoise(crop(16), method="wavelet", **given).recipe.seed == 3


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
    assert np.square(result.image.astype(float) - picture).mean() < 255**2 * 10**-3.5


def test_no_psnr_is_stated_where_a_camera_may_have_hidden_the_noise() -> None:
    """An 8-bit picture with noise below its own steps; given, or on a float picture, the level is believed."""
    waves = 0.5 + 0.3 * np.sin(np.indices((64, 64)).sum(0) / 20)[..., None] * np.ones(3)
    faint = (waves + np.random.default_rng(0).normal(0, 0.5 / 255, waves.shape)).astype(np.float32)
    eight = np.rint(255 * faint).astype(np.uint8)
    hidden = denoise(eight, method="wavelet")
    assert hidden.psnr is None
    assert any("no PSNR is stated" in note for note in hidden.notes)
    assert all(candidate.psnr is None for candidate in hidden.candidates)
    for told in (denoise(eight, method="wavelet", noise="gaussian:0.58"), denoise(faint, method="wavelet")):
        assert told.psnr is not None
        assert not any("no PSNR is stated" in note for note in told.notes)


def test_no_psnr_is_stated_where_a_camera_has_processed_the_noise() -> None:
    """Measured, what compression and the camera took away or put in cannot be seen; given, it is believed."""
    kernel = ((0.5, 1.0, 0.5),)
    given = Correlated(0.05, kernel, colours=((2.0, kernel), (0.5, kernel), (0.5, kernel)))
    picture = uncut(48)
    found = denoise(picture, method="nonlocal", noise=replace(given, relative_error=0.6))
    assert found.psnr is None
    assert found.psnr_input is None
    assert all(candidate.psnr is None for candidate in found.candidates)
    assert sum("processed by a camera" in note for note in found.notes) == 1
    for told in (given, replace(given, colours=(), relative_error=0.5)):
        result = denoise(picture, method="nonlocal", noise=told)
        assert result.psnr is not None
        assert not any("processed by a camera" in note for note in result.notes)


def test_what_is_stated_says_what_is_outside_of_it() -> None:
    result = denoise(uncut(32), method="wavelet", noise="gaussian:25")
    assert result.psnr is not None
    assert result.psnr.assumes.startswith("noise that is gaussian, with the level given;")
    assert "blur" in result.psnr.assumes
    assert "shift" in result.psnr.assumes


def test_auto_says_what_was_tried_and_why_it_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "untaught.pipeline.plane.choose_methods.advise",
        lambda noise, values, effort: Advice(("nonlocal", "tv"), "they fit"),
    )
    result = denoise(uncut(), noise="gaussian:25")
    assert [c.method for c in result.candidates if c.method != "fusion"] == ["nonlocal", "tv"]
    assert all(c.psnr is not None and c.seconds > 0 for c in result.candidates)
    chosen = [c.method for c in result.candidates if c.note.startswith("better")]
    assert result.method == chosen[-1]
    assert result.why.startswith("they fit; ")
    assert "smallest estimated error" in result.why or "smaller estimated error than each" in result.why


def test_auto_tries_no_network_where_its_gain_could_not_be_told() -> None:
    result = denoise(crop(), noise="gaussian:25", effort="best")
    assert [c.method for c in result.candidates] == ["nonlocal"]
    assert "too small" in result.why
    assert "dip" in advise(result.noise, FEW, "best").methods


def test_efforts_try_more_and_more() -> None:
    y = uncut()
    quick, normal = (denoise(y, noise="gaussian:25", effort=effort) for effort in ("quick", "normal"))
    assert (quick.method, normal.method) == ("nonlocal-quick", "nonlocal")
    assert np.array_equal(denoise(y, noise="gaussian:25").image, normal.image)
    for effort, named in (("quick", "nonlocal-quick"), ("best", "nonlocal-thorough")):
        asked = denoise(y, noise="gaussian:25", method="nonlocal", effort=effort)
        assert asked.method == named
        assert np.array_equal(asked.image, denoise(y, noise="gaussian:25", method=named).image)
    assert advise(Gaussian(0.1), FEW).methods == ("nonlocal",)
    assert len(advise(Gaussian(0.1), FEW, "best").methods) == 3
    assert advise(Impulse(0.1), FEW, "quick").methods == ("impulse-fill",)
    with pytest.raises(InputError, match="choose quick, normal or best"):
        denoise(y, effort="much")


def test_the_error_of_a_quick_answer_is_told_from_parts_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.tile(clean(64, 64), (7, 7, 1))
    y = np.clip(x + np.random.default_rng(0).normal(0, 0.1, x.shape), 0, 1).astype(np.float32)
    seen: list[tuple[int, ...]] = []
    solve = Quick.solve
    monkeypatch.setattr(Quick, "solve", lambda m, p, seed=0: seen.append(p.y.shape[2:]) or solve(m, p, seed))
    result = denoise(y, sigma=0.1, effort="quick")
    assert seen == [(448, 448), *[(96, 96)] * 8]
    assert result.psnr is not None
    assert result.psnr.low <= psnr(result.image, x) <= result.psnr.high


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
    result = denoise(y, method=DIP(steps=150, shape=SMALL))
    assert isinstance(result.noise, Impulse)
    assert result.noise_found
    assert np.abs(result.image - y)[~hit].max() < 1e-5
    assert psnr(result.image, x) > psnr(y, x) + 8
    assert any("black or white" in note for note in result.notes)


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
    result = denoise(y, method=DIP(steps=150, shape=SMALL), noise="gaussian:25")
    assert np.isfinite(result.image).all()
    assert any(percent(float(gone.mean())) in note for note in result.notes)
    assert psnr(result.image[gone], x[gone]) > 22
    assert psnr(result.image[~gone], x[~gone]) > psnr(y[~gone], x[~gone]) + 4


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


def test_the_estimate_for_impulses_is_of_the_whole_picture() -> None:
    clear = np.round(255 * clean(64, 64)).clip(1, 254).astype(np.uint8)
    rng = np.random.default_rng(0)
    hit = rng.random(clear.shape[:2]) < 0.1
    salted = clear.copy()
    salted[hit] = rng.choice([0, 255], hit.sum())[:, None]
    result = denoise(salted, method=DIP(steps=150, shape=SMALL), noise="impulse:0.1")
    assert result.psnr is not None
    assert abs(result.psnr.value - psnr(result.image, clear, 255)) < 3


def test_a_camera_of_twelve_bits_is_restored() -> None:
    """Noise of 60 counts is a thousandth of what 16 bits hold; it has to be seen and removed all the same."""
    truth = 200 + 2000 * clean(64, 64, 1)[..., 0]
    counts = np.round(truth + np.random.default_rng(0).normal(0, 60, truth.shape)).astype(np.uint16)
    result = denoise(counts, method="nonlocal")
    assert result.image.dtype == np.uint16
    assert psnr(result.image, truth, 2000) > psnr(counts, truth, 2000) + 3
