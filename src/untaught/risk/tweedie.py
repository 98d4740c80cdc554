"""How far methods are from a posterior mean: what Tweedie's formula for their error is off by."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from untaught.operators.filters import local_mean

WINDOW = 25  # side of the window in which the divergence is averaged: one pixel's is all noise
FAR = 0.4  # relative error of Tweedie's formula for a method that was not measured and says nothing of itself


@dataclass(frozen=True)
class Shrinkage:
    """Tweedie's formula for a method that is no posterior mean.

        risk = (F/N) sum_i c(d_i) Var[y|x]_i df_i/dy_i,   c(d) = 1 - (1 - flat) / (1 + (d / knee)^2)

    with d the divergence a value, averaged over a window. Where a method leaves a flat part to nothing but the
    noise, its weights h, 0 < h < 1, are of patches that have no signal: the divergence is sum h, the risk only
    sum h^2. Where there is signal, what h takes off it makes up for the difference, as it does on average for
    the posterior mean.

    Attributes
    ----------
    error : float
        One standard error of the formula, relative.
    flat : float
        Risk over divergence where there is no signal; 1 is a posterior mean.
    knee : float
        Divergence a value at which half of that is made up for.
    factor : float
        F, by which the formula is off on average; see `calibration`.
    follows : float
        How much of what an error of the noise level does to Stein's formula it does to this one too, where F was
        told by that.

    Notes
    -----
    What the methods say of themselves was measured on crops of eight Kodak pictures and six of scikit-image at
    sigma 25 and 50: the ratio of divergence to risk was exp(m +- s), all pictures together, m and s being .03 .15
    for `nonlocal` with its curve (.15 .21 without) on 256 x 256 pixels, .06 .21 and -.04 .21 on 128 x 128; there
    -.06 .48 for `nlm`, -.03 .18 for `tv`, -.09 .22 for `wavelet`, for which no such curve is of use; and on twelve
    of these crops .07 .15 and .07 .18 for `nonlocal-thorough` (.14 .17 and .19 .22 without).
    """

    error: float
    flat: float = 1.0
    knee: float = 0.024
    factor: float = 1.0
    follows: float = 0.0

    def corrected(self, cross: Tensor, variance: Tensor) -> Tensor:
        """Return F c(d) Var df/dy a value, for `cross` = Var df/dy and `variance`, (1, C, H, W)."""
        if self.flat == 1 or cross.ndim != 4:
            return self.factor * cross
        left, whole = (local_mean(x.mean(1, keepdim=True), WINDOW) for x in (cross, variance))
        share = (left / whole.clamp_min(1e-12)).clamp_min(0)
        return self.factor * cross * (1 - (1 - self.flat) / (1 + (share / self.knee).square()))


UNUSED = Shrinkage(1e6)  # of a formula that is not to count
