"""The linear maps by which a group of similar patches is denoised together; see `single_scale.NonLocal`."""

from __future__ import annotations

import torch
from torch import Tensor

from untaught.methods.non_local.block_matching import gather
from untaught.methods.non_local.kernels.wiener import SILENT

TINY = 1e-12  # keeps matrices of nothing at all invertible
ROUNDING = 3e-6  # of a Gram matrix's mean diagonal: keeps float32 factorisations positive
INDEFINITE = 1e-3  # of the mean diagonal: where that was not enough
NOISELESS = 1e-6  # of the mean variance: keeps colours without noise and structure invertible
LEAST_LEFT = 0.01  # of the mean variance: no pixel is trusted as if it were without noise
WHOLE = 24  # side of the largest matrices that are inverted as they are
SAFE = 1e3  # condition up to which an inverse by halves is good to 1e-3: its error grows faster than the condition
SURE_SLACK = 0.01  # of the noise added to the Gram matrix of step one, against near-singular groups


def noise_of(variance: Tensor, index: Tensor, kind: str) -> Tensor:
    """Noise of the groups (B, k, n): by pixel of the patch (C, B, n) for "wiener", else by patch (C, B, k)."""
    if variance.shape[1:] == (1, 1):
        return variance if kind == "wiener" else variance * index.shape[2]
    values = gather(variance, index)
    return values.mean(2) if kind == "wiener" else values.sum(3)


def inverse_of(matrix: Tensor, least: Tensor | None = None) -> Tensor:
    """Return the inverses of positive matrices (..., m, m), in whose place others may be left.

    `least` is a bound from below of their eigenvalues: if it says that this is safe, large ones are inverted by
    halves, in two thirds of the time.
    """
    if least is not None and matrix.diagonal(dim1=-2, dim2=-1).sum(-1).amax() < SAFE * least:
        return _by_halves(matrix)
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if failed.any():  # next to no noise and patches that are all alike: rounding has made some indefinite
        diagonal = matrix.diagonal(dim1=-2, dim2=-1)
        diagonal += INDEFINITE * (failed > 0)[..., None] * diagonal.mean(-1, keepdim=True)
        factor = torch.linalg.cholesky(matrix)
    return _of_factor(factor)


def _of_factor(factor: Tensor) -> Tensor:
    """Return (L L')^-1 of lower triangles L, (..., m, m)."""
    return torch.cholesky_inverse(factor) if factor.is_cpu else _by_triangles(factor)


def _by_triangles(factor: Tensor) -> Tensor:
    """Return the same where thousands of small matrices want to be inverted at once, and not one by one."""
    ones = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device).expand_as(factor)
    root = torch.linalg.solve_triangular(factor, ones, upper=False)
    inverse: Tensor = root.mT @ root
    return inverse


def _by_halves(matrix: Tensor) -> Tensor:
    """Invert positive matrices of moderate condition, for products are faster than factorisations of small ones.

    [[A, B], [B', D]]^-1 = [[A^-1 + E S^-1 E', -E S^-1], [-S^-1 E', S^-1]],   E = A^-1 B,  S = D - B' E
    """
    half = matrix.shape[-1] // 2
    if half <= WHOLE // 2:
        return _of_factor(torch.linalg.cholesky(matrix))
    a, b, d = matrix[..., :half, :half], matrix[..., :half, half:], matrix[..., half:, half:]
    first = _by_halves(a)
    moved = first @ b
    second = _by_halves(d - b.mT @ moved)
    cross = moved @ second
    upper = torch.cat([first + cross @ moved.mT, -cross], -1)
    return torch.cat([upper, torch.cat([-cross.mT, second], -1)], -2)


