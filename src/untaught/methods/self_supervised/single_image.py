"""Any learner on one picture: a small network fitted to random crops of the noisy picture itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.method import Helping, Iterative, Needs, Runs, State
from untaught.methods.averaging import average_weights, averaged_weights, mean_weights
from untaught.methods.in_series import Planes
from untaught.methods.networks.denoisers import restorer
from untaught.methods.networks.dncnn import DnCNNShape
from untaught.methods.networks.unet import UNetShape
from untaught.methods.seeded import seeded
from untaught.methods.self_supervised.centred import Centred
from untaught.methods.self_supervised.crops import Cut, cropped, joined
from untaught.methods.self_supervised.learner import BETAS, Batch, directed
from untaught.methods.self_supervised.neighbours import places_around, with_context
from untaught.methods.self_supervised.over_planes import OverPlanes, SharedNetwork
from untaught.problem import Estimate, Problem, made_whole


@dataclass(frozen=True)
class OnePicture:
    """Fit a network to random crops of one picture, flipped and turned, with Adam and averaged weights.

        min over theta of E_crops objective(f_theta, crops);   answer(f_theta', picture),

    theta' the exponential average of theta. What is learned from is a method's own: see `learner.Learner`.

    Attributes
    ----------
    steps : int
        Most steps taken.
    crop, batch : int
        Side of the training crops, and how many there are in a step.
    rate, decay : float
        Adam's learning rate, and the decay of the weights' average.
    shape : UNetShape or str
        The network; or the name of one, see `networks.denoisers.restorer`.
    bfloat16 : bool
        Whether convolutions run in bfloat16 autocast.
    neighbours : int
        Planes on each side of one that a network sees with it where it is fitted to a series, see `over_planes`.
    """

    steps: int = 1500
    crop: int = 64
    batch: int = 4
    rate: float = 0.003
    decay: float = 0.99
    shape: UNetShape | DnCNNShape | str = field(default_factory=lambda: UNetShape(width=32, scales=3))
    bfloat16: bool = True
    neighbours: int = 3
    residual: ClassVar[bool] = (
        False  # one that adds to its input begins with the noise, and on one picture keeps it
    )
    name: ClassVar[str]
    needs: ClassVar[Needs]
    runs: ClassVar[Runs] = Runs(patience=300, every=20)
    beside: ClassVar[Runs] = replace(runs, shared=("time", "depth"))  # of those that neighbours are of use to

    def with_network(self, name: str) -> OnePicture:
        """Return the same with another network, see `networks.denoisers.restorer`."""
        restorer(name, 1, 1)  # refuses what it does not know
        return replace(self, shape=name)

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """See `learner.Learner`."""
        raise NotImplementedError

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """See `learner.Learner`; a plain pass, unless a method says otherwise."""
        return network(batch.y).detach(), None

    def preview(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return a cheap version of the answer, for rules and previews."""
        return self.answer(network, batch, generator)[0]

    def build(self, channels: int) -> nn.Module:
        """Return the network that is fitted, before it has seen anything; see `Centred` for what it is shown."""
        return restorer(self.shape, 2 * channels, channels, self.crop)

    def upright(self, batch: Batch) -> bool:
        """Say whether the crops may be turned by 180 degrees only."""
        return directed(batch)

    def learned(self, planes: Planes, place: int, generator: torch.Generator) -> Batch:
        """Return a plane of a series with its neighbours, as it is learned from."""
        backwards = bool(torch.randint(2, (1,), generator=generator))
        return with_context(planes, place, places_around(place, len(planes), self.neighbours, backwards))

    def shown(self, planes: Planes, place: int) -> tuple[Batch, ...]:
        """Return a plane of a series with its neighbours, to be restored; of several views by their mean."""
        return (with_context(planes, place, places_around(place, len(planes), self.neighbours)),)

    def drawn(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return what is answered for a plane of a series: a plain pass, of which the divergence is measured."""
        found: Tensor = network(batch.y).detach()
        return found

    def over(self, planes: Planes) -> Iterative:
        """See `in_series.Shared`."""
        return OverPlanes(self, planes)

    def fitted(self, network: nn.Module) -> Helping:
        """See `in_series.Shared`."""
        return SharedNetwork(self, network)

    def init(self, problem: Problem, seed: int) -> State:
        """Build network and optimiser; draws only from `seed`."""
        with seeded(seed):
            inner = self.build(problem.y.shape[1])
        count = problem.mask.expand_as(problem.y).sum((2, 3), keepdim=True).clamp_min(1)
        mean = (problem.y * problem.mask).sum((2, 3), keepdim=True) / count
        network: nn.Module = Centred(inner, mean, self.residual, self.bfloat16)
        network = network.to(problem.y.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return started(network, problem, seed, self.rate)

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the objective on a few crops, and take the weights into their average."""
        average_weights(state, self.decay, step)
        return self.objective(state.network, self.crops(problem, state), state.generator)

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return the picture the averaged weights draw; that of the last weights is kept for variance rules."""
        batch = _whole(problem, state)
        with torch.no_grad():
            state.tensors["output"] = self.preview(state.network, batch, _fixed(state)).detach()
            with averaged_weights(state):
                return self.preview(state.network, batch, _fixed(state)).detach()

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the answer with the averaged weights."""
        with torch.no_grad(), averaged_weights(state):
            image, std = self.answer(state.network, _whole(problem, state), _fixed(state))
        return Estimate(image.contiguous(), std)

    def crops(self, problem: Problem, state: State) -> Batch:
        """Return what a step learns from; draws only from the state."""
        whole = _whole(problem, state)
        upright, shape = self.upright(whole), (whole.y.shape[-2], whole.y.shape[-1])
        cuts = (Cut.draw(shape, self.crop, state.generator, upright) for _ in range(self.batch))
        return joined([cropped(whole, cut) for cut in cuts])


def started(network: nn.Module, problem: Problem, seed: int, rate: float) -> State:
    """Return the state of a fit of `network` to a problem before its first step."""
    tensors = mean_weights(network)
    tensors["seed"] = torch.tensor(seed)
    # What no loss may look at is still seen by the network: it must not depend on who filled it in.
    tensors["y"] = made_whole(problem)
    optimizer = torch.optim.Adam(network.parameters(), rate, BETAS, fused=True)
    return State(network, optimizer, torch.Generator().manual_seed(seed), tensors)


def _whole(problem: Problem, state: State) -> Batch:
    return Batch(state.tensors["y"], (problem.noise,), problem.mask)


def _fixed(state: State) -> torch.Generator:
    """Return a generator that draws the same at every look, so that looks differ by the network alone."""
    return torch.Generator().manual_seed(int(state.tensors["seed"]) + 1)
