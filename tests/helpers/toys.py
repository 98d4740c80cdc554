"""A method whose fit can be followed by hand: one parameter picture that walks towards y."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.method import Needs, State
from untaught.problem import Estimate, Problem


class Pixels(nn.Module):
    def __init__(self, like: Tensor):
        super().__init__()
        self.x = nn.Parameter(torch.zeros_like(like))


@dataclass(frozen=True)
class Walk:
    """Gradient descent on the pixels themselves; the loss is NaN at `poison`, Ctrl-C comes at `stop_at`."""

    steps: int = 100
    rate: float = 0.05
    poison: int = -1
    stop_at: int = -1
    name: ClassVar[str] = "walk"
    needs: ClassVar[Needs] = Needs()

    def init(self, problem: Problem, seed: int) -> State:
        network = Pixels(problem.y)
        optimizer = torch.optim.Adam(network.parameters(), self.rate)
        return State(network, optimizer, torch.Generator().manual_seed(seed), {"poisoned": torch.zeros(1)})

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        if step == self.stop_at:
            raise KeyboardInterrupt
        x = state.network.x
        loss = ((x - problem.y).square() * problem.mask).mean()
        if step == self.poison and not POISONED:
            POISONED.append(step)
            return loss * float("nan")
        return loss

    def estimate(self, problem: Problem, state: State) -> Tensor:
        return state.network.x.detach().clone()

    def readout(self, problem: Problem, state: State) -> Estimate:
        return Estimate(state.network.x.detach().clone())


POISONED: list[int] = []
