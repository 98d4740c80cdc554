"""Photon counting and read-out noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from untaught.noise.models.base import NoiseModel, Split, Values
from untaught.noise.models.counted import LEAST_READ, MOST_COUNTS, kernels, last_cut, place, shifts
from untaught.noise.models.moments import T
from untaught.noise.models.piecewise import interpolate, namespace
from untaught.noise.models.words import Words, pedestal

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PoissonGaussian(NoiseModel):
    """Photon counting and read-out noise: Var[y | x] = gain max(0, x - offset) + read^2 before clipping.

    `gain` is the value of one photo-electron, `read` a standard deviation, `offset` what is read where there is no
    light, a camera's pedestal, which may lie below black; all in [0, 1] units.
    """

    kind: ClassVar[str] = "poisson-gaussian"
    form: ClassVar[str] = "poisson:GAIN[,READ[,OFFSET]]"
    takes: ClassVar[tuple[int, ...]] = (1, 2, 3)
    levels: ClassVar[tuple[str, ...]] = ("gain", "read")
    positions: ClassVar[tuple[str, ...]] = ("offset",)
    gain: float
    read: float = 0.0
    offset: float = 0.0

    def std(self, x: T) -> T:
        """Return sqrt(gain (x - offset) + read^2), x below the offset counted as it."""
        answer: T = namespace(x).sqrt(self._counted(x))
        return answer

    def mean(self, x: T) -> T:
        """Return E[y | x], shape of `x`: counts are never negative, so without read-out noise black is not cut."""
        if not self._few:
            return super().mean(x)
        value: Any = x
        nodes, shift, _ = shifts(self.gain, self.read, self.offset, self.clip)
        answer: T = value + interpolate(value, nodes, shift)
        return answer

    def variance(self, x: T) -> T:
        """Return Var[y | x], what clipping removes taken into account; shape of `x`."""
        if not self._few:
            return super().variance(x)
        nodes, _, variance = shifts(self.gain, self.read, self.offset, self.clip)
        value: Any = x
        answer: T = interpolate(value, nodes, variance)
        if self.clip[1]:
            return answer
        brighter: T = namespace(x).where(value > nodes[-1], self._counted(value), answer)
        return brighter

    def variance_from(self, y: T) -> T | None:
        """Return gain (y - offset) + read^2, y below the offset counted as it; None where values were cut off."""
        return None if any(self.clip) else self._counted(y)

    def stein_kernel(self, y: Tensor, mean: Tensor) -> Tensor:
        """See `NoiseModel`; where photons were counted, and few, it is `counted.kernels`."""
        if not self.counts:
            return super().stein_kernel(y, mean)
        import torch

        table = torch.as_tensor(kernels(self.gain, self.offset, self.clip), device=y.device)
        nodes, counts = table.shape
        at = place(self.unclip(mean).double(), self.offset)
        below = at.floor().long().clamp(0, nodes - 2)
        k = ((y.double() - self.offset) / self.gain).round().long().clamp(0, counts - 1)
        if self.clip[0]:
            k[y <= 0] = last_cut(self.gain, self.offset, self.clip)
        tau = torch.lerp(table[below, k], table[below + 1, k], at - below)
        return torch.where((y >= 1) & self.clip[1], torch.zeros_like(tau), tau).to(y.dtype)

    @property
    def _few(self) -> bool:
        white = 1 - self.offset
        return any(self.clip) and 0 < white < self.gain * MOST_COUNTS

    @property
    def quantum(self) -> float:
        """See `NoiseModel`."""
        return self.gain

    def _counted(self, x: Any) -> Any:
        """Return the variance before clipping."""
        return self.gain * namespace(x).clip(x - self.offset, 0.0, None) + self.read**2

    @property
    def counts(self) -> bool:
        """Whether values are so few counts that no normal law is near to them, and nothing blurs them."""
        return self._few and self.read <= LEAST_READ

    def scaled(self, factor: float, relative_error: float) -> Self:
        """See `NoiseModel`."""
        root = math.sqrt(max(factor, 0.0))
        return replace(self, gain=self.gain * factor, read=self.read * root, relative_error=relative_error)

    def sample(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw y = offset + gain Poisson((x - offset) / gain) + read n, then clip; dtype of `x`.

        Channels share no photons: where they share noise, it was made of several, and is normal.
        """
        if self.channel_correlation:
            return super().sample(x, rng)
        light = np.maximum(np.asarray(x, dtype=np.float64) - self.offset, 0.0)
        counted = self.gain * rng.poisson(light / self.gain) if self.gain > 0 else light
        return self._cut(self.offset + counted + self.read * rng.standard_normal(x.shape)).astype(x.dtype)

    @property
    def recorruption(self) -> str:
        """See `NoiseModel`."""
        counted = self.gain > 0 and not self.read and not self.channel_correlation
        return "poisson" if counted else super().recorruption

    def split(self, law: str, y: Values, share: float, rng: np.random.Generator) -> Split | None:
        """Return (yhat, ytilde) of "poisson", y = gain k with k Poisson of mean x / gain: the counts are thinned.

            w ~ Binomial(k, share),   ytilde = gain w / share,   yhat = (y - gain w) / (1 - share)

        Variances gain x / (1 - share) and gain x / share; x and all of y less `offset`. What a value is off a
        whole number of counts stays in yhat.
        """
        if law != "poisson" or self.gain <= 0:
            return None
        light = y - self.offset
        counts = np.rint(np.maximum(light, 0) / self.gain).astype(np.int64)
        kept = self.gain * rng.binomial(counts, share)
        return self.offset + (light - kept) / (1 - share), self.offset + kept / share

    @classmethod
    def parse(cls, words: Words) -> Self:
        """Read grey levels per photo-electron, the deviation of the read-out and the offset, all of 255."""
        read = words.level(1) if len(words.numbers) > 1 else 0.0
        offset = words.position(2) if len(words.numbers) > 2 else 0.0
        return cls(words.level(0), read, offset, clip=words.clip)

    def written(self, digits: int) -> str:
        """See `NoiseModel`."""
        offset = f",{self.offset * 255:.{digits}g}" if self.offset else ""
        return f"{self.gain * 255:.{digits}g},{self.read * 255:.{digits}g}{offset}"

    def _parameters(self) -> dict[str, Any]:
        return {"gain": self.gain * 255, "read": self.read * 255, "offset": self.offset * 255}

    def _what(self) -> str:
        dark, bright = (255 * float(self.std(np.array(x))) for x in (0.0, 1.0))
        return (
            f"Poisson-Gaussian noise that grows with brightness, from level {dark:.1f} in black "
            f"to {bright:.1f} in white (of 255){pedestal(self.offset)}"
        )
