"""M = I - N (A + N)^-1 of a group, and the variance that it leaves of the noise; B is that inverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught.methods.non_local.kernels.compiling import inlined
from untaught.methods.non_local.kernels.matrices import invert, product
from untaught.methods.non_local.kernels.vectors import LANES, fma, load, mul, splat, store, sub

TINY = 1e-12  # keeps matrices of nothing at all invertible
ROUNDING = 3e-6  # of a matrix's mean diagonal: keeps float32 eliminations positive
NOISELESS = 1e-6  # of the mean variance: the same where noise that is shared has no part in some direction


@inlined
def inverse_of(a: Any, noise: Any, slack: float, n: int, m: int, work: Any) -> None:
    """Replace A, n of whose m rows count, by (A + slack N)^-1; N = diag(noise)."""
    floor = ROUNDING * mean_diagonal(a, n, m) + TINY
    for i in range(n):
        a[i * m + i] += slack * noise[i] + floor
    for i in range(n, m):
        a[i * m + i] = 1.0
    invert(a, n, m, work)


@inlined
def left_of(inverse: Any, noise: Any, n: int, m: int, left: Any) -> None:
    """Write the diagonal of M N M': what is left of the noise.

    N_i^2 sum_j N_j B_ij^2 + N_i (1 - 2 N_i B_ii)
    """
    for j in range(0, m, LANES):
        s = splat(0.0)
        for i in range(n):
            b = load(inverse, i * m + j)
            s = fma(mul(splat(noise[i]), b), b, s)
        v = load(noise, j)
        store(left, j, mul(mul(v, v), s))
    for i in range(n):
        left[i] = max(np.float32(0.0), left[i] + noise[i] * (1 - 2 * noise[i] * inverse[i * m + i]))


@inlined
def shared_map(a: Any, noise: Any, slack: float, n: int, m: int, work: Any, found: Any, left: Any) -> None:
    """Write M' = I - B N of noise that is shared, N = (m, m), into `found`, and what it leaves into `left`.

    A is used up.
    """
    floor = ROUNDING * mean_diagonal(a, n, m) + NOISELESS
    for at in range(0, m * m, LANES):
        store(a, at, fma(splat(slack), load(noise, at), load(a, at)))
    for i in range(n):
        a[i * m + i] += floor
    for i in range(n, m):
        a[i * m + i] = 1.0
    invert(a, n, m, work)
    product(a, m, m, n, noise, m, found)
    for at in range(0, m * m, LANES):
        store(found, at, sub(splat(0.0), load(found, at)))
    for i in range(m):
        found[i * m + i] += np.float32(1.0)
    product(noise, m, m, n, found, m, a)
    for j in range(0, m, LANES):
        s = splat(0.0)
        for i in range(n):
            s = fma(load(a, i * m + j), load(found, i * m + j), s)
        store(left, j, s)
    for i in range(n):
        left[i] = max(np.float32(0.0), left[i])


@inlined
def mean_diagonal(a: Any, n: int, m: int) -> Any:
    """Return the mean of the first n values on the diagonal of a matrix of m columns."""
    mean = np.float32(0.0)
    for i in range(n):
        mean += a[i * m + i]
    return mean / n


@inlined
def scaled(correlation: Any, noise: Any, n: int, m: int, found: Any) -> None:
    """Write the covariance of noise of the variance `noise` and this correlation into `found`."""
    for i in range(n):
        for j in range(n):
            found[i * m + j] = np.sqrt(noise[i] * noise[j]) * correlation[i * m + j]
