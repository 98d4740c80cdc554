"""Formulas that are computed in passes, each of which leaves a whole picture behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

from untaught.method import Estimate, Needs, Problem

Method = TypeVar("Method")


@dataclass(frozen=True)
class Pass:
    """The picture after `done` of `of` passes; 0 is before the first."""

    estimate: Estimate
    done: int
    of: int


@runtime_checkable
class InPasses(Protocol):
    """A `ClosedForm` method whose picture gets better pass by pass: what can be shown, cut short and interrupted.

    Attributes
    ----------
    last : int or None
        The pass after which it ends; None for the end. A recipe holds it of a run that was cut short.
    """

    name: ClassVar[str]
    needs: ClassVar[Needs]

    @property
    def last(self) -> int | None: ...  # noqa: D102

    def passes(self, problem: Problem, seed: int) -> Iterator[Pass]:
        """Yield the picture as it stands, after every pass; the last one is the answer."""
        ...


def ended_after(method: Method, passes: int) -> Method:
    """Return a method in passes, a dataclass, that ends where a run of it was cut short; any other as it is."""
    cut = passes > 0 and isinstance(method, InPasses)
    return replace(method, last=passes) if cut else method  # type: ignore[type-var]


def answer(method: InPasses, problem: Problem, seed: int) -> Estimate:
    """Return the picture after the last pass: `solve` of such a method."""
    found = None
    for found in method.passes(problem, seed):
        if method.last is not None and found.done >= method.last:
            break
    if found is None:  # a protocol cannot promise one
        raise RuntimeError(f"{method.name} made no pass")
    return found.estimate
