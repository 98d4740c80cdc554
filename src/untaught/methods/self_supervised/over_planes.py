"""One network of a learner fitted to all planes of a series, and what it makes of them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.method import Along, Needs, Runs, State
from untaught.methods.averaging import average_weights, averaged_weights, mean_weights
from untaught.methods.in_series import Planes
from untaught.methods.networks.denoisers import Shape, restorer
from untaught.methods.seeded import seeded
from untaught.methods.self_supervised.centred import CentredInSeries
from untaught.methods.self_supervised.crops import Cut, cropped, joined
from untaught.methods.self_supervised.learner import BETAS, Batch, Learner
from untaught.methods.self_supervised.neighbours import middle, part, seeing
from untaught.problem import Estimate, Problem, made_whole
from untaught.risk.sure import divergence_draws

SLOWER = 5  # times as slow as on one picture does the average of the weights forget: there is more to learn
PROBES = 2  # draws of the divergence, at most


class SeriesLearner(Learner, Protocol):
    """A learner with a network, its steps and views of the planes of a series, as `single_image.OnePicture` is."""

    residual: ClassVar[bool]

    @property
    def steps(self) -> int: ...  # noqa: D102

    @property
    def crop(self) -> int: ...  # noqa: D102

    @property
    def batch(self) -> int: ...  # noqa: D102

    @property
    def rate(self) -> float: ...  # noqa: D102

    @property
    def decay(self) -> float: ...  # noqa: D102

    @property
    def shape(self) -> Shape | str: ...  # noqa: D102

    @property
    def bfloat16(self) -> bool: ...  # noqa: D102

    @property
    def neighbours(self) -> int: ...  # noqa: D102

    def upright(self, batch: Batch) -> bool: ...  # noqa: D102

    def learned(self, planes: Planes, place: int, generator: torch.Generator) -> Batch: ...  # noqa: D102

    def shown(self, planes: Planes, place: int) -> tuple[Batch, ...]: ...  # noqa: D102

    def drawn(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor: ...  # noqa: D102


@dataclass(frozen=True)
class OverPlanes:
    """Fit one network to random crops of all planes, each with its neighbours as further input.

        min over theta of E_t E_crops objective(f_theta( . ; y_{t-k} .. y_{t+k} without y_t), y_t)

    The noise of neighbours is independent of that of y_t, so that what the objective says of f(y) it says of
    f(y; neighbours) too. Half of the crops are seen with time reversed.

    Attributes
    ----------
    learner : SeriesLearner
        Whose objective it is.
    planes : Planes
        The series.
    """

    learner: SeriesLearner
    planes: Planes = field(repr=False, compare=False)
    name: ClassVar[str] = "over planes"
    needs: ClassVar[Needs] = Needs()

    @property
    def steps(self) -> int:
        """See `Iterative`."""
        return self.learner.steps

    def init(self, problem: Problem, seed: int) -> State:
        """Build network and optimiser; draws only from `seed`."""
        learner, channels = self.learner, problem.y.shape[1]
        others = learner.shown(self.planes, self.planes.judged[0])[0].context
        count = 0 if others is None else others.shape[1] // channels
        with seeded(seed):
            inner = restorer(learner.shape, (2 + count) * channels, channels, learner.crop)
        mean = problem.y.mean((0, 2, 3), keepdim=True)
        network: nn.Module = CentredInSeries(inner, mean, learner.residual, learner.bfloat16)
        network = network.to(problem.y.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.Adam(network.parameters(), learner.rate, BETAS, fused=True)
        tensors = {**mean_weights(network), "seed": torch.tensor(seed)}
        return State(network, optimizer, torch.Generator().manual_seed(seed), tensors)

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the objective on a few crops, and take the weights into their average."""
        average_weights(state, 1 - (1 - self.learner.decay) / SLOWER, step)
        places = self.planes.present(step)
        batch = joined([self._crop(places, state.generator) for _ in range(self.learner.batch)])
        return self.learner.objective(seeing(state.network, batch), batch, state.generator)

    def _crop(self, places: Sequence[int], generator: torch.Generator) -> Batch:
        place = places[int(torch.randint(len(places), (1,), generator=generator))]
        whole = self.learner.learned(self.planes, place, generator)
        shape = whole.y.shape[-2], whole.y.shape[-1]
        return cropped(whole, Cut.draw(shape, self.learner.crop, generator, self.learner.upright(whole)))

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return what the averaged weights draw of the planes that the fit is judged by."""
        window = middle(*self.planes.at(self.planes.judged[0]).y.shape[-2:])
        with torch.no_grad(), averaged_weights(state):
            found = []
            for place in self.planes.judged:
                views = [part(view, window) for view in self.learner.shown(self.planes, place)]
                found.append(drawn(self.learner, state.network, views, int(state.tensors["seed"])))
        return torch.cat(found)

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the network with the averaged weights, as the map that was fitted."""
        with averaged_weights(state):
            network = copy.deepcopy(state.network).requires_grad_(False)
        return Estimate(self.estimate(problem, state), function=network)


