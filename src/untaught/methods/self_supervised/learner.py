"""What a method is that learns from noisy pictures alone: a loss on some of them, and a way to read the answer.

The same page serves one picture, of which crops are learned from (`single_image`), and a folder of them
(`training`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from untaught.method import Needs
from untaught.noise import NoiseModel
from untaught.problem import Problem

Norm = Literal["l2", "l1"]
BETAS = (0.9, 0.99)  # of Adam; with its usual 0.999 a fit now and then lost decibels from one step to the next


@dataclass(frozen=True)
class Batch:
    """Noisy pictures, or crops of them, that a network learns from or is to restore.

    Attributes
    ----------
    y : Tensor
        float32 (B, C, H, W) in [0, 1] units, finite everywhere.
    noises : tuple of NoiseModel
        The noise of each, in the same units; B of them.
    mask : Tensor
        float32 (B, 1, H, W) or (B, C, H, W): 0 where the value is missing and was filled in, which no loss may
        look at.
    second : Tensor or None
        Another observation of the same pictures with noise of its own, where there is one; shape of `y`.
    context : Tensor or None
        float32 (B, P C, H, W): P other planes of the series that each is of, with noise of their own.
    """

    y: Tensor
    noises: tuple[NoiseModel, ...]
    mask: Tensor
    second: Tensor | None = None
    context: Tensor | None = None

    def each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """Return the same with every tensor changed."""
        second, context = (None if x is None else change(x) for x in (self.second, self.context))
        return Batch(change(self.y), self.noises, change(self.mask), second, context)

    def problems(self) -> list[Problem]:
        """Return every picture as a problem of its own."""
        return [Problem(self.y[i : i + 1], self.mask[i : i + 1], noise) for i, noise in enumerate(self.noises)]


@runtime_checkable
class Learner(Protocol):
    """A loss and a readout, without a network of its own and without a loop."""

    name: ClassVar[str]
    needs: ClassVar[Needs]

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the scalar loss of `network` on `batch`; draws only from `generator`."""
        ...

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return the restored pictures, shape of `batch.y`, detached, and their standard deviation or None."""
        ...


@runtime_checkable
class Upright(Protocol):
    """A learner that says itself when crops may be turned by 180 degrees only."""

    def upright(self, batch: Batch) -> bool:
        """Say whether crops of these pictures may be."""
        ...


def directed(batch: Batch) -> bool:
    """Say whether the noise of a batch has a direction, so that its pictures may be turned by 180 degrees only."""
    return not all(noise.turns for noise in batch.noises)


def mean_and_spread(draw: Callable[[], Tensor], count: int) -> tuple[Tensor, Tensor | None]:
    """Return the mean of `count` draws of a picture and their standard deviation; None for that of one draw."""
    mean = draw().detach()
    squares = torch.zeros_like(mean)
    for k in range(1, count):
        new = draw().detach()
        apart = new - mean
        mean = mean + apart / (k + 1)
        squares += apart * (new - mean)
    return mean, (squares / (count - 1)).sqrt() if count > 1 else None


def deviation(output: Tensor, target: Tensor, weight: Tensor, norm: Norm = "l2") -> Tensor:
    """Return the mean of |output - target|^2 ("l2") or |output - target| ("l1") where `weight` is not 0.

    `output` and `target` are (B, C, H, W); `weight` broadcasts to that, and 0 hides whatever stands there.
    """
    weight = weight.expand_as(output)
    difference = torch.where(weight > 0, output - target, torch.zeros_like(output))
    size = difference.square() if norm == "l2" else difference.abs()
    return (size * weight).sum() / weight.sum().clamp_min(1)
