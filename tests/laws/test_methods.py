"""Laws: what holds for every method on every kind of picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.conftest import SIGMA, clean, noisy, psnr
from untaught import Image, Recipe, Result, denoise, rerun
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.fitting.stopping import Discrepancy, Recorrupted
from untaught.image.files import as_image
from untaught.method import ClosedForm, Method
from untaught.methods.fusion import Fusion
from untaught.methods.networks.decoder import DecoderShape
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.networks.partial_unet import PartialShape
from untaught.methods.networks.unet import UNetShape
from untaught.methods.registry import METHODS, make
from untaught.methods.self_supervised.learners import LEARNERS
from untaught.methods.self_supervised.r2r import R2R
from untaught.methods.self_supervised.subsampled import Subsampled
from untaught.methods.untrained.deep_decoder import DeepDecoder
from untaught.methods.untrained.dip import DIP
from untaught.noise import Gaussian
from untaught.problem import Problem

Array = NDArray[Any]
NOISE = "gaussian:25"

LEARNED = [*(name for name in LEARNERS if name in METHODS), "p2p"]  # all of them fitted by `single_image`


def learner_of(name: str, shape: tuple[int, int], **more: float) -> Method:
    """Return a method that learns from crops, with a network of that width and so many scales."""
    settings: dict[str, object] = {"batch": 2, "rate": 0.01, "decay": 0.9, **more}
    if name == "self2self":
        return make(name, {**settings, "draws": 8, "partial": PartialShape(*shape)})
    return make(name, {**settings, "shape": UNetShape(*shape)})


# Fits that take a moment: for the laws that do not ask how good the answer is.
QUICK: dict[str, str | Method | Fusion] = {
    **{name: make(name) for name in METHODS},
    "dip": DIP(steps=20, shape=HourglassShape(width=8, depth=2, skip=4)),
    "r2r": R2R(steps=20, draws=2, spread=10, shape=UNetShape(8, 2), crop=32),
    "deep-decoder": DeepDecoder(steps=120, warmup=5, shape=DecoderShape(width=8, scales=1)),
    "fusion": Fusion(("nonlocal", DIP(steps=20, shape=HourglassShape(width=8, depth=2, skip=4)))),
    **{name: learner_of(name, (8, 1), steps=24, crop=16, rate=0.005, decay=0.8) for name in LEARNED},
    "n2v:2": Subsampled(steps=60, crop=32, batch=1, rate=0.005, decay=0.8, shape=UNetShape(8, 1)),
    "auto": "auto",
}
USABLE: dict[str, str | Method | Fusion] = {
    **QUICK,
    "dip": DIP(steps=150, shape=HourglassShape(width=16, depth=3, skip=4)),
    "r2r": R2R(steps=60, draws=3, shape=UNetShape(16, 2), crop=48),
    "deep-decoder": DeepDecoder(steps=400, warmup=20, shape=DecoderShape(width=32, scales=2)),
    **{name: learner_of(name, (16, 2), steps=70, crop=32) for name in LEARNED},
    "noisier2noise": learner_of("noisier2noise", (16, 2), steps=120, crop=32),
    "n2v:2": Subsampled(steps=120, crop=64, batch=1, rate=0.01, decay=0.9, shape=UNetShape(16, 2)),
    "fusion": Fusion(("nonlocal", DIP(steps=60, shape=HourglassShape(width=8, depth=2, skip=4)))),
}
FORMULAS = sorted(name for name, method in QUICK.items() if isinstance(method, ClosedForm))
# In dB, where less than of the others is asked: no prior, a poor one, or little time.
GAINS = {"pixels": 0.0, "pixel-tv": 3.0, **dict.fromkeys(LEARNED, 3.0), "n2v:2": 3.0}
FITS = ["dip", "r2r", "deep-decoder", "p2p"]
DRAWN = [*FITS, "tv"]  # the probe of TV's divergence is drawn too


def noisy_crop(height: int = 29, width: int = 35, seed: int = 0, channels: int = 3) -> NDArray[np.float32]:
    """Return a noisy picture on [0, 1], clipped."""
    return np.clip(noisy(clean(height, width, channels), seed=seed), 0, 1)


def in_type(values: NDArray[np.float32], dtype: type) -> Array:
    """Return values on [0, 1] on the whole range of an integer type."""
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)


def with_metadata() -> Image:
    metadata = {"icc": b"profile", "resolution": (300.0, 300.0, "inch"), "orientation": 6}
    return Image.of(in_type(noisy_crop(), np.uint8), "YXS", metadata=metadata)


def with_alpha() -> Array:
    alpha = np.random.default_rng(3).integers(0, 256, (29, 35, 1), np.uint8)
    return np.concatenate([in_type(noisy_crop(), np.uint8), alpha], axis=2)


def stack() -> Array:
    grey = [noisy_crop(24, 31, seed, 1)[..., 0] for seed in (0, 1)]
    return np.stack([in_type(grey[0], np.uint8), np.full((24, 31), 7, np.uint8), in_type(grey[1], np.uint8)])


def gappy(fill: float = np.nan) -> Array:
    values = noisy_crop(32, 36)
    values[5:8, 6:9] = fill
    values[26, 30, 1] = fill
    return values


PICTURES: dict[str, Callable[[], Array | Image]] = {
    "8-bit RGB": with_metadata,
    "8-bit grey": lambda: in_type(noisy_crop(channels=1)[..., 0], np.uint8),
    "16-bit RGB": lambda: in_type(noisy_crop(), np.uint16),
    "16-bit grey": lambda: in_type(noisy_crop(channels=1)[..., 0], np.uint16),
    "float32": noisy_crop,
    "float64 from 300 to 2000": lambda: 300 + 1700 * noisy_crop(channels=1)[..., 0].astype(np.float64),
    "RGBA": with_alpha,
    "stack with an empty page": stack,
    "NaN": gappy,
}
AGAIN = ("8-bit RGB", "stack with an empty page", "NaN")


def copy_of(picture: Array | Image) -> Array:
    return np.array(picture.array if isinstance(picture, Image) else picture)


@cache
def first_run(name: str, picture: str) -> tuple[Result, Array, Array]:
    """Return the result of a quick run, what was given as it is after the run, and as it was before."""
    given = PICTURES[picture]()
    before = copy_of(given)
    result = denoise(given, method=QUICK[name], noise=NOISE, seed=0)
    return result, given.array if isinstance(given, Image) else given, before


def test_the_table_has_every_method() -> None:
    assert set(QUICK) == set(USABLE) == {*METHODS, "n2v:2", "auto"}


@pytest.mark.parametrize(
    ("name", "picture"),
    # What all fits share is asked of all pictures by three of them, of the rest where other laws restore them too.
    [(n, p) for n in QUICK for p in PICTURES if n in (*FORMULAS, "auto", "dip", "r2r", "n2v") or p in AGAIN],
)
def test_what_goes_in_comes_back(name: str, picture: str) -> None:
    """Type, shape, range, axes and metadata; plain finite numbers; alpha; and the input is left alone."""
    result, after, before = first_run(name, picture)
    assert type(result.image) is np.ndarray
    assert (result.image.dtype, result.image.shape) == (before.dtype, before.shape)
    assert np.isfinite(result.image).all()
    given = as_image(PICTURES[picture]())
    restored = result.picture
    assert (restored.axes, restored.alpha, restored.metadata) == (given.axes, given.alpha, given.metadata)
    assert restored.value_range == given.value_range
    assert np.array_equal(after, before, equal_nan=True)
    assert not np.shares_memory(result.image, after)
    low, high = given.value_range
    known = np.isfinite(before)
    moved = (result.image.astype(float)[known] - before.astype(float)[known]) / (high - low)
    assert abs(moved.mean()) < 0.03
    assert 0.02 < moved.std() < 0.25
    if given.alpha:
        assert np.array_equal(result.image[..., 3], before[..., 3])
        assert not np.array_equal(result.image[..., :3], before[..., :3])


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("name", ["r2r", "dip", "nonlocal"])
def test_what_a_result_says_of_itself_is_plain(name: str, picture: str) -> None:
    result, _, before = first_run(name, picture)
    assert result.psnr is None or result.psnr.low <= result.psnr.value <= result.psnr.high
    if result.std is not None:
        assert type(result.std) is np.ndarray
        assert result.std.shape == before.shape
        assert np.isfinite(result.std).all()
        assert (result.std >= 0).all()
    if name == "r2r" and "empty" not in picture:
        assert result.std is not None
        low, high = result.picture.value_range
        assert 0 < float(np.median(result.std)) < 0.1 * (high - low)


@pytest.mark.parametrize("name", QUICK)
def test_same_seed_same_picture_whatever_came_between(name: str) -> None:
    first = first_run(name, "8-bit RGB")[0].image
    torch.manual_seed(99)
    np.random.default_rng(99).random()
    other = denoise(in_type(noisy_crop(seed=5), np.uint8), method=QUICK[name], noise=NOISE, seed=3)
    again = denoise(PICTURES["8-bit RGB"](), method=QUICK[name], noise=NOISE, seed=0).image
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other.image)


@pytest.mark.parametrize("name", DRAWN)
def test_another_seed_another_picture(name: str) -> None:
    first = first_run(name, "float32")[0].image
    assert not np.array_equal(first, denoise(noisy_crop(), method=QUICK[name], noise=NOISE, seed=1).image)


@pytest.mark.parametrize("name", QUICK)
def test_nothing_is_drawn_from_the_global_generators(name: str) -> None:
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    denoise(noisy_crop(24, 24), method=QUICK[name], noise=NOISE)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("name", QUICK)
def test_what_stands_in_a_missing_pixel_does_not_matter(name: str) -> None:
    first = first_run(name, "NaN")[0].image
    other = gappy(np.inf)
    other[5] = np.where(np.isinf(other[5]), -3e38, other[5])
    assert np.array_equal(first, denoise(other, method=QUICK[name], noise=NOISE).image)


@pytest.mark.parametrize("name", QUICK)
def test_missing_pixels_are_felt_nearby_only(name: str) -> None:
    """Far from the gaps the picture is nearly the one without them; in them it is a likely value."""
    missing = ~np.isfinite(gappy()).all(axis=2)
    gaps = first_run(name, "NaN")[0].image
    whole = denoise(noisy_crop(32, 36), method=QUICK[name], noise=NOISE).image
    # Every weight of a decoder is felt everywhere; of few steps, a rule may take another one where there are gaps.
    limit = {"deep-decoder": 0.9, "zs-n2n": 0.6}.get(name, 1 / 3)
    assert float(np.sqrt(np.square(gaps - whole)[~missing].mean())) < SIGMA * limit
    assert float(np.abs(gaps - clean(32, 36))[missing].mean()) < 0.2


@pytest.mark.parametrize("shape", [(8, 8), (8, 40), (17, 9, 3)], ids=str)
@pytest.mark.parametrize("name", sorted(METHODS))
def test_the_smallest_pictures_are_restored(name: str, shape: tuple[int, ...]) -> None:
    """With the method's own defaults but for the steps: a network must not be too deep for the picture."""
    method = (
        QUICK[name]
        if name in (*FORMULAS, "fusion", "deep-decoder", "noisier2noise")
        else replace(make(name), steps=6)
    )
    y = in_type(np.clip(noisy(np.full(shape, 0.5, np.float32)), 0, 1), np.uint8)
    result = denoise(y, method=method, noise=NOISE)
    assert result.image.shape == shape
    assert result.image.std() < y.std()


