"""What networks of the learners are shown: a picture around its local mean, and neighbours around that too."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from untaught.operators.filters import local_mean

WINDOW = 7  # pixels; 5 is as good at level 25, 9 on smooth pictures, on crops of four photographs at 25 and 50
LEAST_SHOWN = 1e-3  # of the pixels around one; where fewer are known, their mean is of too few


class Centred(nn.Module):
    """A network u that sees a picture twice: b + u(x - b, x - c), or x + u(x - b, x - c) if it adds to its input.

    b is the local mean of x, c of (1, C, 1, 1) the mean of every channel. Drawn around c alone, small parts of a
    colour of their own come out in that of the rest: what they are wrong by is little of the loss, and is learned
    last. With c beside b, the network can take off what is left of the noise in b. A network that takes a mask
    sees x - b, b being the mean of what the mask shows. Convolutions run in bfloat16 autocast if `mixed`; what
    goes in and comes out is float32.
    """

    centre: Tensor

    def __init__(self, inner: nn.Module, centre: Tensor, residual: bool, mixed: bool):
        super().__init__()
        self.register_buffer("centre", centre)
        self.inner = inner
        self.residual = residual
        self.mixed = mixed
        self.takes_mask = getattr(inner, "takes_mask", False)

    def forward(self, x: Tensor, *mask: Tensor) -> Tensor:
        """Return the picture drawn from `x`, (B, C, H, W), of which only what the mask shows may be known."""
        around = self._known(x, *mask) if mask else smooth(x)
        seen = x - around if mask else torch.cat([x - around, x - self.centre], dim=1)
        return self._drawn(seen, *mask) + (x if self.residual else around)

    def _drawn(self, seen: Tensor, *mask: Tensor) -> Tensor:
        with torch.autocast(seen.device.type, torch.bfloat16, enabled=self.mixed):
            drawn: Tensor = self.inner(seen.contiguous(memory_format=torch.channels_last), *mask).float()
        return drawn

    def _known(self, x: Tensor, mask: Tensor) -> Tensor:
        shown = mask.to(x.dtype)
        share = smooth(shown)
        return torch.where(share > LEAST_SHOWN, smooth(x * shown) / share.clamp_min(LEAST_SHOWN), self.centre)


def smooth(x: Tensor) -> Tensor:
    """Return the mean of means over windows, (B, C, H, W)."""
    return local_mean(local_mean(x, WINDOW), WINDOW)


class CentredInSeries(Centred):
    """`Centred` with neighbours p: b + u(x - b, x - c, p - b), or x + u(...) if it adds to its input.

    b is the local mean of x, so that p - b holds what changes; c of (1, C, 1, 1) is the mean of every channel.
    """

    def forward(self, x: Tensor, *context: Tensor) -> Tensor:
        """Return the picture drawn from `x`, (B, C, H, W), and its neighbours, (B, P C, H, W)."""
        around, (others,) = smooth(x), context
        beside = others - around.repeat(1, others.shape[1] // x.shape[1], 1, 1)
        seen = torch.cat([x - around, x - self.centre, beside], dim=1)
        return self._drawn(seen) + (x if self.residual else around)
