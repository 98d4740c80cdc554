"""Regular patterns of a picture's planes: said, and kept, for a fence is no other to a spectrum than a moire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.noise.estimation.pattern import Pattern, pattern_of
from untaught.pipeline.answer import Answer

FEW = 4  # planes of a stack that are looked at first; all, where one of these has a pattern
LOOKED_AT = 1024  # pixels: the square in the middle of a plane that is not held
PRINTED = "{}. It is left as it is; 'untaught descreen' makes a picture of the dots."
LAID_OVER = "{}. It is kept, for it may be the scene's own (cloth, a fence); 'untaught descreen' takes it off."
UNTOLD = "a regular pattern is no noise, and how much of it is the picture is not known, so no PSNR is stated"


@dataclass(frozen=True)
class Seen:
    """What is to be said of the pattern of a plane, where there is one."""

    pattern: Pattern | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for a person: what it is, where it is, what takes it off."""
        if self.pattern is None:
            return ()
        return ((PRINTED if self.pattern.printed else LAID_OVER).format(self.pattern.describe()),)

    def counted(self, answer: Answer) -> Answer:
        """Return the answer for a plane with such a pattern: nothing is stated of its error."""
        if self.pattern is None:
            return answer
        said = () if answer.risk is None else (UNTOLD,)
        rows = tuple(replace(row, psnr=None) for row in answer.candidates)
        return replace(answer, risk=None, candidates=rows, notes=(*self.notes, *answer.notes, *said))


def pattern_in(plane: Plane) -> Seen:
    """Look for a pattern in a plane."""
    own = plane.working
    return Seen(pattern_of(own.values, own.gone, closely=True))


def middle_of(picture: Image, index: int) -> Plane:
    """Return the middle of a plane that is not held."""
    rows, columns = (
        slice(start := max(0, (n - LOOKED_AT) // 2), start + min(n, LOOKED_AT))
        for n in (picture.height, picture.width)
    )
    return picture.plane(index, (rows, columns))


def patterns_in(picture: Image, in_parts: bool) -> Sequence[Seen]:
    """Look for patterns in all planes of a picture, or in the middles of such as are taken `in_parts`."""
    count = picture.n_planes

    def look(index: int) -> Seen:
        return pattern_in(middle_of(picture, index) if in_parts else picture.plane(index))

    first = {index: look(index) for index in range(0, count, -(-count // FEW))}
    if count > FEW and not any(seen.pattern for seen in first.values()):
        return (Seen(),) * count
    return tuple(first.get(index) or look(index) for index in range(count))
