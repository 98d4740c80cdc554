"""Operators that others wrote: objects with `A` and `A_adjoint`, and plain functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.operators.base import LIFTS, Composable, LinearOperator, Operator, Shape, named, real

ADJOINT_TOLERANCE = 1e-3  # relative; a wrong adjoint is off by far more, float32 in a long sum by far less


@dataclass(frozen=True, eq=False)
class Wrapped(LinearOperator):
    """A linear operator of another package: any object with `A` and `A_adjoint`, such as deepinv's physics.

    Gradients go through `A_adjoint`, so `A` need not be made of torch functions. What it makes of a shape
    is found by one run on random numbers, where the adjoint is checked as well.

    Attributes
    ----------
    inner : object
        `inner.A(x)` and `inner.A_adjoint(y)` take and return real tensors.

    Raises
    ------
    InputError
        For an object that lacks either, that fails on a picture of this shape, whose measurements are
        complex, or whose `A_adjoint` is not the adjoint of its `A`.
    """

    name: ClassVar[str] = "wrapped"
    inner: Any
    _measured: dict[Shape, Shape] = field(init=False, repr=False, default_factory=dict)  # by the picture's
    _pictures: dict[Shape, Shape] = field(init=False, repr=False, default_factory=dict)  # by the measurement's

    def __post_init__(self) -> None:
        if not has_both(self.inner):
            raise InputError(f"{named(self.inner)} has no A and A_adjoint; both are needed, as methods")

    def shape(self, x_shape: Shape) -> Shape:
        """Return the shape of what `inner.A` gives."""
        x_shape = tuple(x_shape)
        if x_shape not in self._measured:
            self._measured[x_shape] = self._tried(x_shape)
        return self._measured[x_shape]

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return the shape of what `inner.A_adjoint` gives."""
        y_shape = tuple(y_shape)
        if y_shape not in self._pictures:
            x_shape = tuple(_run(self.inner.A_adjoint, self.inner, _noise(self.inner, y_shape, 1)).shape)
            if self.shape(x_shape) != y_shape:
                raise InputError(
                    f"the measurement has the shape {y_shape}, and {named(self.inner)} makes "
                    f"{self.shape(x_shape)} of the pictures it returns"
                )
            self._pictures[y_shape] = x_shape
        return self._pictures[y_shape]

    def _forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.inner.A(x)
        return y.to(x.dtype)

    def _adjoint(self, y: Tensor) -> Tensor:
        x: Tensor = self.inner.A_adjoint(y)
        return x.to(y.dtype)

    def _tried(self, x_shape: Shape) -> Shape:
        """Return the shape of A x, and see that <A x, y> = <x, A* y>."""
        x = _noise(self.inner, x_shape, 0)
        measured = _run(self.inner.A, self.inner, x)
        if measured.is_complex():
            raise InputError(
                f"the measurements of {named(self.inner)} are complex; give real and imaginary parts as channels"
            )
        y = _noise(self.inner, measured.shape, 1)
        back = _run(self.inner.A_adjoint, self.inner, y)
        if back.shape != x.shape:
            raise InputError(
                f"{named(self.inner)} takes a picture of shape {tuple(x.shape)} and its A_adjoint returns "
                f"{tuple(back.shape)}"
            )
        there, again = float((measured * y).sum()), float((x * back).sum())
        if abs(there - again) > ADJOINT_TOLERANCE * float(measured.norm() * y.norm()):
            raise InputError(
                f"A_adjoint of {named(self.inner)} is not the adjoint of its A: <A x, y> is {there:.6g} and "
                f"<x, A* y> is {again:.6g}"
            )
        return tuple(measured.shape)


@dataclass(frozen=True)
class Function(Composable):
    """A x = f(x), f any differentiable function of a picture: a network, a camera, a renderer.

    It is not taken to be linear, and has no adjoint.

    Attributes
    ----------
    function : callable
        Takes (1, C, H, W) and returns a tensor of any shape.
    picture : tuple of int or None
        Channels, height and width of the picture, where it has to be told from the measurement alone.
    """

    function: Callable[[Tensor], Tensor]
    picture: tuple[int, int, int] | None = None
    linear: ClassVar[bool] = False
    adjoint: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """What the function is called."""
        return named(self.function)

    def A(self, x: Tensor) -> Tensor:  # noqa: N802
        """Return f(x)."""
        return self.function(real(x))

    def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
        """Refuse: there is no adjoint.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            f"{self.name} is a function and has no adjoint; take a method that needs none, such as dip, or give "
            "an object with A and A_adjoint"
        )

    def shape(self, x_shape: Shape) -> Shape:
        """Return the shape of f at one picture of this shape; f is run for it."""
        return tuple(_run(self.function, self.function, _noise(self.function, x_shape, 0)).shape)

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return (1, C, H, W) from `picture`.

        Raises
        ------
        InputError
            Where `picture` was not given.
        """
        if self.picture is None:
            raise InputError(
                f"{self.name} is a function, and what it returns does not tell the size of the picture; give "
                "picture=(channels, height, width)"
            )
        return (1, *self.picture)

    def initial(self, y: Tensor) -> Tensor:
        """Return a plain grey picture."""
        return torch.full(self.picture_shape(y.shape), 0.5, device=y.device)

    def visible(self, x: Tensor) -> Tensor:
        """Return `x`."""
        return x


def has_both(thing: Any) -> bool:
    """Say whether an object has `A` and `A_adjoint`."""
    return callable(getattr(thing, "A", None)) and callable(getattr(thing, "A_adjoint", None))


def _noise(owner: Any, shape: Shape, seed: int) -> Tensor:
    """Return random numbers where the tensors of `owner` are."""
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    if isinstance(owner, nn.Module):
        for tensor in (*owner.parameters(), *owner.buffers()):
            return values.to(tensor.device)
    return values


def _run(function: Callable[[Tensor], Tensor], owner: Any, values: Tensor) -> Tensor:
    """Return `function(values)`, with a sentence about `owner` where that fails."""
    try:
        with torch.no_grad():
            answer: object = function(values)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{named(owner)} fails on a tensor of shape {tuple(values.shape)}: {reason}") from error
    if not isinstance(answer, Tensor):
        raise InputError(f"{named(owner)} returns {named(answer)}; an operator has to return a tensor")
    return answer


def _wrapped(thing: object) -> Operator | None:
    return Wrapped(thing) if has_both(thing) else None


def _function(thing: object) -> Operator | None:
    return Function(thing) if callable(thing) else None


LIFTS += (_wrapped, _function)