@pytest.mark.parametrize("name", USABLE)
def test_the_answer_is_closer_to_the_clean_picture(name: str) -> None:
    """And the error estimate is within 3 dB of the truth."""
    y = in_type(noisy_crop(64, 64), np.uint8)
    result = denoise(y, method=USABLE[name], noise=NOISE)
    before, after = psnr(y / 255, clean()), psnr(result.image / 255, clean())
    assert after > before + GAINS.get(name, 5.0)
    if name == "pixel-tv":  # it keeps nothing back and has no map to measure a divergence of: it claims nothing
        assert result.psnr is None
        return
    assert result.psnr is not None
    assert result.psnr_input is not None
    assert abs(result.psnr.value - after) < 3
    assert result.psnr.low < result.psnr.value < result.psnr.high
    assert abs(result.psnr_input - before) < 1


@pytest.mark.parametrize("name", FORMULAS)
def test_the_depth_of_a_picture_does_not_matter(name: str) -> None:
    """16 bits that say the same as 8: the same picture within rounding."""
    eight = denoise(in_type(noisy_crop(), np.uint8), method=QUICK[name], noise=NOISE).image
    sixteen = denoise(in_type(noisy_crop(), np.uint8).astype(np.uint16) * 257, method=QUICK[name], noise=NOISE)
    assert np.abs(sixteen.image / 257 - eight).max() <= 0.51


