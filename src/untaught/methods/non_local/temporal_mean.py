"""The mean over all planes of a film that show the same at a place, denoised as a picture with less noise."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.methods.non_local.noise_covariance import Covariance
from untaught.methods.non_local.over_time import TIME
from untaught.methods.non_local.single_scale import Stage, denoise_nonlocal

SIDE = 7  # pixels of the squares in which planes are compared
# Mean squared difference of two estimates in a square, in noise variances, at which a plane counts half. At .1
# what moves and is fainter than the noise loses more; on four films the gain was the same within .03 dB.
ALIKE = 0.05
STAGES = (Stage("wiener", 8, 64, step=8, radius=16),)
FOLLOWED = max(2 * stage.reach + 1 for stage in TIME)  # planes that the pilot had its values of


@torch.no_grad()
def average_what_stays(
    y: Tensor,
    variance_of: Callable[[Tensor], Tensor],
    pilot: Tensor,
    covariance: Covariance | None = None,
) -> Tensor:
    """Average what stands still over all planes there are, and leave what moves to the pilot.

        m_t = sum_s w_ts y_s / sum_s w_ts,   w_ts = 1 / (1 + (d_ts / ALIKE)^4)
        x^_t = p_t + n_t / (n_t + FOLLOWED) (f(m_t) - p_t),   n_t = (sum_s w_ts)^2 / sum_s w_ts^2

    pixel by pixel, with d_ts the mean square of p_t - p_s around it in noise variances, p the pilot, and f the
    filter of `NonLocal`'s "wiener" for a picture with the variance of m_t. Of two unbiased values with the
    variances of n_t and of FOLLOWED planes this is the mean of least variance.

    Parameters
    ----------
    y : Tensor
        Noisy planes, float32 (F, C, H, W), in the order of time.
    variance_of : callable
        Returns the variance of `y`, (F, C, H, W), where an estimate is given.
    pilot : Tensor
        An estimate of every plane that has followed what moves: `denoise_over_time`.
    covariance : Covariance, optional
        What neighbouring pixels share of the noise; planes share none.

    Returns
    -------
    Tensor
        Estimate of the mean of `y`, float32, of its shape.
    """
    variance = variance_of(pilot).expand_as(y)
    means, variances, counts = _means(y, variance, pilot)
    planes = (
        denoise_nonlocal(m[None], v[None], STAGES, p[None], covariance)
        for m, v, p in zip(means, variances, pilot, strict=True)
    )
    return torch.lerp(pilot, torch.cat(list(planes)), counts / (counts + FOLLOWED))


def _means(y: Tensor, variance: Tensor, pilot: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weighted means (F, C, H, W), their variances, and of how many planes they are, (F, 1, H, W)."""
    guide = pilot / variance.mean(1, keepdim=True).sqrt().clamp_min(1e-6)
    sums, spread = y.clone(), variance.clone()
    total, squares = (torch.ones_like(y[:, :1]) for _ in range(2))
    for one in range(len(y)):
        for other in range(one + 1, len(y)):
            change = (guide[one] - guide[other]).square().mean(0, keepdim=True)
            apart = F.avg_pool2d(change, SIDE, 1, SIDE // 2, count_include_pad=False)
            weight = 1 / (1 + (apart / ALIKE) ** 4)
            for here, there in ((one, other), (other, one)):
                sums[here] += weight * y[there]
                spread[here] += weight.square() * variance[there]
                total[here] += weight
                squares[here] += weight.square()
    return sums / total, spread / total.square(), total.square() / squares
