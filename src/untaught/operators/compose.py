"""Operators one after another, and anything at all as an operator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from torch import Tensor

from untaught.errors import InputError
from untaught.operators.base import Composable, Operator, Shape
from untaught.operators.external import Function, Wrapped, has_both, named


@dataclass(frozen=True)
class Composition(Composable):
    """A x = outer(inner(x)).

    Attributes
    ----------
    outer, inner : Operator
        What happened last, and what happened first.
    """

    outer: Operator
    inner: Operator

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.outer.name} of {self.inner.name}"

    @property
    def linear(self) -> bool:
        """Whether both are."""
        return self.outer.linear and self.inner.linear

    @property
    def adjoint(self) -> bool:
        """Whether both have one."""
        return self.outer.adjoint and self.inner.adjoint

    def A(self, x: Tensor) -> Tensor:  # noqa: N802
        """Return outer(inner(x))."""
        return self.outer.A(self.inner.A(x))

    def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
        """Return inner*(outer*(y))."""
        return self.inner.A_adjoint(self.outer.A_adjoint(y))

    def shape(self, x_shape: Shape) -> Shape:
        """Return the shape of the measurement."""
        return self.outer.shape(self.inner.shape(x_shape))

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return the shape of the picture."""
        return self.inner.picture_shape(self.outer.picture_shape(y_shape))

    def initial(self, y: Tensor) -> Tensor:
        """Undo the outer operator, then the inner one, as well as they can."""
        return self.inner.initial(self.outer.initial(y))

    def visible(self, x: Tensor) -> Tensor:
        """Return what the inner operator sees of the picture."""
        return self.inner.visible(x)


def compose(outer: object, *inner: object) -> Operator:
    """Return the operator x -> outer(inner(... (x))) of anything that `as_operator` takes."""
    return reduce(Composition, map(as_operator, inner), as_operator(outer))


def as_operator(thing: object) -> Operator:
    """Return `thing` as an operator: one of ours, an object with `A` and `A_adjoint`, or a function.

    Raises
    ------
    InputError
        For anything else.
    """
    if isinstance(thing, type):
        raise InputError(f"{thing.__name__} is a class; give an object of it, such as {thing.__name__}(...)")
    if isinstance(thing, Operator):
        return thing
    if has_both(thing):
        return Wrapped(thing)
    if callable(thing):
        return Function(thing)
    raise InputError(
        f"{named(thing)} is not an operator; give one of untaught.operators, an object with A and A_adjoint, "
        "or a function of the picture"
    )
