"""Recorrupted-to-Recorrupted on one picture, with or without a pilot to correct."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from untaught.averaging import warm
from untaught.methods.base import Estimate, Needs, Problem, State
from untaught.methods.non_local import denoise_nonlocal
from untaught.networks.unet import UNet, UNetShape
from untaught.risk import Recorruption

MEAN = "mean of "  # prefix of the averaged weights among the state's tensors


@dataclass(frozen=True)
class R2R:
    """Recorrupted-to-Recorrupted.

        yhat = y + alpha z,  ytilde = y - z / alpha,  z ~ N(0, Var[y|x])
        min over theta of E_z || f_theta(yhat) - ytilde ||^2 = E || f_theta(yhat) - x ||^2 + constant
        answer: the mean of f_theta(yhat) over draws of z; its spread is the uncertainty map.

    Where the picture has a pilot, each draw carries the non-local picture of its own yhat (never of y, which
    would leak z), and the network adds a correction to it.

    With y fixed the objective is a SURE, which a network can push below the true risk on one picture: stop it
    with the rule `RecorruptedBlocks`, which keeps blocks out of the loss and watches the risk there.

    Attributes
    ----------
    steps : int
        Most steps taken.
    alpha : float
        0.5 in the paper for white Gaussian noise.
    draws : int
        Recorruptions kept with their pilots (8), which are also the ones averaged in the answer.
    crop, batch : int
        Training crops, turned and flipped.
    rate, decay : float
        Adam's learning rate, and the exponential average of the weights.
    pilot : bool
        Whether the pilot is used where there is one.

    References
    ----------
    Pang, Zheng, Quan, Ji, "Recorrupted-to-Recorrupted: Unsupervised Deep Learning for Image Denoising", CVPR 2021.
    """

    steps: int = 1000
    alpha: float = 0.5
    draws: int = 8
    crop: int = 128
    batch: int = 1
    rate: float = 0.002
    decay: float = 0.99
    pilot: bool = True
    shape: UNetShape = field(default_factory=lambda: UNetShape(width=32, scales=2))
    bfloat16: bool = True
    shrinkage_error: ClassVar[float] = 0.12
    name: ClassVar[str] = "r2r"
    needs: ClassVar[Needs] = Needs(level=True, white=True)

    def init(self, problem: Problem, seed: int) -> State:
        """Build network and optimiser, and draw the recorruptions with their pilots."""
        generator = torch.Generator().manual_seed(seed)
        draws = [Recorruption.draw(problem, seed + k, self.alpha) for k in range(self.draws)]
        tensors = {"z": torch.cat([draw.z for draw in draws])}
        guided = self.pilot and problem.pilot is not None
        if guided:
            variance = (1 + self.alpha**2) * draws[0].variance
            tensors["pilots"] = torch.cat([denoise_nonlocal(draw.yhat, variance) for draw in draws])
        channels = problem.y.shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = UNet((1 + guided) * channels, channels, self.shape)
        network = network.to(problem.y.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        tensors |= {MEAN + name: value.detach().clone() for name, value in network.named_parameters()}
        return State(network, torch.optim.Adam(network.parameters(), self.rate), generator, tensors)

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the R2R objective on a few crops, and take the weights into their average."""
        _average_weights(state, warm(self.decay, step))
        stacks = []
        for _ in range(self.batch):
            k = int(torch.randint(self.draws, (1,), generator=state.generator))
            stacks.append(_turned_crop(self._layers(problem, state, k), self.crop, state.generator))
        stack = torch.cat(stacks)
        channels = problem.y.shape[1]
        target, weight, inputs = (
            stack[:, :channels],
            stack[:, channels : channels + 1],
            stack[:, channels + 1 :],
        )
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=self.bfloat16):
            output = self._correct(state.network(inputs), inputs)
        misfit = (output - target).square() * weight
        return misfit.sum() / (weight.sum() * channels).clamp_min(1)

    def _layers(self, problem: Problem, state: State, k: int) -> Tensor:
        target = problem.y - state.tensors["z"][k : k + 1] / self.alpha
        return torch.cat([target, problem.mask, self._inputs(problem, state, k)], dim=1)

    def _inputs(self, problem: Problem, state: State, k: int) -> Tensor:
        parts = [problem.y + self.alpha * state.tensors["z"][k : k + 1]]
        if "pilots" in state.tensors:
            parts.append(state.tensors["pilots"][k : k + 1])
        return torch.cat(parts, dim=1)

    def _outputs(self, problem: Problem, state: State, draws: int) -> list[Tensor]:
        """Return f(yhat_k) with the averaged weights for the first `draws` recorruptions."""
        means = {k.removeprefix(MEAN): v for k, v in state.tensors.items() if k.startswith(MEAN)}
        outputs = []
        for k in range(draws):
            inputs = self._inputs(problem, state, k).contiguous(memory_format=torch.channels_last)
            with torch.no_grad(), torch.autocast(inputs.device.type, torch.bfloat16, enabled=self.bfloat16):
                output = torch.func.functional_call(state.network, means, (inputs,))
            outputs.append(self._correct(output, inputs).detach())
        return outputs

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return f(yhat) at the first draw, with the averaged weights."""
        return self._outputs(problem, state, 1)[0]

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the mean over the draws, and their spread."""
        outputs = self._outputs(problem, state, self.draws)
        together = torch.cat(outputs)
        std = together.std(dim=0, keepdim=True) if self.draws > 1 else None
        return Estimate(together.mean(dim=0, keepdim=True), std, tuple(outputs))

    @staticmethod
    def _correct(output: Tensor, inputs: Tensor) -> Tensor:
        """Add the network's correction to the last picture it was given: the pilot, or yhat itself."""
        return inputs[:, -output.shape[1] :].float() + output


def _turned_crop(layers: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return a random square crop of (1, L, H, W), flipped and turned at random."""
    height, width = layers.shape[-2:]
    size = min(size, height, width)
    top, left, turns, flip = (
        int(torch.randint(n, (1,), generator=generator)) for n in (height - size + 1, width - size + 1, 4, 2)
    )
    cropped = layers[..., top : top + size, left : left + size]
    cropped = torch.rot90(cropped, turns, (2, 3))
    return cropped.flip(3) if flip else cropped


def _average_weights(state: State, decay: float) -> None:
    with torch.no_grad():
        for name, value in state.network.named_parameters():
            state.tensors[MEAN + name].lerp_(value, 1 - decay)
