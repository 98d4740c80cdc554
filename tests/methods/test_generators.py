"""Architectures by name: each draws any size, fits what it is shown, and is usable in DIP and its recipe."""

from __future__ import annotations

import pytest
import torch

from tests.conftest import SIGMA, clean, noisy
from untaught.errors import InputError
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options
from untaught.fitting.stopping import StepBudget
from untaught.methods.networks.generators import GENERATORS, generator
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.untrained.dip import DIP
from untaught.noise import Gaussian
from untaught.pipeline.recipes import method_of, plane_recipe
from untaught.problem import Problem

every = pytest.mark.parametrize("name", GENERATORS)


def drawn(name: str, size: tuple[int, int], code: torch.Tensor | None = None) -> torch.Tensor:
    torch.manual_seed(0)
    with torch.no_grad():
        return generator(name, 4, 3, size)(torch.rand(1, 4, *size) if code is None else code)


@every
@pytest.mark.parametrize("size", [(16, 16), (33, 47), (8, 70)])
def test_every_architecture_draws_any_size(name: str, size: tuple[int, int]) -> None:
    picture = drawn(name, size)
    assert picture.shape == (1, 3, *size)
    assert 0 < float(picture.min()) < float(picture.max()) < 1


@every
def test_every_architecture_fits_what_it_is_shown(name: str) -> None:
    y = torch.from_numpy(noisy(clean(32, 32), seed=0)).permute(2, 0, 1)[None]
    problem = Problem(y, torch.ones(1, 1, 32, 32), Gaussian(SIGMA))
    method = DIP(steps=20, shape=name)
    found = fit(method, problem, 0, Options(rule=StepBudget()))
    assert problem.misfit(found.estimate.image) < 0.6 * y.var()


def test_what_a_network_sees_of_distant_pixels_is_its_architecture() -> None:
    """Through scales the far corner of the code leads a pixel, through a few residual blocks it does not."""
    for name, far in {"hourglass-5-no-skips": True, "unet": True, "decoder": True, "resnet": False}.items():
        torch.manual_seed(0)
        network = generator(name, 4, 3, (64, 64)).eval()  # batch statistics would tie all pixels together
        code = torch.rand(1, 4, 64, 64, requires_grad=True)
        (led,) = torch.autograd.grad(network(code)[..., 60, 60].sum(), code)
        assert bool(led[..., :24, :24].any()) is far, name


def test_skips_are_weights_of_their_own() -> None:
    counts = {name: sum(p.numel() for p in generator(name, 4, 3, (64, 64)).parameters()) for name in GENERATORS}
    assert counts["hourglass-4"] > counts["hourglass-4-no-skips"]
    assert counts["hourglass-2"] < counts["hourglass-3"] < counts["hourglass-6"]


def test_a_recipe_keeps_the_name() -> None:
    for method in (DIP(shape="resnet"), DIP(shape=HourglassShape(width=8, depth=2))):
        assert method_of(plane_recipe(method, StepBudget(), method.steps)) == method


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match="no network 'resnets'; did you mean 'resnet'"):
        generator("resnets", 4, 3, (32, 32))
