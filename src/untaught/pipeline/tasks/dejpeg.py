"""The front door for pictures that were compressed too much: a JPEG file in, a `Result` out."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Unpack

import numpy as np
import torch

from untaught.errors import InputError
from untaught.image.files import as_image, read
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.image.reading import Reading, memory_of
from untaught.image.tiling import Tile, Tiling
from untaught.noise import Unknown
from untaught.operators.jpeg import UNIFORM, Jpeg
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.choose_reconstruction import checked
from untaught.pipeline.plane.restore_plane import restore_plane
from untaught.pipeline.planes import Requests, restore_planes
from untaught.pipeline.request import Request, TaskOptions, request_of
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.jpeg_coefficients import Stored, stored_in
from untaught.pipeline.tiles.memory_need import tiling_for
from untaught.pipeline.tiles.parts import Settled, Whole, left
from untaught.pipeline.tiles.survey import Survey
from untaught.problem import Problem
from untaught.results.result import Result

NAME = "dejpeg"


@dataclass(frozen=True)
class Rounded(Unknown):
    """What JPEG has rounded away: nothing is known of it but its size, and that of every number it is in."""

    kind: ClassVar[str] = "jpeg"

    def _what(self) -> str:
        return f"What JPEG has rounded away, about {self.sigma * 255:.1f} (of 255) in brightness"


def dejpeg(image: str | Path | Image, **options: Unpack[TaskOptions]) -> Result:
    """Take the blocks and ripples out of a picture that JPEG has compressed too much.

        y = round(A x),   A as in `untaught.operators.Jpeg`

    The file says what was rounded and by how much, so nothing has to be set or measured: the answer is a picture
    that similar patches agree on and of which the same file could have been made.

    Parameters
    ----------
    image : path or Image
        A JPEG file, or a picture that was read from one and is as it was read.
    **options
        See `untaught.pipeline.request.TaskOptions`; there is no guide, and the noise is known.

    Returns
    -------
    Result
        `image` has the shape and type of the file's picture.

    Raises
    ------
    InputError
        For anything but a JPEG file, one that was changed since it was read, or one with colours that are stored
        at a resolution other than the whole or half of the picture's.

    Notes
    -----
    There is no estimate of the PSNR: what was rounded to nothing leaves no trace in the file.

    References
    ----------
    J. Zhang et al., "CONCOLOR: constrained non-convex low-rank model for image deblocking", IEEE TIP 25(3), 2016,
    for similar patches within the bounds of the rounding; the method is `PlugAndPlay`.
    """
    started = time.monotonic()
    request = request_of(options)
    told = request.noise or request.noise_region or request.noise_from or options.get("guide")
    if told is not None:
        raise InputError("dejpeg takes no noise and no guide: the file says what was rounded, and by how much")
    if request.stripes is not None:
        raise InputError("dejpeg takes out no stripes: without them, it would be another file; leave them out")
    picture = as_image(image, options.get("axes"), Reading(memory=memory_of(options.get("memory"))))
    return dejpeg_planes(Requests.of(picture, request, started))


def dejpeg_planes(requests: Requests) -> Result:
    """Restore a picture that was read from a JPEG file; see `dejpeg`."""
    stored = stored_of(requests.picture)
    task = Task(NAME, stored.operator)
    checked(requests.shared.method, task)
    channels = len(stored.planes)
    tiling = tiling_for(requests.picture, requests.shared, stored.operator.cut, channels)
    if tiling is not None:
        return restore_planes(requests, task, _refused, parts=JpegParts(tiling, stored))

    def solve(plane: Plane, request: Request) -> Answer:
        return _restored(*stored.levels(), request)

    return restore_planes(requests, task, solve)


def _refused(plane: Plane, request: Request) -> Answer:
    raise AssertionError("planes that are taken in parts are not taken whole")


@dataclass(frozen=True)
class JpegParts:
    """The numbers of a file in parts, whose windows are those of the picture and begin where blocks do.

    Attributes
    ----------
    tiling : Tiling
        How the picture is cut.
    stored : Stored
        What the file stores.
    """

    tiling: Tiling
    stored: Stored
    scale: ClassVar[int] = 1

    def channels(self, picture: Image, index: int) -> int:
        """See `untaught.pipeline.tiles.parts.Parts`."""
        return len(self.stored.planes)

    def settled(self, whole: Whole, request: Request) -> Settled:
        """See `Parts`: what was lost is told of the whole, part by part."""
        areas, lost = [], []
        for tile in whole.tiles:
            y, operator = self.stored.levels(tile.own)
            areas.append(tile.area)
            lost.append(operator.level(y) ** 2)
        level = math.sqrt(np.average(lost, weights=areas))
        survey = Survey(whole.picture, whole.index, None, Rounded(level))

        def solve(plane: Plane, tile: Tile, own: Request) -> Answer:
            y, operator = self.stored.levels(tile.window)
            return _restored(y, replace(operator, lost=level), own)

        return Settled(survey, request, solve)

    def untouched(self, plane: Plane, tile: Tile) -> Answer:
        """See `Parts`."""
        return left(plane)


def _restored(y: torch.Tensor, operator: Jpeg, request: Request) -> Answer:
    numbers = y.to(request.device)
    problem = Problem(numbers, torch.ones_like(numbers), Unknown(UNIFORM**0.5), operator=operator)
    task = Task(NAME, operator)
    answer = restore_plane(lambda: (problem, (_steps_note(operator),)), task, request)
    return replace(answer, noise=Rounded(operator.level(y)))


def stored_of(picture: Image) -> Stored:
    """Return what the file behind a picture holds.

    Raises
    ------
    InputError
        If there is none, it is no JPEG, or the picture is not as it was read.
    """
    if picture.axes not in ("YX", "YXS"):
        raise InputError(f"axes {picture.axes!r} are not those of a JPEG file, YX or YXS; leave them out")
    if picture.source is None:
        raise InputError("an array says nothing of how it was compressed; give the JPEG file itself")
    found = stored_in(picture.source)
    if not np.array_equal(read(picture.source).array, picture.array):
        raise InputError(f"{picture.name} is not as it was read any more; give the JPEG file itself")
    return found


def _steps_note(operator: Jpeg) -> str:
    first = operator.tables[0]
    return f"the file rounds brightness in steps of {min(first)} to {max(first)} grey levels"
