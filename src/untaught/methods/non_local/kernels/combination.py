"""The combination of patches of least risk for every group of a tile; see `single_scale.NonLocal`."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import compiled, inlined
from untaught.methods.non_local.kernels.groups import (
    gather_columns,
    gather_rows,
    pixels_of,
    references_of,
    room,
    scatter_rows,
)
from untaught.methods.non_local.kernels.matrices import gram, product
from untaught.methods.non_local.kernels.search import similar
from untaught.methods.non_local.kernels.shrinkage import inverse_of, left_of, scaled, shared_map
from untaught.methods.non_local.kernels.vectors import LANES, add, first, load, mul, splat, store, total

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
    channels, n = len(y), pixels_of(tile)
    k, m = -(-tile.group // LANES) * LANES, -(-n // LANES) * LANES
    corners, distances = np.empty(tile.group, np.int64), room(len(offsets) + tile.reach)
    values, known, out = room(k * m), room(n * k), room(k * m)
    matrix, covariance, linear, work = room(k * k), room(k * k), room(k * k), room(8 * k)
    noise, left, places = room(k), room(k), np.empty((3, tile.group), np.int64)
    source = pilot if len(pilot) > 0 else y
    size = tile.height * tile.width
    slack = np.float32(1.0 if len(pilot) > 0 else SURE_SLACK)
    for reference in range(references_of(tile)):
        similar(reference, tile, guide, offsets, distances, corners)
        for j in range(tile.group):
            places[0, j], within = corners[j] // size, corners[j] % size
            places[1, j], places[2, j] = within // tile.width, within % tile.width
        for c in range(channels):
            gather_rows(y[c], tile, corners, m, values)
            gather_columns(source[c], tile, corners, k, known)
            _noise(variance[c], tile, corners, noise)
            gram(known, n, tile.group, k, matrix)
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
            product(linear, k, k, tile.group, values, m, out)
            scatter_rows(out, m, tile, corners, sums[c])
            _scatter(left, tile, corners, weights[c])


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
    """Write the correlation of the noise of patches whose planes, rows and columns are given."""
    side = round(np.sqrt(len(table)))
    planes, rows, columns = places
    for i in range(len(rows)):
        for j in range(len(rows)):
            down, across = rows[i] - rows[j] + side // 2, columns[i] - columns[j] + side // 2
            found[i * k + j] = table[down * side + across] if planes[i] == planes[j] else np.float32(0.0)


@inlined
def _noise(variance: Any, tile: Any, corners: Any, noise: Any) -> None:
    """Write the noise energy of every patch of a group."""
    patch, size = tile.patch, tile.height * tile.width
    for j in range(len(corners)):
        if len(variance) == 1:
            noise[j] = variance[0] * np.float32(pixels_of(tile))
        else:
            energy = splat(0.0)
            for layer in range(tile.layers):
                for row in range(patch):
                    start = corners[j] + layer * size + row * tile.width
                    for column in range(0, patch, LANES):
                        energy = add(energy, first(load(variance, start + column), patch - column, 0.0))
            noise[j] = total(energy)


@inlined
def _scatter(trust: Any, tile: Any, corners: Any, weights: Any) -> None:
    """Add the trust in each patch up where it was."""
    patch, size = tile.patch, tile.height * tile.width
    for j in range(len(corners)):
        values = splat(trust[j])
        for line in range(tile.layers * patch):
            start = corners[j] + line // patch * size + line % patch * tile.width
            for column in range(0, patch, LANES):
                store(
                    weights, start + column, add(load(weights, start + column), first(values, patch - column, 0.0))
                )
