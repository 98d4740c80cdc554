"""A quick look at what denoising would take out of a picture, on a piece of it."""

from __future__ import annotations

import torch

from untaught.image.plane import Plane
from untaught.methods.non_local.multiscale import MultiScale
from untaught.noise import NoiseModel
from untaught.problem import Problem, array, tensor
from untaught.results.display import Pair

MOST_SIDE = 256  # pixels of the piece, from the middle


def pilot_of(plane: Plane, noise: NoiseModel) -> Pair | None:
    """Return the middle of a plane before and after the non-local method; None where there is no noise."""
    if noise.leaves_clean:
        return None
    top, left = (max(0, side - MOST_SIDE) // 2 for side in plane.missing.shape)
    here = slice(top, top + MOST_SIDE), slice(left, left + MOST_SIDE)
    before, missing = plane.values[here], plane.missing[here]
    y = tensor(before)
    mask = torch.from_numpy(~missing).float()[None, None].expand_as(y)
    answer = MultiScale().solve(Problem(y, mask, noise)).image
    return Pair("", before, array(answer), missing, plane.index)