def _shrinkage(matrix: Tensor, noise: Tensor, slack: float = 1.0) -> Tensor:
    """Return I - N (matrix + slack N)^-1 of semi-definite matrices, in place, float32-safe.

    N is `noise`, or diag(noise) where that has an axis less.
    """
    diagonal = matrix.diagonal(dim1=-2, dim2=-1)
    if noise.ndim == matrix.ndim:
        matrix += slack * noise
        diagonal += ROUNDING * diagonal.mean(-1, keepdim=True) + NOISELESS
        kept = -(noise @ inverse_of(matrix))
        kept.diagonal(dim1=-2, dim2=-1).add_(1)
        return kept
    diagonal += slack * noise + ROUNDING * diagonal.mean(-1, keepdim=True) + TINY
    inverse = inverse_of(matrix, slack * noise.amin())
    inverse *= -noise[..., None]
    inverse.diagonal(dim1=-2, dim2=-1).add_(1)
    return inverse


def _left(linear: Tensor, noise: Tensor) -> Tensor:
    """Return the variance that linear maps (C, B, m, m) leave of a noise, as in `_shrinkage`: (C, B, m)."""
    if noise.ndim == linear.ndim:
        return ((linear @ noise) * linear).sum(-1)
    left: Tensor = torch.linalg.vector_norm(linear * noise.sqrt()[..., None, :], dim=-1)
    return left.square_()


def combination(group: Tensor, pilot: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Combine the patches (C, B, k, n) of a group; noise energies (C, B, k), of mean variance 1.

    Return the answer times its trust, and the trust (C, B, k, 1).
    """
    gram = pilot @ pilot.mT
    combine = _shrinkage(gram, noise, SURE_SLACK if pilot is group else 1.0)
    trust = 1 / (_left(combine, noise) / group.shape[-1]).clamp_min(1e-4)[..., None]
    return (combine * trust) @ group, trust


def wiener(group: Tensor, pilot: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Filter the pixels of a group (C, B, k, n); noise variances (C, B, n), 1 on average.

    Every group is filtered in the colours in which its own pilot is uncorrelated: most patches hold shades of
    two colours, so that one or two of the three have next to no signal, and edges that the grey channel shows
    clearly are kept in the others too. Noise that pixels share, (C, B, n, n), stays in its own colours.

    Return the answer times its trust, and the trust (C, B, 1, n).
    """
    if len(group) == 1 or noise.ndim == group.ndim:
        answer, left = _filtered(group, pilot, noise)
    else:
        turn = _own_colours(pilot)
        noise = turn.square() @ noise.transpose(0, 1)
        answer, left = _filtered(_turned(group, turn), _turned(pilot, turn), noise)
        answer = _turned(answer.transpose(0, 1), turn.mT).transpose(0, 1)
        left = (turn.mT.square() @ left).transpose(0, 1)
    trust = 1 / (left + LEAST_LEFT)[..., None, :]
    return answer * trust, trust


def _own_colours(pilot: Tensor) -> Tensor:
    """Return orthonormal colours (B, C, C), in whose rows the pilot (C, B, k, n) of each group is uncorrelated."""
    values = pilot.flatten(2).transpose(0, 1)
    values = values - values.mean(2, keepdim=True)
    axes: Tensor = torch.linalg.eigh(values @ values.mT).eigenvectors
    return axes.mT


def _turned(group: Tensor, turn: Tensor) -> Tensor:
    """Return a group (C, B, k, n) in other colours, groups first: (B, C, k, n)."""
    found: Tensor = (turn @ group.flatten(2).transpose(0, 1)).unflatten(2, group.shape[2:])
    return found


def _filtered(group: Tensor, pilot: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Return groups (..., k, n) filtered, and the variance that is left of the noise, (..., n)."""
    pilot -= pilot.mean(-2, keepdim=True)
    covariance = (pilot.mT @ pilot).div_(group.shape[-2])
    variance = noise if noise.ndim < covariance.ndim else noise.diagonal(dim1=-2, dim2=-1)
    share = covariance.diagonal(dim1=-2, dim2=-1).sum(-1) / variance.expand(covariance.shape[:-1]).sum(-1)
    heard = ((share - SILENT[0]) / (SILENT[1] - SILENT[0])).clamp(0, 1)
    mix = _shrinkage(covariance, noise) * heard[..., None, None]
    mean = group.mean(-2, keepdim=True)
    answer = group @ mix.mT
    answer += mean - mean @ mix.mT  # the mean is kept as it is
    return answer, _left(mix, noise)
