"""Products and inverses of small matrices, held in flat float32 arrays, row after row, rows of whole vectors.

Blocks of four rows and two vectors are summed up in registers: eight sums at once keep both multipliers of a core
at work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import inlined
from untaught.methods.non_local.kernels.vectors import LANES, add, fma, load, mul, put, splat, store, sub

ROWS = 4  # of a block


@inlined
def gram(p: Any, rows: int, n: int, m: int, a: Any) -> None:
    """Write p' p into the first rows of `a`, (m, m); p is (rows, m), and n of its columns are not zero."""
    for i in range(0, n, ROWS):
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
    for i in range(LANES, n):
        for j in range(i // LANES * LANES):
            a[i * m + j] = a[j * m + i]


@inlined
def _put(a: Any, at: int, m: int, rows: Any) -> None:
    store(a, at, rows[0])
    store(a, at + m, rows[1])
    store(a, at + 2 * m, rows[2])
    store(a, at + 3 * m, rows[3])


@inlined
def product(y: Any, rows: int, width: int, inner: int, b: Any, m: int, z: Any) -> None:
    """Write y b, (rows, m), into `z`; y is (rows, width), `inner` columns of it are not zero.

    `rows` is a multiple of `ROWS`.
    """
    for r in range(0, rows, ROWS):
        top = r * width
        for j in range(0, m - LANES, 2 * LANES):
            s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = splat(0.0)
            for i in range(inner):
                at = top + i
                u, v = load(b, i * m + j), load(b, i * m + j + LANES)
                x = splat(y[at])
                s00, s01 = fma(x, u, s00), fma(x, v, s01)
                x = splat(y[at + width])
                s10, s11 = fma(x, u, s10), fma(x, v, s11)
                x = splat(y[at + 2 * width])
                s20, s21 = fma(x, u, s20), fma(x, v, s21)
                x = splat(y[at + 3 * width])
                s30, s31 = fma(x, u, s30), fma(x, v, s31)
            _put(z, r * m + j, m, (s00, s10, s20, s30))
            _put(z, r * m + j + LANES, m, (s01, s11, s21, s31))
        if m // LANES % 2:
            j = m - LANES
            s00 = s10 = s20 = s30 = splat(0.0)
            for i in range(inner):
                at = top + i
                u = load(b, i * m + j)
                s00, s10 = fma(splat(y[at]), u, s00), fma(splat(y[at + width]), u, s10)
                s20, s30 = fma(splat(y[at + 2 * width]), u, s20), fma(splat(y[at + 3 * width]), u, s30)
            _put(z, r * m + j, m, (s00, s10, s20, s30))


@inlined
def invert(a: Any, n: int, m: int, work: Any) -> None:
    """Invert a positive matrix in its place: n of m rows and columns, the rest of it that of one.

    Its rows are swept, four at a time: with d = a_kk, for i and j other than k,

        a_ij <- a_ij - a_ik a_kj / d,   a_ik, a_ki <- a_ik / d,   a_kk <- -1 / d,

    which leaves a symmetric matrix so, and after all rows the inverse with a minus (Goodnight, "A tutorial on the
    SWEEP operator", The American Statistician 33(3), 1979). Nothing below the diagonal is spared: what that would
    save is lost in sums that wait for each other. `work` holds 8 m values.
    """
    count = -(-n // ROWS) * ROWS
    for k in range(0, count, ROWS):
        _sweep_within(a, k, m, work)
        _sweep_others(a, k, count, m, work)
    for at in range(0, count * m, LANES):
        store(a, at, sub(splat(0.0), load(a, at)))


@inlined
def _sweep_within(a: Any, k: int, m: int, work: Any) -> None:
    """Sweep the rows k to k + 3 in themselves.

    To `work` go the rows u as they were when their turn came, with what brings the columns k to k + 3 of all other
    rows out right, and behind them -u / d.
    """
    own = k // LANES * LANES
    lane = k - own
    for p in range(ROWS):
        row = (k + p) * m
        inverse = np.float32(1.0) / a[row + k + p]
        for j in range(0, m, LANES):
            u = load(a, row + j)
            s = mul(splat(-inverse), u)
            store(work, (ROWS + p) * m + j, s)
            if j == own:
                u, s = put(u, lane + p, -1.0), put(s, lane + p, inverse)
            store(work, p * m + j, u)
            store(a, row + j, sub(splat(0.0), s))
        for q in range(ROWS):
            if q == p:
                continue
            factor = splat(work[(ROWS + p) * m + k + q])
            for j in range(0, m, LANES):
                at = (k + q) * m + j
                v = load(a, at)
                store(a, at, fma(factor, load(work, p * m + j), put(v, lane + p, 0.0) if j == own else v))
    for p in range(ROWS - 1):  # a column that is swept later is written then
        v = load(work, p * m + own)
        for q in range(p + 1, ROWS):
            v = put(v, lane + q, 0.0)
        store(work, p * m + own, v)


@inlined
def _sweep_others(a: Any, k: int, count: int, m: int, work: Any) -> None:
    """Sweep the rows k to k + 3 in all others."""
    own = k // LANES * LANES
    keep = splat(1.0)
    for p in range(ROWS):
        keep = put(keep, k - own + p, 0.0)
    j = 0
    while j + LANES < m:
        u0, u1, u2, u3 = load(work, j), load(work, m + j), load(work, 2 * m + j), load(work, 3 * m + j)
        at = j + LANES
        v0, v1, v2, v3 = load(work, at), load(work, m + at), load(work, 2 * m + at), load(work, 3 * m + at)
        keep_u, keep_v = keep if j == own else splat(1.0), keep if at == own else splat(1.0)
        for start, stop in ((0, k), (k + ROWS, count)):
            for i in range(start, stop):
                at, factors = i * m + j, ROWS * m + i
                x, y = splat(work[factors]), splat(work[factors + m])
                s, t, s_, t_ = mul(x, u0), mul(x, v0), mul(y, u1), mul(y, v1)
                x, y = splat(work[factors + 2 * m]), splat(work[factors + 3 * m])
                s, t, s_, t_ = fma(x, u2, s), fma(x, v2, t), fma(y, u3, s_), fma(y, v3, t_)
                s, t = fma(load(a, at), keep_u, s), fma(load(a, at + LANES), keep_v, t)
                store(a, at, add(s, s_))
                store(a, at + LANES, add(t, t_))
        j += 2 * LANES
    if j < m:
        u0, u1, u2, u3 = load(work, j), load(work, m + j), load(work, 2 * m + j), load(work, 3 * m + j)
        keep_u = keep if j == own else splat(1.0)
        for start, stop in ((0, k), (k + ROWS, count)):
            for i in range(start, stop):
                at, factors = i * m + j, ROWS * m + i
                s, s_ = mul(splat(work[factors]), u0), mul(splat(work[factors + m]), u1)
                s, s_ = fma(splat(work[factors + 2 * m]), u2, s), fma(splat(work[factors + 3 * m]), u3, s_)
                store(a, at, add(fma(load(a, at), keep_u, s), s_))
