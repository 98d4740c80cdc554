"""What an operator keeps and sees: masks that come last, its support, grey levels, the sites of a mosaic."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from untaught.operators.base import Composable, Composition, Operator, Shape
from untaught.operators.cut import Cut, Window
from untaught.operators.traits import Traits

KEEPS = 1e-3  # how far A(1) may be from 1 for an operator that keeps grey levels


def folded(operator: Operator) -> tuple[Operator | None, Tensor | None]:
    """Take the masks that come last off an operator: they only say what was measured; see `Task.folded`."""
    return operator.folded() if isinstance(operator, Composable) else (operator, None)


def outermost(operator: Operator | None) -> Operator | None:
    """Return what happened last."""
    while isinstance(operator, Composition):
        operator = operator.outer
    return operator


def traits_of(operator: Operator | None) -> Traits:
    """Return the traits of an operator; one that is not ours has none."""
    return operator.traits if isinstance(operator, Composable) else Traits()


def coarser_of(operator: Operator | None) -> Operator | None:
    """Return the operator of the same measurement on a picture of half the resolution, where there is one."""
    return operator.coarser() if isinstance(operator, Composable) else None


def support_of(operator: Operator | None, y: Tensor) -> Tensor:
    """Return 1 where an operator measures anything at all, 0 where its measurement is always zero."""
    nothing_missing = torch.ones_like(y[:, :1])
    if operator is None or not operator.linear:
        return nothing_missing
    x = torch.rand(operator.picture_shape(y.shape), generator=torch.Generator().manual_seed(0))
    seen = operator.A(x.to(y.device)) != 0
    return nothing_missing if bool(seen.all()) else seen.float()


def keeps_levels(operator: Operator | None, y: Tensor) -> bool:
    """Say whether a measurement has the grey levels of the picture, as means of its pixels have."""
    if operator is None:
        return True
    if not operator.linear or y.ndim != 4:
        return False
    flat = operator.A(torch.ones(operator.picture_shape(y.shape), device=y.device))
    support = support_of(operator, y) > 0
    return bool((((flat - 1).abs() < KEEPS) | ~support).all())


def cut_of(operator: Operator | None) -> Cut | None:
    """Return how a measurement can be taken in windows; None where the operator is not known to be local."""
    if operator is None:
        return Cut()
    return operator.cut if isinstance(operator, Composable) else None


def windowed(operator: Operator | None, window: Window) -> Operator | None:
    """Return the operator of a window of a measurement that can be cut."""
    return operator.part(window) if isinstance(operator, Composable) else operator


def guide_for(guide: Tensor, operator: Operator | None, picture_shape: Shape) -> Tensor:
    """Return a guide of the size of what is shown, extended to the whole picture where that is larger."""
    missing = [picture_shape[axis] - guide.shape[axis] for axis in (-2, -1)]
    if operator is None or not any(missing):
        return guide
    at = torch.arange(picture_shape[-2] * picture_shape[-1]).reshape(1, 1, *picture_shape[-2:]).double()
    corner = int(operator.visible(at)[0, 0, 0, 0])
    top, left = divmod(corner, picture_shape[-1])
    return F.pad(guide, (left, missing[1] - left, top, missing[0] - top), mode="replicate")


def visible_size(operator: Operator | None, y: Tensor) -> Shape:
    """Return height and width of what is shown of the picture."""
    if operator is None:
        return tuple(y.shape[-2:])
    return tuple(operator.visible(torch.empty(operator.picture_shape(y.shape))).shape[-2:])


def sites(values: NDArray[Any], operator: Operator | None) -> NDArray[Any]:
    """Return (H, W, C) with the sites of a colour filter array as channels, where neighbours differ in colour."""
    last = outermost(operator)
    return last.sites(values) if isinstance(last, Composable) else values


@runtime_checkable
class Bounded(Operator, Protocol):
    """An operator that knows by itself how wrong its measurements are, such as by rounding.

    Attributes
    ----------
    schedule : tuple of float
        What is taken for the error of the first and of the last picture that explains them, in units of `level`.
    rounds : int
        How many such pictures.
    why : str
        Why similar patches are right for it.
    untold : str
        Why no error can be stated.
    """

    schedule: tuple[float, float]
    untold: str

    @property
    def rounds(self) -> int: ...  # noqa: D102

    @property
    def why(self) -> str: ...  # noqa: D102

    def nearest(self, x: Tensor, y: Tensor, deviation: float) -> Tensor:
        """Return the picture that explains `y` and is nearest to `x`, which is wrong by `deviation`."""
        ...

    def shown(self, x: Tensor, y: Tensor, deviation: float) -> Tensor:
        """Return what is answered for `x`."""
        ...

    def level(self, y: Tensor) -> float:
        """Return the standard deviation of what the measurements leave open, in units of the value range."""
        ...
