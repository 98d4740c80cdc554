"""Products and inverses of small matrices, held in flat float32 arrays, row after row, rows of whole vectors.

Blocks of four rows and two vectors are summed up in registers: eight sums at once keep both multipliers of a core
at work.
"""

from __future__ import annotations

from typing import Any

from untaught.methods.non_local.kernels.compiling import inlined
from untaught.methods.non_local.kernels.vectors import LANES, fma, load, mul, splat, store

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
    """Invert a positive matrix, (m, m), in its place: Gauss and Jordan's elimination, four pivots at a time.

        [[D, W], [V, A]]  ->  [[D^-1, D^-1 W], [-V D^-1, A - V D^-1 W]]

    `work` holds 8 m + 16 values.
    """
    panel, pivots = 4 * m, 8 * m
    for k in range(0, m, ROWS):
        _invert_four(a, k * m + k, m, work, pivots)
        for i in range(m):
            for s in range(4):
                work[panel + 4 * i + s] = -a[i * m + k + s]
                a[i * m + k + s] = 0.0
        for s in range(16):
            work[panel + 4 * k + s] = 0.0
        for q in range(4):
            at = pivots + 4 * q
            for j in range(0, m, LANES):
                v = mul(splat(work[at]), load(a, k * m + j))
                v = fma(splat(work[at + 1]), load(a, (k + 1) * m + j), v)
                v = fma(splat(work[at + 2]), load(a, (k + 2) * m + j), v)
                v = fma(splat(work[at + 3]), load(a, (k + 3) * m + j), v)
                store(work, q * m + j, v)
            for s in range(4):
                work[q * m + k + s] = work[at + s]
        _eliminate(a, m, work, panel)
        for j in range(0, 4 * m, LANES):
            store(a, k * m + j, load(work, j))


@inlined
def _eliminate(a: Any, m: int, work: Any, panel: int) -> None:
    """Add the products of four columns, from `panel` on, and four rows, at the start of `work`, to `a`."""
    for j in range(0, m - LANES, 2 * LANES):
        u0, u1, u2, u3 = load(work, j), load(work, m + j), load(work, 2 * m + j), load(work, 3 * m + j)
        k = j + LANES
        v0, v1, v2, v3 = load(work, k), load(work, m + k), load(work, 2 * m + k), load(work, 3 * m + k)
        for i in range(m):
            at, by = i * m + j, panel + 4 * i
            s, t = load(a, at), load(a, at + LANES)
            x = splat(work[by])
            s, t = fma(x, u0, s), fma(x, v0, t)
            x = splat(work[by + 1])
            s, t = fma(x, u1, s), fma(x, v1, t)
            x = splat(work[by + 2])
            s, t = fma(x, u2, s), fma(x, v2, t)
            x = splat(work[by + 3])
            s, t = fma(x, u3, s), fma(x, v3, t)
            store(a, at, s)
            store(a, at + LANES, t)
    if m // LANES % 2:
        j = m - LANES
        u0, u1, u2, u3 = load(work, j), load(work, m + j), load(work, 2 * m + j), load(work, 3 * m + j)
        for i in range(m):
            by = panel + 4 * i
            s = fma(splat(work[by]), u0, load(a, i * m + j))
            s = fma(splat(work[by + 1]), u1, s)
            s = fma(splat(work[by + 2]), u2, s)
            store(a, i * m + j, fma(splat(work[by + 3]), u3, s))


@inlined
def _invert_four(a: Any, at: int, m: int, work: Any, to: int) -> None:
    """Write the inverse of four rows and columns of `a`, symmetric, from `at` on, to `work`: by halves."""
    a0, a1, a2 = a[at], a[at + 1], a[at + m + 1]
    b0, b1, b2, b3 = a[at + 2], a[at + 3], a[at + m + 2], a[at + m + 3]
    d0, d1, d2 = a[at + 2 * m + 2], a[at + 2 * m + 3], a[at + 3 * m + 3]
    scale = 1 / (a0 * a2 - a1 * a1)
    i0, i1, i2 = a2 * scale, -a1 * scale, a0 * scale
    e0, e1, e2, e3 = i0 * b0 + i1 * b2, i0 * b1 + i1 * b3, i1 * b0 + i2 * b2, i1 * b1 + i2 * b3
    d0, d1, d2 = d0 - (b0 * e0 + b2 * e2), d1 - (b0 * e1 + b2 * e3), d2 - (b1 * e1 + b3 * e3)
    scale = 1 / (d0 * d2 - d1 * d1)
    s0, s1, s2 = d2 * scale, -d1 * scale, d0 * scale
    f0, f1, f2, f3 = e0 * s0 + e1 * s1, e0 * s1 + e1 * s2, e2 * s0 + e3 * s1, e2 * s1 + e3 * s2
    cross = i1 + f0 * e2 + f1 * e3
    work[to], work[to + 1], work[to + 2], work[to + 3] = i0 + f0 * e0 + f1 * e1, cross, -f0, -f1
    work[to + 4], work[to + 5], work[to + 6], work[to + 7] = cross, i2 + f2 * e2 + f3 * e3, -f2, -f3
    work[to + 8], work[to + 9], work[to + 10], work[to + 11] = -f0, -f2, s0, s1
    work[to + 12], work[to + 13], work[to + 14], work[to + 15] = -f1, -f3, s1, s2
