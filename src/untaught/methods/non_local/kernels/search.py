"""The patches most like a reference patch, by squared distance, in a window around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import inlined
from untaught.methods.non_local.kernels.vectors import LANES, first, fma, load, splat, store, sub

FAR = 3.0e38  # stands where there is no patch
BLOCK = 8  # rows of the window whose distances are summed up at once: as many sums as keep the multipliers at work


@inlined
def similar(reference: int, tile: Any, guide: Any, offsets: Any, work: Any, corners: Any) -> None:
    """Find the patches most like a reference, up to `tile.radius` rows and columns away.

    Parameters
    ----------
    reference : int
        Which of the tile's, row after row.
    tile : Part
        Sizes, and where the references are, as `compiled_pass.Part` has them.
    guide : float32 array
        The picture to compare, flat, with more behind it than `BLOCK` rows.
    offsets : int64 array
        Where the numbers lie that a patch is compared by, counted from its corner.
    work : float32 array
        Room for the numbers of a reference, and for the distances, rows of whole vectors.
    corners : int64 array
        Takes the corners of the patches, in the order of the picture, the reference last: no tie may push it out.
    """
    height, width = tile.height, tile.width
    size, within = height * width, reference % (tile.down * tile.across)
    place = (
        tile.front + reference // (tile.down * tile.across) * tile.pace,
        tile.top + within // tile.across * tile.step,
        tile.left + within % tile.across * tile.step,
    )
    start, top, left = (
        max(0, place[0] - tile.depth),
        max(0, place[1] - tile.radius),
        max(0, place[2] - tile.radius),
    )
    deep = min(tile.planes - tile.layers, place[0] + tile.depth) + 1 - start
    down = min(height - tile.patch, place[1] + tile.radius) + 1 - top
    across = min(width - tile.patch, place[2] + tile.radius) + 1 - left
    stride = (across + LANES - 1) // LANES * LANES
    own = place[0] * size + place[1] * width + place[2]
    found = work[len(offsets) :]
    for q in range(len(offsets)):
        work[q] = guide[own + offsets[q]]
    for z in range(deep):
        corner = (start + z) * size + top * width + left
        distances_of(guide, width, offsets, corner, down, across, z * down * stride, work)
    found[((place[0] - start) * down + place[1] - top) * stride + place[2] - left] = FAR
    threshold, equal = _threshold(found, deep * down * stride, tile.group - 1)
    taken = 0
    for line in range(deep * down):
        corner = (start + line // down) * size + (top + line % down) * width + left
        for column in range(across):
            distance = found[line * stride + column]
            if distance <= threshold and (distance < threshold or equal > 0):
                equal -= np.int64(distance == threshold)
                corners[taken] = corner + column
                taken += 1
    corners[tile.group - 1] = own


@inlined
def distances_of(
    guide: Any, width: int, offsets: Any, corner: int, down: int, across: int, behind: int, work: Any
) -> None:
    """Write the distances of the numbers at the start of `work` to those of every patch of a window behind them.

    They begin so many values behind the numbers.

    d(j) = sum_q (g[j + o_q] - g[i + o_q])^2
    """
    count = len(offsets)
    stride = (across + LANES - 1) // LANES * LANES
    for above in range(0, down, BLOCK):
        row = max(0, min(above, down - BLOCK))  # the last block begins earlier instead of reaching further
        for left in range(0, stride, LANES):
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = splat(0.0)
            start = corner + row * width + left
            for q in range(count):
                at = start + offsets[q]
                x = splat(work[q])
                d0, d1 = sub(load(guide, at), x), sub(load(guide, at + width), x)
                d2, d3 = sub(load(guide, at + 2 * width), x), sub(load(guide, at + 3 * width), x)
                d4, d5 = sub(load(guide, at + 4 * width), x), sub(load(guide, at + 5 * width), x)
                d6, d7 = sub(load(guide, at + 6 * width), x), sub(load(guide, at + 7 * width), x)
                s0, s1, s2, s3 = fma(d0, d0, s0), fma(d1, d1, s1), fma(d2, d2, s2), fma(d3, d3, s3)
                s4, s5, s6, s7 = fma(d4, d4, s4), fma(d5, d5, s5), fma(d6, d6, s6), fma(d7, d7, s7)
            at, rest, rows = count + behind + row * stride + left, across - left, down - row
            _keep(work, at, s0, rest, rows > 0)
            _keep(work, at + stride, s1, rest, rows > 1)
            _keep(work, at + 2 * stride, s2, rest, rows > 2)
            _keep(work, at + 3 * stride, s3, rest, rows > 3)
            _keep(work, at + 4 * stride, s4, rest, rows > 4)
            _keep(work, at + 5 * stride, s5, rest, rows > 5)
            _keep(work, at + 6 * stride, s6, rest, rows > 6)
            _keep(work, at + 7 * stride, s7, rest, rows > 7)


@inlined
def _keep(work: Any, at: int, values: Any, count: int, inside: bool) -> None:
    if inside:
        store(work, at, first(values, count, FAR))


@inlined
def _threshold(found: Any, count: int, wanted: int) -> Any:
    """Return the largest of the `wanted` smallest of so many distances, and how many of those are equal to it.

    Floats that are not negative are in the order of their bits. The threshold is found by halving, for vectors
    count fast.
    """
    bits = np.empty(1, np.int32)
    value = bits.view(np.float32)
    low, high = 0, 0x7F7FFFFF  # fewer than wanted are below `low`, and enough are at most `high`
    while high > low:
        middle = (low + high) // 2
        bits[0] = middle
        limit, below = value[0], np.float32(0.0)
        for i in range(count):
            below += np.float32(1.0) if found[i] <= limit else np.float32(0.0)
        if below >= wanted:
            high = middle
        else:
            low = middle + 1
        if below == wanted:
            break
    bits[0] = high
    limit, below = value[0], np.float32(0.0)
    for i in range(count):
        below += np.float32(1.0) if found[i] < limit else np.float32(0.0)
    return limit, np.int64(wanted - below)
