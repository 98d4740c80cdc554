"""The networks that can be trained, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from torch import Tensor, nn

from untaught.errors import InputError, did_you_mean
from untaught.methods.learner import Learner
from untaught.networks.dncnn import DnCNN, DnCNNShape
from untaught.networks.unet import UNet, UNetShape

Shape = DnCNNShape | UNetShape

SHAPES: Mapping[str, type[DnCNNShape] | type[UNetShape]] = {"dncnn": DnCNNShape, "unet": UNetShape}
LEAST = {"depth": 2, "width": 1, "scales": 1}
BLIND = ("n2v", "struct-n2v", "n2s", "self2self")  # learners whose pixels must not be led by their own value
GREY = 0.5  # the middle of the value range
MOST = {"depth": 64, "width": 1024, "scales": 8}


class Restoring(nn.Module):
    """f(y) = y - g(y) if `residual`, else 1/2 - g(y).

    `g` sees y - 1/2. Networks in which it starts at zero start as the identity, or at grey.
    """

    def __init__(self, noise: nn.Module, residual: bool):
        super().__init__()
        self.noise = noise
        self.residual = residual

    def forward(self, y: Tensor) -> Tensor:
        """Return the restored picture, in float32."""
        drawn: Tensor = self.noise(y - GREY)
        return (y if self.residual else GREY) - drawn.float()


def network_of(shape: Shape, channels: int, learner: Learner) -> nn.Module:
    """Return a new network from pictures of so many channels to such pictures."""
    inner = DnCNN(channels, shape) if isinstance(shape, DnCNNShape) else UNet(channels, channels, shape)
    return Restoring(inner, learner.name not in BLIND)


def shape_of(text: str | Shape) -> Shape:
    """Read a network as it is written: 'dncnn', 'unet', or 'dncnn:DEPTH,WIDTH', 'unet:WIDTH,SCALES'.

    Raises
    ------
    InputError
        If it is none of these, or too small or too large to be made.
    """
    if not isinstance(text, str):
        return _checked(text)
    name, _, rest = text.partition(":")
    if name not in SHAPES:
        hint = did_you_mean(name, SHAPES)
        raise InputError(f"there is no network {name!r}; {hint}choose {', '.join(SHAPES)}")
    kind = SHAPES[name]
    names = [field.name for field in fields(kind)]
    words = rest.split(",") if rest else []
    if len(words) not in (0, len(names)) or not all(word.strip().isdecimal() for word in words):
        raise InputError(
            f"the network {text!r} is not understood; write {name} or {name}:{','.join(names).upper()}"
        )
    return _checked(kind(**dict(zip(names, map(int, words), strict=False))))


def _checked(shape: Shape) -> Shape:
    for name, value in asdict(shape).items():
        if not LEAST[name] <= value <= MOST[name]:
            raise InputError(
                f"the {name} of the network is {value}; give a whole number from {LEAST[name]} to {MOST[name]}"
            )
    return shape


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
    return _checked(kind(**settings))
