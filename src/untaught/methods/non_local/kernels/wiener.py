"""The linear map of pixels of least risk for every group of a tile; see `single_scale.NonLocal`."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import compiled, inlined
from untaught.methods.non_local.kernels.groups import (
    centre,
    energy,
    gather_rows,
    own_colours,
    room,
    rooms,
    scatter_rows,
    turned,
)
from untaught.methods.non_local.kernels.matrices import ROWS, gram, product
from untaught.methods.non_local.kernels.search import similar
from untaught.methods.non_local.kernels.shrinkage import inverse_of, left_of, scaled, shared_map
from untaught.methods.non_local.kernels.vectors import LANES, fma, load, mul, splat, store, sub

LEAST_LEFT = 0.01  # of the mean variance: no pixel is trusted as if it were without noise

# Shares of the noise: with less of it in a colour of a group, there is no structure but what its pilot made up;
# with more, all of it is used.
SILENT = (0.02, 0.05)


@compiled
def wiener(tile: Any, pictures: Any, shared: Any, offsets: Any, sums: Any, weights: Any) -> None:
    """Filter the pixels of every group of a tile, and add the answers up.

        X^ = m + (Y - m) (C + S)^-1 C

    Parameters
    ----------
    tile : Part
        Sizes, and where the references are.
    pictures : (guide, y, pilot, variance)
        float32: what is compared, flat; what is filtered, by what, and its variance, (C, height width) or (C, 1),
        with more behind every row than a vector where that is not 1; the mean variance is 1.
    shared : float32 array or None
        (C, m m), the correlation of the pixels of a patch; None of white noise, for which less is compiled.
    offsets : int64 array
        See `search.similar`.
    sums, weights : float32 arrays
        (C, height width) and something more: take answers times trust, and the trust.
    """
    guide, y, pilot, variance = pictures
    channels, width, n = len(y), tile.width, tile.patch * tile.patch
    m, rows = -(-n // LANES) * LANES, -(-tile.group // ROWS) * ROWS
    corners, distances = np.empty(tile.group, np.int64), room(len(offsets) + tile.reach)
    values, known, out = rooms(channels, rows * m), rooms(channels, rows * m), rooms(channels, rows * m)
    own, ownknown, ownnoise, trust = room(rows * m), room(rows * m), room(m), room(m)
    matrices = room(m * m), room(m * m), room(m * m), room(9 * m)
    mean, means, noise, left = rooms(channels, m), rooms(channels, m), rooms(channels, m), rooms(channels, m)
    turn = np.eye(channels, dtype=np.float32)
    for reference in range(tile.down * tile.across):
        similar(reference, tile, guide, offsets, distances, corners)
        for c in range(channels):
            gather_rows(y[c], width, corners, tile.patch, m, values[c])
            gather_rows(pilot[c], width, corners, tile.patch, m, known[c])
            centre(values[c], tile.group, m, mean[c])
            centre(known[c], tile.group, m, means[c])
            _noise(variance[c], width, corners, tile.patch, noise[c])
        if shared is None:  # noise that is shared stays in its own colours
            own_colours(known, means, tile.group, n, m, turn)
        for o in range(channels):
            turned(known, turn[o], rows * m, ownknown)
            turned(noise, turn[o] * turn[o], m, ownnoise)
            heard = _heard(energy(ownknown, rows * m), tile.group * np.sum(ownnoise[:n]))
            if heard == 0.0:
                out[o] = 0.0
                left[o] = 0.0
                continue
            turned(values, turn[o], rows * m, own)
            gram(ownknown, tile.group, m, matrices[0])
            if shared is None:
                _filter(own, rows, (n, m, tile.group), matrices, ownnoise, left[o], out[o])
            else:
                scaled(shared[o], ownnoise, n, m, matrices[1])
                _filter_shared(own, rows, (n, m, tile.group), matrices, left[o], out[o])
            if heard < 1.0:
                _multiply(out[o], rows * m, heard)
                _multiply(left[o], m, heard * heard)
        for c in range(channels):
            back = np.ascontiguousarray(turn[:, c])
            turned(left, back * back, m, trust)
            for i in range(n):
                trust[i] = np.float32(1.0) / (trust[i] + np.float32(LEAST_LEFT))
            turned(out, back, rows * m, own)
            _trusted(own, tile.group, m, mean[c], trust)
            scatter_rows(own, m, width, corners, tile.patch, sums[c])
            scatter_rows(trust, 0, width, corners, tile.patch, weights[c])


@inlined
def _filter(y: Any, rows: int, sizes: Any, matrices: Any, noise: Any, left: Any, z: Any) -> None:
    """Write the rows of `y` filtered into `z`, and what is left of white noise into `left`."""
    n, m, count = sizes
    matrix, _, _, work = matrices
    _multiply(matrix, m * m, np.float32(1.0) / np.float32(count))
    inverse_of(matrix, noise, 1.0, n, m, work)
    left_of(matrix, noise, n, m, left)
    product(y, rows, m, matrix, m, z)
    for r in range(rows):
        for j in range(0, m, LANES):
            at = r * m + j
            store(z, at, sub(load(y, at), mul(load(noise, j), load(z, at))))


@inlined
def _filter_shared(y: Any, rows: int, sizes: Any, matrices: Any, left: Any, z: Any) -> None:
    """Do the same for noise that pixels share, whose covariance is the second of the matrices."""
    n, m, count = sizes
    matrix, noise, linear, work = matrices
    _multiply(matrix, m * m, np.float32(1.0) / np.float32(count))
    shared_map(matrix, noise, 1.0, n, m, work, linear, left)
    product(y, rows, m, linear, m, z)


@inlined
def _heard(structure: float, noise: float) -> Any:
    """Return how much of a colour of a group is used: all of it, nothing, or in between a share."""
    low, high = np.float32(SILENT[0]), np.float32(SILENT[1])
    return min(np.float32(1.0), max(np.float32(0.0), (structure / noise - low) / (high - low)))


@inlined
def _multiply(values: Any, count: int, factor: float) -> None:
    by = splat(factor)
    for at in range(0, count, LANES):
        store(values, at, mul(by, load(values, at)))


@inlined
def _noise(variance: Any, width: int, corners: Any, patch: int, noise: Any) -> None:
    """Write the mean variance of every pixel of the patches of a group."""
    if len(variance) == 1:
        for i in range(patch * patch):
            noise[i] = variance[0]
        return
    for i in range(patch * patch):
        noise[i] = 0.0
    for j in range(len(corners)):
        for row in range(patch):
            for column in range(patch):
                noise[row * patch + column] += variance[corners[j] + row * width + column]
    for i in range(patch * patch):
        noise[i] /= np.float32(len(corners))


@inlined
def _trusted(group: Any, rows: int, m: int, mean: Any, trust: Any) -> None:
    """Add the mean to every row, and weigh the sum."""
    for r in range(rows):
        for j in range(0, m, LANES):
            at = r * m + j
            t = load(trust, j)
            store(group, at, fma(load(group, at), t, mul(load(mean, j), t)))
