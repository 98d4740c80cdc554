"""Some planes of a series at a time, or a part of each of them, as problems on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from untaught.image.plane import Plane
from untaught.image.tiling import Tile, Tiling
from untaught.method import Runs
from untaught.noise import NoiseModel
from untaught.pipeline.plane.make_problem import denoising_problem
from untaught.pipeline.plane.working_scale import WorkingScale
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.survey_series import Survey
from untaught.pipeline.tiles.memory_need import FIXED
from untaught.problem import Problem

MARGIN = 4  # planes to both sides that help a formula, and are answered with another block
LARGEST = 24  # planes of a block that are answered
BYTES = Runs().held
SIDE, STEP, OVERLAP = 128, 32, 32  # pixels: of the smallest tile, what sides are multiples of, what tiles share


@dataclass(frozen=True)
class Block:
    """Places in a series: those that are answered, and those that are looked at for that; all of them, or a tile.

    Attributes
    ----------
    first, last : int
        Places from which on to before which planes are answered.
    start, stop : int
        And looked at.
    tile : Tile or None
        The part of all these planes; None where it is the whole.
    number, tiles : int
        Which tile it is, and how many there are of these planes.
    """

    first: int
    last: int
    start: int
    stop: int
    tile: Tile | None = None
    number: int = 0
    tiles: int = 1

    @property
    def leads(self) -> bool:
        """Whether it is the first of all."""
        return not self.first and not self.number

    @property
    def done(self) -> float:
        """How many planes are done before it."""
        return self.first + self.number / self.tiles * len(self.answered)

    @property
    def answered(self) -> range:
        """Places that are answered."""
        return range(self.first, self.last)

    @property
    def seen(self) -> range:
        """Places that are looked at."""
        return range(self.start, self.stop)

    @property
    def name(self) -> tuple[int, ...]:
        """What tells it from all others."""
        if self.tile is None:
            return self.first, self.last, self.start, self.stop
        windows = (end for part in self.tile.window for end in (part.start, part.stop))
        return self.first, self.last, self.start, self.stop, *windows


class Need(NamedTuple):
    """What a method needs: planes to both sides that help one, and bytes a value of what is looked at."""

    margin: int = MARGIN
    each: int = BYTES


USUAL = Need()


def blocks_of(
    count: int, shape: tuple[int, ...], memory: int, need: Need = USUAL, whole: bool = False
) -> list[Block]:
    """Return the blocks of a series, as the memory, bytes, allows, so that as little as can be is looked at twice.

    Parameters
    ----------
    count : int
        Planes.
    shape : tuple of int
        Of a plane, (H, W, C).
    memory : int
        Bytes, the program's own included.
    need : Need
        Of the method.
    whole : bool
        Whether planes are not to be cut.
    """
    room = max(memory - FIXED, 0) // (need.each * shape[2])  # pixels
    tried = [_Cut.of(count, shape, room, side, need.margin) for side in _sides(shape, whole)]
    best = min((cut for cut in tried if cut.fits), key=lambda cut: (cut.cost, -cut.side), default=tried[-1])
    return list(best.blocks(count, shape, need.margin))


def _sides(shape: tuple[int, ...], whole: bool) -> list[int]:
    """Return sides of tiles that are tried, the largest first."""
    most = math.isqrt(shape[0] * shape[1] - 1) + 1
    return [most] if whole else [most, *range((most - 1) // STEP * STEP, SIDE - 1, -STEP)]


@dataclass(frozen=True)
class _Cut:
    """A way to cut a series.

    Attributes
    ----------
    side : int
        Of a tile, pixels.
    size : int
        Planes that are answered in one block.
    fits : bool
        Whether there is the memory for it.
    cost : float
        Pixels that are looked at, for each that is answered.
    """

    side: int
    size: int
    fits: bool
    cost: float

    @classmethod
    def of(cls, count: int, shape: tuple[int, ...], room: int, side: int, margin: int) -> _Cut:
        tiles = Tiling(side, OVERLAP).tiles(*shape[:2])
        rows, columns = tiles[0].window
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        planes = room // area
        size = min(LARGEST, count) if planes >= count else max(1, min(LARGEST, planes - 2 * margin))
        size = math.ceil(count / math.ceil(count / size))
        seen = sum(stop - start for start, stop in _ranges(count, size, margin))
        fits = planes >= min(size + 2 * margin, count)
        return cls(side, size, fits, seen * len(tiles) * area / (count * shape[0] * shape[1]))

    def blocks(self, count: int, shape: tuple[int, ...], margin: int) -> Iterator[Block]:
        """Yield them, plane after plane, and the tiles of each."""
        tiles: list[Tile | None] = [*Tiling(self.side, OVERLAP).tiles(*shape[:2])]
        tiles = tiles if len(tiles) > 1 else [None]
        for first, (start, stop) in zip(
            range(0, count, self.size), _ranges(count, self.size, margin), strict=True
        ):
            for number, tile in enumerate(tiles):
                last = min(first + self.size, count)
                yield Block(first, last, start, stop, tile, number, len(tiles))


def _ranges(count: int, size: int, margin: int) -> list[tuple[int, int]]:
    """Return from which place to before which is looked at for every block."""
    return [(max(first - margin, 0), min(first + size + margin, count)) for first in range(0, count, size)]


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


def posed(survey: Survey, place: int, request: Request, tile: Tile | None = None) -> Posed:
    """Return a plane of a series, or a tile of it, as a problem.

    Raises
    ------
    NoGreyError
        For a plane of two values.
    """
    plane = survey.plane(place, tile)
    scale = WorkingScale.of(plane)
    noise = (
        request.noise if request.noise is None or tile is None else request.noise.part(tile.window, survey.shape)
    )
    given = None if noise is None else scale.noise(noise)
    law = scale.noise(survey.law(place, tile))
    asked = replace(request, noise=given, surveyed=law)
    problem, notes = denoising_problem(plane, asked, told=tile is not None)
    return Posed(place, plane, problem, given, notes)
