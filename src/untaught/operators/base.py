"""What an operator is: what happened to the picture before the noise came, y = A(x) + n."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError
from untaught.operators.cut import Cut, Window
from untaught.operators.traits import Traits

Shape = tuple[int, ...]
Map = Callable[[Tensor], Tensor]

MOST_KEPT = 8  # tensors an operator keeps; pictures of many sizes must not fill the memory


@runtime_checkable
class Operator(Protocol):
    """A forward operator x -> A(x), from pictures (1, C, H, W) to measurements.

    Pictures and measurements are float32 or float64; anything else is computed in float32. Errors about
    shapes are `InputError`s, one sentence each.

    Attributes
    ----------
    name : str
        What it is in a word, for reports.
    linear : bool
        Whether A(a x + b z) = a A(x) + b A(z).
    adjoint : bool
        Whether there is an `A_adjoint`; methods that need one refuse where there is none.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def linear(self) -> bool: ...  # noqa: D102

    @property
    def adjoint(self) -> bool: ...  # noqa: D102

    def A(self, x: Tensor) -> Tensor:  # noqa: N802
        """Return the measurement of the picture `x`, without noise; differentiable."""
        ...

    def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
        """Return A* y, with <A x, y> = <x, A* y> for all pictures x; a picture."""
        ...

    def shape(self, x_shape: Shape) -> Shape:
        """Return the shape of the measurement of a picture of shape `x_shape`, or refuse that picture."""
        ...

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return the shape of the picture that a measurement of shape `y_shape` is of, or refuse it."""
        ...

    def initial(self, y: Tensor) -> Tensor:
        """Return a cheap picture that could have given `y`, to start from; no optimum of anything."""
        ...

    def visible(self, x: Tensor) -> Tensor:
        """Return the part of the picture inside the frame that was measured; most often all of it."""
        ...


class Composable:
    """Gives an operator the sign of composition, and what it says of itself beside the protocol."""

    traits: ClassVar[Traits] = Traits()

    def coarser(self) -> Operator | None:
        """Return the same for a picture of half the resolution; None where there is none."""
        return None

    @property
    def cut(self) -> Cut | None:
        """How a measurement can be taken in windows; None where each of its values may see all of the picture."""
        return None

    def part(self, window: Window) -> Operator:
        """Return the operator of a window of the measurement, rows and columns; see `Cut`."""
        return as_operator(self)

    def sites(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return measured values, (H, W, C), with neighbours that are of different kinds apart, as channels."""
        return values

    def folded(self) -> tuple[Operator | None, Tensor | None]:
        """Return the operator without the masks that come last, None for the identity, and those masks."""
        return as_operator(self), None

    def __matmul__(self, inner: object) -> Composition:
        """Return the operator x -> self(inner(x)); `inner` is anything `as_operator` takes."""
        return Composition(as_operator(self), as_operator(inner))


@dataclass(frozen=True)
class LinearOperator(Composable):
    """What all linear operators share; one of them is `_forward`, `_adjoint` and two shapes.

    The gradient of A is taken as A*, so that autograd stores nothing of the way there.
    """

    name: ClassVar[str]
    linear: ClassVar[bool] = True
    adjoint: ClassVar[bool] = True

    _kept: dict[Hashable, Tensor] = field(init=False, repr=False, compare=False, default_factory=dict)

    def A(self, x: Tensor) -> Tensor:  # noqa: N802
        """Return A x."""
        self.shape(x.shape)
        return linear_map(real(x), self._forward, self._adjoint)

    def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
        """Return A* y."""
        self.picture_shape(y.shape)
        return linear_map(real(y), self._adjoint, self._forward)

    def shape(self, x_shape: Shape) -> Shape:
        """Return the shape of A x for an x of shape `x_shape`."""
        return tuple(x_shape)

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return the shape of the x behind a measurement of shape `y_shape`."""
        return tuple(y_shape)

    def initial(self, y: Tensor) -> Tensor:
        """Return s A* y with the s that fits best: s = ||A* y||^2 / ||A A* y||^2."""
        x = self.A_adjoint(y)
        again = self.A(x).square().sum()
        return x * (x.square().sum() / again) if again > 0 else x

    def visible(self, x: Tensor) -> Tensor:
        """Return `x`."""
        return x

    def _forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _adjoint(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def _once(self, key: Hashable, like: Tensor, make: Callable[[], Tensor]) -> Tensor:
        """Return what `make` gives, on the device and in the precision of `like`; made once for each key."""
        full = (key, like.device, like.dtype)
        if full not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[full] = _alike(make(), like)
        return self._kept[full]


def _alike(made: Tensor, like: Tensor) -> Tensor:
    if made.dtype == torch.int64:  # an index
        return made.to(like.device)
    return made.to(like.device, like.dtype.to_complex() if made.is_complex() else like.dtype)


class _LinearMap(torch.autograd.Function):
    """A linear map whose derivative is the map itself and whose gradient is its adjoint."""

    @staticmethod
    def forward(x: Tensor, there: Map, back: Map) -> Tensor:
        return there(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.there, ctx.back = inputs

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return linear_map(gradients[0], ctx.back, ctx.there), None, None


def linear_map(x: Tensor, there: Map, back: Map) -> Tensor:
    """Return `there(x)`; gradients go through its adjoint `back`, and theirs through `there` again."""
    with torch.autocast(x.device.type, enabled=False):  # a measurement in bfloat16 would be no measurement
        answer: Tensor = _LinearMap.apply(x, there, back)  # type: ignore[no-untyped-call]
    return answer


def real(x: Tensor) -> Tensor:
    """Return `x` as float32, or as it is where it is float64."""
    return x if x.dtype == torch.float64 else x.float()


def by(*sizes: int) -> str:
    """Return sizes as a person writes them: 12 x 15."""
    return " x ".join(str(size) for size in sizes)


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

    @property
    def cut(self) -> Cut | None:
        """See `Composable`."""
        outer, inner = (part.cut if isinstance(part, Composable) else None for part in (self.outer, self.inner))
        return None if outer is None or inner is None else outer.after(inner)

    def part(self, window: Window) -> Operator:
        """See `Composable`."""
        outer, inner = self.outer, self.inner
        assert isinstance(outer, Composable)
        assert isinstance(inner, Composable)
        assert outer.cut is not None
        return Composition(outer.part(window), inner.part(outer.cut.shown(window)))

    def folded(self) -> tuple[Operator | None, Tensor | None]:
        """See `Composable`."""
        outer, last = self.outer.folded() if isinstance(self.outer, Composable) else (self.outer, None)
        if outer is not None:
            return (self if last is None else Composition(outer, self.inner)), last
        inner, mask = self.inner.folded() if isinstance(self.inner, Composable) else (self.inner, None)
        return inner, mask if last is None else last if mask is None else mask * last


LIFTS: list[Callable[[object], Operator | None]] = []
"""What makes operators of things that are none, asked in turn; `operators.external` adds to it."""


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
    for lift in LIFTS:
        found = lift(thing)
        if found is not None:
            return found
    raise InputError(
        f"{named(thing)} is not an operator; give one of untaught.operators, an object with A and A_adjoint, "
        "or a function of the picture"
    )


def named(thing: object) -> str:
    """Return what a person would call an object."""
    return str(getattr(thing, "__name__", type(thing).__name__))
