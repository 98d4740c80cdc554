"""How a task takes planes in parts: what is settled for a whole plane, and what is done with each tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.image.tiling import Tile, Tiling
from untaught.method import Stopped
from untaught.noise import Unknown
from untaught.pipeline.answer import Answer
from untaught.pipeline.elsewhere import Elsewhere
from untaught.pipeline.request import Request
from untaught.pipeline.tiles.survey import Solve, Survey, settled, surveyed
from untaught.risk.estimate import Risk

AS_IT_WAS = Stopped("nothing to do", 0, "the plane was left as it is")

SolveTile = Callable[[Plane, Tile, Request], Answer | None]


@dataclass(frozen=True)
class Whole:
    """A plane, and how it is cut."""

    picture: Image
    index: int
    tiling: Tiling
    elsewhere: Elsewhere | None = None  # who restores the tiles, where that is not this process

    @property
    def tiles(self) -> list[Tile]:
        """Its tiles, from top to bottom and left to right."""
        return self.tiling.tiles(self.picture.height, self.picture.width)


@dataclass(frozen=True)
class Settled:
    """What is the same for all tiles of a plane.

    Attributes
    ----------
    survey : Survey
        What was measured on the whole.
    request : Request
        What is asked of every tile.
    solve : callable
        Answers for a tile; None where there is nothing to be done.
    choice : Answer or None
        The answer on which the method was decided, where that was to be decided once for all.
    """

    survey: Survey
    request: Request
    solve: SolveTile
    choice: Answer | None = None


class Parts(Protocol):
    """A task on planes that are taken in parts.

    Attributes
    ----------
    tiling : Tiling
        How what was measured is cut.
    scale : int
        Pixels of the answer along a side, for each that was measured.
    """

    @property
    def tiling(self) -> Tiling: ...  # noqa: D102

    @property
    def scale(self) -> int: ...  # noqa: D102

    def channels(self, picture: Image, index: int) -> int:
        """Return how many channels the answer for a plane has."""
        ...

    def settled(self, whole: Whole, request: Request) -> Settled:
        """Look at all of a plane."""
        ...

    def untouched(self, plane: Plane, tile: Tile) -> Answer:
        """Return the answer for a tile that nothing is done with."""
        ...


@dataclass(frozen=True)
class Denoised:
    """Noise is taken away; the method is decided on one tile."""

    tiling: Tiling
    denoise: Solve
    scale: int = 1

    def channels(self, picture: Image, index: int) -> int:
        """See `Parts`."""
        return len(picture.group(index))

    def settled(self, whole: Whole, request: Request) -> Settled:
        """See `Parts`."""
        survey = surveyed(whole.picture, whole.index, request, self.denoise, self.tiling)
        asked, choice = settled(survey, request, self.denoise, whole.tiles)
        return Settled(survey, asked, self._solved, choice)

    def untouched(self, plane: Plane, tile: Tile) -> Answer:
        """See `Parts`."""
        gaps, kept = bool(plane.missing.any()), np.asarray(~plane.missing, np.bool_)
        return replace(left(plane), completed=gaps, kept=kept)

    def _solved(self, plane: Plane, tile: Tile, request: Request) -> Answer | None:
        if plane.working.gone.all() or plane.values.max() == plane.values.min():
            return None
        return self.denoise(plane, request)


def left(plane: Plane, risk: Risk | None = None) -> Answer:
    """Return the answer for a plane that is left alone."""
    return Answer(plane.values, Unknown(0.0), "none", "there is nothing to restore in it", AS_IT_WAS, risk=risk)
