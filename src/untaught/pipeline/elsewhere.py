"""Parts of the work on a picture that others do: other processes, also on other machines."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from untaught.image.image import Image
from untaught.pipeline.answer import Answer
from untaught.pipeline.request import Request


@dataclass(frozen=True)
class Solved:
    """What a part came to.

    Attributes
    ----------
    answers : mapping
        By the numbers of their planes.
    told : tuple of float, optional
        What the answers tell of the level of the noise: a factor on its variance, and its error.
    """

    answers: Mapping[int, Answer]
    told: tuple[float, float] | None = None


class Part(Protocol):
    """A part of the work on a picture: plain data, without the picture."""

    @property
    def looked_at(self) -> Sequence[int]:
        """The numbers of the planes that have to be there."""

    @property
    def whole(self) -> bool:
        """Whether its answers are whole planes, as they go into the picture."""

    def solved(self, picture: Image) -> Solved:
        """Do it."""


class Elsewhere(Protocol):
    """Others that restore parts of one picture, which they read themselves."""

    def each(self, parts: Sequence[Part]) -> Iterator[Solved]:
        """Yield what parts come to, in their order; who stops asking calls the rest off."""


class Ahead:
    """Parts that others do, all at once as long as none has learnt what the next one begins with."""

    def __init__(self, elsewhere: Elsewhere, parts: Sequence[Part]) -> None:
        self.elsewhere = elsewhere
        self.all = elsewhere.each(parts)

    def solved(self, part: Part, alone: bool) -> Solved:
        """Return what a part comes to; they are asked for in their order, from the first that is `alone` on so."""
        if not alone:
            return next(self.all)
        if isinstance(self.all, Generator):
            self.all.close()
        return next(self.elsewhere.each([part]))


def sent(request: Request) -> Request:
    """Return a request that can go to another process, which nobody can listen to."""
    return replace(request, on_progress=None)
