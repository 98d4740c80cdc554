"""What was found out about the noise of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from untaught.noise.estimation.clipping import Clipping
from untaught.noise.estimation.correlation import Correlation
from untaught.noise.estimation.mean_variance import Curve
from untaught.noise.models.base import NoiseModel


@dataclass(frozen=True)
class NoiseReport:
    """What was found out about the noise of one picture.

    Attributes
    ----------
    model : NoiseModel
        The law that was chosen; white Gaussian unless the evidence against it is strong.
    sigma : float
        Standard deviation before clipping, rms over mid-tones, [0, 1] units.
    relative_error : float
        One standard error of the variance over the variance.
    curve : Curve or None
        Mean-variance points and fits; None where the picture shows too little of the brightness range.
    correlation : Correlation or None
        Autocorrelation; None where the picture has too few whole patches.
    white : bool
        Whether the noise can be taken as independent between pixels.
    clipping : Clipping
        Share of values at 0 and at 1, and whether they were cut there.
    impulse_fraction : float
        Share of values replaced by black or white; 0 where none were found.
    channels : tuple of float
        Standard deviation of every channel, [0, 1] units.
    notes : tuple of str
        Sentences a person should read.
    """

    model: NoiseModel
    sigma: float
    relative_error: float
    curve: Curve | None
    correlation: Correlation | None
    white: bool
    clipping: Clipping
    impulse_fraction: float
    channels: tuple[float, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-able summary."""
        return {
            **self.model.as_dict(),
            "white": self.white,
            "channels": [round(255 * s, 3) for s in self.channels],
            "clipped": list(self.clipping.fractions),
            "impulse": self.impulse_fraction,
            "curve": self.curve.as_dict() if self.curve else None,
            "correlation": self.correlation.as_dict() if self.correlation else None,
            "notes": list(self.notes),
        }
