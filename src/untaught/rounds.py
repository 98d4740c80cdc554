"""A task on a whole picture: plane by plane, or on one measurement that is no picture, and put together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.image.image import Image, Plane
from untaught.operators import as_operator
from untaught.operators.serialize import operator_of, written
from untaught.operators.structure import hint_of, visible_size
from untaught.pipeline.combine_planes import assemble
from untaught.pipeline.plane.denoise_plane import Answer, Request
from untaught.pipeline.plane.make_problem import problem_of
from untaught.pipeline.plane.reconstruct_plane import solved
from untaught.pipeline.recipes import sha256
from untaught.pipeline.tasks.denoise import check_checkpoint, restore_planes
from untaught.pipeline.tasks.inputs import Operand, guide_of
from untaught.pipeline.tasks.output_image import Task, framed, measurement
from untaught.pipeline.tasks.registry import file_of, options
from untaught.problem import tensor
from untaught.results.recipe import Recipe
from untaught.results.restoration import Result

Requests = Sequence[Request | None]


def of_picture(
    picture: Image, task: Task, guide: Operand | None, requests: Requests, shared: Request, started: float
) -> Result:
    """Restore the planes of a measurement that looks like a picture; one without a request is a first guess.

    Parameters
    ----------
    picture : Image
        The measurement.
    task : Task
        What is asked for.
    guide : path, Image, ndarray, Tensor or None
        Another picture of the same scene.
    requests, shared : sequence of Request or None, Request
        What is asked of every plane, and what they share.
    started : float
        By `time.monotonic`.
    """
    if shared.checkpoint is not None:
        check_checkpoint(shared.checkpoint, picture)
    measured = measurement(picture, task)
    frame = framed(measured, task)
    hint = None if guide is None else guide_of(guide, (frame.height, frame.width), frame)

    def solve(plane: Plane, request: Request) -> Answer:
        gone = torch.from_numpy(plane.missing).float()[None, None] if plane.missing.any() else None
        return _answer(tensor(plane.values), gone, task, request, hint)

    answers, interrupted = restore_planes(measured, requests, started, solve)
    try:
        result = assemble(picture, answers, shared, started, interrupted, frame)
    except KeyboardInterrupt:  # all the work is done: it has only to be put together
        result = assemble(picture, answers, shared, started, True, frame)
    return _written(result, task, guide)


def of_tensor(y: Tensor, task: Task, guide: Operand | None, request: Request, started: float) -> Result:
    """Restore the picture behind a measurement as the operator gives it; see `of_picture`.

    Raises
    ------
    InputError
        For a measurement without a leading 1.
    """
    if y.ndim < 2 or y.shape[0] != 1 or not y.numel():
        raise InputError(f"a measurement has a leading 1, and this one has the shape {tuple(y.shape)}")
    y = y.detach().cpu().float()
    known = torch.isfinite(y)
    hint = None if guide is None else guide_of(guide, visible_size(task.folded[0], y))
    answer = _answer(y, None if bool(known.all()) else (~known).float(), task, request, hint)
    grey = answer.values.shape[-1] == 1
    frame = Image(answer.values[..., 0] if grey else answer.values, "YX" if grey else "YXS", (0.0, 1.0))
    result = assemble(shown(y), [answer], request, started, answer.interrupted, frame)
    return _written(result, replace(task, given=None), guide)


def again(
    recipe: Recipe,
    y: Image | Tensor,
    needed: tuple[object, Operand | None],
    requests: Requests,
    shared: Request,
) -> Result:
    """Do the task of a recipe again; `needed` is the operator, if it could not be written down, and the guide.

    Raises
    ------
    InputError
        If one of these is needed and not given, or the guide is another one.
    """
    started = time.monotonic()
    operator, guide = needed
    if recipe.operator is None and operator is None:
        raise InputError("a recipe cannot hold this operator; give the same one, operator=")
    if _hash_of(guide) != recipe.guide_sha256:
        raise InputError("the recipe was written with another guide, or without one; give the same one, guide=")
    made = as_operator(operator) if recipe.operator is None else operator_of(recipe.operator)
    task = Task(recipe.task, made, recipe.operands)
    if isinstance(y, Tensor):
        return of_tensor(y, task, guide, requests[0] or shared, started)
    return of_picture(y, task, guide, requests, shared, started)


def shown(y: Tensor) -> Image:
    """Return a measurement of any shape as a picture of one plane, to be shown and hashed."""
    values = y.numpy()
    return Image.of(values.reshape(-1, values.shape[-1]) if y.ndim == 4 else values.reshape(1, -1), "YX")


def _answer(y: Tensor, gone: Tensor | None, task: Task, request: Request, hint: Tensor | None) -> Answer:
    operator = task.folded[0]
    if operator is not None and hint is not None:
        hint = hint_of(hint, operator, operator.picture_shape(y.shape))
    problem, notes = problem_of(y, gone, task, request, hint)
    return solved(problem, task, request, notes)


def _written(result: Result, task: Task, guide: Operand | None) -> Result:
    """Return the result with a recipe that names the task, its operator and its guide."""
    operands = None if task.given is None else options({**task.given, "guide": file_of(guide)})
    found = {
        "task": task.name,
        "operator": written(task.operator),
        "guide_sha256": _hash_of(guide),
        "operands": operands,
    }
    return replace(result, recipe=result.recipe.model_copy(update=found))


def _hash_of(guide: Operand | None) -> str:
    if guide is None:
        return ""
    return sha256(as_image(guide.numpy() if isinstance(guide, Tensor) else guide))
