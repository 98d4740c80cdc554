"""What every law of noise answers. One more is a file beside this one and a word in `registry.MODELS`.

It has to say `std`, and how it is written (`form`, `parse`); all else that is asked here has an answer that is
right for white noise that is added to the picture and near to normal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.belief import ROUNDING, believed
from untaught.noise.models.censored import Clip
from untaught.noise.models.moments import Moments
from untaught.noise.models.words import Words

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Values = NDArray[np.float64]
Split = tuple[NDArray[Any], NDArray[Any]]
Kernel = tuple[tuple[float, ...], ...]

MISFIT = 0.2
DIGITS = range(6, 18)  # of numbers that are written down; with 17 hardly any is lost
SAME_PLACE = 1e-6  # of the range of values, within which a cut is at 0 or at 1


@dataclass(frozen=True, kw_only=True)
class NoiseModel(Moments):
    """A law of the observed value y given the clean value x, both in [0, 1] units.

    Attributes
    ----------
    kind : str
        Name of the law.
    form : str
        How it is written, by way of example: a word, which is read as well as `kind`, and what stands behind it.
    takes : tuple of int
        How many numbers can stand there.
    white : bool
        Whether it is added, of a known law, and independent from pixel to pixel.
    shared : bool
        Whether neighbouring pixels share it.
    recorruptible : bool
        Whether it is added and can be drawn again, so that y can be recorrupted.
    replaces : bool
        Whether it replaces values instead of adding to them: those that were hit hold nothing of the picture and
        are missing, the others are clean.
    levels, positions : tuple of str
        Its fields that are differences of values, such as deviations, and those that are places among them, such
        as black, which may be negative: what `moved` changes.
    relative_error : float
        One standard error of the variance, divided by the variance; 0 where the noise was given.
    clip : tuple of bool
        Whether values were cut at 0 and at 1.
    channel_correlation : float
        Of the noise of two of three channels at one pixel, from 0 to 1; the same of all pairs.

    Notes
    -----
    Where values are clipped, y = min(1, max(0, x + s(x) n)) with n standard normal, and `mean` and
    `variance` are those of y, not of the noise before the cut; see `Moments`.
    """

    kind: ClassVar[str]
    form: ClassVar[str]
    takes: ClassVar[tuple[int, ...]] = (1,)
    white: ClassVar[bool] = True
    shared: ClassVar[bool] = False
    recorruptible: ClassVar[bool] = True
    levels: ClassVar[tuple[str, ...]] = ()
    positions: ClassVar[tuple[str, ...]] = ()
    relative_error: float = 0.0
    clip: Clip = (False, False)
    channel_correlation: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.clip
        object.__setattr__(self, "clip", (bool(low), bool(high)))
        for entry in fields(self):
            value = getattr(self, entry.name)
            signed = entry.name in self.positions
            if isinstance(value, int | float) and not (math.isfinite(value) and (signed or value >= 0)):
                raise InputError(
                    f"The {entry.name} of {self.kind} noise is {value}; give a number that is "
                    f"finite{'' if signed else ' and not negative'}."
                )
        if self.channel_correlation > 1:
            raise InputError(
                f"The channels cannot share {self.channel_correlation} of their noise; give 1 at most."
            )

    @property
    def uniform(self) -> bool:
        """Whether its standard deviation before clipping is the same at every brightness."""
        return False

    @property
    def processed(self) -> bool:
        """Whether it was measured in what a camera had processed: what was taken away or put in cannot be seen."""
        return False

    @property
    def quantum(self) -> float:
        """Return the value of one photo-electron; 0 where none are counted."""
        return 0.0

    @property
    def texture_error(self) -> float:
        """Return the relative error of its variance that comes from texture where there is next to no noise."""
        return 0.0

    def scaled(self, factor: float, relative_error: float) -> Self:
        """Return the law with its variance times `factor`, which is known to `relative_error`.

        Raises
        ------
        TypeError
            Where the variance does not scale.
        """
        raise TypeError(f"no variance to scale in {self.kind} noise")

    def moved(self, factor: float, shift: float) -> Self:
        """Return the law of z = factor y + shift, given factor x + shift, where this is the law of y given x.

        Values that were cut are said to be so only where the cut still lies at 0 or at 1: a law has no other ends.

        Raises
        ------
        ValueError
            If the factor is not above 0.
        TypeError
            Where the law does not say what of it is a level or a position.
        """
        if not (math.isfinite(factor) and factor > 0 and math.isfinite(shift)):
            raise ValueError(f"a law is moved by a positive factor and a shift, not by {factor} and {shift}")
        low, high = self.clip
        kept = low and abs(shift) < SAME_PLACE, high and abs(factor + shift - 1) < SAME_PLACE
        return replace(self, clip=kept, **self._moved(factor, shift))

    def sample(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw y given clean `x`, an array (H, W) or (H, W, C) in [0, 1] units; dtype of `x`."""
        noise = np.asarray(self.std(x)) * self._in_common(self._standard(x.shape, rng), -1)
        return self._cut(x + noise).astype(x.dtype)

    def draw(
        self, shape: Sequence[int], generator: torch.Generator, device: torch.device, around: bool = False
    ) -> Tensor:
        """Draw noise of unit level and its correlation, (1, C, H, W), going `around` the edges if asked to."""
        import torch

        drawn: Tensor = self._in_common(torch.randn(tuple(shape), generator=generator).to(device), 1)
        return drawn

    @property
    def recorruption(self) -> str:
        """How y is taken apart best: by a law that `split` knows, or "gaussian", by adding noise."""
        return "gaussian"

    def split(self, law: str, y: Values, share: float, rng: np.random.Generator) -> Split | None:
        """Return (yhat, ytilde), independent given x and both of mean x, with `share` of what y tells in ytilde.

        None where y was not made by this law.
        """
        return None

    def hit(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which values, (H, W, C), were replaced."""
        return np.zeros(values.shape, np.bool_)

    @property
    def reach(self) -> tuple[int, int]:
        """Return how many rows and columns away pixels share a part of their noise that matters."""
        return 0, 0

    @property
    def endless(self) -> bool:
        """Whether pixels share it as far as it was measured, and may share it further: along whole rows, say."""
        return False

    @property
    def turns(self) -> bool:
        """Whether a picture may be flipped and turned by 90 degrees without changing the law of its noise."""
        return True

    def kernels(self, channels: int) -> tuple[tuple[float, Kernel], ...]:
        """Return the share of the variance and the kernel that white noise is convolved with, of every channel.

        Of three channels they are those of `opponent_colours`.
        """
        return tuple((share, ((1.0,),)) for share in self.shares(channels))

    def shares(self, channels: int) -> tuple[float, ...]:
        """Return the variance of grey and the two colour differences over that of a channel; 1 but of three."""
        shared = self.channel_correlation
        return (1 + 2 * shared, 1 - shared, 1 - shared) if channels == 3 else (1.0,) * channels

    def correlation(self, lag: tuple[int, int]) -> float:
        """Return the correlation of the noise of pixels so many rows and columns apart, of either sign."""
        return float(lag == (0, 0))

    @property
    def pixel_levels(self) -> NDArray[np.float64] | None:
        """Return how the level differs from pixel to pixel, (H, W); None where it does not."""
        return None

    def with_pixel_levels(self, levels: NDArray[Any]) -> Self:
        """Return the law of a picture that was cut or turned as `pixel_levels` were to give `levels`."""
        return self

    def part(self, window: Sequence[slice], shape: tuple[int, int] | None = None) -> Self:
        """Return the law of a part of the picture; the last two slices of `window` are of rows and columns.

        `shape` is that of the picture, (H, W), where the levels may be of a smaller one.
        """
        levels = self.pixel_levels
        return self if levels is None else self.with_pixel_levels(levels[tuple(window[-2:])])

    def subsampled(self) -> NoiseModel:
        """Return the law of every n-th pixel, n beyond `reach`."""
        return self

    @property
    def level(self) -> float:
        """Root mean square of the standard deviation before clipping, for x from 1/4 to 3/4."""
        middle = np.linspace(0.25, 0.75, 101)
        return float(np.sqrt(np.mean(np.square(self.std(middle)))))

    @property
    def misfit(self) -> float:
        """Return the relative error of a squared error that is stated under the law, beyond that of its level.

        Noise of sensors is never quite of the form of a law that was measured. In 12 pictures of microscopes what
        was stated was off by 1.0 dB at the root, two of them left out whose light had changed.
        """
        return 0.0 if self.uniform or self.replaces or not self.relative_error else MISFIT

    @property
    def negligible(self) -> bool:
        """Whether it is so weak that there is nothing to remove."""
        return not believed(self.level, ROUNDING)

    @property
    def leaves_clean(self) -> bool:
        """Whether what was measured, and not replaced, is the picture itself."""
        return self.replaces or self.negligible

    @classmethod
    def parse(cls, words: Words) -> Self:
        """Return the law from what was written behind its name.

        Raises
        ------
        InputError
            If it makes no sense.
        """
        raise NotImplementedError

    def written(self, digits: int) -> str:
        """Return what `parse` reads, to so many digits: the level on the 0..255 scale."""
        return f"{self.level * 255:.{digits}g}"

    def spellings(self) -> Iterator[str]:
        """Yield ways to write it, the shortest first: with more and more digits."""
        return map(self.written, DIGITS)

    def describe(self) -> str:
        """Return one sentence for a person; levels are on the 0..255 scale."""
        return f"{self._what()}{self._channel_words()}{self._cut_words()}{self._error_words()}."

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-able summary; `sigma`, `gain` and `read` are on the 0..255 scale."""
        return {
            "kind": self.kind,
            "sigma": round(self.level * 255, 4),
            **self._parameters(),
            "channel_correlation": round(self.channel_correlation, 4),
            "relative_error": round(self.relative_error, 5),
            "clip": list(self.clip),
            "description": self.describe(),
        }

    def _moved(self, factor: float, shift: float) -> dict[str, Any]:
        """Return the fields that `moved` changes, beside `clip`."""
        if not (self.levels or self.positions):
            raise TypeError(f"no levels and no positions to move in {self.kind} noise")
        wider = {name: factor * getattr(self, name) for name in self.levels}
        return wider | {name: factor * getattr(self, name) + shift for name in self.positions}

    def _in_common(self, noise: Any, axis: int) -> Any:
        """Return the root of the correlation of three channels, which lie on an axis, times independent noise."""
        if not self.channel_correlation or noise.shape[axis] != 3:
            return noise
        grey, colour, _ = (share**0.5 for share in self.shares(3))
        return colour * noise + (grey - colour) * noise.mean(axis, keepdims=True)

    def _standard(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.standard_normal(shape)

    def _cut(self, y: NDArray[Any]) -> NDArray[Any]:
        low, high = self.clip
        return np.asarray(np.clip(y, 0.0 if low else -np.inf, 1.0 if high else np.inf))

    def _parameters(self) -> dict[str, Any]:
        return {}

    def _what(self) -> str:
        return f"Noise of level {self.level * 255:.1f} (of 255)"

    def _channel_words(self) -> str:
        shared = self.channel_correlation
        return f", shared by the channels (correlation {shared:.2f})" if shared else ""

    def _cut_words(self) -> str:
        low, high = self.clip
        if not (low or high):
            return ""
        ends = "black and at white" if low and high else "black" if low else "white"
        return f", cut off at {ends}"

    def _error_words(self) -> str:
        return f", level good to {50 * self.relative_error:.1f} %" if self.relative_error else ""
