"""What is doubtful of a law of noise, by what a picture shows, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from untaught.noise import NoiseModel

ALIKE = 0.2  # relative difference of variances that counts as none
CHANCE = 3.0  # standard errors of it that do
MUCH = 1.3  # of the lowest ratio, from which on the ratios of shades are told apart


@dataclass(frozen=True)
class Shade:
    """A shade of `brightness`: the variance that it shows over the law's, 1 where the two agree, and its error."""

    brightness: float
    factor: float
    error: float

    def near(self, all_of_them: Shade) -> bool:
        """Say whether it shows about what all shades together show."""
        apart = abs(self.factor / all_of_them.factor - 1)
        return apart < max(ALIKE, CHANCE * self.error / all_of_them.factor)


@dataclass(frozen=True)
class Doubt:
    """What a picture shows of its noise that the law of it does not say.

    Attributes
    ----------
    shades : tuple of Shade
        From dark to bright.
    shared : bool
        Whether neighbours share their noise; the shades, of fast waves, say nothing of its level then.
    faint : bool
        Whether instead there may be that little noise: of what is shared widely, as little is seen.
    coarse : bool
        Whether slow waves hold far more, which may be texture and may be noise that neighbours share.
    beside : float
        Variance of white noise that there is beside what neighbours share; 0 where none is told.
    """

    shades: tuple[Shade, ...]
    shared: bool = False
    faint: bool = False
    coarse: bool = False
    beside: float = 0.0

    @property
    def error(self) -> float:
        """Return the relative standard error of the variance that is shown."""
        return max(shade.error / shade.factor for shade in self.shades)

    def factor_at(self, brightness: Tensor) -> Tensor:
        """Return the variance that is shown over the law's, linear between shades; shape of `brightness`."""
        at = brightness.detach().cpu().double().numpy()
        places, factors = zip(*[(shade.brightness, shade.factor) for shade in self.shades], strict=True)
        return torch.from_numpy(np.interp(at, places, factors)).to(brightness)

    def describe(self, noise: NoiseModel) -> str:
        """Return one sentence; `noise` is the law, on the scale on which levels are said."""
        origin = "found" if noise.relative_error else "given"
        if self.coarse:
            return (
                "slow waves hold far more than the noise that was found: that may be texture, and it may be noise "
                "which neighbours share, so no PSNR is stated; give the noise (noise, noise_from) to have one"
            )
        if self.beside:
            times = math.sqrt(1 + self.beside / noise.level**2)
            return (
                f"the picture shows up to {times:.2g} times the noise that was {origin}: white noise, of which "
                "the law says nothing and which stays in the answer"
            )
        if self.faint:
            return f"the picture shows far less of the noise that was {origin}, or noise that neighbours share"
        if self.shared:
            return f"neighbouring pixels share their noise, which the law that was {origin} does not say"
        factors = [shade.factor for shade in self.shades]
        more, less = [told > 1 for told in factors], [told < 1 for told in factors]
        if not any(less) or not any(more):
            off = [told for told in factors if told != 1]
            if len(_places(more)) > 1 or len(_places(less)) > 1 or len(factors) == 1:
                return _by_how_much(off, noise, origin)
        said = [
            f"{word} noise in {' and '.join(_places(which))} places"
            for word, which in (("more", more), ("less", less))
            if any(which)
        ]
        return f"the picture shows {' and '.join(said)} than the law that was {origin} says"


def _by_how_much(factors: list[float], noise: NoiseModel, origin: str) -> str:
    more = min(factors) > 1
    ratios = sorted(math.sqrt(v if more else 1 / v) for v in factors)
    apart = ratios[-1] > MUCH * ratios[0]
    times = f"{ratios[0]:.2g} to {ratios[-1]:.2g}" if apart else f"{float(np.median(ratios)):.2g}"
    said = f"the picture shows {times} times the noise that was {origin}"
    if not more:
        said = f"the noise that was {origin} is {times} times what the picture shows"
    if apart or not noise.uniform:  # a level is the same in all shades
        return said
    shown = noise.level * math.sqrt(float(np.median(factors)))
    return f"{said}: levels of {255 * noise.level:.1f} and {255 * shown:.1f} (of 255)"


def _places(off: list[bool]) -> list[str]:
    """Return which of the shades, from dark to bright, are off: the dark, the bright, or that in the middle."""
    sides = [2 * k - (len(off) - 1) for k, is_off in enumerate(off) if is_off]
    named = ["dark" if side < 0 else "bright" for side in sides if side]
    return list(dict.fromkeys(named)) or ["middling"] * bool(sides)
