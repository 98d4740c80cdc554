"""What a method is: a network, an objective and a readout, or one closed formula.

`fit.py` knows methods only by the two protocols of this page. An `Iterative` method never loops over
optimiser steps itself; a `ClosedForm` method has no steps and answers at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from untaught.noise import NoiseModel

if TYPE_CHECKING:
    from untaught.risk import Response

Guide = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Problem:
    """One plane to be restored: `y = mask * x + n`, values scaled so that the picture's range is [0, 1].

    Attributes
    ----------
    y : Tensor
        Degraded plane, float32, shape (1, C, H, W), on the device to work on. Finite everywhere; missing
        pixels hold a plausible filling that no objective may look at.
    mask : Tensor
        float32, shape (1, 1, H, W): 1 where the pixel was measured, 0 where it is missing.
    noise : NoiseModel
        What is known or was estimated about `n`, in the same [0, 1] units.
    pilot : Tensor or None
        An earlier estimate of E[y|x], same shape as `y`, for the methods that can be guided by one.
    guide : callable or None
        Makes such an estimate of another observation, from it and the variance of its noise.
    """

    y: Tensor
    mask: Tensor
    noise: NoiseModel
    pilot: Tensor | None = None
    guide: Guide | None = None

    @property
    def complete(self) -> bool:
        """Whether no pixel is missing."""
        return bool((self.mask > 0).all())

    def with_y(self, y: Tensor) -> Problem:
        """Return the same problem with another observation; a pilot made from the old one goes."""
        return replace(self, y=y, pilot=None)


@dataclass(frozen=True)
class Needs:
    """What has to hold for a method to be right; `restore` checks it against the picture.

    Attributes
    ----------
    level : bool
        Needs a noise level (given, or estimated with success).
    white : bool
        Needs noise that is independent between pixels.
    complete : bool
        Cannot work around missing pixels itself (they are filled in before, and the result says so).
    kinds : tuple of str
        Noise kinds (`NoiseModel.kind`) it is right for; empty means any.
    """

    level: bool = False
    white: bool = False
    complete: bool = False
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """What a method answers: `image` (1, C, H, W) in [0, 1] units, detached; `std` alike, or None.

    `function` is the fitted map from an observation (1, C, H, W) to such an image, where there is one: what a
    divergence can be measured on; `responses` are what it was measured from, where the method did so itself.
    `guide` is the same map for any observation and variance map, quick enough to make pilots with.
    """

    image: Tensor
    std: Tensor | None = None
    function: Callable[[Tensor], Tensor] | None = None
    guide: Guide | None = None
    responses: tuple[Response, ...] = ()


@dataclass
class State:
    """All that changes during a fit, and all that a checkpoint holds."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def state_dict(self) -> dict[str, Any]:
        """Return tensors only, cloned, so that later steps do not change it."""
        return {
            "network": _cloned(self.network.state_dict()),
            "optimizer": _cloned(self.optimizer.state_dict()),
            "generator": self.generator.get_state(),
            "tensors": _cloned(self.tensors),
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go back to what `state_dict` returned."""
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(_cloned(saved["optimizer"]))
        self.generator.set_state(saved["generator"])
        self.tensors = _cloned(saved["tensors"])


def _cloned(tree: Any) -> Any:
    if isinstance(tree, Tensor):
        return tree.detach().clone()
    if isinstance(tree, dict):
        return {key: _cloned(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_cloned(value) for value in tree)
    return tree


@runtime_checkable
class ClosedForm(Protocol):
    """A method without a fit: NLM, TV, wavelets, the non-local ridge."""

    name: ClassVar[str]
    needs: ClassVar[Needs]

    def solve(self, problem: Problem, seed: int) -> Estimate:
        """Return the answer for `problem`; same seed, same answer."""
        ...


@runtime_checkable
class Iterative(Protocol):
    """A method that fits a network, one optimiser step at a time, driven by `fit.fit`."""

    name: ClassVar[str]
    needs: ClassVar[Needs]

    @property
    def steps(self) -> int:
        """How many steps the loop may take at most."""
        ...

    def init(self, problem: Problem, seed: int) -> State:
        """Build network, code and optimiser; draws only from `seed`."""
        ...

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the scalar objective of this step."""
        ...

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return the picture as it stands, detached, for rules and previews; should be cheap."""
        ...

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the answer as the network stands now."""
        ...
