"""What is missing of patches, predicted from the rest of them by the law of their group; see `ImpulseFill`."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import compiled, inlined
from untaught.methods.non_local.kernels.groups import (
    centre,
    gather_colours,
    pixels_of,
    references_of,
    room,
    scatter_colours,
)
from untaught.methods.non_local.kernels.matrices import ROWS, gram, invert, product
from untaught.methods.non_local.kernels.search import similar
from untaught.methods.non_local.kernels.shrinkage import mean_diagonal
from untaught.methods.non_local.kernels.vectors import LANES, add, fma, load, mul, splat, store, sub, total
from untaught.methods.non_local.kernels.wiener import multiplied

ENERGY = 1e-20  # keeps 0 / 0 out of the conjugate gradients


@compiled
def prediction(tile: Any, pictures: Any, law: Any, offsets: Any, sums: Any, weights: Any) -> None:
    """Predict what is missing of the patches of every group of a tile, and add the predictions up.

        v_m = mu_m - L_mm^-1 L_mo (v_o - mu_o),   L = (C + delta I)^-1

    Parameters
    ----------
    tile : Part
        Sizes, and where the references are.
    pictures : (guide, picture, missing)
        float32: what is compared, flat; the picture and where it is missing, 1, or is not, 0: (C, height width).
    law : (share, floor, sweeps)
        delta is so large a share of the mean variance, and so much more; and steps of the conjugate gradients.
    offsets : int64 array
        See `search.similar`.
    sums, weights : float32 arrays
        (C, height width) and something more: take predictions times precision, and the precision, of patches of
        which something is missing: of others, there is nothing to tell.
    """
    guide, picture, missing = pictures
    share, floor, sweeps = law
    n = len(picture) * pixels_of(tile)
    m, rows = -(-n // LANES) * LANES, -(-tile.group // ROWS) * ROWS
    corners, distances = np.empty(tile.group, np.int64), room(len(offsets) + tile.reach)
    values, lost, v = room(rows * m), room(rows * m), room(rows * m)
    mean, precision, matrix = room(m), room(m), room(m * m)
    work = room(8 * m), room(rows * m), room(rows * m), room(rows * m), room(rows)
    for reference in range(references_of(tile)):
        similar(reference, tile, guide, offsets, distances, corners)
        gather_colours(missing, tile, corners, m, lost)
        hit = _hit_first(lost, corners, m)
        if hit == 0:
            continue
        gather_colours(picture, tile, corners, m, values)
        centre(values, tile.group, m, mean)
        gram(values, tile.group, n, m, matrix)
        _inverse_of(matrix, tile.group, (share, floor), n, m, work[0])
        for i in range(n):
            precision[i] = matrix[i * m + i]
        few = -(-hit // ROWS) * ROWS
        for at in range(0, few * m, LANES):
            store(v, at, load(values, at))
        _settle(v, lost, matrix, precision, (few, n, m), sweeps, work)
        for r in range(hit):
            for j in range(0, m, LANES):
                at = r * m + j
                store(v, at, mul(load(precision, j), add(load(v, at), load(mean, j))))
        scatter_colours(v, m, tile, corners[:hit], sums)
        scatter_colours(precision, 0, tile, corners[:hit], weights)


@inlined
def _hit_first(lost: Any, corners: Any, m: int) -> Any:
    """Bring the patches of which something is missing to the front, and return how many they are."""
    hit = 0
    for j in range(len(corners)):
        s = splat(0.0)
        for i in range(0, m, LANES):
            s = add(s, load(lost, j * m + i))
        if total(s) > 0.0:
            corners[hit], corners[j] = corners[j], corners[hit]
            for i in range(0, m, LANES):
                s = load(lost, j * m + i)
                store(lost, j * m + i, load(lost, hit * m + i))
                store(lost, hit * m + i, s)
            hit += 1
    return hit


@inlined
def _inverse_of(a: Any, count: int, ridge: Any, n: int, m: int, work: Any) -> None:
    """Turn the sums of squares of so many centred patches into the inverse of their covariance and a ridge."""
    multiplied(a, m * m, np.float32(1.0) / np.float32(count))
    delta = np.float32(ridge[1] + ridge[0] * mean_diagonal(a, n, m))
    for i in range(n):
        a[i * m + i] += delta
    for i in range(n, m):
        a[i * m + i] = 1.0
    invert(a, n, m, work)


@inlined
def _settle(v: Any, lost: Any, inverse: Any, precision: Any, sizes: Any, sweeps: int, work: Any) -> None:
    """Minimise v L v over the missing entries of the rows of `v` by preconditioned conjugate gradients."""
    rows, n, m = sizes
    scale, residual, step, image, energies = work
    for i in range(n):
        scale[i] = np.float32(1.0) / precision[i]
    product(v, rows, m, n, inverse, m, image)
    for r in range(rows):
        s = splat(0.0)
        for at in range(r * m, (r + 1) * m, LANES):
            left = mul(sub(splat(0.0), load(image, at)), load(lost, at))
            ahead = mul(left, load(scale, at - r * m))
            store(residual, at, left)
            store(step, at, ahead)
            s = fma(left, ahead, s)
        energies[r] = total(s)
    for _ in range(sweeps):
        product(step, rows, m, n, inverse, m, image)
        for r in range(rows):
            energies[r] = _stepped(v, lost, work, r, m)


@inlined
def _stepped(v: Any, lost: Any, work: Any, r: int, m: int) -> Any:
    """Go one step in a row; return its new energy."""
    scale, residual, step, image, energies = work
    s = splat(0.0)
    for at in range(r * m, (r + 1) * m, LANES):
        s = fma(load(step, at), load(image, at), s)
    length = splat(energies[r] / (total(s) + np.float32(ENERGY)))
    s = splat(0.0)
    for at in range(r * m, (r + 1) * m, LANES):
        store(v, at, fma(length, load(step, at), load(v, at)))
        left = sub(load(residual, at), mul(length, mul(load(image, at), load(lost, at))))
        store(residual, at, left)
        s = fma(left, mul(left, load(scale, at - r * m)), s)
    energy = total(s)
    turn = splat(energy / (energies[r] + np.float32(ENERGY)))
    for at in range(r * m, (r + 1) * m, LANES):
        ahead = mul(load(residual, at), load(scale, at - r * m))
        store(step, at, fma(turn, load(step, at), ahead))
    return energy
