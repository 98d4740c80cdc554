"""Compressed measurements: random mixtures of all pixels, fewer than there are pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.operators.base import LinearOperator, Shape, by

BLOCK = 2**22  # entries of the matrix that are drawn at once


@dataclass(frozen=True)
class Compression(LinearOperator):
    """What the two compressions share: m mixtures of the N = C H W pixels, (1, 1, 1, m).

    Attributes
    ----------
    size : tuple of int
        Channels, height and width of the picture.
    measurements : int
        m, from 1 to N.
    seed : int
        What the mixtures are drawn from; same seed, same mixtures.

    Raises
    ------
    InputError
        For an m out of range, or a picture of another size.
    """

    size: tuple[int, int, int]
    measurements: int
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.measurements <= self.pixels:
            raise InputError(f"there are {self.measurements} measurements; give 1 to {self.pixels}, the pixels")

    @property
    def pixels(self) -> int:
        """N, the values of the picture."""
        return math.prod(self.size)

    def shape(self, x_shape: Shape) -> Shape:
        """Return (1, 1, 1, m)."""
        if tuple(x_shape[1:]) != tuple(self.size):
            raise InputError(
                f"the picture is {by(*x_shape[1:])} and size says {by(*self.size)}: channels, height, width"
            )
        return (x_shape[0], 1, 1, self.measurements)

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return (1, C, H, W), from `size`."""
        if tuple(y_shape[1:]) != (1, 1, self.measurements):
            raise InputError(
                f"the measurement has the shape {tuple(y_shape)}; it has to be (1, 1, 1, {self.measurements})"
            )
        return (y_shape[0], *self.size)


@dataclass(frozen=True)
class RandomCompression(Compression):
    """A x = G x, with the entries of G independent, N(0, 1/m).

    The matrix is never read from anywhere: its rows are drawn in the same order from `seed` every time,
    and kept only where they are few. Above `keep` entries every use draws all of them anew, about a second
    for 10^8: prefer `StructuredCompression` there.

    Attributes
    ----------
    size, measurements, seed
        See `Compression`.
    keep : int
        Entries of G up to which it stays in memory.

    References
    ----------
    E. Candes and T. Tao, "Near-optimal signal recovery from random projections", IEEE TIT 52(12), 2006.
    """

    name: ClassVar[str] = "random compression"
    keep: int = 2**26

    def _forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        parts = [flat @ rows.mT for rows in self._rows(x)]
        return torch.cat(parts, dim=1)[:, None, None]

    def _adjoint(self, y: Tensor) -> Tensor:
        answer = y.new_zeros(y.shape[0], self.pixels)
        start = 0
        for rows in self._rows(y):
            answer += y[:, 0, 0, start : start + len(rows)] @ rows
            start += len(rows)
        return answer.view(-1, *self.size)

    def _rows(self, like: Tensor) -> Iterator[Tensor]:
        """Yield the rows of G, some at a time."""
        if self.measurements * self.pixels <= self.keep:
            yield self._once("rows", like, lambda: torch.cat(list(self._drawn())))
            return
        for rows in self._drawn():
            yield rows.to(like)

    def _drawn(self) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(self.seed)
        step = max(1, BLOCK // self.pixels)
        for start in range(0, self.measurements, step):
            count = min(step, self.measurements - start)
            yield torch.randn(count, self.pixels, generator=generator) / math.sqrt(self.measurements)


@dataclass(frozen=True)
class StructuredCompression(Compression):
    """A x = sqrt(N / m) S C D x: random signs D, the cosine transform C, and m random rows S.

    As good as a random matrix for most purposes, at the cost of one FFT and without a matrix. Its rows are
    orthogonal, A A* = N / m.

    References
    ----------
    J. Tropp, "Improved analysis of the subsampled randomized Hadamard transform", 2011; the cosine
    transform by one FFT: J. Makhoul, IEEE TASSP 28(1), 1980.
    """

    name: ClassVar[str] = "structured compression"

    def _forward(self, x: Tensor) -> Tensor:
        mixed = _cosine(x.flatten(1) * self._signs(x), self._twiddle(x))
        return mixed.index_select(1, self._chosen(x))[:, None, None] * self._gain

    def _adjoint(self, y: Tensor) -> Tensor:
        mixed = y.new_zeros(y.shape[0], self.pixels)
        mixed.index_copy_(1, self._chosen(y), y[:, 0, 0] * self._gain)
        return (_cosine_back(mixed, self._twiddle(y)) * self._signs(y)).view(-1, *self.size)

    @property
    def _gain(self) -> float:
        return math.sqrt(self.pixels / self.measurements)

    def _signs(self, like: Tensor) -> Tensor:
        return self._once(
            "signs", like, lambda: 2.0 * torch.randint(2, (self.pixels,), generator=self._dice(0)) - 1
        )

    def _chosen(self, like: Tensor) -> Tensor:
        return self._once(
            "chosen", like, lambda: torch.randperm(self.pixels, generator=self._dice(1))[: self.measurements]
        )

    def _twiddle(self, like: Tensor) -> Tensor:
        """Return exp(-i pi k / 2N)."""
        return self._once("twiddle", like, lambda: _turned(self.pixels))

    def _dice(self, stream: int) -> torch.Generator:
        return torch.Generator().manual_seed(2 * self.seed + stream)


def _turned(count: int) -> Tensor:
    angle = torch.arange(count, dtype=torch.float64) * (-math.pi / (2 * count))
    return torch.polar(torch.ones_like(angle), angle)


def _cosine(x: Tensor, twiddle: Tensor) -> Tensor:
    """Return the orthonormal cosine transform (DCT-II) along the last axis."""
    folded = torch.cat([x[..., ::2], x[..., 1::2].flip(-1)], dim=-1)
    answer: Tensor = (torch.fft.fft(folded) * twiddle).real * math.sqrt(2 / x.shape[-1])
    answer[..., 0] *= math.sqrt(0.5)
    return answer


def _cosine_back(x: Tensor, twiddle: Tensor) -> Tensor:
    """Undo `_cosine`, which is also its adjoint."""
    count = x.shape[-1]
    x = x * math.sqrt(count / 2)
    x[..., 0] *= math.sqrt(2)
    half = count // 2 + 1
    backwards = torch.cat([torch.zeros_like(x[..., :1]), x[..., 1:].flip(-1)], dim=-1)
    spectrum = torch.complex(x[..., :half], -backwards[..., :half]) * twiddle[:half].conj()
    folded = torch.fft.irfft(spectrum, count)
    answer = torch.empty_like(x)
    answer[..., ::2] = folded[..., : (count + 1) // 2]
    answer[..., 1::2] = folded[..., (count + 1) // 2 :].flip(-1)
    return answer
