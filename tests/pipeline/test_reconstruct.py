"""The tasks: what comes out of each, the rules they take, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

from tests.conftest import clean, noisy, psnr
from untaught import InputError, rerun
from untaught.image.image import Image, image_of_array
from untaught.methods.networks.codes import Code
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.plug_and_play import PlugAndPlay
from untaught.methods.untrained.dip import DIP
from untaught.methods.untrained.pixels import PixelTV
from untaught.operators import Blur, Downsample, Function, Identity, Mask, Mosaic, Radon, StructuredCompression
from untaught.pipeline.tasks.deblur import deblur
from untaught.pipeline.tasks.demosaic import demosaic
from untaught.pipeline.tasks.inpaint import inpaint
from untaught.pipeline.tasks.masks import mask_of
from untaught.pipeline.tasks.restore import restore
from untaught.pipeline.tasks.upscale import upscale
from untaught.results.recipe import Recipe

DRAWN = DIP(steps=20, jitter=0.01, shape=HourglassShape(width=8, depth=2, skip=4), code=Code(random=4, octaves=4))
QUICK = PixelTV(steps=60)
SIDE = 32


def levels(channels: int = 3) -> NDArray[np.uint8]:
    picture = np.rint(clean(SIDE, SIDE, channels) * 255).astype(np.uint8)
    return picture if channels == 3 else picture[..., 0]


def holes(share: float = 0.5) -> NDArray[np.bool_]:
    return np.random.default_rng(0).random((SIDE, SIDE)) >= share


def through(operator: Any, channels: int = 3) -> NDArray[np.uint8]:
    x = torch.from_numpy(clean(SIDE, SIDE, channels).transpose(2, 0, 1).copy())[None]
    y = operator.A(x)[0].permute(1, 2, 0).numpy()
    y = np.clip(np.rint(y * 255), 0, 255).astype(np.uint8)
    return y[..., 0] if y.shape[-1] == 1 else y


BOX = np.ones((3, 3)) / 9
TASKS: dict[str, Callable[[Any], Any]] = {
    "inpaint": lambda m: inpaint(levels() * holes()[..., None], holes(), method=m),
    "upscale": lambda m: upscale(through(Downsample(2, "bicubic")), 2, method=m),
    "deblur": lambda m: deblur(through(Blur(torch.tensor(BOX), "reflect")), BOX, border="reflect", method=m),
    "demosaic": lambda m: demosaic(through(Mosaic("RGGB")), method=m),
}


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize(
    ("method", "least"),
    [(replace(DRAWN, steps=60), 22), (QUICK, 26), ("auto", 29)],
    ids=["dip", "pixel-tv", "auto"],
)
def test_a_task_gives_a_picture_near_the_clean_one(name: str, method: Any, least: float) -> None:
    result = TASKS[name](method)
    assert result.image.shape == (SIDE, SIDE, 3)
    assert result.image.dtype == np.uint8
    assert result.recipe.task == name
    assert psnr(result.image, levels(), 255) > least


@pytest.mark.parametrize("name", TASKS)
def test_a_recipe_makes_the_same_picture_again(name: str) -> None:
    result = TASKS[name](DRAWN)
    recipe = Recipe.model_validate_json(result.recipe.model_dump_json())
    assert np.array_equal(rerun(recipe, result.input).image, result.image)


def test_what_was_kept_without_noise_stays_as_it_is() -> None:
    kept = holes()
    result = inpaint(levels() * kept[..., None], kept, method=DRAWN)
    assert np.array_equal(result.image[kept], levels()[kept])


@pytest.mark.parametrize("width", [1.0, 1.5, 3.0])
@pytest.mark.parametrize("border", ["reflect", "valid"])
def test_a_blur_in_8_bits_is_not_made_worse_by_what_was_rounded(width: float, border: str) -> None:
    """To explain a rounded or not quite such a blur to the digit took 4 to 8 times the error that there was."""
    x = 255.0 * clean(64, 64, 1)[..., 0]
    y = np.rint(gaussian_filter(x, width)).astype(np.uint8)
    found = deblur(y, f"gaussian:{width}", border=border).image
    assert np.square(found - x).mean() < 0.6 * np.square(y - x).mean()


def test_missing_pixels_can_be_nan_transparent_or_of_a_colour() -> None:
    kept, x = holes(0.2), clean(SIDE, SIDE)
    by_mask = inpaint(np.where(kept[..., None], x, 0.5).astype(np.float32), kept, method=QUICK, noise="gaussian:0")
    by_nan = inpaint(np.where(kept[..., None], x, np.nan).astype(np.float32), method=QUICK, noise="gaussian:0")
    assert np.allclose(by_mask.image, by_nan.image, atol=1e-5)
    picture = np.dstack([levels(), np.where(kept, 255, 0).astype(np.uint8)])
    by_alpha = inpaint(Image.of(picture, "YXS", alpha=True), method=QUICK)
    assert np.all(by_alpha.image[..., 3] == 255)
    marked = levels()
    marked[~kept] = (255, 0, 255)
    by_colour = inpaint(marked, missing_colour="#ff00ff", method=QUICK)
    assert np.array_equal(by_colour.image, by_alpha.image[..., :3])


def test_what_is_not_zero_is_kept_whatever_its_value(tmp_path: Path) -> None:
    picture = image_of_array(levels())
    labels = holes() * np.arange(1, SIDE + 1)
    np.save(tmp_path / "labels.npy", labels)
    Pillow.fromarray(labels.astype(np.uint8)).save(tmp_path / "labels.png")
    for mask in (labels, tmp_path / "labels.npy", tmp_path / "labels.png"):
        assert torch.equal(mask_of(mask, picture), mask_of(holes(), picture))


def test_a_mask_operator_is_the_task_of_inpainting() -> None:
    kept, y = holes(), levels() * holes()[..., None]
    one = inpaint(y, kept, method=QUICK)
    two = restore(y, operator=Mask(torch.from_numpy(kept)), method=QUICK)
    assert np.array_equal(one.image, two.image)


def test_a_measurement_that_is_no_picture() -> None:
    operator = StructuredCompression((1, SIDE, SIDE), 700)
    x = torch.from_numpy(clean(SIDE, SIDE, 1).transpose(2, 0, 1).copy())[None]
    result = restore(operator.A(x), operator=operator, method=PixelTV(), noise="gaussian:3")
    assert result.image.shape == (SIDE, SIDE)
    assert psnr(result.image, clean(SIDE, SIDE, 1)[..., 0]) > 30
    assert result.psnr is None
    unknown = restore(operator.A(x), operator=operator, method=PixelTV(steps=2))
    assert any("cannot be measured" in note for note in unknown.notes)


def test_texture_is_not_taken_for_noise() -> None:
    result = TASKS["upscale"](PixelTV(steps=2))
    assert result.noise.level == 0
    assert any("texture alone can give" in note for note in result.notes)
    assert result.noise_found


def test_features_of_a_network_are_inverted_by_the_same_loop() -> None:
    """Feature inversion: the operator is a network, made on the spot; the picture has its features in the end."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, stride=2), torch.nn.Tanh(), torch.nn.Conv2d(4, 2, 3))
    network.requires_grad_(False)
    x = torch.from_numpy(clean(SIDE, SIDE, 1).transpose(2, 0, 1).copy())[None]
    features = network(x)
    operator = Function(network, (1, SIDE, SIDE))
    method = DIP(steps=150, shape=DRAWN.shape, code=DRAWN.code)
    result = restore(features, operator=operator, method=method, stop="held-out")
    found = network(torch.from_numpy(result.image)[None, None])
    grey = network(torch.full_like(x, 0.5))
    assert float((found - features).square().mean()) < 0.3 * float((grey - features).square().mean())
    assert any("held-out" in note and "wmv" in note for note in result.notes)
    with pytest.raises(InputError, match="operator="):
        rerun(result.recipe, features)


