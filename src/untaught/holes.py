"""Holes too wide for similar patches: what fills them, and what must be said of that."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from untaught.method import Method
from untaught.methods.inpainting.exemplar import DEEP, Exemplar, wide_holes
from untaught.methods.inpainting.fill import Fill
from untaught.methods.networks.codes import Code
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.untrained.dip import DIP
from untaught.problem import Problem

INVENTED = (
    "what is in wide holes was copied from around them: it looks likely, but it is invented, and there is no "
    "estimate of its error"
)


def for_holes() -> DIP:
    """Return the network that draws what is in wide holes.

    Without skips and with a slow code it cannot repeat at the bottom of a hole what it has learned of fine texture
    elsewhere. In holes of 32 x 28 pixels in four crops of Kodak pictures this is worth 2.7 dB.
    """
    shape = HourglassShape(width=48, depth=5, skip=0)
    return replace(DIP.reconstruction(), shape=shape, code=Code(random=0, octaves=3))


def apart_from(first: Method | None, problem: Problem) -> Tensor | None:
    """Return the holes that are too wide for a first method, (1, 1, H, W), or None where there are none."""
    if not isinstance(first, Fill | Exemplar):
        return None
    wide = wide_holes(problem.mask, DEEP)
    if isinstance(first, Exemplar):
        wide = wide - first.suited(problem)
    return wide if bool(wide.any()) else None


def invented(methods: tuple[str | None, ...], problem: Problem) -> bool:
    """Say whether what is in wide holes was copied there by one of the methods that made the picture."""
    return Exemplar.name in methods and bool(wide_holes(problem.mask, DEEP).any())
