"""What the noise is: models of it, and their measurement from the one noisy picture."""

from __future__ import annotations

from untaught.noise.base import NoiseModel
from untaught.noise.clipping import Clipping, Impulses, clipping, impulses
from untaught.noise.correlation import Correlation, correlation
from untaught.noise.mean_variance import Curve, mean_variance
from untaught.noise.measure import NoiseReport, measure
from untaught.noise.models import (
    Correlated,
    Gaussian,
    Impulse,
    PoissonGaussian,
    Speckle,
    Unknown,
)
from untaught.noise.parse import format_noise, gaussian_kernel, parse_noise
from untaught.noise.sigma import estimate_sigma

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
