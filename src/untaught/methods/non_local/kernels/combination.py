"""The combination of patches of least risk for every group of a tile; see `single_scale.NonLocal`."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import compiled, inlined
from untaught.methods.non_local.kernels.groups import gather_columns, gather_rows, room, scatter_rows
from untaught.methods.non_local.kernels.matrices import gram, product
from untaught.methods.non_local.kernels.search import similar
from untaught.methods.non_local.kernels.shrinkage import inverse_of, left_of, scaled, shared_map
from untaught.methods.non_local.kernels.vectors import LANES, add, first, load, mul, splat, store

SURE_SLACK = 0.01  # of the noise added to the Gram matrix without a pilot, against near-singular groups
LEAST_LEFT = 1e-4  # of the variance: no patch is trusted as if it were without noise


@compiled
def combination(tile: Any, pictures: Any, shared: Any, offsets: Any, sums: Any, weights: Any) -> None:
    """Combine the patches of every group of a tile, and add the answers up.

        X^ = (I - V (X X^T + V)^-1) Y,   or without a pilot   (I - V (Y Y^T)^-1) Y

    Arguments are those of `wiener.wiener`, but for a pilot of no channels, which stands for none, and `shared`:
    (C, s s), the correlation of the noise of patches at all distances up to (s - 1) / 2 rows and columns.
    """
    guide, y, pilot, variance = pictures
    channels, width, n = len(y), tile.width, tile.patch * tile.patch
    k, m = -(-tile.group // LANES) * LANES, -(-n // LANES) * LANES
    corners, distances = np.empty(tile.group, np.int64), room(len(offsets) + tile.reach)
    values, known, out = room(k * m), room(n * k), room(k * m)
    matrix, covariance, linear, work = room(k * k), room(k * k), room(k * k), room(9 * k)
    noise, left, places = room(k), room(k), np.empty((2, tile.group), np.int64)
    source = pilot if len(pilot) > 0 else y
    slack = np.float32(1.0 if len(pilot) > 0 else SURE_SLACK)
    for reference in range(tile.down * tile.across):
        similar(reference, tile, guide, offsets, distances, corners)
        for j in range(tile.group):
            places[0, j], places[1, j] = corners[j] // width, corners[j] % width
        for c in range(channels):
            gather_rows(y[c], width, corners, tile.patch, m, values)
            gather_columns(source[c], width, corners, tile.patch, k, known)
            _noise(variance[c], width, corners, tile.patch, noise)
            gram(known, n, k, matrix)
            if shared is None:
                inverse_of(matrix, noise, slack, tile.group, k, work)
                left_of(matrix, noise, tile.group, k, left)
                _map_of(matrix, noise, tile.group, k, linear)
            else:
                _between(shared[c], places, k, covariance)
                scaled(covariance, noise, tile.group, k, covariance)
                shared_map(matrix, covariance, slack, tile.group, k, work, linear, left)
                _transpose(linear, k)
            for i in range(tile.group):
                left[i] = np.float32(1.0) / max(left[i] / np.float32(n), np.float32(LEAST_LEFT))
                for j in range(0, k, LANES):
                    store(linear, i * k + j, mul(splat(left[i]), load(linear, i * k + j)))
            product(linear, k, k, values, m, out)
            scatter_rows(out, m, width, corners, tile.patch, sums[c])
            _scatter(left, width, corners, tile.patch, weights[c])


@inlined
def _map_of(inverse: Any, noise: Any, count: int, k: int, linear: Any) -> None:
    """Write the map I - N B."""
    for i in range(count):
        factor = splat(-noise[i])
        for j in range(0, k, LANES):
            store(linear, i * k + j, mul(factor, load(inverse, i * k + j)))
        linear[i * k + i] += np.float32(1.0)


@inlined
def _transpose(a: Any, k: int) -> None:
    for i in range(k):
        for j in range(i):
            a[i * k + j], a[j * k + i] = a[j * k + i], a[i * k + j]


@inlined
def _between(table: Any, places: Any, k: int, found: Any) -> None:
    """Write the correlation of the noise of patches whose rows and columns are given."""
    side = round(np.sqrt(len(table)))
    rows, columns = places
    for i in range(len(rows)):
        for j in range(len(rows)):
            down, across = rows[i] - rows[j] + side // 2, columns[i] - columns[j] + side // 2
            found[i * k + j] = table[down * side + across]


@inlined
def _noise(variance: Any, width: int, corners: Any, patch: int, noise: Any) -> None:
    """Write the noise energy of every patch of a group."""
    for j in range(len(corners)):
        if len(variance) == 1:
            noise[j] = variance[0] * np.float32(patch * patch)
        else:
            energy = np.float32(0.0)
            for row in range(patch):
                for column in range(patch):
                    energy += variance[corners[j] + row * width + column]
            noise[j] = energy


@inlined
def _scatter(trust: Any, width: int, corners: Any, patch: int, weights: Any) -> None:
    """Add the trust in each patch up where it was."""
    for j in range(len(corners)):
        values = splat(trust[j])
        for row in range(patch):
            for column in range(0, patch, LANES):
                at = corners[j] + row * width + column
                store(weights, at, add(load(weights, at), first(values, patch - column, 0.0)))
