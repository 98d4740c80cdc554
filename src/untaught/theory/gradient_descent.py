"""Plain gradient descent on any generator, run by the one loop, and a way to watch a fit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.fitting.stopping import StepBudget
from untaught.method import Iterative, Needs, State
from untaught.noise import Unknown
from untaught.problem import Estimate, Problem
from untaught.theory.jacobian import Draw


@dataclass(frozen=True)
class Descent:
    """Gradient descent on a generator, as a method.

        theta <- theta - eta J^T (G(theta) - y),   the gradient of || mask (G(theta) - y) ||^2 / 2

    Attributes
    ----------
    draw : callable
        From the seed, the network at its start and its code.
    eta : float
        Step length. For a mean squared error over N values and a learning rate r it is 2 r / N; r = 0.1 in the
        structural-bias paper.
    steps : int
        How many.
    momentum : float
        0.9 in the paper's fits; the predictions of `theory.dynamics` are for 0.
    """

    draw: Draw
    eta: float
    steps: int = 200
    momentum: float = 0.0
    name: ClassVar[str] = "gradient descent"
    needs: ClassVar[Needs] = Needs()

    def init(self, problem: Problem, seed: int) -> State:
        """Take a copy of the network that the seed draws, and its code."""
        network, code = self.draw(seed)
        network = copy.deepcopy(network)
        optimizer = torch.optim.SGD(network.parameters(), self.eta, self.momentum)
        return State(network, optimizer, torch.Generator().manual_seed(seed), {"code": code})

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return half the sum of squared misfits on the measured pixels."""
        output: Tensor = state.network(state.tensors["code"])
        state.tensors["output"] = output.detach()
        return ((output - problem.y).square() * problem.mask).sum() / 2

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return the output before the last step."""
        return state.tensors["output"]

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the output before the last step."""
        return Estimate(state.tensors["output"].clone())


def watch(
    method: Iterative,
    y: Tensor,
    seed: int,
    every: int,
    look: Callable[[int, Tensor], None],
    options: Options | None = None,
) -> None:
    """Fit `method` to y to the end of its steps; `look(step, picture)` is called every so many steps.

    Parameters
    ----------
    method : Iterative
        Any.
    y : Tensor
        Target, (1, C, H, W).
    options : fit.Options, optional
        Its time limit and `on_progress` are heeded.
    """
    options = options or Options()

    def seen(progress: Progress) -> None:
        look(progress.step, progress.preview())
        if options.on_progress is not None:
            options.on_progress(progress)

    # The rule only counts, so no method is told a noise level it could lean on.
    problem = Problem(y, torch.ones_like(y[:, :1]), Unknown(0.0))
    # A curve that was cut short must not be taken for a whole one.
    if fit(method, problem, seed, replace(options, rule=StepBudget(every=every), on_progress=seen)).interrupted:
        raise KeyboardInterrupt
