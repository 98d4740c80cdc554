"""Down-sampling by a whole factor, antialiased, as exact matrices along rows and columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from untaught.errors import InputError, one_of, quoted
from untaught.operators.base import LinearOperator, Operator, Shape, by
from untaught.operators.cut import Cut, Window

LEAST_SIDE = 8  # pixels; a smaller picture says too little to be enlarged
MOST_PIXELS = 2**32  # of the enlarged picture, which takes 16 bytes a pixel of the disk
MOST_FACTOR = 16  # beyond it hardly anything in the answer comes from the picture; the paper ends at 8


def _lanczos(t: Tensor, lobes: int) -> Tensor:
    return torch.sinc(t) * torch.sinc(t / lobes) * (t.abs() < lobes)


def _cubic(t: Tensor) -> Tensor:
    """Return Keys' kernel with a = -1/2, the one that is exact to third order."""
    t = t.abs()
    inner, outer = 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return torch.where(t < 1, inner, torch.where(t < 2, outer, 0.0))


def _sharp_cubic(t: Tensor) -> Tensor:
    """Return the kernel of the same family with a = -3/4, which OpenCV and PyTorch take."""
    t = t.abs()
    inner, outer = 1.25 * t**3 - 2.25 * t**2 + 1, -0.75 * t**3 + 3.75 * t**2 - 6 * t + 3
    return torch.where(t < 1, inner, torch.where(t < 2, outer, 0.0))


def _box(t: Tensor) -> Tensor:
    return ((t > -0.5) & (t <= 0.5)).double()


@dataclass(frozen=True)
class Kernel:
    """An interpolation kernel.

    Attributes
    ----------
    weight : callable
        Its value at a distance, in pixels of the coarser grid.
    support : float
        It is zero beyond this distance.
    replicate : bool
        Whether the border pixels go on for ever beyond the border; otherwise there is nothing beyond, and
        the weights of what is there are made to sum to one.
    stretched : bool
        Whether it is stretched by the factor; otherwise a pixel is made of those next to its place alone, and what
        is finer than the smaller picture can hold is folded into it (aliasing).
    corner : bool
        Whether the place of a pixel is the first of those it stands for, and not the middle of them.
    """

    weight: Callable[[Tensor], Tensor]
    support: float
    replicate: bool = False
    stretched: bool = True
    corner: bool = False


KERNELS: dict[str, Kernel] = {
    "lanczos2": Kernel(lambda t: _lanczos(t, 2), 2, replicate=True),
    "lanczos3": Kernel(lambda t: _lanczos(t, 3), 3),
    "bicubic": Kernel(_cubic, 2),
    "box": Kernel(_box, 0.5),
    "nearest": Kernel(_box, 0.5, stretched=False, corner=True),
    "linear": Kernel(lambda t: (1 - t.abs()).clamp_min(0), 1, replicate=True, stretched=False),
    "cubic": Kernel(_sharp_cubic, 2, replicate=True, stretched=False),
}


