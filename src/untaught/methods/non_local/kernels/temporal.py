"""Groups of patches that are followed over time, filtered in the time courses of their own and then in space."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import compiled, inlined
from untaught.methods.non_local.kernels.groups import (
    centre,
    diagonalise,
    energy,
    gather_rows,
    pixels_of,
    references_of,
    room,
    rooms,
    scatter_rows,
    turned,
)
from untaught.methods.non_local.kernels.matrices import ROWS
from untaught.methods.non_local.kernels.search import similar
from untaught.methods.non_local.kernels.vectors import LANES, add, fma, load, mul, splat, store, total
from untaught.methods.non_local.kernels.wiener import colours_filtered, heard_share, mean_noise, multiplied

LEAST_LEFT = 0.02  # of the mean variance: no pixel is trusted as if it were without noise
# Of the mean variance: what the pilot counts for where no other plane is like that of the reference.
ALONE_LEFT = 0.2


@compiled
def temporal(tile: Any, pictures: Any, followed: Any, shared: Any, offsets: Any, sums: Any, weights: Any) -> None:
    """Filter the patches of every group of a tile, and where they are in other planes, and add the answers up.

    See `over_time.denoise_over_time`. Where no other plane is like that of the reference, the pilot is added up.

    Parameters
    ----------
    tile, pictures, shared, offsets, sums, weights
        See `wiener.wiener`; pictures, sums and weights are of all planes, plane after plane.
    followed : (tracks, alike)
        Where a patch with its corner at a place of the reference's plane is in all planes, (planes, height width),
        and the mean squared difference up to which that is like it.
    """
    guide, y, pilot, variance = pictures
    tracks, alike = followed
    channels, n, size, most = len(y), pixels_of(tile), tile.height * tile.width, len(tracks)
    m, rows = -(-n // LANES) * LANES, -(-tile.group // ROWS) * ROWS
    corners, distances = np.empty(tile.group, np.int64), room(len(offsets) + tile.reach)
    places, turn = np.empty((most, tile.group), np.int64), np.eye(channels, dtype=np.float32)
    values, known = rooms(channels * most, rows * m), rooms(channels * most, rows * m)
    noise, left, answer = rooms(channels * most, m), rooms(channels * most, m), rooms(channels * most, rows * m)
    own, trust = room(rows * m), room(m)
    work = own, room(rows * m), room(m), room(m * m), room(m * m), room(m * m), room(8 * m)
    course = rooms(channels, rows * m), rooms(channels, rows * m), rooms(channels, m), rooms(channels, m)
    found = rooms(channels, rows * m), rooms(channels, m)
    means = rooms(channels, m)
    for reference in range(references_of(tile)):
        similar(reference, tile, guide, offsets, distances, corners)
        here = corners[-1] - tile.front * size
        start, end = _reached(guide, tracks, size, here, tile.front, offsets, alike)
        count = end - start
        for t in range(count):
            for j in range(tile.group):
                places[t, j] = (start + t) * size + tracks[start + t, corners[j] - tile.front * size]
            for c in range(channels):
                gather_rows(pilot[c], tile, places[t], m, known[c * count + t])
        products = _products(known, channels, count, tile.group * m)
        first, last = _steady(products, tile.front - start, alike * np.float32(channels * tile.group * n))
        if last - first == 1:
            for c in range(channels):
                _give_pilot(pilot[c], tile, corners[-1:], m, (own, trust), sums[c], weights[c])
            continue
        products = np.ascontiguousarray(products[first:last, first:last])
        levels = _levels(variance, tile, places, first, last, noise)
        for t in range(last - first):
            for u in range(last - first):
                products[t, u] /= levels[t] * levels[u]
        courses = np.empty(products.shape, np.float32)
        diagonalise(products, courses)
        for c in range(channels):
            for t in range(first, last):
                at = c * count + t
                gather_rows(y[c], tile, places[t], m, values[at])
                mean_noise(variance[c], tile, places[t], noise[at])
                _divide(values[at], rows * m, levels[t - first])
                _divide(known[at], rows * m, levels[t - first])
                _divide(noise[at], m, levels[t - first] * levels[t - first])
                _clear(answer[at], rows * m)
                _clear(left[at], m)
        for k in range(last - first):
            loud = np.float32(0.0)
            for c in range(channels):
                part = slice(c * count + first, c * count + last)
                turned(noise[part], courses[k] * courses[k], m, course[2][c])
                loud += np.sum(course[2][c][:n])
            if heard_share(products[k, k], tile.group * loud) == 0.0:
                continue
            for c in range(channels):
                part = slice(c * count + first, c * count + last)
                turned(values[part], courses[k], rows * m, course[0][c])
                turned(known[part], courses[k], rows * m, course[1][c])
                _centred(tile, course[0][c], course[1][c], course[2][c], means[c], course[3][c])
            given = course[0], course[1], means, course[2]
            colours_filtered(tile, given, shared, turn, work, found[0], found[1])
            for c in range(channels):
                back = np.ascontiguousarray(turn[:, c])
                turned(found[1], back * back, m, trust)
                turned(found[0], back, rows * m, own)
                _add_mean(own, tile.group, m, course[3][c])
                for t in range(last - first):
                    at = c * count + first + t
                    back_to = courses[k, t] * levels[t]
                    _add(own, back_to, tile.group * m, answer[at])
                    _add(trust, back_to * back_to, m, left[at])
        for c in range(channels):
            for t in range(first, last):
                at = c * count + t
                for i in range(n):
                    trust[i] = np.float32(1.0) / (left[at][i] + np.float32(LEAST_LEFT))
                _weigh(answer[at], tile.group, m, trust)
                scatter_rows(answer[at], m, tile, places[t], sums[c])
                scatter_rows(trust, 0, tile, places[t], weights[c])


@inlined
def _reached(guide: Any, tracks: Any, size: int, here: int, now: int, offsets: Any, alike: float) -> Any:
    """Return from which plane to before which the reference is found again where it was followed to."""
    start, end, most = now, now + 1, np.float32(alike * len(offsets))
    while (
        start > 0
        and _apart(guide, now * size + here, (start - 1) * size + tracks[start - 1, here], offsets) <= most
    ):
        start -= 1
    while end < len(tracks) and _apart(guide, now * size + here, end * size + tracks[end, here], offsets) <= most:
        end += 1
    return start, end


@inlined
def _apart(guide: Any, one: int, other: int, offsets: Any) -> Any:
    s = np.float32(0.0)
    for q in range(len(offsets)):
        d = guide[one + offsets[q]] - guide[other + offsets[q]]
        s += d * d
    return s


@inlined
def _products(known: Any, channels: int, count: int, length: int) -> Any:
    """Return the products of all planes of a group, summed up over patches, pixels and channels."""
    found = np.zeros((count, count))
    for c in range(channels):
        for t in range(count):
            for u in range(t + 1):
                s = splat(0.0)
                for at in range(0, length, LANES):
                    s = fma(load(known[c * count + t], at), load(known[c * count + u], at), s)
                found[t, u] += total(s)
    for t in range(count):
        for u in range(t):
            found[u, t] = found[t, u]
    return found


@inlined
def _steady(products: Any, now: int, most: float) -> Any:
    """Return from which plane to before which a whole group is no further than `most` from what it is now."""
    first, last = now, now + 1
    while first > 0 and products[now, now] + products[first - 1, first - 1] - 2 * products[now, first - 1] <= most:
        first -= 1
    while last < len(products) and products[now, now] + products[last, last] - 2 * products[now, last] <= most:
        last += 1
    return first, last


@inlined
def _levels(variance: Any, tile: Any, places: Any, first: int, last: int, noise: Any) -> Any:
    """Return the noise level of each plane of a group: divided by it, a plane counts as much as it is worth."""
    n, channels = pixels_of(tile), len(variance)
    found = np.empty(last - first, np.float32)
    for t in range(first, last):
        whole = np.float32(0.0)
        for c in range(channels):
            mean_noise(variance[c], tile, places[t], noise[0])
            whole += np.sum(noise[0][:n])
        found[t - first] = np.sqrt(whole / np.float32(channels * n))
    return found


@inlined
def _divide(values: Any, count: int, by: float) -> None:
    factor = splat(np.float32(1.0) / by)
    for at in range(0, count, LANES):
        store(values, at, mul(load(values, at), factor))


@inlined
def _give_pilot(pilot: Any, tile: Any, corner: Any, m: int, work: Any, sums: Any, weights: Any) -> None:
    """Add the pilot's patch at a corner up."""
    own, trust = work
    gather_rows(pilot, tile, corner, m, own)
    for i in range(m):
        trust[i] = np.float32(1.0) / np.float32(ALONE_LEFT)
    _weigh(own, 1, m, trust)
    scatter_rows(own, m, tile, corner, sums)
    scatter_rows(trust, 0, tile, corner, weights)