def drawn(learner: SeriesLearner, network: nn.Module, views: Sequence[Batch], seed: int) -> Tensor:
    """Return the mean of what a network makes of several views of one plane; the same draws at every call."""
    generators = (torch.Generator().manual_seed(seed + 1 + k) for k in range(len(views)))
    made = [learner.drawn(seeing(network, view), view, g) for view, g in zip(views, generators, strict=True)]
    return torch.stack(made).mean(0)


@dataclass(frozen=True)
class SharedNetwork:
    """A network that was fitted to a series: what it makes of planes that are given together.

    Attributes
    ----------
    learner : SeriesLearner
        Whose network it is.
    network : nn.Module
        Fitted.
    """

    learner: SeriesLearner
    network: nn.Module = field(repr=False, compare=False)
    name: ClassVar[str] = "shared network"
    needs: ClassVar[Needs] = Needs()

    @property
    def runs(self) -> Runs:
        """See `method.Runs`; of n2n, one plane more is seen on each side."""
        return Runs(together=("time", "depth"), reach=self.learner.neighbours + 1)

    def solve(self, problem: Problem, seed: int) -> Estimate:
        """Refuse: one plane has no neighbours.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(f"a network of {self.learner.name} sees neighbours and was given one plane; give several")

    def solve_together(self, problems: Sequence[Problem], along: Along, seed: int) -> list[Estimate]:
        """See `method.Together`; a plane's divergence is measured while its neighbours are as they are."""
        planes = Given(problems)
        return [self._one(planes, place, seed) for place in range(len(problems))]

    def _one(self, planes: Given, place: int, seed: int) -> Estimate:
        problem = planes.problems[place]

        def function(y: Tensor) -> Tensor:
            views = self.learner.shown(planes.with_y(place, y), place)
            with torch.no_grad():
                return drawn(self.learner, self.network, views, seed)

        image = function(problem.y)
        draws = divergence_draws(problem, image, seed + place, PROBES)
        responses = tuple(draw.response(function(draw.yhat), len(draws)) for draw in draws)
        return Estimate(image, function=function, responses=responses)


@dataclass(frozen=True)
class Given:
    """Planes that are there: `Planes` that neither are read nor judged by."""

    problems: Sequence[Problem]
    judged: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.problems)

    def at(self, place: int) -> Problem:
        """See `in_series.Planes`."""
        problem = self.problems[place]
        return problem if problem.complete else problem.with_y(made_whole(problem))

    def present(self, step: int) -> Sequence[int]:
        """See `in_series.Planes`."""
        return range(len(self))

    def with_y(self, place: int, y: Tensor) -> Given:
        """Return the same with another observation of one plane."""
        problems = list(self.problems)
        problems[place] = problems[place].with_y(y)
        return Given(problems)