def test_a_picture_that_excites_a_unit_is_found_by_the_same_loop() -> None:
    """Activation maximisation: the measurement is a value that no picture was seen to give."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 5), torch.nn.Tanh()).requires_grad_(False)

    def unit(x: torch.Tensor) -> torch.Tensor:
        return network(x)[:, :1].mean((2, 3))

    result = restore(
        torch.ones(1, 1), operator=Function(unit, (1, SIDE, SIDE)), method=replace(DRAWN, steps=40), stop="steps"
    )
    excited = float(unit(torch.from_numpy(result.image)[None, None]))
    assert excited > float(unit(torch.full((1, 1, SIDE, SIDE), 0.5))) + 0.1


def test_an_object_of_another_package_is_restored_with() -> None:
    class Physics:
        """As deepinv has them: every other column is seen, twice as bright."""

        def A(self, x: torch.Tensor) -> torch.Tensor:  # noqa: N802
            return 2 * x[..., ::2]

        def A_adjoint(self, y: torch.Tensor) -> torch.Tensor:  # noqa: N802
            return torch.stack([2 * y, torch.zeros_like(y)], -1).flatten(-2)

    x = torch.from_numpy(clean(SIDE, SIDE, 1).transpose(2, 0, 1).copy())[None]
    y = Physics().A(x)
    result = restore(y, operator=Physics(), noise="gaussian:0", method=PlugAndPlay(steps=12))
    assert psnr(result.image, clean(SIDE, SIDE, 1)[..., 0]) > 22
    assert float((2 * torch.from_numpy(result.image)[:, ::2] - y[0, 0]).abs().max()) < 0.02


def test_a_guide_is_the_code_the_network_draws_from() -> None:
    y = np.clip(noisy(clean(SIDE, SIDE), 0.1), 0, 1)
    guided = restore(y, guide=levels(), method=DRAWN, noise="gaussian:25")
    other = restore(y, guide=levels()[::-1].copy(), method=DRAWN, noise="gaussian:25")
    assert psnr(guided.image, clean(SIDE, SIDE)) > psnr(other.image, clean(SIDE, SIDE))
    with pytest.raises(InputError, match=r"the guide is 16 x 16 .* 32 x 32"):
        restore(y, guide=levels()[:16, :16], method=DRAWN)


def test_noise_that_neighbours_share_is_not_put_back_into_a_guided_picture() -> None:
    from scipy.ndimage import gaussian_filter

    grain = gaussian_filter(np.random.default_rng(0).normal(0, 1, (64, 64, 3)), (0.8, 0.8, 0))
    y = clean(64, 64) + 0.1 * (grain / grain.std()).astype(np.float32)
    result = restore(y, guide=clean(64, 64), method=replace(DRAWN, steps=3), stop="steps")
    assert result.noise.level > 0.04
    assert float(np.abs(result.image - y).mean()) > 0.04


def test_a_rule_that_does_not_fit_gives_way() -> None:
    result = upscale(through(Downsample(2, "bicubic")), 2, method=DRAWN, stop="cross-fitted", noise="gaussian:0")
    assert any("cross-fitted was asked for" in note for note in result.notes)


@pytest.mark.parametrize("method", ["nonlocal", "nlm", "fusion", "r2r"])
def test_a_method_that_needs_the_picture_itself_refuses(method: str) -> None:
    with pytest.raises(InputError, match=f"{method} needs a picture of which every pixel was measured"):
        upscale(levels(), 2, method=method)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: inpaint(levels(), np.ones((SIDE, SIDE))), "keeps every pixel"),
        (lambda: inpaint(levels(), np.zeros((SIDE, SIDE))), "keeps no pixel"),
        (lambda: inpaint(levels(), np.eye(SIDE + 1)), "33 x 33 pixels and the picture 32 x 32"),
        (lambda: inpaint(levels()), "nothing says which pixels"),
        (lambda: inpaint(levels(), missing_colour="pink"), "no colour"),
        (lambda: deblur(levels(), 2 * BOX), "sums to 2"),
        (lambda: deblur(levels(), np.full((33, 33), 1 / 33**2)), "larger than the picture"),
        (lambda: deblur(levels(), "gaussian:-1"), "no point-spread function"),
        (lambda: deblur(levels(), BOX, border="wrapped"), "no border"),
        (lambda: upscale(levels(), 1), "factor of 1"),
        (lambda: upscale(levels(), 64), "from 2 to 16"),
        (lambda: upscale(levels(), 2, kernel="quintic"), "no kernel"),
        (lambda: demosaic(levels()), "3 channels"),
        (lambda: demosaic(levels(1), "RGBW"), "no colour filter array"),
        (lambda: restore(levels(), operator=Radon(7, circle=False)), "."),
        (lambda: restore(torch.ones(3, 4), operator=Identity()), "leading 1"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "call",
)
def test_what_cannot_be_used_is_refused_in_a_sentence(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'steps'"):
        upscale(levels(), 2, steps=3)  # type: ignore[call-arg]


def test_a_checkpoint_is_of_one_mask_and_the_same_call_goes_on_from_it(tmp_path: Path) -> None:
    def look(progress: Any) -> None:
        if progress.phase == "dip" and progress.step >= 120:
            raise RuntimeError("cut")

    path, y = tmp_path / "state", levels() * holes()[..., None]
    options: dict[str, Any] = {"method": replace(DRAWN, steps=140), "noise": "gaussian:0"}
    with pytest.raises(RuntimeError, match="cut"):
        inpaint(y, holes(), checkpoint=path, on_progress=look, **options)
    with pytest.raises(InputError, match="belongs to another picture"):
        inpaint(y, holes(0.4), checkpoint=path, **options)
    resumed = inpaint(y, holes(), checkpoint=path, **options)
    assert np.array_equal(resumed.image, inpaint(y, holes(), **options).image)
