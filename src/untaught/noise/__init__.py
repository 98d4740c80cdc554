"""What the noise is: models of it, and their measurement from the one noisy picture."""

from __future__ import annotations

from untaught.noise.estimation.clipping import Clipping, clipping
from untaught.noise.estimation.correlation import Correlation, correlation
from untaught.noise.estimation.impulses import Impulses, impulses
from untaught.noise.estimation.mean_variance import Curve, mean_variance
from untaught.noise.estimation.measure import measure
from untaught.noise.estimation.noise_report import NoiseReport
from untaught.noise.estimation.rician import rician_of
from untaught.noise.estimation.sigma import estimate_sigma
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.correlated import Correlated, gaussian_kernel
from untaught.noise.models.gaussian import Gaussian, Unknown
from untaught.noise.models.impulse import Impulse
from untaught.noise.models.noise_map import NoiseMap
from untaught.noise.models.poisson_gaussian import PoissonGaussian
from untaught.noise.models.registry import format_noise, parse_noise
from untaught.noise.models.rician import Rician
from untaught.noise.models.speckle import Speckle
from untaught.noise.models.variance_curve import VarianceCurve

__all__ = [
    "Clipping",
    "Correlated",
    "Correlation",
    "Curve",
    "Gaussian",
    "Impulse",
    "Impulses",
    "NoiseMap",
    "NoiseModel",
    "NoiseReport",
    "PoissonGaussian",
    "Rician",
    "Speckle",
    "Unknown",
    "VarianceCurve",
    "clipping",
    "correlation",
    "estimate_sigma",
    "format_noise",
    "gaussian_kernel",
    "impulses",
    "mean_variance",
    "measure",
    "parse_noise",
    "rician_of",
]
