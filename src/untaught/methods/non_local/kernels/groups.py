"""Groups of similar patches: out of the picture, into the colours of their own, and added up again."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import inlined
from untaught.methods.non_local.kernels.vectors import LANES, add, first, fma, load, mul, splat, store, sub, total

SWEEPS = 12  # of rotations at most; three settle 3 x 3 matrices
SETTLED = 1e-14  # of the square of the diagonal: what may be left beside it


@inlined
def room(count: int) -> Any:
    """Return room for `count` values that starts where a vector does, with a vector's more behind it."""
    found = np.zeros(count + 3 * LANES, np.float32)
    start = -(found.ctypes.data // 4) % LANES
    return found[start : start + count + LANES]


@inlined
def rooms(channels: int, count: int) -> Any:
    """Return the same for every channel."""
    stride = -(-count // LANES) * LANES + LANES
    return room(channels * stride)[: channels * stride].reshape(channels, stride)


@inlined
def gather_rows(picture: Any, tile: Any, corners: Any, m: int, group: Any) -> None:
    """Write each patch as a row of m values, its own and zeros behind them."""
    patch, width, size = tile.patch, tile.width, tile.height * tile.width
    for column in range((patch - 1) // LANES * LANES, -1, -LANES):
        for j in range(len(corners)):
            for layer in range(tile.layers):
                start, to = corners[j] + layer * size + column, j * m + layer * patch * patch + column
                for row in range(patch - 1):  # what is written beyond a row, the next writes over
                    store(group, to + row * patch, load(picture, start + row * width))
                last = load(picture, start + (patch - 1) * width)
                store(group, to + (patch - 1) * patch, first(last, patch - column, 0.0))


@inlined
def gather_colours(picture: Any, tile: Any, corners: Any, m: int, group: Any) -> None:
    """Write all channels of each patch of a plane as a row of m values, with zeros behind them."""
    patch, width = tile.patch, tile.width
    for j in range(len(corners)):
        for line in range(len(picture) * patch):
            channel, row = line // patch, line % patch
            for column in range(0, patch, LANES):
                values = load(picture[channel], corners[j] + row * width + column)
                store(group, j * m + line * patch + column, first(values, patch - column, 0.0))


@inlined
def scatter_colours(group: Any, step: int, tile: Any, corners: Any, sums: Any) -> None:
    """Add such rows up where their patches were; `step` as in `scatter_rows`."""
    patch, width = tile.patch, tile.width
    for j in range(len(corners)):
        for line in range(len(sums) * patch):
            channel, row = line // patch, line % patch
            for column in range(0, patch, LANES):
                values = first(load(group, j * step + line * patch + column), patch - column, 0.0)
                at = corners[j] + row * width + column
                store(sums[channel], at, add(load(sums[channel], at), values))


@inlined
def gather_columns(picture: Any, tile: Any, corners: Any, m: int, group: Any) -> None:
    """Write each patch as a column of a matrix with rows of m values, a pixel a row."""
    patch, width, size = tile.patch, tile.width, tile.height * tile.width
    for j in range(len(corners)):
        for layer in range(tile.layers):
            for row in range(patch):
                for column in range(patch):
                    value = picture[corners[j] + layer * size + row * width + column]
                    group[((layer * patch + row) * patch + column) * m + j] = value


@inlined
def scatter_rows(group: Any, step: int, tile: Any, corners: Any, sums: Any) -> None:
    """Add rows up where their patches were; `step` values from one to the next, 0 for one row that all share."""
    patch, width, size = tile.patch, tile.width, tile.height * tile.width
    for j in range(len(corners)):
        for layer in range(tile.layers):
            for row in range(patch):
                for column in range(0, patch, LANES):
                    values = load(group, j * step + (layer * patch + row) * patch + column)
                    at = corners[j] + layer * size + row * width + column
                    store(sums, at, add(load(sums, at), first(values, patch - column, 0.0)))


@inlined
def pixels_of(tile: Any) -> Any:
    """Return how many pixels a patch has."""
    return tile.layers * tile.patch * tile.patch


@inlined
def references_of(tile: Any) -> Any:
    """Return how many references a tile has."""
    return tile.deep * tile.down * tile.across


@inlined
def centre(group: Any, rows: int, m: int, mean: Any) -> None:
    """Take the mean of all rows from each, and write it down."""
    for j in range(0, m, LANES):
        s = splat(0.0)
        for r in range(rows):
            s = add(s, load(group, r * m + j))
        s = mul(s, splat(np.float32(1.0) / np.float32(rows)))
        store(mean, j, s)
        for r in range(rows):
            store(group, r * m + j, sub(load(group, r * m + j), s))


@inlined
def turned(groups: Any, turn: Any, count: int, to: Any) -> None:
    """Write one colour, the sum of `turn[c]` times channel c, of `count` values a channel."""
    for at in range(0, count, LANES):
        s = splat(0.0)
        for c in range(len(turn)):
            s = fma(splat(turn[c]), load(groups[c], at), s)
        store(to, at, s)


@inlined
def energy(values: Any, count: int) -> Any:
    """Return the sum of squares of `count` values."""
    s = splat(0.0)
    for at in range(0, count, LANES):
        v = load(values, at)
        s = fma(v, v, s)
    return total(s)


@inlined
def own_colours(centred: Any, means: Any, rows: int, n: int, m: int, turn: Any) -> None:
    """Write into the rows of `turn` orthonormal colours in which a group is uncorrelated.

    `centred` (C, rows m) and `means` (C, m) are the patches without their mean and that mean, n of m values.
    """
    channels = len(centred)
    shared = np.zeros((channels, channels))
    average = np.zeros(channels)
    for c in range(channels):
        for i in range(n):
            average[c] += means[c, i]
        average[c] /= n
    for c in range(channels):
        for d in range(c + 1):
            s = splat(0.0)
            for at in range(0, rows * m, LANES):
                s = fma(load(centred[c], at), load(centred[d], at), s)
            between = 0.0
            for i in range(n):
                between += (means[c, i] - average[c]) * (means[d, i] - average[d])
            shared[c, d] = shared[d, c] = total(s) + rows * between
    diagonalise(shared, turn)


@inlined
def diagonalise(a: Any, axes: Any) -> None:
    """Write the eigenvectors of a symmetric matrix into the rows of `axes`, by Jacobi's rotations."""
    size = len(a)
    for i in range(size):
        for j in range(size):
            axes[i, j] = np.float32(i == j)
    for _ in range(SWEEPS):
        beside = along = 0.0
        for i in range(size):
            along += a[i, i] ** 2
            for j in range(i):
                beside += a[i, j] ** 2
        if beside <= SETTLED * along:
            return
        for p in range(size):
            for q in range(p + 1, size):
                if a[p, q] != 0.0:
                    _rotate(a, axes, p, q)


@inlined
def _rotate(a: Any, axes: Any, p: int, q: int) -> None:
    """Turn axes p and q so that a[p, q] becomes zero."""
    theta = (a[q, q] - a[p, p]) / (2 * a[p, q])
    sign = 1.0 if theta >= 0 else -1.0
    t = sign / (abs(theta) + np.sqrt(theta * theta + 1))
    cosine = 1 / np.sqrt(t * t + 1)
    sine = t * cosine
    for i in range(len(a)):
        x, z = a[i, p], a[i, q]
        a[i, p], a[i, q] = cosine * x - sine * z, sine * x + cosine * z
    for i in range(len(a)):
        x, z = a[p, i], a[q, i]
        a[p, i], a[q, i] = cosine * x - sine * z, sine * x + cosine * z
        u, v = axes[p, i], axes[q, i]
        axes[p, i], axes[q, i] = cosine * u - sine * v, sine * u + cosine * v
