"""The divergence for noise that is shared more or less widely, from the noise that was drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.noise import Correlated, Gaussian
from untaught.noise.models.correlated import gaussian_kernel
from untaught.problem import Response
from untaught.risk.correlation_length import LENGTH_ERROR, _squared_length, ends_of_length
from untaught.risk.sure import Terms

SHAPE = (1, 1, 128, 128)
WIDTH, LEVEL = 1.2, 0.1


def law(width: float) -> Correlated:
    rows = tuple(map(tuple, gaussian_kernel(width)))
    return Correlated(LEVEL, rows, relative_error=0.15)


def blurred(z: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(z, (3, 3, 3, 3), mode="circular"), 7, stride=1)


def terms(width: float) -> Terms:
    """Return those of `blurred`, by many draws."""
    generator, noise = torch.Generator().manual_seed(0), law(width)
    level = torch.full(SHAPE, LEVEL)
    draws = [noise.draw(SHAPE, generator, torch.device("cpu"), around=True) * level for _ in range(30)]
    responses = tuple(Response(z / len(draws), blurred(z)) for z in draws)
    cross = torch.stack([r.probe * r.moved for r in responses]).sum(0)
    return Terms(torch.zeros(SHAPE), cross, level.square(), torch.ones(SHAPE), responses)


def test_both_ends_are_what_noise_of_that_length_gives() -> None:
    narrow, wide = ends_of_length(terms(WIDTH), law(WIDTH))
    for found, width in ((narrow, WIDTH * (1 - LENGTH_ERROR)), (wide, WIDTH * (1 + LENGTH_ERROR))):
        assert float(found.cross.mean()) == pytest.approx(float(terms(width).cross.mean()), rel=0.06)
    assert torch.equal(narrow.variance, wide.variance)


def test_a_law_that_was_given_and_white_noise_have_no_ends() -> None:
    found = terms(WIDTH)
    assert ends_of_length(found, replace(law(WIDTH), relative_error=0.0)) == ()
    assert ends_of_length(found, Gaussian(LEVEL, relative_error=0.1)) == ()
    assert ends_of_length(replace(found, responses=()), law(WIDTH)) == ()


def test_the_length_is_the_second_moment_of_the_correlation() -> None:
    """Of noise that is a box of three pixels along a row, whose correlation is 1, 2/3 and 1/3 at 0, 1 and 2."""
    across = Correlated(LEVEL, ((0.0,) * 3, (1.0,) * 3, (0.0,) * 3), relative_error=0.15)
    down = Correlated(LEVEL, ((0.0, 1.0, 0.0),) * 3, relative_error=0.15)
    both = Correlated(LEVEL, ((1.0,) * 3,) * 3, relative_error=0.15)
    moment = 2 * (2 / 3 * 1 + 1 / 3 * 4) / (1 + 2 * (2 / 3 + 1 / 3))
    assert _squared_length(across) == pytest.approx(moment / 2)
    assert _squared_length(down) == pytest.approx(moment / 2)
    assert _squared_length(both) == pytest.approx(moment)
    assert _squared_length(Gaussian(LEVEL)) == 0
