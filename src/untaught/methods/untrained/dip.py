"""Deep image prior: an untrained network fitted to the one degraded picture, stopped before it fits the noise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from untaught.method import Needs, Runs, State
from untaught.methods.networks.codes import Code
from untaught.methods.networks.cuda_graphs import Recorded
from untaught.methods.networks.generators import generator as network_of
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.seeded import seeded
from untaught.methods.untrained.pixels import total_variation, tv_weight
from untaught.problem import Estimate, Problem


@dataclass(frozen=True)
class DIP:
    """Deep image prior.

        min over theta of || mask (A f_theta(z + e) - y) ||^2 + w TV(f_theta(z + e)),   e ~ N(0, jitter^2),

    e anew at every step, A any operator, stopped early; the answer is the exponential average of the outputs
    (`averaging.Averaged`). Of a plane of a series the code holds its neighbours too, whose noise is independent of
    that of y. Where there is another picture of the same scene, that is z: guided restoration.

    The defaults are the fast variant: a positional code beside the random one, a thinner network, the
    non-local picture in the code where there is one. `DIP.paper()` is the original configuration.

    Attributes
    ----------
    steps : int
        Most steps taken; 1800 in the paper for denoising.
    rate : float
        Adam's learning rate; 0.01 in the paper.
    jitter : float
        Standard deviation of the noise added to the code at every step; 1/30 in the paper.
    shape : HourglassShape or str
        The network; or the name of one, see `networks.generators.GENERATORS`.
    code : Code
        What the network draws from.
    tv : float
        Weight of total variation, as `pixels.tv_weight` has it; 0 in the paper.
    neighbours : int
        Planes of a series on each side of one that are part of its code, where there are any. Ours.
    bfloat16 : bool
        Whether convolutions run in bfloat16 autocast (about twice as fast where the CPU has it).

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky, "Deep Image Prior", CVPR 2018 and IJCV 2020; Liu, Sun, Xu, Kamilov, "Image
    Restoration using Total Variation Regularized Deep Image Prior", ICASSP 2019, for TV beside it.
    """

    steps: int = 1200
    rate: float = 0.01
    jitter: float = 0.05
    shape: HourglassShape | str = field(default_factory=lambda: HourglassShape(width=32, depth=4, skip=8))
    code: Code = field(default_factory=lambda: Code(random=8, octaves=6, pilot=True))
    tv: float = 0.0
    bfloat16: bool = True
    neighbours: int = 2
    name: ClassVar[str] = "dip"
    needs: ClassVar[Needs] = Needs(identity=False)

    @property
    def runs(self) -> Runs:
        """See `method.Runs`; the decay is the paper's (section 3)."""
        return Runs(averaged=0.99, piloted=self.code.pilot, context=("time", "depth"))

    @classmethod
    def paper(cls) -> DIP:
        """Return the configuration of the paper's denoising experiment."""
        return cls(
            steps=1800,
            rate=0.01,
            jitter=1 / 30,
            shape=HourglassShape(),
            code=Code(),
            bfloat16=False,
        )

    @classmethod
    def reconstruction(cls) -> DIP:
        """Return the fast variant for measurements through an operator: less jitter, and no picture in the code.

        A network that sees a picture draws that picture; one that does not errs differently, so that the two can
        be mixed.
        """
        return cls(jitter=0.01, code=Code(random=8, octaves=6))

    @classmethod
    def for_holes(cls) -> DIP:
        """Return the network that draws what is in wide holes.

        Without skips and with a slow code it cannot repeat at the bottom of a hole what it has learned of fine
        texture elsewhere. In holes of 32 x 28 pixels in four crops of Kodak pictures this is worth 2.7 dB.
        """
        shape = HourglassShape(width=48, depth=5, skip=0)
        return replace(cls.reconstruction(), shape=shape, code=Code(random=0, octaves=3))

    def with_network(self, name: str) -> DIP:
        """Return the same with another network, see `networks.generators.GENERATORS`."""
        network_of(name, 1, 1, (64, 64))  # refuses what it does not know
        return replace(self, shape=name)

    def init(self, problem: Problem, seed: int) -> State:
        """Build network, code and optimiser; draws only from `seed`."""
        generator = torch.Generator().manual_seed(seed)
        with seeded(seed):
            code = self._code(problem, generator)
            channels, height, width = problem.picture_shape[1:]
            network = network_of(self.shape, code.shape[1], channels, (height, width))
        device = problem.y.device
        network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.Adam(network.parameters(), self.rate, fused=True)
        if problem.y.is_cuda:  # where as much is drawn at every step as the code holds
            generator = torch.Generator(device).manual_seed(seed)
        tensors = {"code": code.contiguous(memory_format=torch.channels_last)}
        state = State(network, optimizer, generator, tensors, (Recorded(network, self.bfloat16),))
        state.start_warm(problem.warm_start)
        return state

    def _code(self, problem: Problem, generator: torch.Generator) -> Tensor:
        """Return z, of the size of the picture; the guide_image alone where there is one, as in the paper."""
        if problem.guide_image is not None:
            return problem.guide_image.clone()
        code = self.code.draw(problem.y.new_empty(problem.picture_shape), problem.pilot, generator)
        return code if problem.context is None else torch.cat([code, problem.context], dim=1)

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the mean squared misfit to what was measured, and what total variation adds."""
        code = state.tensors["code"]
        laid_out = code.permute(0, 2, 3, 1).shape
        drawn = torch.randn(laid_out, generator=state.generator, device=state.generator.device)
        jittered = torch.add(code, drawn.permute(0, 3, 1, 2), alpha=self.jitter)
        if self.bfloat16:
            jittered = jittered.bfloat16()  # once, not in each layer that sees it
        output = state.passes[0](jittered)
        state.tensors["output"] = output.detach()
        misfit = problem.misfit(output)
        return misfit + tv_weight(problem, self.tv) * total_variation(output) if self.tv else misfit

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return the output of the last step."""
        return state.tensors["output"]

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the output of the last step."""
        return Estimate(state.tensors["output"].clone(), weights=state.weights())
