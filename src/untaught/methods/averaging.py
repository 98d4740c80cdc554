"""Averages over the steps of a fit: of weights, and of outputs, the latter as a wrapper around any method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.method import Iterative, Method, Needs, State, runs_of
from untaught.problem import Estimate, Problem

MEAN = "mean of "  # prefix of the averaged weights among a state's tensors


def warm(decay: float, step: int) -> float:
    """Return the decay at `step`: smaller at first, or the average would carry the start with it."""
    return min(decay, (1 + step) / (10 + step))


def mean_weights(network: nn.Module) -> dict[str, Tensor]:
    """Return the average of a network's weights before the first step, as tensors of a state."""
    return {MEAN + name: value.detach().clone() for name, value in network.named_parameters()}


def average_weights(state: State, decay: float, step: int) -> None:
    """Take the weights of a state's network into their average."""
    take_in(((state.tensors[MEAN + name], value) for name, value in state.network.named_parameters()), decay, step)


def take_in(pairs: Iterable[tuple[Tensor, Tensor]], decay: float, step: int) -> None:
    """Take every second of the pairs into its average, the first: a_t = d a_{t-1} + (1 - d) w_t."""
    with torch.no_grad():
        for average, value in pairs:
            average.lerp_(value, 1 - warm(decay, step))


@contextmanager
def averaged_weights(state: State) -> Iterator[None]:
    """Lend the network its averaged weights."""
    last = {name: value.detach().clone() for name, value in state.network.named_parameters()}
    with torch.no_grad():
        for name, value in state.network.named_parameters():
            value.copy_(state.tensors[MEAN + name])
        try:
            yield
        finally:
            for name, value in state.network.named_parameters():
                value.copy_(last[name])


def averaged(method: Method) -> Method:
    """Return a method with the average of its outputs for its answer, if that is how it is run."""
    decay = runs_of(method).averaged
    return Averaged(method, decay) if decay and isinstance(method, Iterative) else method


@dataclass(frozen=True)
class Averaged:
    """Exponential average of the outputs: a_t = d a_{t-1} + (1 - d) f_t, d = min(decay, (1+t)/(10+t)).

    Source: Ulyanov et al., CVPR 2018, section 3 (decay .99 there; the warm-up is ours, see `warm`).

    Attributes
    ----------
    method : Iterative
        What is averaged; its `estimate` must be the output of its last step.
    decay : float
        In [0, 1); 0 averages nothing.
    """

    method: Iterative
    decay: float = 0.99
    name: ClassVar[str] = "averaged"
    needs: ClassVar[Needs] = Needs()

    @property
    def steps(self) -> int:
        """See `Iterative`."""
        return self.method.steps

    def init(self, problem: Problem, seed: int) -> State:
        """See `Iterative`."""
        return self.method.init(problem, seed)

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """See `Iterative`; takes the output into the average on the way."""
        loss = self.method.loss(problem, state, step)
        with torch.no_grad():
            output = self.method.estimate(problem, state)
            average = state.tensors.get("average")
            state.tensors["average"] = (
                output.clone() if average is None else average.lerp_(output, 1 - warm(self.decay, step))
            )
        return loss

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return the average as it stands."""
        return state.tensors["average"]

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the average as the answer."""
        return replace(self.method.readout(problem, state), image=state.tensors["average"].clone())
