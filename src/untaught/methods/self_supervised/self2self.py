"""Self2Self with dropout: some of the values are dropped and predicted from the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.method import Needs
from untaught.methods.networks.partial_unet import PartialShape, PartialUNet
from untaught.methods.seeded import seeded
from untaught.methods.self_supervised.learner import Batch, deviation, mean_and_spread
from untaught.methods.self_supervised.single_image import OnePicture


@dataclass(frozen=True)
class Self2Self(OnePicture):
    """Self2Self.

        b ~ Bernoulli(1 - p) for every value
        min over theta of E || (1 - b) (f_theta(b y) - y) ||^2,   f with dropout
        answer: the mean of f_theta(b y) over draws of b and of the dropout; their spread is the uncertainty map.

    Attributes
    ----------
    p : float
        Share of the values that is dropped; 0.3 in the paper.
    draws : int
        Draws averaged in the answer; 100 in the paper.
    partial : PartialShape
        The network, for one picture. A network that takes no mask is shown the middle of the range instead of
        what was dropped.

    References
    ----------
    Quan, Chen, Pang, Ji, "Self2Self With Dropout: Learning Self-Supervised Denoising From a Single Image", CVPR
    2020.
    """

    p: float = 0.3
    draws: int = 50
    partial: PartialShape = field(default_factory=PartialShape)
    name: ClassVar[str] = "self2self"
    needs: ClassVar[Needs] = Needs(white=True, side=32)

    def with_network(self, name: str) -> OnePicture:
        """Refuse: partial convolutions have one network.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(f"{self.name} has one network only; dip:resnet and n2v:dncnn are written so")

    def build(self, channels: int) -> nn.Module:
        """See `OnePicture`."""
        return PartialUNet(channels, self.partial)

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of (f - y)^2 over the values that were dropped."""
        kept = self.kept(batch, generator)
        return deviation(_drawn(network, batch.y, kept, generator), batch.y, batch.mask * (1 - kept))

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return mean and spread over draws."""
        draw = lambda: _drawn(network, batch.y, self.kept(batch, generator), generator)  # noqa: E731
        return mean_and_spread(draw, self.draws)

    def preview(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of a few draws."""
        return replace(self, draws=min(self.draws, 4)).answer(network, batch, generator)[0]

    def kept(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return b: 1 on the values that the network is shown, of those that were measured; shape of `batch.y`."""
        drawn = torch.rand(batch.y.shape, generator=generator).to(batch.y.device)
        return (drawn >= self.p) * batch.mask


def _drawn(network: nn.Module, y: Tensor, kept: Tensor, generator: torch.Generator) -> Tensor:
    """Return f(b y), its dropout drawn from `generator`."""
    seed = int(torch.randint(2**62, (1,), generator=generator))
    devices = [y.device] if y.is_cuda else []
    with seeded(seed, devices):
        shown = torch.where(kept > 0, y, torch.full_like(y, 0.5))
        output: Tensor = network(shown, kept) if getattr(network, "takes_mask", False) else network(shown)
    return output
