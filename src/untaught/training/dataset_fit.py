"""Training as a fit like any other: the network's problem is a folder, and what it is judged by the rest of it.

`fitting.loop.fit` drives it, with its checkpoints, its roll-backs, its progress and its Ctrl-C: there is no second
loop.
"""

from __future__ import annotations

import math
import time
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.fitting.stopping import Verdict, Watch
from untaught.method import Needs, State
from untaught.methods.averaging import take_in
from untaught.methods.networks.denoisers import Shape
from untaught.methods.seeded import seeded
from untaught.methods.self_supervised.learner import Batch, Learner
from untaught.methods.self_supervised.neighbours import seeing
from untaught.methods.trained.network import network_of
from untaught.noise import NoiseModel, Unknown
from untaught.problem import Estimate, Problem
from untaught.training.batches import Ahead, on
from untaught.training.distributed import Processes

JUDGED = 2  # draws of the method's noise that a network is judged with, the same at every look
JUDGE = 1_000_003  # keeps these apart from the draws of the steps
FITTED, MEAN = "fitted", "mean"  # the network and the average of its weights


class TimeOver(KeyboardInterrupt):
    """Ends a fit whose seconds are over, in all processes at the same step, and leaves the checkpoint."""


@dataclass
class Work:
    """What a training has at hand and what does not make it another one: batches, pictures to judge by, the clock.

    `ended` says that the clock has ended it.
    """

    batches: Ahead
    judged: Batch
    processes: Processes = field(default_factory=Processes)
    seconds: float | None = None
    started: float = field(default_factory=time.monotonic)
    ended: bool = False

    @property
    def over(self) -> bool:
        """Whether the time is."""
        return self.seconds is not None and time.monotonic() - self.started >= self.seconds


