"""The networks that can be trained, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.methods.networks.denoisers import SHAPES, Shape, checked, restorer
from untaught.methods.self_supervised.learner import Learner

BLIND = ("n2v", "struct-n2v", "n2s", "self2self")  # learners whose pixels must not be led by their own value
GREY = 0.5  # the middle of the value range


class Restoring(nn.Module):
    """f(y) = y - g(y) if `residual`, else 1/2 - g(y).

    `g` sees y - 1/2, and its neighbours alike. Where it starts at zero, f starts as the identity, or at grey.
    """

    def __init__(self, noise: nn.Module, residual: bool):
        super().__init__()
        self.noise = noise
        self.residual = residual

    def forward(self, y: Tensor, *context: Tensor) -> Tensor:
        """Return the restored picture, in float32; its neighbours, if it was trained with some, are `context`."""
        drawn: Tensor = self.noise(torch.cat([y, *context], dim=1) - GREY)
        return (y if self.residual else GREY) - drawn.float()


def network_of(shape: Shape, channels: int, learner: Learner, neighbours: int = 0) -> nn.Module:
    """Return a new network from pictures of so many channels, and so many neighbours on each side, to pictures."""
    return Restoring(restorer(shape, (1 + 2 * neighbours) * channels, channels), learner.name not in BLIND)


def written(shape: Shape) -> dict[str, Any]:
    """Return a shape for JSON."""
    name = next(name for name, kind in SHAPES.items() if isinstance(shape, kind))
    return {"name": name, **asdict(shape)}


def shape_from(saved: Mapping[str, Any]) -> Shape:
    """Return the shape that `written` gave.

    Raises
    ------
    InputError
        If there is no such network.
    """
    settings = dict(saved)
    kind = SHAPES.get(str(settings.pop("name", "")))
    if kind is None or set(settings) != {field.name for field in fields(kind)}:
        raise InputError(f"this version has no network {dict(saved)}")
    if not all(isinstance(value, int) for value in settings.values()):
        raise InputError(f"{dict(saved)} is no network")
    return checked(kind(**settings))