@pytest.mark.parametrize("name", FITS)
def test_a_rule_that_fires_ends_the_loop(name: str) -> None:
    method = replace(QUICK[name], steps=10**6)
    rule = Discrepancy(factor=1.2, every=2) if name == "dip" else Recorrupted(patience=8, every=4)
    result = denoise(noisy_crop(), method=method, noise=NOISE, stop=rule)
    assert result.stopped.rule == rule.name
    assert 0 < result.stopped.step <= result.history.step[-1] < 3000
    assert len(result.history.step) == len(result.history.score) == len(result.history.seconds)


def broken_off_and_resumed(path: Path, name: str, options: dict[str, Any]) -> Result:
    """Break a fit off after 110 steps, and return what the same call then ends with."""

    class BrokenOffError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.step >= 110:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        denoise(noisy_crop(), checkpoint=path, on_progress=stop, **options)
    assert path.exists()
    seen: list[Progress] = []
    resumed = denoise(noisy_crop(), checkpoint=path, on_progress=seen.append, **options)
    assert min(progress.step for progress in seen if progress.phase == name) > 100
    assert not path.exists()
    return resumed


@pytest.mark.parametrize("name", FITS)
def test_resume_equals_uninterrupted(name: str, tmp_path: Path) -> None:
    """A fit that is broken off and called again ends with the picture of one that was not."""
    method = replace(QUICK[name], steps=130, **({"spread": 30, "draws": 5} if name == "r2r" else {}))
    options = {"method": method, "noise": NOISE, "seed": 2}
    whole = denoise(noisy_crop(), **options)
    resumed = broken_off_and_resumed(tmp_path / "fit.ckpt", name, options)
    assert np.array_equal(resumed.image, whole.image)
    assert resumed.stopped == whole.stopped


