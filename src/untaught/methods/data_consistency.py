"""The nearest picture that explains what was measured without noise."""

from __future__ import annotations

import torch
from torch import Tensor

from untaught.methods.untrained.pixels import ROUNDING
from untaught.problem import Problem

MOST_STEPS = 20  # of conjugate gradients
# Of the energy of the misfit, what a step may leave: of noise that no blur can have made, none takes off much.
LEAVES = 0.5


def consistent(problem: Problem, x: Tensor) -> Tensor:
    """Return the picture nearest to `x` whose measurement is `y`, for measurements without noise.

        x + A* m (m A A* m)^-1 m (y - A x)

    by conjugate gradients, until the misfit is what rounding to 8 bits leaves, or a step leaves more than `LEAVES`
    of it. A kept pixel becomes what was measured; what a blur has lost is left to `x`, for the misfit is there
    what was rounded, or what the blur was not quite like, and would be made many times as large. Operators without
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
        left = rest - step * image
        before, square = square, float(left.square().sum())
        if square > LEAVES * before:
            break
        solution, rest = solution + step * direction, left
        direction = rest + square / before * direction
    return x + operator.A_adjoint(mask * solution)
