"""What is the whole plane's and not a tile's: its scale, its noise, and the method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import BARE, Image
from untaught.image.lazy import PIECE, release
from untaught.image.plane import Plane, Window
from untaught.image.spread import BLOCK, spread_windows
from untaught.image.tiling import Tile, Tiling
from untaught.image.working import Scale
from untaught.method import Iterative, Method
from untaught.methods.fusion import Fusion
from untaught.methods.registry import seconds_for
from untaught.noise import NoiseModel
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.cut_off import cut_off
from untaught.pipeline.plane.make_problem import NO_GREY, NoGreyError, black_and_white
from untaught.pipeline.plane.refine_noise import mean_factor
from untaught.pipeline.plane.working_scale import WorkingScale, measured
from untaught.pipeline.recipes import asked_again
from untaught.pipeline.request import Request

Solve = Callable[[Plane, Request], Answer]

# Of a picture of 2048 x 3072 pixels with five kinds of noise, this much in such squares told a level within
# .6 % of that of the whole where neighbours do not share it, and within 5 % where they do, a third of its stated
# error.
SAMPLED = 2**20  # values that the noise is measured on, which takes some 100 MiB
REFINED = 5  # places where the level is measured once more, by what a denoiser leaves there
REFINED_SIDE = 384  # pixels
REFINED_SHARE = 0.125  # of the plane, and of the time, at most, that they take
PILOT = "nonlocal"


@dataclass(frozen=True)
class Survey:
    """What the tiles of a plane share.

    Attributes
    ----------
    picture : Image
        Of which this is plane number `index`.
    scale : Scale or None
        On which all of it is worked on; None where that is the picture's.
    noise : NoiseModel
        On the picture's range; a level that varies over the plane may be told by a smaller map of it.
    notes : tuple of str
        What was found.
    """

    picture: Image
    index: int
    scale: Scale | None
    noise: NoiseModel
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the plane."""
        return self.picture.height, self.picture.width

    @property
    def bare(self) -> Survey:
        """The same without the picture's values, to go elsewhere."""
        return replace(self, picture=BARE)

    def plane(self, tile: Tile) -> Plane:
        """Return a tile as a plane of its own that knows what it is a part of."""
        part = self.picture.plane(self.index, tile.window)
        return replace(part, scale=self.scale, core=tile.core)

    def law(self, window: Window) -> NoiseModel:
        """Return the law of a part of the plane."""
        return self.noise.part(window, self.shape)


def surveyed(picture: Image, index: int, request: Request, solve: Solve, tiling: Tiling) -> Survey:
    """Measure what is the whole plane's, in a memory that does not grow with it.

    The noise is measured on squares that are evenly spread, put together to a smaller plane, and its level once
    more by what a denoiser leaves in a few windows.

    Raises
    ------
    NoGreyError
        For a plane of two values.
    """
    sample = sample_of(picture, index)
    own, scale = sample.working, sample.scale
    assert scale is not None
    if black_and_white(own.values) and _two_values(picture, index):
        raise NoGreyError(NO_GREY)
    if request.noise is not None:
        return Survey(picture, index, replace(scale, clip=cut_off(sample, request.cut)), request.noise)
    report = measured(sample)
    law = WorkingScale.of(sample).noise_back(report.model)
    found = Survey(picture, index, replace(scale, clip=report.model.clip), law, tuple(report.notes))
    return replace(found, noise=_refined(found, request, solve, tiling))


