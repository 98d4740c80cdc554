"""Where the patches of a plane are in the next: block matching, made smooth among neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import compiled, inlined
from untaught.methods.non_local.kernels.search import distances_of
from untaught.methods.non_local.kernels.vectors import LANES

SWEEPS = 3


@compiled
def motion(tile: Any, planes: Any, offsets: Any, smoothness: float, found: Any) -> None:
    """Write how far every block of a plane has moved in another, (down, across, 2), from what is there on."""
    source, target = planes
    height, width = tile.height, tile.width
    stride = -(-(2 * tile.radius + 1) // LANES) * LANES
    work = np.zeros(len(offsets) + (2 * tile.radius + 1) * stride + LANES, np.float32)
    for row in range(tile.down):
        for column in range(tile.across):
            y = min(row * tile.step, height - tile.patch)
            x = min(column * tile.step, width - tile.patch)
            for q in range(len(offsets)):
                work[q] = source[y * width + x + offsets[q]]
            cy = min(max(y + found[row, column, 0], 0), height - tile.patch)
            cx = min(max(x + found[row, column, 1], 0), width - tile.patch)
            top, left = max(0, cy - tile.radius), max(0, cx - tile.radius)
            down = min(height - tile.patch, cy + tile.radius) + 1 - top
            across = min(width - tile.patch, cx + tile.radius) + 1 - left
            distances_of(target, width, offsets, top * width + left, down, across, 0, work)
            stride = -(-across // LANES) * LANES
            best = np.float32(3.0e38)
            for v in range(down):
                for u in range(across):
                    away = abs(top + v - cy) + abs(left + u - cx)
                    cost = work[len(offsets) + v * stride + u] + np.float32(smoothness) * np.float32(min(away, 4))
                    if cost < best:
                        best = cost
                        found[row, column, 0], found[row, column, 1] = top + v - y, left + u - x
    for _ in range(SWEEPS):
        for row in range(tile.down):
            for column in range(tile.across):
                _agree(tile, source, target, offsets, smoothness, found, row, column)


@inlined
def _agree(
    tile: Any, source: Any, target: Any, offsets: Any, smoothness: float, found: Any, row: int, column: int
) -> None:
    height, width = tile.height, tile.width
    y = min(row * tile.step, height - tile.patch)
    x = min(column * tile.step, width - tile.patch)
    best, by, bx = np.float32(3.0e38), found[row, column, 0], found[row, column, 1]
    for k in range(9):
        r, c = row + k // 3 - 1, column + k % 3 - 1
        if not (0 <= r < tile.down and 0 <= c < tile.across):
            continue
        dy, dx = found[r, c, 0], found[r, c, 1]
        if not (0 <= y + dy <= height - tile.patch and 0 <= x + dx <= width - tile.patch):
            continue
        a, b = y * width + x, (y + dy) * width + x + dx
        cost = np.float32(0.0)
        for q in range(len(offsets)):
            d = source[a + offsets[q]] - target[b + offsets[q]]
            cost += d * d
        for i in range(9):
            s, t = row + i // 3 - 1, column + i % 3 - 1
            if i != 4 and 0 <= s < tile.down and 0 <= t < tile.across:
                away = abs(found[s, t, 0] - dy) + abs(found[s, t, 1] - dx)
                cost += np.float32(smoothness) * np.float32(min(away, 4))
        if cost < best:
            best, by, bx = cost, dy, dx
    found[row, column, 0], found[row, column, 1] = by, bx
