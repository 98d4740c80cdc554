"""How well an uncertainty map ranks the errors of a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sparsification(estimate: Any, clean: NDArray[Any]) -> dict[str, float] | None:
    """Return the areas under the sparsification curves over that of a random order; None without a map."""
    if estimate.std is None:
        return None
    image, std = (a.double().numpy()[0].transpose(1, 2, 0) for a in (estimate.image, estimate.std))
    squares = np.square(image - clean).mean(2)
    grey = image.mean(2)
    orders = {"map": std.mean(2), "gradient": np.hypot(*np.gradient(grey)), "least": squares}
    return {name: round(_area(squares, by) / float(np.sqrt(squares.mean())), 4) for name, by in orders.items()}


def _area(squares: NDArray[Any], by: NDArray[Any]) -> float:
    """Return the mean, over the share of pixels taken out, of the root mean square error of the rest."""
    kept = squares.ravel()[np.argsort(by, axis=None, kind="stable")]
    left = np.sqrt(np.cumsum(kept) / np.arange(1, kept.size + 1))
    return float(left[:: max(1, kept.size // 1000)].mean())
