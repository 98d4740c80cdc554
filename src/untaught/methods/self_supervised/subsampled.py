"""Any learner on every n-th pixel, where noise that neighbours share has become independent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from untaught.errors import InputError, did_you_mean
from untaught.method import Needs, State
from untaught.methods.self_supervised.learner import Batch
from untaught.methods.self_supervised.learners import OF_ONE_PICTURE, learner
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.noise import NoiseModel
from untaught.problem import Problem

LEAST = 8  # pixels of a side of what a network learns from


@dataclass(frozen=True)
class Subsampled(OnePicture):
    """Sub-sampling by the correlation length.

        y_k = every n-th row and column of y, from the k-th of n^2 places on
        min over theta of E_k objective(f_theta, y_k);   answer: the answers for all y_k, put together again

    If noise is shared by pixels less than n apart only, that of y_k is independent between pixels, which blind
    spots and their relatives need. The price is detail: y_k is aliased, and its noise of low frequency stays.

    Attributes
    ----------
    learner : str
        What learns from every y_k: 'n2v' and so on.
    factor : int
        n.

    References
    ----------
    Zhou, Jiao, Huang, Wang, Wang, Shi, Huang, "When AWGN-based Denoiser Meets Real Noises", AAAI 2020; Lee, Son,
    Lee, "AP-BSN: Self-Supervised Denoising for Real-World Images via Asymmetric PD and Blind-Spot Network",
    CVPR 2022.
    """

    learner: str = "n2v"
    factor: int = 2
    name: ClassVar[str] = "subsampled"
    needs: ClassVar[Needs] = Needs(complete=True, bounded=True)

    def __post_init__(self) -> None:
        """Refuse what is no learner for one picture, and what is no factor; take its name."""
        if self.learner not in OF_ONE_PICTURE:
            hint = did_you_mean(self.learner, OF_ONE_PICTURE)
            raise InputError(f"{self.learner!r} has no version for every n-th pixel; {hint}n2v:2 is one")
        if self.factor < 2:
            raise InputError(f"{self.learner}:{self.factor} is no sub-sampling; the number is 2 or more")
        object.__setattr__(self, "name", f"{self.learner}:{self.factor}")  # what results and recipes call it

    @classmethod
    def of(cls, learner: str, factor: str) -> Subsampled:
        """Return what 'n2v:2' stands for, with one crop a step, which is many when it is taken apart.

        Raises
        ------
        InputError
            If there is no such learner, or the factor is less than 2.
        """
        return cls(crop=cls.crop * int(factor), batch=1, learner=learner, factor=int(factor))

    @property
    def inner(self) -> OnePicture:
        """The learner, with the network that is set here."""
        return cast(OnePicture, learner(self.learner, {"shape": self.shape}))

    def init(self, problem: Problem, seed: int) -> State:
        """See `OnePicture`.

        Raises
        ------
        InputError
            If the noise is shared over more pixels than are skipped, or too few pixels would be left.
        """
        reach = max(problem.noise.reach)
        if reach >= self.factor:
            raise InputError(
                f"{self.learner}:{self.factor} needs noise that pixels {self.factor} apart do not share, and here "
                f"it is shared over {reach}; take {self.learner}:{reach + 1}"
            )
        if min(problem.y.shape[-2:]) < LEAST * self.factor:
            raise InputError(
                f"the picture is too small for {self.learner}:{self.factor}: every side needs at least "
                f"{LEAST * self.factor} pixels"
            )
        return super().init(problem, seed)

    def build(self, channels: int) -> nn.Module:
        """See `OnePicture`."""
        return self.inner.build(channels)

    def upright(self, batch: Batch) -> bool:
        """See `OnePicture`: what is left of the noise has no direction."""
        return False

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """See `learner.Learner`."""
        return self.inner.objective(network, self.apart(batch), generator)

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """See `learner.Learner`."""
        image, std = self.inner.answer(network, self.apart(batch), generator)
        return self.together(image, batch), None if std is None else self.together(std, batch)

    def preview(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """See `OnePicture`."""
        return self.together(self.inner.preview(network, self.apart(batch), generator), batch)

    def apart(self, batch: Batch) -> Batch:
        """Return the sub-sampled pictures, n^2 for each, sides that n does not divide filled up as missing."""
        height, width = batch.y.shape[-2:]
        more = (0, -width % self.factor, 0, -height % self.factor)
        y = _phases(F.pad(batch.y, more, mode="replicate"), self.factor)
        mask = _phases(F.pad(batch.mask, more), self.factor)
        laws = tuple(law for noise in batch.noises for law in _laws(noise, self.factor))
        return Batch(y, laws, mask)

    def together(self, pictures: Tensor, batch: Batch) -> Tensor:
        """Undo `apart`: (B n^2, C, h, w) to the shape of `batch.y`."""
        count, channels, rows, columns = pictures.shape
        places = self.factor**2
        layers = pictures.view(count // places, places, channels, rows, columns).transpose(1, 2)
        whole = F.pixel_shuffle(layers.reshape(count // places, -1, rows, columns), self.factor)
        return whole[..., : batch.y.shape[-2], : batch.y.shape[-1]]


def _laws(noise: NoiseModel, factor: int) -> list[NoiseModel]:
    """Return the law of every sub-sampled picture, in the order of `_phases`."""
    law, levels = noise.subsampled(), noise.pixel_levels
    if levels is None:
        return [law] * factor**2
    height, width = levels.shape
    levels = np.pad(levels, ((0, -height % factor), (0, -width % factor)), mode="edge")
    return [law.with_pixel_levels(levels[i::factor, j::factor]) for i in range(factor) for j in range(factor)]


def _phases(picture: Tensor, factor: int) -> Tensor:
    """Return (B, C, H, W) as (B n^2, C, H / n, W / n)."""
    count, channels = picture.shape[:2]
    layers = F.pixel_unshuffle(picture, factor)
    rows, columns = layers.shape[-2:]
    places = layers.view(count, channels, factor**2, rows, columns).transpose(1, 2)
    return places.reshape(-1, channels, rows, columns)
