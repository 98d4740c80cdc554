"""The nearest picture that explains what was measured without noise."""

from __future__ import annotations

import torch
from torch import Tensor

from untaught.methods.untrained.pixels import ROUNDING
from untaught.problem import Problem

MOST_STEPS = 20  # of conjugate gradients


def consistent(problem: Problem, x: Tensor) -> Tensor:
    """Return the picture nearest to `x` whose measurement is `y`, for measurements without noise.

        x + A* m (m A A* m)^-1 m (y - A x)

    by conjugate gradients, until the misfit is what rounding to 8 bits leaves. A kept pixel becomes what was
    measured; where a blur has lost something, the misfit is small before noise is made of it. Operators without
    an adjoint leave `x` as it is.

    Parameters
    ----------
    problem : Problem
        `mask` is 1 where something was measured.
    x : Tensor
        Picture, (1, C, H, W).
    """
    operator, mask = problem.operator, problem.mask
    if operator is None:
        return torch.where(mask.bool(), problem.y, x)
    if not (operator.linear and operator.adjoint):
        return x
    enough = ROUNDING**2 * float(mask.expand_as(problem.y).sum())
    rest = mask * (problem.y - operator.A(x))
    solution, direction = torch.zeros_like(rest), rest.clone()
    square = float(rest.square().sum())
    for _ in range(MOST_STEPS):
        if square <= enough:
            break
        image = mask * operator.A(operator.A_adjoint(direction))
        curvature = float((direction * image).sum())
        if curvature <= 0:
            break
        step = square / curvature
        solution, rest = solution + step * direction, rest - step * image
        before, square = square, float(rest.square().sum())
        direction = rest + square / before * direction
    return x + operator.A_adjoint(mask * solution)
