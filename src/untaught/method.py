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

from untaught.methods.networks.cuda_graphs import Recorded
from untaught.noise import NoiseModel

if TYPE_CHECKING:
    from untaught.operators import Operator
    from untaught.risk.sure import Response

Guide = Callable[[Tensor, Tensor], Tensor]
Learnt = dict[str, Any]  # see `State.learnt`


@dataclass(frozen=True)
class Problem:
    """What is to be restored: `y = mask * A(x) + n`, values scaled so that the picture's range is [0, 1].

    A task is an operator A, nothing else; without one the picture itself was measured.

    Attributes
    ----------
    y : Tensor
        Measurement, float32, on the device to work on: a degraded plane (1, C, H, W) where there is no
        operator, else whatever the operator returns, with a leading 1. Finite everywhere; where `mask` is 0 it
        holds a plausible filling that no objective may look at.
    mask : Tensor
        float32, 1 where there is a measurement and 0 where it is missing; (1, 1, H, W), or of any shape that
        broadcasts to that of `y`.
    noise : NoiseModel
        What is known or was estimated about `n`, in the same [0, 1] units.
    pilot : Tensor or None
        An earlier estimate of E[A(x)|x] without an operator, of x with one; for the methods that can be guided
        by one.
    guide : callable or None
        Makes such an estimate of another observation, from it and the variance of its noise.
    remake : callable or None
        Makes the pilot of a problem like this one, of which a part is kept back.
    operator : Operator or None
        A, from pictures (1, C, H, W) to measurements; None for the identity.
    hint : Tensor or None
        Another picture of the same scene, (1, any, H, W), of the size of the picture: a code to draw from.
    before : dict or None
        What a fit to the plane before, of the same stack, has learnt: where to begin.
    """

    y: Tensor
    mask: Tensor
    noise: NoiseModel
    pilot: Tensor | None = None
    guide: Guide | None = None
    remake: Callable[[Problem], Tensor] | None = None
    operator: Operator | None = None
    hint: Tensor | None = None
    before: Learnt | None = None

    @property
    def complete(self) -> bool:
        """Whether no measurement is missing."""
        return bool((self.mask > 0).all())

    @property
    def picture_shape(self) -> tuple[int, ...]:
        """(1, C, H, W) of the picture, which is larger than `y` where that is a small or partial view of it."""
        return tuple(self.y.shape) if self.operator is None else self.operator.picture_shape(self.y.shape)

    def measured(self, x: Tensor) -> Tensor:
        """Return A(x), what would be measured of the picture `x` without noise."""
        return x if self.operator is None else self.operator.A(x)

    def initial(self) -> Tensor:
        """Return a cheap picture to start from: the pilot, or what the operator makes of `y`."""
        if self.pilot is not None:
            return self.pilot
        return self.y if self.operator is None else self.operator.initial(self.y)

    def misfit(self, x: Tensor) -> Tensor:
        """Return the mean of mask (A(x) - y)^2 over what was measured; differentiable."""
        squared = (self.measured(x) - self.y).square() * self.mask
        return squared.sum() / self.mask.expand_as(self.y).sum()

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
    identity : bool
        Needs the picture itself to be measured; without this it works with any operator.
    kinds : tuple of str
        Noise kinds (`NoiseModel.kind`) it is right for; empty means any.
    """

    level: bool = False
    white: bool = False
    complete: bool = False
    identity: bool = True
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """What a method answers: `image`, the picture, (1, C, H, W) in [0, 1] units, detached; `std` alike, or None.

    `function` is the fitted map from an observation (1, C, H, W) to such an image, where there is one: what a
    divergence can be measured on; `responses` are what it was measured from, where the method did so itself.
    `guide` is the same map for any observation and variance map, quick enough to make pilots with. `learnt` is
    what a fit to the next plane of a stack can begin with.
    """

    image: Tensor
    std: Tensor | None = None
    function: Callable[[Tensor], Tensor] | None = None
    guide: Guide | None = None
    responses: tuple[Response, ...] = ()
    learnt: Learnt | None = None


@dataclass
class State:
    """All that changes during a fit, and all that a checkpoint holds.

    `passes` are the network, or its parts, as `loss` calls them; they share its weights and hold nothing else.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    tensors: dict[str, Tensor] = field(default_factory=dict)
    passes: tuple[Recorded, ...] = ()

    def state_dict(self) -> dict[str, Any]:
        """Return tensors only, cloned, so that later steps do not change it."""
        return {**self.learnt(), "generator": self.generator.get_state(), "tensors": _cloned(self.tensors)}

    def learnt(self) -> Learnt:
        """Return what another fit of the same shape can begin with: weights, and the optimiser's averages."""
        return {name: _cloned(getattr(self, name).state_dict()) for name in ("network", "optimizer")}

    def begin_with(self, learnt: Learnt | None) -> None:
        """Take up what another fit has learnt, if its network was of the same shape."""
        if learnt is not None and _shapes(learnt["network"]) == _shapes(self.network.state_dict()):
            self._take_up(learnt)

    def _take_up(self, learnt: Learnt) -> None:
        self.network.load_state_dict(learnt["network"])
        self.optimizer.load_state_dict(_cloned(learnt["optimizer"]))

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go back to what `state_dict` returned."""
        self._take_up(saved)
        self.generator.set_state(saved["generator"].cpu())  # where a checkpoint may have been read to
        self.tensors = _cloned(saved["tensors"])


def _shapes(saved: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in saved.items()}


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
