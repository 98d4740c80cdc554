"""The front door for prints and moire: a picture with a regular pattern in, a `Result` without it out."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import ClassVar, Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.image.lazy import empty
from untaught.image.plane import Plane
from untaught.image.reading import Reading, memory_of
from untaught.image.tiling import Tile, Tiling
from untaught.noise import Unknown
from untaught.noise.estimation.pattern import Pattern, pattern_of
from untaught.noise.estimation.pattern_place import Place, place_of
from untaught.noise.estimation.pattern_spectrum import channels_of
from untaught.operators.screen import Screen
from untaught.pipeline.answer import Answer
from untaught.pipeline.options import Picture
from untaught.pipeline.plane.choose_reconstruction import checked
from untaught.pipeline.plane.restore_plane import restore_plane
from untaught.pipeline.plane.say_pattern import middle_of
from untaught.pipeline.plane.working_scale import solved
from untaught.pipeline.planes import Requests, restore_planes
from untaught.pipeline.request import Request, TaskOptions, request_of
from untaught.pipeline.task import Task
from untaught.pipeline.tiles.memory_need import tiling_for
from untaught.pipeline.tiles.parts import Settled, Whole, left
from untaught.pipeline.tiles.survey import Survey, scale_of
from untaught.problem import Problem, tensor
from untaught.results.result import Result

NAME = "descreen"
NONE = (
    "no regular pattern was found that runs through the picture, neither dots of a printed screen nor waves: it "
    "was left as it is"
)
PARTLY = "the pattern is in {:.0%} of the picture; the rest stays as it is"
ALL = 0.99
GAPS = "{} holds pixels that were not measured, which a pattern is not told across; fill them in first, by inpaint"


@dataclass(frozen=True)
class Printed(Unknown):
    """A regular pattern: of its values nothing is known but their spectrum."""

    kind: ClassVar[str] = "pattern"
    said: str = "A regular pattern"

    def _what(self) -> str:
        return self.said


def descreen(image: Picture, **options: Unpack[TaskOptions]) -> Result:
    """Take a regular pattern off a picture: the dots of a printed screen (halftone), moire, streaks of a scanner.

        y = x + n,   n of a spectrum of lines, as in `untaught.operators.screen.Screen`

    The lines are found in the picture's own spectrum, above the median of what is around them; the picture's
    power between them is told by a law fitted to what is left. Where the picture is made of dots, what lies beside
    every line is taken for it too, and similar patches agree on the rest; of waves that lie over the picture only
    these are taken off. A plane without such a pattern is left as it is, and that is said.

    Parameters
    ----------
    image : path, Image or array
        As in `denoise`.
    **options
        See `TaskOptions`; all but those about noise, stripes and a guide.

    Raises
    ------
    InputError
        For a picture with pixels that were not measured, or an option that says something of noise.

    Notes
    -----
    There is no estimate of the PSNR: what lay between the dots was never printed. What repeats in the scene, such
    as a fence or cloth, is no other to a spectrum than a moire: it is taken off as well where it runs through the
    whole picture, which is why `denoise` never does this by itself. Dots that are placed at random (error
    diffusion) have no lines, and are none of its matter.

    Examples
    --------
    >>> import numpy as np, skimage.data, untaught
    >>> clean = skimage.data.moon()[100:228, 200:328] * 0.8 + 20
    >>> rows, columns = np.indices(clean.shape)
    >>> moire = 10 * np.cos(2 * np.pi * (rows + columns / 2) / 5.3)
    >>> found = untaught.descreen(np.rint(clean + moire).astype(np.uint8)).image
    >>> bool(np.square(found - clean).mean() < 10)  # it was 50
    True
    """
    started = time.monotonic()
    request = request_of(options)
    told = request.noise or request.noise_region or request.noise_from or options.get("guide")
    if told is not None:
        raise InputError("descreen takes no noise and no guide: the picture's own spectrum tells the pattern")
    if request.stripes is not None:
        raise InputError("descreen takes out no stripes; take them out first, with denoise")
    reading = Reading(memory=memory_of(options.get("memory")), value_range=options.get("value_range"))
    picture = as_image(image, options.get("axes"), reading)
    return descreen_planes(Requests.of(picture, request, started))


def descreen_planes(requests: Requests) -> Result:
    """Take the patterns off the planes of a picture; see `descreen`."""
    task = Task(NAME)
    checked(requests.shared.method, replace(task, operator=EXAMPLE))
    picture = requests.picture
    tiling = tiling_for(picture, requests.shared, EXAMPLE.cut)
    parts = None if tiling is None else ScreenParts(tiling)
    return restore_planes(requests, task, _plane, frame=_with_greys(picture), parts=parts)


EXAMPLE = Screen(((0.25, 0.25),), ((1.0, -2.0, 0.0),), ((0.0,),), ((0.0,),), 64, False)


def _with_greys(picture: Image) -> Image:
    """Return the picture that answers go into, which has more than black and white."""
    if picture.array.dtype != np.bool_:
        return picture
    return replace(picture, array=empty(picture.array.shape, np.dtype(np.uint8)), value_range=(0.0, 255.0))


def _plane(plane: Plane, request: Request) -> Answer:
    if plane.missing.any():
        raise InputError(GAPS.format(plane.label or "the picture"))
    return solved(plane, request, _on_own_range)


def _on_own_range(plane: Plane, request: Request) -> Answer:
    values = plane.working.values
    pattern = pattern_of(values, closely=True)
    if pattern is None:
        return replace(left(plane), values=values, notes=(NONE,))
    place = place_of(values, pattern)
    return _restored(plane, screen_of(values, place.pattern), place, request)


def screen_of(values: NDArray[np.float32], pattern: Pattern) -> Screen:
    """Return the operator of a picture, (H, W, C) in [0, 1], in which a pattern was found."""
    channels = channels_of(values, pattern)
    return Screen(
        tuple((line.down, line.across) for line in pattern.lines),
        tuple((channel.scale, channel.slope, channel.floor) for channel in channels),
        tuple(channel.steady for channel in channels),
        tuple(channel.beside for channel in channels),
        pattern.rows.stop - pattern.rows.start,
        pattern.printed,
    )


def _restored(plane: Plane, screen: Screen, place: Place, request: Request) -> Answer:
    """Return the answer for a plane where its pattern is; elsewhere it stays as it is."""
    values = plane.working.values
    y, inside = tensor(values).to(request.device), place.inside(values)[..., None]
    level = math.sqrt(sum(map(sum, screen.steady)) / len(screen.steady))
    law = Printed(level, said=place.pattern.describe())
    problem = Problem(y, torch.ones_like(y), law, operator=screen)
    answer = restore_plane(lambda: (problem, ()), Task(NAME, screen), request)
    share = float(inside.mean())
    notes = (PARTLY.format(share),) if share < ALL else ()
    return replace(answer, values=values + inside * (answer.values - values), notes=(*notes, *answer.notes))


@dataclass(frozen=True)
class ScreenParts:
    """A picture in parts, with one pattern, which is looked for in its middle.

    Attributes
    ----------
    tiling : Tiling
        How the picture is cut.
    """

    tiling: Tiling
    scale: ClassVar[int] = 1

    def channels(self, picture: Image, index: int) -> int:
        """See `untaught.pipeline.tiles.parts.Parts`."""
        return len(picture.group(index))

    def settled(self, whole: Whole, request: Request) -> Settled:
        """See `Parts`."""
        picture, scale = whole.picture, scale_of(whole.picture, whole.index)
        seen = replace(middle_of(picture, whole.index), scale=scale)
        pattern = None if seen.missing.any() else pattern_of(seen.working.values, closely=True)
        notes = (NONE,) if pattern is None else ()
        survey = Survey(picture, whole.index, scale, Unknown(0.0), notes)
        place = None if pattern is None else place_of(seen.working.values, pattern)
        screen = None if place is None else screen_of(seen.working.values, place.pattern)

        def solve(plane: Plane, tile: Tile, own: Request) -> Answer | None:
            if screen is None or place is None:
                return None
            if plane.missing.any():
                raise InputError(GAPS.format(picture.name))
            return solved(plane, own, lambda part, asked: _restored(part, screen, place, asked))

        return Settled(survey, request, solve)

    def untouched(self, plane: Plane, tile: Tile) -> Answer:
        """See `Parts`."""
        return left(plane)
