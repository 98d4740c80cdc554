"""A network's passes recorded as CUDA graphs and replayed: small ones wait for launches, not for arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


class _Whole(nn.Module):
    """A network with its settings and its precision: what is recorded."""

    def __init__(self, network: nn.Module, settings: tuple[Any, ...], narrow: bool):
        super().__init__()
        self.network, self.settings, self.narrow = network, settings, narrow

    def forward(self, x: Tensor) -> Tensor:
        # A graph would go on using the narrow weights that autocast remembers from the first pass.
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.narrow, cache_enabled=not x.is_cuda):
            drawn: Tensor = self.network(x, *self.settings)
        return drawn


@dataclass
class Recorded:
    """A network as a fit calls it: once between two backward passes, in bfloat16 autocast if `narrow`.

    On CUDA its forward and its backward pass are recorded at the first call, and again where shape or settings
    change; replaying them costs one launch instead of hundreds. The weights may change, but stay where they are.
    Elsewhere it is the plain call.
    """

    network: nn.Module
    narrow: bool
    _kept: tuple[Any, Any] | None = field(default=None, repr=False)

    def __call__(self, x: Tensor, *settings: Any) -> Tensor:
        """Return network(x, *settings) of a Tensor that needs no gradient; `settings` are no tensors."""
        return self._replayed(x, settings) if x.is_cuda else self.plain(x, *settings)

    def plain(self, x: Tensor, *settings: Any) -> Tensor:
        """Return the same without a recording, on any device."""
        drawn: Tensor = self._whole(settings)(x)
        return drawn

    def _replayed(self, x: Tensor, settings: tuple[Any, ...]) -> Tensor:
        key = (x.shape, x.dtype, settings)
        if self._kept is None or self._kept[0] != key:
            self._kept = None  # frees the memory of the graph before
            sample = (x.detach().clone(),)
            made: Any = torch.cuda.make_graphed_callables(self._whole(settings), sample, allow_unused_input=True)
            self._kept = key, made
        drawn: Tensor = self._kept[1](x)
        return drawn.clone()  # the next replay writes over it

    def _whole(self, settings: tuple[Any, ...]) -> nn.Module:
        return _Whole(self.network, settings, self.narrow)