def sample_of(picture: Image, index: int) -> Plane:
    """Return squares that are spread over a plane, as a smaller plane on the scale of the whole."""
    return sampled(picture, index, scale_of(picture, index), SAMPLED // len(picture.group(index)))


def scale_of(picture: Image, index: int) -> Scale:
    """Return the scale of a plane that is not held."""
    pixels = SAMPLED // len(picture.group(index))
    step = max(1, int(np.ceil(np.sqrt(picture.height * picture.width / pixels))))
    thin = picture.plane(index, (slice(None, None, step), slice(None, None, step)))
    assert thin.raw is not None
    return Scale.of((thin.raw, thin.missing), _parts(picture, index), picture.value_range)


def _parts(picture: Image, index: int) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
    """Yield the values and what was not measured of all of a plane, some rows at a time."""
    rows = max(1, PIECE // picture.width)
    for top in range(0, picture.height, rows):
        part = picture.plane(index, (slice(top, top + rows), slice(None)))
        assert part.raw is not None
        yield part.raw, part.missing
        release(picture.array)


def sampled(picture: Image, index: int, scale: Scale, pixels: int) -> Plane:
    """Return squares of a plane, evenly spread, as a plane of about so many pixels and of its proportions."""
    values, missing, raw = put_together(picture, index, squares(picture, pixels))
    return Plane(values, missing, index, picture.labels[index], raw, picture.value_range, scale)


def put_together(picture: Image, index: int, grid: Sequence[Sequence[Window]]) -> tuple[NDArray[Any], ...]:
    """Return values, what was not measured, and values as they are in the array, of windows side by side."""
    parts = [[picture.plane(index, window) for window in row] for row in grid]
    release(picture.array)
    named = ([[getattr(part, name) for part in row] for row in parts] for name in ("values", "missing", "raw"))
    return tuple(np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0) for rows in named)


def squares(picture: Image, pixels: int, step: int = 1) -> list[list[Window]]:
    """Return windows of a plane, row by row, that are evenly spread and together have about so many pixels.

    They begin at multiples of `step`.
    """
    return spread_windows((picture.height, picture.width), pixels, step)


def _two_values(picture: Image, index: int) -> bool:
    """Say whether a plane has no more than two values."""
    seen = np.empty(0)
    for raw, missing in _parts(picture, index):
        seen = np.union1d(seen, raw[~missing])
        if seen.size > 2:
            return False
    return True


def _refined(survey: Survey, request: Request, solve: Solve, tiling: Tiling) -> NoiseModel:
    """Return the law with the level that a denoiser finds in a few windows: the mean, weighted by their errors."""
    law = survey.noise
    if not (law.white and law.relative_error > 0) or law.leaves_clean:
        return law
    told, windows = [], _windows(survey.shape, min(REFINED_SIDE, tiling.side))
    need = seconds_for(PILOT, sum(_pixels(window) for window in windows) / 1e6) or 0.0
    if request.seconds is not None and need > REFINED_SHARE * request.seconds:
        return law
    for window in windows:
        part = replace(survey.picture.plane(survey.index, window), scale=survey.scale)
        if part.missing.all() or part.values.max() == part.values.min():
            continue
        here = survey.law(window)
        asked = replace(request, method=PILOT, rule=None, parts=(), surveyed=here, checkpoint=None, seconds=None)
        try:
            found = _whole(solve(part, asked)).noise
        except NoGreyError:
            continue
        if found.relative_error > 0:
            told.append((found.level**2 / here.level**2, found.relative_error))
    return law.scaled(*mean_factor(told)) if told else law


def _whole(answer: Answer) -> Answer:
    """Return an answer, unless it was interrupted: nothing can be decided by that."""
    if answer.interrupted:
        raise KeyboardInterrupt
    return answer


def _pixels(window: Window) -> int:
    rows, columns = window
    return int((rows.stop - rows.start) * (columns.stop - columns.start))


def _windows(shape: tuple[int, int], side: int) -> list[Window]:
    """Return windows that are spread over a plane: the middle, and the middles of its quarters."""
    side = min(side, max(BLOCK // 2, int((REFINED_SHARE * shape[0] * shape[1] / REFINED) ** 0.5)))
    centres = [(0.5, 0.5), (0.25, 0.25), (0.75, 0.75), (0.25, 0.75), (0.75, 0.25)]
    count = max(1, min(REFINED, int(REFINED_SHARE * shape[0] * shape[1] / side**2)))
    found = []
    for place in centres[:count]:
        lengths = [min(side, length) for length in shape]
        starts = [int(at * (n - length)) for at, n, length in zip(place, shape, lengths, strict=True)]
        down, right = (slice(start, start + n) for start, n in zip(starts, lengths, strict=True))
        found.append((down, right))
    return found


def settled(
    survey: Survey, request: Request, solve: Solve, tiles: Sequence[Tile]
) -> tuple[Request, Answer | None]:
    """Return the request for every tile, and the answer for the one on which it was decided, if that was to be.

    `auto` or a fusion decides on a tile of medium contrast. Where nothing is taken there, every tile decides for
    itself.
    """
    if request.parts or not (request.method == "auto" or _is_fusion(request.method)):
        return request, None
    tile = _medium(survey, tiles)
    seconds = None if request.seconds is None else request.seconds / (len(tiles) + 1)
    asked = replace(request, noise=survey.law(tile.window), checkpoint=None, seconds=seconds)
    found = _whole(solve(survey.plane(tile), asked))
    if found.recipe is None or found.recipe.method == "none":
        return request, None
    return asked_again(found.recipe, request), found


def _is_fusion(method: str | Method | Fusion) -> bool:
    return method == Fusion.name or (isinstance(method, Fusion) and not isinstance(method, Iterative))


def _medium(survey: Survey, tiles: Sequence[Tile]) -> Tile:
    """Return the tile of medium contrast, of up to nine that are spread over the plane."""
    places: list[int] = np.unique(np.linspace(0, len(tiles) - 1, 9).astype(int)).tolist()
    some = [tiles[at] for at in places]
    spread = [float(survey.picture.plane(survey.index, tile.own).values[::4, ::4].std()) for tile in some]
    release(survey.picture.array)
    varied: list[int] = [at for at in np.argsort(spread, kind="stable").tolist() if spread[at] > 0]
    return some[varied[len(varied) // 2]] if varied else some[0]
