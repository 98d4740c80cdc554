"""How much brightness wanders from plane to plane where a film is flat and stands still."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 8  # pixels of the squares
FLAT = 3.0  # of 255: standard deviation within a square of the clean film
STILL = 1.5  # of 255: the most that its pixels' mean absolute change is from a plane to the next


def flicker(found: NDArray[np.float32], clean: NDArray[np.float32]) -> float | None:
    """Return the root mean square, over flat squares that stand still, of how their error changes between planes.

    Both are (planes, height, width, channels), of 255. None where a film has no such squares.
    """
    rows, columns = (length // SIDE for length in clean.shape[1:3])

    def squares(x: NDArray[np.float32]) -> NDArray[np.float32]:
        cut = x[:, : rows * SIDE, : columns * SIDE].mean(-1)
        return cut.reshape(len(x), rows, SIDE, columns, SIDE).transpose(0, 1, 3, 2, 4).reshape(len(x), -1, SIDE**2)

    own, error = squares(clean), squares(found).mean(-1) - squares(clean).mean(-1)
    flat = (own[1:].std(-1) < FLAT) & (np.abs(np.diff(own, axis=0)).mean(-1) < STILL)
    changes = np.diff(error, axis=0)[flat]
    return float(np.sqrt(np.mean(np.square(changes)))) if changes.size else None
