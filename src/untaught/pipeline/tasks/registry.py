"""The tasks with a name: how the operator of each follows from what a person gives."""

from __future__ import annotations

from collections.abc import Callable

from untaught.pipeline.task import Task
from untaught.pipeline.tasks.deblur import deblurring
from untaught.pipeline.tasks.demosaic import demosaicing
from untaught.pipeline.tasks.inpaint import inpainting
from untaught.pipeline.tasks.restore import restoring
from untaught.pipeline.tasks.upscale import upscaling

TASKS: dict[str, Callable[..., Task]] = {
    "inpaint": inpainting,
    "upscale": upscaling,
    "deblur": deblurring,
    "demosaic": demosaicing,
    "restore": restoring,
}
