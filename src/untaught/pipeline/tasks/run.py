"""A task on a whole picture, plane by plane, or on one measurement that is no picture.

A task is an operator, nothing else; method, rule, loop and report are those of denoising.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Unpack

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.image.reading import Reading
from untaught.operators.structure import outermost, traits_of, visible_size
from untaught.pipeline.answer import Answer
from untaught.pipeline.combine_planes import Answers, combine
from untaught.pipeline.options import ImageLike, Picture
from untaught.pipeline.plane.choose_reconstruction import checked
from untaught.pipeline.plane.make_problem import Measured
from untaught.pipeline.plane.through_operator import restore_measured
from untaught.pipeline.planes import Requests, restore_planes
from untaught.pipeline.recipes import sha256
from untaught.pipeline.request import Request, TaskOptions, request_of
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.given_noise import with_given_noise
from untaught.pipeline.tasks.inputs import as_options, file_of, guide_of, laid_guide
from untaught.pipeline.tasks.output_image import framed, measurement
from untaught.pipeline.tiles.through_operator import parts_for
from untaught.problem import tensor
from untaught.results.result import Result


def run_task(y: Picture | Tensor, task: Task, **options: Unpack[TaskOptions]) -> Result:
    """Do a task; see `restore`."""
    started = time.monotonic()
    unknown = set(options) - set(TaskOptions.__annotations__)
    if unknown:
        raise TypeError(f"{task.name}() got an unexpected keyword argument {min(unknown)!r}")
    request = request_of(options)
    checked(request.method, task)
    guide = options.get("guide")
    operands = None if task.operands is None else as_options({**task.operands, "guide": file_of(guide)})
    task = replace(task, operands=operands, guide_sha256=hash_of(guide))
    axes, value_range = options.get("axes"), options.get("value_range")
    if isinstance(y, Tensor):
        if axes is not None or value_range is not None:
            raise InputError(
                "a tensor is a measurement as the operator gives it, which has no axes to name and no range; "
                "leave them out"
            )
        return of_tensor(y, task, guide, request, started)
    picture = as_image(y, axes, Reading(memory=request.memory, value_range=value_range))
    return of_picture(Requests.of(picture, request, started), task, guide)


def of_picture(requests: Requests, task: Task, guide: ImageLike | None) -> Result:
    """Restore the planes of a measurement that looks like a picture; one without a request is a first guess.

    Parameters
    ----------
    requests : Requests
        What is asked of the measurement's planes.
    task : Task
        What is asked for.
    guide : path, Image, ndarray, Tensor or None
        Another picture of the same scene.
    """
    parts = parts_for(requests.picture, task, requests.shared)
    measured = measurement(requests.picture, task, parts)
    frame = framed(measured, task, parts)
    if requests.shared.stripes is not None:
        _refuse_gaps(task)
        measured, requests = requests.destriped(measured, parts is not None)
    requests, notes = with_given_noise(requests, measured, task.operator)
    task = replace(task, notes=(*task.notes, *notes))
    laid = None if guide is None else laid_guide(guide, (frame.height, frame.width), frame)
    guide_image = None if laid is None or parts is not None else tensor(laid.plane(0).values)

    def solve(plane: Plane, request: Request) -> Answer:
        return restore_measured(Measured.of(plane, guide_image), task, request)

    parts = None if parts is None else replace(parts, task=task, guide=laid)
    return restore_planes(requests, task, solve, measured, frame, parts)


def _refuse_gaps(task: Task) -> None:
    """Refuse to take stripes out of what a mask or a mosaic has left: neighbours are no neighbours there."""
    if task.folded[1] is not None or traits_of(outermost(task.operator)).selects:
        raise InputError(
            f"{task.name} cannot take out stripes, for not every pixel was measured; take them out first, with "
            "denoise"
        )


def of_tensor(y: Tensor, task: Task, guide: ImageLike | None, request: Request, started: float) -> Result:
    """Restore the picture behind a measurement as the operator gives it; see `of_picture`.

    Raises
    ------
    InputError
        For a measurement without a leading 1.
    """
    if y.ndim < 2 or y.shape[0] != 1 or not y.numel():
        raise InputError(f"a measurement has a leading 1, and this one has the shape {tuple(y.shape)}")
    if request.noise_region is not None or request.noise_from is not None:
        raise InputError("a tensor is a measurement without units and places; give its noise as a law, noise=")
    if request.stripes is not None:
        raise InputError("a tensor is a measurement without rows and columns; take stripes out of a picture")
    y = y.detach().cpu().float()
    known = torch.isfinite(y)
    guide_image = None if guide is None else guide_of(guide, visible_size(task.folded[0], y))
    measured = Measured(y, None if bool(known.all()) else (~known).float(), guide_image)
    answer = restore_measured(measured, task, request)
    grey = answer.values.shape[-1] == 1
    frame = Image(answer.values[..., 0] if grey else answer.values, "YX" if grey else "YXS", (0.0, 1.0))
    answers = Answers((answer,), started, answer.interrupted)
    return combine(shown(y), answers, request, replace(task, operands=None), frame)


def shown(y: Tensor) -> Image:
    """Return a measurement of any shape as a picture of one plane, to be shown and hashed."""
    values = y.numpy()
    return Image.of(values.reshape(-1, values.shape[-1]) if y.ndim == 4 else values.reshape(1, -1), "YX")


def hash_of(guide: ImageLike | None) -> str:
    """Return what a recipe knows a guide by; empty where there is none."""
    if guide is None:
        return ""
    return sha256(as_image(guide.numpy() if isinstance(guide, Tensor) else guide))
