"""Piecewise linear functions of many values, for numpy arrays and torch tensors."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELLS = 65_536  # of one size, instead of nodes
MANY = 8192  # values from which on these save time
NEAR = 1e-7  # of the range of values: as well as equal
KEPT = 16  # laws whose tables are kept: one is asked at every step of a fit, and in every part of a picture

Floats = NDArray[np.float64]


def namespace(x: Any) -> Any:
    """Return torch for a tensor, numpy for all else, without ever importing torch."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(x, torch.Tensor) else np


def interpolate(m: Any, xs: Floats, ys: Floats) -> Any:
    """Return the piecewise linear function through (xs, ys) at `m`, level beyond the ends, in the type of `m`."""
    return Piecewise(xs, ys)(m)


class Piecewise:
    """The piecewise linear function through (xs, ys), level beyond the ends.

    Parameters
    ----------
    xs, ys : ndarray
        (N,), the first in rising order.
    """

    def __init__(self, xs: Floats, ys: Floats):
        self.xs, self.ys = xs, ys

    def __call__(self, m: Any) -> Any:
        """Return its values at `m`, array or tensor, in its type and shape."""
        if namespace(m) is np:
            m = np.asarray(m)
            kind = m.dtype if np.issubdtype(m.dtype, np.floating) else np.float64
            return np.interp(m, self.xs, self.ys).astype(kind)
        flat = m.flatten()
        return (self._by_cells if m.numel() > MANY else self._by_nodes)(flat).view(m.shape)

    def _by_nodes(self, m: Any) -> Any:
        """Return the values at a tensor (N,), each looked for among all nodes."""
        torch = namespace(m)
        tx, ty = (torch.as_tensor(v, dtype=torch.float64).to(m.device, m.dtype) for v in (self.xs, self.ys))
        right = torch.searchsorted(tx, m).clamp(1, len(tx) - 1)
        x0, x1 = tx[right - 1], tx[right]
        t = ((m - x0) / (x1 - x0).clamp_min(torch.finfo(m.dtype).tiny)).clamp(0.0, 1.0)
        return ty[right - 1] + t * (ty[right] - ty[right - 1])

    def _by_cells(self, m: Any) -> Any:
        """Return the same for many values, in a tenth of the time: cells of one size need no search."""
        torch = namespace(m)
        low, width, values, rough = self._cells
        ty = torch.as_tensor(values).to(m.device, m.dtype)
        at = ((m - low) / width).clamp_(0, CELLS)
        cell = at.int().clamp_(0, CELLS - 1)
        found = torch.addcmul(ty.index_select(0, cell), at.sub_(cell), ty.diff().index_select(0, cell))
        if rough is not None:
            again = torch.as_tensor(rough, device=m.device).index_select(0, cell)
            found[again] = self._by_nodes(m[again])
        return found

    @cached_property
    def _cells(self) -> tuple[float, float, Floats, NDArray[np.bool_] | None]:
        """Where cells begin, their width, the values at their ends, and in which the nodes are to be looked for.

        Two piecewise linear functions differ most at their nodes.
        """
        xs, ys = self.xs, self.ys
        low, high = float(xs[0]), float(xs[-1])
        even = np.linspace(low, high, CELLS + 1)
        values = np.interp(even, xs, ys)
        wrong = np.abs(np.interp(xs, even, values) - ys) > NEAR * np.ptp(ys)
        width = max((high - low) / CELLS, 1e-30)
        if not wrong.any():
            return low, width, values, None
        rough = np.zeros(CELLS, np.bool_)
        for beside in (-1, 0, 1):  # rounding may take a value for one of the next cell
            rough[((xs[wrong] - low) / width + beside).astype(int).clip(0, CELLS - 1)] = True
        return low, width, values, rough
