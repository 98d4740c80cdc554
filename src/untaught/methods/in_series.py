"""What a method is of which one network is fitted to all planes of a series, each seen with its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import nn

from untaught.method import Helping, Iterative
from untaught.problem import Problem


class Planes(Protocol):
    """The planes of a series for a network that is fitted to all of them: read as they are needed."""

    def __len__(self) -> int: ...

    def at(self, place: int) -> Problem:
        """Return the problem of one plane, without gaps in its y; all are on one scale and of one size."""
        ...

    def present(self, step: int) -> Sequence[int]:
        """Return the places that a step may draw from: such as are held in memory, the same at every run."""
        ...

    @property
    def judged(self) -> Sequence[int]:
        """Places that the fit is judged by."""
        ...


@runtime_checkable
class Shared(Iterative, Protocol):
    """A method of which one network is fitted to all planes of a series, with neighbours as further input.

    Attributes
    ----------
    neighbours : int
        Planes on each side that are seen with one.
    """

    @property
    def neighbours(self) -> int: ...  # noqa: D102

    def over(self, planes: Planes) -> Iterative:
        """Return the fit to a series, whose problem is the planes it is judged by, one after another.

        The `function` of its readout is the fitted network, an `nn.Module`.
        """
        ...

    def fitted(self, network: nn.Module) -> Helping:
        """Return what a fitted network makes of planes of a series."""
        ...


@runtime_checkable
class Accompanied(Protocol):
    """A method that may not be able to take a plane alone."""

    @property
    def alone(self) -> str | None:
        """Why it cannot, in a clause or a sentence; None where it can."""
        ...


def refusal_alone(method: object) -> str | None:
    """Say why a method cannot take a plane alone, or None where it can."""
    return method.alone if isinstance(method, Accompanied) else None
