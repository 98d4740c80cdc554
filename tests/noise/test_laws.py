"""A law of noise is one file and one word: two that nothing but this file knows go all the way through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.conftest import clean, psnr
from untaught import denoise, rerun
from untaught.errors import InputError
from untaught.methods.networks.unet import UNetShape
from untaught.methods.self_supervised.gr2r import GR2R
from untaught.methods.self_supervised.learner import Batch
from untaught.methods.self_supervised.r2r import R2R
from untaught.noise import Gaussian, Impulse, NoiseModel, Unknown, format_noise, parse_noise
from untaught.noise.models.base import Split, Values
from untaught.noise.models.gaussian import OneLevel
from untaught.noise.models.moments import T
from untaught.noise.models.registry import MODELS, kinds
from untaught.problem import Problem
from untaught.results.recipe import Recipe
from untaught.risk.sure import Recorruption, kernel_of

if TYPE_CHECKING:
    from untaught.noise.models.words import Words

LEVEL = 25 / 255


@dataclass(frozen=True)
class Laplace(OneLevel):
    """y = x + sigma n, n of density exp(-sqrt(2) |n|) / sqrt(2)."""

    kind: ClassVar[str] = "laplace"
    form: ClassVar[str] = "laplace:25"

    def _standard(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.laplace(scale=0.5**0.5, size=shape)

    def _what(self) -> str:
        return f"Laplace noise of level {self.sigma * 255:.1f} (of 255)"


@dataclass(frozen=True)
class Gamma(NoiseModel):
    """y of the gamma law of shape `looks` and mean x: Var[y | x] = x^2 / looks, Stein's kernel x y / looks."""

    kind: ClassVar[str] = "gamma-distributed"
    form: ClassVar[str] = "gamma:LOOKS"
    looks: float

    def std(self, x: T) -> T:
        value: Any = x
        answer: T = abs(value) / math.sqrt(self.looks)
        return answer

    def sample(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        return rng.gamma(self.looks, np.maximum(x, 0) / self.looks).astype(x.dtype)

    def stein_kernel(self, y: Tensor, mean: Tensor) -> Tensor:
        return mean * y / self.looks

    @property
    def recorruption(self) -> str:
        return "beta"

    def split(self, law: str, y: Values, share: float, rng: np.random.Generator) -> Split | None:
        if law != "beta":
            return None
        kept = y * rng.beta(self.looks * share, self.looks * (1 - share), y.shape)
        return (y - kept) / (1 - share), kept / share

    @classmethod
    def parse(cls, words: Words) -> Self:
        return cls(words.number(0, top=1e6), clip=words.clip)

    def written(self, digits: int) -> str:
        return f"{self.looks:.{digits}g}"


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for law in (Laplace, Gamma):
        monkeypatch.setitem(MODELS, law.kind, law)


def spoilt(noise: NoiseModel, side: int = 48) -> NDArray[np.float32]:
    return np.asarray(noise.sample(clean(side, side), np.random.default_rng(0)), np.float32)


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("laplace:25", Laplace(LEVEL)),
        ("laplace:25,clipped-low", Laplace(LEVEL, clip=(True, False))),
        ("gamma:10", Gamma(10.0)),
        ("gamma-distributed:10", Gamma(10.0)),
    ],
)
def test_it_is_read_and_written(text: str, model: NoiseModel) -> None:
    assert parse_noise(text) == model
    assert parse_noise(format_noise(model)) == model
    assert format_noise(model).split(":")[0] in ("laplace", "gamma")


def test_it_is_among_what_can_be_written() -> None:
    with pytest.raises(InputError, match=r"There is no noise model 'x'; use one of: auto, gaussian:25, .*"):
        parse_noise("x")
    with pytest.raises(InputError, match=r"unknown:25, laplace:25, gamma:LOOKS\.$"):
        parse_noise("laplace:-1")
    with pytest.raises(InputError, match=r"'laplace:1,2' has 2 numbers where laplace noise takes 1; "):
        parse_noise("laplace:1,2")


def test_it_says_what_it_is() -> None:
    assert Laplace(LEVEL, clip=(True, True)).describe() == (
        "Laplace noise of level 25.0 (of 255), cut off at black and at white."
    )
    assert Laplace(LEVEL).as_dict()["kind"] == "laplace"
    assert Gamma(10.0).describe().startswith("Noise of level ")


def test_it_scales_with_its_variance_or_says_that_it_does_not() -> None:
    assert Laplace(0.1).scaled(4.0, 0.05) == Laplace(0.2, relative_error=0.05)
    for noise in (Gamma(10.0), Impulse(0.1)):
        with pytest.raises(TypeError, match=f"no variance to scale in {noise.kind} noise"):
            noise.scaled(4.0, 0.05)


