"""The deep decoder: a generator of 1x1 convolutions and fixed up-sampling, fitted to the one degraded picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.method import Needs, State
from untaught.methods.averaging import warm
from untaught.methods.networks.cuda_graphs import Recorded
from untaught.methods.networks.decoder import Decoder, DecoderShape
from untaught.methods.seeded import seeded
from untaught.problem import Estimate, Problem

WIDEST = 4096
BETA1 = 0.9  # of Adam
COARSEST = 64  # pixels of a side; a smaller picture costs little as it is


@dataclass(frozen=True)
class DeepDecoder:
    """Deep decoder.

        min over theta of || mask (A G_theta(z) - y) ||^2,   z fixed, uniform in [0, 0.1], A any operator
        G: B_{i+1} = cn(relu(U_i B_i C_i)),  picture = sigmoid(B_d C_d),  theta = all C_i and the scales of cn

    and the answer is the exponential average of the outputs, which swing by some dB from step to step. At first
    the last layers do not double: coarse detail, which is learned first anyway, costs 16 and 4 times less so.

    With 64 or 128 channels there are fewer parameters than pixels, so that the network cannot hold the noise and
    needs no stopping (`stop="steps"`); a rule that judges it then mostly keeps the last step, and estimates the
    error beside it. With 512, `DeepDecoder.of_width("512")`, there are more than most pictures have pixels, and it
    has to be stopped.

    Attributes
    ----------
    steps : int
        Most steps taken; 1900 in the structural-bias notebooks.
    rate : float
        Adam's learning rate; 0.01 in the papers, twice that with the warm-up and the average.
    beta2 : float
        Adam's decay of squared gradients, in [0, 1); 0.999 in the papers. Its longest step is
        rate (1 - beta1) / sqrt(1 - beta2), when a gradient is suddenly much larger than before: 3.2 times the rate
        with 0.999, 0.45 times with 0.95. Such steps threw a wide decoder back by a hundred steps.
    warmup : int
        Steps over which the rate rises from zero. Without it a detailed 256 x 256 picture was 1.3 dB behind after
        300 steps.
    decay : float
        Of the average, in [0, 1); 0 answers with the last output, as in the papers.
    shape : DecoderShape
        The network; scales that the picture is too small for are left out.
    coarse : tuple of int
        Steps taken with the picture drawn at 1/2^n of its size, coarsest first: (100, 100) is 100 at a quarter,
        then 100 at a half. None are taken below 64 pixels. Ours; () as in the papers. Longer than rules are
        patient, a rule may end the fit there.
    bfloat16 : bool
        Whether the layers run in bfloat16 autocast (about three times as fast where the CPU has it).

    References
    ----------
    Heckel, Hand, "Deep Decoder: Concise Image Representations from Untrained Non-convolutional Networks", ICLR
    2019; Heckel, Soltanolkotabi, "Denoising and Regularization via Exploiting the Structural Bias of
    Convolutional Generators", ICLR 2020.
    """

    steps: int = 1900
    rate: float = 0.02
    beta2: float = 0.95
    warmup: int = 20
    decay: float = 0.99
    shape: DecoderShape = field(default_factory=DecoderShape)
    coarse: tuple[int, ...] = (100, 100)
    bfloat16: bool = True
    name: ClassVar[str] = "deep-decoder"
    needs: ClassVar[Needs] = Needs(identity=False)

    @classmethod
    def of_width(cls, text: str) -> DeepDecoder:
        """Return the decoder of so many channels, which is what 'deep-decoder:512' stands for.

        Raises
        ------
        InputError
            If that is no whole number from 1 to 4096.
        """
        if not (text.isdecimal() and 1 <= int(text) <= WIDEST):
            raise InputError(
                f"a deep decoder of {text!r} channels was asked for; give a number from 1 to {WIDEST}, such as 512"
            )
        return cls(shape=DecoderShape(width=int(text)))

    @classmethod
    def paper(cls, width: int = 128) -> DeepDecoder:
        """Return the configuration of the deep decoder's paper: plain layer last, no warm-up, no average."""
        return cls(
            rate=0.01,
            beta2=0.999,
            warmup=0,
            decay=0.0,
            shape=DecoderShape(width=width, plain="last"),
            coarse=(),
            bfloat16=False,
        )

    def init(self, problem: Problem, seed: int) -> State:
        """Build network, code and optimiser; draws only from `seed`."""
        generator = torch.Generator().manual_seed(seed)
        channels, height, width = problem.picture_shape[1:]
        with seeded(seed):
            network = Decoder(channels, (height, width), self.shape.fitted(height, width))
        code = network.draw_code(generator).to(problem.y.device)
        network = network.to(problem.y.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.Adam(network.parameters(), self.rate, (BETA1, self.beta2), fused=True)
        tensors = {"code": code.contiguous(memory_format=torch.channels_last)}
        return State(network, optimizer, generator, tensors, (Recorded(network, self.bfloat16),))

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the mean squared misfit to what was measured."""
        if step < self.warmup:
            for group in state.optimizer.param_groups:
                group["lr"] = self.rate * (step + 1) / self.warmup
        coarser, since = self._stage(problem, step)
        output = state.passes[0](state.tensors["code"], coarser)
        state.tensors["output"] = now = output.detach()
        before = state.tensors.get("average", now)
        state.tensors["average"] = torch.lerp(now, before, warm(self.decay, since))
        return problem.misfit(output)

    def _stage(self, problem: Problem, step: int) -> tuple[int, int]:
        """Return how many layers do not double at a step, and since how many steps it has been so many."""
        most = int(math.log2(max(min(problem.picture_shape[2:]) / COARSEST, 1)))
        stages = self.coarse[max(len(self.coarse) - most, 0) :]
        for number, steps in enumerate(stages):
            if step < steps:
                return len(stages) - number, step
            step -= steps
        return 0, step

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return the average as it stands."""
        return state.tensors["average"]

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the average as the answer."""
        return Estimate(state.tensors["average"].clone())


def of_width(text: str, settings: Mapping[str, Any] | None) -> DeepDecoder:
    """Return what 'deep-decoder:512' stands for."""
    return replace(DeepDecoder.of_width(text), **(settings or {}))
