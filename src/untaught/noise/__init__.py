"""What the noise is: models of it, and their measurement from the one noisy picture."""

from __future__ import annotations

from untaught.noise.estimation.clipping import Clipping, Impulses, clipping, impulses
from untaught.noise.estimation.correlation import Correlation, correlation
from untaught.noise.estimation.mean_variance import Curve, mean_variance
from untaught.noise.estimation.measure import NoiseReport, measure
from untaught.noise.estimation.sigma import estimate_sigma
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.correlated import Correlated, Gaussian, Impulse, PoissonGaussian, Speckle, Unknown
from untaught.noise.models.registry import format_noise, gaussian_kernel, parse_noise

__all__ = [
    "Clipping",
    "Correlated",
    "Correlation",
    "Curve",
    "Gaussian",
    "Impulse",
    "Impulses",
    "NoiseModel",
    "NoiseReport",
    "PoissonGaussian",
    "Speckle",
    "Unknown",
    "clipping",
    "correlation",
    "estimate_sigma",
    "format_noise",
    "gaussian_kernel",
    "impulses",
    "mean_variance",
    "measure",
    "parse_noise",
]
