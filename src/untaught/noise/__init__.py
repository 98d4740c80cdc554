"""What the noise is: models of it, and their measurement from the one noisy picture."""

from __future__ import annotations

from untaught.noise.base import NoiseModel
from untaught.noise.models import (
    Correlated,
    Gaussian,
    Impulse,
    PoissonGaussian,
    Speckle,
    Unknown,
)
from untaught.noise.parse import format_noise, gaussian_kernel, parse_noise

__all__ = [
    "Correlated",
    "Gaussian",
    "Impulse",
    "NoiseModel",
    "PoissonGaussian",
    "Speckle",
    "Unknown",
    "format_noise",
    "gaussian_kernel",
    "parse_noise",
]