@pytest.mark.parametrize("method", ["nonlocal", R2R(steps=20, draws=2, spread=10, shape=UNetShape(8, 2), crop=32)])
@pytest.mark.parametrize("noise", ["laplace:25", "gamma:30"])
def test_a_picture_is_restored_and_made_again_by_its_recipe(noise: str, method: str | R2R) -> None:
    model = parse_noise(noise)
    assert model is not None
    y = spoilt(model)
    result = denoise(y, method=method, noise=model)
    assert result.noise.kind == model.kind
    assert result.recipe.noise == noise
    again = rerun(Recipe.model_validate_json(result.recipe.model_dump_json()), y)
    assert np.array_equal(again.image, result.image)
    if method == "nonlocal":
        assert psnr(result.image, clean(48, 48)) > psnr(y, clean(48, 48)) + 3


def test_auto_takes_what_its_answers_allow() -> None:
    result = denoise(spoilt(Laplace(LEVEL), 40), noise="laplace:25")
    assert result.method == "nonlocal"
    assert "independent between pixels" in result.why


def test_stein_and_the_recorruption_go_by_its_own_kernel() -> None:
    noise, x = Gamma(10.0), torch.full((1, 1, 600, 600), 0.4, dtype=torch.float64)
    y = torch.from_numpy(noise.sample(x.numpy(), np.random.default_rng(1)))
    problem = Problem(y, torch.ones_like(y), noise, pilot=x)
    tau = kernel_of(problem, x)
    assert torch.equal(tau, x * y / 10)
    products = (y - x) * y**2  # E (y - m) g(y) = E tau g'(y)
    error = float(products.std()) / y.numel() ** 0.5
    assert float((tau * 2 * y).mean()) == pytest.approx(float(products.mean()), abs=5 * error)
    draw = Recorruption.draw(problem, seed=0)
    assert torch.equal(draw.kernel, tau)
    assert float((draw.z.square() / tau).mean()) == pytest.approx(1, abs=0.02)


def test_it_brings_its_own_recorruption() -> None:
    noise, x = Gamma(10.0), np.full((600, 600, 1), 0.4)
    y = torch.from_numpy(noise.sample(x, np.random.default_rng(2)).transpose(2, 0, 1))[None]
    seen = Batch(y, (noise,), torch.ones_like(y))
    first, second = (part - 0.4 for part in GR2R().pair(seen, torch.Generator().manual_seed(0)))
    share = 0.5**2 / (1 + 0.5**2)
    assert float(first.square().mean()) == pytest.approx(0.016 / (1 - share), rel=0.02)
    assert float(second.square().mean()) == pytest.approx(0.016 / share, rel=0.02)
    assert abs(float((first * second).mean())) < 5 * 0.016 / 360
    with pytest.raises(InputError, match="gamma-distributed noise is not counted; Poisson recorruption needs"):
        GR2R(law="poisson").pair(seen, torch.Generator().manual_seed(0))


def test_what_is_not_said_is_that_of_white_noise() -> None:
    noise, device = Laplace(LEVEL), torch.device("cpu")
    assert noise.white
    assert noise.recorruptible
    assert noise.uniform
    assert noise.turns
    assert not any((noise.shared, noise.replaces, noise.biased))
    assert noise.reach == (0, 0)
    assert noise.subsampled() is noise
    assert noise.texture_error == 0
    assert noise.variance_from(np.zeros(3)) is None
    assert noise.kernels(2) == ((1.0, ((1.0,),)),) * 2
    assert [noise.correlation(lag) for lag in ((0, 0), (0, 1), (-1, 0))] == [1, 0, 0]
    assert not noise.hit(clean(8, 8)).any()
    plain = torch.randn((1, 3, 5, 6), generator=torch.Generator().manual_seed(0))
    for around in (False, True):
        assert torch.equal(noise.draw((1, 3, 5, 6), torch.Generator().manual_seed(0), device, around), plain)


def test_methods_are_made_for_the_laws_that_say_so() -> None:
    assert kinds("replaces") == ("impulse",)
    ours = ("gaussian", "poisson-gaussian", "curve", "map", "rician", "speckle")
    assert kinds("white") == (*ours, "laplace", "gamma-distributed")
    assert set(MODELS) - set(kinds("recorruptible")) == {"impulse", "unknown"}
    assert Gaussian(0.1).uniform
    assert Unknown(0.1).uniform