@dataclass(frozen=True)
class Training:
    """A network fitted to a folder.

        min over theta of the learner's objective on random squares of the pictures, by Adam; the answer is the
        exponential average of the weights where the objective is least on the pictures that were kept back

    Attributes
    ----------
    learner : Learner
        What the loss is.
    shape : DnCNNShape or UNetShape
        The network.
    files : str
        Hash of the folder's list of files.
    noise : NoiseModel or None
        As given; None where it is measured on every picture.
    steps : int
        Most steps taken.
    channels, neighbours : int
        Channels of a plane, and planes on each side that are seen with one.
    batch, side : int
        Squares in a batch, and their side in pixels.
    rate : float
        Adam's learning rate at the start; it falls along half a cosine to `least` of that (0.001 in the paper of
        DnCNN, falling in steps; the cosine: Loshchilov and Hutter, ICLR 2017).
    decay : float
        Of the average of the weights, less in the first 9000 steps (`averaging.warm`).
    bfloat16 : bool
        Whether convolutions run in bfloat16.
    """

    learner: Learner
    shape: Shape
    files: str
    noise: NoiseModel | None
    steps: int
    work: Work = field(repr=False, compare=False)
    channels: int = 1
    neighbours: int = 0
    batch: int = 16
    side: int = 64
    rate: float = 0.001
    least: float = 0.02
    decay: float = 0.999
    bfloat16: bool = False
    name: ClassVar[str] = "training"
    needs: ClassVar[Needs] = Needs()

    def init(self, problem: Problem, seed: int) -> State:
        """Build the network, its average and the optimiser; draws only from `seed`."""
        with seeded(seed):
            network = network_of(self.shape, self.channels, self.learner, self.neighbours)
        network = network.to(problem.y.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        both = nn.ModuleDict({FITTED: network, MEAN: deepcopy(network).requires_grad_(False)})
        optimizer = torch.optim.Adam(network.parameters(), self.rate)
        self.work.processes.share_gradients(optimizer)
        return State(both, optimizer, torch.Generator().manual_seed(seed), {"seed": torch.tensor(seed)})

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the learner's objective on this step's squares, and take the weights into their average."""
        self._average(state, step)
        self._slow_down(state.optimizer, step)
        work, seed = self.work, int(state.tensors["seed"])
        fitted = self._in_type(state.network[FITTED])  # type: ignore[index]
        total = problem.y.new_zeros(())
        for part, batch in zip(work.processes.mine, work.batches.take(step), strict=True):
            generator = torch.Generator().manual_seed(_mixed(seed, step, part))
            shown = on(batch, problem.y.device)
            total = total + self.learner.objective(seeing(fitted, shown), shown, generator)
        loss, over = work.processes.agreed(total / work.processes.parts, work.over)
        if over:
            work.ended = True
            raise TimeOver
        return loss

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return what the average makes of the first picture kept back; its risk on all is left for `OwnRisk`."""
        network = self._in_type(state.network[MEAN])  # type: ignore[index]
        state.tensors["output"] = self.risk(network, problem, int(state.tensors["seed"]))
        with torch.no_grad():
            return self._first(network, problem).detach()

    def risk(self, network: nn.Module, problem: Problem, seed: int) -> Tensor:
        """Return the learner's objective on the pictures that were kept back, with the same draws at every look.

        The weights of `network` want no gradient, so that none is held; a learner may take one by its input.
        """
        judged = on(self.work.judged, problem.y.device)
        total = problem.y.new_zeros((), dtype=torch.float64)
        for i in range(len(judged.noises)):  # one by one, for they may be large
            one = replace(judged.each(partial(_row, i)), noises=judged.noises[i : i + 1])
            for draw in range(JUDGED):
                generator = torch.Generator().manual_seed(_mixed(seed, JUDGE + i, draw))
                total += self.learner.objective(seeing(network, one), one, generator).detach().double()
        return total / (JUDGED * len(judged.noises))

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the network with the averaged weights, as the map that was fitted."""
        network = state.network[MEAN]  # type: ignore[index]
        return Estimate(self._first(network, problem), function=network)

    def _first(self, network: nn.Module, problem: Problem) -> Tensor:
        """Return what a network makes of the first picture kept back."""
        first = on(self.work.judged.each(partial(_row, 0)), problem.y.device)
        answer: Tensor = seeing(network, first)(problem.y[:1])
        return answer

    def _in_type(self, network: nn.Module) -> nn.Module:
        return Cast(network, self.bfloat16)

    def _average(self, state: State, step: int) -> None:
        network, mean = state.network[FITTED], state.network[MEAN]  # type: ignore[index]
        take_in(zip(mean.parameters(), network.parameters(), strict=True), self.decay, step)

    def _slow_down(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        """Multiply the rate, so that what a roll-back took from it stays taken."""
        for group in optimizer.param_groups:
            group["lr"] *= self._slope(step) / self._slope(step - 1) if step else 1.0

    def _slope(self, step: int) -> float:
        return self.least + (1 - self.least) * (1 + math.cos(math.pi * step / self.steps)) / 2


class Cast(nn.Module):
    """A network in bfloat16, if at all: faster where the device has it."""

    def __init__(self, network: nn.Module, bfloat16: bool):
        super().__init__()
        self.network = network
        self.narrow = bfloat16

    def forward(self, y: Tensor, *context: Tensor) -> Tensor:
        """Return the network's output in float32."""
        y = y.contiguous(memory_format=torch.channels_last)
        with torch.autocast(y.device.type, torch.bfloat16, enabled=self.narrow):
            output: Tensor = self.network(y, *context)
        return output.float()


def _row(i: int, x: Tensor) -> Tensor:
    return x[i : i + 1]


def _mixed(*numbers: int) -> int:
    """Return a seed made of several numbers, far from that of any others."""
    mixed = 0
    for number in numbers:
        mixed = ((mixed ^ number) * 0x9E3779B97F4A7C15 + 0x7F4A7C15) % 2**62
    return mixed


@dataclass(frozen=True)
class OwnRisk:
    """Stop when the method's own risk on pictures that were kept back has not fallen for `patience` steps."""

    every: int = 100
    patience: int = 2000
    name: ClassVar[str] = "held-out pictures"

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _OwnRisk(problem, self.patience, "risk on held-out pictures")


class _OwnRisk(Watch):
    def update(self, step: int, estimate: Tensor, output: Tensor | None = None) -> Verdict:
        """Judge by `output`, which is where a training leaves its risk."""
        self.risk = math.nan if output is None else float(output)
        return super().update(step, estimate)

    def score(self, step: int, estimate: Tensor) -> float:
        return self.risk


def problem_of(judged: Batch, device: str) -> Problem:
    """Return the pictures that a training is judged by as the problem that the loop holds."""
    return Problem(judged.y.to(device), judged.mask.to(device), Unknown(0.0))
