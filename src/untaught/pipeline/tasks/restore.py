"""The front doors of every task beside denoising: a measurement and its operator in, a `Result` out.

A task is an operator, nothing else; method, rule, loop and report are those of denoising.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.image.image import Image, Plane
from untaught.operators import Identity, as_operator
from untaught.operators.serialize import written
from untaught.operators.structure import hint_of, visible_size
from untaught.pipeline.answer import Answer
from untaught.pipeline.combine_planes import assemble
from untaught.pipeline.plane.choose_reconstruction import checked
from untaught.pipeline.plane.make_problem import problem_of
from untaught.pipeline.plane.reconstruct_plane import solved
from untaught.pipeline.planes import check_checkpoint, restore_planes
from untaught.pipeline.recipes import sha256
from untaught.pipeline.request import Operand, Picture, Request, Wishes, request_of
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.inputs import as_options, file_of, guide_of
from untaught.pipeline.tasks.output_image import framed, measurement
from untaught.problem import tensor
from untaught.results.restoration import Result


def restore(y: Picture | Tensor, operator: object = None, **wishes: Unpack[Wishes]) -> Result:
    """Restore the picture that was measured through any operator.

        y = A(x) + n; the answer estimates x.

    Parameters
    ----------
    y : path, Image, ndarray or Tensor
        The measurement. A picture, where it looks like one: (H, W), (H, W, C) or a stack, the planes of which are
        restored one by one. A tensor is taken as the operator gives it, with a leading 1 and any shape.
    operator : object
        One of `untaught.operators`, any object with `A` and `A_adjoint` (deepinv's physics are), or a function
        of pictures (1, C, H, W), see `untaught.operators.Function`. None: the picture itself was measured.
    **wishes
        See `Wishes`.

    Returns
    -------
    Result
        `image` has the type of `y`; a tensor gives float32, (H, W) or (H, W, C).

    Raises
    ------
    InputError
        If the measurement, the operator or an option cannot be used, or the two do not fit.

    Notes
    -----
    An operator acts on pictures of the value range [0, 1]. Where it keeps grey levels (A(1) = 1, as means of
    pixels do), `y` is scaled by its value range as in `denoise`; otherwise whole numbers are divided by the
    greatest value of their type, and floats are taken as they are.

    There is an estimate of the PSNR only for missing pixels that are like those around them, see
    `untaught.risk.cross_validation`: in general an operator does not see all of a picture, and what it predicts
    well may still be wrong. Where a network is fitted, a note says how well it predicts measurements that it has
    not seen.

    Examples
    --------
    Feature inversion and activation maximisation are the same loop with a network as the operator, which is then
    no linear one: stopping goes by the variance of the pictures.

    >>> from untaught.operators import Function
    >>> A = Function(network, picture=(1, 64, 64))  # its weights frozen
    >>> untaught.restore(network(x), operator=A)  # the picture behind features; a tensor in
    >>> unit = Function(lambda x: network(x)[:, :1].mean((2, 3)), picture=(1, 64, 64))
    >>> untaught.restore(torch.full((1, 1), 5.0), operator=unit)  # a picture that excites the first channel
    """
    task = Task("restore", Identity(), {}) if operator is None else Task("restore", as_operator(operator))
    return run_task(y, task, **wishes)


def run_task(y: Picture | Tensor, task: Task, **wishes: Unpack[Wishes]) -> Result:
    """Do a task; see `restore`."""
    started = time.monotonic()
    unknown = set(wishes) - set(Wishes.__annotations__)
    if unknown:
        raise TypeError(f"{task.name}() got an unexpected keyword argument {min(unknown)!r}")
    request = request_of(wishes)
    checked(request.method, task)
    guide = wishes.get("guide")
    if isinstance(y, Tensor):
        return of_tensor(y, task, guide, request, started)
    picture = as_image(y)
    return of_picture(picture, task, guide, [request] * picture.n_planes, request, started)


def restoring(picture: Image) -> Task:
    """Return the task of `untaught.restore` without an operator: the picture itself was measured."""
    return Task("restore", Identity(), as_options({}))


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
    operands = None if task.given is None else as_options({**task.given, "guide": file_of(guide)})
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