@dataclass(frozen=True)
class Downsample(LinearOperator):
    """A x = R_H x R_W^T: a smaller picture, every pixel a weighted mean of those around its place.

    (R)_ij = k((j + 1/2) / s - i - 1/2) / sum over j,  s = H / h,

    with k the kernel, stretched by the factor so that nothing aliases. "lanczos3" and "bicubic" agree with
    Pillow's LANCZOS and BICUBIC, "box" with its BOX. "lanczos2" is what the deep image prior's experiments
    take: two lobes, centred between pixels where the factor is even, border pixels repeated. "nearest" (every
    `factor`-th pixel), "linear" and "cubic" are not stretched: what OpenCV and PyTorch do unless they are told.

    Attributes
    ----------
    factor : int
        How many times smaller height and width become; 1 or more.
    kernel : str
        "lanczos2", "lanczos3", "bicubic" or "box"; "nearest", "linear" or "cubic" without care for aliasing.
    size : tuple of int or None
        Height and width of the picture, where they are no multiples of the factor; the measurement then
        has H // factor by W // factor pixels, and the scale s is a little more than the factor.

    Raises
    ------
    InputError
        For a factor that is no whole number from 1 on, a kernel of another name, a picture that does not
        divide by the factor where `size` is not given, or one of another size where it is.

    References
    ----------
    D. Ulyanov, A. Vedaldi, V. Lempitsky, "Deep Image Prior", CVPR 2018, section 3.2; K. Turkowski, "Filters
    for common resampling tasks", Graphics Gems, 1990; R. Keys, IEEE TASSP 29(6), 1981.
    """

    name: ClassVar[str] = "downsample"
    factor: int
    kernel: str = "lanczos2"
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not _whole(self.factor):
            raise InputError(f"the factor is {quoted(self.factor)}; give a whole number, such as 2, 4 or 8")
        object.__setattr__(self, "factor", int(self.factor))
        if not one_of(self.kernel, KERNELS):
            raise InputError(f"there is no kernel {quoted(self.kernel)}; choose {', '.join(KERNELS)}")

    def shape(self, x_shape: Shape) -> Shape:
        """Return (1, C, H // factor, W // factor)."""
        size = tuple(x_shape[-2:])
        if self.size is not None and size != tuple(self.size):
            raise InputError(f"the picture is {by(*size)} pixels, and size says {by(*self.size)}")
        if self.size is None and any(side % self.factor for side in size):
            raise InputError(
                f"a picture of {by(*size)} pixels does not divide by {self.factor}; crop it, or give size={size}"
            )
        if min(size) < self.factor:
            raise InputError(f"nothing is left of {by(*size)} pixels when they are divided by {self.factor}")
        return (*x_shape[:2], *(side // self.factor for side in size))

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return (1, C, factor h, factor w), or `size` for the last two where it is given."""
        small = tuple(y_shape[-2:])
        size = tuple(self.size or (side * self.factor for side in small))
        fits = tuple(side // self.factor for side in size)
        if small != fits:
            raise InputError(
                f"a picture of {by(*size)} pixels has {by(*fits)} when made {self.factor} times smaller, and this "
                f"one has {by(*small)}"
            )
        return (*y_shape[:2], *size)

    def initial(self, y: Tensor) -> Tensor:
        """Return the bicubic enlargement of `y`, as Pillow's."""
        return bicubic(y, self.picture_shape(y.shape))

    @property
    def cut(self) -> Cut | None:
        """See `Composable`."""
        if self.size is not None and any(side % self.factor for side in self.size):
            return None
        reach = ceil(KERNELS[self.kernel].support - 0.5)
        return Cut(scale=self.factor, reach=reach, lost=reach)

    def part(self, window: Window) -> Operator:
        """See `Composable`."""
        return replace(self, size=None)

    def coarser(self) -> Downsample | None:
        """Return what gives the same measurement, nearly, of the picture at half the resolution; or None."""
        if self.factor % 2 or self.factor < 4:
            return None
        half = None if self.size is None else (self.size[0] // 2, self.size[1] // 2)
        return Downsample(self.factor // 2, self.kernel, half)

    def _forward(self, x: Tensor) -> Tensor:
        rows, columns = self._matrices(self.shape(x.shape), x.shape, x)
        return rows @ (x @ columns.mT)

    def _adjoint(self, y: Tensor) -> Tensor:
        rows, columns = self._matrices(y.shape, self.picture_shape(y.shape), y)
        return (rows.mT @ y) @ columns

    def _matrices(self, small: Shape, large: Shape, like: Tensor) -> list[Tensor]:
        sizes = zip(large[-2:], small[-2:], strict=True)
        return [matrix(source, target, self.kernel, like.dtype, like.device) for source, target in sizes]


def bicubic(x: Tensor, shape: Shape) -> Tensor:
    """Return the picture (1, C, h, w) resized to the height and width that `shape` ends with, as Pillow does."""
    sizes = zip(x.shape[-2:], shape[-2:], strict=True)
    rows, columns = (matrix(source, target, "bicubic", x.dtype, x.device) for source, target in sizes)
    return rows @ (x @ columns.mT)


@lru_cache(maxsize=32)
def matrix(source: int, target: int, kernel: str, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the (target, source) matrix that resamples `source` pixels into `target`, either way.

    Where pixels get fewer the kernel is stretched, unless it is one that never is; where they get more it is not.
    Rows sum to one.
    """
    entry = KERNELS[kernel]
    scale = source / target
    stretch = max(scale, 1.0) if entry.stretched else 1.0
    margin = int(entry.support * stretch) + 1 if entry.replicate else 0
    first = torch.arange(target, dtype=torch.float64)[:, None]
    centre = (first * scale).floor() + 0.5 if entry.corner else (first + 0.5) * scale
    at = torch.arange(-margin, source + margin)
    weight = entry.weight((at + 0.5 - centre) / stretch)
    weight = weight / weight.sum(1, keepdim=True)
    answer = torch.zeros(target, source, dtype=torch.float64)
    answer.index_add_(1, at.clamp(0, source - 1), weight)
    return answer.to(device, dtype)


def check_factor(factor: Any, height: int, width: int) -> int:
    """Return the factor by which a picture of `height` by `width` pixels can be enlarged.

    Raises
    ------
    InputError
        For factors that are not whole numbers from 2 to 16, for pictures with less than 8 pixels a side,
        and where the answer would be absurdly large.
    """
    if not _whole(factor) or factor > MOST_FACTOR:
        raise InputError(f"the factor is {quoted(factor)}; give a whole number from 2 to {MOST_FACTOR}")
    if factor == 1:
        raise InputError("a factor of 1 would change nothing; give 2, 3, 4 or 8, or denoise instead")
    if min(height, width) < LEAST_SIDE:
        raise InputError(
            f"the picture is {by(height, width)} pixels; to be enlarged it needs {LEAST_SIDE} or more a side"
        )
    if height * width * factor**2 > MOST_PIXELS:
        raise InputError(
            f"enlarged {factor} times, {by(height, width)} pixels are {by(height * factor, width * factor)}: "
            "too many to work on; crop the picture or take a smaller factor"
        )
    return int(factor)


def _whole(factor: Any) -> bool:
    known = isinstance(factor, int | float | np.integer) and not isinstance(factor, bool)
    return known and bool(factor >= 1 and factor % 1 == 0)
