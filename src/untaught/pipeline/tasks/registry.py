"""The tasks with a name: how the operator of each follows from what a person gives."""

from __future__ import annotations

from collections.abc import Callable

from untaught.pipeline.planes import Requests
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.deblur import deblurring
from untaught.pipeline.tasks.dejpeg import restored as dejpeg_planes
from untaught.pipeline.tasks.demosaic import demosaicing
from untaught.pipeline.tasks.denoise import denoise_planes
from untaught.pipeline.tasks.inpaint import inpainting
from untaught.pipeline.tasks.restore import restoring
from untaught.pipeline.tasks.upscale import upscaling
from untaught.results.result import Result

TASKS: dict[str, Callable[..., Task]] = {
    "inpaint": inpainting,
    "upscale": upscaling,
    "deblur": deblurring,
    "demosaic": demosaicing,
    "restore": restoring,
}
AGAIN: dict[str, Callable[[Requests], Result]] = {"denoise": denoise_planes, "dejpeg": dejpeg_planes}
"""Tasks whose recipes need no operator: there is none, or the file says which."""
