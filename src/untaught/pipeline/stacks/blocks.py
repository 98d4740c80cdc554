"""Some planes of a series at a time, as problems on one scale."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from untaught.image.plane import Plane
from untaught.noise import NoiseModel
from untaught.pipeline.plane.make_problem import denoising_problem
from untaught.pipeline.plane.working_scale import WorkingScale
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.survey_series import Survey
from untaught.problem import Problem

MARGIN = 4  # planes to both sides that help a formula, and are answered with another block
LARGEST = 24  # planes of a block that are answered
BYTES = 600  # a value of a plane, at most, while its block is restored


@dataclass(frozen=True)
class Block:
    """Places in a series: those that are answered, and those that are looked at for that."""

    first: int
    last: int
    start: int
    stop: int

    @property
    def answered(self) -> range:
        """Places that are answered."""
        return range(self.first, self.last)

    @property
    def seen(self) -> range:
        """Places that are looked at."""
        return range(self.start, self.stop)


def blocks_of(count: int, values: int, memory: int, margin: int = MARGIN, each: int = BYTES) -> list[Block]:
    """Return the blocks of a series of so many planes of so many values, as the memory, bytes, allows.

    `margin` planes to both sides of a block help; `each` is what a value takes.
    """
    room = int(memory // (each * values)) - 2 * margin
    size = max(1, min(LARGEST, room))
    size = math.ceil(count / math.ceil(count / size))
    return [
        Block(first, min(first + size, count), max(first - margin, 0), min(first + size + margin, count))
        for first in range(0, count, size)
    ]


@dataclass(frozen=True)
class Posed:
    """A plane of a series at its place, and its problem on the common scale.

    Attributes
    ----------
    place : int
        In the series.
    plane : Plane
        As it was read.
    problem : Problem
        On the common scale.
    given : NoiseModel or None
        The noise that was given, on the common scale.
    notes : tuple of str
        What was found.
    """

    place: int
    plane: Plane
    problem: Problem
    given: NoiseModel | None
    notes: tuple[str, ...]

    def under(self, law: NoiseModel) -> Posed:
        """Return the same with another law of the noise, on the picture's range."""
        noise = replace(WorkingScale.of(self.plane).noise(law), clip=self.problem.noise.clip)
        return replace(self, problem=replace(self.problem, noise=noise))


def posed(survey: Survey, place: int, request: Request) -> Posed:
    """Return a plane of a series as a problem.

    Raises
    ------
    NoGreyError
        For a plane of two values.
    """
    plane = survey.plane(place)
    scale = WorkingScale.of(plane)
    given = None if request.noise is None else scale.noise(request.noise)
    law = scale.noise(survey.law(place))
    problem, notes = denoising_problem(plane, replace(request, noise=given, surveyed=law))
    return Posed(place, plane, problem, given, notes)