@inlined
def _centred(tile: Any, values: Any, known: Any, noise: Any, mean: Any, kept: Any) -> None:
    """Take their mean from the patches of a time course and from those of its pilot.

    `mean` takes that of the pilot, `kept` that of the patches as far as it is signal: by the pilot's energy.
    """
    n = pixels_of(tile)
    m = -(-n // LANES) * LANES
    centre(values, tile.group, m, kept)
    centre(known, tile.group, m, mean)
    signal = energy(mean, m)
    multiplied(kept, m, signal / (signal + np.sum(noise[:n]) / tile.group))


@inlined
def _clear(values: Any, count: int) -> None:
    for at in range(0, count, LANES):
        store(values, at, splat(0.0))


@inlined
def _add(values: Any, factor: float, count: int, to: Any) -> None:
    f = splat(factor)
    for at in range(0, count, LANES):
        store(to, at, fma(f, load(values, at), load(to, at)))


@inlined
def _add_mean(group: Any, rows: int, m: int, mean: Any) -> None:
    for r in range(rows):
        for j in range(0, m, LANES):
            store(group, r * m + j, add(load(group, r * m + j), load(mean, j)))


@inlined
def _weigh(group: Any, rows: int, m: int, trust: Any) -> None:
    for r in range(rows):
        for j in range(0, m, LANES):
            store(group, r * m + j, mul(load(group, r * m + j), load(trust, j)))
