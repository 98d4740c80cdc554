"""Blur by a point-spread function, by FFT, with a border that is said aloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.errors import InputError, one_of, quoted
from untaught.operators.base import LinearOperator, Operator, Shape, by
from untaught.operators.cut import Cut, Window
from untaught.operators.traits import Traits

Rule = Callable[[Tensor, int], Tensor]

SUM_TOLERANCE = 1e-3  # a point-spread function that sums to one up to this was only rounded


def _mirrored(at: Tensor, size: int) -> Tensor:
    at = at % (2 * size)
    return torch.where(at < size, at, 2 * size - 1 - at)


# Which pixel stands at a place beyond the border.
BORDERS: dict[str, Rule | None] = {
    "valid": None,
    "reflect": _mirrored,
    "replicate": lambda at, size: at.clamp(0, size - 1),
    "circular": lambda at, size: at % size,
}


@dataclass(frozen=True, eq=False)
class Blur(LinearOperator):
    """A x = h * x: convolution with a point-spread function.

    y_i = sum_k h_k x_{i + c - k},  c = size of h // 2 along each axis,

    which is `scipy.ndimage.convolve`, for sizes odd and even.

    Attributes
    ----------
    psf : Tensor
        The point-spread function h, not negative and of sum one: (kh, kw), (1, 1, kh, kw), or (1, C, kh, kw)
        where it differs between channels. Kept with four axes.
    border : str
        What lay beyond the border of the picture.

        "valid" (the default): the scene went on, and the camera saw a part of it. The picture x is the scene,
        kh - 1 by kw - 1 pixels larger than the measurement, and `visible` is the part of it in the frame.
        This is the default as it is the only one that holds for a photograph: light from outside did blur
        into the frame, and any rule about what is there costs ringing along the border.

        "reflect" (d c b a | a b c d | d c b a), "replicate" (a a a a | a b c d | d d d d) and "circular"
        (a b c d | a b c d | a b c d): measurement and picture have the same size. Right for measurements that
        were made so by a program.

    Raises
    ------
    InputError
        For what `check_psf` refuses, a border of another name, or a PSF that is larger than the measurement.

    Notes
    -----
    The FFT is taken over the picture and its border, so nothing wraps around; the cost hardly depends on
    the size of h.
    """

    name: ClassVar[str] = "blur"
    traits: ClassVar[Traits] = Traits(smooths=True)
    psf: Tensor = field(repr=False)
    border: str = "valid"

    def __post_init__(self) -> None:
        object.__setattr__(self, "psf", check_psf(self.psf))
        if not one_of(self.border, BORDERS):
            raise InputError(f"there is no border {quoted(self.border)}; choose {', '.join(BORDERS)}")

    def shape(self, x_shape: Shape) -> Shape:
        """Return the shape of the measurement."""
        trimmed = (a - b for a, b in zip(x_shape[-2:], self._margin, strict=True))
        y_shape = (*x_shape[:2], *trimmed)
        self._check(y_shape)
        return y_shape

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return the shape of the picture; of the larger scene where the border is "valid"."""
        self._check(y_shape)
        grown = (a + b for a, b in zip(y_shape[-2:], self._margin, strict=True))
        return (*y_shape[:2], *grown)

    @property
    def cut(self) -> Cut:
        """See `Composable`; beyond a window the scene goes on, but for borders that a program made."""
        reach, larger = max(side // 2 for side in self.psf.shape[-2:]), self.border in ("valid", "circular")
        return Cut(reach=reach, lost=0 if larger else reach, larger=larger)

    def part(self, window: Window) -> Operator:
        """See `Composable`; a circular border is one beyond which the scene goes on, where nobody knows how."""
        return replace(self, border="valid") if self.border == "circular" else self

    def initial(self, y: Tensor) -> Tensor:
        """Return `y`, mirrored beyond the frame where the scene is larger."""
        shape = self.picture_shape(y.shape)
        if shape == tuple(y.shape):
            return y
        for axis in (-2, -1):
            y = y.index_select(axis, self._beyond(axis, y.shape[axis], _mirrored, y))
        return y

    def visible(self, x: Tensor) -> Tensor:
        """Return the part of the scene that lies in the frame: of the size of the measurement."""
        self.shape(x.shape)
        for axis, margin in zip((-2, -1), self._margin, strict=True):
            x = x.narrow(axis, self._before(axis) if margin else 0, x.shape[axis] - margin)
        return x

    @property
    def _margin(self) -> tuple[int, int]:
        """By how much the picture is larger than the measurement, along both axes."""
        rows, columns = self.psf.shape[-2:]
        return (rows - 1, columns - 1) if self.border == "valid" else (0, 0)

    def _check(self, y_shape: Shape) -> None:
        size, (height, width) = self.psf.shape[-2:], y_shape[-2:]
        if size[0] > height or size[1] > width:
            raise InputError(
                f"the PSF is {by(*size)} pixels and the picture {by(height, width)}: crop the PSF to where it is "
                "above zero, it must not be larger than the picture"
            )
        if self.psf.shape[1] not in (1, y_shape[1]):
            raise InputError(f"the PSF has {self.psf.shape[1]} channels and the picture has {y_shape[1]}")

    def _before(self, axis: int) -> int:
        """Return how many pixels before the first one of the measurement have a part in it."""
        size = self.psf.shape[axis]
        return size - 1 - size // 2

    def _beyond(self, axis: int, size: int, rule: Rule, like: Tensor) -> Tensor:
        """Return which of `size` pixels stands at each place of the axis and its border."""
        first = -self._before(axis)
        last = size + self.psf.shape[axis] - 1 + first
        return self._once((axis, size), like, lambda: rule(torch.arange(first, last), size))

    def _forward(self, x: Tensor) -> Tensor:
        rule = BORDERS[self.border]
        if rule is not None:
            for axis in (-2, -1):
                x = x.index_select(axis, self._beyond(axis, x.shape[axis], rule, x))
        sizes, spectrum = self._spectrum(x.shape, x)
        wide: Tensor = torch.fft.irfft2(torch.fft.rfft2(x, s=sizes) * spectrum, s=sizes)
        rows, columns = self.psf.shape[-2:]
        return wide[..., rows - 1 : x.shape[-2], columns - 1 : x.shape[-1]]

    def _adjoint(self, y: Tensor) -> Tensor:
        rows, columns = self.psf.shape[-2:]
        sizes, spectrum = self._spectrum((y.shape[-2] + rows - 1, y.shape[-1] + columns - 1), y)
        padded = F.pad(y, (columns - 1, 0, rows - 1, 0))
        wide: Tensor = torch.fft.irfft2(torch.fft.rfft2(padded, s=sizes) * spectrum.conj(), s=sizes)
        x = wide[..., : padded.shape[-2], : padded.shape[-1]]
        rule = BORDERS[self.border]
        if rule is None:
            return x
        for axis in (-2, -1):
            size = list(x.shape)
            size[axis] = y.shape[axis]
            index = self._beyond(axis, y.shape[axis], rule, x)
            x = x.new_zeros(size).index_add_(axis, index, x)
        return x

    def _spectrum(self, size: Shape, like: Tensor) -> tuple[tuple[int, int], Tensor]:
        """Return sizes that the FFT is fast at, at least the last two of `size`, and the PSF's transform."""
        from scipy.fft import next_fast_len

        sizes = next_fast_len(size[-2], True), next_fast_len(size[-1], True)
        return sizes, self._once(sizes, like, lambda: torch.fft.rfft2(self.psf.double(), s=sizes))


def check_psf(psf: Any) -> Tensor:
    """Return a point-spread function as float32 (1, C, kh, kw) that sums to one.

    Raises
    ------
    InputError
        For an array of another form, for values that are negative or not finite, and for a sum that is
        more than 0.001 away from one.
    """
    found = torch.as_tensor(psf).detach().double()
    if found.ndim == 2:
        found = found[None, None]
    if found.ndim != 4 or found.shape[0] != 1 or found.numel() == 0:
        raise InputError(f"the PSF has the shape {tuple(found.shape)}; give (height, width)")
    if not bool(torch.isfinite(found).all()):
        raise InputError("the PSF holds NaN or infinity; give finite values only")
    if bool((found < 0).any()):
        raise InputError(
            f"the PSF goes down to {float(found.min()):.3g}; light is never negative, so subtract its background "
            "and set what is below zero to zero"
        )
    sums = found.sum((-2, -1), keepdim=True)
    worst = float(sums.flatten()[(sums - 1).abs().argmax()])
    if abs(worst - 1) > SUM_TOLERANCE:
        advice = "divide it by its sum" if worst > 0 else "it is zero everywhere"
        raise InputError(f"the PSF sums to {worst:.6g} and has to sum to 1: {advice}")
    return (found / sums).float()
