"""Pixel2Pixel: pairs for Noise2Noise out of one picture, from pixels that are alike and far apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.method import Needs, Runs, State
from untaught.methods.self_supervised.crops import turned_crop
from untaught.methods.self_supervised.learner import Batch, Norm, deviation, mean_and_spread
from untaught.methods.self_supervised.pixel_bank import Search, pixel_bank
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.problem import Problem, made_whole

BANK = "bank"  # of the network's buffers: made from the picture again, so no checkpoint holds it


@dataclass(frozen=True)
class Pixel2Pixel(OnePicture):
    """Pixel2Pixel.

        b_i = the M pixels j around i of least || patch_j(y) - patch_i(y) ||
        z_i, z'_i = y at two of b_i, drawn for every i on its own
        min over theta of E_{z, z'} || f_theta(z) - z' ||^2
        answer: f_theta(y);   where neighbours share noise, (f_theta(y) + E_z f_theta(z)) / 2

    Pixels that are alike share the signal, and if they are far apart not the noise: (z, z') are a pair for
    Noise2Noise, with another draw at every step. Nothing is asked of the law of the noise. Where neighbours are
    known to share it, no other pixel within their reach is in b_i, and a place whose z_i and z'_i come from within
    reach of each other is not counted.

    Attributes
    ----------
    steps : int
        3000 steps on the whole picture by the authors; here 600 on four crops.
    members : int
        M. The authors find 16 and use 8 for synthetic noise, as here, and find 100 and use 20 for camera noise,
        where 8 was 0.2 dB better than 16 on a PolyU picture. More of them are less alike: 40 lose 1.2 dB of
        texture (kodim08, white noise of 25, 300 steps).
    window, patch : int
        Sides of what is searched and of what is compared, in pixels; 40 and 7 by the authors.
    draws : int
        Of z, for the answer where neighbours share noise; 0 answers with f(y) there too. Ours.
    norm : str
        'l2', or 'l1' for noise with outliers, of which the medians are then learned.

    Notes
    -----
    The network is the one that the family shares; the authors' is a stack of convolutions. z is drawn place by
    place, so its noise is less shared than that of y, but it has lost what is not in the bank: after 400 steps
    E_z f(z) was 0.9 and 1.8 dB behind f(y) for white noise of 25 on two Kodak crops; for the same noise blurred
    over a pixel 2.0 dB ahead on one and 0.2 dB behind on the other, and the mean of both 1.3 and 0.5 dB ahead.

    References
    ----------
    Ma, Jiang, Zhou, Liang, Liu, Ma, "Pixel2Pixel: A Pixelwise Approach for Zero-Shot Single Image Denoising", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 2025; Lehtinen et al., "Noise2Noise", ICML 2018. What
    is called the authors' here are the defaults of commands in copies of their code, qingma2016/Pixel2Pixel; the
    text of the paper was not at hand to hold them against.
    """

    steps: int = 600
    members: int = 8
    window: int = 40
    patch: int = 7
    draws: int = 8
    norm: Norm = "l2"
    name: ClassVar[str] = "p2p"
    needs: ClassVar[Needs] = Needs(complete=True, bounded=True)
    runs: ClassVar[Runs] = Runs(patience=200, every=20)

    def __post_init__(self) -> None:
        """Refuse sizes with which nothing can be compared or drawn."""
        if self.members < 2:
            raise InputError(f"members of p2p is {self.members}; a pair takes at least 2")
        if self.draws < 0:
            raise InputError(f"draws of p2p is {self.draws}; give 0 or more")
        if self.window < 2:
            raise InputError(f"window of p2p is {self.window}; give 2 pixels or more")
        if self.patch < 1 or self.patch % 2 == 0:
            raise InputError(f"patch of p2p is {self.patch}; give an odd number, so that a pixel is its centre")

    def init(self, problem: Problem, seed: int) -> State:
        """See `OnePicture`; finds the bank, which takes no draw."""
        state = super().init(problem, seed)
        search = Search(self.members, self.window, self.patch, problem.noise.reach)
        bank = pixel_bank(_compared(problem), _known(problem), search)
        state.network.register_buffer(BANK, bank, persistent=False)
        return state

    def crops(self, problem: Problem, state: State) -> Batch:
        """Return crops of z and of z', with a mask of the places that count; see `OnePicture`."""
        height, width = problem.y.shape[-2:]
        every = torch.arange(height * width).view(1, 1, height, width)
        # Drawn place by place, the noise of z has no direction, whatever that of y has.
        drawn = [turned_crop(every, self.crop, state.generator) for _ in range(self.batch)]
        places = torch.cat(drawn).to(problem.y.device)
        first, second = drawn_pair(state.network.get_buffer(BANK), places, state.generator)
        known = _known(problem).flatten()
        counts = known[places] & known[first] & known[second]
        counts &= _apart(first, second, width, problem.noise.reach)
        z, other = (_values(state.tensors["y"], source) for source in (first, second))
        return Batch(z, (problem.noise,) * self.batch, counts.to(z), other)

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of (f(z) - z')^2, or |f(z) - z'|, over the places that count."""
        if batch.second is None:
            raise InputError("p2p draws its pairs from the bank of one picture; use it on one picture")
        return deviation(network(batch.y), batch.second, batch.mask, self.norm)

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return f(y), or its mean with that of f(z) over draws."""
        plain = network(batch.y).detach()
        if not self.draws or not any(noise.shared for noise in batch.noises):
            return plain, None
        bank = network.get_buffer(BANK)
        places = torch.arange(len(bank), device=bank.device).view(1, 1, *plain.shape[-2:])

        def draw() -> Tensor:
            drawn: Tensor = network(_values(batch.y, drawn_pair(bank, places, generator)[0]))
            return drawn

        return (plain + mean_and_spread(draw, self.draws)[0]) / 2, None

    def preview(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the answer with one draw at most."""
        return replace(self, draws=min(self.draws, 1)).answer(network, batch, generator)[0]


def drawn_pair(bank: Tensor, places: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return two different members, drawn from the bank (N, M) of every place, int64 of the shape of `places`."""
    members = bank.shape[1]
    first = torch.randint(members, places.shape, generator=generator)
    on = torch.randint(1, max(members, 2), places.shape, generator=generator)
    at = places * members
    one, two = (bank.flatten()[at + k.to(places.device)] for k in (first, (first + on) % members))
    return one.long(), two.long()


def _values(y: Tensor, source: Tensor) -> Tensor:
    """Return (B, C, h, w), the pixels of y, (1, C, H, W), that stand at `source`, (B, 1, h, w)."""
    return y[0].flatten(1)[:, source[:, 0]].transpose(0, 1)


def _apart(first: Tensor, second: Tensor, width: int, reach: tuple[int, int]) -> Tensor:
    """Say which pixels, counted along rows of `width`, share no noise."""
    down = (first // width - second // width).abs()
    across = (first % width - second % width).abs()
    return (down > reach[0]) | (across > reach[1])


def _compared(problem: Problem) -> Tensor:
    """Return y with what is missing filled in from what is known alone, not from who filled in y."""
    mask = problem.mask.expand_as(problem.y)
    mean = (problem.y * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp_min(1)
    return made_whole(problem.with_y(torch.where(mask > 0, problem.y, mean)))


def _known(problem: Problem) -> Tensor:
    """Return which pixels were measured in every channel, bool (H, W)."""
    return (problem.mask > 0).all(1)[0]
