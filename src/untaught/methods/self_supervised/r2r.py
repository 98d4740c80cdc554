"""Recorrupted-to-Recorrupted on one picture, with or without a pilot to correct."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.method import Needs, Runs, State
from untaught.methods.averaging import MEAN, average_weights, mean_weights
from untaught.methods.networks.cuda_graphs import Recorded
from untaught.methods.networks.unet import UNet, UNetShape
from untaught.methods.non_local.single_scale import denoise_nonlocal
from untaught.methods.seeded import seeded
from untaught.methods.self_supervised.crops import turned_crop
from untaught.problem import Estimate, Problem, smoothed
from untaught.risk.sure import Recorruption

UNCLIPPED = 0.98  # share of the variance that clipping must have left


@dataclass(frozen=True)
class R2R:
    """Recorrupted-to-Recorrupted.

        yhat = y + alpha z,  ytilde = y - z / alpha,  z ~ N(0, Var[y|x])
        min over theta of E_z || f_theta(yhat) - ytilde ||^2 = E || f_theta(yhat) - x ||^2 + constant
        answer: f_theta(y), or the mean of f_theta(yhat) over draws of z; their spread is the uncertainty map.

    Where the picture has a pilot, each draw carries the non-local picture of its own yhat (never of y, which
    would leak z), and the network adds a correction to it.

    Where values were cut off nothing is corrected, and nothing learnt.

    With y fixed the objective is a SURE, which a network can push below the true risk on one picture. So two
    networks are fitted, each to one half of the picture's blocks, and every pixel is drawn by the one that was
    not fitted to it (cross-fitting). That also keeps the estimated risk valid.

    Attributes
    ----------
    steps : int
        Most steps taken.
    alpha : float
        0.5 in the paper for white Gaussian noise.
    draws, spread : int
        Recorruptions kept with their pilots, which are also the ones averaged in the answer; a new one is
        made every `spread` steps until there are so many.
    crop, batch : int
        Training crops, turned and flipped.
    block : int
        Side of the blocks that are shared out between the two networks, in pixels.
    rate, decay : float
        Adam's learning rate, and the exponential average of the weights.
    pilot : bool
        Whether the pilot is used where there is one.
    at_y : bool
        Whether the answer is f at y itself (measured 0.05 to 0.1 dB better with a pilot) or, as in the paper,
        the mean over the draws.

    References
    ----------
    Pang, Zheng, Quan, Ji, "Recorrupted-to-Recorrupted: Unsupervised Deep Learning for Image Denoising", CVPR 2021.
    """

    steps: int = 1000
    alpha: float = 0.5
    draws: int = 8
    spread: int = 15
    crop: int = 128
    block: int = 32
    batch: int = 1
    rate: float = 0.002
    decay: float = 0.99
    pilot: bool = True
    shape: UNetShape = field(default_factory=lambda: UNetShape(width=32, scales=2))
    at_y: bool = True
    bfloat16: bool = True
    name: ClassVar[str] = "r2r"
    needs: ClassVar[Needs] = Needs(level=True, white=True)

    @property
    def runs(self) -> Runs:
        """See `method.Runs`."""
        return Runs(recorruption=self.alpha, tweedie=(0.2, 1.0))

    def init(self, problem: Problem, seed: int) -> State:
        """Build network and optimiser, and draw the recorruptions with their pilots."""
        generator = torch.Generator().manual_seed(seed)
        guided = self._guided(problem)
        centre = problem.pilot if problem.pilot is not None else smoothed(problem)
        variance = problem.noise.variance_at_mean(centre).clamp_min(0)
        before = torch.as_tensor(problem.noise.std(problem.noise.unclip(centre))).square()
        # Where y was cut off, its noise is known, z can be read off yhat, and the objective loses its meaning.
        free = (variance >= UNCLIPPED * before).float()
        inside = free * _not_cut(problem)
        first = blocks(problem.mask, 0.5, self.block, seed)
        tensors = {
            "seed": torch.tensor(seed),
            "first": first,
            "variance": variance,
            "free": free,
            "inside": inside,
        }
        channels = problem.y.shape[1]
        with seeded(seed):
            network = nn.ModuleList(UNet((1 + guided) * channels, channels, self.shape) for _ in range(2))
        network.to(problem.y.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        tensors |= mean_weights(network)
        optimizer = torch.optim.Adam(network.parameters(), self.rate, fused=True)
        passes = tuple(Recorded(half, self.bfloat16) for half in network)
        state = State(network, optimizer, generator, tensors, passes)
        self._draw(problem, state)
        return state

    def _guided(self, problem: Problem) -> bool:
        return self.pilot and problem.pilot is not None

    def _draw(self, problem: Problem, state: State) -> None:
        """Add one recorruption, with the non-local picture of its yhat where the fit is guided."""
        k = state.tensors["z"].shape[0] if "z" in state.tensors else 0
        draw = Recorruption.draw(problem, int(state.tensors["seed"]) + k, self.alpha)
        new = {"z": draw.z}
        if self._guided(problem):
            guide = problem.repilot or denoise_nonlocal
            new["pilots"] = guide(draw.yhat, (1 + self.alpha**2) * draw.variance)
        for name, tensor in new.items():
            state.tensors[name] = torch.cat([state.tensors[name], tensor]) if k else tensor

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the R2R objective on a few crops, and take the weights into their average."""
        average_weights(state, self.decay, step)
        # One recorruption after the other, so that the clock is looked at between their pilots.
        if step % self.spread == 0 and state.tensors["z"].shape[0] < self.draws:
            self._draw(problem, state)
        count = state.tensors["z"].shape[0]
        stacks = []
        for _ in range(self.batch):
            k = int(torch.randint(count, (1,), generator=state.generator))
            layers = self._layers(problem, state, k, step % 2)
            stacks.append(turned_crop(layers, self.crop, state.generator))
        stack = torch.cat(stacks)
        channels = problem.y.shape[1]
        target, weight, inputs = (
            stack[:, :channels],
            stack[:, channels : 2 * channels],
            stack[:, 2 * channels :],
        )
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        output = self._corrected(state.passes[step % 2](inputs), inputs)
        misfit = (output - target).square() * weight
        return misfit.sum() / weight.sum().clamp_min(1)

    def _layers(self, problem: Problem, state: State, k: int, half: int) -> Tensor:
        target = problem.y - state.tensors["z"][k : k + 1] / self.alpha
        first = state.tensors["first"]
        weight = problem.mask * state.tensors["inside"] * (1 - first if half else first)
        return torch.cat([target, weight, self._recorrupted(problem, state, k)], dim=1)

    def _recorrupted(self, problem: Problem, state: State, k: int) -> Tensor:
        parts = [problem.y + self.alpha * state.tensors["z"][k : k + 1]]
        if "pilots" in state.tensors:
            parts.append(state.tensors["pilots"][k : k + 1])
        return torch.cat(parts, dim=1)

    def _output(self, state: State, inputs: Tensor) -> Tensor:
        """Return the picture the averaged weights make of (1, C or 2C, H, W)."""
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        drawn = []
        for half in range(2):
            prefix = f"{MEAN}{half}."
            means = {k.removeprefix(prefix): v for k, v in state.tensors.items() if k.startswith(prefix)}
            with torch.no_grad(), torch.autocast(inputs.device.type, torch.bfloat16, enabled=self.bfloat16):
                drawn.append(torch.func.functional_call(_half(state, half), means, (inputs,)))
        output = torch.where(state.tensors["first"].bool(), drawn[1], drawn[0])
        return self._corrected(output * state.tensors["free"], inputs).detach().contiguous()

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return f(yhat) at the first draw, with the averaged weights."""
        return self._output(state, self._recorrupted(problem, state, 0))

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return f at y or the mean over the draws; their spread; and the map itself."""
        count = state.tensors["z"].shape[0]
        outputs = torch.cat([self._output(state, self._recorrupted(problem, state, k)) for k in range(count)])
        std = outputs.std(dim=0, keepdim=True) if count > 1 else None
        variance = state.tensors["variance"]

        def function(y: Tensor) -> Tensor:
            guide = problem.repilot or denoise_nonlocal
            pilot = [guide(y, variance)] if "pilots" in state.tensors else []
            return self._output(state, torch.cat([y, *pilot], dim=1))

        if not self.at_y:
            return Estimate(outputs.mean(dim=0, keepdim=True), std)
        return Estimate(function(problem.y), std, function)

    @staticmethod
    def _corrected(output: Tensor, inputs: Tensor) -> Tensor:
        """Add the network's correction to the last picture it was given: the pilot, or y itself."""
        return inputs[:, -output.shape[1] :].float() + output


def _half(state: State, half: int) -> nn.Module:
    """Return the network that is fitted to the first (0) or the other half of the blocks."""
    networks = state.network
    assert isinstance(networks, nn.ModuleList)
    return networks[half]


def _not_cut(problem: Problem) -> Tensor:
    """Return 1 where a value does not lie at an end of the range that values were cut off at."""
    low, high = problem.noise.clip
    cut = ((problem.y <= 0) & low) | ((problem.y >= 1) & high)
    return (~cut).float()


def blocks(mask: Tensor, fraction: float, size: int, seed: int) -> Tensor:
    """Return 1 on randomly placed grid blocks covering about `fraction` of (1, 1, H, W), at least one of them."""
    height, width = mask.shape[-2:]
    rows, columns = -(-height // size), -(-width // size)
    order = torch.randperm(rows * columns, generator=torch.Generator().manual_seed(seed))
    grid = torch.zeros(rows * columns)
    grid[order[: max(1, round(fraction * rows * columns))]] = 1
    full = grid.view(1, 1, rows, columns).repeat_interleave(size, 2).repeat_interleave(size, 3)
    return full[..., :height, :width].to(mask.device)
