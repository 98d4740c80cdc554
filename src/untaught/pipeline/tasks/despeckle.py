"""The front door for pages of one bit: specks of ink are taken out, pinholes filled, everything else stays."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.image.plane import Plane
from untaught.image.reading import Reading, memory_of
from untaught.method import Stopped
from untaught.noise import Unknown
from untaught.noise.estimation.specks import HAIR, Specks, dark_of, specks_of
from untaught.pipeline.answer import Answer
from untaught.pipeline.options import Picture
from untaught.pipeline.planes import Requests, restore_planes
from untaught.pipeline.request import Request, TaskOptions, request_of
from untaught.pipeline.task import Task
from untaught.pipeline.tiles.parts import left
from untaught.results.recipe import PlaneRecipe
from untaught.results.result import Result

TASK = Task("despeckle")
WHY = "what is smaller than the page's own strokes and dots, and is not spread as evenly as a screen, is a speck"
STOPPED = Stopped("nothing to stop", 0, "components were counted once")
RECIPE = PlaneRecipe(method="despeckle", settings={}, rule="steps", rule_settings={}, steps=0)
GREY = (
    "{} has more than two values, and despeckle is for pages of black and white alone; 'untaught inspect' says "
    "what to do with it"
)
HAIRLINES = "strokes are one pixel wide here, so a speck cannot be told from a dot; nothing was changed"
SCREENED = "small dots that are spread evenly, as those of a screen, were kept"


@dataclass(frozen=True)
class Speckled(Unknown):
    """Specks and pinholes of a page."""

    kind: ClassVar[str] = "specks"
    counts: tuple[int, int] = (0, 0)

    def _what(self) -> str:
        ink, paper = (
            f"{count} {one if count == 1 else one + 's'}"
            for count, one in zip(self.counts, ("speck", "pinhole"), strict=True)
        )
        return f"{ink} and {paper}"


def despeckle(image: Picture, **options: Unpack[TaskOptions]) -> Result:
    """Take specks out of a page in black and white, and fill its pinholes.

    Parameters
    ----------
    image : path, Image or array
        As in `denoise`; of two values, bool or others.
    **options
        See `TaskOptions`. All of it is decided by sizes, so that those about noise, method and time change nothing
        and are refused where they ask for anything.

    Raises
    ------
    InputError
        For a picture with more than two values, or an option that asks for something else.

    Notes
    -----
    See `noise.estimation.specks`. The rarer of the two values is taken for ink. No error is stated.

    Examples
    --------
    >>> import numpy as np, skimage, untaught
    >>> page = np.ones((120, 200), bool)
    >>> page[20:100:20, 20:180] = page[20:100, 20:180:40] = False
    >>> page = skimage.morphology.erosion(page, np.ones((5, 5)))
    >>> specks = np.random.default_rng(0).random(page.shape) < 0.003
    >>> found = untaught.despeckle(page ^ specks).image
    >>> found.dtype, bool((found != page).sum() < specks.sum() / 2)
    (dtype('bool'), True)
    """
    started = time.monotonic()
    request = request_of(options)
    asked = (request.noise, request.noise_region, request.noise_from, options.get("guide"), request.stripes)
    if any(one is not None for one in asked) or request.method != "auto":
        raise InputError("despeckle goes by sizes alone; leave noise, stripes, guide and method out")
    reading = Reading(memory=memory_of(options.get("memory")), value_range=options.get("value_range"))
    return despeckle_planes(Requests.of(as_image(image, options.get("axes"), reading), request, started))


def despeckle_planes(requests: Requests) -> Result:
    """Take the specks out of the planes of a picture; see `despeckle`."""
    picture = requests.picture
    for index in range(picture.n_planes):
        plane = picture.plane(index)
        if _ink(plane) is None and plane.values.max() > plane.values.min():
            raise InputError(GREY.format(picture.name))
    return restore_planes(requests, TASK, _plane)


def _ink(plane: Plane) -> NDArray[np.bool_] | None:
    """Return where a plane of two colours has the rarer one; None for another plane."""
    dark = None if plane.missing.any() else dark_of(plane.values)
    return dark if dark is None or dark.mean() <= 0.5 else ~dark


def specks_in(plane: Plane) -> Specks | None:
    """Return the specks of a plane of two colours; None for another plane."""
    ink = _ink(plane)
    return None if ink is None else specks_of(ink)


def _plane(plane: Plane, request: Request) -> Answer:
    specks = specks_in(plane)
    assert specks is not None  # looked at before
    law = Speckled(0.0, counts=specks.counts)
    notes = (HAIRLINES,) if specks.stroke < HAIR else (SCREENED,) if specks.screened else ()
    if not specks.any.any():
        return replace(left(plane), noise=law, why="no specks were found", notes=notes)
    low, high = (end(plane.values, axis=(0, 1)) for end in (np.min, np.max))
    values = np.where(specks.any[..., None], low + high - plane.values, plane.values)
    return Answer(values.astype(np.float32), law, "despeckle", WHY, STOPPED, notes=notes, recipe=RECIPE)
