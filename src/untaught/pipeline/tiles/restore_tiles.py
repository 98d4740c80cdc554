"""A plane tile by tile, in memory that does not grow with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from untaught.fitting.progress import Progress
from untaught.image.image import Image
from untaught.image.lazy import in_words, release
from untaught.image.plane import Plane
from untaught.image.tiling import Tile, Tiling
from untaught.method import Stopped
from untaught.noise import Unknown
from untaught.pipeline.answer import Answer
from untaught.pipeline.elsewhere import Elsewhere, Solved, sent
from untaught.pipeline.plane.make_problem import NoGreyError
from untaught.pipeline.request import Request
from untaught.pipeline.tiles.join_tiles import NOWHERE, Canvas, Laid, joined
from untaught.pipeline.tiles.memory_need import memory_for
from untaught.pipeline.tiles.survey import Solve, Survey, settled, surveyed

BETWEEN_TILES = 10**6  # seeds; a plane draws from far fewer after its own


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


def restore_tiles(whole: Whole, request: Request | None, solve: Solve) -> Answer:
    """Restore one plane tile by tile.

    Its scale, its noise and the method are the whole plane's, see `survey`; what a fit has learnt on a tile, the
    next one begins with.

    Parameters
    ----------
    whole : Whole
        The plane.
    request : Request or None
        What is asked; None where it is left as it is, but for what is missing.
    solve : callable
        Answers for a tile as for any plane.

    Raises
    ------
    InputError
        If it cannot be done; `NoGreyError` for a plane of two values.
    KeyboardInterrupt
        Where Ctrl-C left nothing behind.
    """
    picture, tiles, started = whole.picture, whole.tiles, time.monotonic()
    survey, asked, choice = None, request, None
    if request is not None and not _flat(whole):
        looking = replace(request, on_progress=_numbered(request.on_progress, 0, len(tiles)))
        survey = surveyed(picture, whole.index, looking, solve, whole.tiling)
        asked, choice = settled(survey, looking, solve, tiles)
        asked = replace(asked, on_progress=request.on_progress, seconds=_seconds_left(request, started))
    canvas = Canvas((picture.height, picture.width, len(picture.group(whole.index))), picture.array.itemsize > 2)
    laid = _laid(whole, canvas, survey, asked, solve)
    found = joined(canvas, laid, () if survey is None else survey.notes)
    if survey is None or request is None:
        return found
    found = replace(found, noise=survey.noise, notes=(*found.notes, _said(whole, request), *_unreached(laid)))
    if choice is None:
        return found
    why = f"{choice.why}; that was decided on one of the parts that it was restored in, and done on all"
    return replace(found, why=why, candidates=choice.candidates)


def _unreached(laid: list[Laid]) -> tuple[str, ...]:
    """Return the note on the parts behind the one at which it was interrupted, if it was."""
    first = next((number for number, one in enumerate(laid) if one.answer.interrupted), len(laid))
    left = sum(one.copied for one in laid[first:])
    return (f"{left} of {len(laid)} parts were not reached and are as they were",) if left else ()


def _said(whole: Whole, request: Request) -> str:
    """Return the sentence on how a plane was cut."""
    (tile, *_), count = whole.tiles, len(whole.tiles)
    rows, columns = tile.window
    size = f"{columns.stop - columns.start} x {rows.stop - rows.start}"
    note = f"it was restored in {count} parts of {size} pixels, which overlap, with one law of noise"
    if request.tiling is not None:
        return note
    return f"{note}, to need no more than {in_words(memory_for(request))} of memory"


def _flat(whole: Whole) -> bool:
    """Say whether a plane has one value everywhere."""
    picture, seen = whole.picture, []
    for tile in whole.tiles:
        values = picture.plane(whole.index, tile.own).values
        seen += [float(values.min()), float(values.max())]
        release(picture.array)
        if min(seen) < max(seen):
            return False
    return True


def _laid(
    whole: Whole, canvas: Canvas, survey: Survey | None, request: Request | None, solve: Solve
) -> list[Laid]:
    """Solve tile by tile; without a survey, and after Ctrl-C, they are as they were."""
    tiles, laid, started = whole.tiles, list[Laid](), time.monotonic()
    warm_start = None if request is None else request.warm_start
    others = _Others(whole, survey, request, solve) if whole.elsewhere and survey and request else None
    for number, tile in enumerate(tiles):
        answer: Answer | None = None
        if survey is not None and request is not None:
            own = replace(_own(request, number, len(tiles), started), warm_start=warm_start)
            part = _Part(whole.index, survey.bare, tile, own, solve)
            try:
                answer = part.answer(whole.picture) if others is None else others.answer(part)
            except KeyboardInterrupt:
                if all(one.copied for one in laid):
                    raise
                answer, survey = replace(_left(whole, tile, survey), interrupted=True), None
        found = answer or _left(whole, tile, survey)
        canvas.lay(tile, found)
        release(whole.picture.array)
        survey = None if found.interrupted else survey
        warm_start = found.weights or warm_start
        copied = answer is None or (found.interrupted and found.method == "none")
        laid.append(Laid(tile, replace(found, values=NOWHERE, std=None, kept=None, weights=warm_start), copied))
    return laid


@dataclass(frozen=True)
class _Part:
    """One tile, as a `Part` of the work; without an answer where it is left as it is."""

    index: int
    survey: Survey
    tile: Tile
    request: Request
    solve: Solve
    whole: bool = False

    @property
    def looked_at(self) -> Sequence[int]:
        """See `elsewhere.Part`."""
        return [self.index]

    def solved(self, picture: Image) -> Solved:
        """Restore it; see `elsewhere.Part`."""
        answer = self.answer(picture)
        return Solved({} if answer is None else {self.index: answer})

    def answer(self, picture: Image) -> Answer | None:
        """Return the answer, None where there is nothing to restore."""
        survey = replace(self.survey, picture=picture)
        plane = survey.plane(self.tile)
        if not _restorable(plane):
            return None
        try:
            return self.solve(plane, replace(self.request, noise=survey.law(self.tile.window)))
        except NoGreyError:
            return None


class _Others:
    """Tiles that others restore, all at once as long as none has learnt what the next one begins with."""

    def __init__(self, whole: Whole, survey: Survey, request: Request, solve: Solve) -> None:
        assert whole.elsewhere is not None
        self.elsewhere, self.index = whole.elsewhere, whole.index
        count, asked = len(whole.tiles), sent(request)
        own = [replace(_own(asked, k, count, 0.0), on_progress=None) for k in range(count)]
        parts = [_Part(whole.index, survey.bare, *both, solve) for both in zip(whole.tiles, own, strict=True)]
        self.ahead = self.elsewhere.each(parts)

    def answer(self, part: _Part) -> Answer | None:
        """Return the answer for a tile; they are asked for in their order."""
        if part.request.warm_start is None:
            return next(self.ahead).answers.get(self.index)
        if isinstance(self.ahead, Generator):
            self.ahead.close()
        part = replace(part, request=sent(part.request))
        return next(self.elsewhere.each([part])).answers.get(self.index)


def _left(whole: Whole, tile: Tile, survey: Survey | None) -> Answer:
    """Return the answer for a tile that is left alone."""
    return _copied(whole.picture.plane(whole.index, tile.window) if survey is None else survey.plane(tile))


def _own(request: Request, number: int, count: int, started: float) -> Request:
    """Return what is asked of one tile: a share of the time that is left, a seed and a place of its own."""
    left = _seconds_left(request, started)
    return replace(
        request,
        seconds=None if left is None else left / (count - number),
        seed=request.seed + BETWEEN_TILES * number,
        on_progress=_numbered(request.on_progress, number, count),
        checkpoint=None,
    )


def _seconds_left(request: Request, started: float) -> float | None:
    """Return the seconds that are left of those of a request, None where there is no limit."""
    return None if request.seconds is None else max(request.seconds - (time.monotonic() - started), 0.0)


def _numbered(tell: Callable[[Progress], None] | None, part: int, parts: int) -> Callable[[Progress], None] | None:
    if tell is None:
        return None
    return lambda progress: tell(replace(progress, part=part, parts=parts))


def _restorable(plane: Plane) -> bool:
    """Say whether a tile holds anything to restore."""
    return not bool(plane.working.gone.all()) and bool(plane.values.max() > plane.values.min())


def _copied(plane: Plane) -> Answer:
    """Return the answer for a tile that is left alone, but for what is missing."""
    stopped = Stopped("nothing to do", 0, "the plane was left as it is")
    gaps = bool(plane.missing.any())
    kept = np.asarray(~plane.missing, np.bool_)
    why = "there is nothing to restore in it"
    return Answer(plane.values, Unknown(0.0), "none", why, stopped, completed=gaps, kept=kept)
