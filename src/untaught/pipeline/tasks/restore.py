"""The picture behind a measurement through any operator."""

from __future__ import annotations

from typing import Unpack

from torch import Tensor

from untaught.image.image import Image
from untaught.operators import Identity, as_operator
from untaught.pipeline.options import Picture
from untaught.pipeline.request import TaskOptions
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.inputs import as_options
from untaught.pipeline.tasks.run import run_task
from untaught.results.result import Result


def restore(y: Picture | Tensor, operator: object = None, **options: Unpack[TaskOptions]) -> Result:
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
    **options
        See `TaskOptions`.

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

    >>> import torch, untaught
    >>> from untaught.methods import make
    >>> from untaught.operators import Function
    >>> network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU()).requires_grad_(False)
    >>> A = Function(network, picture=(1, 24, 24))
    >>> features = network(torch.rand(1, 1, 24, 24))
    >>> found = untaught.restore(features, operator=A, method="dip", time_limit=0.3)  # the picture behind features
    >>> found.image.shape
    (24, 24)
    >>> unit = Function(lambda x: network(x)[:, :1].mean((2, 3)), picture=(1, 24, 24))
    >>> found = untaught.restore(torch.full((1, 1), 5.0), operator=unit, method="dip", time_limit=0.3)
    >>> found.image.shape  # a picture that excites the first channel
    (24, 24)
    """
    task = Task("restore", Identity(), {}) if operator is None else Task("restore", as_operator(operator))
    return run_task(y, task, **options)


def restoring(picture: Image) -> Task:
    """Return the task of `untaught.restore` without an operator: the picture itself was measured."""
    return Task("restore", Identity(), as_options({}))
