"""What a method is that learns from noisy pictures alone: a loss on some of them, and a way to read the answer.

The same page serves one picture, of which crops are learned from (`methods.one_picture`), and a folder of them
(`training`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from untaught.methods.base import Needs
from untaught.noise import NoiseModel


@dataclass(frozen=True)
class Seen:
    """Noisy pictures, or crops of them, that a network learns from or is to restore.

    Attributes
    ----------
    y : Tensor
        float32 (B, C, H, W) in [0, 1] units, finite everywhere.
    noises : tuple of NoiseModel
        The noise of each, in the same units; B of them.
    mask : Tensor
        float32 (B, 1, H, W): 0 where the value is missing and was filled in, which no loss may look at.
    second : Tensor or None
        Another observation of the same pictures with noise of its own, where there is one; shape of `y`.
    """

    y: Tensor
    noises: tuple[NoiseModel, ...]
    mask: Tensor
    second: Tensor | None = None

    def variance(self, x: Tensor) -> Tensor:
        """Return Var[y | x] of each value where `x` estimates the mean of `y`; shape of `y`."""
        return torch.cat([noise.variance_at_mean(x[i : i + 1]) for i, noise in enumerate(self.noises)])


@runtime_checkable
class Learner(Protocol):
    """A loss and a readout, without a network of its own and without a loop."""

    name: ClassVar[str]
    needs: ClassVar[Needs]

    def objective(self, network: nn.Module, seen: Seen, generator: torch.Generator) -> Tensor:
        """Return the scalar loss of `network` on `seen`; draws only from `generator`."""
        ...

    def answer(self, network: nn.Module, seen: Seen, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return the restored pictures, shape of `seen.y`, detached, and their standard deviation or None."""
        ...
