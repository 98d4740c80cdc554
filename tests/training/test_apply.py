"""A trained model as a method: pictures of all kinds, large ones in squares, reports, recipes and mixtures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import noisy, psnr, tensor
from tests.helpers.training import fill, quick, scene
from untaught import Image, Recipe, apply, denoise, rerun
from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.methods.fusion import Fusion
from untaught.methods.registry import make
from untaught.methods.trained.trained import Trained
from untaught.methods.trained.tuned import Tuned
from untaught.noise import Gaussian
from untaught.problem import Problem

NOISE, SIGMA = "gaussian:25", 25 / 255


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("apply")
    quick(fill(folder / "noisy"), folder / "m.safetensors", epochs=30)
    return folder / "m.safetensors"


def levels(values: np.ndarray, dtype: type = np.uint8) -> np.ndarray:
    return np.clip(np.rint(values * np.iinfo(dtype).max), 0, np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize(
    "given",
    [
        levels(noisy(scene(3))),
        levels(noisy(scene(3, 41, 29)), np.uint16),
        300 + 1700 * noisy(scene(3)).astype(np.float64),
        np.stack([levels(noisy(scene(k))) for k in range(3)]),
        Image.of(levels(noisy(scene(3)))[..., None], "YXS", metadata={"resolution": (300.0, 300.0, "inch")}),
    ],
    ids=["8-bit", "16-bit", "float64", "stack", "with metadata"],
)
def test_what_goes_in_comes_back(model: Path, given: np.ndarray | Image) -> None:
    picture = as_image(given)
    result = apply(model, given, noise=NOISE)
    assert (result.image.dtype, result.image.shape) == (picture.array.dtype, picture.array.shape)
    assert (result.picture.axes, result.picture.metadata) == (picture.axes, picture.metadata)
    assert result.picture.value_range == picture.value_range
    assert result.method == "trained"
    assert result.psnr is not None
    assert result.psnr.value > result.psnr_input
    low, high = picture.value_range
    moved = (result.image.astype(float) - picture.array) / (high - low)
    assert 0.02 < moved.std() < 0.2


def test_the_estimated_error_is_near_the_true_one(model: Path) -> None:
    x = scene(50, 96, 96)
    result = apply(model, noisy(x, seed=1))
    assert result.psnr is not None
    assert result.psnr.low - 1 < psnr(result.image, x) < result.psnr.high + 1


def test_the_same_file_makes_the_same_picture_again(model: Path, tmp_path: Path) -> None:
    y = noisy(scene(3))
    result = apply(model, y, seed=3)
    recipe = Recipe.model_validate_json(result.recipe.model_dump_json())
    assert np.array_equal(rerun(recipe, y).image, result.image)
    assert not np.array_equal(apply(model, y, seed=4).image, result.image)
    with pytest.raises(InputError, match="not the model that was used"):
        replace(Trained(str(model)), sha256="0" * 64).loaded()


def test_it_is_a_method_like_any_other(model: Path) -> None:
    """By object, by the name of its file, and as a candidate in a fusion."""
    y = noisy(scene(3))
    by_object = denoise(y, method=Trained(str(model)), noise=NOISE)
    by_name = denoise(y, method=str(model), noise=NOISE)
    assert np.array_equal(by_object.image, by_name.image)
    assert make(str(model)) == Trained(str(model))
    fused = denoise(y, method=Fusion(("nonlocal", Trained(str(model)))), noise=NOISE)
    assert {c.method for c in fused.candidates} >= {"nonlocal", "trained"}


def test_squares_join_to_what_the_whole_would_be(model: Path) -> None:
    """The network of the fixture sees 3 pixels far; with the same draws the joints do not show."""
    y = tensor(noisy(scene(3, 150, 170))[..., None])
    problem = Problem(y, torch.ones(1, 1, 150, 170), Gaussian(25 / 255))
    loaded = Trained(str(model)).loaded()
    plain = replace(loaded, learner=make("n2v"))  # whose readout is a plain pass
    for tile, overlap, margin in ((64, 32, 4), (48, 16, 4), (170, 32, 4)):
        method = _Fixed(str(model), tile=tile, overlap=overlap, margin=margin)
        object.__setattr__(method, "fixed", plain)
        whole = plain.network(y)
        assert torch.allclose(method.solve(problem, 0).image, whole, atol=1e-5)


class _Fixed(Trained):
    """A method whose model is at hand."""

    def loaded(self, device: str = "cpu"):  # type: ignore[no-untyped-def]
        return self.fixed  # type: ignore[attr-defined]


def test_a_picture_that_is_not_like_the_others_is_named(model: Path) -> None:
    y = noisy(scene(3, 96, 96), sigma=70 / 255)  # which widens the range that levels are a share of
    assert any("look twice" in note for note in apply(model, y).notes)
    counts = 300 + 1700 * noisy(scene(3)).astype(np.float64)
    assert any("scaled to the same range" in note for note in apply(model, counts, noise=NOISE).notes)
    for alike in (noisy(scene(3)), levels(noisy(scene(3)))):
        assert not any("same range" in note or "twice" in note for note in apply(model, alike, noise=NOISE).notes)


def test_colours_for_a_grey_model_are_refused(model: Path) -> None:
    values = np.random.default_rng(0).random((40, 40, 4))
    for picture in (values[..., :3], Image.of(values, "YXS", alpha=True)):
        with pytest.raises(InputError, match=r"1 channel .*3 channels"):
            apply(model, picture)
    with pytest.raises(InputError, match=r"1 channel .*3 channels"):
        denoise(np.random.default_rng(0).random((40, 40, 3)), method=Trained(str(model)), noise=NOISE)


def test_colours(tmp_path: Path) -> None:
    quick(fill(tmp_path / "rgb", channels=3), tmp_path / "m.safetensors", epochs=25)
    x = np.stack([scene(c) for c in range(3)], axis=-1)
    result = apply(tmp_path / "m.safetensors", noisy(x), noise=NOISE)
    assert psnr(result.image, x) > psnr(noisy(x), x) + 0.5


def test_a_model_is_fitted_on_to_one_picture(model: Path) -> None:
    """It starts as the model is, learns from the picture, and its recipe makes it again."""
    y = noisy(scene(40), sigma=SIGMA)
    method = make(f"tuned:{model}")
    problem = Problem(tensor(y[..., None]), torch.ones(1, 1, *y.shape), Gaussian(SIGMA))
    assert isinstance(method, Tuned)
    state = method.init(problem, 0)
    loaded = Trained(str(model)).loaded()
    assert torch.equal(state.network(problem.y), loaded.network(problem.y))
    method.loss(problem, state, 0).backward()
    assert not any(weight.requires_grad for weight in loaded.network.parameters())
    result = denoise(y, method=replace(method, steps=3), noise=NOISE)
    assert (result.method, result.stopped.step) == ("tuned", 3)
    again = rerun(Recipe.model_validate_json(result.recipe.model_dump_json()), y)
    assert np.array_equal(again.image, result.image)
    with pytest.raises(InputError, match="tuned:MODEL"):
        denoise(y, method="tuned", noise=NOISE)


@pytest.mark.parametrize(
    "odd", [{"fit": 2}, {"channels": False}, {"settings": {"alpha": "a\nb"}}, {"ranges": [1]}]
)
def test_a_model_that_says_odd_things_is_one_sentence(model: Path, tmp_path: Path, odd: dict[str, object]) -> None:
    data = model.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    said = json.loads(header["__metadata__"]["untaught"]) | odd
    header["__metadata__"]["untaught"] = json.dumps(said)
    text = json.dumps(header).encode()
    (tmp_path / "odd.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    with pytest.raises(InputError, match="cannot be used by this version") as caught:
        apply(tmp_path / "odd.safetensors", levels(noisy(scene(9)[..., None])[..., 0]))
    assert "\n" not in str(caught.value)
    assert "validation error" not in str(caught.value)
