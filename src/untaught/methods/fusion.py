"""Fusion: several methods' pictures of the same plane, mixed so that the estimated error is least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from untaught.method import ClosedForm, Iterative, Needs, Runs
from untaught.methods.non_local.dct_pyramid import bands
from untaught.risk.sure_let import Part, differences, mixed, weights

EDGES = (1 / 4, 1.01)  # of the frequency bands that are weighted apart


@dataclass(frozen=True)
class Fusion:
    """Mixture of methods.

        f = f_0 + sum_{a, b} c_ab band_b(f_a - f_0),   c the weights of least risk by Stein's formula (`sure_let`)

    A network's prior and similar patches err differently, so that a mixture beats both even where one of them is
    the better one everywhere. Every candidate a keeps its own probe of the noise: the divergence of a formula, the
    recorruption that a fit was stopped by. The weights see nothing but these.

    Attributes
    ----------
    parts : tuple of str or method
        The methods to mix, by name or set up; the first is f_0.

    References
    ----------
    Blu and Luisier, "The SURE-LET approach to image denoising", IEEE Transactions on Image Processing 2007, for
    the weights; Pang et al., "Recorrupted-to-Recorrupted", CVPR 2021, for the probes of a fit.
    """

    parts: tuple[str | Iterative | ClosedForm, ...] = ("nonlocal", "dip", "r2r")
    runs: ClassVar[Runs] = Runs(tweedie=(0.2, 1.0))
    name: ClassVar[str] = "fusion"
    needs: ClassVar[Needs] = Needs(level=True)


def fuse(parts: Sequence[Part], y: Tensor, mask: Tensor) -> Part:
    """Return the mixture of `parts`, (1, C, H, W) each, of least estimated risk where `mask` is 1."""
    base, *others = parts
    found = [piece for other in others for piece in differences(other, base, lambda x: bands(x, EDGES))]
    return mixed(base, found, weights(base, found, y, mask))
