"""How wrong the pixels are that were filled in: measured ones are withheld, filled in too, and compared."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.operators.filters import filled
from untaught.problem import Problem
from untaught.risk.estimate import Risk, sample_mean
from untaught.risk.sure import STREAM, Terms

SPARSE = 0.2  # share of missing pixels up to which as many can be withheld, of the same shape
SHARE = 0.05  # of the measured pixels that is withheld where more are missing
ENOUGH = 1500  # pixels to judge by
MOST_DRAWS = 8
ALIKE = 1.25  # missing pixels this much farther from kept ones than withheld ones are not judged by those
MOST_ERROR = 0.55  # of the error itself: with more, an interval of squares would reach down to no error at all
BLOCK = 16  # pixels: errors farther apart than this are taken for independent


def risk_of_filling(
    fill: Callable[[Problem], Tensor], problem: Problem, seed: int, draws: int = MOST_DRAWS
) -> Risk | None:
    """Return the mean squared error over all pixels of what a method fills in, where measurements have no noise.

        (share missing) (1/|H|) sum_{i in H} (f_i - y_i)^2,   f made without the pixels of H

    H has the shape of what is missing, moved, where that is little; else it is a random part of what was measured.
    What was measured has no error. A little pessimistic: f lacks more pixels than the answer does.

    Parameters
    ----------
    fill : callable
        Fills in what is missing from a problem.
    problem : Problem
        Without an operator, some pixels missing.
    seed : int
        Draws H.
    draws : int
        How often it may be run, on small pictures.

    Returns
    -------
    Risk or None
        None where nothing that can be withheld is like what is missing, as with a wide hole.
    """
    generator = torch.Generator().manual_seed((seed + 1) * STREAM % 2**62)
    squares, counts, used = torch.zeros_like(problem.y), torch.zeros_like(problem.y), 0.0
    for _ in range(draws):
        held = _drawn(problem.mask, generator)
        left = problem.mask - held
        if not (bool(held.any()) and bool(left.any()) and _alike(problem.mask, left)):
            return None
        error = (fill(_only(problem, left)) - problem.y).square() * held
        squares, counts = squares + error, counts + held.expand_as(counts)
        used += float(held.sum())
        if used >= ENOUGH:
            break
    return _scaled(squares, counts, problem.mask)


def risk_at(terms: Terms | None, mask: Tensor) -> Risk | None:
    """Return the same from what a stopping rule has kept back; None where that is not like what is missing."""
    if terms is None or not _alike(mask, mask * (1 - terms.valid)):
        return None
    return _scaled(terms.sure * terms.valid, terms.valid.expand_as(terms.sure), mask)


def _only(problem: Problem, mask: Tensor) -> Problem:
    """Return the problem of which only `mask` was measured."""
    return Problem(filled(problem.y, mask), mask, problem.noise)


def _drawn(mask: Tensor, generator: torch.Generator) -> Tensor:
    """Return what to withhold: 1 or 0, of the shape of the mask, only where something was measured."""
    height, width = mask.shape[-2:]
    if 1 - float(mask.mean()) > SPARSE:
        return mask * (torch.rand(mask.shape, generator=generator).to(mask.device) < SHARE)
    by = [int(torch.randint(1, size, (), generator=generator)) for size in (height, width)]
    return mask * (1 - mask).roll(by, (-2, -1))


def _scaled(sums: Tensor, counts: Tensor, mask: Tensor) -> Risk:
    """Return the error over all pixels from that of withheld ones, and how far the true one may be from it.

    Both are means over a sample, of which withheld and missing pixels are one each; errors in a block are alike.
    """
    found, total = sample_mean(sums, counts, BLOCK), float(counts.sum())
    missing = float((1 - mask).expand_as(counts).sum())
    share, value = missing / counts.numel(), max(found.value, 0.0)
    return Risk(share * value, share * min(found.error * math.sqrt(1 + total / missing), MOST_ERROR * value))


def _alike(mask: Tensor, left: Tensor) -> bool:
    """Say whether missing pixels are about as near to kept ones as withheld ones are to those that were left."""
    missing, gone = ((m == 0).any(1)[0].cpu().numpy() for m in (mask, left))
    held = gone & ~missing
    if not (held.any() and missing.any()) or gone.all():
        return False
    return _distance(missing, missing) <= ALIKE * _distance(gone, held)


def _distance(gone: NDArray[np.bool_], where: NDArray[np.bool_]) -> float:
    """Return the mean distance from the pixels `where` to the nearest that is not gone."""
    from scipy.ndimage import distance_transform_edt

    return float(distance_transform_edt(gone)[where].mean())
