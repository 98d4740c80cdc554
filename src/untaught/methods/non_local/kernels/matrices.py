"""Products and inverses of small matrices, held in flat float32 arrays, row after row, rows of whole vectors.

Blocks of four rows and two vectors are summed up in registers: eight sums at once keep both multipliers of a core
at work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import inlined
from untaught.methods.non_local.kernels.vectors import LANES, fma, load, mul, splat, store, total

ROWS = 4  # of a block


@inlined
def gram(p: Any, rows: int, m: int, a: Any) -> None:
    """Write p' p, (m, m), into `a`; p is (rows, m)."""
    for i in range(0, m, ROWS):
        j = i // LANES * LANES  # what is left of that is mirrored below
        while j + 2 * LANES <= m:
            s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = splat(0.0)
            for r in range(rows):
                at = r * m + i
                u, v = load(p, r * m + j), load(p, r * m + j + LANES)
                x = splat(p[at])
                s00, s01 = fma(x, u, s00), fma(x, v, s01)
                x = splat(p[at + 1])
                s10, s11 = fma(x, u, s10), fma(x, v, s11)
                x = splat(p[at + 2])
                s20, s21 = fma(x, u, s20), fma(x, v, s21)
                x = splat(p[at + 3])
                s30, s31 = fma(x, u, s30), fma(x, v, s31)
            _put(a, i * m + j, m, (s00, s10, s20, s30))
            _put(a, i * m + j + LANES, m, (s01, s11, s21, s31))
            j += 2 * LANES
        if j < m:
            s00 = s10 = s20 = s30 = splat(0.0)
            for r in range(rows):
                at = r * m + i
                u = load(p, r * m + j)
                s00, s10 = fma(splat(p[at]), u, s00), fma(splat(p[at + 1]), u, s10)
                s20, s30 = fma(splat(p[at + 2]), u, s20), fma(splat(p[at + 3]), u, s30)
            _put(a, i * m + j, m, (s00, s10, s20, s30))
    for i in range(LANES, m):
        for j in range(i // LANES * LANES):
            a[i * m + j] = a[j * m + i]


@inlined
def _put(a: Any, at: int, m: int, rows: Any) -> None:
    store(a, at, rows[0])
    store(a, at + m, rows[1])
    store(a, at + 2 * m, rows[2])
    store(a, at + 3 * m, rows[3])


@inlined
def product(y: Any, rows: int, inner: int, b: Any, m: int, z: Any) -> None:
    """Write y b, (rows, m), into `z`; y is (rows, inner), and `rows` is a multiple of `ROWS`."""
    for r in range(0, rows, ROWS):
        top = r * inner
        for j in range(0, m - LANES, 2 * LANES):
            s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = splat(0.0)
            for i in range(inner):
                at = top + i
                u, v = load(b, i * m + j), load(b, i * m + j + LANES)
                x = splat(y[at])
                s00, s01 = fma(x, u, s00), fma(x, v, s01)
                x = splat(y[at + inner])
                s10, s11 = fma(x, u, s10), fma(x, v, s11)
                x = splat(y[at + 2 * inner])
                s20, s21 = fma(x, u, s20), fma(x, v, s21)
                x = splat(y[at + 3 * inner])
                s30, s31 = fma(x, u, s30), fma(x, v, s31)
            _put(z, r * m + j, m, (s00, s10, s20, s30))
            _put(z, r * m + j + LANES, m, (s01, s11, s21, s31))
        if m // LANES % 2:
            j = m - LANES
            s00 = s10 = s20 = s30 = splat(0.0)
            for i in range(inner):
                at = top + i
                u = load(b, i * m + j)
                s00, s10 = fma(splat(y[at]), u, s00), fma(splat(y[at + inner]), u, s10)
                s20, s30 = fma(splat(y[at + 2 * inner]), u, s20), fma(splat(y[at + 3 * inner]), u, s30)
            _put(z, r * m + j, m, (s00, s10, s20, s30))


@inlined
def invert(a: Any, m: int, work: Any) -> None:
    """Invert a positive matrix, (m, m), in its place, four rows K, and those behind them, R, at a time.

    From the top A = U' D U, with U one on its diagonal and zero below; then, from the bottom, the inverse B of

        U B = D^-1 U'^-1,   whose right side is zero above its diagonal, on which it is D^-1

    (Takahashi, Fagan and Chen 1973). Inverses of the four rows themselves, which would spare divisions, lose half
    of the digits where neighbours are alike. `work` holds 9 m values.
    """
    for k in range(0, m, ROWS):
        _eliminate_within(a, k, m, work)
        _eliminate_behind(a, k, m, work)
    for k in range(m - ROWS, -1, -ROWS):
        _invert_within(a, k, m, work)


@inlined
def _eliminate_within(a: Any, k: int, m: int, work: Any) -> None:
    """Eliminate the rows k to k + 3 with each other; -U of these rows goes to `work`, and 1 / D to its end."""
    start = k // LANES * LANES
    for q in range(ROWS):
        row = (k + q) * m
        for p in range(q):
            factor = splat(work[p * m + k + q])
            for j in range(start, m, LANES):
                store(a, row + j, fma(factor, load(a, (k + p) * m + j), load(a, row + j)))
        pivot = np.float32(1.0) / a[row + k + q]
        work[8 * m + k + q] = pivot
        factor = splat(-pivot)
        for j in range(start, m, LANES):
            store(work, q * m + j, mul(factor, load(a, row + j)))


@inlined
def _eliminate_behind(a: Any, k: int, m: int, work: Any) -> None:
    """Eliminate the rows k to k + 3 from those behind them, above the diagonal; below, what is left has no use."""
    j = (k + ROWS) // LANES * LANES
    if (m - j) // LANES % 2:
        at = k * m + j
        u0, u1, u2, u3 = load(a, at), load(a, at + m), load(a, at + 2 * m), load(a, at + 3 * m)
        for i in range(k + ROWS, min(m, j + LANES)):
            s = fma(splat(work[i]), u0, load(a, i * m + j))
            s = fma(splat(work[m + i]), u1, s)
            s = fma(splat(work[2 * m + i]), u2, s)
            store(a, i * m + j, fma(splat(work[3 * m + i]), u3, s))
        j += LANES
    while j < m:
        at = k * m + j
        u0, u1, u2, u3 = load(a, at), load(a, at + m), load(a, at + 2 * m), load(a, at + 3 * m)
        at = k * m + j + LANES
        v0, v1, v2, v3 = load(a, at), load(a, at + m), load(a, at + 2 * m), load(a, at + 3 * m)
        for i in range(k + ROWS, min(m, j + 2 * LANES)):
            at = i * m + j
            s, t = load(a, at), load(a, at + LANES)
            x = splat(work[i])
            s, t = fma(x, u0, s), fma(x, v0, t)
            x = splat(work[m + i])
            s, t = fma(x, u1, s), fma(x, v1, t)
            x = splat(work[2 * m + i])
            s, t = fma(x, u2, s), fma(x, v2, t)
            x = splat(work[3 * m + i])
            store(a, at, fma(x, u3, s))
            store(a, at + LANES, fma(x, v3, t))
        j += 2 * LANES


@inlined
def _invert_within(a: Any, k: int, m: int, work: Any) -> None:
    """Write rows and columns k to k + 3 of the inverse; those behind are there."""
    end = k + ROWS
    start = end // LANES * LANES
    for q in range(ROWS):  # -U again, with nothing before R
        factor = splat(-work[8 * m + k + q])
        for j in range(start, m, LANES):
            store(work, q * m + j, mul(factor, load(a, (k + q) * m + j)))
        for j in range(start, min(end, m)):
            work[q * m + j] = 0.0
    for j in range(start, m, LANES):
        s0 = s1 = s2 = s3 = splat(0.0)
        for i in range(end, m):
            u = load(a, i * m + j)
            s0, s1 = fma(splat(work[i]), u, s0), fma(splat(work[m + i]), u, s1)
            s2, s3 = fma(splat(work[2 * m + i]), u, s2), fma(splat(work[3 * m + i]), u, s3)
        s2 = fma(_inner(a, work, k, m, 2, 3), s3, s2)
        s1 = fma(_inner(a, work, k, m, 1, 3), s3, fma(_inner(a, work, k, m, 1, 2), s2, s1))
        s0 = fma(_inner(a, work, k, m, 0, 2), s2, fma(_inner(a, work, k, m, 0, 1), s1, s0))
        s0 = fma(_inner(a, work, k, m, 0, 3), s3, s0)
        _put(work, 4 * m + j, m, (s0, s1, s2, s3))
    for q in range(ROWS - 1, -1, -1):
        own = work[8 * m + k + q]
        for p in range(ROWS - 1, q - 1, -1):
            s = splat(0.0)
            for j in range(start, m, LANES):
                s = fma(load(work, (4 + p) * m + j), load(work, q * m + j), s)
            found = total(s) + (own if p == q else np.float32(0.0))
            for r in range(q + 1, ROWS):
                found -= own * a[(k + q) * m + k + r] * a[(k + max(p, r)) * m + k + min(p, r)]
            # Kept below the diagonal until all are there: what stands above it is still needed.
            a[(k + p) * m + k + q] = found
    for q in range(ROWS):
        for p in range(q):
            a[(k + p) * m + k + q] = a[(k + q) * m + k + p]
        for j in range(end, m):
            a[(k + q) * m + j] = work[(4 + q) * m + j]
    for j in range(end, m):
        at = j * m + k
        a[at], a[at + 1], a[at + 2], a[at + 3] = work[4 * m + j], work[5 * m + j], work[6 * m + j], work[7 * m + j]


@inlined
def _inner(a: Any, work: Any, k: int, m: int, row: int, column: int) -> Any:
    """Return -U[row, column] of the four rows from k on, everywhere."""
    return splat(-work[8 * m + k + row] * a[(k + row) * m + k + column])
