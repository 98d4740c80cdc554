"""Pictures that were drawn and not taken: what repeats exactly has no noise, however rough its edges are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

REPEATS = 0.4  # share of windows of 3 x 3 that repeat one value, from which on a picture may be drawn ...
BETWEEN = 0.05  # ... where so many of these lie between black and white: noise would have changed them
FAINT = 3 / 255  # noise below this level may leave such windows after rounding and compression
AT_ENDS = 0.25  # share of such windows at black or white ...
STRONG = 40 / 255  # ... which noise of this level leaves only where the truth lies 100 levels beyond the range


def drawn(values: NDArray[np.float32], missing: NDArray[np.bool_] | None, level: float) -> bool:
    """Say whether noise of `level` cannot be in (H, W, C) in [0, 1], for too much of it repeats exactly.

    Letters and lines on a white page look like strong noise to an estimator that skips what is cut off.
    """
    if level < FAINT:
        return False
    size = (3, 3, 1)
    flat = (maximum_filter(values, size) == minimum_filter(values, size)).all(2)
    inside = ((values > 0) & (values < 1)).any(2)
    there = np.ones(flat.shape, bool) if missing is None else ~missing
    between, ends = (float((flat & kind)[there].mean()) for kind in (inside, ~inside))
    return (between > BETWEEN and between + ends > REPEATS) or (ends > AT_ENDS and level > STRONG)
