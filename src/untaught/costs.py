"""What methods cost, in seconds, as far as it was measured."""

from __future__ import annotations

SECONDS = {
    "nlm": (0.1, 2.6),
    "wavelet": (0.1, 3.2),
    "tv": (0.8, 7.0),
    "nonlocal": (0.5, 45.0),
    "nonlocal-thorough": (2.0, 110.0),
    "fill": (0.3, 230.0),
    "pnp": (0.5, 240.0),
    "r2r": (35.0, 470.0),
    "dip": (8.0, 1700.0),
    "deep-decoder": (10.0, 1300.0),
    "gr2r": (35.0, 800.0),
    "n2v": (52.0, 260.0),
    "struct-n2v": (52.0, 260.0),
    "n2s": (54.0, 200.0),
    "neighbor2neighbor": (35.0, 59.0),
    "zs-n2n": (32.0, 110.0),
    "noisier2noise": (71.0, 100.0),
    "noisy-as-clean": (71.0, 180.0),
    "sure": (114.0, 220.0),
    "self2self": (160.0, 2700.0),
}
"""Seconds a method takes, a + b megapixels of colour, with its error estimate and all its steps; on one core of an
EPYC server, measured at 64 x 64 to 256 x 256 pixels. Rules mostly stop a fit earlier."""


def seconds_for(method: str, megapixels: float) -> float | None:
    """Return about how many seconds a method takes; None where that was never measured."""
    if method not in SECONDS:
        return None
    start, each = SECONDS[method]
    return start + each * megapixels
