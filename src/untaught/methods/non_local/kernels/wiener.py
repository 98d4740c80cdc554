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
    pixels_of,
    references_of,
    room,
    rooms,
    scatter_rows,
    turned,
)
from untaught.methods.non_local.kernels.matrices import ROWS, gram, product
from untaught.methods.non_local.kernels.search import similar
from untaught.methods.non_local.kernels.shrinkage import inverse_of, left_of, scaled, shared_map
from untaught.methods.non_local.kernels.vectors import LANES, add, fma, load, mul, splat, store, sub

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
    channels, n = len(y), pixels_of(tile)
    m, rows = -(-n // LANES) * LANES, -(-tile.group // ROWS) * ROWS
    corners, distances = np.empty(tile.group, np.int64), room(len(offsets) + tile.reach)
    values, known, out = rooms(channels, rows * m), rooms(channels, rows * m), rooms(channels, rows * m)
    own, trust = room(rows * m), room(m)
    work = own, room(rows * m), room(m), room(m * m), room(m * m), room(m * m), room(8 * m)
    mean, means, noise, left = rooms(channels, m), rooms(channels, m), rooms(channels, m), rooms(channels, m)
    turn = np.eye(channels, dtype=np.float32)
    for reference in range(references_of(tile)):
        similar(reference, tile, guide, offsets, distances, corners)
        for c in range(channels):
            gather_rows(y[c], tile, corners, m, values[c])
            gather_rows(pilot[c], tile, corners, m, known[c])
            centre(values[c], tile.group, m, mean[c])
            centre(known[c], tile.group, m, means[c])
            mean_noise(variance[c], tile, corners, noise[c])
        colours_filtered(tile, (values, known, means, noise), shared, turn, work, out, left)
        for c in range(channels):
            back = np.ascontiguousarray(turn[:, c])
            turned(left, back * back, m, trust)
            for i in range(n):
                trust[i] = np.float32(1.0) / (trust[i] + np.float32(LEAST_LEFT))
            turned(out, back, rows * m, own)
            _trusted(own, tile.group, m, mean[c], trust)
            scatter_rows(own, m, tile, corners, sums[c])
            scatter_rows(trust, 0, tile, corners, weights[c])


@inlined
def colours_filtered(tile: Any, given: Any, shared: Any, turn: Any, work: Any, out: Any, left: Any) -> None:
    """Filter a group without its mean in the colours of its own, which are written into the rows of `turn`.

    Parameters
    ----------
    tile, shared
        See `wiener`.
    given : (values, known, means, noise)
        The patches and those of the pilot, (C, rows m), without their means, the means of the pilot's and the mean
        variance of every pixel, both (C, m).
    turn : float32 array
        (C, C); for noise that is shared, which stays in the colours as they are, one that changes nothing.
    work : tuple of arrays
        Room for two groups, the noise of a pixel and four matrices.
    out, left : float32 arrays
        Take the filtered patches, and what is left of white noise, in the colours of the group's own.
    """
    values, known, means, noise = given
    own, ownknown, ownnoise = work[0], work[1], work[2]
    matrices = work[3:]
    n, count = pixels_of(tile), tile.group
    m, rows = -(-n // LANES) * LANES, -(-count // ROWS) * ROWS
    if shared is None:
        own_colours(known, means, count, n, m, turn)
    for o in range(len(values)):
        turned(known, turn[o], rows * m, ownknown)
        turned(noise, turn[o] * turn[o], m, ownnoise)
        heard = heard_share(energy(ownknown, rows * m), count * np.sum(ownnoise[:n]))
        if heard == 0.0:
            out[o] = 0.0
            left[o] = 0.0
            continue
        turned(values, turn[o], rows * m, own)
        gram(ownknown, count, n, m, matrices[0])
        if shared is None:
            _filter(own, rows, (n, m, count), matrices, ownnoise, left[o], out[o])
        else:
            scaled(shared[o], ownnoise, n, m, matrices[1])
            _filter_shared(own, rows, (n, m, count), matrices, left[o], out[o])
        if heard < 1.0:
            multiplied(out[o], rows * m, heard)
            multiplied(left[o], m, heard * heard)


@inlined
def _filter(y: Any, rows: int, sizes: Any, matrices: Any, noise: Any, left: Any, z: Any) -> None:
    """Write the rows of `y` filtered into `z`, and what is left of white noise into `left`."""
    n, m, count = sizes
    matrix, _, _, work = matrices
    multiplied(matrix, m * m, np.float32(1.0) / np.float32(count))
    inverse_of(matrix, noise, 1.0, n, m, work)
    left_of(matrix, noise, n, m, left)
    product(y, rows, m, n, matrix, m, z)
    for r in range(rows):
        for j in range(0, m, LANES):
            at = r * m + j
            store(z, at, sub(load(y, at), mul(load(noise, j), load(z, at))))


@inlined
def _filter_shared(y: Any, rows: int, sizes: Any, matrices: Any, left: Any, z: Any) -> None:
    """Do the same for noise that pixels share, whose covariance is the second of the matrices."""
    n, m, count = sizes
    matrix, noise, linear, work = matrices
    multiplied(matrix, m * m, np.float32(1.0) / np.float32(count))
    shared_map(matrix, noise, 1.0, n, m, work, linear, left)
    product(y, rows, m, n, linear, m, z)


@inlined
def heard_share(structure: float, noise: float) -> Any:
    """Return how much of a colour of a group is used: all of it, nothing, or in between a share."""
    low, high = np.float32(SILENT[0]), np.float32(SILENT[1])
    return min(np.float32(1.0), max(np.float32(0.0), (structure / noise - low) / (high - low)))


@inlined
def multiplied(values: Any, count: int, factor: float) -> None:
    """Multiply so many values."""
    by = splat(factor)
    for at in range(0, count, LANES):
        store(values, at, mul(by, load(values, at)))


@inlined
def mean_noise(variance: Any, tile: Any, corners: Any, noise: Any) -> None:
    """Write the mean variance of every pixel of the patches of a group."""
    n, patch, size = pixels_of(tile), tile.patch, tile.height * tile.width
    if len(variance) == 1:
        for i in range(n):
            noise[i] = variance[0]
        return
    share = splat(np.float32(1.0) / np.float32(len(corners)))
    for layer in range(tile.layers):
        for row in range(patch):  # what is written beyond a row, the next writes over
            for column in range(0, patch, LANES):
                s = splat(0.0)
                for j in range(len(corners)):
                    s = add(s, load(variance, corners[j] + layer * size + row * tile.width + column))
                store(noise, (layer * patch + row) * patch + column, mul(share, s))
    for i in range(n, len(noise)):
        noise[i] = 0.0


@inlined
def _trusted(group: Any, rows: int, m: int, mean: Any, trust: Any) -> None:
    """Add the mean to every row, and weigh the sum."""
    for r in range(rows):
        for j in range(0, m, LANES):
            at = r * m + j
            t = load(trust, j)
            store(group, at, fma(load(group, at), t, mul(load(mean, j), t)))
