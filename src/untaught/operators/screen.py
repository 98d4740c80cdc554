"""A regular pattern over a picture, such as the dots of a print: known by its spectrum, and by nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.errors import InputError
from untaught.operators.base import LinearOperator
from untaught.operators.cut import Cut, Window

PAD = 32  # pixels of margin, so that opposite edges do not meet
MOST_PERIODS = 4  # margins: how far from the edge is looked for what continues the pattern
LEAST_BIN = 1.5  # bins of the square on which it was measured: how wide a wave is
SLIGHT = 1 / 255 / math.sqrt(12)  # what rounding to 8 bits does

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Screen(LinearOperator):
    """A x = x, and y = x + n with n a pattern of the spectrum N, the picture's being S.

        S_c(f) = s_c |f|^a_c
        N_c(f) = floor_c + sum over lines g of  steady_cg delta(f - g) + beside_cg S_c(f - g)

    both as variance a bin, the mean over all bins being that of a pixel. The first picture is Wiener's,
    S / (S + N) y. A picture that is wrong by r has

        z = x + r^2 / (r^2 + N) (y - x)

    near it, the mean of what it says and what was measured, each with its own variance (in the Fourier domain).

    Attributes
    ----------
    lines : tuple of (float, float)
        Frequencies of the waves, down and across, in cycles a pixel; each stands for its mirror image too.
    spectra : tuple of (float, float, float)
        s, a and the floor of every channel.
    steady, beside : tuple of tuple of float
        Of every channel, for each of the lines.
    side : int
        Pixels of the square on which it was measured: a wave is no narrower than that tells.
    printed : bool
        Whether the picture is made of it, as a print is of dots: then similar patches agree on what is left. What
        only lies over the picture is taken off, and nothing else.

    References
    ----------
    T. Kite, N. Damera-Venkata, B. Evans and A. Bovik, "A fast, high-quality inverse halftoning algorithm for error
    diffused halftones", IEEE TIP 9(9), 2000, and J. Luo, R. de Queiroz and Z. Fan, "A robust technique for image
    descreening based on the wavelet transform", IEEE TSP 46(4), 1998, for what it is held against. That the
    spectrum of the picture comes again beside every line, and the rest, is ours.
    """

    name: ClassVar[str] = "screen"
    schedule: ClassVar[tuple[float, float]] = (1.5, 1.0)  # set on 11 screens over pictures of scikit-image
    untold: ClassVar[str] = "no PSNR is stated: what a pattern has covered leaves no trace"
    lines: tuple[tuple[float, float], ...]
    spectra: tuple[tuple[float, float, float], ...]
    steady: tuple[Numbers, ...]
    beside: tuple[Numbers, ...]
    side: int
    printed: bool

    def __post_init__(self) -> None:
        if not (len(self.spectra) == len(self.steady) == len(self.beside)) or not self.lines:
            raise InputError("a screen has lines, and for every channel its spectrum and what is in each line")
        if any(len(each) != len(self.lines) for each in (*self.steady, *self.beside)):
            raise InputError("a screen has as many numbers for a channel as lines")

    @property
    def rounds(self) -> int:
        """How often the two are done in turn."""
        return 4 if self.printed else 1

    @property
    def why(self) -> str:
        """Why the method is right for it."""
        if self.printed:
            return "the pattern's spectrum is told from the picture's, and similar patches agree on what is left"
        return "the pattern's waves are told from the picture by their spectrum, and nothing else is taken off"

    @property
    def cut(self) -> Cut:
        """See `Composable`."""
        return Cut(reach=PAD)

    def part(self, window: Window) -> Screen:
        """See `Composable`: a spectrum is the same everywhere."""
        return self

    def initial(self, y: Tensor) -> Tensor:
        """Return Wiener's picture."""
        picture, pattern = self._spectra(y)
        share, margin = picture / (picture + pattern), _margin(y)
        first = _back(torch.fft.rfft2(F.pad(y, 4 * [margin], mode="reflect")) * share, y)
        beyond = F.pad(first, 4 * [margin], mode="reflect") + self._continued(y - first)
        return _back(torch.fft.rfft2(beyond) * share, y)

    def nearest(self, x: Tensor, y: Tensor, deviation: float) -> Tensor:
        """Return the picture near `x`, which is wrong by `deviation`, that explains `y` better."""
        pattern = self._spectra(y)[1]
        share = deviation**2 / (deviation**2 + pattern)
        return x + _back(torch.fft.rfft2(self._continued(y - x)) * share, y)

    def shown(self, x: Tensor, y: Tensor, deviation: float) -> Tensor:
        """Return what is answered for `x`: itself, or near it what differs from `y` by the pattern alone."""
        return x if self.printed else self.nearest(x, y, deviation)

    def level(self, y: Tensor) -> float:
        """Return the error of Wiener's picture; next to nothing where only waves are taken off."""
        if not self.printed:
            return SLIGHT
        picture, pattern = self._spectra(y)
        return math.sqrt(float((picture * pattern / (picture + pattern)).mean()))

    def _continued(self, pattern: Tensor) -> Tensor:
        """Return a pattern with a margin in which it goes on: what lies some periods further in."""
        margin, weights = _margin(pattern), [sum(each) for each in zip(*self.steady, strict=True)]
        for axis, own in ((-2, 0), (-1, 1)):
            size = pattern.shape[axis]
            steps = torch.arange(margin, max(min(size - margin, MOST_PERIODS * margin), margin) + 1)
            off = sum(
                w * (1 - torch.cos(2 * math.pi * line[own] * steps))
                for w, line in zip(weights, self.lines, strict=True)
            )
            step = int(steps[int(torch.as_tensor(off).argmin())])
            at = torch.arange(-margin, size + margin)
            at = torch.where(at < 0, at + step, torch.where(at >= size, at - step, at)).clamp(0, size - 1)
            pattern = pattern.index_select(axis, at.to(pattern.device))
        return pattern

    def _forward(self, x: Tensor) -> Tensor:
        return x.clone()

    def _adjoint(self, y: Tensor) -> Tensor:
        return y.clone()

    def _spectra(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return S and N for a picture, (1, C, h, w) of the real Fourier transform of it with its margin."""
        if y.shape[1] != len(self.spectra):
            raise InputError(
                f"the pattern was measured in {len(self.spectra)} channels, and here are {y.shape[1]}"
            )
        both = self._once(("spectra", y.shape), y, lambda: self._made(y))
        return both[0], both[1]

    def _made(self, y: Tensor) -> Tensor:
        height, width = (n + 2 * _margin(y) for n in y.shape[-2:])
        down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)
        least, wide = 1 / max(height, width), LEAST_BIN / self.side
        radius = torch.hypot(down, across).clamp_min(least)
        picture = torch.stack([scale * radius**slope for scale, slope, _ in self.spectra])
        pattern = torch.stack([torch.full_like(radius, floor) for *_, floor in self.spectra])
        for k, (own_down, own_across) in enumerate(self.lines):
            for sign in (1, -1):
                away = torch.hypot(_wrapped(down - sign * own_down), _wrapped(across - sign * own_across))
                peak = torch.exp(-0.5 * (away / wide) ** 2) / (2 * math.pi * wide**2)
                for c, (scale, slope, _) in enumerate(self.spectra):
                    pattern[c] += self.steady[c][k] / 2 * peak
                    if self.beside[c][k] > 0:
                        pattern[c] += self.beside[c][k] * scale * away.clamp_min(wide) ** slope
        pattern[:, 0, 0] = 0  # no wave has a mean
        return torch.stack([picture, pattern])[:, None]


def _wrapped(frequency: Tensor) -> Tensor:
    return torch.remainder(frequency + 0.5, 1.0) - 0.5


def _margin(y: Tensor) -> int:
    return min(PAD, *(n - 1 for n in y.shape[-2:]))


def _back(spectrum: Tensor, y: Tensor) -> Tensor:
    """Return the picture of a spectrum, without the margin."""
    margin, (height, width) = _margin(y), y.shape[-2:]
    whole: Tensor = torch.fft.irfft2(spectrum, s=(height + 2 * margin, width + 2 * margin))
    return whole[..., margin : margin + height, margin : margin + width]
