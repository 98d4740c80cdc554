"""Operators that keep pixels or drop them: identity, mask, colour filter array."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.operators.base import LinearOperator, Operator, Shape, by
from untaught.operators.cut import Cut, Window
from untaught.operators.filters import filled

BAND = 256  # rows that are looked at together


@dataclass(frozen=True)
class Identity(LinearOperator):
    """A x = x: the picture itself was measured."""

    name: ClassVar[str] = "identity"

    @property
    def cut(self) -> Cut:
        """See `Composable`."""
        return Cut()

    def initial(self, y: Tensor) -> Tensor:
        """Return `y`."""
        return y

    def folded(self) -> tuple[Operator | None, Tensor | None]:
        """See `Composable`."""
        return None, None

    def _forward(self, x: Tensor) -> Tensor:
        return x.clone()

    def _adjoint(self, y: Tensor) -> Tensor:
        return y.clone()


@dataclass(frozen=True, eq=False)
class Mask(LinearOperator):
    """A x = m x: some pixels were measured, the others are zero.

    Attributes
    ----------
    mask : Tensor
        Nonzero where a pixel was measured, zero where it is missing: (H, W), (1, 1, H, W), or
        (1, C, H, W) where it differs between channels. Kept as 1 and 0, with four axes.

    Raises
    ------
    InputError
        For a mask of another form, with NaN in it, or of another size than the picture.
    """

    name: ClassVar[str] = "mask"
    mask: Tensor = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", as_mask(self.mask))

    def shape(self, x_shape: Shape) -> Shape:
        """Return `x_shape`; the mask has to fit it."""
        height, width = x_shape[-2:]
        check_same_size(self.mask, height, width)
        if self.mask.shape[1] not in (1, x_shape[1]):
            raise InputError(f"the mask has {self.mask.shape[1]} channels and the picture has {x_shape[1]}")
        return tuple(x_shape)

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return `y_shape`."""
        return self.shape(y_shape)

    @property
    def cut(self) -> Cut:
        """See `Composable`."""
        return Cut()

    def part(self, window: Window) -> Operator:
        """See `Composable`."""
        return Mask(self.mask[..., window[0], window[1]])

    def initial(self, y: Tensor) -> Tensor:
        """Return `y` with the missing pixels interpolated, see `filters.filled`."""
        self.shape(y.shape)
        return filled(y, self.mask)

    def folded(self) -> tuple[Operator | None, Tensor | None]:
        """See `Composable`."""
        return None, self.mask

    def _forward(self, x: Tensor) -> Tensor:
        return x * self._once("mask", x, lambda: self.mask)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)


def check_mask(mask: Any, height: int, width: int) -> Tensor:
    """Return a mask (1, C, H, W) of 1 and 0 that leaves something to fill in, and something to do it from.

    Raises
    ------
    InputError
        For a mask that keeps everything or nothing, or that is of another size than the picture.
    """
    found = as_mask(mask)
    check_same_size(found, height, width)
    if bool(found.all()):
        raise InputError("the mask keeps every pixel, so there is nothing to fill in; zero marks what is missing")
    if not bool(found.any()):
        raise InputError("the mask keeps no pixel, so there is nothing to fill from; nonzero marks what is kept")
    return found


def as_mask(mask: Any) -> Tensor:
    """Return a mask as float32 1 and 0, four axes; see `Mask`."""
    found = torch.as_tensor(mask)
    if found.ndim == 2:
        found = found[None, None]
    if found.ndim != 4 or found.shape[0] != 1 or found.numel() == 0:
        raise InputError(f"the mask has the shape {tuple(found.shape)}; give (height, width)")
    if _is_mask(found):  # a large one may be a map, which is not to be copied
        return found
    if bool(torch.isnan(found).any()):
        raise InputError("the mask holds NaN; give zero where a pixel is missing and one where it is kept")
    return (found != 0).float()


def _is_mask(found: Tensor) -> bool:
    """Say whether a tensor is float32 1 and 0 already, band by band."""
    if found.dtype != torch.float32:
        return False
    bands = (found[..., top : top + BAND, :] for top in range(0, found.shape[-2], BAND))
    return all(bool(((band == 0) | (band == 1)).all()) for band in bands)


def check_same_size(mask: Tensor, height: int, width: int) -> None:
    """Refuse a mask of another size than the picture."""
    rows, columns = mask.shape[-2:]
    if (rows, columns) != (height, width):
        raise InputError(
            f"the mask is {by(rows, columns)} pixels and the picture {by(height, width)}: they must be the same"
        )
