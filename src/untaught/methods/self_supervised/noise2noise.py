"""Noise2Noise with true pairs, and the two that make a pair by sub-sampling one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.method import Needs, State
from untaught.methods.self_supervised.learner import Batch, Norm, deviation
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.problem import Problem


@dataclass(frozen=True)
class Noise2Noise(OnePicture):
    """Noise2Noise, for two observations y, y' of the same picture with noise of their own.

        min over theta of E || f_theta(y) - y' ||^2 = E || f_theta(y) - x ||^2 + variance of y'
        answer: (f_theta(y) + f_theta(y')) / 2, or f_theta(y) where there is no second observation of a picture.

    Attributes
    ----------
    norm : str
        'l2'; 'l1' learns medians, for noise with outliers such as text (section 3.3 of the paper).

    References
    ----------
    Lehtinen, Munkberg, Hasselgren, Laine, Karras, Aittala, Aila, "Noise2Noise: Learning Image Restoration without
    Clean Data", ICML 2018.
    """

    norm: Norm = "l2"
    name: ClassVar[str] = "n2n"
    needs: ClassVar[Needs] = Needs(complete=True, pairs=True)

    def init(self, problem: Problem, seed: int) -> State:
        """Refuse: a problem is one picture."""
        raise InputError(
            "n2n needs two observations of the same picture, and here is one; train it on pairs of files or on a "
            "stack, or choose neighbor2neighbor or zs-n2n, which make a pair of one picture"
        )

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of (f(y) - y')^2, either of the two being y."""
        if batch.second is None:
            raise InputError("n2n needs a second observation of every picture it learns from, and there is none")
        pair = (batch.y, batch.second)
        first = int(torch.randint(2, (1,), generator=generator))
        return deviation(network(pair[first]), pair[1 - first], batch.mask, self.norm)

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return the mean of what is made of each observation."""
        first: Tensor = network(batch.y).detach()
        return first if batch.second is None else (first + network(batch.second).detach()) / 2, None
