"""The flattest and the busiest patches of a residual: what was taken out without detail, and amid most of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from untaught.results.display import Bytes, Pair, Stretch

SIDE = 24  # pixels of a patch
ZOOM = 3  # pixels of the page along a side of one of the picture
MOST = 8  # patches of a strip
BETWEEN = 2  # pixels of white between them
WHOLE_RANGE = 3.0  # deviations of the residual that are drawn from grey to black and to white


def patch_strips(pair: Pair) -> tuple[Bytes, Bytes] | None:
    """Return strips of the flattest and of the busiest patches of the residual, enlarged, 8 bits about mid grey.

    How busy a patch is, is told by the gradient of the restored picture. None where there is no residual, or no
    patch that was measured.
    """
    residual = pair.residual
    if residual is None:
        return None
    spread = float(residual[~pair.missing].std()) if not pair.missing.all() else 0.0
    places = _by_detail(pair)
    if not places or spread == 0:
        return None
    count = min(MOST, max(1, len(places) // 2))
    levels = Stretch(-WHOLE_RANGE * spread, WHOLE_RANGE * spread, True)(residual)
    return _strip(levels, places[:count]), _strip(levels, places[::-1][:count])


def _by_detail(pair: Pair) -> list[tuple[int, int]]:
    """Return the corners of the patches that were measured, the flattest first."""
    grey = pair.after.mean(axis=-1)
    size = np.hypot(*np.gradient(np.nan_to_num(grey)))
    found = []
    for i in range(0, grey.shape[0] - SIDE + 1, SIDE):
        for j in range(0, grey.shape[1] - SIDE + 1, SIDE):
            here = slice(i, i + SIDE), slice(j, j + SIDE)
            if not pair.missing[here].any():
                found.append((float(size[here].mean()), i, j))
    return [(i, j) for _, i, j in sorted(found)]


def _strip(levels: Bytes, corners: list[tuple[int, int]]) -> Bytes:
    gap: NDArray[np.uint8] = np.full((SIDE, BETWEEN, levels.shape[-1]), 255, np.uint8)
    parts = [levels[i : i + SIDE, j : j + SIDE] for i, j in corners]
    strip = np.concatenate([piece for part in parts for piece in (gap, part)][1:], axis=1)
    return np.asarray(strip.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1))
