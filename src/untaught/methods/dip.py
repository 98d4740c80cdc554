"""Deep image prior: an untrained network fitted to the one degraded picture, stopped before it fits the noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from untaught.methods.base import Estimate, Needs, Problem, State
from untaught.networks.codes import Code
from untaught.networks.hourglass import Hourglass, HourglassShape


@dataclass(frozen=True)
class DIP:
    """Deep image prior.

        min over theta of || mask (f_theta(z + e) - y) ||^2,   e ~ N(0, jitter^2) anew at every step,

    stopped early; the answer is the exponential average of the outputs (`averaging.Averaged`).

    The defaults are the fast variant: a positional code beside the random one, a thinner network, the
    non-local picture in the code where there is one. `DIP.paper()` is the original configuration.

    Attributes
    ----------
    steps : int
        Most steps taken; 1800 in the paper for denoising.
    rate : float
        Adam's learning rate; 0.01 in the paper.
    jitter : float
        Standard deviation of the noise added to the code at every step; 1/30 in the paper.
    shape : HourglassShape
        The network.
    code : Code
        What the network draws from.
    bfloat16 : bool
        Whether convolutions run in bfloat16 autocast (about twice as fast where the CPU has it).

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky, "Deep Image Prior", CVPR 2018 and IJCV 2020.
    """

    steps: int = 1200
    rate: float = 0.01
    jitter: float = 0.05
    shape: HourglassShape = field(default_factory=lambda: HourglassShape(width=32, depth=4, skip=8))
    code: Code = field(default_factory=lambda: Code(random=8, octaves=6, pilot=True))
    bfloat16: bool = True
    name: ClassVar[str] = "dip"
    needs: ClassVar[Needs] = Needs()

    @classmethod
    def paper(cls) -> DIP:
        """Return the configuration of the paper's denoising experiment."""
        return cls(
            steps=1800,
            rate=0.01,
            jitter=1 / 30,
            shape=HourglassShape(),
            code=Code(),
            bfloat16=False,
        )

    def init(self, problem: Problem, seed: int) -> State:
        """Build network, code and optimiser; draws only from `seed`."""
        generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            code = self.code.draw(problem.y, problem.pilot, generator)
            network = Hourglass(code.shape[1], problem.y.shape[1], self.shape.fitted(*problem.y.shape[2:]))
        network = network.to(problem.y.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.Adam(network.parameters(), self.rate)
        return State(
            network,
            optimizer,
            generator,
            {"code": code.contiguous(memory_format=torch.channels_last)},
        )

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the mean squared misfit on the measured pixels."""
        code = state.tensors["code"]
        jitter = torch.randn(code.shape, generator=state.generator).to(code.device)
        with torch.autocast(code.device.type, torch.bfloat16, enabled=self.bfloat16):
            output: Tensor = state.network(code + self.jitter * jitter)
        state.tensors["output"] = output.detach()
        misfit = (output - problem.y).square() * problem.mask
        return misfit.sum() / (problem.mask.sum() * problem.y.shape[1])

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return the output of the last step."""
        return state.tensors["output"]

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the output of the last step."""
        return Estimate(state.tensors["output"].clone())
