"""The tasks with a name: how the operator of each follows from what a person gives, and how it is done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from untaught.pipeline.planes import Requests
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.deblur import deblurring
from untaught.pipeline.tasks.dejpeg import dejpeg_planes
from untaught.pipeline.tasks.demosaic import demosaicing
from untaught.pipeline.tasks.denoise import denoise_planes
from untaught.pipeline.tasks.descreen import descreen_planes
from untaught.pipeline.tasks.despeckle import despeckle_planes
from untaught.pipeline.tasks.inpaint import inpainting
from untaught.pipeline.tasks.restore import restoring
from untaught.pipeline.tasks.upscale import upscaling
from untaught.results.result import Result


@dataclass(frozen=True)
class Verb:
    """A task by name.

    Attributes
    ----------
    task : callable or None
        Makes the `Task` of a picture and what is given with it; None where nothing is given.
    again : callable or None
        Does what a recipe asks of every plane, where that needs no operator: there is none, or the file has it.
    """

    task: Callable[..., Task] | None = None
    again: Callable[[Requests], Result] | None = None


TASKS: dict[str, Verb] = {
    "denoise": Verb(again=denoise_planes),
    "inpaint": Verb(inpainting),
    "upscale": Verb(upscaling),
    "deblur": Verb(deblurring),
    "demosaic": Verb(demosaicing),
    "restore": Verb(restoring),
    "dejpeg": Verb(again=dejpeg_planes),
    "descreen": Verb(again=descreen_planes),
    "despeckle": Verb(again=despeckle_planes),
}


def task_of(name: str, picture: object, **operands: object) -> Task:
    """Return the task `name` of a picture and what is given with it."""
    make = TASKS[name].task
    if make is None:
        raise KeyError(f"{name} takes nothing beside the picture")
    return make(picture, **operands)
