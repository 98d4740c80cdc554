"""Gaussian noise that neighbouring pixels share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.models.base import DIGITS, Kernel, NoiseModel
from untaught.noise.models.curves import Curve, along, curve
from untaught.noise.models.gaussian import Gaussian, constant
from untaught.noise.models.moments import T
from untaught.noise.models.piecewise import namespace
from untaught.noise.models.words import Words

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MOST_WEIGHT = 1e6  # in a kernel, whose scale does not matter
WIDEST = 100.0  # pixels of a Gaussian kernel that can be written

# Correlation at the last lag that was measured, from which on it may go on. Of noise in whole columns, and in
# streaks of 9 and 25 pixels, the measured law keeps .55 to .60, of streaks of 5 pixels .42 to .50, blurred over
# 1.5 pixels .25 to .30.
ENDLESS = 0.53
UNSURE = 0.6  # relative error of a variance of which a part may as well be the picture


@dataclass(frozen=True)
class Correlated(NoiseModel):
    """Gaussian noise that neighbouring pixels share: y = x + s(x) (kernel * n), * a convolution.

        s(x)^2 = sigma^2 v(x),   v piecewise linear through the pairs (x, v) of `shades`, constant beyond them

    `kernel` is any 2-D array of numbers; it is held normalised to unit l2 norm, so that `sigma` is the standard
    deviation of one pixel where v is 1: in mid-grey, for shades at black and white. What a camera gives is of this
    kind: noise that depends on brightness before the mosaic is filled in, and colours that were smoothed more than
    brightness.

    Attributes
    ----------
    shades : tuple of (float, float)
        Brightness, rising, and variance there, held to a mean of 1; empty where all are alike.
    colours : tuple of (float, kernel)
        Of three channels: for grey, red - blue and green - magenta (`noise.opponent_colours.OPPONENT`) the
        variance, held to a mean of 1, and the kernel; empty where all are alike.
    """

    kind: ClassVar[str] = "correlated"
    form: ClassVar[str] = "correlated:25,WIDTH"
    takes: ClassVar[tuple[int, ...]] = (2,)
    white: ClassVar[bool] = False
    shared: ClassVar[bool] = True
    levels: ClassVar[tuple[str, ...]] = ("sigma",)
    sigma: float
    kernel: Kernel
    shades: Curve = ()
    colours: tuple[tuple[float, Kernel], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        shades = curve(self.shades)
        shares = _relative([share for share, _ in self.colours])
        if len(shares) not in (0, 3):
            raise InputError("Give correlated noise no colours or three.")
        variances = _relative([variance for _, variance in shades])
        places = [place for place, _ in shades] if len(set(variances)) > 1 else []
        kernels = [unit_norm(kernel) for _, kernel in self.colours]
        object.__setattr__(self, "kernel", unit_norm(self.kernel))
        object.__setattr__(self, "shades", tuple(zip(places, variances[: len(places)], strict=True)))
        object.__setattr__(self, "colours", tuple(zip(shares, kernels, strict=True)))

    @property
    def processed(self) -> bool:
        """See `NoiseModel`; what differs between colours, or is so unsure, is only measured in such pictures."""
        return self.relative_error > 0 and (bool(self.colours) or self.relative_error >= UNSURE)

    @property
    def uniform(self) -> bool:
        """See `NoiseModel`."""
        return not self.shades

    def std(self, x: T) -> T:
        """Return sigma sqrt(v(x)), v the curve of `shades`; `sigma` everywhere where there are none."""
        if self.uniform:
            return constant(x, self.sigma)
        answer: T = self.sigma * namespace(x).sqrt(along(x, self.shades))
        return answer

    def scaled(self, factor: float, relative_error: float) -> Self:
        """See `NoiseModel`."""
        return replace(self, sigma=self.sigma * math.sqrt(max(factor, 0.0)), relative_error=relative_error)

    @property
    def reach(self) -> tuple[int, int]:
        """See `NoiseModel`."""
        from untaught.noise.coloured_noise import shared

        return shared(self)

    @property
    def endless(self) -> bool:
        """See `NoiseModel`; what was given ends where its kernel does."""
        down, across = len(self.kernel) // 2, len(self.kernel[0]) // 2
        far = max(self.correlation((down, 0)), self.correlation((0, across)))
        return self.relative_error > 0 and not self.colours and far > ENDLESS

    @property
    def turns(self) -> bool:
        """See `NoiseModel`; by 180 degrees any may be turned: a covariance is symmetric."""
        kernel = np.asarray(self.kernel)
        alike = kernel.shape[0] == kernel.shape[1] and np.allclose(kernel, np.rot90(kernel))
        return bool(alike and np.allclose(kernel, kernel[:, ::-1]))

    def kernels(self, channels: int) -> tuple[tuple[float, Kernel], ...]:
        """See `NoiseModel`."""
        if len(self.colours) == channels:
            return self.colours
        return tuple((share, self.kernel) for share in self.shares(channels))

    def correlation(self, lag: tuple[int, int]) -> float:
        """See `NoiseModel`."""
        k = np.asarray(self.kernel)
        (h, w), (down, right) = k.shape, lag
        if down < 0:
            down, right = -down, -right
        if right < 0:
            k, right = k[:, ::-1], -right
        if down >= h or right >= w:
            return 0.0
        return float((k[down:, right:] * k[: h - down, : w - right]).sum() / (k * k).sum())

    def subsampled(self) -> NoiseModel:
        """See `NoiseModel`: white."""
        return Gaussian(self.sigma, clip=self.clip, channel_correlation=self.channel_correlation)

    def draw(
        self, shape: Sequence[int], generator: torch.Generator, device: torch.device, around: bool = False
    ) -> Tensor:
        """See `NoiseModel`."""
        from untaught.noise.coloured_noise import drawn, drawn_around

        found: Tensor = (drawn_around if around else drawn)(shape, self, generator, device)
        mixed: Tensor = found if len(self.colours) == shape[1] else self._in_common(found, 1)
        return mixed

    @classmethod
    def parse(cls, words: Words) -> Self:
        """Read a standard deviation on the 0..255 scale, and the width of a Gaussian kernel or a kernel's rows."""
        sigma, kernel = words.level(0), words.numbers[1]
        if "/" in kernel or " " in kernel:
            return cls(sigma, _rows(kernel, words.text), clip=words.clip)
        width = words.number(1, top=WIDEST)
        if width == 0:
            raise InputError(
                f"The kernel of {words.text!r} has no width; write gaussian:{words.numbers[0]} for that."
            )
        return cls(sigma, tuple(map(tuple, gaussian_kernel(width))), clip=words.clip)

    def written(self, digits: int) -> str:
        """See `NoiseModel`."""
        rows = "/".join(" ".join(f"{v:.{digits}g}" for v in row) for row in self.kernel)
        return f"{self.sigma * 255:.{digits}g},{rows}"

    def spellings(self) -> Iterator[str]:
        """See `NoiseModel`; a kernel by its width first, if it is a Gaussian."""
        middle = np.array(self.kernel[len(self.kernel) // 2])
        beside = middle[len(middle) // 2 :][:2]
        if len(beside) == 2 and 0 < beside[1] < beside[0]:
            width = (2 * math.log(beside[0] / beside[1])) ** -0.5
            level = f"{self.sigma * 255:.{DIGITS[0]}g}"
            yield from (f"{level},{width:.{digits}g}" for digits in DIGITS if width < WIDEST)
        yield self.written(DIGITS[0])

    def _standard(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        from scipy.signal import fftconvolve

        kernel = np.asarray(self.kernel)
        kernel = kernel.reshape(kernel.shape + (1,) * (len(shape) - 2))
        down, across = len(self.kernel) - 1, len(self.kernel[0]) - 1
        wide = rng.standard_normal((shape[0] + down, shape[1] + across, *shape[2:]))
        return np.asarray(fftconvolve(wide, kernel, mode="valid", axes=(0, 1)))

    def _moved(self, factor: float, shift: float) -> dict[str, Any]:
        shades = tuple((factor * place + shift, variance) for place, variance in self.shades)
        return {**super()._moved(factor, shift), "shades": shades}

    def _parameters(self) -> dict[str, Any]:
        return {
            "kernel": [list(row) for row in self.kernel],
            "shades": [list(pair) for pair in self.shades],
            "colours": [round(share, 4) for share, _ in self.colours],
        }

    def _what(self) -> str:
        return f"Noise of level {self.sigma * 255:.1f} (of 255) shared between neighbouring pixels"


def _relative(variances: Sequence[float]) -> list[float]:
    """Return variances over their mean."""
    numbers = np.asarray(variances, dtype=np.float64)
    if not (np.isfinite(numbers).all() and (numbers >= 0).all() and (numbers.sum() > 0 or not len(numbers))):
        raise InputError("The variances of shades and colours are numbers, not negative and not all zero.")
    return [float(v) for v in numbers / numbers.mean()] if len(numbers) else []


def unit_norm(kernel: Any) -> Kernel:
    """Return rows of numbers at unit l2 norm.

    Raises
    ------
    InputError
        If it is no 2-D array of finite numbers, or all are zero.
    """
    taps = np.asarray(kernel, dtype=np.float64)
    norm = float(np.sqrt(np.square(taps).sum())) if taps.ndim == 2 else 0.0
    if not (math.isfinite(norm) and norm > 0):
        raise InputError("A noise kernel is a 2-D array of finite numbers that are not all zero.")
    return tuple(tuple(float(v) for v in row) for row in taps / norm)


def gaussian_kernel(width: float) -> NDArray[np.float64]:
    """Return a Gaussian of standard deviation `width` pixels, odd and square, cut at 3 widths."""
    reach = max(1, math.ceil(3 * width))
    line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel = np.outer(line, line)
    return np.asarray(kernel / np.sqrt(np.square(kernel).sum()))


def _rows(word: str, text: str) -> Kernel:
    try:
        rows = tuple(tuple(float(v) for v in row.split()) for row in word.split("/"))
    except ValueError:
        rows = ()
    if not rows or len({len(row) for row in rows}) != 1 or not np.isfinite(rows).all():
        raise InputError(
            f"The kernel in {text!r} is not rows of equally many finite numbers separated by '/'; "
            "write for example correlated:25,1 2 1/2 4 2/1 2 1."
        )
    if np.abs(rows).max(initial=0) >= MOST_WEIGHT:
        raise InputError(
            f"The kernel in {text!r} has weights that are too large: they have to be below {MOST_WEIGHT:g}."
        )
    return rows
