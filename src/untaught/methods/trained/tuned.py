"""A network that was trained on a folder of noisy pictures, fitted on to one picture."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.method import Needs, State
from untaught.methods.self_supervised.learner import Batch, Learner
from untaught.methods.self_supervised.single_image import OnePicture, started
from untaught.methods.trained.trained import Trained, check_channels
from untaught.problem import Problem


@dataclass(frozen=True)
class Tuned(OnePicture):
    """A warm start: the weights of a trained model, fitted on to random crops of the one picture.

        theta_0 = the model's weights;   min over theta of E_crops objective(f_theta, crops)

    with the objective and the readout of the learner that the model was trained by.

    Attributes
    ----------
    model : str
        Path of the file that `untaught train` wrote.
    sha256 : str
        Its hash; found out if it is empty.
    steps, rate : int, float
        Fewer and smaller than from a cold start: the weights are near to where they should be.
    """

    steps: int = 400
    rate: float = 0.0003
    model: str = ""
    sha256: str = ""
    name: ClassVar[str] = "tuned"
    needs: ClassVar[Needs] = Needs()

    def __post_init__(self) -> None:
        """Find out the hash of the file, if there is one by now."""
        object.__setattr__(self, "sha256", Trained(self.model, self.sha256).sha256)

    @property
    def learner(self) -> Learner:
        """What the model was trained by."""
        return Trained(self.model, self.sha256).loaded().learner

    def init(self, problem: Problem, seed: int) -> State:
        """Take the weights of the model; what is drawn later is drawn from `seed`.

        Raises
        ------
        InputError
            If there is no model, or it is for pictures of other channels.
        """
        if not self.model:
            raise InputError("tuned needs a model that 'untaught train' wrote; write tuned:MODEL.safetensors")
        model = Trained(self.model, self.sha256).loaded(str(problem.y.device))
        check_channels(model, problem.y.shape[1], self.model)
        if model.header.neighbours:
            raise InputError(
                f"{self.model} was trained with neighbours, and is fitted on to one plane alone; give one without"
            )
        return started(copy.deepcopy(model.network).requires_grad_(True), problem, seed, self.rate)

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """See `learner.Learner`."""
        return self.learner.objective(network, batch, generator)

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """See `learner.Learner`."""
        return self.learner.answer(network, batch, generator)

    def preview(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """See `OnePicture`."""
        own = self.learner
        if isinstance(own, OnePicture):
            return own.preview(network, batch, generator)
        return own.answer(network, batch, generator)[0]

    def upright(self, batch: Batch) -> bool:
        """See `OnePicture`."""
        own = self.learner
        return own.upright(batch) if isinstance(own, OnePicture) else super().upright(batch)


def tuned(model: str, settings: Mapping[str, Any] | None) -> Tuned:
    """Return what 'tuned:MODEL.safetensors' stands for; without a model, see `Tuned.init`."""
    return Tuned(**(settings or {"model": model}))
