"""What is tried on a plane, in which order, and how one answer is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from untaught.method import Method
from untaught.pipeline.plane.candidate import Candidate, Outcome
from untaught.pipeline.plane.run_method import Runner
from untaught.problem import Problem


@dataclass(frozen=True)
class Plan:
    """What is tried on a plane.

    Attributes
    ----------
    methods : tuple of Method
        In this order.
    why : str
        The reason, for a person.
    combine : callable
        Runs the methods and makes one answer of theirs and the pilot's.
    pilot : Method or None
        Makes the first estimate, from which the others start.
    guide : callable or None
        Runs the pilot, and returns the problem that it guides.
    holes : Tensor or None
        (1, 1, H, W), 1 in the wide holes that are left to the methods, where all else is the pilot's.
    notes : tuple of str
        What a person has to be told of the choice.
    """

    methods: tuple[Method, ...]
    why: str
    combine: Combine
    pilot: Method | None = None
    guide: Guided | None = None
    holes: Tensor | None = None
    notes: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[Method, ...]:
        """The methods in the order in which they are run, the pilot first."""
        return self.methods if self.pilot is None else (self.pilot, *self.methods)


Combine = Callable[[Plan, Problem, Candidate | None, Runner], Outcome]
Guided = Callable[[Method, Problem, Runner], tuple[Problem, Candidate]]
