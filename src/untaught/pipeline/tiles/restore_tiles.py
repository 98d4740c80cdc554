"""A plane tile by tile, in memory that does not grow with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from untaught.fitting.progress import Progress
from untaught.image.image import Image
from untaught.image.lazy import in_words, release
from untaught.image.tiling import Tile
from untaught.pipeline.answer import Answer
from untaught.pipeline.elsewhere import Ahead, Solved, sent
from untaught.pipeline.plane.make_problem import NoGreyError
from untaught.pipeline.request import Request
from untaught.pipeline.tiles.join_tiles import NOWHERE, Canvas, Laid, joined
from untaught.pipeline.tiles.memory_need import memory_for
from untaught.pipeline.tiles.parts import Parts, Settled, Whole

BETWEEN_TILES = 10**6  # seeds; a plane draws from far fewer after its own


def restore_tiles(whole: Whole, request: Request | None, parts: Parts) -> Answer:
    """Restore one plane tile by tile.

    Its scale, its noise and the method are the whole plane's, see `survey`; what a fit has learnt on a tile, the
    next one begins with.

    Parameters
    ----------
    whole : Whole
        The plane.
    request : Request or None
        What is asked; None where it is left as it is, but for what is missing.
    parts : Parts
        What is done with a tile.

    Raises
    ------
    InputError
        If it cannot be done; `NoGreyError` for a plane of two values.
    KeyboardInterrupt
        Where Ctrl-C left nothing behind.
    """
    picture, tiles, started = whole.picture, whole.tiles, time.monotonic()
    settled = None
    if request is not None and not _flat(whole):
        looking = replace(request, on_progress=_numbered(request.on_progress, 0, len(tiles)))
        settled = parts.settled(whole, looking)
        asked = replace(settled.request, on_progress=request.on_progress, seconds=_seconds_left(request, started))
        settled = replace(settled, request=asked)
    size = (parts.scale * picture.height, parts.scale * picture.width, parts.channels(picture, whole.index))
    canvas = Canvas(size, picture.array.itemsize > 2)
    laid = _laid(whole, canvas, settled, parts)
    found = joined(canvas, laid, () if settled is None else settled.survey.notes)
    if settled is None or request is None:
        return found
    said, choice = _said(whole, request), settled.choice
    found = replace(found, noise=settled.survey.noise, notes=(*found.notes, said, *_unreached(laid)))
    if choice is None:
        return found
    why = f"{choice.why}; that was decided on one of the parts that it was restored in, and done on all"
    return replace(found, why=why, candidates=choice.candidates)


def _unreached(laid: list[Laid]) -> tuple[str, ...]:
    """Return the note on the parts that were not reached: it was interrupted before them, or the time was over."""
    first = next((number for number, one in enumerate(laid) if one.answer.interrupted), len(laid))
    left = sum(one.copied for one in laid[first:])
    late = sum(one.late for one in laid)
    notes: tuple[str, ...] = ()
    if left:
        notes = (f"{left} of {len(laid)} parts were not reached and are as they were",)
    if late:
        notes += (f"the time was over before {late} of {len(laid)} parts, which are as they were; give it more",)
    return notes


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


def _laid(whole: Whole, canvas: Canvas, settled: Settled | None, parts: Parts) -> list[Laid]:
    """Solve tile by tile; where nothing is settled, and after Ctrl-C, they are as they were."""
    tiles, laid, started = whole.tiles, list[Laid](), time.monotonic()
    warm_start = None if settled is None else settled.request.warm_start
    ahead = None if settled is None else _ahead(whole, settled)
    for number, tile in enumerate(tiles):
        answer = None
        late = settled is not None and _seconds_left(settled.request, started) == 0
        if settled is not None and not (late and number and ahead is None):
            own = replace(_own(settled.request, number, len(tiles), started), warm_start=warm_start)
            try:
                if ahead is None:
                    answer = _solved(settled, tile, own)
                else:
                    part = _Part.of(whole, settled, tile, own)
                    solved = ahead.solved(part, alone=own.warm_start is not None)
                    answer = solved.answers.get(whole.index)
            except KeyboardInterrupt:
                if all(one.copied for one in laid):
                    raise
                answer, settled = replace(_untouched(whole, tile, settled, parts), interrupted=True), None
        found = answer or _untouched(whole, tile, settled, parts)
        canvas.lay(tile.scaled(parts.scale), found)
        release(whole.picture.array)
        settled = None if found.interrupted else settled
        warm_start = found.weights or warm_start
        copied = answer is None or (found.interrupted and found.method == "none")
        bare = replace(found, values=NOWHERE, std=None, kept=None, weights=warm_start)
        laid.append(Laid(tile, bare, copied, late and answer is None))
    return laid


def _solved(settled: Settled, tile: Tile, request: Request) -> Answer | None:
    """Return the answer for a tile, None where there is nothing to restore."""
    try:
        return settled.solve(
            settled.survey.plane(tile), tile, replace(request, noise=settled.survey.law(tile.window))
        )
    except NoGreyError:
        return None


def _untouched(whole: Whole, tile: Tile, settled: Settled | None, parts: Parts) -> Answer:
    """Return the answer for a tile that nothing is done with."""
    plane = whole.picture.plane(whole.index, tile.window) if settled is None else settled.survey.plane(tile)
    return parts.untouched(replace(plane, core=tile.core), tile)


@dataclass(frozen=True)
class _Part:
    """One tile, as a `Part` of the work; without an answer where it is left as it is."""

    index: int
    settled: Settled
    tile: Tile
    request: Request
    whole: bool = False

    @classmethod
    def of(cls, whole: Whole, settled: Settled, tile: Tile, request: Request) -> _Part:
        """Return it without the picture."""
        bare = replace(settled, survey=settled.survey.bare, request=sent(settled.request), choice=None)
        return cls(whole.index, bare, tile, sent(request))

    @property
    def looked_at(self) -> Sequence[int]:
        """See `elsewhere.Part`."""
        return [self.index]

    def solved(self, picture: Image) -> Solved:
        """Restore it; see `elsewhere.Part`."""
        settled = replace(self.settled, survey=replace(self.settled.survey, picture=picture))
        answer = _solved(settled, self.tile, self.request)
        return Solved({} if answer is None else {self.index: answer})


def _ahead(whole: Whole, settled: Settled) -> Ahead | None:
    """Return who restores the tiles, where others do."""
    if whole.elsewhere is None:
        return None
    count = len(whole.tiles)
    own = [_own(settled.request, k, count, 0.0) for k in range(count)]
    parts = [_Part.of(whole, settled, *both) for both in zip(whole.tiles, own, strict=True)]
    return Ahead(whole.elsewhere, parts)


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
