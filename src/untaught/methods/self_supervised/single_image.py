"""Any learner on one picture: a small network fitted to random crops of the noisy picture itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.method import Needs, Runs, State
from untaught.methods.averaging import MEAN, average_weights, mean_weights
from untaught.methods.networks.denoisers import restorer
from untaught.methods.networks.dncnn import DnCNNShape
from untaught.methods.networks.unet import UNetShape
from untaught.methods.self_supervised.crops import turned_crop
from untaught.methods.self_supervised.learner import Batch, directed
from untaught.operators.filters import local_mean
from untaught.problem import Estimate, Problem, made_whole

WINDOW = 7  # pixels; 5 is as good at level 25, 9 on smooth pictures, on crops of four photographs at 25 and 50
BETAS = (0.9, 0.99)  # of Adam; with its usual 0.999 a fit now and then lost decibels from one step to the next
LEAST_SHOWN = 1e-3  # of the pixels around one; where fewer are known, their mean is of too few


class Centred(nn.Module):
    """A network u that sees a picture twice: b + u(x - b, x - c), or x + u(x - b, x - c) if it adds to its input.

    b is the local mean of x, c of (1, C, 1, 1) the mean of every channel. Drawn around c alone, small parts of a
    colour of their own come out in that of the rest: what they are wrong by is little of the loss, and is learned
    last. With c beside b, the network can take off what is left of the noise in b. A network that takes a mask
    sees x - b, b being the mean of what the mask shows. Convolutions run in bfloat16 autocast if `mixed`; what
    goes in and comes out is float32.
    """

    centre: Tensor

    def __init__(self, inner: nn.Module, centre: Tensor, residual: bool, mixed: bool):
        super().__init__()
        self.register_buffer("centre", centre)
        self.inner = inner
        self.residual = residual
        self.mixed = mixed
        self.takes_mask = getattr(inner, "takes_mask", False)

    def forward(self, x: Tensor, *mask: Tensor) -> Tensor:
        """Return the picture drawn from `x`, (B, C, H, W), of which only what the mask shows may be known."""
        around = self._known(x, *mask) if mask else smooth(x)
        seen = x - around if mask else torch.cat([x - around, x - self.centre], dim=1)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.mixed):
            drawn: Tensor = self.inner(seen.contiguous(memory_format=torch.channels_last), *mask).float()
        return drawn + (x if self.residual else around)

    def _known(self, x: Tensor, mask: Tensor) -> Tensor:
        shown = mask.to(x.dtype)
        share = smooth(shown)
        return torch.where(share > LEAST_SHOWN, smooth(x * shown) / share.clamp_min(LEAST_SHOWN), self.centre)


def smooth(x: Tensor) -> Tensor:
    """Return the mean of means over windows, (B, C, H, W)."""
    return local_mean(local_mean(x, WINDOW), WINDOW)


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
    """

    steps: int = 1500
    crop: int = 64
    batch: int = 4
    rate: float = 0.003
    decay: float = 0.99
    shape: UNetShape | DnCNNShape | str = field(default_factory=lambda: UNetShape(width=32, scales=3))
    bfloat16: bool = True
    residual: ClassVar[bool] = (
        False  # one that adds to its input begins with the noise, and on one picture keeps it
    )
    name: ClassVar[str]
    needs: ClassVar[Needs]
    runs: ClassVar[Runs] = Runs(patience=300, every=20)

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

    def init(self, problem: Problem, seed: int) -> State:
        """Build network and optimiser; draws only from `seed`."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
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
            with _averaged(state):
                return self.preview(state.network, batch, _fixed(state)).detach()

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the answer with the averaged weights."""
        with torch.no_grad(), _averaged(state):
            image, std = self.answer(state.network, _whole(problem, state), _fixed(state))
        return Estimate(image.contiguous(), std)

    def crops(self, problem: Problem, state: State) -> Batch:
        """Return what a step learns from; draws only from the state."""
        noise, y, mask = problem.noise, state.tensors["y"], problem.mask
        levels = () if noise.pixel_levels is None else (torch.from_numpy(noise.pixel_levels).to(y)[None, None],)
        layers = torch.cat([y, mask, *levels], dim=1)
        upright = self.upright(_whole(problem, state))
        crops = [turned_crop(layers, self.crop, state.generator, upright) for _ in range(self.batch)]
        channels = y.shape[1]
        y, mask, cut = torch.cat(crops).tensor_split([channels, channels + mask.shape[1]], dim=1)
        laws = [noise.with_pixel_levels(level[0].cpu().numpy()) if levels else noise for level in cut]
        return Batch(y, tuple(laws), mask)


def started(network: nn.Module, problem: Problem, seed: int, rate: float) -> State:
    """Return the state of a fit of `network` to a problem before its first step."""
    tensors = mean_weights(network)
    tensors["seed"] = torch.tensor(seed)
    # What no loss may look at is still seen by the network: it must not depend on who filled it in.
    tensors["y"] = made_whole(problem)
    optimizer = torch.optim.Adam(network.parameters(), rate, BETAS, fused=problem.y.is_cuda)
    return State(network, optimizer, torch.Generator().manual_seed(seed), tensors)


def _whole(problem: Problem, state: State) -> Batch:
    return Batch(state.tensors["y"], (problem.noise,), problem.mask)


def _fixed(state: State) -> torch.Generator:
    """Return a generator that draws the same at every look, so that looks differ by the network alone."""
    return torch.Generator().manual_seed(int(state.tensors["seed"]) + 1)


@contextmanager
def _averaged(state: State) -> Iterator[None]:
    """Lend the network its averaged weights."""
    last = {name: value.detach().clone() for name, value in state.network.named_parameters()}
    with torch.no_grad():
        for name, value in state.network.named_parameters():
            value.copy_(state.tensors[MEAN + name])
        try:
            yield
        finally:
            for name, value in state.network.named_parameters():
                value.copy_(last[name])
