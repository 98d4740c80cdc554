"""The pixels themselves fitted to what was measured: no prior at all, or total variation as the prior."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.method import Needs, Runs, State
from untaught.problem import Estimate, Problem

ROUNDING = 1 / 255 / math.sqrt(12)  # standard deviation of what rounding to 8 bits does; no picture is exacter
SMOOTH = 1 / 255  # gradients below this count with their square, so that TV can be differentiated
GREY = 0.5
COARSE = 5 / 255  # the noise that total variation starts from ...
COOLING = 40.0  # ... and the steps in which it falls to a third


class Canvas(nn.Module):
    """A picture whose values are the parameters."""

    def __init__(self, start: Tensor):
        super().__init__()
        self.x = nn.Parameter(start.clone())

    def forward(self) -> Tensor:
        """Return the picture."""
        return self.x


@dataclass(frozen=True)
class Pixels:
    """The pixels fitted to the measurement, without any prior: what a network's own structure is compared with.

        min over x of || mask (A x - y) ||^2

    by Adam from a plain grey picture. What A does not see stays grey; the noise is fitted with the picture.

    Attributes
    ----------
    steps : int
        Most steps taken; ours.
    rate : float
        Adam's learning rate; 0.01, as for the network in the deep image prior's paper.

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky, "Deep Image Prior", CVPR 2018, section 3.2 and figure 7 ("no prior").
    """

    steps: int = 500
    rate: float = 0.01
    name: ClassVar[str] = "pixels"
    needs: ClassVar[Needs] = Needs(identity=False)

    def init(self, problem: Problem, seed: int) -> State:
        """Make the picture to start from and the optimiser; nothing is random."""
        return self._state(torch.full(problem.picture_shape, GREY, device=problem.y.device), seed)

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the mean squared misfit to what was measured."""
        return problem.misfit(state.network())

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return the picture as it stands."""
        picture: Tensor = state.network().detach()
        return picture.clone()

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the picture as it stands."""
        return Estimate(self.estimate(problem, state))

    def _state(self, start: Tensor, seed: int) -> State:
        network = Canvas(start)
        optimizer = torch.optim.Adam(network.parameters(), self.rate)
        return State(network, optimizer, torch.Generator().manual_seed(seed))


@dataclass(frozen=True)
class PixelTV(Pixels):
    """The pixels fitted to the measurement, with total variation as the prior; any operator.

        min over x of || mask (A x - y) ||^2 + w TV(x)

    by Adam from the operator's cheap picture, w large at first, which comes to the minimum sooner. The minimum is
    the answer: no rule has to stop it.

    Attributes
    ----------
    steps : int
        Steps taken; ours: more change the PSNR by hundredths of dB.
    tv : float
        Weight w, as `tv_weight` has it; ours, the best of 5 to 80 on crops.

    References
    ----------
    L. Rudin, S. Osher, E. Fatemi, Physica D 60, 1992; for colour P. Blomgren and T. Chan, "Color TV", IEEE
    TIP 7(3), 1998.
    """

    steps: int = 200
    tv: float = 10.0
    name: ClassVar[str] = "pixel-tv"
    runs: ClassVar[Runs] = Runs(settles=True)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tv) and self.tv > 0):
            raise InputError(f"the weight of total variation is {self.tv}; give a positive number, or take pixels")

    def init(self, problem: Problem, seed: int) -> State:
        """Make the picture to start from and the optimiser; nothing is random."""
        return self._state(problem.initial(), seed)

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the total variation with the misfit over its weight w, at first as if there were much noise.

        Over w, as Adam remembers how large gradients were: it would hardly move when w has fallen.
        """
        x = state.network()
        least = max(ROUNDING, COARSE * math.exp(-step / COOLING))
        return problem.misfit(x) / tv_weight(problem, self.tv, least) + total_variation(x)


def total_variation(x: Tensor) -> Tensor:
    """Return the mean over pixels of |grad x|, the channels of a pixel taken together.

        TV(x) = (1/N) sum_i sqrt( sum_c (dx_ic)^2 + (dy_ic)^2 + 1/255^2 )

    with forward differences in a picture (1, C, H, W) that goes on as its border pixels.
    """
    rows = torch.diff(x, dim=-2, append=x[..., -1:, :]).square()
    columns = torch.diff(x, dim=-1, append=x[..., -1:]).square()
    return ((rows + columns).sum(1) + SMOOTH**2).sqrt().mean()


def tv_weight(problem: Problem, tv: float, least: float = ROUNDING) -> float:
    """Return the weight of total variation in the mean squared misfit.

        w = 2 tv sigma^2 N / M

    for N pixels and M measurements with noise of standard deviation sigma, no less than `least`. This makes the
    minimum the most probable picture where the lengths of gradients have an exponential law of mean 1 / tv, in
    units of the value range.
    """
    sigma = least if problem.noise.replaces else max(problem.noise.level, least)
    pixels = math.prod(problem.picture_shape[2:]) * problem.picture_shape[1]
    return 2 * tv * sigma**2 * pixels / float(problem.mask.expand_as(problem.y).sum())