@pytest.mark.parametrize("picture", AGAIN)
@pytest.mark.parametrize("name", QUICK)
def test_a_recipe_gives_the_same_picture_again(name: str, picture: str) -> None:
    first = first_run(name, picture)[0]
    recipe = Recipe.model_validate_json(first.recipe.model_dump_json())
    assert recipe == first.recipe
    again = rerun(recipe, PICTURES[picture]())
    assert np.array_equal(again.image, first.image)
    assert again.method == first.method


def test_a_recipe_cuts_the_fit_where_the_answer_was() -> None:
    """The answer is from an earlier step than the last, and the second run does not go beyond it."""
    y = noisy_crop()
    method = replace(QUICK["dip"], steps=400, rate=0.05)
    first = denoise(y, method=method, noise=NOISE, stop=Recorrupted(patience=40))
    assert first.stopped.step < first.history.step[-1]
    again = rerun(first.recipe, y)
    assert again.history.step[-1] == first.stopped.step
    assert np.array_equal(again.image, first.image)


@pytest.mark.parametrize("name", FITS)
def test_no_objective_looks_at_a_missing_pixel(name: str) -> None:
    """Without a pilot: the loss is the same whatever fills the gap (R2R's network sees it, its loss does not)."""
    method = replace(QUICK[name], pilot=False) if name == "r2r" else QUICK[name]
    mask = torch.ones(1, 1, 32, 32)
    mask[..., 10:20, 10:20] = 0
    y = torch.from_numpy(noisy_crop(32, 32).transpose(2, 0, 1).copy())[None]
    losses = []
    for fill in (0.0, 1.0):
        problem = Problem(torch.where(mask.bool(), y, torch.tensor(fill)), mask, Gaussian(SIGMA))
        if name == "dip":
            losses.append(fit(method, problem, 0, Options()).history.loss)
        else:
            state = method.init(problem, 0)
            losses.append([float(method.loss(problem, state, step).detach()) for step in range(1, 3)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


DTYPES = (np.uint8, np.uint16, np.int16, np.int32, np.uint32, np.float16, np.float32, np.float64)


@given(
    height=st.integers(8, 20),
    width=st.integers(8, 20),
    samples=st.sampled_from([None, 1, 2, 3, 4]),
    dtype=st.sampled_from(DTYPES),
    top=st.sampled_from([1.0, 200.0, 30000.0]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_any_small_picture_of_any_type_comes_back(
    height: int, width: int, samples: int | None, dtype: type, top: float, seed: int
) -> None:
    shape = (height, width) if samples is None else (height, width, samples)
    if np.dtype(dtype).kind != "f":
        top = 250.0 if dtype is np.uint8 else max(top, 200.0)
    y = (np.random.default_rng(seed).random(shape) * top).astype(dtype)
    result = denoise(y, method="wavelet", noise=NOISE)
    assert (result.image.dtype, result.image.shape) == (y.dtype, y.shape)
    assert np.isfinite(result.image).all()
    assert not np.array_equal(result.image, y)
