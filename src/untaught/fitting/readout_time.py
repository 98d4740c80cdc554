"""How long it takes to read the answer out of a fit, which has to fit into the time limit with the steps."""

from __future__ import annotations

import time
from contextlib import suppress

import torch

from untaught.errors import InputError
from untaught.method import Iterative
from untaught.problem import Problem, part_of

SIDE = 128  # pixels of the part that tells it
LEAST = 4 * SIDE**2  # pixels below which a readout is quick
READOUTS = 2  # the second for the error


def told_readout(method: Iterative, problem: Problem, seed: int) -> float:
    """Return about how many seconds the answer of a fit and its error take, by those of one to a small part.

    0 where the picture is small, and where a part of it is none, as behind an operator.
    """
    pixels = problem.y[0, 0].numel() if problem.y.ndim == 4 else 0
    if problem.operator is not None or pixels <= LEAST or min(problem.y.shape[2:]) < SIDE:
        return 0.0
    whole = slice(None)
    part = part_of(problem, (whole, whole, slice(0, SIDE), slice(0, SIDE)))
    with suppress(InputError):
        state = method.init(part, seed)
        method.loss(part, state, 0)  # some read out what the last step has drawn
        started = time.monotonic()
        with torch.no_grad():
            method.readout(part, state)
        return READOUTS * (time.monotonic() - started) * pixels / SIDE**2
    return 0.0
