"""The networks from picture to picture by name, for whatever learns from noisy pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from untaught.errors import InputError, did_you_mean, quoted
from untaught.methods.networks.dncnn import DnCNNShape
from untaught.methods.networks.generators import GENERATORS
from untaught.methods.networks.unet import UNetShape


class Shape(Protocol):
    """The numbers of a network, a dataclass of whole numbers, and how it is made of them.

    `bounds` has the least and the most of each.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def bounds(self) -> Mapping[str, tuple[int, int]]: ...  # noqa: D102

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """Return a new network from so many channels to so many."""
        ...


SHAPES: Mapping[str, type[Any]] = {"dncnn": DnCNNShape, "unet": UNetShape}
LARGE = 256  # pixels of a side on which a generator has all of its scales


class Unbounded(nn.Module):
    """4 (g(x) - 1/2) for a generator g of pictures in (0, 1): between -2 and 2, of slope one where g is 1/2."""

    def __init__(self, generator: nn.Module):
        super().__init__()
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        drawn: Tensor = self.generator(x)
        return 4 * (drawn - 0.5)


def restorer(shape: Shape | str, inputs: int, outputs: int, side: int = LARGE) -> nn.Module:
    """Return a new network from so many channels to as many as the picture has, for any size from `side` on.

    Raises
    ------
    InputError
        For a name that is none of `shape_of` and none of `networks.generators.GENERATORS`.
    """
    if isinstance(shape, str):
        if shape in GENERATORS and shape not in SHAPES:
            return Unbounded(GENERATORS[shape](inputs, outputs, side))
        shape = shape_of(shape, also=GENERATORS)
    return shape.build(inputs, outputs)


def shape_of(text: str | Shape, also: Iterable[str] = ()) -> Shape:
    """Read a network as it is written: 'dncnn', 'unet', or 'dncnn:DEPTH,WIDTH', 'unet:WIDTH,SCALES'.

    An x does for the comma, which divides methods in a list of them. `also` are names to suggest beside these.

    Raises
    ------
    InputError
        If it is none of these, or too small or too large to be made.
    """
    if not isinstance(text, str):
        return checked(text)
    name, _, rest = text.partition(":")
    if name not in SHAPES:
        names = [*SHAPES, *(other for other in also if other not in SHAPES)]
        hint = did_you_mean(name, names)
        raise InputError(f"there is no network {name!r}; {hint}choose {', '.join(names)}")
    kind = SHAPES[name]
    names = [field.name for field in fields(kind)]
    words = rest.replace("x", ",").split(",") if rest else []
    if len(words) not in (0, len(names)) or not all(word.strip().isdecimal() for word in words):
        raise InputError(
            f"the network {text!r} is not understood; write {name} or {name}:{','.join(names).upper()}"
        )
    return checked(kind(**dict(zip(names, map(int, words), strict=False))))


def checked(shape: Shape) -> Shape:
    """Return the shape, if it is neither too small nor too large to be made.

    Raises
    ------
    InputError
        If it is.
    """
    if not isinstance(shape, tuple(SHAPES.values())):
        raise InputError(f"the network is {quoted(shape)}; give a name, {', '.join(SHAPES)}, or a shape")
    for name, (least, most) in shape.bounds.items():
        value = getattr(shape, name)
        if not least <= value <= most:
            raise InputError(f"the {name} of the network is {value}; give a whole number from {least} to {most}")
    return shape
